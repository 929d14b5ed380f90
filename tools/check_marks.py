#!/usr/bin/env python3
"""Marks in the product and the tests that know of them, compared.

  check_marks.py [ROOT]

Each name of a MILENA_REACHED in src/ is counted in tests/sim/reached.cc, and each name there stands in src/; each name
of a MILENA_MUTANT in src/ is listed as a mutant in tests/sim, and each mutant that says so is planted in src/. Prints
one line per finding, exits 1 if there is any.
"""

import re
import sys
from pathlib import Path


def names(paths, pattern):
    """{name: where it stands first}."""
    found = {}
    for path in sorted(paths):
        for name in re.findall(pattern, path.read_text()):
            found.setdefault(name, path)
    return found


def compare(root):
    source = [path for path in root.glob("src/**/*.cc")]
    sim = root / "tests/sim"
    pairs = [
        ("MILENA_REACHED", r'MILENA_REACHED\("([^"]+)"\)', names([sim / "reached.cc"], r'", "([^"]+)"\}'), "tests/sim/reached.cc"),
        ("MILENA_MUTANT", r'MILENA_MUTANT\("([^"]+)"\)',
         names([sim / "mutants.cc"], r'\{"([^"]+)", "[^"]+", true') | names([sim / "raft/main.cc"], r'\{"(raft-[^"]+)", "'),
         "tests/sim/mutants.cc and tests/sim/raft/main.cc"),
    ]
    for macro, pattern, listed, where in pairs:
        marked = names(source, pattern)
        for name in sorted(marked.keys() - listed.keys()):
            yield f"{marked[name].relative_to(root)}: {macro}(\"{name}\") is not listed in {where}"
        for name in sorted(listed.keys() - marked.keys()):
            yield f"{listed[name].relative_to(root)}: no {macro}(\"{name}\") in src/: its test cannot fail"
        if not marked or not listed:
            yield f"{where}: nothing found to compare for {macro}"


def main(arguments):
    root = Path(arguments[1]) if len(arguments) > 1 else Path(__file__).resolve().parent.parent
    findings = list(compare(root))
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
