#!/usr/bin/env python3
"""`milena server` as a person meets it: the first start, what it says, what it refuses, how it ends.

Environment: MILENA_BIN (the binary under test); the rest is in harness.py.
"""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import harness  # noqa: E402


class Server(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="milena-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.port = 0
        while not self.port:
            port = harness.free_port()
            with socket.socket() as probe:
                try:
                    probe.bind(("127.0.0.1", port + 1))  # the controller takes the next port
                    self.port = port
                except OSError:
                    pass

    def environment(self, **more):
        values = {key: value for key, value in os.environ.items() if not key.startswith(("KAFKA_", "MILENA_"))}
        return dict(values, TERM="dumb", NO_COLOR="1", **more)

    def start(self, *arguments, **environment):
        """A running node without a terminal, and what it says when it is ready. If it still runs when the test is
        over, it is stopped and started once more."""
        process, ready = self.launch(*arguments, **environment)
        self.addCleanup(self.start_once_more, process, arguments, environment)
        return process, ready

    def start_once_more(self, process, arguments, environment):
        if process.poll() is not None:
            return
        before = harness.cluster_state("127.0.0.1", self.port)
        process.terminate()
        self.assertEqual(process.wait(30), 0)
        self.launch(*arguments, **environment)
        harness.check_same_state(before, "127.0.0.1", self.port)

    def launch(self, *arguments, **environment):
        process = subprocess.Popen([harness.milena_binary(), "server", *arguments], cwd=self.folder, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=self.environment(**environment), preexec_fn=harness.die_with_parent)
        self.addCleanup(self.end, process)
        line = process.stdout.readline()
        if not line:
            self.fail(process.communicate()[1])
        return process, json.loads(line)

    def end(self, process):
        process.kill()
        process.communicate()

    def refused(self, *arguments, code=1, **environment):
        """What a node that does not start says; it must not go on."""
        done = subprocess.run([harness.milena_binary(), "server", *arguments], cwd=self.folder, text=True, timeout=30,
                              capture_output=True, stdin=subprocess.DEVNULL, env=self.environment(**environment))
        self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
        return done.stderr

    def config_file(self, **changes):
        values = {"process.roles": "broker,controller", "node.id": "1", "log.dirs": str(self.folder / "logs"),
                  "controller.quorum.bootstrap.servers": f"127.0.0.1:{self.port + 1}",
                  "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.port + 1}",
                  "controller.listener.names": "CONTROLLER"}
        values.update({key.replace("_", "."): value for key, value in changes.items()})
        path = self.folder / "server.properties"
        path.write_text("".join(f"{key}={value}\n" for key, value in values.items()))
        return str(path)

    def test_the_banner_and_the_commands_it_names(self):
        own, its = harness.open_terminal()
        path = f"{Path(harness.milena_binary()).parent}:{os.environ['PATH']}"
        process = subprocess.Popen([harness.milena_binary(), "server", "--port", str(self.port)], cwd=self.folder,
                                   stdin=its, stdout=its, stderr=its, env=self.environment(PATH=path),
                                   preexec_fn=harness.die_with_parent)
        os.close(its)
        self.addCleanup(self.end, process)
        shown = ""
        while "stops it cleanly" not in shown:
            shown += os.read(own, 4096).decode()
        reader = threading.Thread(target=lambda: [None for _ in iter(lambda: read_or_end(own), b"")], daemon=True)
        reader.start()
        self.assertIn(f"127.0.0.1:{self.port}", shown)
        self.assertIn("./data (new)", shown)
        self.assertNotIn("without effect", shown)
        commands = re.findall(r"^ +(.*milena (?:topic|produce|consume).*?)\r?$", shown, re.M)
        self.assertEqual(len(commands), 3, shown)
        self.assertTrue(commands[0].startswith("milena topic create "), shown)
        environment = self.environment(PATH=path)
        for command in commands[:2]:
            done = subprocess.run(command, shell=True, env=environment, capture_output=True, text=True, timeout=30)
            self.assertEqual(done.returncode, 0, done.stderr)
        consumer = subprocess.Popen("exec " + commands[2], shell=True, env=environment, stdout=subprocess.PIPE, text=True)
        self.assertEqual(consumer.stdout.readline(), "hello\n")
        consumer.send_signal(signal.SIGINT)
        self.assertEqual(consumer.wait(15), 130)
        consumer.communicate()
        status = subprocess.run([harness.milena_binary(), "status", "-b", f"127.0.0.1:{self.port}"], capture_output=True,
                                text=True, timeout=30, env=environment)
        self.assertIn(f"{os.path.realpath(self.folder)}/data ", status.stdout, status.stderr)
        before = harness.cluster_state("127.0.0.1", self.port)
        self.assertIn("orders", before["topics"])
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(30), 0)
        reader.join(5)
        os.close(own)
        self.launch("--port", str(self.port))
        harness.check_same_state(before, "127.0.0.1", self.port)

    def test_a_whole_path_where_the_name_is_not_enough(self):
        own, its = harness.open_terminal()
        process = subprocess.Popen([harness.milena_binary(), "server", "--port", str(self.port)], cwd=self.folder,
                                   stdin=its, stdout=its, stderr=its, env=self.environment(PATH="/usr/bin:/bin"),
                                   preexec_fn=harness.die_with_parent)
        os.close(its)
        self.addCleanup(self.end, process)
        shown = ""
        while "stops it cleanly" not in shown:
            shown += os.read(own, 4096).decode()
        os.close(own)
        self.assertIn(f"{Path(harness.milena_binary()).resolve()} topic create", shown)

    def test_without_a_terminal_one_line_of_json(self):
        process, ready = self.start("--port", str(self.port))
        self.assertEqual((ready["event"], ready["pid"]), ("ready", process.pid))
        self.assertEqual(ready["listeners"]["PLAINTEXT"], f"127.0.0.1:{self.port}")
        self.assertTrue((self.folder / "data" / "meta.properties").exists())

    def test_a_busy_port_and_a_busy_directory_name_who_holds_them(self):
        first, _ = self.start("--port", str(self.port))
        said = self.refused("--port", str(self.port), "--override", f"log.dirs={self.folder}/other")
        self.assertIn(f"(pid {first.pid})", said)
        self.assertRegex(said, r"milena server --port \d+")
        said = self.refused("--port", str(harness.free_port()))
        self.assertIn(f"held by milena (pid {first.pid})", said)
        said = self.refused(self.config_file())
        self.assertIn("change `listeners` in", said)

    def test_the_environment(self):
        process, ready = self.start(
            KAFKA_LISTENERS=f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.port + 1}",
            KAFKA_BROKER_ID="7", KAFKA_CONTROLLER_QUORUM_VOTERS=f"7@127.0.0.1:{self.port + 1}", KAFKA_LOG_DIR="logs",
            KAFKA_HEAP_OPTS="-Xmx1g", KAFKA_JMX_PORT="9999", KAFKA_NUM_PARTITONS="3", KAFKA_DEFAULT_REPLICATION_FACTOR="1")
        self.assertEqual(ready["listeners"]["PLAINTEXT"], f"127.0.0.1:{self.port}")
        self.assertIn("node.id=7", (self.folder / "logs" / "meta.properties").read_text())
        process.terminate()
        _, said = process.communicate(timeout=30)
        self.assertIn("num.partitons (did you mean num.partitions?)", said)
        self.assertNotIn("heap.opts", said)

    def test_a_listener_without_a_host(self):
        """The machine's name is what clients are told, as Kafka does it."""
        try:
            found = socket.getaddrinfo(socket.gethostname(), None, type=socket.SOCK_STREAM, flags=socket.AI_CANONNAME)
            name = found[0][3] or socket.gethostname()
        except socket.gaierror:
            name = "localhost"
        self.start(self.config_file(advertised_listeners=f"PLAINTEXT://:{self.port}"))
        status = subprocess.run([harness.milena_binary(), "status", "-b", f"127.0.0.1:{self.port}"], capture_output=True,
                                text=True, timeout=30, env=self.environment())
        self.assertRegex(status.stdout, rf"Brokers +1 +{re.escape(name)}:{self.port}\b", status.stderr)

    def test_without_formatting(self):
        path = self.config_file()
        said = self.refused(path, "--no-format")
        self.assertIn(f"milena storage format --standalone --cluster-id $(milena storage random-uuid) --config {path}", said)
        self.assertEqual([file.name for file in (self.folder / "logs").glob("meta.properties")], [])
        subprocess.run([harness.milena_binary(), "storage", "format", "-s", "-t", "x", "-c", path], check=True,
                       capture_output=True)
        self.start(path, "--no-format")

    def test_wrong_command_lines_and_files(self):
        self.assertIn("did you mean '--override'", self.refused("--overide", "a=b", code=2))
        self.assertIn("expected key=value", self.refused("--override", "ab", code=2))
        self.assertIn("--override needs a value", self.refused("--override", code=2))
        self.assertIn("a port is", self.refused("--port", "no", code=2))
        self.assertIn("`listeners`", self.refused("some.properties", "--port", "9", code=2))
        self.assertIn("No such file", self.refused("none.properties"))
        self.assertIn("num.partitions", self.refused("--override", "num.partitions=many"))
        done = subprocess.run([harness.milena_binary(), "server", "--help"], capture_output=True, text=True)
        self.assertIn("Examples:", done.stdout)

    def test_the_apis_that_docs_compatibility_names(self):
        known = {}
        for path in (harness.ROOT / "schemas" / "api").glob("*.schema"):
            for name, key in re.findall(r"^request (\w+)Request .*\bkey=(\d+)", path.read_text(), re.M):
                known[int(key)] = name
        self.start("--port", str(self.port))
        served = harness.api_versions(self.port).keys() | harness.api_versions(self.port + 1).keys()
        section = (harness.ROOT / "docs" / "compatibility.md").read_text().split("### APIs that are not served")[1]
        named = {int(key): name for key, name in re.findall(r"\b(\d+) ([A-Z]\w+)", section.split("\n## ")[0])}
        self.assertEqual(named, {key: name for key, name in known.items() if key not in served})

    def test_signals(self):
        process, _ = self.start("--port", str(self.port))
        process.send_signal(signal.SIGHUP)  # a terminal that goes away ends nothing
        process.terminate()
        process.send_signal(signal.SIGINT)  # the same wish again, at once
        self.assertEqual(process.wait(30), 0)
        self.assertTrue((self.folder / "data" / ".kafka_cleanshutdown").exists())


def read_or_end(descriptor):
    """Whatever a terminal shows next; nothing at its end."""
    try:
        return os.read(descriptor, 4096)
    except OSError:
        return b""


if __name__ == "__main__":
    unittest.main()
