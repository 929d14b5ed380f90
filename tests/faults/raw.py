"""Frames, requests and record batches made by hand, also such as no client would send; and what a process costs.

Layouts: https://kafka.apache.org/protocol and https://kafka.apache.org/documentation/#recordbatch.
"""
import ctypes
import os
import resource
import socket
import struct
import zlib

PRODUCE, API_VERSIONS = 0, 18
GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4


# ---- a process --------------------------------------------------------------------------------------------------

def memory(pid, field="VmRSS"):
    """VmRSS or VmHWM (the highest since forget_peak), in bytes."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    raise OSError(f"no {field} of {pid}")


def forget_peak(pid):
    with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as out:
        out.write("5")


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def raise_file_limit(files):
    """This process's, and its children's. False: the machine does not allow as many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, max(files, hard)))
    except (OSError, ValueError):
        return False
    return True


# ---- requests ---------------------------------------------------------------------------------------------------

def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def request(key, version, body, correlation=1, flexible=False):
    """A whole frame; flexible: request header v2."""
    head = struct.pack(">hhih", key, version, correlation, 3) + b"raw" + (b"\0" if flexible else b"")
    return struct.pack(">i", len(head) + len(body)) + head + body


def receive(stream, count):
    data = b""
    while len(data) < count:
        piece = stream.recv(count - len(data))
        if not piece:
            raise ConnectionError("closed by the node")
        data += piece
    return data


def answer(stream):
    """The next answer, without its length."""
    return receive(stream, struct.unpack(">i", receive(stream, 4))[0])


def ask(port, frame):
    with connect(port) as stream:
        stream.sendall(frame)
        return answer(stream)


def is_closed(stream, seconds=None):
    """Whether the node has closed it, within its timeout or within `seconds` (False if it has not)."""
    if seconds is not None:
        stream.settimeout(seconds)
    try:
        return stream.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        if seconds is None:
            raise
        return False


def produce(topic, batch, version=7, partition=0):
    """A Produce frame for one batch, acks=all."""
    name = topic.encode()
    body = struct.pack(">hhi", -1, -1, 30000) + struct.pack(">ih", 1, len(name)) + name
    body += struct.pack(">ii", 1, partition) + struct.pack(">i", len(batch)) + batch
    return request(PRODUCE, version, body)


def produce_error(topic, data):
    """The error code in the answer to produce(), version 7."""
    return struct.unpack_from(">h", data, 4 + 4 + 2 + len(topic.encode()) + 4 + 4)[0]


# ---- batches ----------------------------------------------------------------------------------------------------

def varint(value):
    value = (value << 1) ^ (value >> 63)
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def crc32c(data, table=[]):  # noqa: B006  the table is made once
    if not table:
        for n in range(256):
            for _ in range(8):
                n = n >> 1 ^ 0x82F63B78 if n & 1 else n >> 1
            table.append(n)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def record_head(value_size, key=b"k", delta=0):
    """A record up to its value, for a value of that many bytes and no headers (one byte after it)."""
    body = b"\0" + varint(0) + varint(delta) + varint(len(key)) + key + varint(value_size)
    return varint(len(body) + value_size + 1) + body


def batch(payload, count=1, codec=0, last_delta=None):
    """A v2 batch around `payload`, its records as they are after the codec."""
    tail = struct.pack(">hiqqqhii", codec, count - 1 if last_delta is None else last_delta, 1000, 1000, -1, -1, -1, count)
    tail += payload
    return struct.pack(">qiibI", 0, 9 + len(tail), 0, 2, crc32c(tail)) + tail


# ---- small packages of much ------------------------------------------------------------------------------------

def _pieces(head, size):
    """`head`, `size` zeros, and the end of a record, in pieces."""
    yield head
    zeros = bytes(1 << 20)
    while size:
        piece = zeros[:min(size, len(zeros))]
        size -= len(piece)
        yield piece
    yield b"\0"


def gzip_bomb(head, size):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(piece) for piece in _pieces(head, size)) + packer.flush()


def zstd_bomb(head, size, window_log=None):
    lib = ctypes.CDLL("libzstd.so.1")
    lib.ZSTD_createCCtx.restype = lib.ZSTD_compressBound.restype = ctypes.c_void_p
    lib.ZSTD_compressStream2.restype = ctypes.c_size_t
    lib.ZSTD_createCCtx.restype = ctypes.c_void_p

    class Buffer(ctypes.Structure):
        _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_size_t), ("at", ctypes.c_size_t)]

    context = ctypes.c_void_p(lib.ZSTD_createCCtx())
    if window_log:
        lib.ZSTD_CCtx_setParameter(context, 160, 1)  # long distance
        lib.ZSTD_CCtx_setParameter(context, 101, window_log)
    room = ctypes.create_string_buffer(4 << 20)
    out = b""
    pieces = list(_pieces(head, size))
    for n, piece in enumerate(pieces):
        source = Buffer(ctypes.cast(ctypes.c_char_p(piece), ctypes.c_void_p), len(piece), 0)
        last = n == len(pieces) - 1
        while True:
            sink = Buffer(ctypes.cast(room, ctypes.c_void_p), len(room), 0)
            left = lib.ZSTD_compressStream2(context, ctypes.byref(sink), ctypes.byref(source), 2 if last else 0)
            out += room.raw[:sink.at]
            if source.at == source.size and (not last or left == 0):
                break
    lib.ZSTD_freeCCtx(context)
    return out


def lz4_bomb(head, size):
    lib = ctypes.CDLL("liblz4.so.1")
    lib.LZ4F_compressFrameBound.restype = lib.LZ4F_compressFrame.restype = ctypes.c_size_t
    data = b"".join(_pieces(head, size))
    room = ctypes.create_string_buffer(lib.LZ4F_compressFrameBound(ctypes.c_size_t(len(data)), None))
    independent = struct.pack("=ii", 0, 1) + bytes(64)  # LZ4F_preferences_t: blockMode, all else as it comes
    used = lib.LZ4F_compressFrame(room, ctypes.c_size_t(len(room)), data, ctypes.c_size_t(len(data)), independent)
    return room.raw[:used]


def snappy_bomb(head, size):
    """Plain snappy, one block: what librdkafka sends."""
    lib = ctypes.CDLL("libsnappy.so.1")
    lib.snappy_max_compressed_length.restype = ctypes.c_size_t
    data = b"".join(_pieces(head, size))
    used = ctypes.c_size_t(lib.snappy_max_compressed_length(ctypes.c_size_t(len(data))))
    room = ctypes.create_string_buffer(used.value)
    lib.snappy_compress(data, ctypes.c_size_t(len(data)), room, ctypes.byref(used))
    return room.raw[:used.value]
