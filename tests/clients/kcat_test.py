"""kcat (librdkafka 2.0) as Debian ships it: produces with every codec, consumes in a group across restarts.

Environment: MILENA_BIN, see harness.py. Needs the Debian package kcat.
"""

import json
import random
import unittest

import harness

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


def words(seed, count):
    """`count` different lines that compress well and one in ten that does not."""
    source = random.Random(seed)
    return [f"{seed} line {i} " + ("".join(source.choices("abcdefghijklmnop", k=900)) if i % 10 == 0 else "word " * 20)
            for i in range(count)]


class Kcat(harness.ServerTestCase):
    def kcat(self, server, *arguments, data=None):
        command = ["kcat", "-b", server.bootstrap, "-m", "20", "-X", "log_level=3", *arguments]
        return harness.run_tool(command, input=data, timeout=60)

    def produce(self, server, topic, values, *arguments):
        """Each value under the key "k<first word count>:" so that all partitions get some."""
        lines = "".join(f"{i}|{value}\n" for i, value in enumerate(values)).encode()
        self.kcat(server, "-P", "-t", topic, "-K|", *arguments, data=lines)
        return [(str(i), value) for i, value in enumerate(values)]

    def records(self, output):
        return [json.loads(line) for line in output.decode().splitlines()]

    def group(self, server, topic, count=None):
        """What the group "g-<topic>" reads next: all there is, or `count` records. Commits when it leaves."""
        limit = ["-c", str(count)] if count else ["-e"]
        return self.records(self.kcat(server, "-G", f"g-{topic}", "-q", "-J", *limit,
                                      "-X", "auto.offset.reset=earliest", topic))

    def assertSame(self, records, expected, what):
        self.assertEqual(sorted((r["key"], r["payload"]) for r in records), sorted(expected), what)

    def test_every_codec_in_a_group_across_restarts(self):
        server = self.start_server()
        for codec in CODECS:
            topic = f"lines-{codec}"
            with self.subTest(codec=codec):
                sent = self.produce(server, topic, words(codec, 400), "-z", codec)
                first = self.group(server, topic, 150)
                self.assertEqual(len(first), 150)
                self.first = getattr(self, "first", {})
                self.first[codec] = (sent, first)
        server.restart()
        for codec, (sent, first) in self.first.items():
            with self.subTest(codec=codec, after="SIGTERM"):
                second = self.group(server, f"lines-{codec}")
                self.assertSame(first + second, sent, "both parts together are what was sent, once each")
                self.assertOffsets(first + second)
                self.assertEqual(self.group(server, f"lines-{codec}"), [], "everything was committed")
        more = {codec: self.produce(server, f"lines-{codec}", words(codec + "+", 100), "-z", codec) for codec in CODECS}
        server.restart(kill=True)
        for codec, sent in more.items():
            with self.subTest(codec=codec, after="kill -9"):
                third = self.group(server, f"lines-{codec}")
                self.assertSame(third, sent, "what was acknowledged before kill -9 is there, and nothing twice")

    def assertOffsets(self, records):
        """In each partition every offset once, from 0; more than one partition is in use."""
        offsets = {}
        for record in records:
            offsets.setdefault(record["partition"], []).append(record["offset"])
        self.assertGreater(len(offsets), 1)
        for partition, found in offsets.items():
            self.assertEqual(sorted(found), list(range(len(found))), f"offsets of partition {partition}")

    def test_keys_headers_and_nulls(self):
        server = self.start_server()
        self.kcat(server, "-P", "-t", "shapes", "-p", "1", "-K:", "-Z", "-H", "one=1", "-H", "two=", "-H", "one=again",
                  data=b"key:value\n:no key\ngone:\n")
        got = self.records(self.kcat(server, "-C", "-q", "-J", "-e", "-t", "shapes"))
        self.assertEqual([(r["key"], r["payload"]) for r in got], [("key", "value"), (None, "no key"), ("gone", None)])
        for record in got:
            self.assertEqual(record["headers"], ["one", "1", "two", "", "one", "again"])
            self.assertEqual((record["partition"], record["tstype"]), (1, "create"))

    def test_large_messages_with_every_codec(self):
        server = self.start_server()
        source = random.Random(1)
        half = bytes(source.choices(b"0123456789abcdef", k=450_000))
        for codec in CODECS:
            with self.subTest(codec=codec):
                body = codec.encode() + half + b"." * 450_000
                path = self.folder / codec
                path.write_bytes(body)
                self.kcat(server, "-P", "-t", f"large-{codec}", "-z", codec, path)
                got = self.kcat(server, "-C", "-q", "-e", "-D", "", "-t", f"large-{codec}", "-o", "beginning")
                self.assertTrue(got == body, f"{len(got)} bytes came back for {len(body)}")

    def test_over_ipv6(self):
        server = self.start_server(host="::1")
        brokers = json.loads(self.kcat(server, "-L", "-J"))["brokers"]
        self.assertEqual([broker["name"] for broker in brokers], [f"::1:{server.port}"])
        sent = self.produce(server, "six", words("six", 100))
        self.assertSame(self.group(server, "six"), sent, "through the advertised address")
        server.restart()
        self.assertEqual(self.group(server, "six"), [], "the coordinator is found there, too")

    def test_idempotent_producer(self):
        server = self.start_server()
        sent = self.produce(server, "exact", words("exact", 500), "-X", "enable.idempotence=true")
        server.restart(kill=True)
        sent += self.produce(server, "exact", words("exact2", 500), "-X", "enable.idempotence=true", "-z", "lz4")
        got = self.records(self.kcat(server, "-C", "-q", "-J", "-e", "-t", "exact"))
        self.assertSame(got, sent, "each record once")
        self.assertOffsets(got)

    def test_metadata_offsets_and_seeks(self):
        server = self.start_server()
        self.kcat(server, "-P", "-t", "places", "-p", "2", data="".join(f"{i}\n" for i in range(100)).encode())
        listed = json.loads(self.kcat(server, "-L", "-J", "-t", "places"))
        self.assertEqual([b["name"] for b in listed["brokers"]], [server.bootstrap])
        self.assertEqual([p["partition"] for p in listed["topics"][0]["partitions"]], [0, 1, 2, 3])
        self.assertEqual([p["isrs"] for p in listed["topics"][0]["partitions"]], [[{"id": 1}]] * 4)
        for start, expected in [("40", range(40, 100)), ("-5", range(95, 100)), ("beginning", range(100))]:
            got = self.kcat(server, "-C", "-q", "-e", "-t", "places", "-p", "2", "-o", start).split()
            self.assertEqual(got, [str(i).encode() for i in expected], f"from {start}")
        got = self.records(self.kcat(server, "-C", "-q", "-J", "-e", "-t", "places", "-p", "2"))
        middle = got[50]["ts"]
        expected = next(r["offset"] for r in got if r["ts"] >= middle)
        answer = self.kcat(server, "-Q", "-t", f"places:2:{middle}").decode()
        self.assertIn(f"places [2] offset {expected}", answer)


if __name__ == "__main__":
    unittest.main(verbosity=2)
