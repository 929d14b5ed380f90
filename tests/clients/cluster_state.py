"""What a node's metadata says, asked over the wire: what must be the same before a stop and after the next start.

    before = cluster_state("127.0.0.1", port)
    ...                                        # the node ends and starts again
    assert cluster_state("127.0.0.1", port) == before

Cluster id, finalized features, topics with ids and the replicas of their partitions, and every configuration value
that was set for a topic or for brokers. Not in it: leaders, ISR and epochs, which a restart moves.
"""

import socket
import struct
import time
import uuid

METADATA, API_VERSIONS, DESCRIBE_CONFIGS = 3, 18, 32
TOPIC, BROKER = 2, 4
# ConfigSource: set for a topic, for one broker, for all brokers.
SET_BY_SOMEBODY = (1, 2, 3)
LEADER_NOT_AVAILABLE = 5
TIMEOUT_S = 10


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def text(value):
    data = value.encode()
    return varint(len(data) + 1) + data


class Answer:
    """The fields of a flexible response, one after the other."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self, format):
        value = struct.unpack_from(">" + format, self.data, self.at)[0]
        self.at += struct.calcsize(format)
        return value

    def varint(self):
        value, shift = 0, 0
        while True:
            byte = self.number("B")
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def bytes(self, count):
        self.at += count
        return self.data[self.at - count:self.at]

    def text(self):
        size = self.varint() - 1
        return None if size < 0 else self.bytes(size).decode()

    def list(self, item):
        return [item() for _ in range(self.varint() - 1)]

    def tags(self):
        return {self.varint(): self.bytes(self.varint()) for _ in range(self.varint())}


class Connection:
    def __init__(self, host, port):
        self.stream = socket.create_connection((host, port), timeout=TIMEOUT_S)

    def receive(self, count):
        data = b""
        while len(data) < count:
            piece = self.stream.recv(count - len(data))
            if not piece:
                raise OSError("closed by the server")
            data += piece
        return data

    def ask(self, key, version, body):
        """The answer behind its header. ApiVersions alone has an answer header without tags."""
        request = struct.pack(">hhih", key, version, 1, -1) + b"\0" + body
        self.stream.sendall(struct.pack(">i", len(request)) + request)
        answer = Answer(self.receive(struct.unpack(">i", self.receive(4))[0]))
        answer.number("i")
        if key != API_VERSIONS:
            answer.tags()
        return answer

    def features(self):
        answer = self.ask(API_VERSIONS, 3, text("test") + text("1") + b"\0")
        fail_on(answer.number("h"))
        answer.list(lambda: (answer.bytes(6), answer.tags()))
        answer.number("i")
        finalized = Answer(answer.tags().get(2, b"\1"))
        return dict(finalized.list(lambda: (finalized.text(), finalized.number("h"), finalized.number("h"),
                                            finalized.tags())[:2]))

    def topics(self):
        """The cluster's id, and {topic: (its id, {partition: replicas})}."""
        answer = self.ask(METADATA, 12, b"\0" b"\0" b"\0" b"\0")

        def partition():
            fail_on(answer.number("h"), LEADER_NOT_AVAILABLE)
            index = answer.number("i")
            answer.bytes(8)
            replicas, _, _ = (answer.list(lambda: answer.number("i")) for _ in range(3))
            answer.tags()
            return index, replicas

        def topic():
            fail_on(answer.number("h"), LEADER_NOT_AVAILABLE)
            name, topic_id, _ = answer.text(), str(uuid.UUID(bytes=answer.bytes(16))), answer.bytes(1)
            partitions = dict(answer.list(partition))
            answer.bytes(4)
            answer.tags()
            return name, (topic_id, partitions)

        answer.number("i")
        answer.list(lambda: (answer.number("i"), answer.text(), answer.number("i"), answer.text(), answer.tags()))
        cluster = answer.text()
        answer.number("i")
        return cluster, dict(answer.list(topic))

    def configs(self, resources):
        """{(type, name): {key: value}} of what is set; a secret's value is not told."""
        asked = b"".join(struct.pack(">b", kind) + text(name) + b"\0\0" for kind, name in resources)
        answer = self.ask(DESCRIBE_CONFIGS, 4, varint(len(resources) + 1) + asked + b"\0\0\0")

        def config():
            key, value, _, source, _ = (answer.text(), answer.text(), answer.number("b"), answer.number("b"),
                                        answer.number("b"))
            answer.list(lambda: (answer.text(), answer.text(), answer.number("b"), answer.tags()))
            answer.number("b"), answer.text(), answer.tags()
            return key, value, source

        def resource():
            fail_on(answer.number("h"))
            answer.text()
            kind, name = answer.number("b"), answer.text()
            values = {key: value for key, value, source in answer.list(config) if source in SET_BY_SOMEBODY}
            answer.tags()
            return (kind, name), values

        answer.number("i")
        return dict(answer.list(resource))


def fail_on(error, *expected):
    if error != 0 and error not in expected:
        raise RuntimeError(f"the node answers error {error}")


def cluster_state(host, port, node_id=1):
    """Asks the node with that id. OSError: it does not answer."""
    connection = Connection(host, port)
    with connection.stream:
        cluster, topics = connection.topics()
        resources = [(TOPIC, name) for name in sorted(topics)] + [(BROKER, ""), (BROKER, str(node_id))]
        return {"cluster": cluster, "features": connection.features(), "topics": topics,
                "configs": connection.configs(resources)}


def without_new_internal_topics(now, before):
    """A client that is still there has them made, by asking for its coordinator, whenever it comes to that."""
    new = {name for name in now["topics"] if name.startswith("__") and name not in before["topics"]}
    return {**now, "topics": {name: topic for name, topic in now["topics"].items() if name not in new},
            "configs": {(kind, name): values for (kind, name), values in now["configs"].items()
                        if kind != TOPIC or name not in new}}


def check_same_state(before, host, port, node_id=1, timeout=10):
    """The node says, at the latest after `timeout` seconds, what was said before."""
    deadline = time.monotonic() + timeout
    while True:
        now = without_new_internal_topics(cluster_state(host, port, node_id), before)
        if now == before:
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"a restart changed what the node says of the cluster; before:\n{before}\nnow:\n{now}")
        time.sleep(0.1)
