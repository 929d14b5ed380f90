#!/usr/bin/env python3
"""Record batches in all formats, codecs and levels, read by the other side; and what validation makes of them.

  golden_batches.py DRIVER WORK_DIR

Milena writes batches and the outcomes of its validation, Kafka's own classes read and judge the same bytes, then Kafka
writes batches and Milena reads them. Kafka's jars are in the directory that the environment variable
MILENA_KAFKA_LIBS names.
"""
import os
import subprocess
import sys


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
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "GoldenBatches.java")
    classes = os.path.join(jars, "*")
    kafka = subprocess.run(["java", "-cp", classes, program, cases, answers]).returncode
    with open(answers, "rb") as lines:
        read = subprocess.run([driver, "read"], stdin=lines).returncode
    return 1 if written or kafka or read else 0


if __name__ == "__main__":
    sys.exit(main())
