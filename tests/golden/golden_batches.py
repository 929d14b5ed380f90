#!/usr/bin/env python3
"""Record batches in all formats, codecs and levels, read by the other side; and what validation makes of them.

  golden_batches.py DRIVER WORK_DIR

Milena writes batches and the outcomes of its validation, Kafka's own classes read and judge the same bytes, then Kafka
writes batches and Milena reads them. Needs Kafka's jars (kafka_jars.py).
"""
import sys

import kafka_jars


def main():
    driver, work = sys.argv[1:3]
    return kafka_jars.compare_both_ways(driver, work, "GoldenBatches.java")


if __name__ == "__main__":
    sys.exit(main())
