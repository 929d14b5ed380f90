"""The node ends in the middle of things: politely (SIGTERM) and with kill -9. Nothing is lost, nothing comes twice."""

import harness
from driver import Record
from scenario import PARTITIONS, Scenarios

COUNT = 2000


class RestartScenarios(Scenarios):
    group = "restart"

    def stream(self, kill, codec):
        """An idempotent producer at work while the node restarts twice."""
        topic = self.topic()
        self.client.stream(name=topic, topic=topic, partitions=PARTITIONS, count=COUNT, codec=codec)

        def status():
            found = self.client.stream_status(name=topic)
            self.assertEqual(found["failed"], [])
            return found
        for share in (1, 2):
            harness.wait_until(lambda: status()["acked"] >= COUNT * share // 4, 60, "acknowledgements")
            self.server.restart(kill=kill)
        harness.wait_until(lambda: status()["acked"] == COUNT, 90, "all acknowledgements")
        found = self.consume(topic, COUNT)
        for partition in range(PARTITIONS):
            self.assertEqual([r.value for r in found if r.partition == partition],
                             [str(i).encode() for i in range(partition, COUNT, PARTITIONS)], f"partition {partition}")
        # A client may ask with the leader epoch of before the restart once, and be told that it is old.
        self.eventually(lambda: self.client.offsets(topic=topic, partitions=PARTITIONS, at=-1)["offsets"],
                        {str(p): COUNT // PARTITIONS for p in range(PARTITIONS)})

    def test_idempotent_sigterm(self):
        self.stream(kill=False, codec="none")

    def test_idempotent_kill(self):
        self.stream(kill=True, codec="gzip")

    def group_through(self, kill):
        """A member reads on, from where it was, after the node came back; so does one that joins later."""
        topic, group = self.topic(), f"{self.scenario()}-{self.client_name}"

        def write(first):
            self.produce(topic, [Record(i % PARTITIONS, None, str(i).encode()) for i in range(first, first + 40)])
        values = set()

        def seen(name):
            values.update(Record.from_json(r).value for r in self.client.member(name=name)["records"])
            return len(values)
        write(0)
        self.client.join(name="m", group=group, topics=[topic], strategy="range", session_ms=20_000)
        self.eventually(lambda: seen("m"), 40)
        self.server.restart(kill=kill)
        write(40)
        self.eventually(lambda: seen("m"), 80)
        self.client.leave(name="m")
        self.server.restart(kill=kill)
        write(80)
        self.client.join(name="n", group=group, topics=[topic], strategy="range", session_ms=20_000)
        self.eventually(lambda: seen("n"), 120)
        self.assertEqual(self.client.member(name="n")["total"], 40, "the committed offsets were kept")
        self.client.leave(name="n")

    def test_group_sigterm(self):
        self.group_through(kill=False)

    def test_group_kill(self):
        self.group_through(kill=True)

    def test_topics_and_groups_stay(self):
        topic = self.topic(retention_ms=7_200_000)
        self.produce(topic, self.sample(40))
        for kill in (False, True):
            self.server.restart(kill=kill)
            self.eventually(lambda: self.client.topic_config(topic=topic)["config"]["retention.ms"], "7200000")
            self.assertSame(self.consume(topic, 40), self.sample(40))
