#!/usr/bin/env python3
"""Measures Milena and Apache Kafka side by side, in one run, with the same clients, and prints ratios.

    bench/bench.py --quick --milena build/milena --load build/bench_load --kafka-libs DIR

Both nodes stay up; the one that is not measured is stopped by SIGSTOP. Each load runs on Milena, then on Kafka,
`--repeats` times in turn after one warm-up, and the median counts. Broker CPU is user and system time of the
process from /proc. Every load checks what it wrote or read; a failed check ends the run without numbers.
"""
import argparse
import json
import os
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

TICKS = os.sysconf("SC_CLK_TCK")
API_VERSIONS = struct.pack(">hhih5s", 18, 0, 1, 5, b"bench")


def free_port(taken):
    for port in range(21000, 29999):
        if port in taken:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        taken.add(port)
        return port
    raise SystemExit("no free port between 21000 and 29999")


def answers(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as sock:
            sock.sendall(struct.pack(">i", len(API_VERSIONS)) + API_VERSIONS)
            return len(sock.recv(64)) > 8
    except OSError:
        return False


class Node:
    def __init__(self, name, command, folder, ports):
        self.name, self.command, self.folder, self.port = name, command, folder, ports[0]
        self.process = None
        self.properties = os.path.join(folder, "server.properties")
        with open(self.properties, "w") as out:
            out.write(f"""process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{ports[0]},CONTROLLER://127.0.0.1:{ports[1]}
advertised.listeners=PLAINTEXT://127.0.0.1:{ports[0]},CONTROLLER://127.0.0.1:{ports[1]}
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=127.0.0.1:{ports[1]}
log.dirs={folder}/data
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
""")

    def start(self):
        """Seconds from exec to the first answer."""
        log = open(os.path.join(self.folder, "log"), "ab")
        began = time.monotonic()
        self.process = subprocess.Popen(self.command(self.properties), stdout=log, stderr=log, cwd=self.folder)
        while not answers(self.port):
            if self.process.poll() is not None or time.monotonic() - began > 120:
                raise SystemExit(f"{self.name} did not start; its log is {log.name}")
            time.sleep(0.001)
        return time.monotonic() - began

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def pause(self, paused):
        self.process.send_signal(signal.SIGSTOP if paused else signal.SIGCONT)

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss_mb(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) / 1024
        return 0.0


def run_load(load, node, mode, topic, records, size, properties):
    before = node.cpu_seconds()
    result = subprocess.run([load, mode, f"127.0.0.1:{node.port}", topic, str(records), str(size), *properties],
                            capture_output=True, text=True, timeout=600)
    if result.returncode != 0:
        raise SystemExit(f"the correctness gate failed on {node.name}: {mode} {topic}: {result.stdout}{result.stderr}")
    outcome = json.loads(result.stdout)
    outcome["cpu"] = node.cpu_seconds() - before
    return outcome


def measure(nodes, load, mode, topic, records, size, properties, repeats, unit):
    """Median of unit(outcome) per node; runs in turn, the other node stopped."""
    figures = {node.name: [] for node in nodes}
    for turn in range(repeats + 1):
        for node in nodes:
            for other in nodes:
                if other is not node:
                    other.pause(True)
            outcome = run_load(load, node, mode, f"{topic}-{turn if mode == 'produce' else 0}", records, size, properties)
            for other in nodes:
                if other is not node:
                    other.pause(False)
            if turn > 0:  # the first turn warms up
                figures[node.name].append(unit(outcome))
    return {name: statistics.median(values) for name, values in figures.items()}


def per_gb(outcome):
    return outcome["cpu"] / (outcome["bytes"] / 1e9)


def per_request_us(outcome):
    return outcome["cpu"] / outcome["records"] * 1e6


def row(label, unit, values, digits=2):
    milena, kafka = values["Milena"], values["Kafka"]
    ratio = kafka / milena if milena > 0 else float("inf")
    print(f"| {label} | {milena:.{digits}f} {unit} | {kafka:.{digits}f} {unit} | {ratio:.1f}x |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small loads, under 5 minutes")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--milena", required=True)
    parser.add_argument("--load", required=True)
    parser.add_argument("--kafka-libs", required=True)
    parser.add_argument("--idle-seconds", type=int, default=60)
    options = parser.parse_args()
    scale = 1 if options.quick else 4
    milena, load = os.path.abspath(options.milena), os.path.abspath(options.load)
    classpath = os.path.join(os.path.abspath(options.kafka_libs), "*")
    taken = set()
    with tempfile.TemporaryDirectory(prefix="milena-bench-") as folder:
        nodes = []
        for name in ("Milena", "Kafka"):
            os.mkdir(os.path.join(folder, name))
        java = ["java", "-Xms1g", "-Xmx1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-cp", classpath]
        nodes.append(Node("Milena", lambda p: [milena, "server", p], os.path.join(folder, "Milena"),
                          (free_port(taken), free_port(taken))))
        nodes.append(Node("Kafka", lambda p: [*java, "kafka.Kafka", p], os.path.join(folder, "Kafka"),
                          (free_port(taken), free_port(taken))))
        subprocess.run([*java, "kafka.tools.StorageTool", "format", "--standalone", "-t", "4L6g3nShT-eMCtK--X86sw", "-c",
                        nodes[1].properties], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            nodes[0].start()  # formats
            nodes[0].stop()
            print("| measure | Milena | Kafka | Kafka / Milena |\n|---|---|---|---|", flush=True)
            starts = {}
            for node in nodes:
                times = []
                for _ in range(2):
                    times.append(node.start() * 1000)
                    node.stop()
                starts[node.name] = statistics.median(times)
            row("exec to first ApiVersions reply, formatted directory", "ms", starts, 0)
            for node in nodes:
                node.start()
            time.sleep(options.idle_seconds)
            row(f"VmRSS {options.idle_seconds} s later", "MB", {n.name: n.rss_mb() for n in nodes}, 1)
            bulk = ["batch.size=1000000", "linger.ms=10", "acks=1", "queue.buffering.max.messages=200000",
                    "batch.num.messages=100000", "message.max.bytes=1000012"]
            records = 300_000 * scale
            row("broker CPU-s per GB produced (1 KB records, 1 MB batches)", "s",
                measure(nodes, load, "produce", "bulk", records, 1024, bulk, options.repeats, per_gb))
            fetch = ["fetch.message.max.bytes=1048576", "fetch.wait.max.ms=500", "check.crcs=true"]
            row("broker CPU-s per GB consumed", "s",
                measure(nodes, load, "consume", "bulk", records, 1024, fetch, options.repeats, per_gb))
            single = ["batch.num.messages=1", "linger.ms=0", "acks=1", "max.in.flight=100"]
            row("broker CPU per unbatched request, 100 in flight (100 B)", "us",
                measure(nodes, load, "produce", "single", 60_000 * scale, 100, single, options.repeats, per_request_us), 1)
        finally:
            for node in nodes:
                node.stop()


if __name__ == "__main__":
    sys.exit(main())
