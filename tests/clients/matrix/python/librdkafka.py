"""Drives librdkafka, through confluent-kafka, as the scenarios ask: librdkafka.py BOOTSTRAP."""

import sys
import threading
import time
import uuid

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, Producer, TopicPartition
from confluent_kafka import TopicCollection
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic,
                                   OffsetSpec, ResourceType)

import protocol

STRATEGIES = {"cooperative": "cooperative-sticky"}
WAIT_S = 30


def shape(found):
    return protocol.record(found.partition(), found.offset(), found.key(), found.value(), found.headers(),
                           found.timestamp()[1])


def result(futures):
    """The one value of a dict of futures, or what it failed with."""
    return next(iter(futures.values())).result(WAIT_S)


class Member(protocol.ThreadMember):
    def __init__(self, consumer, topics):
        super().__init__()
        self.consumer = consumer
        consumer.subscribe(topics, on_assign=self.on_assign, on_revoke=self.on_revoke, on_lost=self.on_revoke)
        self.thread.start()

    def on_assign(self, _, partitions):
        self.assigned((p.topic, p.partition) for p in partitions)

    def on_revoke(self, _, partitions):
        self.lost((p.topic, p.partition) for p in partitions)

    def read(self):
        return [shape(message) for message in self.consumer.consume(500, timeout=0.1) if message.error() is None]

    def commit(self):
        self.consumer.commit(asynchronous=False)

    def close(self):
        self.consumer.close()


class Verbs:
    def __init__(self, bootstrap):
        self.common = {"bootstrap.servers": bootstrap, "reconnect.backoff.max.ms": 200,
                       "topic.metadata.refresh.interval.ms": 2000}
        self.admin = AdminClient(self.common)
        self.readers, self.members, self.streams = {}, {}, {}

    def producer(self, codec="none", acks=-1, idempotent=False):
        return Producer({**self.common, "acks": acks, "enable.idempotence": idempotent, "compression.type": codec,
                         "linger.ms": 5, "message.max.bytes": protocol.MAX_BYTES})

    def consumer(self, **more):
        return Consumer({**self.common, "group.id": f"reader-{uuid.uuid4()}", "enable.auto.commit": False,
                         "auto.offset.reset": "earliest", "fetch.wait.max.ms": 100,
                         "fetch.message.max.bytes": protocol.MAX_BYTES, "fetch.max.bytes": 4 * protocol.MAX_BYTES,
                         "receive.message.max.bytes": 8 * protocol.MAX_BYTES,
                         **{key.replace("_", "."): value for key, value in more.items()}})

    def produce(self, r):
        producer, errors, offsets = self.producer(r.get("codec", "none"), r.get("acks", -1), r.get("idempotent", False)), [], {}

        def delivered(number):
            def done(error, message):
                offsets[number] = message.offset()
                if error is not None:
                    errors.append(error)
            return done
        for number, one in enumerate(r["records"]):
            producer.produce(r["topic"], protocol.decode(one["v"]), protocol.decode(one["k"]), one["p"],
                             on_delivery=delivered(number), headers=protocol.headers_of(one),
                             **({} if one["t"] is None else {"timestamp": one["t"]}))
        if producer.flush(WAIT_S):
            raise TimeoutError("records without an answer")
        if errors:
            raise KafkaException(errors[0])
        return {"offsets": [offsets[number] for number in range(len(offsets))]}

    def take(self, consumer, count, wait_ms):
        found, deadline = [], time.monotonic() + wait_ms / 1000
        while len(found) < count and time.monotonic() < deadline:
            for message in consumer.consume(count - len(found), timeout=0.1):
                if message.error():
                    raise KafkaException(message.error())
                found.append(shape(message))
        return {"records": found}

    def consume(self, r):
        consumer = self.consumer()
        try:
            consumer.assign([TopicPartition(r["topic"], int(p), to) for p, to in r["from"].items()])
            return self.take(consumer, r["count"], r["wait_ms"])
        finally:
            consumer.close()

    def reader_open(self, r):
        self.readers[r["name"]] = consumer, where = self.consumer(), (r["topic"], r["partition"])
        consumer.assign([TopicPartition(*where, -2)])

    def reader_seek(self, r):
        """A seek fails until the partition is being fetched."""
        consumer, where = self.readers[r["name"]]
        deadline = time.monotonic() + WAIT_S
        while True:
            try:
                return consumer.seek(TopicPartition(*where, r["to"]))
            except KafkaException:
                if time.monotonic() > deadline:
                    raise
                consumer.consume(1, timeout=0.05)

    def reader_take(self, r):
        return self.take(self.readers[r["name"]][0], r["count"], r["wait_ms"])

    def reader_close(self, r):
        self.readers.pop(r["name"])[0].close()

    def offsets(self, r):
        spec = {-2: OffsetSpec.earliest, -1: OffsetSpec.latest}.get(r["at"], lambda: OffsetSpec.for_timestamp(r["at"]))
        found = self.admin.list_offsets({TopicPartition(r["topic"], p): spec() for p in range(r["partitions"])})
        return {"offsets": {str(p.partition): future.result(WAIT_S).offset for p, future in found.items()}}

    def join(self, r):
        strategy = STRATEGIES.get(r["strategy"], r["strategy"])
        more = {"group_instance_id": r["instance"]} if r.get("instance") else {}
        consumer = self.consumer(group_id=r["group"], session_timeout_ms=r["session_ms"], heartbeat_interval_ms=200,
                                 partition_assignment_strategy=strategy, **more)
        self.members[r["name"]] = Member(consumer, r["topics"])

    def member(self, r):
        return self.members[r["name"]].answer()

    def leave(self, r):
        return self.members.pop(r["name"]).leave()

    def stream(self, r):
        self.streams[r["name"]] = stream = protocol.Stream()
        producer = self.producer(r["codec"], idempotent=True)

        def run():
            for number in range(r["count"]):
                time.sleep(protocol.pause_before(number))
                producer.produce(r["topic"], str(number).encode(), partition=number % r["partitions"],
                                 on_delivery=lambda error, _: stream.done(error))
                producer.poll(0)
            producer.flush()
        threading.Thread(target=run, daemon=True).start()

    def stream_status(self, r):
        return self.streams[r["name"]].answer()

    def create_topic(self, r):
        result(self.admin.create_topics([NewTopic(r["topic"], r["partitions"], 1, config=r["config"])]))

    def delete_topic(self, r):
        result(self.admin.delete_topics([r["topic"]]))

    def list_topics(self, _):
        return {"topics": list(self.admin.list_topics(timeout=WAIT_S).topics)}

    def describe_topic(self, r):
        found = result(self.admin.describe_topics(TopicCollection([r["topic"]])))
        return {"partitions": [{"id": p.id, "leader": p.leader.id, "replicas": [n.id for n in p.replicas],
                                "isr": [n.id for n in p.isr]} for p in found.partitions]}

    def create_partitions(self, r):
        result(self.admin.create_partitions([NewPartitions(r["topic"], r["count"])]))

    def config(self, kind, name):
        found = result(self.admin.describe_configs([ConfigResource(kind, name)]))
        return {"config": {key: entry.value for key, entry in found.items()}}

    def topic_config(self, r):
        return self.config(ResourceType.TOPIC, r["topic"])

    def broker_config(self, r):
        return self.config(ResourceType.BROKER, str(r["broker"]))

    def set_topic_config(self, r):
        operation = AlterConfigOpType.DELETE if r["value"] is None else AlterConfigOpType.SET
        entry = ConfigEntry(r["name"], r["value"], incremental_operation=operation)
        change = ConfigResource(ResourceType.TOPIC, r["topic"], incremental_configs=[entry])
        result(self.admin.incremental_alter_configs([change]))

    def describe_cluster(self, _):
        found = self.admin.describe_cluster().result(WAIT_S)
        return {"controller": found.controller.id, "brokers": [node.id for node in found.nodes]}

    def delete_records(self, r):
        result(self.admin.delete_records([TopicPartition(r["topic"], r["partition"], r["before"])]))

    def list_groups(self, _):
        found = self.admin.list_consumer_groups().result(WAIT_S)
        return {"groups": [group.group_id for group in found.valid]}

    def describe_group(self, r):
        found, members = result(self.admin.describe_consumer_groups([r["group"]])), []
        for member in found.members:
            assignment = {}
            for p in member.assignment.topic_partitions if member.assignment else ():
                assignment.setdefault(p.topic, []).append(p.partition)
            members.append({"client": member.client_id, "instance": member.group_instance_id, "assignment": assignment})
        return {"state": found.state.name, "members": members}

    def delete_group(self, r):
        result(self.admin.delete_consumer_groups([r["group"]]))

    def group_offsets(self, r):
        found = result(self.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(r["group"])]))
        return {"offsets": {str(p.partition): p.offset for p in found.topic_partitions if p.topic == r["topic"]}}

    def set_group_offsets(self, r):
        places = [TopicPartition(r["topic"], int(p), offset) for p, offset in r["offsets"].items()]
        result(self.admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(r["group"], places)]))


def code_of(error):
    code = error.args[0].code() if isinstance(error, KafkaException) else None
    return code if code is not None and code >= 0 else None


protocol.serve(Verbs(sys.argv[1]), code_of)
