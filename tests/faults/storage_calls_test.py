"""SIGKILL at 50 storage calls of one scripted run, spread over all kinds: the node starts again, and what it had
answered is so. The call that is hit is not made (strace's inject=...:signal=KILL:when=N)."""
import itertools
import random
import re
import signal
import subprocess
import time

import kernel  # first: it finds the harness
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType

from ledger import Ledger
from traced import Traced

CALLS = ("pwritev", "pwrite64", "fsync", "fdatasync", "ftruncate", "rename", "unlink", "mkdir", "rmdir")
POINTS = 50
WAIT_S = 20
LOADING = (KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_NOT_AVAILABLE)


class Run:
    """The scripted run: what was answered so far, so that it can be asked for again."""

    def __init__(self, server):
        self.server = server
        self.answered = set()
        self.ledger = None
        self.admin = AdminClient({"bootstrap.servers": server.bootstrap, "socket.timeout.ms": 2000})

    def step(self, name, futures):
        self.wait(lambda: all(future.done() for future in futures.values()))
        for future in futures.values():
            future.result()
        self.answered.add(name)

    def play(self):
        """Raises where the node is gone."""
        self.ledger = Ledger(self.server.bootstrap, "kept", partitions=2, size=2000, config={"segment.bytes": "1048576"})
        self.ledger.write(600)
        self.wait(lambda: self.ledger.count() == 600)
        new = [NewTopic("gone", 2, 1), NewTopic("changed", 1, 1)]
        self.step("created", self.admin.create_topics(new))
        entry = ConfigEntry("retention.ms", "1234567", incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, "changed", incremental_configs=[entry])
        self.step("altered", self.admin.incremental_alter_configs([resource]))
        commit = ConsumerGroupTopicPartitions("killed", [TopicPartition("kept", 0, 123)])
        error = self.commit(commit)
        while error is not None and error.code() in LOADING:
            error = self.commit(commit)
        if error is not None:
            raise AssertionError(f"commit: {error}")
        self.answered.add("committed")
        self.step("deleted", self.admin.delete_topics(["gone"]))
        self.ledger.write(600)
        self.wait(lambda: self.ledger.count() == 1200)
        self.server.stop()

    def commit(self, offsets):
        futures = self.admin.alter_consumer_group_offsets([offsets])
        self.step("tried to commit", futures)
        return futures["killed"].result().topic_partitions[0].error

    def wait(self, done):
        while not done():
            self.ledger.producer.poll(0.01)
            if self.server.process.poll() is not None:
                raise RuntimeError("the node is gone")

    def verify(self, test):
        """On a node that runs again."""
        if self.ledger is not None:
            self.ledger.settle()
            found = self.ledger.anomalies()
            test.assertFalse(any(found.values()), found)
        admin = AdminClient({"bootstrap.servers": self.server.bootstrap})
        topics = admin.list_topics(timeout=WAIT_S).topics
        if "created" in self.answered:
            test.assertIn("changed", topics)
        if "deleted" in self.answered:
            test.assertNotIn("gone", topics)
        if "altered" in self.answered:
            resource = ConfigResource(ResourceType.TOPIC, "changed")
            values = admin.describe_configs([resource])[resource].result(WAIT_S)
            test.assertEqual(values["retention.ms"].value, "1234567")
        if "committed" in self.answered:
            asked = ConsumerGroupTopicPartitions("killed", [TopicPartition("kept", 0)])
            found = admin.list_consumer_group_offsets([asked])["killed"].result(WAIT_S)
            test.assertEqual(found.topic_partitions[0].offset, 123)


class StorageCalls(kernel.FaultTestCase):
    def start_traced(self, folder, *rules):
        server = Traced(folder, {"offsets.topic.num.partitions": "2"})
        server.rules = rules
        self.servers.append(server)
        return server

    def counts(self):
        """How often each kind of call is made in a whole run, by the thread that makes it most often (as strace counts)."""
        server = self.start_traced(self.folder / "whole", "trace=" + ",".join(CALLS))
        server.start()
        Run(server).play()
        self.finish(server)
        by_thread = {}
        for line in server.trace_path.read_text(errors="replace").splitlines():
            call = re.match(r"(\d+) +(\w+)\(", line)
            if call:
                by_thread[call.groups()] = by_thread.get(call.groups(), 0) + 1
        most = {}
        for (_, call), times in by_thread.items():
            most[call] = max(most.get(call, 0), times)
        return most

    def test_killed_at_fifty_calls(self):
        kernel.need_strace()
        counts = self.counts()
        print("storage calls of the run, of the busiest thread:", counts, flush=True)
        self.assertIn("fdatasync", counts)
        points = self.spread(counts)
        fired = 0
        for call, n in points:
            if fired == POINTS:
                break
            begun = time.monotonic()
            with self.subTest(call=call, number=n):
                fired += self.kill_at(call, n)
            print(f"{call} {n}: {time.monotonic() - begun:.1f} s", flush=True)
        print(f"killed at {fired} calls", flush=True)
        self.assertGreaterEqual(fired, POINTS)

    @staticmethod
    def spread(counts):
        """(call, n) pairs: each kind's early, middle and late calls, all kinds in turn. Calls of the pool's threads fall
        differently each time, so the last few of a kind are left out, and there are more pairs than are needed."""
        by_call = []
        for call, times in counts.items():
            last = max(1, round(times * 0.7))
            step = max(1, last // (2 * POINTS // len(counts)))
            numbers = list(range(1, last + 1, step))
            random.Random(1).shuffle(numbers)
            by_call.append([(call, n) for n in numbers])
        return [pair for turn in itertools.zip_longest(*by_call) for pair in turn if pair is not None]

    def kill_at(self, call, n):
        """Whether the run was killed there. Too late a call in a thread of its own may not come this time."""
        folder = self.folder / f"{call}-{n}"
        server = self.start_traced(folder, f"trace={call}", f"inject={call}:signal=KILL:when={n}")
        run = Run(server)
        killed = False
        try:
            server.start()
            run.play()
        except (RuntimeError, KafkaException, AssertionError) as error:
            ended = server.process.wait(10) if server.process is not None else None
            killed = ended == -signal.SIGKILL or f"status {-signal.SIGKILL}" in str(error)
            if not killed:
                raise
        server.close()
        server.rules = ("trace=none",)
        server.state = None
        server.start()
        run.verify(self)
        self.finish(server)
        subprocess.run(["rm", "-rf", str(folder)], check=True)
        return killed


if __name__ == "__main__":
    kernel.main()
