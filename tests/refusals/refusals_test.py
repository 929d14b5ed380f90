#!/usr/bin/env python3
"""What Milena must not serve stops its start, with an error that names the key or the record, and changes nothing.

Every row of CASES is one start of the real program, most of them on a directory that Apache Kafka's StorageTool
formatted or a Kafka node served. A row without `says` must start. MILENA_REFUSALS=TEXT runs the rows with TEXT in
their name.

Environment: MILENA_BIN and MILENA_KAFKA_LIBS, see ../clients/harness.py. Needs java and javac.
"""

import dataclasses
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "clients"))
import harness  # noqa: E402
from kafka_tools_test import Tools  # noqa: E402

ENDS_WITHIN_S = 20
AUTHORIZER = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
PROVIDERS = "org.apache.kafka.common.config.provider"
UNKNOWN_TYPE = "raw=016300"  # frame version 1, type 99, version 0


@dataclasses.dataclass
class Case:
    name: str
    says: list | None = None          # regular expressions, each found in what it prints; None: it starts
    settings: dict = dataclasses.field(default_factory=dict)
    base: str = ""                    # what `data` is a copy of: formatted, static, two_voters, no_voter, served, acl; "": nothing
    change: object = None             # called with the case's Place before the start
    environment: dict = dataclasses.field(default_factory=dict)
    after: object = None              # called with the Place and what was printed, once it has started and stopped


class Place:
    """A case's folder: `data`, `data2`, and whatever a change puts beside them."""

    def __init__(self, test, folder, base):
        self.test, self.folder = test, folder
        self.data, self.data2 = folder / "data", folder / "data2"
        folder.mkdir()
        if base:
            shutil.copytree(test.bases[base], self.data)

    @property
    def log(self):
        return self.data / "__cluster_metadata-0"

    def records(self, verb, *items):
        self.test.tool("Records", verb, str(self.log), *items)

    def meta(self, directory, **values):
        """Changes lines of meta.properties; `_` in a key is a dot."""
        path = directory / "meta.properties"
        lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
        now = dict(line.split("=", 1) for line in lines)
        now.update({key.replace("_", "."): value for key, value in values.items()})
        path.write_text("".join(f"{key}={value}\n" for key, value in now.items()))

    def second(self, **values):
        """data2 as a formatted directory of the same node, with other values in meta.properties."""
        self.data2.mkdir()
        shutil.copy(self.data / "meta.properties", self.data2)
        self.meta(self.data2, **values)

    def damage(self, pattern, at):
        """Flips one byte of the newest file of that name; `at`: part of its length."""
        path = max(self.log.glob(pattern))
        content = bytearray(path.read_bytes())
        content[int(len(content) * at)] ^= 0x55
        path.write_bytes(content)

    def cut(self, pattern):
        path = max(self.log.glob(pattern))
        path.write_bytes(path.read_bytes()[:-20])

    def empty(self, pattern):
        for path in self.log.glob(pattern):
            path.write_bytes(b"")


def key_refused(key, value, base="", **more):
    return Case(key, [re.escape(key) + "=" + re.escape(value), "remove the key"], {key: value, **more}, base)


def provider_files(place):
    (place.folder / "secrets.properties").write_text(f"dirs={place.folder}/elsewhere\n")
    (place.folder / "mounted").mkdir()
    (place.folder / "mounted" / "heartbeat").write_text("1234")


def provider_values_used(place, printed):
    place.test.assertIn("node.id=7", (place.folder / "elsewhere" / "meta.properties").read_text())
    place.test.assertIn("broker.heartbeat.interval.ms (1234 ms)", printed)


def one_warning(place, printed):
    lines = [line for line in printed.splitlines() if "metric.reporters" in line]
    place.test.assertEqual(len(lines), 1, printed)
    place.test.assertIn("ignored", lines[0])


def unmounted(place):
    os.remove(place.data / "meta.properties")


def locked(place):
    """Another node runs on the directory."""
    place.other = harness.Milena(place.folder / "other", {"log.dirs": str(place.data), "controller.quorum.voters": "",
                                                          "controller.quorum.bootstrap.servers": "127.0.0.1:1"})
    place.other.start()
    place.test.addCleanup(place.other.close)


TWO_DIRS = {"log.dirs": "DATA,DATA2"}
ACL_FREE = {"authorizer.class.name": AUTHORIZER, "allow.everyone.if.no.acl.found": "true"}
BY_PROVIDERS = {
    "config.providers": "f,d,e", "config.providers.f.class": f"{PROVIDERS}.FileConfigProvider",
    "config.providers.d.class": f"{PROVIDERS}.DirectoryConfigProvider",
    "config.providers.e.class": f"{PROVIDERS}.EnvVarConfigProvider", "log.dirs": "${f:FOLDER/secrets.properties:dirs}",
    "node.id": "${e:NODE_NUMBER}", "broker.heartbeat.interval.ms": "${d:FOLDER/mounted:heartbeat}",
    "broker.session.timeout.ms": "2000",
}

CASES = [
    # ---- what must start, so that the refusals below are not for another reason
    Case("nothing special: formats"), Case("nothing special: formatted by Kafka", base="formatted"),
    Case("nothing special: static voters", base="static", settings={"STATIC": "1"}),
    Case("nothing special: served by Kafka", base="served"),
    Case("two directories", base="formatted", settings=TWO_DIRS, change=lambda p: p.second(directory_id="abcdefghijklmnopqrstuA")),
    Case("metric.reporters", settings={"metric.reporters": "com.example.A,com.example.B"}, after=one_warning),
    Case("config.providers", settings=BY_PROVIDERS, change=provider_files, environment={"NODE_NUMBER": "7"},
         after=provider_values_used),

    # ---- keys
    Case("SSL listener", ["listeners: SSL uses SSL", "listener.security.protocol.map"], {"LISTENER": "SSL", "inter.broker.listener.name": "SSL"}),
    Case("listener mapped to SASL_PLAINTEXT", ["listeners: INSIDE uses SASL_PLAINTEXT", "map INSIDE to PLAINTEXT"],
         {"LISTENER": "INSIDE", "inter.broker.listener.name": "INSIDE",
          "listener.security.protocol.map": "INSIDE:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT"}),
    Case("controller listener mapped to SSL", ["listeners: CONTROLLER uses SSL"],
         {"listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:SSL"}),
    key_refused("security.inter.broker.protocol", "SASL_PLAINTEXT",
                **{"listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:PLAINTEXT",
                   "LISTENER": "SASL_PLAINTEXT"}),
    key_refused("remote.log.storage.system.enable", "true"),
    key_refused("create.topic.policy.class.name", "com.example.Policy"),
    key_refused("alter.config.policy.class.name", "com.example.Policy"),
    key_refused("principal.builder.class", "com.example.Builder"),
    key_refused("client.quota.callback.class", "com.example.Quotas"),
    key_refused("group.share.persister.class.name", "com.example.Persister"),
    key_refused("transaction.two.phase.commit.enable", "true"),
    Case("two static voters", ["controller.quorum.voters names 2 voters"],
         {"STATIC": "1", "VOTERS": ",2@127.0.0.1:1"}, base="static"),
    Case("process.roles: broker", ["process.roles=broker: the role controller is missing"],
         {"process.roles": "broker", "LISTENERS": "PLAINTEXT://127.0.0.1:PORT"}, base="formatted"),
    Case("process.roles: controller", ["process.roles=controller: the role broker is missing"],
         {"process.roles": "controller", "LISTENERS": "CONTROLLER://127.0.0.1:CONTROLLER_PORT"}, base="formatted"),
    Case("one of several, unformatted", ["controller.quorum.bootstrap.servers names 3 servers", "storage format"],
         {"controller.quorum.bootstrap.servers": "a:9093,b:9093,c:9093"}),
    Case("a provider of another class", [r"config\.providers\.x\.class", "com.example.Vault"],
         {"config.providers": "x", "config.providers.x.class": "com.example.Vault"}),
    Case("a provider's file is missing", ["log.dirs", "nowhere.properties"],
         {**BY_PROVIDERS, "log.dirs": "${f:FOLDER/nowhere.properties:dirs}"}, change=provider_files,
         environment={"NODE_NUMBER": "7"}),

    # ---- authorizers
    Case("authorizer that denies", ["authorizer.class.name=" + re.escape(AUTHORIZER), "allow.everyone.if.no.acl.found"],
         {"authorizer.class.name": AUTHORIZER}, base="served"),
    Case("authorizer that denies, by its key", ["authorizer.class.name="],
         {"authorizer.class.name": AUTHORIZER, "allow.everyone.if.no.acl.found": "false", "super.users": "User:admin"}),
    Case("authorizer, everyone allowed, no ACL", settings=ACL_FREE, base="served"),
    Case("authorizer, everyone allowed, an ACL", ["authorizer.class.name=" + re.escape(AUTHORIZER), "AccessControlEntryRecord"],
         ACL_FREE, base="acl"),
    Case("authorizer, anonymous is a super user", base="acl",
         settings={"authorizer.class.name": AUTHORIZER, "super.users": "User:admin;User:ANONYMOUS"}),
    Case("an ACL and no authorizer", base="acl"),

    # ---- records
    Case("two dynamic voters", ["VotersRecord names 2 voters"], base="two_voters"),
    Case("two dynamic voters by the log", ["VotersRecord names 2 voters"], base="served",
         change=lambda p: p.records("voters", "1", "2")),
    Case("another directory is the voter", ["VotersRecord names node 1 with directory", "directory.id"], base="served",
         change=lambda p: p.records("voters", "1")),
    Case("no voter", ["VotersRecord", "no-initial-controllers"], base="no_voter"),
    Case("kraft.version above 1", ["KRaftVersionRecord", "kraft.version 2"], base="served",
         change=lambda p: p.records("kraft", "2")),
    Case("feature level above what is known", ["transaction.version", "level 3", "FeatureLevelRecord"], base="served",
         change=lambda p: p.records("append", "feature=transaction.version:3")),
    Case("metadata.version above what is known", ["metadata.version", "level 31", "FeatureLevelRecord"], base="served",
         change=lambda p: p.records("append", "feature=metadata.version:31")),
    Case("unknown feature", ["queue.version", "level 1", "FeatureLevelRecord"], base="served",
         change=lambda p: p.records("append", "feature=queue.version:1")),
    Case("unknown feature in a snapshot", ["queue.version", "FeatureLevelRecord"], base="static", settings={"STATIC": "1"},
         change=lambda p: p.records("snapshot", "feature=metadata.version:30", "feature=queue.version:1")),
    Case("a dynamic value of this broker", ["ConfigRecord", r"listener\.name\.plaintext\.principal\.builder\.class"], base="served",
         change=lambda p: p.records("append", "config=4:1:listener.name.plaintext.principal.builder.class:com.example.B")),
    Case("a dynamic value of another broker", base="served",
         change=lambda p: p.records("append", "config=4:2:listener.name.plaintext.principal.builder.class:com.example.B")),
    Case("formatted by a later release", ["metadata.version", "level 31", "FeatureLevelRecord"], base="formatted",
         change=lambda p: p.test.tool("Records", "bootstrap", str(p.data), "feature=metadata.version:31")),
    Case("an unknown record in bootstrap.checkpoint", [r"bootstrap\.checkpoint", "record type 99"], base="formatted",
         change=lambda p: p.test.tool("Records", "bootstrap", str(p.data), "feature=metadata.version:30", UNKNOWN_TYPE)),
    Case("unknown feature, taken back", base="served",
         change=lambda p: p.records("append", "feature=queue.version:1", "feature=queue.version:0")),
    Case("unknown record type in the log", ["metadata log", "offset", "record type 99"], base="served",
         change=lambda p: p.records("append", UNKNOWN_TYPE)),
    Case("unknown record type in a snapshot", [r"0\.checkpoint|-\d+\.checkpoint", "record type 99"], base="static",
         settings={"STATIC": "1"}, change=lambda p: p.records("snapshot", "feature=metadata.version:30", UNKNOWN_TYPE)),
    Case("record version above what is known", ["FeatureLevelRecord version 9"], base="served",
         change=lambda p: p.records("append", "raw=010c09")),
    Case("unknown frame", ["frame version 2"], base="served", change=lambda p: p.records("append", "raw=020c00")),

    # ---- directories
    Case("one formatted, one not", ["DATA2 is not formatted", "storage format"], TWO_DIRS, base="formatted"),
    Case("data without meta.properties", ["DATA holds data but no meta.properties"], base="served", change=unmounted),
    Case("another cluster's directory", ["cluster.id", "DATA", "DATA2", "XXXXXXXXXXXXXXXXXXXXXX"], TWO_DIRS, base="formatted",
         change=lambda p: p.second(cluster_id="XXXXXXXXXXXXXXXXXXXXXX", directory_id="abcdefghijklmnopqrstuA")),
    Case("another node's directory", ["DATA belongs to node 2", "node.id is 1"], base="formatted",
         change=lambda p: p.meta(p.data, node_id="2")),
    Case("duplicate directory.id", ["DATA", "DATA2", "same directory.id"], TWO_DIRS, base="formatted",
         change=lambda p: p.second()),
    Case("a directory.id that means something else", ["DATA", "directory.id AAAAAAAAAAAAAAAAAAAAAQ is reserved"],
         base="formatted", change=lambda p: p.meta(p.data, directory_id="AAAAAAAAAAAAAAAAAAAAAQ")),
    Case("meta.properties of another version", ["DATA", "meta.properties", "version '2'"], base="formatted",
         change=lambda p: p.meta(p.data, version="2")),
    Case("locked by a running process", [r"DATA/\.lock"], base="", change=locked),
    Case("a batch of the metadata log is damaged, others follow", ["metadata log", "offset"], base="served",
         change=lambda p: p.damage("*.log", 0.5)),
    Case("a snapshot is cut short that the log does without", base="static", settings={"STATIC": "1"},
         change=lambda p: (p.records("snapshot", "feature=metadata.version:30"), p.cut("*.checkpoint"))),
    Case("a snapshot is cut short that held more than the log", [r"\.checkpoint"], base="static", settings={"STATIC": "1"},
         change=lambda p: (p.records("snapshot", "feature=metadata.version:30"), p.cut("*.checkpoint"), p.empty("*.log"))),
    Case("quorum-state is damaged", ["quorum-state"], base="served", change=lambda p: p.cut("quorum-state")),
    Case("the metadata log without partition.metadata", ["partition.metadata", "__cluster_metadata-0"], base="served",
         change=lambda p: os.remove(p.log / "partition.metadata")),
]


def files(folder):
    """Content of every file below; a lock's content is the process's own business."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != ".lock" and "other" not in path.relative_to(folder).parts:
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found


def differences(before, after):
    """What is gone, another, or new; not producer snapshots, which every opening of a log makes again, nor the files of
    a metadata log that nobody has opened before."""
    fresh = not any(name.endswith("/partition.metadata") for name in before)
    return [name for name in sorted(before | after)
            if before.get(name) != after.get(name) and not name.endswith(".snapshot")
            and not (fresh and name not in before and "__cluster_metadata-0/" in name)]


class RefusalsTest(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory(prefix="milena-refusals-")
        cls.root = Path(cls.scratch.name)
        cls.tools = Tools(cls.root, [HERE / "Records.java"])
        cls.bases = {}
        cls.node = harness.Kafka(cls.root / "kafka")
        cls.port, cls.controller_port = cls.node.port, cls.node.controller_port
        try:
            cls.make_bases()
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.tools.close()
        cls.node.close()
        cls.scratch.cleanup()

    @classmethod
    def tool(cls, name, *arguments):
        status, out, err = cls.tools.call(name, *arguments)
        if status != 0:
            raise AssertionError(f"{name} {arguments}: status {status}\n{out}\n{err}")

    @classmethod
    def format(cls, base, *arguments, static=False):
        folder = cls.root / "bases" / base
        folder.parent.mkdir(exist_ok=True)
        config = cls.root / f"{base}.properties"
        cls.write_config(config, folder, {"STATIC": "1"} if static else {})
        cls.tool("kafka.tools.StorageTool", "format", "-t", harness.Kafka.cluster_id, "-c", str(config), *arguments)
        cls.bases[base] = folder
        return config

    @classmethod
    def make_bases(cls):
        host = "127.0.0.1"
        cls.format("formatted", "--standalone")
        cls.format("no_voter", "--no-initial-controllers")
        cls.format("two_voters", "--initial-controllers",
                   f"1@{host}:{cls.controller_port}:abcdefghijklmnopqrstuA,2@{host}:{cls.controller_port + 1}:abcdefghijklmnopqrstug")
        # What real nodes leave behind.
        config = cls.format("static", static=True)
        cls.serve(config)
        config = cls.format("served", "--standalone")
        cls.serve(config, "org.apache.kafka.tools.TopicCommand", "--create", "--topic", "t", "--partitions", "2")
        cls.bases["acl"] = Path(shutil.copytree(cls.bases["served"], cls.root / "bases" / "acl"))
        config = cls.root / "acl.properties"
        cls.write_config(config, cls.bases["acl"], {"authorizer.class.name": AUTHORIZER, "super.users": "User:ANONYMOUS"})
        cls.serve(config, "org.apache.kafka.tools.AclCommand", "--add",
                  "--allow-principal", "User:alice", "--operation", "Read", "--topic", "t")

    @classmethod
    def serve(cls, config, *tool):
        """Kafka runs on the directory, a tool asks it for something, and it stops cleanly."""
        cls.node.config_path = config
        cls.node.data = cls.root  # formatted already
        cls.node.state = None  # another cluster than the one it served before
        cls.node.start()
        if tool:
            cls.tool(tool[0], "--bootstrap-server", cls.node.bootstrap, *tool[1:])
        cls.node.stop()

    @classmethod
    def write_config(cls, path, data, settings):
        settings = dict(settings)
        name = settings.pop("LISTENER", "PLAINTEXT")
        bound = settings.pop("LISTENERS", f"{name}://127.0.0.1:PORT,CONTROLLER://127.0.0.1:CONTROLLER_PORT")
        quorum = (("controller.quorum.voters", "1@127.0.0.1:CONTROLLER_PORT" + settings.pop("VOTERS", ""))
                  if settings.pop("STATIC", "") else ("controller.quorum.bootstrap.servers", "127.0.0.1:CONTROLLER_PORT"))
        all_settings = {
            "process.roles": "broker,controller", "node.id": "1", "listeners": bound, "controller.listener.names": "CONTROLLER",
            "log.dirs": str(data), "num.network.threads": "2", "offsets.topic.replication.factor": "1",
            quorum[0]: quorum[1], **settings,
        }
        text = "".join(f"{key}={value}\n" for key, value in all_settings.items())
        for word, value in (("CONTROLLER_PORT", str(cls.controller_port)), ("PORT", str(cls.port)),
                            ("DATA", str(data)), ("FOLDER", str(path.parent))):
            text = re.sub(rf"\b{word}(?=\b|2\b)", value, text)
        path.write_text(text)

    def start(self, case, place):
        """What the start printed, its exit status (None: it answered and was stopped), and whether it had answered."""
        config = place.folder / "server.properties"
        self.write_config(config, place.data, case.settings)
        before = files(place.folder)
        environment = {key: value for key, value in os.environ.items() if not key.startswith("KAFKA_")}
        with open(place.folder.parent / f"{place.folder.name}.log", "w+") as log:
            process = subprocess.Popen([harness.milena_binary(), "server", str(config)], stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=log, cwd=place.folder, env={**environment, **case.environment},
                                       preexec_fn=harness.die_with_parent)
            try:
                harness.wait_until(lambda: process.poll() is not None or harness.answers_api_versions(self.port),
                                   ENDS_WITHIN_S, "an end or an answer", interval=0.01)
                answered = process.poll() is None
                changed = [] if answered else differences(before, files(place.folder))
            finally:
                process.terminate()
                status = process.wait(harness.STOP_TIMEOUT_S)
            log.seek(0)
            return answered, status, changed, log.read()

    def check(self, case, folder):
        place = Place(self, folder, case.base)
        if case.change:
            case.change(place)
        answered, status, changed, printed = self.start(case, place)
        if case.says is None:
            self.assertTrue(answered, f"it must start\n{printed}")
            self.assertEqual(status, 0, printed)
            if case.after:
                case.after(place, printed)
            return
        self.assertFalse(answered, f"it must not start\n{printed}")
        self.assertEqual(status, 1, printed)
        for expression in case.says:
            pattern = re.sub(r"\bDATA(?=\b|2\b)", str(place.data), expression)
            self.assertRegex(printed, pattern)
        self.assertEqual(changed, [], f"a refused start changed files\n{printed}")

    def test_every_row(self):
        wanted = os.environ.get("MILENA_REFUSALS", "")
        done = 0
        for number, case in enumerate(CASES):
            if wanted not in case.name:
                continue
            done += 1
            with self.subTest(case.name):
                self.check(case, self.root / f"case{number}")
        print(f"{done} starts", file=sys.stderr)
        self.assertGreater(done, 0)


if __name__ == "__main__":
    unittest.main()
