"""Counts the outcomes in ctest's JUnit reports and prints the closing line of ./dev test.

  count_results.py REPORT.xml...

A test that could not start (its program is missing, its fixture failed) is a failure, not a
skip; so is a report that cannot be read. Exit status 1 if anything failed or nothing ran.
"""

import sys
import xml.etree.ElementTree as ElementTree


def outcome(case):
    """passed, failed or skipped, for one <testcase>."""
    status = case.get("status")
    if status == "run":
        return "passed"
    if status == "disabled":
        return "skipped"
    skipped = case.find("skipped")
    if status == "notrun" and skipped is not None and (skipped.get("message") or "").startswith("SKIP_"):
        return "skipped"
    return "failed"


def count(paths):
    """The totals over all reports, and the names of what failed."""
    totals = {"passed": 0, "failed": 0, "skipped": 0}
    failures = []
    for path in paths:
        try:
            cases = ElementTree.parse(path).getroot().iter("testcase")
        except (ElementTree.ParseError, OSError):
            totals["failed"] += 1
            failures.append(path)
            continue
        for case in cases:
            result = outcome(case)
            totals[result] += 1
            if result == "failed":
                failures.append(case.get("name"))
    return totals, failures


def main(paths):
    totals, failures = count(paths)
    for name in failures:
        print(f"failed: {name}")
    line = f"{totals['passed']} passed, {totals['failed']} failed"
    if totals["skipped"]:
        line += f", {totals['skipped']} skipped"
    print(line)
    return 1 if totals["failed"] or not totals["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
