#!/usr/bin/env python3
"""Log directories handed from Apache Kafka 4.3.1 to Milena and back, on one server.properties.

Kafka fills them, Milena serves all of it and writes more, Kafka serves all of that again: without an ERROR line, and
its own tools read every file. The same with kill -9 in place of each stop, while a producer is busy.

  MILENA_BIN=build/milena MILENA_KAFKA_LIBS=DIR swap_test.py [unittest arguments]

MILENA_SWAP_WORK names the working directory, which then stays (default: a new temporary one, removed after success).
"""
import glob
import os
import shutil
import sys
import tempfile
import time
import unittest

from nodes import Directories, Kafka, Milena, Peer, check_same_state, cluster_state

HERE = os.path.dirname(os.path.abspath(__file__))
LIBS = os.environ.get("MILENA_KAFKA_LIBS", "")
BINARY = os.environ.get("MILENA_BIN", "")


class SwapTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = os.environ.get("MILENA_SWAP_WORK") or tempfile.mkdtemp(prefix="milena-swap-")
        shutil.rmtree(cls.work, ignore_errors=True)
        os.makedirs(cls.work)
        cls.peer = Peer(LIBS, sorted(glob.glob(os.path.join(HERE, "*.java"))), cls.work)
        cls.failed = False

    @classmethod
    def tearDownClass(cls):
        cls.peer.close()
        if cls.failed:
            print(f"directories and logs are left in {cls.work}")
        elif "MILENA_SWAP_WORK" not in os.environ:
            shutil.rmtree(cls.work, ignore_errors=True)

    def setUp(self):
        self.server, self.turn, self.state = None, 0, None

    def tearDown(self):
        if self.server:
            self.server.end()

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        outcome = super().run(result)
        SwapTest.failed = SwapTest.failed or len(result.failures) + len(result.errors) > before
        return outcome

    def begin(self, static, log_dirs=1, more=()):
        self.dirs = Directories(os.path.join(self.work, self._testMethodName), static, log_dirs, more)
        self.ask(f"new {self.dirs.bootstrap}")

    def ask(self, line):
        begin = time.monotonic()
        try:
            answer = self.peer.ask(line)
        except AssertionError as error:
            tail = f"\n{self.server.log}:\n{self.server.tail()}" if self.server else ""
            raise AssertionError(f"{error}{tail}") from None
        print(f"    {time.monotonic() - begin:5.1f} s  {line[:60]}: {answer}", flush=True)
        return answer

    def start(self, kind):
        self.turn += 1
        log = os.path.join(self.dirs.work, f"{self.turn}-{kind.__name__.lower()}.log")
        begin = time.monotonic()
        self.server = kind(LIBS if kind is Kafka else BINARY, self.dirs, log)
        print(f"    {time.monotonic() - begin:5.1f} s  {kind.__name__} started", flush=True)
        if self.state is not None:
            check_same_state(self.state, "127.0.0.1", self.dirs.port)

    def hand_over(self, kill):
        """The server stops, or is killed amid a producer's work; after a clean stop every file must be readable. What
        it says of the cluster, the next one must say."""
        server, self.server = self.server, None
        if kill:
            self.ask("busy-start")
            time.sleep(2)
            self.state = cluster_state("127.0.0.1", self.dirs.port)
            server.end()
        else:
            self.state = cluster_state("127.0.0.1", self.dirs.port)
            server.stop()
            self.assertTrue(all(self.dirs.has_clean_mark()), f"{server.name} left no clean mark")
            self.ask(f"dump {','.join(self.dirs.log_dirs)}")
        self.assertEqual(server.errors(), [], f"in {server.log}")

    def take_over(self, kind, kill):
        self.start(kind)
        if kill:
            self.ask("busy-stop")
        self.ask(f"verify {kind.__name__.lower()}")

    def kafka_milena_kafka(self, kill):
        standalone = "" if self.dirs.static else " --standalone"
        self.ask(f"format {self.dirs.properties} {self.dirs.cluster_id}{standalone}")
        self.start(Kafka)
        for line in ("topics", "records", "kafka-only", *([] if kill else ["trim"]), "groups",
                     "config TOPIC codecs retention.ms 700000000", "config BROKER - message.max.bytes 1500000", "config BROKER 1 log.cleaner.threads 2",
                     "config GROUP modern consumer.session.timeout.ms 50000", "verify kafka"):
            self.ask(line)
        features = self.ask("cluster")
        self.hand_over(kill)

        self.take_over(Milena, kill)
        for line in ("records", "late by-milena", "delete empty", "groups", "config TOPIC stamped retention.ms 800000000", "verify milena"):
            self.ask(line)
        self.assertEqual(self.ask("cluster"), features)
        self.hand_over(kill)

        self.take_over(Kafka, kill)
        self.assertEqual(self.ask("cluster"), features)
        for line in ("records", "groups", "modern 60", "share 1000", "abort-open", "verify kafka"):
            self.ask(line)
        self.hand_over(False)
        self.start(Milena)

    def test_dynamic_voters(self):
        self.begin(static=False, log_dirs=2)
        self.kafka_milena_kafka(kill=False)

    def test_static_voters(self):
        self.begin(static=True)
        self.kafka_milena_kafka(kill=False)

    def test_dynamic_voters_killed(self):
        # So many metadata snapshots that Milena starts from one of Kafka's and Kafka from one of Milena's.
        self.begin(static=False, more=["metadata.log.max.record.bytes.between.snapshots=4096"])
        self.kafka_milena_kafka(kill=True)

    def test_static_voters_killed(self):
        self.begin(static=True, log_dirs=2)
        self.kafka_milena_kafka(kill=True)

    def test_formatted_by_milena(self):
        self.begin(static=False)
        self.start(Milena)
        for line in ("topics", "records", "late by-milena", "delete empty", "groups",
                     "config TOPIC codecs retention.ms 700000000", "verify milena"):
            self.ask(line)
        self.hand_over(False)
        self.take_over(Kafka, False)
        self.ask("cluster")
        for line in ("records", "kafka-only", "trim", "groups", "verify kafka"):
            self.ask(line)
        self.hand_over(False)
        self.take_over(Milena, False)
        self.ask("records")
        self.hand_over(False)
        self.start(Milena)


if __name__ == "__main__":
    if not LIBS or not os.access(BINARY, os.X_OK):
        print("MILENA_KAFKA_LIBS (Kafka's jars) and MILENA_BIN (the server) must be set", file=sys.stderr)
        sys.exit(2)
    unittest.main(verbosity=2)
