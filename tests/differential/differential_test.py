"""Starts Milena and Apache Kafka side by side and lets Differential.java compare their answers.

Environment: MILENA_BIN and MILENA_KAFKA_LIBS, see tests/clients/harness.py. Needs java (a JDK).
"""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "clients"))
import harness

COMPARISON_TIMEOUT_S = 500


def folder_on_a_listed_mount():
    """Where to make temporary folders. Java asks /proc/mounts what file system a path is on and fails where it is not
    listed, as a chroot's root: Kafka then answers DescribeLogDirs with UNKNOWN_SERVER_ERROR."""
    place = os.path.realpath(tempfile.gettempdir())
    while not os.path.ismount(place):
        place = os.path.dirname(place)
    with open("/proc/mounts") as mounts:
        listed = {line.split()[1] for line in mounts}
    return None if place in listed else "/dev/shm"


class Requests(harness.ServerTestCase):
    temporary = folder_on_a_listed_mount()

    def start_both(self, more=None):
        for server in (harness.Kafka, harness.Milena):
            folder = self.folder / server.name
            # A log directory may be a link.
            (self.folder / f"{server.name}-linked").mkdir()
            folder.mkdir()
            (folder / "more").symlink_to(self.folder / f"{server.name}-linked")
            settings = {"log.dirs": f"{folder / 'data'},{folder / 'more'}",
                        "metadata.log.max.snapshot.interval.ms": "2000", **(more or {})}
            self.servers.append(server(folder, settings))
            self.servers[-1].start()

    def compare(self, *what):
        classes = self.folder / "classes"
        sources = sorted(Path(__file__).parent.glob("*.java"))
        subprocess.run(["javac", "-nowarn", "-d", classes, "-cp", harness.kafka_classpath(), *sources], check=True)
        ports = [str(port) for server in self.servers for port in (server.port, server.controller_port)]
        before = self.files_outside()
        done = subprocess.run(["java", "-Xmx256m", "-XX:TieredStopAtLevel=1",
                               f"-Dtests={Path(__file__).resolve().parent}",
                               *(f"-D{server.name}={server.folder}" for server in self.servers), "-cp",
                               f"{classes}:{harness.kafka_classpath()}", "Differential", *ports, *what],
                              capture_output=True, text=True, timeout=COMPARISON_TIMEOUT_S)
        self.assertEqual(done.returncode, 0, done.stdout[-40000:] + done.stderr[-3000:])
        self.assertEqual(self.files_outside(), before, "a name led out of the data directories")
        print(done.stdout, file=sys.stderr)

    def files_outside(self):
        """What lies around the data directories, and was there when they were made."""
        inside = [path for server in self.servers for path in (server.data, self.folder / f"{server.name}-linked")]
        return sorted(str(path) for path in self.folder.glob("**/*") if not any(one in path.parents for one in inside))

    def test_are_answered_as_kafka_answers_them(self):
        self.start_both()
        self.compare()

    def test_offsets_expire_as_in_kafka(self):
        self.start_both({"offsets.retention.check.interval.ms": "1000"})
        self.compare("ExpiryRequests")

    def test_settings_refuse_what_they_refuse_in_kafka(self):
        self.start_both({"delete.topic.enable": "false", "auto.create.topics.enable": "false", "num.partitions": "3",
                         "default.replication.factor": "2", "group.max.size": "1"})
        self.compare("SettingsRequests")


if __name__ == "__main__":
    unittest.main()
