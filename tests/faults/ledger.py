"""What was written and acknowledged, against what a reader finds: nothing lost, nothing twice, nothing out of order.

    ledger = Ledger(bootstrap, "topic", partitions=4)
    ledger.write(20_000)          # returns at once; a thread sends them, as fast as the node takes them
    ledger.wait_acknowledged(10_000)
    ...                           # kill, fill, break
    ledger.settle()               # until everything that was sent is acknowledged
    ledger.check()                # reads all of it back

The writer is one idempotent librdkafka producer with endless retries, so each record is to be there exactly once, in
the order in which it was sent to its partition. A record's value is its number within the partition.
"""
import threading
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

SETTLE_S = 120


class Ledger:
    def __init__(self, bootstrap, topic, partitions=4, size=100, config=None, settings=None):
        self.bootstrap, self.topic, self.partitions, self.size = bootstrap, topic, partitions, size
        self.acknowledged = [{} for _ in range(partitions)]  # number: offset
        self.sent = [0] * partitions
        self.failures = []
        self.last_error = None
        admin = AdminClient({"bootstrap.servers": bootstrap})
        new = NewTopic(topic, num_partitions=partitions, replication_factor=1, config=config or {})
        admin.create_topics([new])[topic].result(30)
        self.producer = Producer({
            "bootstrap.servers": bootstrap, "enable.idempotence": True, "acks": "all", "linger.ms": 2,
            "message.timeout.ms": 0, "retry.backoff.ms": 20, "retry.backoff.max.ms": 100,
            "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 200, "socket.timeout.ms": 5000,
            "topic.metadata.refresh.interval.ms": 1000, "error_cb": self._note_error, **(settings or {})})
        self.writer = None
        self.stopped = False

    def _note_error(self, error):
        self.last_error = error

    def count(self):
        """Records acknowledged so far."""
        return sum(map(len, self.acknowledged))

    def write(self, records, pace=0):
        """Starts to send `records` more, `pace` records a second (0: as fast as they are taken)."""
        self.join()
        self.writer = threading.Thread(target=self._write, args=(records, pace), daemon=True)
        self.writer.start()

    def _write(self, records, pace):
        begun = time.monotonic()
        for n in range(records):
            if self.stopped:
                return
            partition = n % self.partitions
            number = self.sent[partition]
            value = str(number).encode().ljust(self.size, b".")
            while not self.stopped:
                try:
                    self.producer.produce(self.topic, value, partition=partition, on_delivery=self._delivered(partition, number))
                    break
                except BufferError:
                    self.producer.poll(0.05)
            self.sent[partition] += 1
            self.producer.poll(0)
            if pace and n % 64 == 0:
                while time.monotonic() - begun < n / pace:
                    self.producer.poll(0.01)

    def _delivered(self, partition, number):
        def note(error, message):
            if error is not None:
                self.failures.append(f"{self.topic}-{partition}, record {number}: {error}")
            else:
                self.acknowledged[partition][number] = message.offset()
        return note

    def join(self):
        if self.writer is not None:
            self.writer.join(SETTLE_S)
            if self.writer.is_alive():
                raise AssertionError(f"{self.topic}: still {sum(self.sent)} sent after {SETTLE_S} s; {self.last_error}")
            self.writer = None

    def wait_acknowledged(self, records, timeout=SETTLE_S):
        deadline = time.monotonic() + timeout
        while self.count() < records:
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.topic}: {self.count()} of {records} acknowledged after {timeout} s; "
                                     f"last error: {self.last_error}")
            self.producer.poll(0.01)

    def settle(self, timeout=SETTLE_S):
        """Until every record that was sent is acknowledged; fails if one never was."""
        self.join()
        left = self.producer.flush(timeout)
        if left or self.failures:
            raise AssertionError(f"{self.topic}: {left} records without an answer after {timeout} s, "
                                 f"{len(self.failures)} failed: {self.failures[:3]}; last error: {self.last_error}")

    def stop_writing(self):
        """For good: forgets what has no answer yet; what was acknowledged still counts."""
        self.stopped = True
        self.join()
        self.producer.purge()
        self.producer.flush(5)

    def read(self, upto=None):
        """[(offset, number), ...] by partition, up to the log ends or the `upto` acknowledged offsets."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "ledger", "enable.auto.commit": False,
                             "auto.offset.reset": "error", "enable.partition.eof": True, "check.crcs": True})
        found = [[] for _ in range(self.partitions)]
        try:
            consumer.assign([TopicPartition(self.topic, p, OFFSET_BEGINNING) for p in range(self.partitions)])
            waiting = set(range(self.partitions))
            deadline = time.monotonic() + SETTLE_S
            while waiting:
                if time.monotonic() > deadline:
                    raise AssertionError(f"{self.topic}: no end of partitions {waiting} in {SETTLE_S} s")
                for message in consumer.consume(10_000, 0.5):
                    if message.error() is None:
                        found[message.partition()].append((message.offset(), int(message.value().rstrip(b"."))))
                    elif message.error().code() == KafkaError._PARTITION_EOF:
                        waiting.discard(message.partition())
                    elif not message.error().retriable():
                        raise AssertionError(f"{self.topic}: {message.error()}")
        finally:
            consumer.close()
        return found

    def anomalies(self):
        """What a full read shows to be wrong: (lost, duplicated, reordered, moved), each a count."""
        lost = duplicated = reordered = moved = 0
        for partition, records in enumerate(self.read()):
            numbers = [number for _, number in records]
            missing = sorted(set(self.acknowledged[partition]) - set(numbers))
            if missing:
                print(f"{self.topic}-{partition}: records {missing[0]} to {missing[-1]} ({len(missing)}) of "
                      f"{len(self.acknowledged[partition])} acknowledged are lost; {len(numbers)} are there, "
                      f"offsets {records[0][0] if records else None} to {records[-1][0] if records else None}", flush=True)
            offsets = {}
            for offset, number in records:
                offsets.setdefault(number, offset)
            lost += sum(number not in offsets for number in self.acknowledged[partition])
            duplicated += len(numbers) - len(offsets)
            first_seen = list(dict.fromkeys(numbers))
            reordered += sum(a > b for a, b in zip(first_seen, first_seen[1:]))
            moved += sum(offset >= 0 and offsets.get(number, offset) != offset
                         for number, offset in self.acknowledged[partition].items())
        return {"lost": lost, "duplicated": duplicated, "reordered": reordered, "at another offset": moved}

    def check(self):
        found = self.anomalies()
        print(f"{self.topic}: {self.count()} acknowledged, " + ", ".join(f"{what} {n}" for what, n in found.items()),
              flush=True)
        if any(found.values()):
            raise AssertionError(f"{self.topic}: {found}")
