"""The few Kafka requests that the bench itself sends: is a node up, make a topic, does it serve its partitions.

Old versions with fixed layouts, written by hand (https://kafka.apache.org/protocol); everything else goes through
librdkafka.
"""
import socket
import struct

API_VERSIONS, CREATE_TOPICS, LIST_OFFSETS = 18, 19, 2
LATEST = -1


def call(port, key, version, body, timeout=10):
    """The answer's body. Errors: OSError, also where the connection ends first."""
    client = b"bench"
    request = struct.pack(">hhih", key, version, 1, len(client)) + client + body
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        stream = connection.makefile("rb")
        head = stream.read(8)
        if len(head) < 8:
            raise ConnectionError("the connection was closed")
        return stream.read(struct.unpack(">i", head[:4])[0] - 4)


def answers(port):
    try:
        call(port, API_VERSIONS, 0, b"", timeout=1)
        return True
    except OSError:
        return False


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


def create_topic(port, name, partitions):
    body = struct.pack(">i", 1) + text(name) + struct.pack(">ih", partitions, 1) + struct.pack(">iii", 0, 0, 120000)
    answer = call(port, CREATE_TOPICS, 2, body + b"\0", timeout=150)
    error = struct.unpack_from(">h", answer, 4 + 4 + 2 + len(name))[0]
    if error != 0:
        raise SystemExit(f"cannot create {name}: error {error}")


def serves(port, topic, partitions):
    """Whether the node gives the end offset of every partition of the topic, and no error."""
    body = struct.pack(">ii", -1, 1) + text(topic) + struct.pack(">i", partitions)
    body += b"".join(struct.pack(">iq", number, LATEST) for number in range(partitions))
    try:
        answer = call(port, LIST_OFFSETS, 1, body)
    except OSError:
        return False
    at = 4 + 2 + len(topic) + 4
    return all(struct.unpack_from(">h", answer, at + 22 * i + 4)[0] == 0 for i in range(partitions))
