"""What one client wrote, every other reads equal: key, value, headers and time of each record of records.jsonl.

    cross.py [CLIENT...]    all clients of clients.py, or these

Each client writes all records once with each codec, into a topic of its own; then each reads every topic. The file has a
digest per record (driver.Record.digest), which is what is compared: no client's reading is measured by its own writing.
`cross.py --write` makes the file anew.
"""

import json
import random
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]
import clients  # noqa: E402
import harness  # noqa: E402
from driver import Record  # noqa: E402
from scenario import BEGIN, CODECS  # noqa: E402

FILE = Path(__file__).with_name("records.jsonl")
START = 1_700_000_000_000


def make():
    """Records that every client can write: nulls, empties, bytes that are no text, names beyond ASCII, repeats."""
    source = random.Random(20)
    yield Record(0, b"empty", b"", time=START)
    yield Record(0, b"", b"empty key", time=START + 1)
    yield Record(0, b"tombstone", None, time=START + 2)
    yield Record(0, None, b"no key", time=START + 3)
    yield Record(0, b"\x00\xff\xfe", bytes(range(256)), [("bytes", bytes(range(255, -1, -1)))], START + 4)
    yield Record(0, "ключ".encode(), "värde".encode(), [("ünï", "çødé".encode())], START + 5)
    yield Record(0, b"many", b"headers", [(f"h{i:02}", str(i).encode()) for i in range(30)], START - 5000)
    yield Record(0, b"empty header", b"v", [("", b"no name"), ("e", b"")], START + 6)
    yield Record(0, b"same name", b"v", [("a", b"1"), ("a", b"2"), ("a", b"")], START + 7)
    for number in range(60):
        value = source.randbytes(source.randrange(30)) * source.randrange(1, 100)
        headers = [("number", str(number).encode())] if number % 3 else []
        yield Record(0, f"key {number}".encode(), value, headers, START + 1000 * number)


def expected():
    """The records of the file; a digest that does not fit its record is an error of the file."""
    records = []
    for line in FILE.read_text().splitlines():
        found = json.loads(line)
        record = Record.from_json({"p": 0, "o": None, **found})
        assert record.digest() == found["digest"], found
        records.append(record)
    return records


class Cross(unittest.TestCase):
    names = list(clients.COMMANDS)
    maxDiff = 4000

    def test_each_reads_what_each_wrote(self):
        sent = expected()
        digests = [record.digest() for record in sent]
        with tempfile.TemporaryDirectory(prefix="milena-cross-") as folder:
            server = harness.server_class()(Path(folder) / "node")
            self.addCleanup(server.close)
            server.start()
            drivers = {name: clients.start(name, server.bootstrap, Path(folder) / f"{name}.log") for name in self.names}
            for driver in drivers.values():
                self.addCleanup(driver.close)
            with ThreadPoolExecutor(len(drivers)) as pool:
                list(pool.map(lambda item: self.write(*item, sent), drivers.items()))
                for reader, different in zip(drivers, pool.map(lambda driver: self.read(driver, digests), drivers.values())):
                    with self.subTest(reader=reader):
                        self.assertEqual(different, [])

    def write(self, name, driver, sent):
        driver.create_topic(topic=f"by-{name}", partitions=1, config={})
        for codec in CODECS:
            driver.produce(topic=f"by-{name}", records=[record.to_json() for record in sent], codec=codec)

    def read(self, driver, digests):
        """(writer, codec, number) of each record that was not read as the file says."""
        wrong = []
        for writer in self.names:
            count = len(digests) * len(CODECS)
            found = driver.consume(topic=f"by-{writer}", count=count, wait_ms=30_000, **{"from": {"0": BEGIN}})["records"]
            if len(found) != count:
                wrong.append((writer, f"{len(found)} of {count} records"))
            for number, record in enumerate(found):
                if Record.from_json(record).digest() != digests[number % len(digests)]:
                    wrong.append((writer, CODECS[number // len(digests)], number % len(digests)))
        return wrong


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        lines = [{key: value for key, value in r.to_json().items() if key != "p"} | {"digest": r.digest()} for r in make()]
        FILE.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    else:
        Cross.names = sys.argv[1:] or Cross.names
        unittest.main(argv=sys.argv[:1], verbosity=2, warnings="ignore")
