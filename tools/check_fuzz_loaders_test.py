"""Shows that check_fuzz_loaders.py finds a reader that is not fuzzed, and entries of its list that are out of date."""

import tempfile
import unittest
from pathlib import Path

import check_fuzz_loaders

HEADER = """
/// parse_comment(text) is no declaration.
std::optional<Thing> parse_thing(std::string_view text);
Result<std::pair<int, int>, Error> read_pair(
    ByteView bytes);
inline int load_deep(const Bytes& bytes) {
  return parse_thing(bytes) ? read_pair(bytes).first : decode_nothing(bytes);
}
class Form {
 public:
  static Form parse(std::string_view text);
  void load_more(std::string_view text);
  int load() const;
 private:
  void read_hidden(std::string_view text);
};
"""
FUZZ = """
void thing(ByteView input) {
  (void)log::parse_thing(as_text(input));  // read_pair(input)
  Form form = log::Form::parse(as_text(input));
  form.load_more("read_pair(");
}
"""


class Readers(unittest.TestCase):
    def check(self, header=HEADER, fuzz=FUZZ, reached=None):
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory)
            for path, text in {"src/log/form.h": header, "src/log/form_fixture.h": HEADER.replace("thing", "other"),
                               "tests/fuzz/fuzz_form.cc": fuzz}.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
            return check_fuzz_loaders.mistakes(root, {"read_pair": "parse_thing", "load_deep": "Form::parse"} if reached is None else reached)

    def test_all_is_called_or_reached(self):
        self.assertEqual(self.check(), (5, []))

    def test_what_is_named_in_a_comment_or_a_string_is_not_called(self):
        wrong = self.check(reached={"load_deep": "parse_thing"})[1]
        self.assertEqual(len(wrong), 1)
        self.assertIn("calls read_pair", wrong[0])

    def test_each_kind_of_reader_is_missed(self):
        for call, name in (("log::parse_thing(", "parse_thing"), ("log::Form::parse(", "Form::parse"), (".load_more(", "Form::load_more")):
            wrong = self.check(fuzz=FUZZ.replace(call, "other("), reached={"read_pair": "thing", "load_deep": "thing"})[1]
            self.assertEqual(len(wrong), 1, name)
            self.assertIn(f"calls {name} ", wrong[0])

    def test_a_reader_of_another_class_does_not_count(self):
        wrong = self.check(fuzz=FUZZ.replace("log::Form::parse(", "log::Other::parse("), reached={"read_pair": "thing", "load_deep": "thing"})[1]
        self.assertTrue(any("calls Form::parse " in line for line in wrong), wrong)

    def test_the_list_is_kept_up_to_date(self):
        reached = {"read_pair": "gone", "load_deep": "parse_thing", "parse_thing": "Form::parse", "no_reader": "parse_thing"}
        wrong = self.check(reached=reached)[1]
        self.assertEqual(len(wrong), 3, wrong)
        self.assertTrue(any("reached by gone" in line for line in wrong))
        self.assertTrue(any("parse_thing is called" in line for line in wrong))
        self.assertTrue(any("there is no no_reader" in line for line in wrong))


if __name__ == "__main__":
    unittest.main()
