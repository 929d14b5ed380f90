"""Shows that count_results.py takes nothing for a pass that is not one."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

import count_results

SKIP = '<testcase name="c" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/></testcase>'
MISSING = '<testcase name="d" status="notrun"><skipped message="Unable to find executable: d"/></testcase>'
PASSED = '<testcase name="a" status="run"/>'
FAILED = '<testcase name="b" status="fail"><failure message=""/></testcase>'
DISABLED = '<testcase name="e" status="disabled"><skipped message="Disabled"/></testcase>'


class CountResults(unittest.TestCase):
    def closing(self, *reports):
        """The status and the last line for reports with these test cases."""
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for number, cases in enumerate(reports):
                path = Path(folder) / f"{number}.xml"
                path.write_text(cases and f"<testsuite>{cases}</testsuite>")
                paths.append(str(path))
            with contextlib.redirect_stdout(io.StringIO()) as out:
                status = count_results.main(paths)
        return status, out.getvalue().splitlines()[-1]

    def test_all_pass(self):
        self.assertEqual(self.closing(PASSED, PASSED * 2), (0, "3 passed, 0 failed"))

    def test_a_failure_in_either_build_counts(self):
        self.assertEqual(self.closing(PASSED, FAILED), (1, "1 passed, 1 failed"))

    def test_skips_follow(self):
        self.assertEqual(self.closing(PASSED + SKIP + DISABLED), (0, "1 passed, 0 failed, 2 skipped"))

    def test_a_missing_program_is_a_failure(self):
        self.assertEqual(self.closing(PASSED + MISSING), (1, "1 passed, 1 failed"))

    def test_an_unreadable_report_is_a_failure(self):
        self.assertEqual(self.closing(PASSED, ""), (1, "1 passed, 1 failed"))

    def test_no_tests_at_all_is_no_success(self):
        self.assertEqual(self.closing("<properties/>"), (1, "0 passed, 0 failed"))


if __name__ == "__main__":
    unittest.main()
