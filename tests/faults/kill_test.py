"""kill -9 again and again under load: 200,000 acknowledged records, none lost, twice or out of order."""
import os
import random

import kernel  # first: it finds the harness
import harness
from ledger import Ledger

RECORDS = int(os.environ.get("MILENA_KILL_RECORDS", "200000"))
KILLS = int(os.environ.get("MILENA_KILLS", "20"))


class Kill(harness.ServerTestCase):
    def test_killed_under_load(self):
        server = self.start_server(log_segment_bytes="1048576")
        ledger = Ledger(server.bootstrap, "killed", partitions=4)
        ledger.write(RECORDS)
        for kill in range(1, KILLS + 1):
            ledger.wait_acknowledged(kill * RECORDS // (KILLS + 2) + random.randrange(500))
            server.kill()
            server.start()
        ledger.settle()
        self.assertEqual(ledger.count(), RECORDS)
        ledger.check()
        server.stop()
        server.start()
        ledger.check()


if __name__ == "__main__":
    kernel.main()
