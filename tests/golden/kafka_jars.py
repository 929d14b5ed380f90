"""Apache Kafka's jars for the golden tests, and the shape that the tests of single encodings share."""

import os
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent


def jars():
    """The folder with Kafka's jars: MILENA_KAFKA_LIBS, or where ./dev test puts them. Ends the test without them."""
    folder = os.environ.get("MILENA_KAFKA_LIBS") or str(HERE.parents[1] / ".cache" / "kafka-4.3.1" / "libs")
    if not os.path.isdir(folder):
        raise SystemExit(f"no Apache Kafka jars in {folder}; ./dev test fetches them, or set MILENA_KAFKA_LIBS")
    return folder


def classpath():
    return os.path.join(jars(), "*")


def java(*words):
    """The command that runs a class of Kafka's, or a .java file of this folder, named by its full path."""
    return ["java", "-cp", classpath(), *words]


def compare_both_ways(driver, work, program, before=(), after=()):
    """`driver write` makes cases, PROGRAM BEFORE... CASES ANSWERS AFTER... judges them and writes its own, `driver read`
    judges those. Exit status for the test."""
    os.makedirs(work, exist_ok=True)
    cases, answers = os.path.join(work, "cases.tsv"), os.path.join(work, "kafka.tsv")
    with open(cases, "wb") as out:
        written = subprocess.run([driver, "write"], stdout=out).returncode
    kafka = subprocess.run(java(str(HERE / program), *before, cases, answers, *after)).returncode
    with open(answers, "rb") as lines:
        read = subprocess.run([driver, "read"], stdin=lines).returncode
    return 1 if written or kafka or read else 0
