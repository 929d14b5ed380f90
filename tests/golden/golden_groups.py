#!/usr/bin/env python3
"""Groups in a real Kafka's __consumer_offsets, as Milena reads them and as Kafka's own tools describe them.

  golden_groups.py DRIVER WORK_DIR

Starts one Kafka node, fills it with groups of many kinds (classic, static, KIP-848, simple, transactional, left,
deleted), asks Kafka about them, stops it while the members are there, and reads its log directory. Needs Kafka's jars
(kafka_jars.py).
"""
import os
import random
import shutil
import socket
import subprocess
import sys
import time

import kafka_jars


def free_ports(count):
    """Below the ephemeral range, so that no outgoing connection takes them."""
    ports = []
    while len(ports) < count:
        port = random.randrange(10000, 30000)
        with socket.socket() as probe:
            if port not in ports and probe.connect_ex(("127.0.0.1", port)) != 0:
                ports.append(port)
    return ports


def write_properties(path, log_dir, ports):
    broker, controller = ports
    listeners = f"PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}"
    lines = [
        "process.roles=broker,controller", "node.id=1", f"controller.quorum.bootstrap.servers=127.0.0.1:{controller}",
        f"listeners={listeners}", f"advertised.listeners={listeners}", "controller.listener.names=CONTROLLER",
        f"log.dirs={log_dir}", "offsets.topic.replication.factor=1", "offsets.topic.num.partitions=7",
        "transaction.state.log.replication.factor=1", "transaction.state.log.min.isr=1",
        "share.coordinator.state.topic.replication.factor=1", "share.coordinator.state.topic.min.isr=1",
        "group.initial.rebalance.delay.ms=500",
    ]
    with open(path, "w", encoding="utf-8") as out:
        out.write("\n".join(lines) + "\n")


def wait_for_port(port, process):
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError("Kafka did not start")


def ask_kafka(work, log_dir):
    """Kafka's answers; its log directory is left behind, without the goodbye of any member."""
    properties, said = os.path.join(work, "server.properties"), os.path.join(work, "kafka.txt")
    ports = free_ports(2)
    write_properties(properties, log_dir, ports)
    java = kafka_jars.java
    cluster = subprocess.check_output(java("kafka.tools.StorageTool", "random-uuid"), text=True).split()[-1]
    subprocess.run(java("kafka.tools.StorageTool", "format", "--standalone", "-t", cluster, "-c", properties),
                   check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(work, "broker.log"), "wb") as log:
        broker = subprocess.Popen(java("-Xmx512m", "kafka.Kafka", properties), stdout=log, stderr=log)
        try:
            wait_for_port(ports[0], broker)
            subprocess.run(java(str(kafka_jars.HERE / "GoldenGroups.java"), f"127.0.0.1:{ports[0]}", said),
                           check=True, timeout=300)
        finally:
            broker.terminate()
            try:
                broker.wait(60)
            except subprocess.TimeoutExpired:
                broker.kill()
                broker.wait()
    with open(said, encoding="utf-8") as lines:
        return lines.read().splitlines()


def tool_lines(lines):
    """What ConsumerGroupCommand would print of classic groups, from Milena's own lines."""
    owners = {}
    for line in lines:
        if line.startswith("member "):
            head, partitions = line.split(" [")
            _, group, member, _, client, host = head.split(" ")
            for partition in partitions.rstrip("]").split(","):
                owners[group, partition] = f"{member} {host[5:]} {client[7:]}"
    return {f"tool {w[1]} {w[2]} {w[3]} {owners.get((w[1], w[2]), '- - -')}"
            for w in (line.split(" ") for line in lines if line.startswith("offset "))}


def main():
    driver, work = sys.argv[1:3]
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    log_dir = os.path.join(work, "logs")
    expected = ask_kafka(work, log_dir)
    run = subprocess.run([driver, log_dir], stdout=subprocess.PIPE, text=True, encoding="utf-8")
    actual = run.stdout.splitlines()

    said = {line for line in expected if not line.startswith("tool ")}
    differences = [f"Kafka:  {line}" for line in sorted(said - set(actual))]
    differences += [f"Milena: {line}" for line in sorted(set(actual) - said)]
    mine = tool_lines(actual)
    # Who owns what in a KIP-848 group is not for classic eyes: there the tool's lines are left out.
    tools = [line for line in expected if line.startswith("tool ") and not line.startswith("tool kip-848 ")]
    differences += [f"ConsumerGroupCommand: {line}" for line in tools if line not in mine]
    print("\n".join(differences))
    print(f"{len(said) + len(tools) - len(differences)} of {len(said) + len(tools)} lines agree")
    return 1 if differences or run.returncode or len(said) < 20 or not tools else 0


if __name__ == "__main__":
    sys.exit(main())
