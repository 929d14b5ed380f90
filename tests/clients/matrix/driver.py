"""The harness's end of a client driver: starts the program, sends it one request a line, reads one answer a line.

README.md says the protocol. A driver is one process for many scenarios; what it holds open (readers, members, streams)
has a name that the scenario chose.
"""

import base64
import hashlib
import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
import harness  # noqa: E402

CALL_TIMEOUT_S = 90


class ClientError(Exception):
    """What the client said of a request. `code` is Kafka's error number, or None where the client failed by itself."""

    def __init__(self, client, verb, error):
        super().__init__(f"{client}: {verb}: code {error.get('code')}: {error.get('text')}")
        self.code = error.get("code")


def encode(data):
    return None if data is None else base64.b64encode(data).decode()


def decode(text):
    return None if text is None else base64.b64decode(text)


class Record:
    """A record as written or read. `time` in ms since 1970 or None for the client's clock; headers are (name, value)."""

    def __init__(self, partition, key, value, headers=(), time=None, offset=None):
        self.partition, self.key, self.value, self.time, self.offset = partition, key, value, time, offset
        self.headers = [tuple(header) for header in headers]

    def to_json(self):
        return {"p": self.partition, "k": encode(self.key), "v": encode(self.value), "t": self.time,
                "h": [{"n": name, "v": encode(value)} for name, value in self.headers]}

    @staticmethod
    def from_json(found):
        return Record(found["p"], decode(found["k"]), decode(found["v"]),
                      [(h["n"], decode(h["v"])) for h in found["h"] or []], found["t"], found["o"])

    def shape(self):
        """What must come back as it was sent; long values as their hash, so that a difference can be read."""
        value = self.value
        if value is not None and len(value) > 1000:
            value = f"{len(value)} bytes {hashlib.sha256(value).hexdigest()}"
        return self.key, value, self.headers

    def digest(self):
        """Of key, value, headers and time: equal exactly where all of them are."""
        parts = [self.key, self.value, str(self.time).encode()]
        for name, value in self.headers:
            parts += [name.encode(), value]
        text = "|".join("-" if part is None else "+" + part.hex() for part in parts)
        return hashlib.sha256(text.encode()).hexdigest()


class Driver:
    """One client program. Its methods are the protocol's verbs: driver.produce(topic="t", ...)."""

    def __init__(self, name, command, bootstrap, log_path):
        self.name, self.log_path, self.calls = name, log_path, 0
        self.log = open(log_path, "ab")
        environment = {key: value for key, value in os.environ.items() if key != "KAFKA_OPTS"}
        self.process = subprocess.Popen([*command, bootstrap], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.log, env=environment, preexec_fn=harness.die_with_parent)
        self.answers = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.answers.put(line)
        self.answers.put(None)

    def __getattr__(self, verb):
        return lambda **fields: self.call(verb, **fields)

    def call(self, verb, **fields):
        self.calls += 1
        line = json.dumps({"id": self.calls, "verb": verb, **fields})
        try:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
            answer = self.answers.get(timeout=CALL_TIMEOUT_S)
        except queue.Empty:
            raise RuntimeError(f"{self.name}: no answer to {verb} within {CALL_TIMEOUT_S} s\n{self.log_tail()}") from None
        except OSError:
            answer = None
        if answer is None:
            raise RuntimeError(f"{self.name}: the driver ended during {verb}\n{self.log_tail()}")
        answer = json.loads(answer)
        if answer["id"] != self.calls:
            raise RuntimeError(f"{self.name}: answer {answer['id']} to request {self.calls}")
        if "error" in answer:
            raise ClientError(self.name, verb, answer["error"])
        return answer.get("result")

    def log_tail(self, count=3000):
        return f"--- end of the driver's stderr:\n{Path(self.log_path).read_text(errors='replace')[-count:]}"

    def close(self):
        """The driver ends when its input does; a hung one is killed."""
        try:
            self.process.stdin.close()
            self.process.wait(10)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.log.close()
