"""Records: codecs, keys, headers, nulls, sizes, times, acknowledgements, seeks."""

import random
import time

import clients
from driver import Record
from scenario import BEGIN, CODECS, END, PARTITIONS, Scenarios

MESSAGE_TOO_LARGE = 10
START = 1_700_000_000_000  # ms since 1970


class DataScenarios(Scenarios):
    group = "data"

    def codec(self, name):
        """Records that survive the codec, and batches that were really sent with it."""
        topic = self.topic()
        sent = self.sample(300)
        offsets = self.produce(topic, sent, codec=name)
        self.assertSame(self.consume(topic, 300), sent)
        for partition in range(PARTITIONS):
            self.assertEqual([o for r, o in zip(sent, offsets) if r.partition == partition], list(range(75)))
            self.assertEqual({attributes & 7 for _, attributes, *_ in self.batches(topic, partition)},
                             {CODECS.index(name)})

    def test_codec_none(self):
        self.codec("none")

    def test_codec_gzip(self):
        self.codec("gzip")

    def test_codec_snappy(self):
        self.codec("snappy")

    def test_codec_lz4(self):
        self.codec("lz4")

    def test_codec_zstd(self):
        self.codec("zstd")

    def test_keys_headers_nulls(self):
        topic = self.topic(partitions=1)
        sent = [Record(0, b"", b""), Record(0, b"gone", None), Record(0, None, b"no key"),
                Record(0, b"\x00\xff", bytes(range(256))), Record(0, "schlüssel".encode(), "значение".encode()),
                Record(0, b"k", b"v", [("a", b"1"), ("b", b""), ("a", b"2"), ("ü", b"\x00\xff")]),
                Record(0, b"k", None, [("only", b"header")])]
        if not clients.lacks(self.client_name, "null_headers"):
            sent.append(Record(0, b"k", b"v", [("null", None), ("x", b"y")]))
        if not clients.lacks(self.client_name, "null_records"):
            sent.append(Record(0, None, None))
        self.produce(topic, sent)
        self.assertSame(self.consume(topic, len(sent), partitions=1), sent, partitions=1)

    def test_large_records(self):
        topic = self.topic(max_message_bytes=8_000_000)
        source = random.Random(1)
        sent = [Record(0, b"half", source.randbytes(2_000_000) + bytes(2_000_000)),
                Record(1, b"dense", source.randbytes(5_000_000)), Record(0, b"small", b"after")]
        for record in sent:
            self.produce(topic, [record])
        self.produce(topic, sent[:1], codec="gzip")
        self.assertSame(self.consume(topic, 4), [*sent, sent[0]])

    def test_too_large(self):
        """The broker's limit, not the client's: that one is raised."""
        topic = self.topic(partitions=1)
        value = random.Random(2).randbytes(1_500_000)
        self.assertCode(MESSAGE_TOO_LARGE, self.produce, topic, [Record(0, b"k", value)])
        self.produce(topic, [Record(0, b"k", b"fits")])
        self.assertEqual([r.value for r in self.consume(topic, 1, partitions=1)], [b"fits"])

    def test_create_time(self):
        topic = self.topic(partitions=1)
        sent = [Record(0, None, str(i).encode(), time=START + (i * 7919) % 5000) for i in range(50)]
        self.produce(topic, sent)
        self.assertEqual([r.time for r in self.consume(topic, 50, partitions=1)], [r.time for r in sent])

    def test_log_append_time(self):
        topic = self.topic(partitions=1, message_timestamp_type="LogAppendTime")
        before = int(time.time() * 1000)
        self.produce(topic, [Record(0, None, str(i).encode(), time=START + i) for i in range(20)])
        found = self.consume(topic, 20, partitions=1)
        self.assertEqual(len(found), 20)
        for record in found:
            self.assertTrue(before - 1 <= record.time <= int(time.time() * 1000) + 1, record.time)

    def test_acks(self):
        topic = self.topic(partitions=1)
        for acks in (-1, 1, 0):
            self.produce(topic, [Record(0, None, f"acks {acks}".encode())], acks=acks)
        self.assertEqual(sorted(r.value for r in self.consume(topic, 3, partitions=1)),
                         [b"acks -1", b"acks 0", b"acks 1"])

    def test_idempotent(self):
        topic = self.topic()
        sent = self.sample(200)
        self.produce(topic, sent, idempotent=True, codec="gzip")
        self.assertSame(self.consume(topic, 200), sent)
        for partition in range(PARTITIONS):
            expected = 0
            for base, _, producer, sequence, records in self.batches(topic, partition):
                self.assertGreaterEqual(producer, 0)
                self.assertEqual((base, sequence), (expected, expected))
                expected += records
            self.assertEqual(expected, 50)

    def test_seeks(self):
        topic = self.topic(partitions=1)
        self.produce(topic, [Record(0, None, str(i).encode()) for i in range(100)])
        self.client.reader_open(name="r", topic=topic, partition=0)

        def take(count, wait_ms=30_000):
            found = self.client.reader_take(name="r", count=count, wait_ms=wait_ms)["records"]
            return [record["o"] for record in found]
        for place, expected in ((BEGIN, [0, 1, 2]), (50, [50, 51]), (10, [10, 11]), (99, [99]), (BEGIN, [0, 1])):
            self.client.reader_seek(name="r", to=place)
            self.assertEqual(take(len(expected)), expected, f"after a seek to {place}")
        self.client.reader_seek(name="r", to=END)
        self.assertEqual(take(1, wait_ms=700), [])
        for _ in range(20):  # a client may look the end up only now, and then miss what came before
            last = self.produce(topic, [Record(0, None, b"new")])[0]
            if found := take(1, wait_ms=2000):
                break
        self.assertTrue(found and 100 <= found[0] <= last, found)
        self.client.reader_close(name="r")

    def test_consume_from_places(self):
        topic = self.topic()
        self.produce(topic, self.sample(80))
        found = self.consume(topic, 20 + 13 + 1, {0: BEGIN, 1: 7, 2: 19, 3: END})
        self.assertEqual({(r.partition, r.offset) for r in found},
                         {(0, o) for o in range(20)} | {(1, o) for o in range(7, 20)} | {(2, 19)})

    def test_offsets_for_times(self):
        topic = self.topic()
        self.produce(topic, [Record(3, None, str(i).encode(), time=START + 1000 * i) for i in range(60)])

        def offset(at):
            return self.client.offsets(topic=topic, partitions=PARTITIONS, at=at)["offsets"]["3"]
        for at, expected in ((BEGIN, 0), (END, 60), (START - 5, 0), (START, 0), (START + 1, 1), (START + 41_500, 42)):
            self.assertEqual(offset(at), expected, f"at {at}")
        self.assertIn(offset(START + 60_000), (-1, 60))  # nothing there: some clients say so, some give the end
        self.assertEqual(self.client.offsets(topic=topic, partitions=PARTITIONS, at=END)["offsets"],
                         {"0": 0, "1": 0, "2": 0, "3": 60})
