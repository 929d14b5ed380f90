"""Consumer groups: commits, members that join and leave, assignors, static members, cooperative rebalances."""

import time

from driver import Record
from scenario import PARTITIONS, Scenarios


class GroupScenarios(Scenarios):
    group = "groups"

    def setUp(self):
        super().setUp()
        self.group_id = f"{self.scenario()}-{self.client_name}"
        self.taken = []  # every record that a member handed over
        self.members = []

    def tearDown(self):
        for name in list(self.members):
            self.leave(name)

    def join(self, name, topic, strategy="range", **more):
        self.members.append(name)
        self.client.join(name=name, group=self.group_id, topics=[topic], strategy=strategy, session_ms=20_000, **more)

    def leave(self, name):
        self.members.remove(name)
        self.taken += [Record.from_json(r) for r in self.client.leave(name=name)["records"]]

    def look(self, name):
        """The member's state; keeps what it has read since."""
        state = self.client.member(name=name)
        self.taken += [Record.from_json(r) for r in state["records"]]
        return state

    def sizes(self, topic):
        """How many partitions each member has, the fewest first; None while one is unassigned or given twice."""
        owned = [self.look(name)["assignment"].get(topic, []) for name in self.members]
        everything = sorted(partition for partitions in owned for partition in partitions)
        return sorted(map(len, owned)) if everything == list(range(PARTITIONS)) else None

    def values(self):
        for name in self.members:
            self.look(name)
        return {r.value for r in self.taken}

    def numbered(self, first, count):
        return [Record(i % PARTITIONS, None, str(i).encode()) for i in range(first, first + count)]

    def test_commit_and_resume(self):
        topic = self.topic()
        self.produce(topic, self.numbered(0, 40))
        self.join("one", topic)
        self.eventually(lambda: len(self.values()), 40)
        self.leave("one")
        self.produce(topic, self.numbered(40, 20))
        self.join("two", topic)
        self.eventually(lambda: len(self.values()), 60)
        self.assertEqual(len(self.taken), 60, "no record comes twice")

    def rebalance(self, strategy):
        """Three members come and go while records are written: each is read, and all partitions have one owner."""
        topic = self.topic()
        written = 0

        def write(count):
            nonlocal written
            self.produce(topic, self.numbered(written, count))
            written += count
        self.join("a", topic, strategy)
        self.eventually(lambda: self.sizes(topic), [4])
        write(40)
        self.join("b", topic, strategy)
        self.eventually(lambda: self.sizes(topic), [2, 2])
        write(40)
        self.join("c", topic, strategy)
        self.eventually(lambda: self.sizes(topic), [1, 1, 2])
        write(40)
        self.eventually(lambda: len(self.values()), written)
        self.leave("a")
        self.eventually(lambda: self.sizes(topic), [2, 2])
        write(40)
        self.leave("c")
        self.eventually(lambda: self.sizes(topic), [4])
        write(40)
        self.eventually(lambda: self.values(), {str(i).encode() for i in range(written)})

    def test_rebalance_range(self):
        self.rebalance("range")

    def test_rebalance_roundrobin(self):
        self.rebalance("roundrobin")

    def test_rebalance_sticky(self):
        self.rebalance("sticky")

    def test_rebalance_cooperative(self):
        self.rebalance("cooperative")

    def test_cooperative_keeps_partitions(self):
        """A member that joins takes some; what the other keeps is never revoked."""
        topic = self.topic()
        self.join("a", topic, "cooperative")
        self.eventually(lambda: self.sizes(topic), [4])
        self.join("b", topic, "cooperative")
        self.eventually(lambda: self.sizes(topic), [2, 2])
        self.assertEqual(self.look("a")["revoked"], 2)

    def test_static_members(self):
        """A static member that comes back within its session gets its partitions, and the other notices nothing."""
        topic = self.topic()
        self.join("a", topic, instance="static-a")
        self.eventually(lambda: self.sizes(topic), [4])
        self.join("b", topic, instance="static-b")
        self.eventually(lambda: self.sizes(topic), [2, 2])
        before = {name: sorted(self.look(name)["assignment"][topic]) for name in "ab"}
        rebalances = self.look("a")["rebalances"]
        instances = {m["instance"] for m in self.client.describe_group(group=self.group_id)["members"]}
        if instances != {None}:  # where the client's description has them
            self.assertEqual(instances, {"static-a", "static-b"})
        self.leave("b")
        time.sleep(1)
        self.join("b", topic, instance="static-b")
        self.eventually(lambda: sorted(self.look("b")["assignment"].get(topic, [])), before["b"])
        self.assertEqual(sorted(self.look("a")["assignment"][topic]), before["a"])
        self.assertEqual(self.look("a")["rebalances"], rebalances, "the other member was not disturbed")
        self.produce(topic, self.numbered(0, 40))
        self.eventually(lambda: len(self.values()), 40)

    def test_new_partitions(self):
        """Members learn of partitions that are added."""
        topic = self.topic(partitions=2)
        self.join("a", topic)
        self.eventually(lambda: self.look("a")["assignment"].get(topic, []), [0, 1])
        self.client.create_partitions(topic=topic, count=PARTITIONS)
        self.eventually(lambda: self.sizes(topic), [4])
        self.produce(topic, self.numbered(0, 20))
        self.eventually(lambda: len(self.values()), 20)
