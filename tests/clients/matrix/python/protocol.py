"""The protocol's half that the Python drivers share: one JSON request a line in, one answer a line out (../README.md)."""

import base64
import json
import os
import sys
import threading
import time

MAX_BYTES = 16 << 20


class Failure(Exception):
    """An error that the client does not raise but return: `code` is Kafka's number."""

    def __init__(self, code, text=""):
        super().__init__(f"error {code} {text}")
        self.code = code


def encode(data):
    return None if data is None else base64.b64encode(data).decode()


def decode(text):
    return None if text is None else base64.b64decode(text)


def headers_of(record):
    return [(header["n"], decode(header["v"])) for header in record["h"] or []]


def record(partition, offset, key, value, headers, time_ms):
    return {"p": partition, "o": offset, "k": encode(key), "v": encode(value), "t": time_ms,
            "h": [{"n": name, "v": encode(data)} for name, data in headers or ()]}


def serve(verbs, code_of):
    """`verbs` answers each request by the method of its name; `code_of(error)` is Kafka's number or None."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # nothing but answers on the pipe
    for line in sys.stdin:
        request = json.loads(line)
        answer = {"id": request.pop("id")}
        try:
            answer["result"] = getattr(verbs, request.pop("verb"))(request)
        except Exception as error:
            code = error.code if isinstance(error, Failure) else code_of(error)
            answer["error"] = {"code": code, "text": f"{type(error).__name__}: {error}"}
        out.write(json.dumps(answer) + "\n")
        out.flush()
    os._exit(0)  # whatever threads a client still has


class Stream:
    """Counts the answers to a background producer's records."""

    def __init__(self):
        self.lock, self.acked, self.failed = threading.Lock(), 0, []

    def done(self, error=None):
        with self.lock:
            if error is None:
                self.acked += 1
            else:
                self.failed.append(repr(error))

    def answer(self):
        with self.lock:
            return {"acked": self.acked, "failed": list(self.failed)}


def pause_before(number):
    """How long a stream waits, so that one of 2,000 records lasts some seconds."""
    return 0 if number % 5 else 0.005


class Member:
    """What a group member has been given; its methods may be called from any thread."""

    def __init__(self):
        self.lock, self.records, self.owned = threading.Lock(), [], set()
        self.total = self.revoked = self.rebalances = 0

    def took(self, records):
        with self.lock:
            self.records += records
            self.total += len(records)

    def assigned(self, partitions):
        with self.lock:
            self.rebalances += 1
            self.owned |= set(partitions)

    def lost(self, partitions):
        with self.lock:
            lost = set(partitions)
            self.revoked += len(self.owned & lost)
            self.owned -= lost

    def answer(self):
        with self.lock:
            records, self.records, assignment = self.records, [], {}
            for topic, number in sorted(self.owned):
                assignment.setdefault(topic, []).append(number)
            return {"assignment": assignment, "records": records, "total": self.total, "revoked": self.revoked,
                    "rebalances": self.rebalances}


class ThreadMember(Member):
    """A member of a client whose consumer wants one thread: read() gives records, commit() commits, close() leaves."""

    def __init__(self):
        super().__init__()
        self.leaving = False
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.leaving:
            try:
                records = self.read()
                self.took(records)
                if records:
                    self.commit()
            except Exception as error:  # a commit into a rebalance or a restart; the next one covers it
                print(f"member: {error!r}", file=sys.stderr, flush=True)
                time.sleep(0.1)
        try:
            self.commit()
        except Exception as error:
            print(f"member's last commit: {error!r}", file=sys.stderr, flush=True)
        self.close()

    def leave(self):
        self.leaving = True
        self.thread.join()
        return self.answer()
