"""The node's HTTP port: metrics as Prometheus' own parsers read them, health, and clients that misbehave.

Environment: MILENA_BIN, see harness.py. Needs prometheus-client and confluent-kafka (requirements.txt).
"""

import json
import os
import re
import socket
import subprocess
import threading
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

import harness
from confluent_kafka import Consumer, Producer, TopicPartition
from prometheus_client import parser as text_parser
from prometheus_client.openmetrics import parser as open_parser

ROOT = Path(__file__).parents[2]
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


class HttpCase(harness.ServerTestCase):
    def start_with_http(self, **overrides):
        """A node whose HTTP port is known: server.http is (host, port)."""
        server = self.start_server(milena_http_listeners="http://127.0.0.1:0", **overrides)
        server.http = self.http_of(server)
        return server

    def http_of(self, server):
        """What the newest start said."""
        lines = [line for line in server.log_path.read_text().splitlines() if '"event":"ready"' in line]
        host, port = json.loads(lines[-1])["http"][0].rsplit(":", 1)
        return host, int(port)

    def get(self, server, path, **headers):
        """(status, headers, text), whatever the status."""
        host, port = server.http
        request = urllib.request.Request(f"http://{host}:{port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()

    def scrape(self, server, path="/metrics"):
        """{(name, ((label, value), ...)): value}"""
        status, _, text = self.get(server, path)
        self.assertEqual(status, 200, text)
        return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value
                for family in text_parser.text_string_to_metric_families(text) for sample in family.samples}

    def value(self, samples, name, **labels):
        return samples.get((name, tuple(sorted(labels.items()))))

    def raw(self, server, data, wait=20):
        """Sends bytes as they are; what comes back until the server closes."""
        with socket.create_connection(server.http, timeout=wait) as stream:
            received = b""
            try:
                stream.sendall(data)
                while piece := stream.recv(65536):
                    received += piece
            except (ConnectionResetError, BrokenPipeError):
                pass  # it closed before it had read all
        return received


class Metrics(HttpCase):
    def produce_and_consume(self, server, topic, count):
        producer = Producer({"bootstrap.servers": server.bootstrap, "linger.ms": 5})
        for i in range(count):
            producer.produce(topic, value=b"x" * 100, key=str(i).encode())
        self.assertEqual(producer.flush(30), 0)
        consumer = Consumer({"bootstrap.servers": server.bootstrap, "group.id": "readers",
                             "auto.offset.reset": "earliest", "enable.auto.commit": False})
        consumer.subscribe([topic])
        got = 0
        deadline = time.monotonic() + 30
        while got < count and time.monotonic() < deadline:
            got += sum(1 for message in consumer.consume(500, 1) if message.error() is None)
        self.assertEqual(got, count)
        consumer.commit(asynchronous=False)
        consumer.close()

    def test_both_parsers_take_it_and_the_numbers_move(self):
        server = self.start_with_http()
        before = self.scrape(server)
        self.produce_and_consume(server, "orders", 1000)
        after = self.scrape(server)
        server_name = "kafka_server_brokertopicmetrics_"
        self.assertEqual(self.value(after, server_name + "messagesin_total", topic="orders"), 1000)
        self.assertEqual(self.value(after, server_name + "messagesin_total"), 1000)
        bytes_in = self.value(after, server_name + "bytesin_total", topic="orders")
        self.assertGreater(bytes_in, 100_000)
        self.assertEqual(self.value(after, server_name + "bytesout_total", topic="orders"), bytes_in)
        self.assertGreater(self.value(after, server_name + "totalproducerequests_total", topic="orders"), 0)
        self.assertGreater(self.value(after, server_name + "totalfetchrequests_total", topic="orders"), 0)
        self.assertEqual(self.value(after, server_name + "failedproducerequests_total", topic="orders"), 0)
        size = [self.value(after, "kafka_log_log_size", topic="orders", partition=str(i)) for i in range(4)]
        self.assertEqual(sum(size), bytes_in)
        ends = [self.value(after, "kafka_log_log_logendoffset", topic="orders", partition=str(i)) for i in range(4)]
        self.assertEqual(sum(ends), 1000)
        for request in ("Produce", "Fetch", "FetchConsumer", "Metadata", "OffsetCommit", "JoinGroup"):
            count = self.value(after, "kafka_network_requestmetrics_totaltimems_count", request=request)
            self.assertGreater(count or 0, 0, request)
            self.assertIsNotNone(self.value(after, "kafka_network_requestmetrics_totaltimems", request=request,
                                            quantile="0.99"), request)
        versions = [value for (name, labels), value in after.items()
                    if name == "kafka_network_requestmetrics_requests_total" and dict(labels)["request"] == "Produce"]
        self.assertEqual(sum(versions),
                         self.value(after, "kafka_network_requestmetrics_totaltimems_count", request="Produce"))
        lags = [value for (name, labels), value in after.items() if name == "kafka_consumergroup_lag"
                and dict(labels)["consumergroup"] == "readers"]
        self.assertEqual((len(lags), sum(lags)), (4, 0))
        self.assertEqual(self.value(after, "kafka_controller_kafkacontroller_activecontrollercount"), 1)
        self.assertEqual(self.value(after, "kafka_controller_kafkacontroller_offlinepartitionscount"), 0)
        self.assertEqual(self.value(after, "kafka_server_replicamanager_partitioncount"), 8)
        self.assertEqual(self.value(after, "kafka_server_replicamanager_leadercount"), 8)
        self.assertEqual(self.value(after, "kafka_server_raftmetrics_current_leader"), 1)
        self.assertGreater(self.value(after, "process_cpu_seconds_total"), 0)
        for key, value in before.items():
            if key[0].endswith("_total"):
                self.assertGreaterEqual(after[key], value, key)

    def test_openmetrics_if_it_is_asked_for(self):
        server = self.start_with_http()
        self.produce_and_consume(server, "orders", 10)
        status, headers, text = self.get(server, "/metrics", Accept=OPENMETRICS + ",text/plain;q=0.5")
        self.assertEqual((status, headers["Content-Type"]), (200, OPENMETRICS + "; charset=utf-8"))
        families = {family.name: family for family in open_parser.text_string_to_metric_families(text)}
        self.assertEqual(families["kafka_server_brokertopicmetrics_messagesin"].type, "counter")
        self.assertEqual(families["milena_request_duration_seconds"].type, "histogram")
        _, headers, _ = self.get(server, "/metrics")
        self.assertEqual(headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")

    def test_series_are_bounded_unless_all_are_asked_for(self):
        server = self.start_with_http(num_partitions="50")
        self.produce_and_consume(server, "wide", 10)
        count = lambda samples: sum(1 for name, _ in samples if name == "kafka_log_log_size")  # noqa: E731
        few = self.scrape(server, "/metrics?partitions=10&group_offsets=0&topics=0")
        self.assertEqual(count(few), 10)
        self.assertEqual(self.value(few, "milena_metrics_left_out", kind="partitions"), 44)
        self.assertIsNone(self.value(few, "kafka_server_brokertopicmetrics_messagesin_total", topic="wide"))
        self.assertEqual(self.value(few, "kafka_server_brokertopicmetrics_messagesin_total"), 10)
        self.assertEqual(count(self.scrape(server, "/metrics?partitions=all")), 54)
        self.assertEqual(self.get(server, "/metrics?partitions=some")[0], 400)
        self.assertIsNone(self.value(few, "jvm_threads_current"))
        self.assertGreater(self.value(self.scrape(server, "/metrics?jvm=1"), "jvm_threads_current"), 1)

    def test_the_document_names_what_is_served(self):
        server = self.start_with_http()
        self.produce_and_consume(server, "orders", 10)
        status, _, text = self.get(server, "/metrics?jvm=1")
        served = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}
        documented = set(re.findall(r"^\| `([a-z_]+)`", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE))
        self.assertEqual(served - documented, set(), "served, and not in docs/metrics.md")
        self.assertEqual(documented - served, set(), "in docs/metrics.md, and not served")


class Health(HttpCase):
    def test_ready_and_alive(self):
        server = self.start_with_http()
        status, headers, text = self.get(server, "/readyz")
        self.assertEqual((status, headers["Content-Type"]), (200, "application/json"), text)
        self.assertEqual(json.loads(text)["checks"], {
            "node": "serving clients", "controller": "active", "broker": "unfenced", "log_dirs": "1 online",
            "groups": "loaded"})
        status, _, text = self.get(server, "/livez")
        self.assertEqual((status, json.loads(text)["status"]), (200, "ok"))
        self.assertEqual(self.get(server, "/nothing")[0], 404)

    def test_not_ready_while_it_starts_and_says_why(self):
        server = self.start_with_http()
        server.stop()
        statuses = []  # and what was said, in order, of all answers while it starts again
        stop = threading.Event()
        port = harness.free_port()
        text = server.config_path.read_text().replace("http://127.0.0.1:0", f"http://127.0.0.1:{port}")
        server.config_path.write_text(text)
        server.http = ("127.0.0.1", port)

        def watch():
            while not stop.is_set():
                try:
                    statuses.append(self.get(server, "/readyz")[0::2])
                except OSError:
                    pass

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            server.start()
            harness.wait_until(lambda: statuses and statuses[-1][0] == 200, 20, "ready")
        finally:
            stop.set()
            thread.join()
        self.assertLessEqual({status for status, _ in statuses}, {200, 503})
        first_ready = [status for status, _ in statuses].index(200)
        self.assertEqual({status for status, _ in statuses[first_ready:]}, {200})
        for status, said in statuses[:first_ready]:
            self.assertTrue(json.loads(said)["reasons"], said)

    def refusal(self, server):
        done = subprocess.run(server.command(), cwd=server.folder, env=server.environment(), capture_output=True,
                              text=True, timeout=30, preexec_fn=harness.die_with_parent)
        return done.returncode, done.stderr

    def test_a_port_in_use_is_an_error_that_names_its_holder(self):
        server = self.start_with_http()
        server.stop()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            configured = server.config_path.read_text()
            server.config_path.write_text(configured.replace("http://127.0.0.1:0", f"http://127.0.0.1:{port}"))
            code, said = self.refusal(server)
            self.assertEqual(code, 1, said)
            self.assertIn(f"milena.http.listeners: cannot listen on 127.0.0.1:{port}", said)
            self.assertIn(f"(pid {os.getpid()})", said)
            server.config_path.write_text(configured.replace("http://127.0.0.1:0", "127.0.0.1:1"))
            code, said = self.refusal(server)
            self.assertEqual(code, 1, said)
            self.assertIn("127.0.0.1:1 is not http://HOST:PORT", said)
            server.config_path.write_text(configured.replace("http://127.0.0.1:0", ""))
            server.start()  # switched off
            self.assertEqual(json.loads([line for line in server.log_path.read_text().splitlines()
                                         if '"event":"ready"' in line][-1])["http"], [])


class Abuse(HttpCase):
    def setUp(self):
        self.server = self.start_with_http()

    def tearDown(self):
        self.assertEqual(self.get(self.server, "/livez")[0], 200)
        self.assertTrue(harness.answers_api_versions(self.server.port))

    def status(self, data):
        head = self.raw(self.server, data).split(b"\r\n", 1)[0]
        return int(head.split()[1]) if head else None

    def check_too_large(self, request):
        """What the node leaves unread may reset the connection before the answer is seen: of several, one is."""
        seen = [self.status(request) for _ in range(8)]
        self.assertIn(431, seen)
        self.assertLessEqual(set(seen), {431, None})

    def test_what_is_too_large_or_no_http(self):
        self.check_too_large(b"GET /livez HTTP/1.1\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n")
        self.check_too_large(b"GET /" + b"a" * 1_000_000)
        many = b"".join(b"X%d: y\r\n" % i for i in range(100_000))
        self.check_too_large(b"GET /livez HTTP/1.1\r\n" + many)
        self.assertEqual(self.status(b"POST /metrics HTTP/1.1\r\nContent-Length: 999999999999\r\n\r\n"), 413)
        self.assertEqual(self.status(b"POST /metrics HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n"), 400)
        self.assertEqual(self.status(os.urandom(64) + b"\r\n\r\n"), 400)
        self.assertEqual(self.status(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505)

    def test_methods_that_change_things_are_refused(self):
        for method in (b"POST", b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"TRACE", b"CONNECT", b"XYZZY"):
            answer = self.raw(self.server, method + b" /metrics HTTP/1.1\r\nConnection: close\r\n\r\n")
            self.assertIn(b" 405 ", answer.split(b"\r\n")[0] + b" ", method)
            self.assertIn(b"Allow: GET, HEAD", answer)
        head = self.raw(self.server, b"HEAD /metrics HTTP/1.1\r\nConnection: close\r\n\r\n")
        self.assertTrue(head.startswith(b"HTTP/1.1 200 ") and head.endswith(b"\r\n\r\n"), head)

    def test_pipelined_requests_are_answered_in_order(self):
        one = b"GET /%d HTTP/1.1\r\nHost: h\r\n\r\n"
        pieces = [b"GET /livez HTTP/1.1\r\nHost: h\r\n\r\n" if i % 2 else one % i for i in range(200)]
        answer = self.raw(self.server, b"".join(pieces) + b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        statuses = re.findall(rb"HTTP/1.1 (\d+) ", answer)
        self.assertEqual(statuses, [b"404", b"200"] * 100 + [b"200"])

    def test_slow_headers_end_and_hold_nobody_up(self):
        slow = socket.create_connection(self.server.http, timeout=30)
        slow.sendall(b"GET /livez HTTP/1.1\r\n")
        began = time.monotonic()
        stop = threading.Event()

        def drip():
            while not stop.wait(0.5):
                try:
                    slow.sendall(b"X: y\r\n")
                except OSError:
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        received = b""
        while time.monotonic() - began < 25:
            self.assertEqual(self.get(self.server, "/livez")[0], 200)
            slow.settimeout(0.2)
            try:
                piece = slow.recv(4096)
            except TimeoutError:
                continue
            except ConnectionResetError:
                piece = b""
            received += piece
            if not piece:
                break
        stop.set()
        thread.join()
        slow.close()
        self.assertTrue(received.startswith(b"HTTP/1.1 408 "), received)
        self.assertLess(time.monotonic() - began, 20)

    def test_a_thousand_connections_leave_room_for_the_next(self):
        held = []
        try:
            for i in range(1000):
                stream = socket.create_connection(self.server.http, timeout=20)
                stream.sendall((b"", b"GET /li", b"GET /livez HTTP/1.1\r\nHost: h\r\n\r\n")[i % 3])
                held.append(stream)
                if i % 100 == 99:
                    self.assertEqual(self.get(self.server, "/livez")[0], 200)
            self.assertTrue(harness.answers_api_versions(self.server.port))
            open_files = self.value(self.scrape(self.server), "process_open_fds")
            self.assertLess(open_files, 256 + 200)
        finally:
            for stream in held:
                stream.close()


if __name__ == "__main__":
    unittest.main()
