"""Apache Kafka's own console tools (Java client 4.3.1): topics, configurations, codecs, groups across restarts.

Environment: MILENA_BIN and MILENA_KAFKA_LIBS, see harness.py. Needs java and javac.
"""

import random
import subprocess
import tempfile
import unittest
from pathlib import Path

import harness

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
TOPICS = "org.apache.kafka.tools.TopicCommand"
PRODUCER = "org.apache.kafka.tools.ConsoleProducer"
CONSUMER = "org.apache.kafka.tools.consumer.ConsoleConsumer"
GROUPS = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
OFFSETS = "org.apache.kafka.tools.GetOffsetShell"
CONFIGS = "kafka.admin.ConfigCommand"


class Tools:
    """One JVM that runs the tools one after the other, see KafkaTools.java."""

    def __init__(self, folder, more=()):
        """`more`: Java sources of further programs with a main(), to be called like the tools."""
        self.folder = Path(folder)
        self.calls = 0
        classes = self.folder / "classes"
        subprocess.run(["javac", "-nowarn", "-d", classes, "-cp", harness.kafka_classpath(),
                        Path(__file__).with_name("KafkaTools.java"), *more], check=True)
        self.log = open(self.folder / "tools.log", "wb")
        self.jvm = subprocess.Popen(["java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp",
                                     f"{classes}:{harness.kafka_classpath()}", "KafkaTools"],
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
                                    text=True, preexec_fn=harness.die_with_parent)

    def close(self):
        self.jvm.kill()
        self.jvm.communicate()
        self.log.close()

    def call(self, tool, *arguments, data=None):
        """Status, stdout and stderr of one call."""
        self.calls += 1
        given, out, err = (self.folder / f"call{self.calls}.{kind}" for kind in ("in", "out", "err"))
        if data is not None:
            given.write_bytes(data)
        fields = [tool, "-" if data is None else given, out, err, *arguments]
        self.jvm.stdin.write("\t".join(map(str, fields)) + "\n")
        self.jvm.stdin.flush()
        status = self.jvm.stdout.readline()
        if not status:
            raise AssertionError(f"the JVM ended: {(self.folder / 'tools.log').read_text(errors='replace')[-2000:]}")
        return int(status), out.read_bytes().decode(), err.read_bytes().decode()


class KafkaTools(harness.ServerTestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory(prefix="milena-tools-")
        cls.tools = Tools(cls.scratch.name)

    @classmethod
    def tearDownClass(cls):
        cls.tools.close()
        cls.scratch.cleanup()

    def tool(self, server, name, *arguments, data=None, status=0):
        """stdout of a call that must end with `status`."""
        got, out, err = self.tools.call(name, "--bootstrap-server", server.bootstrap, *arguments, data=data)
        self.assertEqual(got, status, f"{name} {arguments}\n{out[-1500:]}\n{err[-3000:]}")
        return out

    def create(self, server, topic, *arguments):
        self.assertIn(f"Created topic {topic}.",
                      self.tool(server, TOPICS, "--create", "--topic", topic, "--partitions", "4",
                                "--replication-factor", "1", *arguments))

    def produce(self, server, topic, records, *arguments):
        """Records are (key, value); returns them."""
        data = "".join(f"{key}|{value}\n" for key, value in records).encode()
        self.tool(server, PRODUCER, "--topic", topic, "--reader-property", "parse.key=true",
                  "--reader-property", "key.separator=|", *arguments, data=data)
        return records

    def consume(self, server, topic, *arguments):
        """(partition, offset, headers, key, value) of what the tool printed, as text."""
        shown = ["partition", "offset", "headers", "key"]
        out = self.tool(server, CONSUMER, "--topic", topic, "--timeout-ms", "20000", *arguments,
                        *(word for name in shown for word in ("--formatter-property", f"print.{name}=true")),
                        "--formatter-property", "key.separator=|")
        found = []
        for line in out.splitlines():
            partition, offset, headers, key, value = line.split("|", 4)
            found.append((int(partition.split(":")[1]), int(offset.split(":")[1]), headers, key, value))
        return found

    def group(self, server, topic, count):
        """The next `count` records of the group "g-<topic>"; the tool commits at its end."""
        return self.consume(server, topic, "--group", f"g-{topic}", "--max-messages", str(count),
                            "--command-property", "auto.offset.reset=earliest")

    def sample(self, seed, count):
        source = random.Random(seed)
        return [(f"key {i}", f"{seed} {i} " + "".join(source.choices("abcdefgh ", k=source.randrange(300))) + ".")
                for i in range(count)]

    def assertSame(self, found, sent):
        self.assertEqual(sorted((f[3], f[4]) for f in found), sorted(sent))
        self.assertEqual(len({(f[0], f[1]) for f in found}), len(sent), "each offset once")
        self.assertGreater(len({f[0] for f in found}), 1, "more than one partition is in use")

    def test_every_codec_in_a_group_across_restarts(self):
        server = self.start_server()
        sent, found = {}, {}
        for codec in CODECS:
            self.create(server, f"codec-{codec}")
            sent[codec] = self.produce(server, f"codec-{codec}", self.sample(codec, 300), "--compression-codec", codec)
            found[codec] = self.group(server, f"codec-{codec}", 100)
        for kill in (False, True):
            server.restart(kill=kill)
            for codec in CODECS:
                found[codec] += self.group(server, f"codec-{codec}", 100)
        for codec in CODECS:
            with self.subTest(codec=codec):
                self.assertSame(found[codec], sent[codec])
        listed = self.tool(server, GROUPS, "--list").split()
        self.assertEqual(sorted(listed), sorted(f"g-codec-{codec}" for codec in CODECS))
        described = self.tool(server, GROUPS, "--describe", "--group", "g-codec-zstd").splitlines()
        rows = [line.split()[1:6] for line in described if line.startswith("g-codec-zstd")]
        self.assertEqual(len(rows), 4, described)
        for topic, _, current, end, lag in rows:
            self.assertEqual((topic, current, lag), ("codec-zstd", end, "0"))
        self.assertEqual(sum(int(row[2]) for row in rows), 300)

    def test_over_ipv6(self):
        server = self.start_server(host="::1")
        self.create(server, "six")
        sent = self.sample("six", 50)
        self.produce(server, "six", sent)
        self.assertSame(self.group(server, "six", 50), sent)

    def test_groups_are_reset_and_deleted(self):
        server = self.start_server()
        self.create(server, "again")
        sent = self.produce(server, "again", self.sample("again", 80))
        self.assertSame(self.group(server, "again", 80), sent)
        self.tool(server, GROUPS, "--group", "g-again", "--reset-offsets", "--to-earliest", "--topic", "again",
                  "--execute")
        server.restart(kill=True)
        self.assertSame(self.group(server, "again", 80), sent)
        self.assertIn("Empty", self.tool(server, GROUPS, "--describe", "--group", "g-again", "--state"))
        self.tool(server, GROUPS, "--delete", "--group", "g-again")
        self.assertNotIn("g-again", self.tool(server, GROUPS, "--list"))

    def test_keys_headers_and_nulls(self):
        server = self.start_server()
        self.create(server, "shapes")
        self.tool(server, PRODUCER, "--topic", "shapes", "--reader-property", "parse.key=true",
                  "--reader-property", "key.separator=|", "--reader-property", "parse.headers=true",
                  "--reader-property", "headers.delimiter=/", "--reader-property", "null.marker=NULL",
                  data=b"a:1,b:,a:2/key|value\nh:x/NULL|no key\nh:y/gone|NULL\n")
        found = self.consume(server, "shapes", "--from-beginning", "--max-messages", "3")
        self.assertEqual(sorted(f[2:] for f in found), [("a:1,b:,a:2", "key", "value"), ("h:x", "null", "no key"),
                                                        ("h:y", "gone", "null")])

    def test_large_and_idempotent(self):
        server = self.start_server()
        self.create(server, "large")
        source = random.Random(3)
        sent = []
        for codec in CODECS:
            value = "".join(source.choices("0123456789abcdef", k=450_000)) + "x" * 450_000
            sent += self.produce(server, "large", [(codec, value)], "--compression-codec", codec,
                                 "--command-property", "enable.idempotence=true", "--command-property", "acks=all")
        server.restart(kill=True)
        found = self.consume(server, "large", "--from-beginning", "--max-messages", "5")
        self.assertTrue(sorted((f[3], f[4]) for f in found) == sorted(sent), f"{len(found)} records, not the same")

    def test_topics_and_configurations(self):
        server = self.start_server()
        self.create(server, "setup", "--config", "retention.ms=3600000")
        self.assertIn("already exists", self.tool(server, TOPICS, "--create", "--topic", "setup", status=1))
        self.tool(server, TOPICS, "--alter", "--topic", "setup", "--partitions", "6")
        self.tool(server, CONFIGS, "--alter", "--entity-type", "topics", "--entity-name", "setup", "--add-config",
                  "cleanup.policy=[compact,delete],max.message.bytes=5000", "--delete-config", "retention.ms")
        server.restart(kill=True)
        head, *rows = self.tool(server, TOPICS, "--describe", "--topic", "setup").splitlines()
        for part in ("PartitionCount: 6", "ReplicationFactor: 1", "cleanup.policy=compact,delete",
                     "max.message.bytes=5000"):
            self.assertIn(part, head)
        self.assertNotIn("retention.ms", head)
        self.assertEqual(len(rows), 6)
        for number, row in enumerate(rows):
            self.assertIn(f"Partition: {number}\tLeader: 1\tReplicas: 1\tIsr: 1", row)
        described = self.tool(server, CONFIGS, "--describe", "--entity-type", "topics", "--entity-name", "setup")
        self.assertIn("max.message.bytes=5000", described)
        described = self.tool(server, CONFIGS, "--describe", "--all", "--entity-type", "brokers", "--entity-name", "1")
        self.assertIn("num.network.threads=2 ", described)

    def test_offsets_and_deleting(self):
        server = self.start_server()
        self.create(server, "gone")
        self.create(server, "kept")
        self.produce(server, "kept", self.sample("kept", 50))
        rows = self.tool(server, OFFSETS, "--topic", "kept").split()
        self.assertEqual([row.rsplit(":", 1)[0] for row in rows], [f"kept:{p}" for p in range(4)])
        self.assertEqual(sum(int(row.rsplit(":", 1)[1]) for row in rows), 50)
        end = int(next(row for row in rows if row.startswith("kept:2:")).rsplit(":", 1)[1])
        found = self.consume(server, "kept", "--partition", "2", "--offset", "1", "--max-messages", str(end - 1))
        self.assertEqual([f[:2] for f in found], [(2, offset) for offset in range(1, end)])
        self.tool(server, TOPICS, "--delete", "--topic", "gone")
        server.restart()
        self.assertEqual(self.tool(server, TOPICS, "--list", "--exclude-internal").split(), ["kept"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
