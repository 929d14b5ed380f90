#!/usr/bin/env python3
"""Every message in every version, random values, compared with Kafka's own classes in both directions.

  golden_messages.py DRIVER WORK_DIR

Needs Kafka's jars (kafka_jars.py). Fails if a value differs or if a message or version of the jars is not covered.
MILENA_FAST takes 2 values of each instead of 20.
"""
import os
import sys

import kafka_jars


def main():
    driver, work = sys.argv[1:3]
    values = "2" if os.environ.get("MILENA_FAST") else "20"
    return kafka_jars.compare_both_ways(driver, work, "GoldenMessages.java", [kafka_jars.jars()], [values])


if __name__ == "__main__":
    sys.exit(main())
