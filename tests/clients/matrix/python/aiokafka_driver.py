"""Drives aiokafka as the scenarios ask: aiokafka_driver.py BOOTSTRAP. All of it runs on one loop in a thread."""

import asyncio
import sys
import threading
import time
import uuid

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import KafkaError

import protocol

ASSIGNORS = {"range": RangePartitionAssignor, "roundrobin": RoundRobinPartitionAssignor,
             "sticky": StickyPartitionAssignor}


def shape(found):
    return protocol.record(found.partition, found.offset, found.key, found.value, found.headers, found.timestamp)


def refuse(code, text=""):
    if code:
        raise protocol.Failure(code, text)


class Listener(ConsumerRebalanceListener):
    def __init__(self, member):
        self.member = member

    def on_partitions_assigned(self, assigned):
        self.member.assigned((p.topic, p.partition) for p in assigned)

    def on_partitions_revoked(self, revoked):
        self.member.lost((p.topic, p.partition) for p in revoked)


class Member(protocol.Member):
    async def run(self, consumer):
        self.consumer, self.leaving = consumer, False
        while not self.leaving:
            try:
                found = await consumer.getmany(timeout_ms=100)
                records = [shape(record) for records in found.values() for record in records]
                self.took(records)
                if records:
                    await consumer.commit()
            except KafkaError as error:  # a commit into a rebalance or a restart; the next one covers it
                print(f"member: {error!r}", file=sys.stderr, flush=True)
                await asyncio.sleep(0.1)
        try:
            await consumer.commit()
        except KafkaError as error:
            print(f"member's last commit: {error!r}", file=sys.stderr, flush=True)
        await consumer.stop()


class Verbs:
    """A verb is a coroutine here; `__getattribute__` runs it on the loop for protocol.serve."""

    def __init__(self, bootstrap):
        self.common = {"bootstrap_servers": bootstrap, "metadata_max_age_ms": 2000}
        self.readers, self.members, self.streams, self.tasks = {}, {}, {}, {}

    async def start(self):
        self.admin = AIOKafkaAdminClient(**self.common)
        await self.admin.start()

    async def producer(self, codec="none", acks=-1, idempotent=False):
        producer = AIOKafkaProducer(**self.common, acks="all" if acks == -1 else acks, enable_idempotence=idempotent,
                                    compression_type=None if codec == "none" else codec, linger_ms=5,
                                    max_request_size=protocol.MAX_BYTES)
        await producer.start()
        return producer

    async def consumer(self, *topics, **more):
        consumer = AIOKafkaConsumer(*topics, **self.common, enable_auto_commit=False, auto_offset_reset="earliest",
                                    fetch_max_wait_ms=100, fetch_max_bytes=4 * protocol.MAX_BYTES,
                                    max_partition_fetch_bytes=protocol.MAX_BYTES, **more)
        if topics:
            return consumer
        await consumer.start()
        return consumer

    async def produce(self, r):
        producer = await self.producer(r.get("codec", "none"), r.get("acks", -1), r.get("idempotent", False))
        try:
            sent = [await producer.send(r["topic"], protocol.decode(one["v"]), protocol.decode(one["k"]), one["p"],
                                        one["t"], protocol.headers_of(one)) for one in r["records"]]
            found = await asyncio.gather(*sent)
            return {"offsets": [place.offset if place else -1 for place in found]}
        finally:
            await producer.stop()

    async def seek(self, consumer, partition, to):
        if to == -2:
            await consumer.seek_to_beginning(partition)
        elif to == -1:
            await consumer.seek_to_end(partition)
        else:
            consumer.seek(partition, to)

    async def take(self, consumer, count, wait_ms):
        found, deadline = [], time.monotonic() + wait_ms / 1000
        while len(found) < count and time.monotonic() < deadline:
            for records in (await consumer.getmany(timeout_ms=100, max_records=count - len(found))).values():
                found += [shape(record) for record in records]
        return {"records": found}

    async def consume(self, r):
        consumer = await self.consumer()
        try:
            places = {TopicPartition(r["topic"], int(p)): to for p, to in r["from"].items()}
            consumer.assign(list(places))
            for partition, to in places.items():
                await self.seek(consumer, partition, to)
            return await self.take(consumer, r["count"], r["wait_ms"])
        finally:
            await consumer.stop()

    async def reader_open(self, r):
        partition = TopicPartition(r["topic"], r["partition"])
        consumer = await self.consumer()
        consumer.assign([partition])
        self.readers[r["name"]] = consumer, partition

    async def reader_seek(self, r):
        await self.seek(*self.readers[r["name"]], r["to"])

    async def reader_take(self, r):
        return await self.take(self.readers[r["name"]][0], r["count"], r["wait_ms"])

    async def reader_close(self, r):
        await self.readers.pop(r["name"])[0].stop()

    async def offsets(self, r):
        partitions = [TopicPartition(r["topic"], p) for p in range(r["partitions"])]
        consumer = await self.consumer()
        try:
            if r["at"] < 0:
                found = await (consumer.beginning_offsets if r["at"] == -2 else consumer.end_offsets)(partitions)
            else:
                times = await consumer.offsets_for_times({p: r["at"] for p in partitions})
                found = {p: place.offset if place else -1 for p, place in times.items()}
        finally:
            await consumer.stop()
        return {"offsets": {str(p.partition): offset for p, offset in found.items()}}

    async def join(self, r):
        consumer = AIOKafkaConsumer(**self.common, group_id=r["group"], session_timeout_ms=r["session_ms"],
                                    heartbeat_interval_ms=200, fetch_max_wait_ms=100, enable_auto_commit=False,
                                    auto_offset_reset="earliest", group_instance_id=r.get("instance"),
                                    partition_assignment_strategy=[ASSIGNORS[r["strategy"]]],
                                    client_id=f"member-{uuid.uuid4()}")
        self.members[r["name"]] = member = Member()
        consumer.subscribe(r["topics"], listener=Listener(member))

        async def run():
            await consumer.start()
            await member.run(consumer)
        self.tasks[r["name"]] = asyncio.create_task(run())

    async def member(self, r):
        return self.members[r["name"]].answer()

    async def leave(self, r):
        member = self.members.pop(r["name"])
        member.leaving = True
        await self.tasks.pop(r["name"])
        return member.answer()

    async def stream(self, r):
        self.streams[r["name"]] = stream = protocol.Stream()
        producer = await self.producer(r["codec"], idempotent=True)

        async def run():
            for number in range(r["count"]):
                await asyncio.sleep(protocol.pause_before(number))
                future = await producer.send(r["topic"], str(number).encode(), partition=number % r["partitions"])
                future.add_done_callback(lambda future: stream.done(future.exception()))
            await producer.stop()
        self.tasks[r["name"]] = asyncio.create_task(run())

    async def stream_status(self, r):
        return self.streams[r["name"]].answer()

    async def create_topic(self, r):
        wanted = NewTopic(r["topic"], r["partitions"], 1, topic_configs=r["config"])
        for _, code, *text in (await self.admin.create_topics([wanted])).topic_errors:
            refuse(code, text)

    async def delete_topic(self, r):
        for _, code in (await self.admin.delete_topics([r["topic"]])).topic_error_codes:
            refuse(code)

    async def list_topics(self, _):
        return {"topics": await self.admin.list_topics()}

    async def describe_topic(self, r):
        found = (await self.admin.describe_topics([r["topic"]]))[0]
        refuse(found["error_code"])
        return {"partitions": [{"id": p["partition"], "leader": p["leader"], "replicas": p["replicas"], "isr": p["isr"]}
                               for p in found["partitions"]]}

    async def create_partitions(self, r):
        await self.admin.create_partitions({r["topic"]: NewPartitions(r["count"])})

    async def config(self, kind, name):
        config = {}
        for answer in await self.admin.describe_configs([ConfigResource(kind, name)]):
            for code, text, _, _, entries in answer.resources:
                refuse(code, text)
                config.update((entry[0], entry[1]) for entry in entries)
        return {"config": config}

    async def topic_config(self, r):
        return await self.config(ConfigResourceType.TOPIC, r["topic"])

    async def broker_config(self, r):
        return await self.config(ConfigResourceType.BROKER, str(r["broker"]))

    async def set_topic_config(self, r):
        """AlterConfigs, all that this client has: it sets the topic's whole configuration."""
        config = {} if r["value"] is None else {r["name"]: r["value"]}
        for answer in await self.admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, r["topic"], config)]):
            for code, text, *_ in answer.resources:
                refuse(code, text)

    async def describe_cluster(self, _):
        found = await self.admin.describe_cluster()
        return {"controller": found["controller_id"], "brokers": [b["node_id"] for b in found["brokers"]]}

    async def delete_records(self, r):
        await self.admin.delete_records({TopicPartition(r["topic"], r["partition"]): RecordsToDelete(r["before"])})

    async def list_groups(self, _):
        return {"groups": [name for name, *_ in await self.admin.list_consumer_groups()]}

    async def describe_group(self, r):
        code, _, state, _, _, members, *_ = (await self.admin.describe_consumer_groups([r["group"]]))[0].groups[0]
        refuse(code)

        def assignment(data):
            assigned = ConsumerProtocolMemberAssignment.decode(data).assignment if data else []
            return {topic: list(partitions) for topic, partitions in assigned}
        return {"state": state, "members": [{"client": m[-4], "instance": None, "assignment": assignment(m[-1])}
                                            for m in members]}

    async def group_offsets(self, r):
        found = await self.admin.list_consumer_group_offsets(r["group"])
        return {"offsets": {str(p.partition): place.offset for p, place in found.items() if p.topic == r["topic"]}}

    async def set_group_offsets(self, r):
        """By a consumer of the group that is no member of it."""
        consumer = await self.consumer(group_id=r["group"])
        places = {TopicPartition(r["topic"], int(p)): o for p, o in r["offsets"].items()}
        try:
            consumer.assign(list(places))
            await consumer.commit(places)
        finally:
            await consumer.stop()


class OnLoop:
    """Runs the coroutines of `Verbs` on their loop, one request at a time."""

    def __init__(self, verbs):
        self.verbs, self.loop = verbs, asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.run(verbs.start())

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def __getattr__(self, verb):
        return lambda request: self.run(getattr(self.verbs, verb)(request))


protocol.serve(OnLoop(Verbs(sys.argv[1])), lambda error: getattr(error, "errno", None))
