#!/usr/bin/env python3
"""Measures Milena and Apache Kafka side by side, in one run, with the same clients, and prints ratios.

    bench/bench.py --quick --milena build/milena --load build/bench_load --floor build/bench_floor --kafka-libs DIR

Both nodes stay up; the one that is not measured is stopped by SIGSTOP. Each load runs on Milena, then on Kafka, in
turn after warm-up turns that do not count, and the median counts. Broker CPU is user and system time of the process
from /proc. Before each load that writes, as much memory is used and freed again, so that nobody pays for what the host
of a virtual machine does when it supplies memory. Every load checks what it wrote or read; a failed check ends the run
without numbers. The floor is what a minimal program needs for the same bytes or requests (floor/floor.cc). Ratios above
1 are in Milena's favour.
"""
import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import kafka_requests as requests
from node import Node

JAVA = ["java", "-Xms1g", "-Xmx1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"]
BULK = ["batch.size=1000000", "linger.ms=10", "acks=1", "queue.buffering.max.messages=200000",
        "batch.num.messages=100000", "message.max.bytes=1000012"]
# The Java producer's defaults, whose batches end at 16 KB; librdkafka's own are bigger.
DEFAULTS = ["batch.size=16384", "linger.ms=5", "acks=all", "queue.buffering.max.messages=500000"]
UNBATCHED = ["batch.num.messages=1", "linger.ms=0", "acks=1", "max.in.flight=100"]
FETCH = ["fetch.message.max.bytes=1048576", "fetch.wait.max.ms=500", "check.crcs=true"]
MANY = 3000
IDLE_SECONDS = 25


def per_gb(outcome):
    return outcome["cpu"] / (outcome["bytes"] / 1e9)


def per_million(outcome):
    return outcome["cpu"] / outcome["records"] * 1e6


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        taken = set()
        classpath = os.path.join(os.path.abspath(options.kafka_libs), "*")
        milena = os.path.abspath(options.milena)
        self.nodes = [Node("Milena", lambda p: [milena, "server", p], os.path.join(folder, "milena"), taken),
                      Node("Kafka", lambda p: [*JAVA, "-cp", classpath, "kafka.Kafka", p], os.path.join(folder, "kafka"), taken)]
        subprocess.run([*JAVA, "-cp", classpath, "kafka.tools.StorageTool", "format", "--standalone", "-t",
                        "4L6g3nShT-eMCtK--X86sw", "-c", self.nodes[1].properties],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.nodes[0].start()  # formats
        self.nodes[0].stop()

    def stop(self):
        for node in self.nodes:
            node.stop()

    def alone(self, node, work):
        others = [other for other in self.nodes if other is not node]
        for other in others:
            other.pause(True)
        try:
            return work()
        finally:
            for other in others:
                other.pause(False)

    def load(self, node, mode, topic, records, size, properties):
        if mode == "produce":
            warm_memory(self.folder, records * (size + 12) * 5 // 4)
        before = node.cpu_seconds()
        result = subprocess.run([self.options.load, mode, f"127.0.0.1:{node.port}", topic, str(records), str(size), *properties],
                                capture_output=True, text=True, timeout=600)
        if result.returncode != 0:
            raise SystemExit(f"the correctness gate failed on {node.name}: {mode} {topic}: {result.stdout}{result.stderr}")
        outcome = json.loads(result.stdout)
        outcome["cpu"] = node.cpu_seconds() - before
        return outcome

    def in_turn(self, mode, topic, records, size, properties, unit, warm_up):
        """Median of unit(outcome) per node."""
        figures = {node.name: [] for node in self.nodes}
        for turn in range(self.options.repeats + warm_up):
            for node in self.nodes:
                name = f"{topic}-{turn if mode == 'produce' else 0}"
                outcome = self.alone(node, lambda: self.load(node, mode, name, records, size, properties))
                if turn >= warm_up:
                    figures[node.name].append(unit(outcome))
        return {name: statistics.median(values) for name, values in figures.items()}

    def floor(self, mode, size, count, in_flight):
        for node in self.nodes:
            node.pause(True)
        runs = []
        for _ in range(3):
            result = subprocess.run([self.options.floor, mode, str(size), str(count), str(in_flight), self.folder],
                                    capture_output=True, text=True, timeout=120, check=True)
            runs.append(json.loads(result.stdout)["cpu"])
        for node in self.nodes:
            node.pause(False)
        return statistics.median(runs)


def row(label, unit, values, floor=None, digits=2):
    milena, kafka = values["Milena"], values["Kafka"]
    # The kernel counts processor time in ticks: below one, nothing can be told but a bound.
    ratio = f"{kafka / milena:.1f}x" if milena > 0 else "-"
    lowest = f"{floor:.{digits}f} {unit}" if floor is not None else ""
    print(f"| {label} | {milena:.{digits}f} {unit} | {kafka:.{digits}f} {unit} | {ratio} | {lowest} |", flush=True)


def machine():
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), platform.machine())
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} cores, {gib:.0f} GiB, Linux {platform.release()}"


def warm_memory(folder, size):
    """Leaves as much free memory behind that was just in use. A virtual machine gives free pages back to its host, and
    the first touch of one that it has to ask for again costs several times the write itself."""
    path = os.path.join(folder, "memory")
    block = bytes(1 << 20)
    with open(path, "wb", buffering=0) as file:
        for _ in range(size >> 20):
            file.write(block)
    os.remove(path)


def lifecycle(bench):
    starts = {}
    for node in bench.nodes:
        times = []
        for _ in range(2):
            times.append(node.start() * 1000)
            node.stop()
        starts[node.name] = statistics.median(times)
    row("exec to first ApiVersions reply, formatted directory", "ms", starts, digits=0)
    for node in bench.nodes:
        node.start()
    seconds = bench.options.idle_seconds
    time.sleep(seconds)
    row(f"VmRSS {seconds} s later", "MB", {n.name: n.rss_mb() for n in bench.nodes}, digits=1)


def data_path(bench, scale):
    records = 300_000 * scale
    floor = bench.floor("append", 1_000_000, 600, 5) / 0.6
    row("broker CPU-s per GB produced (1 KB records, 1 MB batches)", "s",
        bench.in_turn("produce", "bulk", records, 1024, BULK, per_gb, 2), floor)
    floor = bench.floor("send", 1 << 20, 500, 1) / (500 * (1 << 20) / 1e9)
    row("broker CPU-s per GB consumed", "s", bench.in_turn("consume", "bulk", records, 1024, FETCH, per_gb, 1), floor)
    records = 1_000_000 * scale
    frames = 4000
    floor = bench.floor("append", 16384, frames, 5) / (frames * 16384 / 110) * 1e6  # a record of 100 B takes 110
    row("broker CPU-s per million records (100 B, 16 KB batches)", "s",
        bench.in_turn("produce", "defaults", records, 100, DEFAULTS, per_million, 2), floor)
    floor = bench.floor("echo", 250, 60_000, 100) / 60_000 * 1e6
    row("broker CPU-s per million unbatched requests (100 B, 100 in flight)", "s",
        bench.in_turn("produce", "single", 60_000 * scale, 100, UNBATCHED, per_million, 2), floor, 1)


def many_partitions(bench):
    for node in bench.nodes:
        requests.create_topic(node.port, "many", MANY)
        while not requests.serves(node.port, "many", MANY):
            time.sleep(0.05)
        bench.load(node, "produce", "many", 10 * MANY, 100, [f"spread={MANY}", "acks=1"])
    time.sleep(10)
    row(f"VmRSS with {MANY} partitions", "MB", {n.name: n.rss_mb() for n in bench.nodes}, digits=1)
    before = {node.name: node.cpu_seconds() for node in bench.nodes}
    time.sleep(IDLE_SECONDS)
    idle = {node.name: (node.cpu_seconds() - before[node.name]) / IDLE_SECONDS * 1000 for node in bench.nodes}
    row(f"processor time of {MANY} idle partitions, per second", "ms", idle, digits=2)
    serving = {}
    for node in bench.nodes:
        def restart(node=node):
            node.kill()
            node.forget("broker.session.timeout.ms")  # Kafka waits for its former self's session to end
            return node.start(lambda: requests.serves(node.port, "many", MANY)) * 1000
        serving[node.name] = bench.alone(node, restart)
    row(f"kill -9 to all {MANY} partitions served", "ms", serving, digits=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small loads, under 5 minutes")
    parser.add_argument("--only", choices=["lifecycle", "data", "many"], help="one part of the table")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--milena", required=True)
    parser.add_argument("--load", required=True)
    parser.add_argument("--floor", required=True)
    parser.add_argument("--kafka-libs", required=True)
    parser.add_argument("--idle-seconds", type=int, default=60)
    options = parser.parse_args()
    options.load, options.floor = os.path.abspath(options.load), os.path.abspath(options.floor)
    with tempfile.TemporaryDirectory(prefix="milena-bench-") as folder:
        bench = Bench(options, folder)
        try:
            print(machine() + "\n", flush=True)
            print("| measure | Milena | Kafka | Kafka / Milena | floor |\n|---|---|---|---|---|", flush=True)
            if options.only in (None, "lifecycle"):
                lifecycle(bench)
            else:
                for node in bench.nodes:
                    node.start()
            if options.only in (None, "data"):
                data_path(bench, 1 if options.quick else 4)
            if options.only in (None, "many"):
                many_partitions(bench)
        finally:
            bench.stop()


if __name__ == "__main__":
    sys.exit(main())
