"""Shows that count_fuzz.py counts what ran, and fails where too little did or something was found."""

import unittest

import count_fuzz

LOG = "INFO: seed corpus\nstat::number_of_executed_units: 2500000\nstat::peak_rss_mb: 300\n"


class Count(unittest.TestCase):
    def test_enough(self):
        self.assertEqual(count_fuzz.count([("frames", LOG), ("batches", LOG)], 5_000_000),
                         (True, ["frames: 2500000 inputs", "batches: 2500000 inputs", "5000000 inputs in all, of at least 5000000"]))

    def test_one_too_few(self):
        self.assertFalse(count_fuzz.count([("frames", LOG), ("batches", LOG)], 5_000_001)[0])

    def test_a_target_that_was_killed_has_no_count(self):
        self.assertFalse(count_fuzz.count([("frames", LOG), ("files", "INFO: seed corpus\n")], 1)[0])

    def test_a_target_that_found_something_does_not_count(self):
        for found in ("==7== ERROR: libFuzzer: timeout", "x.cc:3: runtime error: shift", "CHECK failed at a.cc:1: x"):
            self.assertFalse(count_fuzz.count([("frames", LOG + found + "\n")], 1)[0], found)

    def test_nothing_is_not_enough(self):
        self.assertFalse(count_fuzz.count([], 0)[0])

    def test_any_number_will_do_where_none_is_wanted(self):
        self.assertTrue(count_fuzz.count([("files", LOG)], 0)[0])


if __name__ == "__main__":
    unittest.main()
