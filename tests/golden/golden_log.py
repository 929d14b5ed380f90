#!/usr/bin/env python3
"""Partition logs: the same operations on Milena's log and on Kafka's, then answers and files compared.

  golden_log.py DRIVER WORK_DIR

Milena performs random operations on several logs and writes them down with its answers; Kafka's UnifiedLog plays the
same script. The answers must agree line by line, and afterwards every file of every partition byte by byte. Then
each opens what the other has left, after a clean stop, and kafka-dump-log checks Milena's segments and indexes.
Segments of the formats before v2, written by Kafka's classes, are recovered, looked up and read by both.
Needs Kafka's jars (kafka_jars.py).
"""
import os
import shutil
import subprocess
import sys

import kafka_jars

LOGS = 24


def read_lines(path):
    with open(path, encoding="ascii") as text:
        return text.read().splitlines()


def compare_answers(script, ours, theirs):
    operations = read_lines(script)
    ours, theirs = read_lines(ours), read_lines(theirs)
    wrong = 0
    for number, operation in enumerate(operations):
        a = ours[number] if number < len(ours) else "<none>"
        b = theirs[number] if number < len(theirs) else "<none>"
        if a != b:
            wrong += 1
            if wrong <= 10:
                print(f"line {number + 1}: {operation[:60]}\n  milena {a}\n  kafka  {b}")
    print(f"{len(operations) - wrong} of {len(operations)} answers agree")
    return wrong


def partition_files(directory):
    found = {}
    for name in sorted(os.listdir(directory)):
        if name.endswith(".deleted"):
            continue
        with open(os.path.join(directory, name), "rb") as content:
            found[name] = content.read()
        if name.endswith(".txnindex") and not found[name]:
            del found[name]  # as good as none
        if name == "leader-epoch-checkpoint" and found[name] in (b"", b"0\n0\n"):
            del found[name]  # no epochs: Kafka makes the file, Milena waits for the first one
    return found


def compare_files(ours, theirs, changing):
    wrong = files = 0
    for partition in sorted(os.listdir(theirs)):
        a = partition_files(os.path.join(ours, partition))
        b = partition_files(os.path.join(theirs, partition))
        for name in sorted(a.keys() | b.keys()):
            if partition in changing and name.endswith((".index", ".timeindex")):
                continue
            files += 1
            if a.get(name) != b.get(name):
                wrong += 1
                sizes = [len(side[name]) if name in side else "none" for side in (a, b)]
                if wrong <= 20:
                    print(f"{partition}/{name}: milena {sizes[0]}, kafka {sizes[1]} bytes")
    print(f"{files - wrong} of {files} files are the same")
    return wrong + (files == 0)


def dump_log(directory):
    segments, indexes = [], []
    for partition in sorted(os.listdir(directory)):
        for name in sorted(os.listdir(os.path.join(directory, partition))):
            path = os.path.join(directory, partition, name)
            if name.endswith(".log"):
                segments.append(path)
            elif name.endswith((".index", ".timeindex")):
                indexes.append(path)
    main = "org.apache.kafka.tools.DumpLogSegments"
    wrong = 0
    deep = subprocess.run(kafka_jars.java(main, "--deep-iteration", "--files", ",".join(segments)), capture_output=True, text=True)
    wrong += deep.returncode != 0 or "isvalid: false" in deep.stdout or deep.stdout.count("isvalid: true") < LOGS
    verify = subprocess.run(kafka_jars.java(main, "--verify-index-only", "--files", ",".join(indexes)), capture_output=True, text=True)
    sane = subprocess.run(kafka_jars.java(main, "--index-sanity-check", "--files", ",".join(indexes)), capture_output=True, text=True)
    complaints = [line for tool in (sane, verify) for line in tool.stdout.splitlines()
                  if not line.startswith("Dumping ") and not line.endswith((" passed sanity check.", " is empty."))]
    wrong += sane.returncode != 0 or verify.returncode != 0 or len(complaints) + (sane.stdout.count("passed") == 0)
    print(f"kafka-dump-log on {len(segments)} segments and {len(indexes)} indexes: {'wrong' if wrong else 'right'}")
    if wrong:
        print("\n".join(part[-1500:] for part in (deep.stderr, *complaints, sane.stderr, verify.stderr)))
    return wrong


def compare_old_formats(driver, program, work):
    """Segments of formats 0 and 1, as an old Kafka left them: recovered, looked up, read, and their new indexes."""
    theirs, ours = (os.path.join(work, name) for name in ("old-kafka", "old-milena"))
    os.makedirs(theirs)
    names = subprocess.run(kafka_jars.java(program, "old", theirs), check=True, capture_output=True, text=True).stdout.split()
    shutil.copytree(theirs, ours)
    kafka = subprocess.run(kafka_jars.java(program, "read", theirs, *names), capture_output=True, text=True)
    milena = subprocess.run([driver, "read", ours, *names], capture_output=True, text=True)
    a, b = milena.stdout.splitlines(), kafka.stdout.splitlines()
    different = [f"milena {x}, kafka {y}" for x, y in zip(a, b) if x != y]
    failed = kafka.returncode or milena.returncode or len(a) != len(b) or not names
    print(f"{len(names)} logs of old formats: {len(b) - len(different)} of {len(b)} answers agree")
    if different or failed:
        print("\n".join(different[:10]), kafka.stderr[-2000:], milena.stderr[-2000:], sep="\n")
    return len(different) + bool(failed) + compare_files(ours, theirs, ())


def main():
    driver, work = sys.argv[1:3]
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    at = lambda name: os.path.join(work, name)
    program = str(kafka_jars.HERE / "GoldenLog.java")
    subprocess.run([driver, "make", str(LOGS), at("milena"), at("script"), at("milena.txt")], check=True)
    os.makedirs(at("kafka"))
    subprocess.run(kafka_jars.java(program, "play", at("kafka"), at("script"), at("kafka.txt")), check=True)
    logs = [line.split() for line in read_lines(at("script")) if line.startswith("log ")]
    changing = {f"{log[1]}-0" for log in logs if log[3] == "changing"}
    wrong = compare_answers(at("script"), at("milena.txt"), at("kafka.txt"))
    for name in os.listdir(at("milena")):
        if not os.path.isdir(os.path.join(at("milena"), name)):
            os.remove(os.path.join(at("milena"), name))
    wrong += compare_files(at("milena"), at("kafka"), changing)
    wrong += dump_log(at("milena"))
    wrong += compare_old_formats(driver, program, work)
    names = [f"g{i}" for i in range(LOGS)]
    kafka = subprocess.run(kafka_jars.java(program, "open", at("milena"), *names), capture_output=True, text=True)
    milena = subprocess.run([driver, "open", at("kafka")] + names, capture_output=True, text=True)
    crossed = [line + " notes 0" for line in kafka.stdout.splitlines()] == milena.stdout.splitlines()
    if not crossed or kafka.returncode or milena.returncode or len(milena.stdout.splitlines()) != LOGS:
        wrong += 1
        print("opened by the other side:", kafka.stdout, kafka.stderr[-2000:], milena.stdout, milena.stderr[-2000:], sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
