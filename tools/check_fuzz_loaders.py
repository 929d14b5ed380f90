#!/usr/bin/env python3
"""Fails when a function that reads bytes or text from outside is not fuzzed.

A reader is a function of the headers below that is named parse..., decode..., load..., read..., feed..., split...,
resolve... and takes something. It must be called in tests/fuzz, or stand in REACHED, with what is called there and
leads to it. An entry of REACHED that is no reader any more, or is called by now, is an error, too.
"""

import re
import sys
from pathlib import Path

from cpp_scan import blank_comments_and_literals, closing

HEADERS = ["src/log/*.h", "src/raft/*.h", "src/image/*.h", "src/group/*.h", "src/config/*.h", "src/io/http.h",
           "src/io/asio/http_parser.h", "src/base/properties.h", "src/base/uuid.h", "src/replica/metadata_store.h",
           "src/wire/control_record.h", "src/wire/frame.h", "src/wire/record_batch.h", "src/wire/legacy_message.h"]
FOR_TESTS = re.compile(r"(_testing|_fixture|/test_\w+)\.h$")
READER = re.compile(r"[\w>*&]\s+(?P<name>(?:parse|decode|load|read|feed|split|resolve)(?:_\w+)?)\s*(?P<open>\()")

REACHED = {
    "read_block": "Log::open",
    "read_up_to": "MetadataStore::open",
    "read_index_file": "Log::open",
    "load_index": "Log::open",
    "LogLoader::load": "Log::open",
    "parse_checkpoint_lines": "log::parse_offset_checkpoint",
    "parse_number": "log::parse_offset_checkpoint",
    "LegacyEntryView::parse": "LogEntryCursor",
}


def declared(text):
    """{name: is a static member or free} of the public readers that a header declares, members as Class::name."""
    code = blank_comments_and_literals(text)
    classes = []
    for match in re.finditer(r"\b(class|struct)\s+(\w+)[^;{}()]*\{", code):
        classes.append((match, match.end() - 1, closing(code, match.end() - 1)))
    found = {}
    for match in READER.finditer(code):
        statement = re.split(r"[;{}]|\b(?:public|private|protected):", code[:match.start("name")])[-1]
        words = re.findall(r"\w+", statement)
        if not words or set(words) & {"return", "co_return", "co_await", "else"} or re.search(r"[=(]", statement):
            continue
        if not code[match.start("open") + 1:closing(code, match.start("open"))].strip():
            continue
        owners = [(owner, begin) for owner, begin, end in classes if begin < match.start() < end]
        if not owners:
            found[match.group("name")] = True
            continue
        owner, begin = owners[-1]
        access = re.findall(r"\b(public|private|protected):", code[begin:match.start()])
        if (access or ["private" if owner.group(1) == "class" else "public"])[-1] == "public":
            found[f"{owner.group(2)}::{match.group('name')}"] = "static" in words
    return found


def called(name, by_name, code):
    """Whether the code calls the function; a member that is not static: by any object, where the class is named."""
    owner, _, function = name.rpartition("::")
    if not by_name:
        return re.search(rf"\b{owner}\b", code) and re.search(rf"(\.|->){function}\(", code)
    return re.search(rf"\b{owner}::{function}\(" if owner else rf"(?<![.>\w]){function}\(", code) is not None


def mistakes(root, reached=REACHED):
    """(number of readers, what is wrong)."""
    code = "\n".join(blank_comments_and_literals(path.read_text()) for path in sorted((root / "tests/fuzz").glob("fuzz_*.cc")))
    wrong, readers = [], {}
    for pattern in HEADERS:
        for path in sorted(root.glob(pattern)):
            if FOR_TESTS.search(str(path)):
                continue
            for name, by_name in declared(path.read_text()).items():
                readers[name] = (str(path.relative_to(root)), by_name)
    for name, (path, by_name) in readers.items():
        is_called = called(name, by_name, code)
        if not is_called and name not in reached:
            wrong.append(f"{path}: nothing in tests/fuzz calls {name} (tests/fuzz/loaders.h lists the loaders)")
        if is_called and name in reached:
            wrong.append(f"tools/check_fuzz_loaders.py: {name} is called in tests/fuzz and need not stand in REACHED")
        if name in reached and not re.search(rf"\b{reached[name]}\b", code):
            wrong.append(f"tools/check_fuzz_loaders.py: {name} is reached by {reached[name]}, which tests/fuzz does not name")
    for name in reached:
        if name not in readers:
            wrong.append(f"tools/check_fuzz_loaders.py: there is no {name}")
    return len(readers), wrong


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent)
    count, wrong = mistakes(root)
    for line in wrong:
        print(line)
    print(f"{count} readers, {len(wrong)} mistakes")
    return 1 if wrong or count < 40 else 0


if __name__ == "__main__":
    sys.exit(main())
