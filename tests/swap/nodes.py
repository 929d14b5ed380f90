"""One node's directories, and the servers that take turns on them: Apache Kafka and Milena, each its own process."""
import base64
import os
import re
import signal
import subprocess
import sys
import time
import uuid

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "clients"))
from cluster_state import check_same_state, cluster_state  # noqa: E402, F401
from harness import answers_api_versions, die_with_parent, free_port  # noqa: E402

LOG4J = """<Configuration status="WARN"><Appenders><Console name="out" target="{target}">
<PatternLayout pattern="%d{{HH:mm:ss,SSS}} %p %c %m%n"/></Console></Appenders>
<Loggers><Root level="{level}"><AppenderRef ref="out"/></Root></Loggers></Configuration>
"""


def write_log4j(path, target, level):
    with open(path, "w", encoding="utf-8") as out:
        out.write(LOG4J.format(target=target, level=level))
    return f"-Dlog4j2.configurationFile={path}"


class Directories:
    """A server.properties that both servers run on, and the log directories it names."""

    def __init__(self, work, static, log_dirs=1, more=()):
        os.makedirs(work)
        self.work, self.static = work, static
        self.log_dirs = [os.path.join(work, f"data-{n}") for n in range(log_dirs)]
        broker, controller = free_port(), free_port()
        self.bootstrap = f"127.0.0.1:{broker}"
        self.port = broker
        self.properties = os.path.join(work, "server.properties")
        listeners = f"PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}"
        quorum = (f"controller.quorum.voters=1@127.0.0.1:{controller}" if static
                  else f"controller.quorum.bootstrap.servers=127.0.0.1:{controller}")
        lines = [
            "process.roles=broker,controller", "node.id=1", quorum, f"listeners={listeners}",
            f"advertised.listeners={listeners}", "controller.listener.names=CONTROLLER",
            f"log.dirs={','.join(self.log_dirs)}", "num.network.threads=2", "num.io.threads=4",
            "offsets.topic.replication.factor=1", "offsets.topic.num.partitions=5",
            "transaction.state.log.replication.factor=1", "transaction.state.log.min.isr=1",
            "transaction.state.log.num.partitions=3", "share.coordinator.state.topic.replication.factor=1",
            "share.coordinator.state.topic.min.isr=1", "share.coordinator.state.topic.num.partitions=3", "group.initial.rebalance.delay.ms=0",
            "auto.create.topics.enable=false",
            # How soon a killed node's registration gives way to the next one.
            "broker.session.timeout.ms=5000", "broker.heartbeat.interval.ms=1000", *more,
        ]
        with open(self.properties, "w", encoding="utf-8") as out:
            out.write("\n".join(lines) + "\n")
        self.cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "a", 1)

    def has_clean_mark(self):
        return [os.path.exists(os.path.join(d, ".kafka_cleanshutdown")) for d in self.log_dirs]


class Server:
    """A process in the foreground; its output goes to a file of its own."""

    def __init__(self, name, argv, log, port):
        self.name, self.log = name, log
        with open(log, "wb") as out:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            preexec_fn=die_with_parent)
        self._wait(port)

    def _wait(self, port):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            if answers_api_versions(port):
                return
            time.sleep(0.05)
        tail = self.tail()
        self.end()
        raise AssertionError(f"{self.name} did not start:\n{tail}")

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as lines:
            return lines.read()

    def tail(self, lines=30):
        return "\n".join(self.text().splitlines()[-lines:])

    def stop(self):
        """A clean stop; anything but a clean exit is a failure."""
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.end()
            raise AssertionError(f"{self.name} did not stop:\n{self.tail()}") from None
        if code not in (0, 143, -signal.SIGTERM):
            raise AssertionError(f"{self.name} stopped with {code}:\n{self.tail()}")

    def end(self):
        """kill -9, of exactly this process."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Kafka(Server):
    def __init__(self, libs, directories, log):
        config = write_log4j(os.path.join(directories.work, "kafka-log4j2.xml"), "SYSTEM_OUT", "INFO")
        super().__init__("Kafka", ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", config, "-cp",
                                   os.path.join(libs, "*"), "kafka.Kafka", directories.properties], log, directories.port)

    def errors(self):
        lines = self.text().splitlines()
        return [line for line, after in zip(lines, lines[1:] + [""])
                if re.match(r"[\d:,]+ (ERROR|FATAL) ", line) and not self._only_slow(line, after)]

    @staticmethod
    def _only_slow(line, after):
        """What Kafka says on its own directories too where the machine is busy: a node registers its controller before
        that one leads, or a heartbeat waits in the controller's queue."""
        return ("controller event queue overloaded" in line or
                "apiKey=CONTROLLER_REGISTRATION" in line and "NotControllerException" in after)


class Milena(Server):
    def __init__(self, binary, directories, log):
        super().__init__("Milena", [binary, "server", directories.properties], log, directories.port)

    def errors(self):
        return [line for line in self.text().splitlines() if re.search(r"\b(error|critical|fatal)\b", line[:60], re.I)]


class Peer:
    """The Java client side (Peer.java), compiled once, one JVM for all cases."""

    def __init__(self, libs, sources, work):
        classes = os.path.join(work, "classes")
        classpath = os.path.join(libs, "*")
        subprocess.run(["javac", "-nowarn", "-d", classes, "-cp", classpath, *sources], check=True)
        config = write_log4j(os.path.join(work, "peer-log4j2.xml"), "SYSTEM_ERR", "WARN")
        self.log = os.path.join(work, "peer.log")
        self.errors = open(self.log, "wb")
        self.process = subprocess.Popen(
            ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", config, "-cp", f"{classes}:{classpath}", "Peer"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True, bufsize=1)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        answer = self.process.stdout.readline().strip()
        if not answer.startswith("ok"):
            raise AssertionError(f"{line}: {answer.replace(' | ', chr(10)) or 'no answer, see ' + self.log}")
        return answer[3:]

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()
        self.errors.close()
