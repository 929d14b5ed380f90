"""What an administrator does: topics, partitions, configurations, records to delete, groups and their offsets."""

from driver import Record
from scenario import PARTITIONS, Scenarios

UNKNOWN_TOPIC, TOPIC_EXISTS, INVALID_PARTITIONS, INVALID_REPLICATION, INVALID_CONFIG = 3, 36, 37, 38, 40
OFFSET_OUT_OF_RANGE, INVALID_TOPIC, NON_EMPTY_GROUP, GROUP_NOT_FOUND = 1, 17, 68, 69


class AdminScenarios(Scenarios):
    group = "admin"

    def test_cluster(self):
        found = self.client.describe_cluster()
        self.assertEqual((found["controller"], found["brokers"]), (1, [1]))

    def test_topics(self):
        topic = self.topic(partitions=3)
        found = self.client.describe_topic(topic=topic)["partitions"]
        self.assertEqual(sorted(found, key=lambda p: p["id"]),
                         [{"id": p, "leader": 1, "replicas": [1], "isr": [1]} for p in range(3)])
        self.assertIn(topic, self.client.list_topics()["topics"])
        self.assertCode(TOPIC_EXISTS, self.client.create_topic, topic=topic, partitions=3, config={})
        self.assertCode(INVALID_TOPIC, self.client.create_topic, topic="no/name", partitions=1, config={})
        self.client.delete_topic(topic=topic)
        self.eventually(lambda: topic in self.client.list_topics()["topics"], False)
        self.assertCode(UNKNOWN_TOPIC, self.client.delete_topic, topic=topic)

    def test_topic_again(self):
        """A deleted topic that is created again is empty."""
        topic = self.topic(partitions=1)
        self.produce(topic, [Record(0, None, b"old")] * 5)
        self.client.delete_topic(topic=topic)
        self.eventually(lambda: topic in self.client.list_topics()["topics"], False)
        self.client.create_topic(topic=topic, partitions=1, config={})
        self.eventually(lambda: self.client.offsets(topic=topic, partitions=1, at=-1)["offsets"], {"0": 0})
        self.produce(topic, [Record(0, None, b"new")])
        self.assertEqual([(r.offset, r.value) for r in self.consume(topic, 1, partitions=1)], [(0, b"new")])

    def test_partitions(self):
        topic = self.topic(partitions=2)
        self.client.create_partitions(topic=topic, count=5)
        self.eventually(lambda: len(self.client.describe_topic(topic=topic)["partitions"]), 5)
        self.produce(topic, [Record(4, b"k", b"v")])
        self.assertEqual([r.value for r in self.consume(topic, 1, partitions=5)], [b"v"])
        self.assertCode(INVALID_PARTITIONS, self.client.create_partitions, topic=topic, count=5)

    def test_configs(self):
        topic = self.topic(retention_ms=3_600_000)

        def value(name):
            return self.client.topic_config(topic=topic)["config"][name]
        self.eventually(lambda: value("retention.ms"), "3600000")
        self.assertEqual(value("cleanup.policy"), "delete")
        self.client.set_topic_config(topic=topic, name="max.message.bytes", value="2000")
        self.eventually(lambda: value("max.message.bytes"), "2000")
        self.assertCode(10, self.produce, topic, [Record(0, None, bytes(3000))])
        self.assertCode(INVALID_CONFIG, self.client.set_topic_config, topic=topic, name="retention.ms", value="soon")
        self.assertCode(INVALID_CONFIG, self.client.create_topic, topic="bad-config", partitions=1,
                        config={"cleanup.policy": "shred"})

    def test_delete_config(self):
        topic = self.topic(retention_ms=3_600_000)
        self.client.set_topic_config(topic=topic, name="retention.ms", value=None)
        self.eventually(lambda: self.client.topic_config(topic=topic)["config"]["retention.ms"], "604800000")

    def test_broker_configs(self):
        found = self.client.broker_config(broker=1)["config"]
        self.assertEqual((found["num.network.threads"], found["node.id"]), ("2", "1"))

    def test_delete_records(self):
        topic = self.topic()
        self.produce(topic, self.sample(80))
        self.client.delete_records(topic=topic, partition=1, before=12)
        self.assertEqual(self.client.offsets(topic=topic, partitions=PARTITIONS, at=-2)["offsets"],
                         {"0": 0, "1": 12, "2": 0, "3": 0})
        found = self.consume(topic, 68)
        self.assertEqual([r.offset for r in found if r.partition == 1], list(range(12, 20)))
        self.assertCode(OFFSET_OUT_OF_RANGE, self.client.delete_records, topic=topic, partition=1, before=21)

    def commit(self, group, topic):
        """A member that reads all 40 records, commits and leaves."""
        self.client.join(name=group, group=group, topics=[topic], strategy="range", session_ms=20_000)
        self.eventually(lambda: self.client.member(name=group)["total"], 40)
        self.client.leave(name=group)

    def test_groups(self):
        topic, group = self.topic(), f"admin-{self.client_name}"
        self.produce(topic, self.sample(40))
        self.client.join(name="m", group=group, topics=[topic], strategy="range", session_ms=20_000)
        self.eventually(lambda: self.client.member(name="m")["total"], 40)
        self.assertIn(group, self.client.list_groups()["groups"])
        found = self.client.describe_group(group=group)
        self.assertEqual((found["state"].lower(), len(found["members"])), ("stable", 1))
        assigned = found["members"][0]["assignment"]
        self.assertEqual({key: sorted(value) for key, value in assigned.items()}, {topic: [0, 1, 2, 3]})
        self.client.leave(name="m")
        self.eventually(lambda: self.client.describe_group(group=group)["state"].lower(), "empty")

    def test_delete_groups(self):
        topic, group = self.topic(), f"deleted-{self.client_name}"
        self.produce(topic, self.sample(40))
        self.client.join(name="m", group=group, topics=[topic], strategy="range", session_ms=20_000)
        self.eventually(lambda: self.client.member(name="m")["total"], 40)
        self.assertCode(NON_EMPTY_GROUP, self.client.delete_group, group=group)
        self.client.leave(name="m")
        self.client.delete_group(group=group)
        self.assertNotIn(group, self.client.list_groups()["groups"])
        self.assertCode(GROUP_NOT_FOUND, self.client.delete_group, group=group)

    def test_group_offsets(self):
        topic, group = self.topic(), f"offsets-{self.client_name}"
        self.produce(topic, self.sample(40))
        self.commit(group, topic)
        self.assertEqual(self.client.group_offsets(group=group, topic=topic, partitions=PARTITIONS)["offsets"],
                         {str(p): 10 for p in range(PARTITIONS)})

    def test_set_group_offsets(self):
        topic, group = self.topic(), f"reset-{self.client_name}"
        self.produce(topic, self.sample(40))
        self.commit(group, topic)
        self.client.set_group_offsets(group=group, topic=topic, offsets={"0": 3, "2": 9})
        self.assertEqual(self.client.group_offsets(group=group, topic=topic, partitions=PARTITIONS)["offsets"],
                         {"0": 3, "1": 10, "2": 9, "3": 10})
        self.client.join(name="m", group=group, topics=[topic], strategy="range", session_ms=20_000)
        self.eventually(lambda: self.client.member(name="m")["total"], 8)
        self.client.leave(name="m")

    def test_delete_group_offsets(self):
        topic, group = self.topic(), f"forget-{self.client_name}"
        self.produce(topic, self.sample(40))
        self.commit(group, topic)
        self.client.delete_group_offsets(group=group, topic=topic, partition=2)
        found = self.client.group_offsets(group=group, topic=topic, partitions=PARTITIONS)["offsets"]
        self.assertEqual({p: o for p, o in found.items() if o >= 0}, {"0": 10, "1": 10, "3": 10})
