"""The matrix of real clients and scenarios.

    matrix.py                            all clients and all groups of scenarios, then the matrix
    matrix.py CLIENT GROUP [SCENARIO]    one client; GROUP is data, admin, groups or restart
    matrix.py --table FOLDER             the matrix of the results that earlier runs left in FOLDER

Environment: MILENA_BIN, see ../harness.py; MILENA_CLIENTS, see clients.py; MILENA_MATRIX: where results are left.
"""

import json
import os
import sys
import time
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]
import clients  # noqa: E402
from admin_scenarios import AdminScenarios  # noqa: E402
from data_scenarios import DataScenarios  # noqa: E402
from group_scenarios import GroupScenarios  # noqa: E402
from restart_scenarios import RestartScenarios  # noqa: E402

GROUPS = {cls.group: cls for cls in (DataScenarios, AdminScenarios, GroupScenarios, RestartScenarios)}


class Result(unittest.TextTestResult):
    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        self.outcomes = {}

    def startTest(self, test):
        super().startTest(test)
        self.begun = time.monotonic()

    def stopTest(self, test):
        super().stopTest(test)
        self.stream.writeln(f"    {time.monotonic() - self.begun:.1f} s")

    def note(self, test, outcome):
        if hasattr(test, "scenario"):
            self.outcomes[test.scenario()] = outcome

    def addSuccess(self, test):
        super().addSuccess(test)
        self.note(test, "ok")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.note(test, "-")

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.note(test, "FAILED")

    def addError(self, test, error):
        super().addError(test, error)
        self.note(test, "FAILED")


def run(client, group, only=None):
    """{scenario: outcome}, and whether all went well."""
    case = type(f"{client} {group}", (GROUPS[group],), {"client_name": client})
    loader = unittest.TestLoader()
    names = [n for n in loader.getTestCaseNames(case) if only is None or n == f"test_{only}"]
    if not names:
        raise SystemExit(f"no scenario '{only}' in {group}")
    suite = unittest.TestSuite(case(name) for name in names)
    result = unittest.TextTestRunner(resultclass=Result, verbosity=2, stream=sys.stdout).run(suite)
    outcomes = {name.removeprefix("test_"): "FAILED" for name in names} | result.outcomes
    return outcomes, result.wasSuccessful()


def table(results):
    """`results` is {(client, group): {scenario: outcome}}; a row for each scenario, a column for each client."""
    names = [client for client in clients.COMMANDS if any(client == c for c, _ in results)]
    rows = []
    for group, cls in GROUPS.items():
        for scenario in (n.removeprefix("test_") for n in unittest.TestLoader().getTestCaseNames(cls)):
            rows.append([f"{group}.{scenario}", *(results.get((c, group), {}).get(scenario, "?") for c in names)])
    width = max(len(row[0]) for row in rows)
    lines = [" " * width + "  " + "  ".join(names)]
    lines += [row[0].ljust(width) + "  " + "  ".join(cell.ljust(len(c)) for cell, c in zip(row[1:], names)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def main(arguments):
    if arguments[:1] == ["--table"]:
        found = {tuple(path.stem.rsplit(".", 1)): json.loads(path.read_text()) for path in Path(arguments[1]).glob("*.json")}
        print(table(found))
        return 0
    if arguments:
        outcomes, passed = run(*arguments)
        folder = os.environ.get("MILENA_MATRIX")
        if folder and len(arguments) == 2:
            Path(folder).mkdir(parents=True, exist_ok=True)
            (Path(folder) / f"{arguments[0]}.{arguments[1]}.json").write_text(json.dumps(outcomes))
        return 0 if passed else 1
    results = {(client, group): run(client, group) for client in clients.COMMANDS for group in GROUPS}
    print(table({key: outcomes for key, (outcomes, _) in results.items()}))
    return 0 if all(passed for _, passed in results.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
