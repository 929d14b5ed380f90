"""Load on every loop of a node at once: writers and readers side by side, each on a partition of its own.

Each reader begins while its topic is being written, follows to the end, and checks every record. Meant above all for a
server built with ThreadSanitizer (./dev test --tsan), which ends at the first data race; the node's status shows it.

Environment: MILENA_BIN, see harness.py; MILENA_LOAD_SECONDS: go on with further topics for so long (none: one round).
argv[1] names bench_load (bench/load.cc).
"""

import json
import os
import subprocess
import sys
import time
import unittest

import harness

LOAD = None
WRITERS = {  # topic: properties of its writer
    "batches": ["linger.ms=5", "acks=-1"],
    "single": ["batch.num.messages=1", "linger.ms=0", "acks=1"],
    "packed": ["linger.ms=5", "acks=-1", "compression.codec=lz4", "enable.idempotence=true"],
    "plain": ["linger.ms=1", "acks=1"],
}
READER = ["fetch.wait.max.ms=100", "topic.metadata.refresh.interval.ms=200"]
RECORDS, SIZE = 20_000, 200


class Load(harness.ServerTestCase):
    def begin(self, server, mode, topic, properties):
        command = [LOAD, mode, server.bootstrap, topic, str(RECORDS), str(SIZE), *properties]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   preexec_fn=harness.die_with_parent)
        self.addCleanup(process.kill)
        return process

    def test_writers_and_readers_on_every_loop(self):
        server = self.start_server(num_network_threads="2", log_segment_bytes="1048576", log_flush_interval_messages="500")
        end = time.monotonic() + float(os.environ.get("MILENA_LOAD_SECONDS", "0"))
        number = 0
        while number == 0 or time.monotonic() < end:
            self.one_round(server, number)
            number += 1
        print(f"{number} rounds of {len(WRITERS)} writers and readers", file=sys.stderr)
        server.stop()

    def one_round(self, server, number):
        jobs = [("produce", topic, self.begin(server, "produce", f"{topic}{number}", properties))
                for topic, properties in WRITERS.items()]
        time.sleep(0.5)
        jobs += [("consume", topic, self.begin(server, "consume", f"{topic}{number}", READER)) for topic in WRITERS]
        for mode, topic, process in jobs:
            out, error = process.communicate(timeout=200)
            with self.subTest(mode=mode, topic=topic):
                self.assertEqual(process.returncode, 0, f"{out}{error[-2000:]}")
                self.assertEqual((json.loads(out)["records"], json.loads(out)["errors"]), (RECORDS, 0))


if __name__ == "__main__":
    LOAD = sys.argv.pop(1)
    unittest.main()
