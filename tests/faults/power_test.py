"""The power goes: ext4 takes nothing more and forgets what was not synced. With a sync before each acknowledgement
nothing acknowledged may be missing afterwards."""
import os
import time

import kernel
from ledger import Ledger

CUTS = 10


class Power(kernel.FaultTestCase):
    def test_synced_records_survive(self):
        disk = kernel.Ext4(self, self.folder, 256)
        server = self.start_server(log_dirs=str(disk.path / "data"), log_flush_interval_messages="1",
                                   log_segment_bytes="1048576")
        ledger = Ledger(server.bootstrap, "powered", partitions=4)
        for cut in range(1, CUTS + 1):
            ledger.write(3_000, pace=6_000)
            ledger.wait_acknowledged(ledger.count() + 1_000)
            disk.cut_power()
            time.sleep(0.02 * cut)  # what is acknowledged now would be lost
            server.close()
            disk.power_on()
            server.start()
        ledger.settle()
        ledger.check()
        server.stop()
        server.start()
        ledger.check()
        self.finish(server)


if __name__ == "__main__":
    kernel.main()
