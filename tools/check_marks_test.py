"""check_marks.py finds a mark without a test, and a test without a mark."""

import tempfile
import unittest
from pathlib import Path

import check_marks


class CheckMarks(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name)
        self.write("src/log/a.cc", 'MILENA_REACHED("log.a"); if (MILENA_MUTANT("m")) return;')
        self.write("tests/sim/reached.cc", '{"a was reached", "log.a"},')
        self.write("tests/sim/mutants.cc", '{"m", "what", true}, {"lying-disk", "not in src", false},')
        self.write("tests/sim/raft/main.cc", "")

    def tearDown(self):
        self.folder.cleanup()

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def findings(self):
        return list(check_marks.compare(self.root))

    def test_equal_lists_are_fine(self):
        self.assertEqual(self.findings(), [])

    def test_a_mark_that_no_list_has(self):
        self.write("src/log/b.cc", 'MILENA_REACHED("log.b");')
        self.assertIn("log.b", self.findings()[0])

    def test_a_name_whose_mark_is_gone(self):
        self.write("src/log/a.cc", 'MILENA_REACHED("log.a");')
        self.assertTrue(any('MUTANT("m")' in finding for finding in self.findings()))

    def test_nothing_at_all_is_a_finding(self):
        self.write("src/log/a.cc", "")
        self.assertGreaterEqual(len(self.findings()), 4)


if __name__ == "__main__":
    unittest.main()
