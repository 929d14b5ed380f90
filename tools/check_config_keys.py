#!/usr/bin/env python3
"""Fails when a configuration key is said to work (src/config/status.cc) and nothing acts on it.

A key is acted on when a source file outside src/config
- names it ("log.dir") on the server's side, or
- reads the field that src/config makes of it: `to.field = config.integer("the.key")` in server_config.cc or
  log_config.cc, and `x.field` in a file that knows the config room; or
- reads what KEPT_ELSEWHERE below names.
A broker key that is a topic key's default (key.cc) works when the topic key does.
"""

import re
import sys
from pathlib import Path

# Keys that src/config itself turns into something with a name of its own: what a reader elsewhere must name.
KEPT_ELSEWHERE = {
    "listeners": r"listeners\.bind\b",
    "advertised.listeners": r"listeners\.advertised\b",
    "controller.listener.names": r"listeners\.controller_names\b",
    "listener.security.protocol.map": r"listener\.protocol\b",
    "config.providers": r"\bresolve_providers\(",
    "process.roles": r"server\.controller\b",
    "broker.id": r"server\.node_id\b",
    # A name without a dot, which KEY does not find.
    "preallocate": r"\bfrom\.preallocate\b",
    "log.preallocate": r"\bfrom\.preallocate\b",
}
MAKERS = ["server_config.cc", "log_config.cc"]
SETS_ONLY = ["src/app/options.cc", "src/cli", "src/client"]  # name keys to give them values, or on the client's side
KEY = re.compile(r'"([a-z]+(?:\.[a-z0-9]+)+)"')
ROW = re.compile(r'\{\s*"([a-z0-9.]+)",\s*kWorks')


def works(status_text):
    """Rows that say kWorks: {"Broker": [key...], "Topic": [key...]}."""
    found = {}
    for table in re.finditer(r"constexpr Row k(\w+)Rows\[\] = \{(.*?)\n\};", status_text, re.S):
        found[table.group(1)] = ROW.findall(table.group(2))
    return found


def fields(text):
    """{key: [field...]}: what is assigned where the key is named, also through a helper function."""
    made, helpers = {}, {}
    for function in re.finditer(r"^[\w:<>, ]+ (\w+)\(const KafkaConfig& \w+\) \{\n(.*?)^\}", text, re.M | re.S):
        keys = KEY.findall(function.group(2))
        if keys and not re.search(r"\w\.\w+ = ", function.group(2)):
            helpers[function.group(1)] = keys
    assignment = re.compile(r"\b\w+\.(\w+)(?: =(?:\s|$)|\.push_back\()")
    lines = text.splitlines()
    for number, line in enumerate(lines):
        keys = KEY.findall(line) + [key for name, more in helpers.items() if f"{name}(config)" in line for key in more]
        if not keys:
            continue
        window = [line]
        if lines[number - 1].endswith("="):
            window.append(lines[number - 1])
        if re.match(r"\s*(if|for) \(", line):
            window.append(lines[number + 1])
        field = next((match.group(1) for match in map(assignment.search, window) if match), None)
        for key in keys:
            if field:
                made.setdefault(key, []).append(field)
    return made


def synonyms(key_text):
    """{broker key: topic key}."""
    table = re.search(r"constexpr TopicRow kTopicRows\[\] = \{(.*?)\n\};", key_text, re.S).group(1)
    found = {}
    for row in re.split(r"\n    \{(?=\")", table)[1:]:
        topic, *brokers = KEY.findall('{"' + row.lstrip('"')) if "." in row.split(",")[0] else [None]
        for broker in brokers:
            found[broker] = topic
    return found


def idle_keys(root):
    """"scope key" of every key that is said to work and that nothing acts on."""
    config = root / "src" / "config"
    outside = [path for path in sorted((root / "src").rglob("*")) if path.suffix in (".h", ".cc")
               and config not in path.parents and not path.name.endswith("_test.cc") and "testing" not in path.parts]
    texts = [path.read_text() for path in outside]
    setting = [root / path for path in SETS_ONLY]
    everything = "\n".join(text for path, text in zip(outside, texts)
                           if not any(one == path or one in path.parents for one in setting))
    knowing = "\n".join(text for text in texts if "config::" in text)
    made = {}
    for name in MAKERS:
        for key, names in fields((config / name).read_text()).items():
            made.setdefault(key, []).extend(names)
    topic_of = synonyms((config / "key.cc").read_text())

    def acts(key):
        if f'"{key}"' in everything:
            return True
        if key in KEPT_ELSEWHERE:
            return re.search(KEPT_ELSEWHERE[key], knowing) is not None
        return any(re.search(rf"[.>]{field}\b", knowing) for field in made.get(key, []))

    tables = works((config / "status.cc").read_text())
    return [f"{scope} {key}" for scope, keys in tables.items() for key in keys
            if not acts(key) and not (scope == "Broker" and key in topic_of and acts(topic_of[key]))]


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent)
    count = sum(map(len, works((root / "src/config/status.cc").read_text()).values()))
    idle = idle_keys(root)
    for key in idle:
        print(f"src/config/status.cc: {key} is said to work, and nothing outside src/config acts on it")
    print(f"{count - len(idle)} of {count} working keys are acted on")
    return 1 if idle or count < 50 else 0


if __name__ == "__main__":
    sys.exit(main())
