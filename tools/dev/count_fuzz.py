#!/usr/bin/env python3
"""Adds up what fuzz targets ran: count_fuzz.py [--least N] LOG..., one log of libFuzzer (-print_final_stats=1) each.

Fails when a log does not say how many inputs its target ran, or when they are fewer than N in all.
"""

import argparse
import re
import sys
from pathlib import Path


def inputs_of(log):
    """How many inputs the target ran; None: it did not end as it should."""
    found = re.findall(r"^stat::number_of_executed_units:\s*(\d+)$", log, re.M)
    if len(found) != 1 or re.search(r"ERROR: |runtime error: |CHECK failed|SUMMARY: ", log):
        return None
    return int(found[0])


def count(logs, least):
    """(whether all is well, lines to print) for [(name, log)...]."""
    lines, total, well = [], 0, bool(logs)
    for name, log in logs:
        inputs = inputs_of(log)
        well = well and inputs is not None
        total += inputs or 0
        lines.append(f"{name}: " + ("no count, or a failure" if inputs is None else f"{inputs} inputs"))
    lines.append(f"{total} inputs in all" + (f", of at least {least}" if least else ""))
    return well and total >= least, lines


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--least", type=int, default=0)
    options.add_argument("logs", nargs="+", type=Path)
    given = options.parse_args()
    logs = [(path.stem, path.read_text(errors="replace") if path.exists() else "") for path in given.logs]
    well, lines = count(logs, given.least)
    print("\n".join(lines))
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
