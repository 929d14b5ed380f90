"""Writes the hostile inputs of corpus/ (all but fixed-*): run it after a change here, and commit the result.

Each entry's name says what is wrong with it. Byte 0 chooses what the target tries: see fuzz_NAME.cc.
"""
import gzip
import pathlib
import re
import struct

CORPUS = pathlib.Path(__file__).parent / "corpus"


def uvarint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def header(key, version, flexible):
    return struct.pack(">hhih", key, version, 7, 2) + b"me" + (b"\0" if flexible else b"")


def frame(key, version, flexible, body):
    return b"\0" + header(key, version, flexible) + body


HUGE = struct.pack(">i", 0x7FFFFFFF)
FRAMES = {
    "empty-frame": b"\0",
    "cut-header": b"\0" + header(0, 9, True)[:9],
    "unknown-api": frame(999, 0, False, b""),
    "negative-api": frame(-1, 0, False, b""),
    "version-from-the-future": frame(18, 32767, True, b""),
    "version-negative": frame(3, -1, False, HUGE),
    "client-id-longer-than-the-frame": b"\0" + struct.pack(">hhih", 3, 1, 7, 32767) + b"me",
    "client-id-length-below-null": b"\0" + struct.pack(">hhih", 3, 1, 7, -2),
    "metadata-count-2147483647": frame(3, 8, False, HUGE),
    "metadata-count-below-null": frame(3, 8, False, struct.pack(">i", -2)),
    "metadata-compact-count-4294967295": frame(3, 12, True, b"\xff\xff\xff\xff\x0f"),
    "metadata-varint-without-end": frame(3, 12, True, b"\xff" * 40),
    "fetch-nested-counts-2147483647": frame(1, 4, False, struct.pack(">iiiib", -1, 1, 1, 1, 0) + HUGE + b"\0\x01t" + HUGE),
    "produce-records-longer-than-the-frame":
        frame(0, 8, False, struct.pack(">hhi", -1, 1, 1) + HUGE),
    "produce-record-length-2147483647":
        frame(0, 8, False, struct.pack(">hhi", -1, 1, 1) + struct.pack(">i", 1) + b"\0\x01t" + struct.pack(">ii", 1, 0) + HUGE),
    "tagged-fields-500-empty":
        frame(18, 3, True, b"\x02a\x02b" + uvarint(500) + b"".join(uvarint(t) + b"\0" for t in range(500))),
    "tagged-fields-count-4294967295": frame(18, 3, True, b"\x02a\x02b" + b"\xff\xff\xff\xff\x0f" + b"\0\0" * 30),
    "tagged-fields-descending": frame(18, 3, True, b"\x02a\x02b" + b"\x02\x05\0\x04\0"),
    "tagged-fields-twice-the-same": frame(18, 3, True, b"\x02a\x02b" + b"\x02\x05\0\x05\0"),
    "tagged-field-longer-than-the-frame": frame(18, 3, True, b"\x02a\x02b" + b"\x01\x05\xff\xff\xff\xff\x0f"),
    "tagged-fields-flood-in-the-header":
        b"\0" + struct.pack(">hhih", 18, 3, 7, -1) + uvarint(900) + b"".join(uvarint(t) + b"\0" for t in range(900)),
    "strings-not-utf8": frame(18, 3, True, b"\x04\xff\xfe\xc0\x04\0\0\0\0"),
}


def batch(attributes, count, payload, length=None, last_delta=None):
    tail = struct.pack(">hiqqqhii", attributes, count - 1 if last_delta is None else last_delta,
                       1700000000000, 1700000000000, -1, -1, -1, count) + payload
    return struct.pack(">qiibI", 0, 9 + len(tail) if length is None else length, -1, 2, 0) + tail


RECORD = b"\x10\0\0\0\x01\x04ab\0"  # no key, value "ab", no headers
ZEROS = b"\0" * (1 << 20)
GZIP_BOMB = gzip.compress(ZEROS, 9, mtime=0)
# zstd: one frame, window log 31, no content size, one RLE block of 128 KiB repeated.
RLE_BLOCK = struct.pack("<I", (131072 << 3) | (1 << 1))[:3] + b"\0"
LAST_RLE_BLOCK = struct.pack("<I", (131072 << 3) | (1 << 1) | 1)[:3] + b"\0"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
ZSTD_BOMB = ZSTD_MAGIC + b"\x00" + b"\x38" + RLE_BLOCK * 500 + LAST_RLE_BLOCK
ZSTD_WINDOW = ZSTD_MAGIC + b"\x00" + b"\xa8" + LAST_RLE_BLOCK
ZSTD_SIZE = ZSTD_MAGIC + b"\xe0" + struct.pack("<Q", 1 << 62) + LAST_RLE_BLOCK
SNAPPY_SIZE = b"\xff\xff\xff\xff\x0f" + b"\x00a"
XERIAL = b"\x82SNAPPY\0" + struct.pack(">ii", 1, 1)
LZ4_MAGIC = b"\x04\x22\x4d\x18"


def legacy(magic, codec, value_size, value):
    body = struct.pack(">bb", magic, codec) + (struct.pack(">q", 0) if magic == 1 else b"") + struct.pack(">ii", -1, value_size) + value
    return struct.pack(">qiI", 0, 4 + len(body), 0) + body


BATCHES = {
    "batch-cut": b"\0" + batch(0, 1, RECORD)[:60],
    "batch-length-2147483647": b"\0" + batch(0, 1, RECORD, length=0x7FFFFFFF),
    "batch-length-negative": b"\0" + batch(0, 1, RECORD, length=-1),
    "batch-length-0": b"\0" + batch(0, 1, RECORD, length=0),
    "batch-magic-9": b"\0" + batch(0, 1, RECORD).replace(b"\x02", b"\x09", 1),
    "records-count-2147483647": b"\2\0" + batch(0, 0x7FFFFFFF, RECORD),
    "records-count-negative": b"\2\0" + batch(0, -5, RECORD),
    "records-count-0": b"\2\0" + batch(0, 0, b""),
    "last-offset-delta-2147483647": b"\2\0" + batch(0, 1, RECORD, last_delta=0x7FFFFFFF),
    "record-length-beyond-the-batch": b"\2\0" + batch(0, 1, b"\xfe\xff\xff\xff\x0f" + RECORD[1:]),
    "record-length-negative": b"\2\0" + batch(0, 1, b"\x01" + RECORD[1:]),
    "record-varint-without-end": b"\2\0" + batch(0, 1, b"\xff" * 20),
    "record-headers-2147483647": b"\2\0" + batch(0, 1, b"\x18" + RECORD[1:-1] + b"\xfe\xff\xff\xff\x0f"),
    "record-offset-deltas-extreme": b"\2\0" + batch(0, 1, b"\x18\0\0\xfe\xff\xff\xff\x0f\x01\x04ab\0"),
    "record-timestamp-delta-extreme": b"\2\0" + batch(0, 1, b"\x22\0" + b"\xfe" + b"\xff" * 8 + b"\x01" + b"\0\x01\x04ab\0"),
    "control-batch-from-a-client": b"\2\0" + batch(0x30, 1, RECORD),
    "codec-that-does-not-exist": b"\2\x08" + batch(7, 1, RECORD),
    "gzip-bomb": b"\3\1" + GZIP_BOMB,
    "gzip-bomb-in-a-batch": b"\2\x08" + batch(1, 1, GZIP_BOMB),
    "gzip-cut": b"\3\1" + GZIP_BOMB[:30],
    "zstd-bomb-64-mib": b"\3\4" + ZSTD_BOMB,
    "zstd-bomb-in-a-batch": b"\2\x08" + batch(4, 1, ZSTD_BOMB),
    "zstd-window-log-31": b"\3\4" + ZSTD_WINDOW,
    "zstd-content-size-2-to-62": b"\3\4" + ZSTD_SIZE,
    "snappy-size-4294967295": b"\3\2" + SNAPPY_SIZE,
    "xerial-chunk-2147483647": b"\3\2" + XERIAL + HUGE + b"a",
    "xerial-chunk-negative": b"\3\2" + XERIAL + struct.pack(">i", -1) + b"a",
    "lz4-block-beyond-the-frame": b"\3\x83" + LZ4_MAGIC + b"\x60\x40\x82" + struct.pack("<I", 0x7FFFFFFF) + b"a",
    "lz4-content-size-2-to-62": b"\3\x83" + LZ4_MAGIC + b"\x68\x40" + struct.pack("<Q", 1 << 62) + b"\0" + b"\0" * 4,
    "legacy-value-2147483647": b"\0" + legacy(1, 0, 0x7FFFFFFF, b"a"),
    "legacy-value-below-null": b"\0" + legacy(0, 0, -2, b"a"),
    "legacy-wrapper-of-nothing": b"\0" + legacy(1, 1, 0, b""),
    "legacy-wrapper-bomb": b"\0" + legacy(1, 1, len(GZIP_BOMB), GZIP_BOMB),
    "legacy-wrapper-in-a-wrapper":
        b"\0" + legacy(1, 1, len(w := gzip.compress(legacy(1, 1, 1, b"x"), mtime=0)), w),
}

# Byte 0: places in the list of loaders.h.
LOADERS = re.findall(r"\bX\((\w+)\)", (CORPUS.parent / "loaders.h").read_text())


def load(name, content=b""):
    return bytes([LOADERS.index(name)]) + content


def lengths(*fields):
    return b"".join(struct.pack(">H", len(content)) + content for content in fields)


def section(file, content):
    return struct.pack(">BH", file, len(content)) + content


def partition(flags, recovery_point, *sections):
    return load("partition_directory", bytes([flags, recovery_point])) + b"".join(sections)


def at(offset, data):
    return struct.pack(">q", offset) + data[8:]


ONE = batch(0, 1, RECORD)
FILES = {
    "offsets-count-2147483647": load("offset_checkpoint", b"0\n2147483647\nt 0 1\n"),
    "offsets-count-negative": load("offset_checkpoint", b"0\n-1\n"),
    "offsets-version-1": load("offset_checkpoint", b"1\n0\n"),
    "offsets-number-too-large": load("offset_checkpoint", b"0\n1\nt 0 99999999999999999999\n"),
    "offsets-nul-bytes": load("offset_checkpoint", b"\0" * 64),
    "epochs-count-2147483647": load("epoch_checkpoint", b"0\n2147483647\n0 0\n"),
    "epochs-descending": load("epoch_checkpoint", b"0\n2\n5 10\n4 20\n"),
    "epochs-negative": load("epoch_checkpoint", b"0\n1\n-1 -1\n"),
    "producers-count-2147483647": load("producer_snapshot", struct.pack(">hIi", 1, 0, 0x7FFFFFFF)),
    "producers-cut": load("producer_snapshot", struct.pack(">h", 1)),
    "txns-cut-entry": load("txn_index", b"\0" * 33),
    "txns-offsets-negative": load("txn_index", struct.pack(">hqqqq", 0, 1, -1, -5, -9)),
    "indexes-descending": load("segment_index", bytes([2, 0]) + struct.pack(">IIII", 9, 9, 3, 3)),
    "indexes-relative-offset-4294967295": load("segment_index", bytes([1, 1]) + b"\xff" * 20),
    "quorum-numbers-too-large": load("quorum_state", b'{"leaderId":99999999999,"leaderEpoch":1,"votedId":-1,"data_version":1}'),
    "quorum-empty-object": load("quorum_state", b"{}"),
    "json-nested-500": load("flat_json", b'{"a":' + b'[{"a":' * 500),
    "json-escape-cut": load("flat_json", b'{"a":"\\u00'),
    "snapshot-empty": load("metadata_snapshot"),
    "snapshot-without-footer": load("metadata_snapshot", batch(0x20, 1, b"\x14\0\0\0\x08\0\0\0\3\2\0\0")),
    "metadata-count-2147483647": load("metadata_batches", batch(0, 0x7FFFFFFF, RECORD)),
    "metadata-frame-unknown-type": load("metadata_frames", struct.pack(">H", 4) + b"\x01\x7f\0\0"),
    "metadata-frame-varints-without-end": load("metadata_frames", struct.pack(">H", 12) + b"\xff" * 12),
    "meta-version-2": load("meta_properties", b"version=2\nnode.id=1\ncluster.id=a\n"),
    "meta-node-id-too-large": load("meta_properties", b"version=1\nnode.id=4294967296\ncluster.id=a\n"),
    "meta-cluster-id-with-newline": load("meta_properties", b"version=1\nnode.id=1\ncluster.id=a\\nversion=2\n"),
    "properties-escape-cut": load("properties", b"a=\\u00"),
    "properties-continued-past-the-end": load("properties", b"a=b\\"),
    "name-partition-too-large": load("names", b"t-99999999999"),
    "name-partition-zeros": load("names", b"t-00"),
    "name-snapshot-too-large": load("names", b"99999999999999999999-9999999999.checkpoint"),
    "clean-shutdown-cut": load("log_directory", section(5, b'{"version":0,"brokerEpoch"')),
    "partition-metadata-zero-id": load("log_directory", section(6, b"version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAA\n")),
    "segment-name-minus-zero": load("names", b"-0000000000000000000.log"),
    "group-empty-key": load("group_records", b"\0\0\0"),
    "group-key-cut": load("group_records", b"\0\0\3\0\1\0"),
    "group-members-2147483647":
        load("group_records", b"\1" + lengths(b"\0\2\0\1g", b"\0\3\0\1c" + struct.pack(">ihhq", 1, -1, -1, 0) + HUGE)),
    "group-value-of-version-32767": load("group_records", b"\1" + lengths(b"\0\1\0\1g\0\1t\0\0\0\0", b"\x7f\xff")),
    "group-partition-negative": load("group_records", b"\0" + lengths(b"\0\1\0\1g\0\1t\xff\xff\xff\xff")),
    "control-voters-count-2147483647": load("control_records", b"\0" + lengths(b"\0\0\0\6", b"\0\0\xff\xff\xff\xff\x07")),
    "control-unknown-type": load("control_records", b"\0" + lengths(b"\0\0\x7f\xff", b"\0\0")),
    "control-marker-cut": load("control_records", b"\1" + lengths(b"\0\0\0\1", b"\0\0\0")),
    "bootstrap-cut": load("metadata_directory", b"\0" + section(0, batch(0x20, 1, b"\x14\0\0\0\x08\0\0\0\3\2\0\0")[:70])),
    "bootstrap-empty": load("metadata_directory", b"\0" + section(0, b"")),
    "metadata-log-behind-its-snapshot": load("metadata_directory", b"\0" + section(5, b"")),
    "metadata-log-offset-negative": load("metadata_directory", b"\0" + section(2, at(-1, ONE))),
    "config-listeners-without-a-name": load("server_properties", b"\1listeners=://:9092\n"),
    "config-listeners-port-too-large": load("server_properties", b"\1listeners=PLAINTEXT://:65536\n"),
    "config-voters-without-an-id": load("server_properties", b"\1controller.quorum.voters=@localhost:9093\n"),
    "config-provider-in-itself": load("server_properties", b"\1config.providers=a,a\nbroker.rack=${a:${a:b:c}:d}\n"),
    "config-number-too-large": load("server_properties", b"\1log.retention.ms=9223372036854775808\n"),
    "config-hours-too-large": load("server_properties", b"\1log.retention.hours=2147483647\nlog.roll.hours=2147483647\n"),
    "address-brackets-only": load("addresses", b"[]:9092"),
    "address-bracket-open": load("addresses", b"[::1:9092"),
    "address-voter-id-too-large": load("addresses", b"4294967296@h:1"),
    "http-escape-cut": load("http_target", b"/a?b=%4"),
    "http-chunk-2-to-64": load("http_request", b"\0POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"),
    "http-length-2-to-63": load("http_request", b"\0POST / HTTP/1.1\r\nContent-Length: 9223372036854775808\r\n\r\n"),
    "http-two-lengths": load("http_request", b"\0POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
    "http-header-without-end": load("http_request", b"\xffGET / HTTP/1.1\r\nX: " + b"a" * 2000),
    "http-header-around-its-limit": load("http_request", b"\6GET / HTTP/1.1\r\nX: " + b"a" * 1001 + b"\r\n\r\n"),
    "http-version-9": load("http_request", b"\0GET / HTTP/9.9\r\n\r\n"),
    "log-torn-tail": partition(0, 0, section(0, ONE + at(1, ONE)[:40])),
    "log-torn-tail-below-the-recovery-point": partition(1, 9, section(0, ONE + at(1, ONE)[:40])),
    "log-offsets-at-the-end-of-time": partition(0, 0, section(0, at(0x7FFFFFFFFFFFFFFF, ONE))),
    "log-offset-beyond-the-segment": partition(0, 0, section(0, at(1 << 32, ONE))),
    "log-offset-negative": partition(0, 0, section(0, at(-1, ONE))),
    "log-offset-negative-trusted": partition(1, 9, section(0, at(-1, ONE))),
    "log-last-offset-delta-negative": partition(0, 0, section(0, batch(0, 1, RECORD, last_delta=-7))),
    "log-last-offset-delta-negative-trusted": partition(1, 9, section(0, batch(0, 1, RECORD, last_delta=-7))),
    "log-same-offset-twice": partition(0, 0, section(0, ONE + ONE)),
    "log-same-offset-twice-trusted": partition(1, 9, section(0, ONE + ONE)),
    "log-index-points-past-the-end": partition(1, 1, section(0, ONE), section(1, struct.pack(">II", 5, 5000))),
    "log-segments-overlap": partition(0, 0, section(0, ONE + at(1, ONE) + at(2, ONE)), section(4, at(2, ONE))),
    "log-zeros-at-the-end": partition(0, 0, section(0, ONE + b"\0" * 200)),
    "log-zeros-at-the-end-trusted": partition(1, 1, section(0, ONE + b"\0" * 200)),
}


def main():
    for target, inputs in (("frames", FRAMES), ("batches", BATCHES), ("files", FILES)):
        directory = CORPUS / target
        directory.mkdir(parents=True, exist_ok=True)
        for path in directory.iterdir():
            if not path.name.startswith("fixed-"):
                path.unlink()
        for name, content in inputs.items():
            assert len(content) < 4096, name
            (directory / name).write_bytes(content)


if __name__ == "__main__":
    main()
