"""Shows that check_config_keys.py finds a key that nothing acts on, and accepts each way to act on one."""

import tempfile
import unittest
from pathlib import Path

import check_config_keys

STATUS = """
constexpr Row kBrokerRows[] = {
    {"named.key", kWorks}, {"field.key", kWorks, "a note"}, {"lazy.key", kNoEffectYet},
    {"log.roll.ms", kWorks},
    {"wrapped.key", kWorks},
};

constexpr Row kTopicRows[] = {
    {"segment.ms", kWorks},
};
"""
KEYS = """
constexpr TopicRow kTopicRows[] = {
    {"cleanup.policy", {{{"log.cleanup.policy"}}}},
    {"segment.ms",
     {{{"log.roll.ms"}, {"log.roll.hours", 3'600'000}}}},
};
"""
SERVER = """
  server.field = config.integer("field.key");
  server.wrapped =
      config.milliseconds("wrapped.key");
"""
LOG = '  c.segment_ms = read.ms("segment.ms");\n'
USES = """
void use(const config::ServerConfig& server, const config::LogConfig& from) {
  use(config.text("named.key"), server.field, server.wrapped, from.segment_ms);
}
"""


class Keys(unittest.TestCase):
    def idle(self, uses, path="src/broker/node.cc"):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for name, text in {"status.cc": STATUS, "key.cc": KEYS, "server_config.cc": SERVER, "log_config.cc": LOG}.items():
                (root / "src/config").mkdir(parents=True, exist_ok=True)
                (root / "src/config" / name).write_text(text)
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(uses)
            return check_config_keys.idle_keys(root)

    def test_every_way_to_act(self):
        self.assertEqual(self.idle(USES), [])

    def test_a_key_that_is_not_named(self):
        self.assertEqual(self.idle(USES.replace('"named.key"', '"other.key"')), ["Broker named.key"])

    def test_a_field_that_is_not_read(self):
        self.assertEqual(self.idle(USES.replace("server.field", "server.fields")), ["Broker field.key"])
        self.assertEqual(self.idle(USES.replace("server.wrapped", "0")), ["Broker wrapped.key"])

    def test_a_topic_key_takes_its_synonyms_along(self):
        self.assertEqual(self.idle(USES.replace("from.segment_ms", "0")), ["Broker log.roll.ms", "Topic segment.ms"])

    def test_tests_and_the_config_room_do_not_count(self):
        for path in ("src/broker/node_test.cc", "src/broker/testing/world.cc", "src/config/describe.cc"):
            self.assertEqual(len(self.idle(USES, path)), 5, path)

    def test_who_only_sets_a_key_does_not_act_on_it(self):
        self.assertIn("Broker named.key", self.idle(USES, "src/app/options.cc"))


if __name__ == "__main__":
    unittest.main()
