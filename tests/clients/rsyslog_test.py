"""rsyslog's omkafka ships this machine's own logs into the server; a consumer group reads them back.

imfile follows /var/log's package logs where they exist, imuxsock takes what `logger -u` writes; an rsyslogd of the
test's own (configuration, pid file, work folder, socket) sends both. docs/recipes/rsyslog.md is the same for users.

Environment: MILENA_BIN, see harness.py. Needs the Debian packages rsyslog, rsyslog-kafka, bsdutils and kcat.
"""

import collections
import json
import os
import re
import signal
import subprocess
import time
import unittest
from pathlib import Path

import harness

LOG_FILES = ["/var/log/dpkg.log", "/var/log/apt/history.log", "/var/log/apt/term.log", "/var/log/alternatives.log",
             "/var/log/bootstrap.log", "/var/log/fontconfig.log"]
LINES_MAX = 20000  # of one file: enough to be real, few enough to stay quick
SOCKET_LINES = 500
WAIT_S = 40

INPUT = 'input(type="imfile" File="{file}" Tag="{tag}:" Severity="info" ruleset="files")\n'

# What cannot be sent waits in the action's queue and, at a stop, in the work folder: nothing is lost meanwhile.
ACTION = """  action(type="omkafka" broker=["{bootstrap}"] topic="{topic}" template="{template}" key="{key}"
    partitions.auto="on" confParam=["compression.codec={codec}", "queue.buffering.max.ms=20", "acks=all",
      "message.timeout.ms=60000"]
    resubmitOnFailure="on" keepFailedMessages="on" failedMsgFile="{folder}/failed-{topic}"
    errorFile="{folder}/errors-{topic}" closeTimeout="20000" action.resumeRetryCount="-1"
    action.resumeInterval="1" queue.type="LinkedList" queue.filename="{topic}" queue.saveOnShutdown="on")
"""

CONFIG = """global(workDirectory="{folder}" maxMessageSize="64k" parser.escapeControlCharactersOnReceive="off")
module(load="omkafka")
module(load="imfile")
module(load="imuxsock" SysSock.Use="off")
template(name="line" type="string" string="%msg%")
template(name="json" type="list" option.jsonf="on") {{
  property(outname="host" name="hostname" format="jsonf")
  property(outname="program" name="programname" format="jsonf")
  property(outname="severity" name="syslogseverity-text" format="jsonf")
  property(outname="message" name="msg" position.from="2" format="jsonf")
}}
ruleset(name="files") {{
{files}}}
ruleset(name="local") {{
{local}}}
input(type="imuxsock" Socket="{folder}/log" CreatePath="on" RateLimit.Interval="0" UseSysTimeStamp="off" ruleset="local")
{inputs}"""


def real_lines():
    """The lines of this machine's package logs, by file. imfile drops nothing but empty lines."""
    found = {}
    for name in LOG_FILES:
        path = Path(name)
        if path.is_file() and os.access(path, os.R_OK):
            text = path.read_bytes().decode("ascii", errors="replace").replace("\ufffd", "?").replace("\r", "")
            lines = [line for line in text.split("\n") if line.strip()][:LINES_MAX]
            if lines:
                found[name] = lines
    return found


class Rsyslog(harness.ServerTestCase):
    def setUp(self):
        self.work = self.folder / "rsyslog"
        self.work.mkdir()
        self.daemon = None
        self.addCleanup(self.stop_rsyslog)

    def start_rsyslog(self, server):
        inputs = "".join(INPUT.format(file=path, tag=path.stem) for path in self.copies())
        common = {"bootstrap": server.bootstrap, "folder": self.work}
        files = ACTION.format(topic="machine-logs", template="line", key="package-logs", codec="zstd", **common)
        local = ACTION.format(topic="syslog", template="json", key="local", codec="lz4", **common)
        config = self.work / "rsyslog.conf"
        config.write_text(CONFIG.format(folder=self.work, files=files, local=local, inputs=inputs))
        log = open(self.work / "rsyslogd.log", "ab")
        self.addCleanup(log.close)
        self.daemon = subprocess.Popen(["/usr/sbin/rsyslogd", "-n", "-f", config, "-i", self.work / "rsyslogd.pid"],
                                       stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                       preexec_fn=harness.die_with_parent)
        self.until(lambda: (self.work / "log").is_socket(), "rsyslogd opens its socket")

    def stop_rsyslog(self):
        daemon, self.daemon = self.daemon, None
        if daemon is None:
            return
        daemon.send_signal(signal.SIGTERM)
        try:
            daemon.wait(30)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
            raise AssertionError(f"rsyslogd did not end\n{self.rsyslog_log()}") from None

    def copies(self):
        """The logs as files of the test's own: the machine's may grow while the test reads them."""
        folder = self.work / "logs"
        folder.mkdir(exist_ok=True)
        paths = []
        for name, lines in self.lines.items():
            path = folder / Path(name).name
            if not path.exists():
                path.write_text("\n".join(lines) + "\n")
            paths.append(path)
        return paths

    def rsyslog_log(self):
        return "".join(f"--- {path.name}\n{path.read_text(errors='replace')[-2000:]}\n"
                       for path in sorted(self.work.glob("*")) if path.is_file() and "rsyslogd.log" in path.name
                       or path.name.startswith("errors-"))

    def until(self, condition, what):
        deadline = time.monotonic() + WAIT_S
        while not condition():
            self.assertIsNone(self.daemon.poll(), f"rsyslogd ended by itself\n{self.rsyslog_log()}")
            if time.monotonic() > deadline:
                self.fail(f"{what}: not within {WAIT_S} s\n{self.rsyslog_log()}")
            time.sleep(0.1)

    def kcat(self, server, *arguments):
        return harness.run_tool(["kcat", "-b", server.bootstrap, "-m", "20", "-X", "log_level=3", "-q", *arguments])

    def read(self, server, topic, count):
        """What the group "readers-TOPIC" reads next, until there are `count` records; commits."""
        records = []

        def enough():
            out = self.kcat(server, "-G", f"readers-{topic}", "-J", "-e", "-X", "auto.offset.reset=earliest", topic)
            records.extend(json.loads(line) for line in out.decode().splitlines())
            return len(records) >= count
        self.until(enough, f"{count} records in {topic} (there are {len(records)})")
        return records

    def send(self, first, count):
        """Lines into the socket, all by one `logger`; returns them."""
        sent = [f"message {number} of the test" for number in range(first, first + count)]
        harness.run_tool(["logger", "-u", self.work / "log", "-t", "milena-test", "-p", "user.notice"],
                         input=("\n".join(sent) + "\n").encode())
        return sent

    def test_the_recipe_is_valid(self):
        text = (Path(__file__).parents[2] / "docs" / "recipes" / "rsyslog.md").read_text()
        recipe = re.search("60-milena.conf`:\n\n```\n(.*?)```", text, re.S).group(1)
        config = self.work / "recipe.conf"
        config.write_text(f'global(workDirectory="{self.work}")\n{recipe}')
        harness.run_tool(["/usr/sbin/rsyslogd", "-N1", "-f", config])

    def test_logs_of_this_machine(self):
        self.lines = real_lines()
        self.assertTrue(self.lines, f"this machine has none of {LOG_FILES}")
        server = self.start_server()
        self.start_rsyslog(server)
        sent = self.send(0, SOCKET_LINES)
        wanted = collections.Counter(line for lines in self.lines.values() for line in lines)
        found = collections.Counter(r["payload"] for r in self.read(server, "machine-logs", wanted.total()))
        self.assertEqual(found.total(), wanted.total(), "as many records as lines")
        self.assertEqual([*(found - wanted).items()][:3], [], "records that are no line of a file")
        self.assertEqual([*(wanted - found).items()][:3], [], "lines that did not arrive")
        records = self.read(server, "syslog", SOCKET_LINES)
        values = [json.loads(r["payload"]) for r in records]
        self.assertEqual(sorted(v["message"] for v in values), sorted(sent))
        self.assertEqual({(v["program"], v["severity"]) for v in values}, {("milena-test", "notice")})

        # Away and back, politely and not: what was logged meanwhile arrives, nothing twice for the group.
        for kill, first in ((False, 1000), (True, 2000)):
            if kill:
                server.kill()
            else:
                server.stop()
            sent = self.send(first, SOCKET_LINES)
            server.start()
            sent += self.send(first + SOCKET_LINES, SOCKET_LINES)
            values = [json.loads(r["payload"])["message"] for r in self.read(server, "syslog", 2 * SOCKET_LINES)]
            self.assertEqual(set(sent) - set(values), set(), "everything logged while the server was away is there")
            self.assertEqual(set(values) - set(sent), set(), "the group starts where it had committed")
        self.stop_rsyslog()


if __name__ == "__main__":
    unittest.main(verbosity=2)
