"""Peers that want the node's memory, descriptors or time: it grows with the bytes it received, never with lengths it was
told, and goes on to serve the others."""
import os
import struct
import threading
import time
import unittest

import kernel  # first: it finds the harness
import raw
from confluent_kafka.admin import AdminClient, NewTopic

from ledger import Ledger

MB = 1 << 20
PIECES = 16 * MB  # records are looked at as they are unpacked
# What no decoder can stream (one block of snappy, zstd with a window over 8 MB) is unpacked whole: to 32 times
# max.message.bytes (1 MB by default) at most, in a buffer that is copied when it grows.
UNPACKED = 3 * 32 * MB


class Few(kernel.harness.Milena):
    """Milena with few file descriptors."""

    def command(self):
        return ["prlimit", "--nofile=200:200", *super().command()]


class Hostile(kernel.FaultTestCase):
    def node(self, **settings):
        server = self.start_server(**settings)
        return server, server.process.pid

    def grown(self, pid, before, limit, what):
        grown = raw.memory(pid, "VmHWM") - before
        print(f"{what}: {grown / MB:.1f} MB more memory (at most {limit / MB:.0f})", flush=True)
        self.assertLessEqual(grown, limit, what)

    def before(self, pid):
        raw.forget_peak(pid)
        return raw.memory(pid)

    def create(self, server, topic, **config):
        new = NewTopic(topic, 1, 1, config={key.replace("_", "."): value for key, value in config.items()})
        admin = AdminClient({"bootstrap.servers": server.bootstrap})  # its futures fail when it is gone
        admin.create_topics([new])[topic].result(30)

    def test_f1_announced_lengths(self):
        server, pid = self.node()
        before = self.before(pid)
        streams = [raw.connect(server.port) for _ in range(1000)]
        for stream in streams:
            stream.sendall(struct.pack(">i", 100 * MB) + b"\0")
        raw.ask(server.port, raw.request(raw.API_VERSIONS, 0, b""))
        self.grown(pid, before, 64 * MB, "F1, 1,000 connections that announce 100 MB each")
        for stream in streams[:20]:
            stream.sendall(b"\0" * MB)
        raw.ask(server.port, raw.request(raw.API_VERSIONS, 0, b""))
        self.grown(pid, before, 64 * MB + 4 * 20 * MB, "F1, 20 of which sent 1 MB")
        for length in (100 * MB + 1, 0x7FFFFFFF, -1, 0):
            with raw.connect(server.port) as stream:
                stream.sendall(struct.pack(">i", length) + b"\0")
                self.assertTrue(raw.is_closed(stream), f"a frame of {length} bytes is accepted")
        for stream in streams:
            stream.close()

    def test_f2_frames_that_never_end(self):
        """Without SASL there is no time before a login; what is left of F2 is who begins a frame and falls silent."""
        server, pid = self.node(connections_max_idle_ms=2000)
        before = self.before(pid)
        streams = [raw.connect(server.port) for _ in range(60)]
        for stream in streams:
            stream.sendall(struct.pack(">i", 524289) + b"\0" * 65536)
        self.grown(pid, before, 16 * MB, "F2, 60 connections that sent 64 KB of a frame of 512 KB")
        with raw.connect(server.port) as good:
            ended = time.monotonic() + 60
            open_still = list(streams)
            while open_still and time.monotonic() < ended:
                good.sendall(raw.request(raw.API_VERSIONS, 0, b""))
                raw.answer(good)  # who goes on talking is not idle
                if raw.is_closed(open_still[-1], 0.1):
                    open_still.pop()
        self.assertEqual(len(open_still), 0, "they are not closed after connections.max.idle.ms")
        for stream in streams:
            stream.close()

    def test_f3_slow_and_idle(self):
        if not raw.raise_file_limit(12000):
            raise unittest.SkipTest("fewer than 12,000 file descriptors")
        server, pid = self.node()
        quiet = self.times(server)
        before = self.before(pid)
        idle = [raw.connect(server.port) for _ in range(10000)]
        raw.ask(server.port, raw.request(raw.API_VERSIONS, 0, b""))
        self.grown(pid, before, 10000 * 20 * 1024, "F3, 10,000 idle connections")
        slow = idle[:2000]
        frame = raw.request(raw.API_VERSIONS, 0, b"")
        stop = threading.Event()

        def drip():
            for byte in frame:
                for stream in slow:
                    stream.sendall(bytes([byte]))
                if stop.wait(0.3):
                    return

        dripping = threading.Thread(target=drip, daemon=True)
        dripping.start()
        busy = self.times(server)
        stop.set()
        dripping.join()
        print(f"F3, a good client's request, ms (median, 99th of 100): quiet {quiet}, beside them {busy}", flush=True)
        ledger = Ledger(server.bootstrap, "served", partitions=2)
        ledger.write(2000)
        ledger.settle()
        ledger.check()
        for stream in idle:
            stream.close()

    def times(self, server):
        taken = []
        with raw.connect(server.port) as stream:
            for _ in range(500):
                begun = time.monotonic()
                stream.sendall(raw.request(raw.API_VERSIONS, 0, b""))
                raw.answer(stream)
                taken.append((time.monotonic() - begun) * 1000)
        taken.sort()
        return round(taken[len(taken) // 2], 2), round(taken[len(taken) * 99 // 100], 2)

    def test_f3_no_descriptors_left(self):
        server = Few(self.folder / "few")
        self.servers.append(server)
        server.start()
        pid = server.process.pid
        ledger = Ledger(server.bootstrap, "kept", partitions=2)
        ledger.write(500)
        ledger.settle()
        streams = []
        for _ in range(400):
            try:
                streams.append(raw.connect(server.port))
            except OSError:
                break
        time.sleep(0.5)
        used = raw.cpu_seconds(pid)
        time.sleep(3)
        used = raw.cpu_seconds(pid) - used
        print(f"F3, without descriptors: {used:.2f} CPU-s in 3 s", flush=True)
        self.assertLess(used, 1.5, "the node spins when it has no descriptors left")
        for stream in streams:
            stream.close()
        ledger.write(500)
        ledger.settle()
        ledger.check()

    def test_f5_bombs(self):
        server, pid = self.node()
        self.create(server, "packed", cleanup_policy="compact")
        sizes = {"gzip": (raw.GZIP, raw.gzip_bomb, 900), "zstd": (raw.ZSTD, raw.zstd_bomb, 900),
                 "lz4": (raw.LZ4, raw.lz4_bomb, 200), "snappy": (raw.SNAPPY, raw.snappy_bomb, 20)}
        for name, (codec, pack, megabytes) in sizes.items():
            with self.subTest(codec=name):
                payload = pack(raw.record_head(megabytes * MB), megabytes * MB)
                before = self.before(pid)
                answer = raw.ask(server.port, raw.produce("packed", raw.batch(payload, codec=codec)))
                error = raw.produce_error("packed", answer)
                self.grown(pid, before, UNPACKED if name == "snappy" else PIECES, f"F5, {len(payload) / MB:.1f} MB of {name} that hold {megabytes} MB"
                                               f" (error {error})")
        raw.ask(server.port, raw.request(raw.API_VERSIONS, 0, b""))

    def test_f5_window(self):
        server, pid = self.node()
        self.create(server, "packed", cleanup_policy="compact")
        for window_log in (27, 31):
            payload = raw.zstd_bomb(raw.record_head(300 * MB), 300 * MB, window_log)
            before = self.before(pid)
            answer = raw.ask(server.port, raw.produce("packed", raw.batch(payload, codec=raw.ZSTD)))
            self.grown(pid, before, UNPACKED, f"F5, zstd with a window of 2^{window_log} (error {raw.produce_error('packed', answer)})")

    def test_f5_counts(self):
        server, pid = self.node()
        self.create(server, "counted")
        record = raw.record_head(1) + b"v\0"
        before = self.before(pid)
        for frame in (
                raw.produce("counted", raw.batch(record, count=0x7FFFFFFF)),
                raw.request(3, 1, struct.pack(">i", 0x7FFFFFFF)),  # Metadata of as many topics
                raw.request(raw.PRODUCE, 7, struct.pack(">hhi", -1, -1, 1000) + struct.pack(">i", 0x7FFFFFFF)),
        ):
            with raw.connect(server.port) as stream:
                stream.sendall(frame)
                try:
                    raw.answer(stream)
                except ConnectionError:
                    pass
        self.grown(pid, before, 16 * MB, "F5, counts of 2^31-1")
        tags = b"".join(self.unsigned(tag) + b"\0" for tag in range(1, 1_000_001))
        body = b"\x04raw\x041.0" + self.unsigned(1_000_000) + tags
        frame = raw.request(raw.API_VERSIONS, 3, body, flexible=True)
        before = self.before(pid)
        with raw.connect(server.port) as stream:
            stream.sendall(frame)
            try:
                raw.answer(stream)
            except ConnectionError:
                pass
        self.grown(pid, before, 8 * len(frame) + 16 * MB, "F5, a million tagged fields")
        raw.ask(server.port, raw.request(raw.API_VERSIONS, 0, b""))

    @staticmethod
    def unsigned(value):
        out = b""
        while value > 0x7F:
            out += bytes([value & 0x7F | 0x80])
            value >>= 7
        return out + bytes([value])


if __name__ == "__main__":
    assert os.path.isdir("/proc/self")
    kernel.main()
