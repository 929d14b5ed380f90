#!/usr/bin/env python3
"""Every verb of the command line, against a running node.

  cli_test.py [unittest arguments]

Environment: MILENA_BIN (the binary under test), MILENA_TEST_SERVER (the node to start: milena, the default, or kafka),
MILENA_TEST_BOOTSTRAP (host:port of a node that runs already); the rest is in harness.py.
"""
import itertools
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import harness  # noqa: E402

server = os.environ.get("MILENA_TEST_BOOTSTRAP")
node = None
folder = None
numbers = itertools.count(os.getpid() * 1000)


def setUpModule():
    global node, folder, server
    if server:
        return
    folder = tempfile.mkdtemp(prefix="milena-test-")
    node = harness.server_class()(folder, {"num.partitions": "1"})
    node.start()
    server = node.bootstrap


def tearDownModule():
    if node is None:
        return
    try:
        node.restart()  # it must say the same of the cluster again
    except Exception:
        print(node.log_tail(), file=sys.stderr)
        raise
    finally:
        node.close()
        shutil.rmtree(folder, ignore_errors=True)


def milena(*arguments, stdin="", brokers=True, timeout=60, cwd=None, **environment):
    """Runs the binary; arguments of text, standard input of text or bytes. Gives returncode, stdout, stderr."""
    values = {key: value for key, value in os.environ.items() if key not in ("MILENA_BROKERS", "NO_COLOR")}
    if brokers:
        values["MILENA_BROKERS"] = server
    values.update(environment)
    done = subprocess.run([harness.milena_binary(), *arguments], input=stdin.encode() if isinstance(stdin, str) else stdin,
                          capture_output=True, timeout=timeout, env=values, cwd=cwd)
    done.stdout, done.stderr = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    return done


def new_name(prefix="t"):
    return f"{prefix}-{next(numbers)}"


class CliTest(unittest.TestCase):
    def ok(self, *arguments, **options):
        done = milena(*arguments, **options)
        self.assertEqual(done.returncode, 0, f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    def fails(self, code, *arguments, **options):
        """Returns what was said on standard error; nothing may be on standard output."""
        done = milena(*arguments, **options)
        self.assertEqual(done.returncode, code, f"{arguments}: {done.stdout}{done.stderr}")
        self.assertEqual(done.stdout, "")
        self.assertTrue(done.stderr.startswith("error: "), done.stderr)
        return done.stderr

    def rows(self, *arguments, **options):
        return json.loads(self.ok(*arguments, "-o", "json", **options))

    def new_topic(self, *arguments):
        name = new_name()
        self.ok("topic", "create", name, *arguments)
        return name



class Topics(CliTest):
    def test_create_describe_delete(self):
        name = new_name()
        created = self.rows("topic", "create", name, "-p", "3", "-r", "1", "-c", "retention.ms=3600000",
                            "-c", "cleanup.policy=compact")
        self.assertEqual([(row["name"], row["partitions"], row["replication_factor"]) for row in created], [(name, 3, 1)])
        topic = self.rows("topic", "describe", name)[0]
        self.assertEqual(topic["topic_id"], created[0]["topic_id"])
        self.assertEqual([p["partition"] for p in topic["partitions"]], [0, 1, 2])
        self.assertEqual({p["end_offset"] for p in topic["partitions"]}, {0})
        self.assertEqual({p["start_offset"] for p in topic["partitions"]}, {0})
        self.assertEqual(len({p["leader"] for p in topic["partitions"]}), 1)
        self.assertEqual(topic["overrides"], {"cleanup.policy": "compact", "retention.ms": "3600000"})
        self.assertGreater(len(topic["configs"]), 20)
        self.assertIn(name, self.ok("topic", "list", "-o", "name").split())
        self.assertEqual(self.ok("topic", "delete", name, "--yes", "-o", "name"), f"{name}\n")
        harness.wait_until(lambda: name not in self.ok("topic", "list", "-o", "name").split(), 10, "the topic is gone")
        self.assertIn("does not exist", self.fails(3, "topic", "describe", name))

    def test_create_with_the_servers_defaults(self):
        created = self.rows("topic", "create", new_name())[0]
        self.assertEqual((created["partitions"], created["replication_factor"]), (1, 1))

    def test_create_what_exists(self):
        name = self.new_topic()
        error = self.fails(1, "topic", "create", name)
        self.assertIn("TOPIC_ALREADY_EXISTS", error)
        self.assertIn("next: milena topic describe", error)
        self.ok("topic", "create", name, "--if-not-exists")

    def test_create_several_one_of_them_wrong(self):
        name = new_name()
        done = milena("topic", "create", name, "not/a/name", "-o", "name")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout, f"{name}\n")
        self.assertIn("not/a/name", done.stderr)

    def test_create_dry_run(self):
        name = new_name()
        done = milena("topic", "create", name, "--dry-run", "-o", "json")
        self.assertEqual((done.returncode, done.stderr), (0, "dry run: it would work, nothing was created\n"))
        self.assertNotIn("topic_id", json.loads(done.stdout)[0])
        self.assertNotIn(name, self.ok("topic", "list", "-o", "name").split())

    def test_wrong_configuration(self):
        self.assertIn("INVALID_CONFIG", self.fails(1, "topic", "create", new_name(), "-c", "retention.ms=soon"))
        self.assertIn("nonsense", self.fails(1, "topic", "create", new_name(), "-c", "nonsense=1"))
        self.assertIn("did you mean 'retention.ms'", self.fails(1, "topic", "create", new_name(), "-c", "retenton.ms=1"))
        self.fails(2, "topic", "create", new_name(), "-c", "nonsense")

    def test_list_names_and_expressions(self):
        prefix = new_name("x")
        names = [f"{prefix}.a", f"{prefix}.b", f"{prefix}_a"]
        self.ok("topic", "create", *names)
        self.assertEqual(self.ok("topic", "ls", f"{prefix}.a", "-o", "name"), f"{prefix}.a\n")
        self.assertEqual(self.ok("topic", "list", "--regex", f"{prefix}.[ab]", "-o", "name").split(), names)
        self.assertIn(f"did you mean '{prefix}.a'", self.fails(3, "topic", "describe", f"{prefix}.aa"))
        self.assertIn("regular expression", self.fails(2, "topic", "list", "--regex", "("))
        table = self.ok("topic", "list", f"{prefix}.a")
        self.assertEqual(table.split(), ["NAME", "PARTITIONS", "REPLICAS", f"{prefix}.a", "1", "1"])
        self.assertIn("ID", self.ok("topic", "list", "-o", "wide").splitlines()[0])
        lines = self.ok("topic", "list", "--regex", f"{prefix}.*", "-o", "jsonl").splitlines()
        self.assertEqual([json.loads(line)["name"] for line in lines], names)
        self.assertIn(f"- name: {prefix}.a\n", self.ok("topic", "list", f"{prefix}.a", "-o", "yaml"))

    def test_delete_needs_agreement(self):
        name = self.new_topic()
        self.assertIn("--yes", self.fails(2, "topic", "delete", name))
        self.assertIn(name, self.fails(2, "topic", "delete", "--regex", name + ".*"))
        self.assertIn(name, self.ok("topic", "list", "-o", "name").split())
        self.ok("topic", "delete", "--regex", name + ".*", "--yes")
        self.assertIn("UNKNOWN_TOPIC", self.fails(3, "topic", "delete", new_name(), "--yes"))
        self.assertIn("does not exist", self.fails(3, "topic", "delete", new_name()))
        self.ok("topic", "delete", new_name(), "--yes", "--if-exists")

    def test_alter_configuration(self):
        name = self.new_topic("-c", "retention.ms=1000")
        self.ok("topic", "alter", name, "-c", "max.message.bytes=2000", "-d", "retention.ms")
        self.ok("topic", "alter", name, "-c", "cleanup.policy+=compact")
        expected = {"max.message.bytes": "2000", "cleanup.policy": "delete,compact"}
        harness.wait_until(lambda: self.rows("topic", "describe", name)[0]["overrides"] == expected, 10, "it is altered")
        self.ok("topic", "alter", name, "-c", "max.message.bytes=1", "--dry-run")
        self.assertEqual(self.rows("topic", "describe", name)[0]["overrides"], expected)
        self.assertIn("INVALID", self.fails(1, "topic", "alter", name, "-c", "max.message.bytes=x"))
        self.fails(2, "topic", "alter", name)
        self.fails(3, "topic", "alter", new_name(), "-c", "max.message.bytes=1")

    def test_add_partitions(self):
        name = self.new_topic("-p", "2")
        self.ok("topic", "alter", name, "-p", "4")
        harness.wait_until(lambda: len(self.rows("topic", "describe", name)[0]["partitions"]) == 4, 10, "4 partitions")
        error = self.fails(1, "topic", "alter", name, "-p", "3")
        self.assertIn("INVALID_PARTITIONS", error)
        self.assertIn("next: give more partitions", error)


class Records(CliTest):
    def consume(self, *arguments, **options):
        return self.ok("consume", *arguments, "-e", **options)

    def test_lines(self):
        name = self.new_topic()
        self.ok("produce", name, stdin="one\n\nthree")
        self.assertEqual(self.consume(name), "one\n\nthree\n")
        self.assertEqual(self.consume(name, "-n", "1"), "one\n")
        self.assertEqual(self.consume(name, "-n", "0"), "")
        self.assertEqual(self.consume(name, "--from", "2"), "three\n")
        self.assertEqual(self.consume(name, "--from", "-2"), "\nthree\n")
        beyond = milena("consume", name, "--from", "9", "-e")
        self.assertEqual((beyond.returncode, beyond.stdout), (0, ""))
        self.assertIn("has offsets 0 to 3: beginning at 3", beyond.stderr)
        self.assertEqual(self.consume(name, "--from", "end"), "")
        self.assertEqual(self.rows("topic", "describe", name)[0]["partitions"][0]["end_offset"], 3)

    def test_keys_headers_and_formats(self):
        name = self.new_topic()
        self.ok("produce", name, "-K", ":", "-H", "h=1", "-H", "g=2", stdin="a:1\nb:2:3\nnone\n")
        self.ok("produce", name, "-k", "fixed", stdin="x\n")
        self.ok("produce", name, "-f", "%k|%h|%T|%v\\n", stdin="key|p=q|1700000000000|v|w\n")
        text = self.consume(name, "-f", "%t %p %o %k=%v [%h]\\n")
        self.assertEqual(text.splitlines(), [f"{name} 0 0 a=1 [h=1,g=2]", f"{name} 0 1 b=2:3 [h=1,g=2]",
                                             f"{name} 0 2 =none [h=1,g=2]", f"{name} 0 3 fixed=x []",
                                             f"{name} 0 4 key=v|w [p=q]"])
        records = [json.loads(line) for line in self.consume(name, "-o", "json").splitlines()]
        self.assertEqual([record["offset"] for record in records], [0, 1, 2, 3, 4])
        self.assertEqual(records[2]["key"], None)
        self.assertEqual(records[4]["timestamp"], 1700000000000)
        self.assertEqual(records[4]["headers"], [{"key": "p", "value": "q"}])

    def test_bytes_that_are_no_text(self):
        name = self.new_topic()
        self.ok("produce", name, "-D", "\\0", stdin=b"\xff\n\xfe\0caf\xc3\xa9\0")
        records = [json.loads(line) for line in self.consume(name, "-o", "json").splitlines()]
        self.assertEqual(records[0]["value_base64"], "/wr+")
        self.assertEqual(records[1]["value"], "caf\u00e9")

    def test_codecs_and_acks(self):
        for codec, acks in [("gzip", "all"), ("snappy", "1"), ("lz4", "all"), ("zstd", "all"), ("none", "0")]:
            with self.subTest(codec=codec, acks=acks):
                name = self.new_topic()
                lines = "".join(f"line {i}\n" for i in range(500))
                self.ok("produce", name, "-z", codec, "--acks", acks, stdin=lines)
                harness.wait_until(lambda: self.consume(name) == lines, 5, "all records are there")

    def test_partitions(self):
        name = self.new_topic("-p", "3")
        self.ok("produce", name, "-p", "2", stdin="two\n")
        self.ok("produce", name, "-f", "%p:%v\\n", stdin="0:zero\n1:one\n")
        self.assertEqual(sorted(self.consume(name, "-f", "%p %v\\n").splitlines()), ["0 zero", "1 one", "2 two"])
        self.assertEqual(self.consume(name, "-p", "1"), "one\n")
        self.assertIn("no partition 7", self.fails(3, "consume", name, "-p", "7", "-e"))
        self.assertIn("topic describe", self.fails(3, "produce", name, "-p", "7", "--timeout", "3000", stdin="x\n"))

    def test_same_keys_same_partitions_as_java(self):
        name = self.new_topic("-p", "7")
        self.ok("produce", name, "-K", ":", stdin="".join(f"key-{i}:{i}\n" for i in range(8)))
        found = dict(line.split() for line in self.consume(name, "-f", "%k %p\\n").splitlines())
        # Java's: toPositive(murmur2(key)) % 7
        self.assertEqual([found[f"key-{i}"] for i in range(8)], [str(murmur2(f"key-{i}".encode()) % 7) for i in range(8)])

    def test_from_a_time(self):
        name = self.new_topic()
        self.ok("produce", name, "-f", "%T %v\\n", stdin="1700000000000 old\n1700000100000 new\n")
        self.assertEqual(self.consume(name, "--from", "@1700000000001"), "new\n")
        self.assertEqual(self.consume(name, "--from", "@2023-11-14T22:13:20Z"), "old\nnew\n")
        self.assertEqual(self.consume(name, "--from", "@2033-01-01"), "")

    def test_many_records(self):
        name = self.new_topic("-p", "4")
        lines = [f"{i:06d} {'x' * 100}" for i in range(50_000)]
        self.ok("produce", name, "-z", "lz4", stdin="\n".join(lines) + "\n")
        self.assertEqual(sorted(self.consume(name).splitlines()), lines)

    def test_a_topic_that_does_not_exist(self):
        error = self.fails(3, "consume", "no-such-topic", "-e")
        self.assertIn("milena topic create no-such-topic", error)

    def test_wrong_arguments(self):
        self.assertIn("--from", self.fails(2, "consume", "x", "--from", "never"))
        self.assertNotIn("+N", self.fails(2, "consume", "x", "--from", "never"))
        self.assertIn("+N", self.fails(2, "group", "seek", "x", "--to", "never"))
        self.assertIn("%q", self.fails(2, "consume", "x", "-f", "%q"))
        self.assertIn("there are %k %v %h %p %T\n", self.fails(2, "produce", "x", "-f", "%z", stdin="a\n"))
        self.assertIn("exclude each other", self.fails(2, "consume", "x", "-f", "%v", "-o", "json"))
        self.assertIn("next: ", self.fails(2, "consume", "x", "-g", "g", "-p", "0"))
        self.assertIn("a variable", self.fails(2, "consume", "x", "-g", ""))
        self.assertIn("a variable", self.fails(2, "topic", "list", "-b", ""))
        self.assertIn("nonsense", self.fails(2, "consume", "x", "-X", "nonsense=1"))
        self.fails(2, "produce", "x", "-f", "%k%v", stdin="a\n")
        self.fails(2, "produce", "x", "-z", "brotli", stdin="a\n")

    def test_input_that_does_not_fit(self):
        name = self.new_topic()
        error = self.fails(1, "produce", name, "-f", "%k:%v\\n", stdin="a:b\nc\n")
        self.assertIn("record 2 does not fit", error)
        self.assertIn("next: milena produce --help", error)
        self.assertIn(f"written before it failed: 1 record to {name} (partition 0 offset 0)", error)
        error = self.fails(1, "produce", name, stdin="x\n" + "y" * 1_500_000 + "\nz\n")
        self.assertRegex(error, "record 2: it has 1500000 bytes, the producer takes 1000000")
        self.assertIn(f"milena topic alter {name} -c max.message.bytes=1501000", error)
        self.assertIn("written before it failed: 1 record", error)
        self.ok("topic", "alter", name, "-c", "max.message.bytes=1000")
        def refused():
            done = milena("produce", name, stdin="w" * 5000 + "\n")
            return done.returncode == 1 and "record 1: it has 5000 bytes" in done.stderr
        harness.wait_until(refused, 10, "the broker refuses it")
        self.assertIn("next: name a topic", self.fails(1, "produce", "not/a/name", stdin="x\n"))

    def test_a_topic_that_the_server_creates(self):
        name = new_name()
        done = milena("produce", name, stdin="x\n")
        self.assertEqual((done.returncode, done.stderr), (0, f"topic '{name}' did not exist: the server has created it\n"))
        self.assertEqual(milena("produce", name, stdin="x\n").stderr, "")
        self.assertEqual(milena("produce", new_name(), "-q", stdin="x\n").stderr, "")

    def test_following_until_interrupted(self):
        for signal_number, code in [(signal.SIGINT, 130), (signal.SIGTERM, 143)]:
            with self.subTest(signal=signal_number):
                self.follow_until(signal_number, code)

    def follow_until(self, signal_number, code):
        name = self.new_topic()
        environment = dict(os.environ, MILENA_BROKERS=server)
        reader = subprocess.Popen([harness.milena_binary(), "consume", name], env=environment, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE)
        try:
            self.ok("produce", name, stdin="live\n")
            self.assertEqual(reader.stdout.readline(), b"live\n")
            reader.send_signal(signal_number)
            self.assertEqual(reader.wait(15), code)
            self.assertEqual(reader.stderr.read(), b"")
        finally:
            reader.kill()
            reader.communicate()

    def test_output_that_cannot_be_written(self):
        name = self.new_topic()
        self.ok("produce", name, stdin="line\n")
        with open("/dev/full", "w") as full:
            done = subprocess.run([harness.milena_binary(), "consume", name, "-e"], stdout=full, stderr=subprocess.PIPE,
                                  timeout=30, env=dict(os.environ, MILENA_BROKERS=server))
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"No space left", done.stderr)

    def test_a_reader_that_leaves(self):
        name = self.new_topic()
        self.ok("produce", name, stdin="line\n" * 20_000)
        pipe = subprocess.run(f"{harness.milena_binary()} consume {name} -e | head -n 1; exit ${{PIPESTATUS[0]}}",
                              shell=True, executable="/bin/bash", capture_output=True, timeout=30,
                              env=dict(os.environ, MILENA_BROKERS=server))
        self.assertEqual((pipe.stdout, pipe.stderr, pipe.returncode), (b"line\n", b"", 0))


class Groups(CliTest):
    def read_by_group(self, name, group, count):
        return self.ok("consume", name, "-g", group, "-n", str(count), timeout=90)

    def test_consume_list_describe_lag(self):
        name, group = self.new_topic(), new_name("g")
        self.ok("produce", name, stdin="1\n2\n3\n4\n")
        self.assertEqual(self.read_by_group(name, group, 3), "1\n2\n3\n")
        self.assertIn(group, self.ok("group", "list", "-o", "name").split())
        row = [row for row in self.rows("group", "list") if row["group"] == group][0]
        self.assertEqual((row["state"], row["type"].lower()), ("Empty", "classic"))
        lag = self.rows("group", "lag", group)
        self.assertEqual([(row["topic"], row["committed"], row["end_offset"], row["lag"]) for row in lag], [(name, 3, 4, 1)])
        self.assertEqual(self.read_by_group(name, group, 1), "4\n")
        description = self.rows("group", "describe", group)[0]
        self.assertEqual((description["state"], description["members"]), ("Empty", []))
        self.assertEqual([row["lag"] for row in description["partitions"]], [0])
        self.assertIn("COMMITTED", self.ok("group", "describe", group))

    def test_what_is_named_twice_is_read_once(self):
        name = self.new_topic()
        self.ok("produce", name, stdin="1\n2\n")
        self.assertEqual(self.ok("consume", name, name, "-p", "0", "-p", "0", "-e"), "1\n2\n")

    def test_where_a_new_group_begins(self):
        name, group = self.new_topic(), new_name("g")
        self.ok("produce", name, stdin="1\n2\n")
        self.assertEqual(self.ok("consume", name, "-g", group, "--from", "end", "-e", timeout=90), "")
        self.assertEqual([row["committed"] for row in self.rows("group", "lag", group)], [2])
        for value, committed in [("1", [2]), ("false", [])]:
            other = new_name("g")
            self.ok("consume", name, "-g", other, "--from", "end", "-e", "-X", f"enable.auto.commit={value}", timeout=90)
            listed = other in self.ok("group", "list", "-o", "name").split()
            rows = self.rows("group", "lag", other) if listed else []
            self.assertEqual([row["committed"] for row in rows if row["committed"] is not None], committed, value)
        self.ok("produce", name, stdin="3\n")
        again = milena("consume", name, "-g", group, "--from", "start", "-e", timeout=90)
        self.assertEqual((again.returncode, again.stdout), (0, "3\n"))
        self.assertIn(f"next: milena group seek {group} --to start", again.stderr)
        silent = milena("consume", name, "-g", group, "-e", timeout=90)
        self.assertEqual((silent.stdout, silent.stderr), ("", ""))

    def test_describe_a_living_group(self):
        name, group = self.new_topic("-p", "2"), new_name("g")
        self.ok("produce", name, "-p", "0", stdin="x\n")
        environment = dict(os.environ, MILENA_BROKERS=server)
        reader = subprocess.Popen([harness.milena_binary(), "consume", name, "-g", group], env=environment,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            self.assertEqual(reader.stdout.readline(), b"x\n")
            description = self.rows("group", "describe", group)[0]
            self.assertEqual((description["state"], len(description["members"])), ("Stable", 1))
            self.assertEqual(description["members"][0]["client_id"], "milena-cli")
            self.assertEqual([(row["partition"], row["client_id"]) for row in description["partitions"]],
                             [(0, "milena-cli"), (1, "milena-cli")])
            done = milena("group", "delete", group, "--yes")
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertRegex(done.stderr, "NON_EMPTY_GROUP|does not support")
        finally:
            reader.send_signal(signal.SIGINT)
            try:
                reader.wait(15)
            finally:
                reader.kill()
                reader.communicate()

    def test_seek(self):
        name, group = self.new_topic(), new_name("g")
        self.ok("produce", name, stdin="1\n2\n3\n4\n")
        self.read_by_group(name, group, 4)
        plan = self.rows("group", "seek", group, "--to", "start", "--dry-run")
        self.assertEqual([(row["before"], row["after"], row["moved"]) for row in plan], [(4, 0, False)])
        done = milena("group", "seek", group, "--to", "start")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(self.rows("group", "lag", group)[0]["committed"], 4)
        for to, committed in [("start", 0), ("+3", 3), ("-1", 2), ("end", 4), ("1", 1), ("99", 4), ("@1", 0)]:
            self.ok("group", "seek", group, "--to", to, "--topic", name, "--yes")
            self.assertEqual(self.rows("group", "lag", group)[0]["committed"], committed, to)
        self.assertIn(f"{name}-0 has offsets 0 to 4, not 99: 4 is the nearest",
                      milena("group", "seek", group, "--to", "99", "--dry-run").stderr)
        self.assertIn(f"not {2 ** 63 - 1}: 4 is the nearest",
                      milena("group", "seek", group, "--to", f"+{2 ** 63 - 1}", "--dry-run").stderr)
        self.assertEqual(self.read_by_group(name, group, 1), "1\n")
        self.fails(2, "group", "seek", group, "--to", "nowhere", "--yes")

    def test_delete(self):
        name, group = self.new_topic(), new_name("g")
        self.ok("produce", name, stdin="1\n")
        self.read_by_group(name, group, 1)
        self.assertIn("--yes", self.fails(2, "group", "delete", group))
        self.ok("group", "delete", group, "--yes")
        self.assertNotIn(group, self.ok("group", "list", "-o", "name").split())
        self.fails(3, "group", "describe", group)
        self.fails(3, "group", "lag", group)
        self.fails(3, "group", "delete", group, "--yes")


class Storage(CliTest):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="milena-test-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.config = self.folder / "server.properties"
        self.write_config()

    def write_config(self, **changes):
        values = {"process.roles": "broker,controller", "node.id": "1", "log.dirs": f"{self.folder}/a,{self.folder}/b",
                  "controller.quorum.bootstrap.servers": "localhost:19093", "controller.listener.names": "CONTROLLER",
                  "listeners": "PLAINTEXT://localhost:19092,CONTROLLER://localhost:19093",
                  "advertised.listeners": "PLAINTEXT://localhost:19092,CONTROLLER://localhost:19093"}
        values.update({key.replace("_", "."): value for key, value in changes.items()})
        self.config.write_text("".join(f"{key}={value}\n" for key, value in values.items()))

    def test_random_uuid(self):
        ids = {self.ok("storage", "random-uuid", brokers=False).strip() for _ in range(3)}
        self.assertEqual(len(ids), 3)
        self.assertTrue(all(len(one) == 22 for one in ids))

    def test_without_a_file_as_the_server(self):
        with tempfile.TemporaryDirectory() as folder:
            done = milena("storage", "info", cwd=folder, brokers=False)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stdout, r"(?m)^\./data +missing")
            cluster = harness.random_cluster_id()
            said = self.ok("storage", "format", "-s", "-t", cluster, cwd=folder, brokers=False)
            self.assertIn("directory ./data with metadata.version", said)
            self.assertRegex(self.ok("storage", "info", cwd=folder, brokers=False), rf"\./data +formatted +{cluster} +1 ")
            elsewhere = self.ok("storage", "info", brokers=False, KAFKA_LOG_DIRS=f"{folder}/data")
            self.assertIn(f"{folder}/data", elsewhere)

    def test_with_a_file_as_the_server(self):
        self.write_config(log_dirs="${env:WHERE}/a", config_providers="env")
        with open(self.config, "a") as config:
            config.write("config.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider\n")
        said = milena("storage", "info", "-c", str(self.config), WHERE=str(self.folder)).stdout
        self.assertIn(f"{self.folder}/a ", said)
        said = milena("storage", "info", "-c", str(self.config), WHERE="/x", KAFKA_LOG_DIRS=f"{self.folder}/b").stdout
        self.assertIn(f"{self.folder}/b ", said)
        self.assertNotIn("/x", said)
        self.assertIn("WHERE", self.fails(1, "storage", "info", "-c", str(self.config)))

    def test_format_and_info(self):
        cluster = harness.random_cluster_id()
        done = milena("storage", "info", "-c", str(self.config))
        self.assertEqual(done.returncode, 1)
        self.assertIn("no directory is formatted", done.stderr)
        rows = self.rows("storage", "format", "--standalone", "-t", cluster, "-c", str(self.config))
        self.assertEqual([(row["state"], row["cluster_id"], row["node_id"]) for row in rows], [("formatted", cluster, 1)] * 2)
        self.assertEqual(sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()),
                         ["a/__cluster_metadata-0/00000000000000000000-0000000000.checkpoint", "a/bootstrap.checkpoint",
                          "a/meta.properties", "b/bootstrap.checkpoint", "b/meta.properties", "server.properties"])
        self.assertEqual(self.rows("storage", "info", "-c", str(self.config)), rows)
        self.assertIn("is already formatted", self.fails(1, "storage", "format", "-s", "-t", cluster, "-c", str(self.config)))
        said = self.ok("storage", "format", "-s", "-t", cluster, "-c", str(self.config), "--ignore-formatted")
        self.assertEqual(said, "All of the log directories are already formatted.\n")
        self.assertEqual(self.rows("storage", "format", "-sg", "-t", cluster, "-c", str(self.config)), [])
        self.write_config(node_id="2")
        done = milena("storage", "info", "-c", str(self.config))
        self.assertEqual(done.returncode, 1)
        self.assertIn("belongs to node 1", done.stderr)

    def test_format_what_is_missing(self):
        cluster = harness.random_cluster_id()
        self.write_config(log_dirs=f"{self.folder}/a")
        self.ok("storage", "format", "-s", "-t", cluster, "-c", str(self.config))
        before = (self.folder / "a" / "meta.properties").read_text()
        self.write_config()
        done = milena("storage", "info", "-c", str(self.config))
        self.assertIn("b is not formatted, others are", done.stderr)
        other = harness.random_cluster_id()
        self.assertIn("belongs to cluster", self.fails(1, "storage", "format", "-sg", "-t", other, "-c", str(self.config)))
        self.ok("storage", "format", "-sg", "-t", cluster, "-c", str(self.config))
        self.assertEqual((self.folder / "a" / "meta.properties").read_text(), before)
        self.assertTrue((self.folder / "b" / "meta.properties").exists())

    def test_kafkas_lines(self):
        said = self.ok("storage", "format", "-s", "-t", harness.random_cluster_id(), "-c", str(self.config))
        self.assertEqual(said.splitlines()[:2],
                         [f"Formatting dynamic metadata voter directory {self.folder}/a with metadata.version 4.3-IV0.",
                          f"Formatting data directory {self.folder}/b with metadata.version 4.3-IV0."])

    def test_the_first_controller_by_name(self):
        directory = self.ok("storage", "random-uuid", brokers=False).strip()
        config = str(self.config)
        def refused(voters, *more):
            return self.fails(2, "storage", "format", "-t", "x", "-c", config, "-I", voters, *more)
        self.assertIn("names node 2", refused(f"2@localhost:19093:{directory}"))
        self.assertIn("more than one", refused(f"1@localhost:19093:{directory},2@localhost:19095:{directory}"))
        self.assertIn("host:port", refused(f"1@localhost:{directory}"))
        self.assertIn("exclude each other", refused(f"1@localhost:19093:{directory}", "-s"))
        rows = self.rows("storage", "format", "-t", "my-cluster", "-c", config, "-I", f"1@localhost:19093:{directory}")
        self.assertEqual(rows[0]["directory_id"], directory)
        self.assertNotEqual(rows[1]["directory_id"], directory)
        self.assertEqual(rows[0]["cluster_id"], "my-cluster")  # Kafka takes any text, with a word of warning here

    def test_refusals(self):
        cluster = harness.random_cluster_id()
        config = str(self.config)
        self.assertIn("--standalone", self.fails(2, "storage", "format", "-t", cluster, "-c", config))
        self.fails(2, "storage", "format", "-s", "-N", "-t", cluster, "-c", config)
        self.fails(1, "storage", "format", "-s", "-t", "", "-c", config)
        self.assertIn("SCRAM", self.fails(2, "storage", "format", "-s", "-t", cluster, "-c", config, "-S", "x"))
        self.fails(2, "storage", "format", "-s", "-t", cluster, "-c", config, "-r", "9.9")
        self.assertIn("group.version", self.fails(2, "storage", "format", "-s", "-t", cluster, "-c", config, "-f", "grup.version=1"))
        self.fails(3, "storage", "info", "-c", str(self.folder / "nothing"))
        (self.folder / "a").mkdir()
        (self.folder / "a" / "precious").write_text("data")
        self.assertIn("no meta.properties", self.fails(1, "storage", "format", "-s", "-t", cluster, "-c", config))
        self.assertEqual(os.listdir(self.folder / "a"), ["precious"])

    def test_kafka_reads_what_was_formatted(self):
        cluster = harness.random_cluster_id()
        self.ok("storage", "format", "-s", "-t", cluster, "-c", str(self.config), "--release-version", "4.1")
        info = harness.run_kafka_tool("kafka.tools.StorageTool", "info", "-c", str(self.config))
        self.assertEqual(info.returncode, 0, info.stdout + info.stderr)
        self.assertIn(cluster, info.stdout)
        dump = harness.run_kafka_tool("org.apache.kafka.tools.DumpLogSegments", "--cluster-metadata-decoder", "--files",
                                      str(self.folder / "a" / "bootstrap.checkpoint"))
        self.assertRegex(dump.stdout, r'"name":"metadata.version","featureLevel":27')
        self.assertNotIn("streams.version", dump.stdout)

    def test_features_follow_the_metadata_version_as_in_kafka(self):
        dumps = []
        for tool in (lambda *words: self.ok("storage", *words), lambda *words: harness.run_kafka_tool(
                "kafka.tools.StorageTool", *words)):
            shutil.rmtree(self.folder / "a", ignore_errors=True)
            shutil.rmtree(self.folder / "b", ignore_errors=True)
            tool("format", "-s", "-t", harness.random_cluster_id(), "-c", str(self.config), "-f", "metadata.version=25")
            dump = harness.run_kafka_tool("org.apache.kafka.tools.DumpLogSegments", "--cluster-metadata-decoder",
                                          "--files", str(self.folder / "a" / "bootstrap.checkpoint")).stdout
            dumps.append(sorted(re.findall(r'"name":"([a-z.]+)","featureLevel":(\d+)', dump)))
        self.assertEqual(dumps[0], dumps[1])
        self.assertIn(("metadata.version", "25"), dumps[0])

    def test_info_reads_what_kafka_formatted(self):
        cluster = harness.random_cluster_id()
        done = harness.run_kafka_tool("kafka.tools.StorageTool", "format", "--standalone", "-t", cluster, "-c", str(self.config))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        rows = self.rows("storage", "info", "-c", str(self.config))
        self.assertEqual([(row["state"], row["cluster_id"], row["node_id"], row["version"]) for row in rows],
                         [("formatted", cluster, 1, 1)] * 2)


class CommandLine(CliTest):
    def test_help_everywhere(self):
        top = self.ok("--help", brokers=False)
        for verb in ["server", "topic", "produce", "consume", "group", "storage", "completion"]:
            self.assertIn(verb, top)
        verbs = [("topic", verb) for verb in ["create", "list", "describe", "alter", "delete"]]
        verbs += [("group", verb) for verb in ["list", "describe", "lag", "seek", "delete"]]
        verbs += [("storage", verb) for verb in ["format", "info", "random-uuid"]]
        verbs += [("produce",), ("consume",), ("completion",)]
        for verb in verbs:
            text = self.ok(*verb, "--help", brokers=False)
            self.assertIn("Examples:", text)
            self.assertIn("milena " + " ".join(verb), text)
            self.assertEqual(self.ok("help", *verb, brokers=False), text)
        self.assertEqual(milena(brokers=False).returncode, 2)

    def test_version(self):
        self.assertRegex(self.ok("--version", brokers=False), r"^milena \d+\.\d+\.\d+\n$")

    def test_wrong_words(self):
        self.assertIn("did you mean 'topic'", self.fails(2, "tpoic", "list"))
        self.assertIn("did you mean 'create'", self.fails(2, "topic", "craete", "x"))
        self.assertIn("did you mean '--partitions'", self.fails(2, "topic", "create", "x", "--partition", "3"))
        self.assertIn("needs a verb: create", self.fails(2, "topic"))
        self.assertIn("milena topic create", self.fails(2, "topic", "create"))
        self.assertIn("has no option -Z", self.fails(2, "topic", "list", "-Z"))
        self.assertIn("'xml' is none of table", self.fails(2, "topic", "list", "-o", "xml"))
        self.assertIn("whole number", self.fails(2, "consume", "x", "-n", "-1"))
        self.fails(2, "topic", "list", "-b", "host:port")
        self.fails(2, "help", "tpoic")

    def test_nobody_there(self):
        nobody = f"127.0.0.1:{harness.free_port()}"
        for arguments in [("topic", "list"), ("group", "list"), ("consume", "x", "-e"), ("produce", "x")]:
            begin = time.monotonic()
            error = self.fails(5, *arguments, "-b", nobody, stdin="x\n")
            self.assertLess(time.monotonic() - begin, 5)  # at once, not after --timeout
            self.assertIn(nobody, error)
            self.assertIn("next:", error)

    def test_settings_of_a_cluster_from_a_file(self):
        name = self.new_topic()
        with tempfile.TemporaryDirectory(prefix="milena-test-") as home:
            profile = Path(home) / "milena" / "here.properties"
            environment = {"XDG_CONFIG_HOME": home, "brokers": False}
            self.assertIn(str(profile), self.fails(3, "topic", "list", "-P", "here", **environment))
            profile.parent.mkdir()
            profile.write_text(f"bootstrap.servers={server}\nlinger.ms=1\n")
            self.ok("produce", name, "-P", "here", stdin="x\n", **environment)
            self.assertEqual(self.ok("consume", name, "-e", MILENA_PROFILE="here", **environment), "x\n")
            self.assertEqual(self.ok("topic", "list", name, "-o", "name", "-F", str(profile), **environment), f"{name}\n")
            nobody = f"127.0.0.1:{harness.free_port()}"
            self.fails(5, "topic", "list", "-P", "here", "-b", nobody, **environment)  # -b says it stronger
            self.ok("topic", "list", "-P", "here", MILENA_BROKERS=nobody, XDG_CONFIG_HOME=home)
            self.fails(5, "topic", "list", MILENA_PROFILE="here", MILENA_BROKERS=nobody, XDG_CONFIG_HOME=home)
            self.fails(2, "topic", "list", "-P", "here", "-F", str(profile), **environment)
            profile.write_text("foo=1\nkey.deserializer=x\nacks=all\npartition.assignment.strategy="
                               "org.apache.kafka.clients.consumer.RangeAssignor\nsasl.jaas.config=x\n")
            for verb in [("topic", "list"), ("group", "list"), ("consume", name, "-e"), ("produce", name)]:
                done = milena(*verb, "-F", str(profile))
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(done.stderr, f"warning: {profile}: left out, not known here: foo, key.deserializer, "
                                              "partition.assignment.strategy, sasl.jaas.config\n", verb)
            profile.write_text("acks=many\n")
            for verb in [("topic", "list"), ("consume", name, "-e"), ("produce", name)]:
                self.assertIn("wrong property acks=many", self.fails(2, *verb, "-F", str(profile)))
            profile.write_text("security.protocol=SSL\n")
            self.assertIn("only PLAINTEXT", self.fails(1, "topic", "list", "-P", "here", **environment))

    def test_a_server_that_says_nothing(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            error = self.fails(5, "topic", "list", "-b", f"127.0.0.1:{silent.getsockname()[1]}", "--timeout", "300")
        self.assertIn("300 ms", error)

    def test_a_server_of_another_protocol(self):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            def answer():
                with other.accept()[0] as stream:
                    stream.recv(4096)
                    stream.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            thread = threading.Thread(target=answer, daemon=True)
            thread.start()
            error = milena("topic", "list", "-b", f"127.0.0.1:{other.getsockname()[1]}", "--timeout", "3000").stderr
        self.assertIn("begins with 'HTTP'", error)

    def test_completion(self):
        for shell in ["bash", "zsh", "fish"]:
            text = self.ok("completion", shell, brokers=False)
            for word in ["topic", "describe", "random-uuid", "--replication-factor" if shell != "fish" else "replication-factor"]:
                self.assertIn(word, text)
        self.fails(2, "completion", "tcsh")
        name = self.new_topic()
        script = self.ok("completion", "bash", brokers=False)
        def complete(*words):
            listed = " ".join(f"'{word}'" for word in words)
            code = f"{script}\nmilena() {{ {harness.milena_binary()} \"$@\"; }}\n" \
                   f"COMP_WORDS=({listed}) COMP_CWORD={len(words) - 1} COMP_LINE='{' '.join(words)}' " \
                   f"COMP_POINT={len(' '.join(words))}; _milena; printf '%s\\n' \"${{COMPREPLY[@]}}\""
            done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, timeout=20,
                                  env=dict(os.environ, MILENA_BROKERS=server))
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout.split()
        self.assertEqual(complete("milena", "to"), ["topic"])
        self.assertEqual(complete("milena", "topic", "de"), ["describe", "delete"])
        self.assertEqual(complete("milena", "topic", "create", "--part"), ["--partitions"])
        self.assertEqual(complete("milena", "consume", name[:-1]).count(name), 1)
        group = new_name("g")
        self.ok("produce", name, stdin="x\n")
        self.ok("consume", name, "-g", group, "-n", "1")
        self.assertEqual(complete("milena", "consume", name, "-g", group[:-1]).count(group), 1)
        self.assertEqual(complete("milena", "consume", name, "--group", "=", group).count(group), 1)
        self.assertIn(name, complete("milena", "groups", "seek", group, "--topic", name[:-1]))
        ran = f"{tempfile.gettempdir()}/{new_name('ran')}"
        hostile = f"$(touch {ran})"
        self.ok("consume", name, "-g", hostile, "-n", "1")
        self.assertEqual(complete("milena", "group", "describe", "$"), ["\\$\\(touch\\", f"{ran}\\)"])
        complete("milena", "consume", name, "-g", "")
        self.assertFalse(os.path.exists(ran), "completion has run what a group's name says")
        self.assertEqual(complete("milena", "group", "seek", group, "--to", ""), ["start", "end"])
        self.assertEqual(complete("milena", "topic", "list", "-o", "j"), ["json", "jsonl"])
        self.assertEqual(complete("milena", "topic", "list", "--output", "=", "y"), ["yaml"])
        self.assertEqual(complete("milena", "consume", name, "-o", ""), ["text", "json", "jsonl"])
        self.assertEqual(complete("milena", "consume", name, "-n", ""), [])
        self.assertIn("retention.ms=", complete("milena", "topic", "create", "x", "-c", "ret"))
        self.assertEqual(complete("milena", "topic", "alter", name, "-d", "retention.m"), ["retention.ms"])
        self.assertEqual(complete("milena", "server", "--override", "num.part"), ["num.partitions="])
        said = set(re.findall(r"^  (--[a-z-]+)", self.ok("server", "--help", brokers=False), re.MULTILINE))
        self.assertEqual(said - set(complete("milena", "server", "--")), set())
        self.assertEqual(complete("milena", "topic", "list", "-F", __file__[:-1]), [__file__])
        self.assertEqual(complete("milena", "help", "to"), ["topic"])
        self.assertEqual(complete("milena", "help", "topic", "de"), ["describe", "delete"])
        self.assertEqual(complete("milena", "help", "topic", "delete", name[:-1]), [])
        self.assertEqual(complete("milena", "completion", "ba"), ["bash"])
        self.assertEqual(complete("milena", "config", "set", "bro"), ["broker", "broker-logger"])
        self.assertEqual(complete("milena", "topic", "alter", name, "-c", "cleanup.policy", "="), ["compact", "delete"])
        self.assertEqual(complete("milena", "topic", "alter", name, "-c", "retention.ms", "="), [])

    def test_options_before_the_verb(self):
        for words in [("-b", "localhost:1", "topic", "list"), ("--brokers=localhost:1", "topic", "list")]:
            error = self.fails(2, *words, brokers=False)
            self.assertIn("options come after the verb", error)

    def test_errors_say_what_is_next(self):
        name = self.new_topic("-c", "cleanup.policy=compact")
        self.assertIn("next: milena topic list", self.fails(3, "config", "set", "topic", new_name(), "retention.ms=5"))
        self.assertIn("next: milena status", self.fails(1, "config", "describe", "broker", "77"))
        self.assertIn("next: quote", self.fails(2, "topic", "list", "--regex", "["))
        done = milena("produce", name, stdin="x\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("-k or -K", done.stderr)

    def test_a_controllers_port(self):
        port = re.search(r"CONTROLLER://([^\"]+)", self.ok("quorum", "status", "-o", "json")).group(1)
        for words in [("topic", "list"), ("produce", "orders")]:
            error = self.fails(1, *words, "-b", port)
            self.assertIn("controller's port", error)
            self.assertIn("next: name a broker's port", error)

    def test_the_examples_of_features_hold(self):
        for verb in ["upgrade", "downgrade", "disable"]:
            text = self.ok("feature", verb, "--help", brokers=False)
            examples = re.findall(r"^  milena (feature .*)$", text, re.MULTILINE)
            self.assertTrue(examples)
            for example in examples:
                words = example.split()
                self.ok(*words, *([] if "--dry-run" in words else ["--dry-run"]))
        self.assertIn("cannot be lowered", self.fails(1, "feature", "downgrade", "metadata.version=25", "--dry-run"))

    def test_completion_asks_the_cluster_that_the_line_names(self):
        asked = []
        for shell in ["bash", "zsh", "fish"]:
            if not shutil.which(shell):
                continue
            script = self.ok("completion", shell, brokers=False)
            stand_in = "function milena; echo $argv >> $HOME/asked; end" if shell == "fish" else \
                'milena() { echo "$*" >> "$HOME/asked"; }'
            for options in ["-b other:9094", "--brokers=other:9094", "-P prod -F '~/x'", '-b "other:9094"', "-bother:9094"]:
                with tempfile.TemporaryDirectory() as home:
                    line = f"milena topic delete {options} "
                    if shell == "bash":
                        code = f"{script}\n{stand_in}\nCOMP_WORDS=({line} ''); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)) COMP_LINE={shlex.quote(line)} " \
                               f"COMP_POINT={len(line)}; _milena"
                    elif shell == "zsh":
                        words = " ".join(shlex.quote(word) for word in shlex.split(line, posix=False))
                        code = f"compdef() {{ : }}\ncompadd() {{ : }}\ncompset() {{ : }}\n_describe() {{ : }}\n{script}\n{stand_in}\n" \
                               f"words=({words} ''); CURRENT=${{#words}}; PREFIX=''; _milena"
                    else:
                        code = f"{script}\n{stand_in}\ncomplete -C {shlex.quote(line)}"
                    subprocess.run([shell, "-c", code], capture_output=True, timeout=30, check=False,
                                   env=dict(os.environ, HOME=home, XDG_CONFIG_HOME=home, XDG_DATA_HOME=home))
                    with open(f"{home}/asked", encoding="utf-8") as file:
                        wanted = options.replace('"', "").replace("'~", home)
                        wanted = wanted.replace("'", "")
                        self.assertEqual(file.read().split("\n")[0], f"topic list {wanted} -o name --timeout 200", shell)
            asked.append(shell)
        self.assertIn("bash", asked)

    def test_colour_only_where_a_person_reads(self):
        name = self.new_topic()
        self.assertNotIn("\033", self.ok("topic", "list", name))
        self.assertIn("\033[1m", self.ok("topic", "list", name, "--color", "always"))
        self.assertIn("\033[1m", self.ok("topic", "list", name, CLICOLOR_FORCE="1"))
        self.assertIn("\033[1m", self.on_terminal("topic", "list", name))
        self.assertNotIn("\033", self.on_terminal("topic", "list", name, NO_COLOR="1"))
        self.assertNotIn("\033", self.on_terminal("topic", "list", name, "--color", "never"))

    def test_deleting_at_a_terminal(self):
        name = self.new_topic()
        text = self.on_terminal("topic", "delete", name, typed="no\n", code=1)
        self.assertIn(f"type '{name}'", text)
        self.assertIn(name, self.ok("topic", "list", "-o", "name").split())
        self.on_terminal("topic", "delete", name, typed=f"{name}\n")

    def on_terminal(self, *arguments, typed="", code=0, **environment):
        """Runs the binary on a pseudo terminal; what it shows there."""
        own, its = harness.open_terminal()
        values = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
        values.update(MILENA_BROKERS=server, TERM="xterm", **environment)
        process = subprocess.Popen([harness.milena_binary(), *arguments], stdin=its, stdout=its, stderr=its, env=values)
        os.close(its)
        os.write(own, typed.encode())
        shown = b""
        try:
            while True:
                shown += os.read(own, 4096)
        except OSError:  # the other end is closed
            pass
        finally:
            os.close(own)
        self.assertEqual(process.wait(20), code, shown)
        return shown.decode()

    def test_verbs_start_quickly(self):
        times = []
        for _ in range(10):
            begin = time.monotonic()
            self.ok("topic", "list")
            times.append(time.monotonic() - begin)
        print(f"topic list: best of 10 {min(times) * 1000:.1f} ms", file=sys.stderr)
        self.assertLess(min(times), 0.5)  # generous: the machine may be busy


def murmur2(data):
    """Java's hash of keys, made positive."""
    m, mask = 0x5bd1e995, 0xffffffff
    h = (0x9747b28c ^ len(data)) & mask
    whole = len(data) // 4 * 4
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i:i + 4], "little") * m & mask
        k = (k ^ k >> 24) * m & mask
        h = (h * m & mask) ^ k
    if len(data) > whole:
        h = ((h ^ int.from_bytes(data[whole:], "little")) * m) & mask
    h = (h ^ h >> 13) * m & mask
    return (h ^ h >> 15) & 0x7fffffff


class Configs(CliTest):
    def test_set_get_delete_of_a_topic(self):
        name = self.new_topic()
        self.ok("config", "set", "topic", name, "retention.ms=3600000", "cleanup.policy=compact")
        self.assertEqual(self.ok("config", "get", "topic", name, "retention.ms", "cleanup.policy"), "3600000\ncompact\n")
        rows = {row["key"]: row for row in self.rows("config", "describe", "topic", name)}
        self.assertEqual(rows["retention.ms"]["value"], "3600000")
        self.assertEqual((rows["retention.ms"]["source"], rows["retention.ms"]["resource"]), ("topic", name))
        self.assertNotIn("segment.ms", rows)
        self.assertIn("segment.ms", {row["key"] for row in self.rows("config", "describe", "topic", name, "--all")})
        done = milena("config", "set", "topic", name, "retention.ms=1", "--dry-run")
        self.assertEqual((done.returncode, done.stderr), (0, "dry run: it would work, nothing was changed\n"))
        self.assertEqual(self.ok("config", "get", "topic", name, "retention.ms"), "3600000\n")
        self.ok("config", "delete", "topic", name, "--all")
        self.assertEqual(self.ok("config", "get", "topic", name, "retention.ms"), "604800000\n")
        self.assertIn("nothing is set", milena("config", "delete", "topic", name, "--all").stderr)

    def test_brokers_and_their_default(self):
        broker = str(self.rows("status")[0]["brokers"][0]["id"])
        before = self.ok("config", "get", "broker", broker, "log.retention.ms")
        try:
            table = self.ok("config", "set", "broker", "default", "log.retention.ms=86400000")
            self.assertRegex(table, r"(?m)^default +broker +log\.retention\.ms +yes$")
            rows = self.rows("config", "describe", "broker", "default")
            self.assertEqual({(row["resource_type"], row["resource"]) for row in rows}, {("broker", "default")})
            row = lambda: next((r for r in self.rows("config", "describe", "broker", broker)  # noqa: E731
                                if r["key"] == "log.retention.ms"), None)
            harness.wait_until(lambda: row() and row()["source"] == "all brokers", 10, "the default reaches the broker")
            self.ok("config", "set", "broker", broker, "log.retention.ms=43200000")
            harness.wait_until(lambda: row()["value"] == "43200000", 10, "the broker's own value")
            self.assertIn("log.retention.ms", self.ok("config", "describe", "broker", "default"))
        finally:
            milena("config", "delete", "broker", broker, "log.retention.ms")
            milena("config", "delete", "broker", "default", "log.retention.ms")
        harness.wait_until(lambda: self.ok("config", "get", "broker", broker, "log.retention.ms") == before, 10, "as before")

    def test_groups_and_client_metrics(self):
        group, metrics = new_name("g"), new_name("m")
        self.ok("config", "set", "group", group, "consumer.session.timeout.ms=50000")
        self.assertEqual(self.ok("config", "get", "group", group, "consumer.session.timeout.ms"), "50000\n")
        self.ok("config", "set", "client-metrics", metrics, "interval.ms=30000")
        self.assertIn(metrics, self.ok("config", "list", "client-metrics", "-o", "name").split())
        self.assertIn({"resource": group, "resource_type": "group"}, self.rows("config", "list", "group"))
        self.ok("config", "delete", "group", group, "--all")
        self.ok("config", "delete", "client-metrics", metrics, "--all")

    def test_what_is_wrong_is_named(self):
        name = self.new_topic()
        self.assertIn("did you mean 'retention.ms'?", self.fails(1, "config", "set", "topic", name, "retention.mss=1"))
        self.assertIn("next: milena topic list", self.fails(3, "config", "describe", "topic", new_name()))
        self.assertIn("has no 'no.such'", self.fails(3, "config", "get", "topic", name, "no.such"))
        self.assertIn("is not key=value", self.fails(2, "config", "set", "topic", name, "x"))
        self.assertIn("is no broker: give its id", self.fails(2, "config", "get", "broker", "one", "log.dirs"))
        self.assertIn("config", self.fails(2, "config", "get", "thing", "x", "y"))
        self.assertIn("or --all", self.fails(2, "config", "delete", "topic", name))


class Cluster(CliTest):
    def test_status_of_a_cluster_that_is_well(self):
        name, group = self.new_topic("-p", "2"), new_name("g")
        self.ok("produce", name, "-k", "same", stdin="a\nb\nc\n")  # one partition: what is not read is lag
        self.ok("consume", name, "-g", group, "-n", "1", "--from", "start")
        status = self.rows("status")[0]
        self.assertEqual((status["health"], status["problems"]), ("ok", []))
        self.assertEqual(len(status["brokers"]), 1)
        self.assertEqual(status["controller"]["leader_id"], status["brokers"][0]["id"])
        self.assertGreaterEqual(status["topics"]["partitions"], 2)
        self.assertGreater(status["disks"][0]["log_bytes"], 0)
        self.assertGreater(status["disks"][0]["free_bytes"], 0)
        self.assertGreaterEqual(status["groups"]["lag"], 1)
        page = self.ok("status", "--wait", "20")
        for word in (status["cluster_id"], "Controller  node", "Brokers", "Topics", "Disks", "Groups", "Health      ok"):
            self.assertIn(word, page)
        self.assertEqual(json.loads(self.ok("status", "--json"))[0]["cluster_id"], status["cluster_id"])

    def test_status_where_nobody_is(self):
        self.assertIn("nothing listens", self.fails(5, "status", "-b", f"127.0.0.1:{harness.free_port()}", "--timeout", "2"))

    def test_quorum(self):
        quorum = self.rows("quorum", "status")[0]
        self.assertEqual([voter["node_id"] for voter in quorum["voters"]], [quorum["leader_id"]])
        self.assertGreater(quorum["high_watermark"], 0)
        cluster = self.rows("status")[0]["cluster_id"]
        self.assertNotEqual(cluster, "")
        self.assertEqual((quorum["cluster_id"], self.rows("quorum", "describe")[0]["cluster_id"]), (cluster, cluster))
        for verb in ("status", "describe"):
            self.assertRegex(self.ok("quorum", verb), rf"(?m)^Cluster +{re.escape(cluster)}$")
        replicas = self.rows("quorum", "replication")
        self.assertEqual([(r["node_id"], r["status"], r["lag"]) for r in replicas], [(quorum["leader_id"], "leader", 0)])
        self.assertGreater(replicas[0]["last_fetch_ms"], 1_700_000_000_000)
        self.assertRegex(self.ok("quorum", "replication"), r"LAST-FETCH  +CAUGHT-UP  .*\n.* \d+\.\d s ago  ")
        self.assertIn(" LAST-FETCH-MS ", self.ok("quorum", "replication", "-o", "wide"))
        self.assertEqual(self.rows("quorum", "describe")[0]["replicas"][0]["status"], "leader")
        self.assertIn("High watermark", self.ok("quorum", "describe"))
        directory = "AAAAAAAAAAAAAAAAAAAAAQ"
        self.assertNotEqual(milena("quorum", "add-voter", "--id", "9", "--directory-id", directory,
                                   "--endpoint", "CONTROLLER://localhost:1").returncode, 0)
        for verb in ("add-voter", "remove-voter"):
            self.assertIn("cannot change its voters yet", self.ok("quorum", verb, "--help"))
        self.assertIn("would lose its vote", self.fails(2, "quorum", "remove-voter", "--id", "9", "--directory-id", directory))
        self.assertIn("is not an id", self.fails(2, "quorum", "remove-voter", "--id", "9", "--directory-id", "x", "--yes"))

    def test_features(self):
        features = {row["feature"]: row for row in self.rows("feature", "describe")}
        version = features["metadata.version"]
        self.assertGreaterEqual(version["supported_max"], version["level"])
        self.assertIn("group.version", features)
        self.assertIn("there is no 'grup.version' (did you mean 'group.version'?)",
                      self.fails(1, "feature", "upgrade", "grup.version=1"))
        self.assertIn("give either", self.fails(2, "feature", "upgrade"))
        self.assertIn("--yes", self.fails(2, "feature", "disable", "group.version", "--unsafe"))
        level = features["group.version"]["level"]
        self.assertRegex(version["release"], r"^\d\.\d-IV\d$")
        self.assertIsNone(features["group.version"]["release"])
        self.assertIn(f" {version['release']} ", self.ok("feature", "describe"))
        done = milena("feature", "upgrade", f"group.version={level}", "--dry-run")
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (0, "", f"nothing to do: group.version is {level} already\n"))
        changed = self.rows("feature", "downgrade", f"group.version={level - 1}", "--dry-run")
        self.assertEqual(changed, [{"feature": "group.version", "before": level, "level": level - 1, "changed": False}])
        self.rows("feature", "disable", "group.version")
        self.assertEqual({r["feature"]: r["level"] for r in self.rows("feature", "describe")}["group.version"], 0)
        self.assertEqual(self.rows("feature", "upgrade", f"group.version={level}")[0]["before"], 0)
        self.assertIn("nothing to do", milena("feature", "upgrade", "--release", "3.9").stderr)


class LogDump(CliTest):
    """On the directory of a node of its own, stopped."""

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="milena-test-"))
        cls.node = harness.server_class()(cls.folder, {"num.partitions": "1", "log.index.interval.bytes": "100"})
        try:
            cls.node.start()
            brokers = {"brokers": False, "MILENA_BROKERS": cls.node.bootstrap}
            for arguments in (("topic", "create", "orders"), ("topic", "create", "gone"), ("topic", "delete", "gone", "--yes"),
                              ("config", "set", "topic", "orders", "retention.ms=-1")):
                done = milena(*arguments, **brokers)
                assert done.returncode == 0, done.stderr
            for i in range(10):
                done = milena("produce", "orders", "-k", f"key-{i}", stdin=f"value {i}\n", **brokers)
                assert done.returncode == 0, done.stderr
            done = milena("consume", "orders", "-g", "billing", "-n", "3", "--from", "start", **brokers)
            assert done.returncode == 0, done.stderr
            cls.node.stop()
        except Exception:
            cls.tearDownClass()
            raise
        cls.orders = cls.node.data / "orders-0"

    @classmethod
    def tearDownClass(cls):
        cls.node.close()
        shutil.rmtree(cls.folder, ignore_errors=True)

    def items(self, *arguments, code=0):
        done = milena("log", "dump", "--json", *map(str, arguments))
        self.assertEqual(done.returncode, code, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_records_of_a_partition(self):
        items = self.items(self.orders, "--deep")
        records = [item for item in items if item["kind"] == "record"]
        self.assertEqual([(r["offset"], r["key"], r["value"]) for r in records],
                         [(i, f"key-{i}", f"value {i}") for i in range(10)])
        self.assertEqual({item["valid"] for item in items if item["kind"] == "batch"}, {True})
        self.assertGreater(len([item for item in items if item["kind"] == "index_entry"]), 3)
        self.assertGreater(len([item for item in items if item["kind"] == "time_entry"]), 0)
        kinds = {item["type"] for item in items if item["kind"] == "file"}
        self.assertLessEqual({"records", "offset index", "time index", "checkpoint", "text", "producer snapshot"}, kinds)
        some = self.items(self.orders / f"{0:020}.log", "--from", "4", "--to", "6")
        self.assertEqual([item["base_offset"] for item in some if item["kind"] == "batch"], [4, 5, 6])
        text = self.ok("log", "dump", "--deep", str(self.orders))
        self.assertIn('record 3  time', text)
        self.assertIn('key "key-3"  value "value 3"', text)

    def test_metadata_records_by_name(self):
        items = self.items(self.node.data / "__cluster_metadata-0", "--deep")
        values = [item["value"] for item in items if item["kind"] == "record" and "control_type" not in item]
        types = {value["type"] for value in values}
        self.assertLessEqual({"TopicRecord", "PartitionRecord", "ConfigRecord", "RemoveTopicRecord", "RegisterBrokerRecord",
                              "FeatureLevelRecord"}, types)
        topic = next(value for value in values if value["type"] == "TopicRecord" and value["data"]["name"] == "orders")
        config = next(value for value in values
                      if value["type"] == "ConfigRecord" and value["data"]["resourceName"] == "orders")
        self.assertEqual((config["data"]["resourceName"], config["data"]["name"], config["data"]["value"]),
                         ("orders", "retention.ms", "-1"))
        text = (self.orders / "partition.metadata").read_text()
        self.assertIn(topic["data"]["topicId"], text)
        controls = [item for item in items if item.get("control_type") == "LeaderChange"]
        self.assertEqual(controls[0]["value"]["leaderId"], 1)

    def test_offsets_of_groups_by_name(self):
        seen = []
        for folder in sorted(self.node.data.glob("__consumer_offsets-*")):
            seen += [item for item in self.items(folder, "--deep") if item["kind"] == "record"]
        commits = [r for r in seen if r["key"]["type"] == "OffsetCommitKey" and r["value"] is not None]
        self.assertEqual(commits[-1]["key"]["data"], {"group": "billing", "topic": "orders", "partition": 0})
        self.assertEqual(commits[-1]["value"]["data"]["offset"], 3)
        self.assertIn("GroupMetadataKey", {r["key"]["type"] for r in seen})

    def test_checkpoints_of_the_root(self):
        items = self.items(*sorted(self.node.data.glob("*-checkpoint")), self.node.data / "meta.properties")
        entries = [item for item in items if item["kind"] == "checkpoint_entry"]
        self.assertIn({"kind": "checkpoint_entry", "topic": "orders", "partition": 0, "offset": 10}, entries)

    @unittest.skipIf(harness.server_class() is not harness.Milena, "a file of Milena's own")
    def test_the_manifest(self):
        items = self.items(self.node.data / ".milena-manifest")
        self.assertEqual([(i["kind"], i["written"]) for i in items if i["kind"] == "manifest"], [("manifest", "stopped")])
        orders = next(i for i in items if i["kind"] == "manifest_entry" and i["topic"] == "orders")
        self.assertEqual((orders["log_start_offset"], orders["log_end_offset"]), (0, 10))
        self.assertIn("orders-0", self.ok("log", "dump", str(self.node.data / ".milena-manifest")))

    def test_help_names_the_kinds(self):
        text = " ".join(self.ok("log", "dump", "--help").split())
        for kind in ("auto", "none", "metadata", "offsets", "transactions", "share"):
            self.assertRegex(text, rf"--decode KIND .*what keys and values are: .*\b{kind}\b")

    def damaged(self, change):
        """A copy of the partition whose segment `change` makes another of."""
        copy = Path(tempfile.mkdtemp(prefix="milena-test-", dir=self.folder)) / "orders-0"
        shutil.copytree(self.orders, copy)
        segment = copy / f"{0:020}.log"
        segment.write_bytes(change(segment.read_bytes()))
        return segment

    def test_torn_and_damaged_segments(self):
        whole = [item for item in self.items(self.orders / f"{0:020}.log") if item["kind"] == "batch"]
        last = whole[-1]
        items = self.items(self.damaged(lambda data: data[:-5]), code=1)
        damage = [item for item in items if item["kind"] == "damage"]
        self.assertEqual(len([item for item in items if item["kind"] == "batch"]), 9)
        self.assertEqual(damage[0]["position"], last["position"])
        self.assertIn("unfinished", damage[0]["why"])
        at = whole[4]["position"] + 70
        items = self.items(self.damaged(lambda data: data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]), "--deep", code=1)
        self.assertEqual([item["valid"] for item in items if item["kind"] == "batch"], [i != 4 for i in range(10)])
        self.assertEqual(len([item for item in items if item["kind"] == "record"]), 9)
        text = milena("log", "dump", str(self.damaged(lambda data: data + bytes(500))))
        self.assertEqual(text.returncode, 1)
        self.assertIn("zeros", text.stdout)
        moved = self.damaged(lambda data: data[whole[1]["position"]:])
        items = self.items(moved.with_suffix(".index"), "--deep", code=1)
        self.assertTrue([item for item in items if item["kind"] == "damage"])

    def test_what_cannot_be_read(self):
        self.assertIn("cannot read", self.fails(3, "log", "dump", str(self.folder / "nothing")))
        self.assertIn("partitions are below it", self.fails(3, "log", "dump", str(self.folder)))
        other = self.folder / "other.txt"
        other.write_text("x")
        self.assertIn("none of a log directory's files", self.fails(2, "log", "dump", str(other)))


if __name__ == "__main__":
    unittest.main()
