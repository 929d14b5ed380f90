"""What all scenarios share: one node and one client for a whole group of them, and the ways to ask and to compare.

A scenario is a test method: its name is the column of the matrix. It runs alike for every client; what a client lacks by
its own design is listed in clients.py and shows as "-".
"""

import random
import struct
import tempfile
import time
import unittest
from pathlib import Path

import clients
import harness
from driver import ClientError, Record

BEGIN, END = -2, -1  # where a reader starts, as in ListOffsets
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
PARTITIONS = 4
WAIT_MS = 30_000


class Scenarios(unittest.TestCase):
    client_name = None  # matrix.py says which
    group = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="milena-matrix-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.server = harness.server_class()(Path(cls.folder.name) / "node")
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
        cls.client = clients.start(cls.client_name, cls.server.bootstrap, Path(cls.folder.name) / "driver.log")
        cls.addClassCleanup(cls.client.close)
        cls.topics = 0

    def run(self, result=None):
        failures = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > failures:
            print(self.client.log_tail(), self.server.log_tail(), sep="\n")

    def setUp(self):
        reason = clients.lacks(self.client_name, self.scenario())
        if reason:
            self.skipTest(reason)

    def scenario(self):
        return self._testMethodName.removeprefix("test_")

    def topic(self, partitions=PARTITIONS, **config):
        """A new topic of this scenario."""
        type(self).topics += 1
        name = f"{self.scenario().replace('_', '-')}-{self.topics}"
        self.client.create_topic(topic=name, partitions=partitions,
                                 config={key.replace("_", "."): str(value) for key, value in config.items()})
        self.eventually(lambda: len(self.client.describe_topic(topic=name)["partitions"]), partitions)
        return name

    def sample(self, count, seed=None, partitions=PARTITIONS):
        source = random.Random(seed or self.scenario())
        return [Record(i % partitions, f"key {i}".encode() if i % 5 else None,
                       f"{i} ".encode() + source.randbytes(source.randrange(40)) * source.randrange(1, 20) if i % 7 or i % 5 == 0 else None,
                       [("number", str(i).encode()), ("empty", b""), ("number", b"again")] if i % 3 == 0 else [])
                for i in range(count)]

    def produce(self, topic, records, **more):
        """Offsets, in the records' order."""
        return self.client.produce(topic=topic, records=[r.to_json() for r in records], **more)["offsets"]

    def consume(self, topic, count, start=BEGIN, partitions=PARTITIONS, wait_ms=WAIT_MS):
        """Up to `count` records; `start` is one place for all partitions or {partition: place}."""
        places = start if isinstance(start, dict) else {p: start for p in range(partitions)}
        answer = self.client.consume(topic=topic, count=count, wait_ms=wait_ms,
                                     **{"from": {str(p): place for p, place in places.items()}})
        return [Record.from_json(found) for found in answer["records"]]

    def assertSame(self, found, sent, partitions=PARTITIONS):
        """Every record as sent, once, in the order of its partition."""
        def shape(record):
            key, value, headers = record.shape()
            by_name = clients.lacks(self.client_name, "header_order")
            return key, value, sorted(headers, key=lambda h: h[0]) if by_name else headers
        for partition in range(partitions):
            have = [shape(r) for r in found if r.partition == partition]
            want = [shape(r) for r in sent if r.partition == partition]
            self.assertEqual(len(have), len(want), f"records of partition {partition}")
            for one, other in zip(have, want):
                self.assertEqual(one, other)

    def assertCode(self, code, call, *arguments, **fields):
        """The client reports exactly Kafka's error `code`."""
        with self.assertRaises(ClientError) as refused:
            call(*arguments, **fields)
        self.assertEqual(refused.exception.code, code, refused.exception)

    def eventually(self, question, expected, seconds=60):
        """Also while the question itself fails: a change may be answered before all of the broker shows it."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                answer = question()
            except ClientError as error:
                answer = error
            if answer == expected:
                return
            if time.monotonic() > deadline:
                if isinstance(answer, ClientError):
                    raise answer
                self.assertEqual(answer, expected)
            time.sleep(0.05)

    def batches(self, topic, partition=0):
        """What lies on the disk, by its first segment: (base offset, attributes, producer id, base sequence, records)."""
        folder = self.server.data / f"{topic}-{partition}"
        data = (folder / f"{0:020}.log").read_bytes()
        found, at = [], 0
        while at + 61 <= len(data):
            base, length = struct.unpack_from(">qi", data, at)
            attributes = struct.unpack_from(">h", data, at + 21)[0]
            producer, _, sequence, records = struct.unpack_from(">qhii", data, at + 43)
            found.append((base, attributes, producer, sequence, records))
            at += 12 + length
        return found
