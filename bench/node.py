"""A node under measure: a process on a directory of its own, what it uses, and how it is stopped, paused and killed."""
import os
import signal
import socket
import subprocess
import time

import kafka_requests as requests

TICKS = os.sysconf("SC_CLK_TCK")
# A node that is stopped by SIGSTOP for a while must not find itself fenced, which would be measured after it.
PROPERTIES = """process.roles=broker,controller
broker.session.timeout.ms=600000
node.id=1
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
log.dirs={folder}/data
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""


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


class Node:
    def __init__(self, name, command, folder, taken):
        """`command`: from the path of a server.properties to the words that start the node."""
        os.mkdir(folder)
        self.name, self.folder, self.port = name, folder, free_port(taken)
        self.process = None
        self.properties = os.path.join(folder, "server.properties")
        with open(self.properties, "w") as out:
            out.write(PROPERTIES.format(port=self.port, controller=free_port(taken), folder=folder))
        self.command = command(self.properties)

    def start(self, ready=None):
        """Seconds from exec until ready(), by default the first answer."""
        ready = ready or (lambda: requests.answers(self.port))
        with open(os.path.join(self.folder, "log"), "ab") as log:
            began = time.monotonic()
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, cwd=self.folder)
        while not ready():
            if self.process.poll() is not None or time.monotonic() - began > 180:
                with open(log.name, errors="replace") as said:
                    last = "".join(said.readlines()[-20:])
                raise SystemExit(f"{last}{self.name} did not start (exit status {self.process.poll()}); above: what it said last")
            time.sleep(0.001)
        return time.monotonic() - began

    def forget(self, key):
        """From the next start on, `key` has its default."""
        with open(self.properties) as file:
            kept = [line for line in file if not line.startswith(key + "=")]
        with open(self.properties, "w") as out:
            out.writelines(kept)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.pause(False)
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self):
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
