"""Servers for tests that drive real clients: start, wait until ready, end politely or with kill -9, start again.

    class Case(harness.ServerTestCase):
        def test(self):
            server = self.start_server()
            ...  # server.bootstrap is "127.0.0.1:PORT"
            server.restart()         # SIGTERM, wait, start on the same data
            server.restart(kill=True)  # kill -9 instead
            server.stop()
            server = server.hand_over(harness.Kafka).start()  # the other server on the same data, config and ports

Environment: MILENA_BIN names the milena program (default: build/milena); MILENA_KAFKA_LIBS the folder with Apache
Kafka's jars (for `Kafka` and for Kafka's tools). MILENA_TEST_SERVER=kafka runs the same tests against Apache Kafka,
which shows whether a failing test or the server is wrong. What a node says of its cluster (cluster_state.py) must be
the same after each start as before the end, and each Milena node starts once more when its test is over. Ports are
chosen below 30000, where no outgoing connection takes one. Only processes that were started here are ended, by their
pid; they also die with the test (PR_SET_PDEATHSIG).
"""

import base64
import ctypes
import fcntl
import os
import pty
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import uuid
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent))
from cluster_state import check_same_state, cluster_state  # noqa: E402

LOG_TAIL_LINES = 60
ROOT = Path(__file__).resolve().parent.parent.parent
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30


def free_port():
    """A port in 10000..29999 that nobody listens on now, and that no other test gets while this process lives."""
    locks = Path(tempfile.gettempdir()) / "milena-test-ports"
    locks.mkdir(exist_ok=True)
    while True:
        port = random.randrange(10000, 30000)
        if port in free_port.given:
            continue
        lock = open(locks / str(port), "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                lock.close()
                continue
        free_port.given[port] = lock
        return port


free_port.given = {}  # port: the lock that keeps others off


def die_with_parent():
    """For preexec_fn: SIGKILL for the child when the test goes away."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def open_terminal():
    """A pseudo terminal: descriptors of its two ends, the program's last. Also where no devpts is mounted."""
    try:
        return pty.openpty()
    except OSError:
        return private_terminal()


def private_terminal():
    """A pseudo terminal from a devpts that is mounted nowhere: what a bare chroot lacks, without touching its mounts.

    Needs root. Linux's fsopen(2), fsconfig(2), fsmount(2), which this libc and Python have no names for."""
    libc = ctypes.CDLL(None, use_errno=True)

    def system_call(number, *arguments):
        result = libc.syscall(number, *arguments)
        if result < 0:
            raise OSError(ctypes.get_errno(), f"no pseudo terminal: {os.strerror(ctypes.get_errno())}; "
                          "mount devpts at /dev/pts or run as root")
        return result

    fsopen, fsconfig, fsmount, create = 430, 431, 432, 6
    context = system_call(fsopen, b"devpts", 0)
    system_call(fsconfig, context, create, None, None, 0)
    mount = system_call(fsmount, context, 0, 0)
    own = os.open("ptmx", os.O_RDWR | os.O_NOCTTY, dir_fd=mount)
    os.close(context)
    os.close(mount)  # the terminal keeps its file system alive
    fcntl.ioctl(own, 0x40045431, struct.pack("i", 0))  # TIOCSPTLCK: unlock the other end
    its = fcntl.ioctl(own, 0x5441, os.O_RDWR | os.O_NOCTTY)  # TIOCGPTPEER: open it without a path
    for end in own, its:
        os.set_inheritable(end, False)
    return own, its


def receive(stream, count):
    data = b""
    while len(data) < count:
        piece = stream.recv(count - len(data))
        if not piece:
            raise OSError("closed by the server")
        data += piece
    return data


def api_versions(port, timeout=2.0, host="127.0.0.1"):
    """{api key: (lowest, highest version)}, asked with ApiVersions v0. OSError: no such answer."""
    request = struct.pack(">hhih", 18, 0, 7, -1)
    with socket.create_connection((host, port), timeout=timeout) as stream:
        stream.sendall(struct.pack(">i", len(request)) + request)
        size = struct.unpack(">i", receive(stream, 4))[0]
        if not 10 <= size <= 1 << 20:
            raise OSError(f"an answer of {size} bytes")
        answer = receive(stream, size)
    correlation, error, count = struct.unpack_from(">ihi", answer)
    if (correlation, error) != (7, 0) or size < 10 + 6 * count:
        raise OSError(f"error {error}")
    return {key: (low, high) for key, low, high in struct.iter_unpack(">hhh", answer[10:10 + 6 * count])}


def answers_api_versions(port, timeout=2.0, host="127.0.0.1"):
    """Whether a node on host:port answers an ApiVersions v0 request with error 0."""
    try:
        return bool(api_versions(port, timeout, host))
    except OSError:
        return False


def wait_until(condition, timeout, what, interval=0.05):
    """Calls `condition` until it gives something true, and returns that. Raises after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise RuntimeError(f"not within {timeout} s: {what}")
        time.sleep(interval)


def random_cluster_id():
    """22 characters of URL-safe base64 that do not begin with a dash."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


class Node:
    """One node, broker and controller, on its own folder. Subclasses say how it is formatted and started."""

    name = "node"
    clean_statuses = (0,)

    def __init__(self, folder, overrides=None, host="127.0.0.1"):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.controller_port = free_port()
        self.host = host
        address = f"[{host}]" if ":" in host else host
        self.bootstrap = f"{address}:{self.port}"
        self.data = self.folder / "data"
        self.log_path = self.folder / f"{self.name}.log"
        self.config_path = self.folder / "server.properties"
        self.process = None
        self.state = None  # of the cluster, before the node ended
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{address}:{self.controller_port}",
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://{address}:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(self.data),
            "num.network.threads": "2",
            "num.partitions": "4",
            "offsets.topic.num.partitions": "4",
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            "milena.http.listeners": "",  # Kafka ignores it
        }
        settings.update(overrides or {})
        self.node_id = settings["node.id"]
        self.config_path.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))

    def format(self):
        """Makes the data folder ready, where that is a step of its own."""

    def command(self):
        raise NotImplementedError

    def environment(self):
        return {key: value for key, value in os.environ.items() if not key.startswith("KAFKA_")}

    def start(self, timeout=START_TIMEOUT_S):
        """Starts the node and waits until it answers. Raises with the end of its log if it does not."""
        assert self.process is None, "already running"
        if not self.data.exists():
            self.format()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=self.folder, env=self.environment(), preexec_fn=die_with_parent)
        deadline = time.monotonic() + timeout
        while not answers_api_versions(self.port, host=self.host):
            if self.process.poll() is not None:
                status = self.process.returncode
                self.process = None
                raise RuntimeError(f"{self.name} ended with status {status} while starting\n{self.log_tail()}")
            if time.monotonic() > deadline:
                self.close()
                raise RuntimeError(f"{self.name} did not answer within {timeout} s\n{self.log_tail()}")
            time.sleep(0.02)
        before, self.state = self.state, None
        if before is not None:
            check_same_state(before, self.host, self.port, self.node_id)
        return self

    def remember_state(self):
        """For the next start to compare with. A node that does not answer any more leaves nothing to compare."""
        try:
            self.state = cluster_state(self.host, self.port, self.node_id)
        except OSError:
            self.state = None

    def stop(self, timeout=STOP_TIMEOUT_S):
        """SIGTERM, then waits. Raises if the node had died before, does not end, or ends with a failure."""
        self.remember_state()
        process, self.process = self.process, None
        if process.poll() is not None:
            raise RuntimeError(f"{self.name} had ended by itself, status {process.returncode}\n{self.log_tail()}")
        process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise RuntimeError(f"{self.name} did not end within {timeout} s of SIGTERM\n{self.log_tail()}") from None
        if status not in self.clean_statuses:
            raise RuntimeError(f"{self.name} ended with status {status} after SIGTERM\n{self.log_tail()}")

    def kill(self):
        """kill -9, by pid. What the kernel has of its files stays, as after a crash of the process."""
        self.remember_state()
        process, self.process = self.process, None
        process.kill()
        process.wait()

    def restart(self, kill=False):
        if kill:
            self.kill()
        else:
            self.stop()
        self.start()

    def hand_over(self, other):
        """A node of class `other` on this one's folder, configuration and ports. REQUIRES: this one is stopped."""
        assert self.process is None, "stop it first"
        node = other.__new__(other)
        node.__dict__.update(self.__dict__)
        node.log_path = self.folder / f"{other.name}.log"
        return node

    def close(self):
        """Ends whatever runs; for cleaning up."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def log_tail(self, lines=LOG_TAIL_LINES):
        try:
            text = self.log_path.read_text(errors="replace").splitlines()
        except OSError:
            return f"(no {self.log_path.name})"
        return "\n".join([f"--- end of {self.name}'s log:"] + text[-lines:])


def milena_binary():
    return os.environ.get("MILENA_BIN") or str(ROOT / "build" / "milena")


class Milena(Node):
    name = "milena"

    def command(self):
        return [milena_binary(), "server", str(self.config_path)]


def run_kafka_tool(main, *arguments, timeout=60):
    """One of Kafka's command-line tools; returncode, stdout and stderr as text."""
    command = ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", kafka_classpath(), main, *arguments]
    return subprocess.run(command, timeout=timeout, capture_output=True, text=True)


def kafka_classpath():
    libs = Path(os.environ.get("MILENA_KAFKA_LIBS") or
                Path(__file__).parents[2] / ".cache" / "kafka-4.3.1" / "libs")  # where ./dev test puts them
    if not libs.is_dir():
        raise RuntimeError(f"no Apache Kafka jars in {libs}; ./dev test fetches them")
    return str(libs / "*")


class Kafka(Node):
    name = "kafka"
    clean_statuses = (0, 128 + signal.SIGTERM)  # a JVM's status after SIGTERM
    cluster_id = "5L6g3nShT-eMCtK--X86sw"

    def java(self, main, *arguments):
        return ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp", kafka_classpath(), main, *arguments]

    def format(self):
        subprocess.run(self.java("kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", self.cluster_id,
                                 "-c", str(self.config_path)),
                       check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)

    def command(self):
        return self.java("kafka.Kafka", str(self.config_path))


def server_class():
    return Kafka if os.environ.get("MILENA_TEST_SERVER") == "kafka" else Milena


class ServerTestCase(unittest.TestCase):
    """A test case with servers of its own in a temporary folder; a failure shows the end of their logs."""

    maxDiff = 4000
    temporary = None  # where the folder is made; by default where the system says

    def run(self, result=None):
        self.servers = []
        self.folder = Path(tempfile.mkdtemp(prefix="milena-test-", dir=self.temporary))
        before = len(result.failures) + len(result.errors)

        def failed():
            return len(result.failures) + len(result.errors) > before

        def start_once_more():
            for server in self.servers:
                if isinstance(server, Milena) and not failed():
                    if server.process is not None:
                        server.stop()
                    server.start()

        self.addCleanup(start_once_more)  # the last one: the clients are closed by then
        try:
            super().run(result)
        finally:
            for server in self.servers:
                if failed():
                    print(server.log_tail(), file=sys.stderr)
                server.close()
            shutil.rmtree(self.folder, ignore_errors=True)
        return result

    def start_server(self, host="127.0.0.1", **overrides):
        """A running node on `host`; `overrides` are configuration keys with underscores for dots."""
        settings = {key.replace("_", "."): value for key, value in overrides.items()}
        server = server_class()(self.folder / f"node{len(self.servers)}", settings, host)
        self.servers.append(server)
        return server.start()


def run_tool(command, **options):
    """subprocess.run that fails with what the program said. Returns its stdout as bytes."""
    options.setdefault("timeout", 60)
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))[:300]}: status {done.returncode}\n"
                             f"{done.stdout[-1500:].decode(errors='replace')}\n"
                             f"{done.stderr[-3000:].decode(errors='replace')}")
    return done.stdout
