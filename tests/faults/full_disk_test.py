"""A disk of 64 MB runs full under load and is freed again: produce fails retriably, reads go on, the node recovers by
itself, and nothing acknowledged is missing."""
import os
import time

import kernel
from ledger import Ledger

BALLAST_MB = 30
ROUNDS = 3


def fill(path, megabytes):
    with open(path, "wb") as out:
        for _ in range(megabytes):
            out.write(b"\1" * (1 << 20))
        os.fsync(out.fileno())


class FullDisk(kernel.FaultTestCase):
    def test_full_and_freed(self):
        disk = kernel.Ext4(self, self.folder, 64)
        server = self.start_server(log_dirs=str(disk.path / "data"), log_segment_bytes="1048576")
        ledger = Ledger(server.bootstrap, "filled", partitions=2, size=1000, settings={"queue.buffering.max.messages": 4000})
        ballast = disk.path / "ballast"
        for cycle in range(ROUNDS):
            fill(ballast, BALLAST_MB // (cycle + 1) // 2)
            ledger.write(12_000 // ROUNDS, pace=2_000)
            with open(disk.path / "rest", "wb", buffering=0) as rest:  # all that is left
                try:
                    while True:
                        rest.write(b"\2" * 65536)
                except OSError:
                    pass
            before = ledger.count()
            deadline = time.monotonic() + 60
            while self.moves(ledger) and time.monotonic() < deadline:
                pass
            self.assertLess(ledger.count(), sum(ledger.sent), "the disk was never full")
            self.assertIsNone(server.process.poll(), "a full disk ended the node")
            found = ledger.read()
            self.assertGreaterEqual(sum(map(len, found)), before, "reads stopped with the disk")
            os.unlink(disk.path / "rest")
            os.unlink(ballast)
            freed = time.monotonic()
            ledger.wait_acknowledged(ledger.count() + 1, timeout=60)
            print(f"taken again {time.monotonic() - freed:.1f} s after there was room", flush=True)
            ledger.settle()
        ledger.check()
        server.stop()
        server.start()
        ledger.check()
        self.finish(server)

    @staticmethod
    def moves(ledger):
        """Whether anything was acknowledged within a second."""
        before, until = ledger.count(), time.monotonic() + 1
        while time.monotonic() < until:
            ledger.producer.poll(0.05)
        return ledger.count() > before


if __name__ == "__main__":
    kernel.main()
