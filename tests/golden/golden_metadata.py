#!/usr/bin/env python3
"""Metadata logs and snapshots: those of the real Kafka read by Milena, and the other way round.

  golden_metadata.py DRIVER WORK_DIR

First a real node formats a directory, lives through topics, configs, quotas and credentials, a clean stop and a second
start; Milena decodes, replays and encodes what it wrote. Then Milena writes a directory; Kafka's DumpLogSegments
decodes all of it, and a real node starts on it, finds the topic and writes on. Needs Kafka's jars
(kafka_jars.py).
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import kafka_jars

PROPERTIES = """process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
log.dirs={dir}
offsets.topic.replication.factor=1
metadata.log.max.record.bytes.between.snapshots=3000
"""


def free_ports():
    """Two neighbours below the range that outgoing connections take theirs from."""
    for port in range(10000 + os.getpid() % 15000, 29000, 2):
        try:
            for candidate in (port, port + 1):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", candidate))
            return port, port + 1
        except OSError:
            continue
    raise RuntimeError("no free port")


class Kafka:
    """The real thing on one log directory."""

    def __init__(self, work, name):
        self.log = os.path.join(work, name + ".out")
        self.controller, self.broker = free_ports()
        self.dir = os.path.join(work, name)
        self.config = os.path.join(work, name + ".properties")
        with open(self.config, "w", encoding="utf-8") as out:
            out.write(PROPERTIES.format(controller=self.controller, broker=self.broker, dir=self.dir))

    def java(self, *args, **more):
        command = ["java", "-Xmx256m", "-cp", kafka_jars.classpath(), *args]
        return subprocess.run(command, text=True, capture_output=True, timeout=120, **more)

    def tool(self, name, *args):
        result = self.java(name, "--bootstrap-server", f"127.0.0.1:{self.broker}", *args)
        if result.returncode:
            raise RuntimeError(f"{name} {args}: {result.stdout}{result.stderr}")
        return result.stdout

    def start(self):
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(
                ["java", "-Xmx512m", "-cp", kafka_jars.classpath(), "kafka.Kafka", self.config],
                stdout=out, stderr=out)
        for _ in range(120):
            time.sleep(0.5)
            if self.process.poll() is not None:
                break
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.broker)) == 0:
                    return
        self.stop()
        raise RuntimeError(f"Kafka does not start, see {self.log}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def dump(self, path):
        result = self.java("org.apache.kafka.tools.DumpLogSegments", "--cluster-metadata-decoder", "--files", path)
        return result.stdout if result.returncode == 0 else result.stderr


def write_with_kafka(kafka):
    formatted = kafka.java("kafka.tools.StorageTool", "format", "--standalone", "-t", "IZb-bWljTxusWWb85hb0Tw",
                           "-c", kafka.config)
    if formatted.returncode:
        raise RuntimeError(formatted.stderr)
    kafka.start()
    topics, configs = "org.apache.kafka.tools.TopicCommand", "kafka.admin.ConfigCommand"
    try:
        kafka.tool(topics, "--create", "--topic", "one", "--partitions", "3", "--config", "cleanup.policy=compact")
        kafka.tool(topics, "--create", "--topic", "two")
        kafka.tool(topics, "--delete", "--topic", "two")
        kafka.tool(configs, "--alter", "--entity-type", "topics", "--entity-name", "one",
                   "--add-config", "min.insync.replicas=1,retention.ms=100000")
        kafka.tool(configs, "--alter", "--entity-type", "clients", "--entity-name", "c",
                   "--add-config", "producer_byte_rate=1000")
        kafka.tool(configs, "--alter", "--entity-type", "users", "--entity-name", "alice",
                   "--add-config", "SCRAM-SHA-256=[password=x]")
    finally:
        kafka.stop()
    kafka.start()
    time.sleep(3)
    kafka.stop()


def check_dump(kafka, path, records):
    """Every batch valid, every record decoded."""
    text = kafka.dump(path)
    batches = re.findall(r"isvalid: (\w+)", text)
    payloads = re.findall(r"payload: \{\"type\":\"(\w+)\"", text)
    if not batches or set(batches) != {"true"} or len(payloads) != records:
        print(text[-3000:])
        print(f"FAILED: {path}: {len(batches)} batches, {len(payloads)} of {records} records decoded by Kafka")
        return 1
    print(f"{os.path.basename(path)}: Kafka decodes {len(payloads)} of {records} records")
    return 0


def read_with_kafka(driver, kafka):
    written = subprocess.run([driver, "write", kafka.dir, str(kafka.controller)], text=True, capture_output=True)
    print(written.stdout, end="")
    if written.returncode:
        return 1
    in_log, in_snapshot = map(int, re.findall(r"\d+", written.stdout)[:2])
    log_dir = os.path.join(kafka.dir, "__cluster_metadata-0")
    snapshot = sorted(name for name in os.listdir(log_dir) if name.endswith(".checkpoint"))[-1]
    failed = check_dump(kafka, os.path.join(log_dir, "00000000000000000000.log"), in_log)
    failed += check_dump(kafka, os.path.join(log_dir, snapshot), in_snapshot)
    kafka.start()
    try:
        described = kafka.tool("org.apache.kafka.tools.TopicCommand", "--describe")
    finally:
        kafka.stop()
    if described.count("Leader: 1") != 3 or "milena-made" not in described:
        print(f"FAILED: Kafka on Milena's directory says:\n{described}")
        failed += 1
    # What Kafka wrote behind it, and its snapshots, are as good to Milena as before.
    return failed + subprocess.run([driver, "verify", kafka.dir]).returncode


def main():
    driver, work = sys.argv[1:3]
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    kafka = Kafka(os.path.abspath(work), "by-kafka")
    write_with_kafka(kafka)
    failed = subprocess.run([driver, "verify", kafka.dir]).returncode
    failed += read_with_kafka(driver, Kafka(os.path.abspath(work), "by-milena"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
