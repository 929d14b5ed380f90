"""A sync that fails is believed the first time: the node stops taking records and ends, and what it acknowledged before
is there when the device is well again.

Two ways to fail: the real one (a loop device whose backing file lies on a full tmpfs: the first fsync says ENOSPC, a
later one succeeds with the data gone), and an error put in by strace at the n-th sync."""
import subprocess

import kernel  # first: it finds the harness
from ledger import Ledger
from traced import Traced


class FailedSync(kernel.FaultTestCase):
    def start_on(self, server):
        self.servers.append(server)
        return server.start()

    def wait_for_end(self, server):
        """The node ends by itself, with a failure."""
        try:
            status = server.process.wait(60)
        except subprocess.TimeoutExpired:
            self.fail("the node goes on after a failed sync")
        server.process = None
        self.assertNotEqual(status, 0, "a failed sync looks like a clean end")

    def test_device_loses_pages(self):
        room = kernel.Tmpfs(self, self.folder, 128)
        disk = kernel.Ext4(self, self.folder, 100, backing=room.path)
        server = self.start_server(log_dirs=str(disk.path / "data"), log_flush_interval_messages="1",
                                   log_segment_bytes="1048576")
        ledger = Ledger(server.bootstrap, "lossy", partitions=2, size=1000)
        ledger.write(60_000, pace=3_000)
        ledger.wait_acknowledged(1_000)
        room.shrink()  # nearly nothing left behind the device
        self.wait_for_end(server)
        ledger.stop_writing()
        disk.unmount()
        room.resize(128)
        disk.mount()
        subprocess.run(["fsck.ext4", "-fn", str(disk.image)], capture_output=True)
        server.start()
        found = ledger.anomalies()
        print(f"{ledger.count()} acknowledged before the sync failed: {found}", flush=True)
        self.assertEqual((found["lost"], found["reordered"]), (0, 0))
        self.finish(server)

    def test_every_kind_of_sync(self):
        kernel.need_strace()
        for n in (30, 60, 90):
            with self.subTest(sync=n):
                server = Traced(self.folder / f"traced{n}", {"log.flush.interval.messages": "1"})
                server.rules = ("trace=fsync,fdatasync", f"inject=fsync,fdatasync:error=EIO:when={n}+")
                self.start_on(server)
                ledger = Ledger(server.bootstrap, "injected", partitions=2)
                ledger.write(100_000, pace=2_000)
                self.wait_for_end(server)
                acknowledged = ledger.count()
                ledger.stop_writing()
                server.rules = ("trace=none",)
                server.start()
                found = ledger.anomalies()
                print(f"sync {n} failed: {acknowledged} acknowledged, {found}", flush=True)
                self.assertEqual((found["lost"], found["reordered"]), (0, 0))
                self.finish(server)


if __name__ == "__main__":
    kernel.main()
