"""Drives kafka-python as the scenarios ask: kafka_python.py BOOTSTRAP."""

import re
import sys
import threading
import time
import uuid

import kafka.errors
from kafka import ConsumerRebalanceListener, KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from kafka.structs import OffsetAndMetadata

import protocol

ASSIGNORS = {"range": RangePartitionAssignor, "roundrobin": RoundRobinPartitionAssignor,
             "sticky": StickyPartitionAssignor, "cooperative": CooperativeStickyAssignor}


def shape(found):
    return protocol.record(found.partition, found.offset, found.key, found.value, found.headers, found.timestamp)


def failed(error):
    """Raises what a result holds instead of success: an error's class, instance, name, or text "[Error N] ..."."""
    if error in (None, kafka.errors.NoError, "OK", "NoError") or getattr(error, "errno", None) == 0:
        return
    if isinstance(error, str):
        if hasattr(kafka.errors, error):
            raise getattr(kafka.errors, error)()
        number = re.match(r"\[Error (\d+)\]", error)
        raise protocol.Failure(int(number[1]) if number else None, error)
    raise error if isinstance(error, Exception) else error()


class Member(protocol.ThreadMember, ConsumerRebalanceListener):
    def __init__(self, consumer, topics):
        super().__init__()
        self.consumer = consumer
        consumer.subscribe(topics, listener=self)
        self.thread.start()

    def on_partitions_assigned(self, partitions):
        self.assigned((p.topic, p.partition) for p in partitions)

    def on_partitions_revoked(self, partitions):
        self.lost((p.topic, p.partition) for p in partitions)

    def read(self):
        return [shape(r) for records in self.consumer.poll(timeout_ms=100).values() for r in records]

    def commit(self):
        self.consumer.commit()

    def close(self):
        self.consumer.close(autocommit=False)


class Verbs:
    def __init__(self, bootstrap):
        self.common = {"bootstrap_servers": bootstrap, "reconnect_backoff_max_ms": 200, "metadata_max_age_ms": 2000}
        self.admin = KafkaAdminClient(**self.common)
        self.readers, self.members, self.streams = {}, {}, {}

    def producer(self, codec="none", acks=-1, idempotent=False):
        return KafkaProducer(**self.common, acks="all" if acks == -1 else acks, enable_idempotence=idempotent,
                             compression_type=None if codec == "none" else codec, linger_ms=5,
                             max_request_size=protocol.MAX_BYTES)

    def consumer(self, **more):
        return KafkaConsumer(**self.common, enable_auto_commit=False, auto_offset_reset="earliest", fetch_max_wait_ms=100,
                             fetch_max_bytes=4 * protocol.MAX_BYTES, max_partition_fetch_bytes=protocol.MAX_BYTES, **more)

    def produce(self, r):
        producer = self.producer(r.get("codec", "none"), r.get("acks", -1), r.get("idempotent", False))
        try:
            sent = [producer.send(r["topic"], value=protocol.decode(one["v"]), key=protocol.decode(one["k"]),
                                  headers=protocol.headers_of(one), partition=one["p"], timestamp_ms=one["t"])
                    for one in r["records"]]
            return {"offsets": [future.get(30).offset for future in sent]}
        finally:
            producer.close()

    def seek(self, consumer, partition, to):
        if to == -2:
            consumer.seek_to_beginning(partition)
        elif to == -1:
            consumer.seek_to_end(partition)
        else:
            consumer.seek(partition, to)
        consumer.position(partition)

    def take(self, consumer, count, wait_ms):
        found, deadline = [], time.monotonic() + wait_ms / 1000
        while len(found) < count and time.monotonic() < deadline:
            for records in consumer.poll(timeout_ms=100, max_records=count - len(found)).values():
                found += [shape(record) for record in records]
        return {"records": found}

    def consume(self, r):
        consumer = self.consumer()
        try:
            places = {TopicPartition(r["topic"], int(p)): to for p, to in r["from"].items()}
            consumer.assign(list(places))
            for partition, to in places.items():
                self.seek(consumer, partition, to)
            return self.take(consumer, r["count"], r["wait_ms"])
        finally:
            consumer.close()

    def reader_open(self, r):
        partition = TopicPartition(r["topic"], r["partition"])
        self.readers[r["name"]] = consumer, partition = self.consumer(), partition
        consumer.assign([partition])

    def reader_seek(self, r):
        self.seek(*self.readers[r["name"]], r["to"])

    def reader_take(self, r):
        return self.take(self.readers[r["name"]][0], r["count"], r["wait_ms"])

    def reader_close(self, r):
        self.readers.pop(r["name"])[0].close()

    def offsets(self, r):
        partitions = [TopicPartition(r["topic"], p) for p in range(r["partitions"])]
        consumer = self.consumer()
        try:
            if r["at"] < 0:
                found = (consumer.beginning_offsets if r["at"] == -2 else consumer.end_offsets)(partitions)
            else:
                times = consumer.offsets_for_times({p: r["at"] for p in partitions})
                found = {p: place.offset if place else -1 for p, place in times.items()}
        finally:
            consumer.close()
        return {"offsets": {str(p.partition): offset for p, offset in found.items()}}

    def join(self, r):
        more = {"group_instance_id": r["instance"]} if r.get("instance") else {}
        consumer = self.consumer(group_id=r["group"], session_timeout_ms=r["session_ms"], heartbeat_interval_ms=200,
                                 partition_assignment_strategy=[ASSIGNORS[r["strategy"]]],
                                 client_id=f"member-{uuid.uuid4()}", **more)
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
                future = producer.send(r["topic"], value=str(number).encode(), partition=number % r["partitions"])
                future.add_callback(lambda _: stream.done())
                future.add_errback(stream.done)
            producer.close()
        threading.Thread(target=run, daemon=True).start()

    def stream_status(self, r):
        return self.streams[r["name"]].answer()

    def create_topic(self, r):
        self.admin.create_topics({r["topic"]: {"num_partitions": r["partitions"], "replication_factor": 1,
                                               "configs": r["config"]}})

    def delete_topic(self, r):
        self.admin.delete_topics([r["topic"]])

    def list_topics(self, _):
        return {"topics": self.admin.list_topics()}

    def describe_topic(self, r):
        found = self.admin.describe_topics([r["topic"]])[0]
        if found["error_code"]:
            raise protocol.Failure(found["error_code"])
        return {"partitions": [{"id": p["partition_index"], "leader": p["leader_id"], "replicas": p["replica_nodes"],
                                "isr": p["isr_nodes"]} for p in found["partitions"]]}

    def create_partitions(self, r):
        self.admin.create_partitions({r["topic"]: r["count"]})

    def config(self, kind, name):
        found = self.admin.describe_configs([ConfigResource(kind, name)], config_filter="all")[kind.name.lower()][name]
        return {"config": {key: entry["value"] for key, entry in found.items()}}

    def topic_config(self, r):
        return self.config(ConfigResourceType.TOPIC, r["topic"])

    def broker_config(self, r):
        return self.config(ConfigResourceType.BROKER, str(r["broker"]))

    def set_topic_config(self, r):
        if r["value"] is None:
            found = self.admin.reset_configs([ConfigResource(ConfigResourceType.TOPIC, r["topic"], [r["name"]])])
        else:
            change = ConfigResource(ConfigResourceType.TOPIC, r["topic"], {r["name"]: r["value"]})
            found = self.admin.alter_configs([change])
        failed(found["topic"][r["topic"]])

    def describe_cluster(self, _):
        found = self.admin.describe_cluster()
        return {"controller": found["controller_id"], "brokers": [b["broker_id"] for b in found["brokers"]]}

    def delete_records(self, r):
        self.admin.delete_records({TopicPartition(r["topic"], r["partition"]): r["before"]})

    def list_groups(self, _):
        return {"groups": [found["group_id"] for found in self.admin.list_groups()]}

    def describe_group(self, r):
        found = self.admin.describe_groups([r["group"]])[r["group"]]
        failed(found["error"])
        return {"state": found["group_state"], "members": [
            {"client": m["client_id"], "instance": m["group_instance_id"],
             "assignment": {a["topic"]: a["partitions"] for a in m["member_assignment"]["assigned_partitions"]}}
            for m in found["members"]]}

    def delete_group(self, r):
        failed(self.admin.delete_groups([r["group"]])[r["group"]])

    def group_offsets(self, r):
        found = self.admin.list_group_offsets({r["group"]: None})[r["group"]]
        return {"offsets": {str(p.partition): place.offset for p, place in found.items() if p.topic == r["topic"]}}

    def set_group_offsets(self, r):
        places = {TopicPartition(r["topic"], int(p)): OffsetAndMetadata(o, "", -1) for p, o in r["offsets"].items()}
        for error in self.admin.alter_group_offsets(r["group"], places).values():
            failed(error)

    def delete_group_offsets(self, r):
        partition = TopicPartition(r["topic"], r["partition"])
        for error in self.admin.delete_group_offsets(r["group"], [partition]).values():
            failed(error)


protocol.serve(Verbs(sys.argv[1]), lambda error: getattr(error, "errno", None))
