#!/usr/bin/env python3
"""Every message in every version, random values, compared with Kafka's own classes in both directions.

  golden_messages.py DRIVER WORK_DIR

Kafka's jars are in the directory that the environment variable MILENA_KAFKA_LIBS names.
Fails if a value differs or if a message or version of the jars is not covered.
"""
import os
import subprocess
import sys

VALUES = "20"


def main():
    driver, work = sys.argv[1:3]
    jars = os.environ.get("MILENA_KAFKA_LIBS")
    if not jars:
        print("MILENA_KAFKA_LIBS does not name the directory of Kafka's jars; ./dev test fetches them and sets it")
        return 1
    os.makedirs(work, exist_ok=True)
    cases, answers = os.path.join(work, "cases.tsv"), os.path.join(work, "kafka.tsv")
    with open(cases, "wb") as out:
        written = subprocess.run([driver, "write"], stdout=out).returncode
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "GoldenMessages.java")
    kafka = subprocess.run(["java", "-cp", os.path.join(jars, "*"), program, jars, cases, answers, VALUES]).returncode
    with open(answers, "rb") as lines:
        read = subprocess.run([driver, "read"], stdin=lines).returncode
    return 1 if written or kafka or read else 0


if __name__ == "__main__":
    sys.exit(main())
