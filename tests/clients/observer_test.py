"""A real Kafka broker that follows the metadata log of a Milena node: registers, fetches, takes snapshots, serves.

Environment: MILENA_BIN and MILENA_KAFKA_LIBS, see harness.py. Needs java and kcat.
"""

import json
import unittest

import harness

QUORUM = "org.apache.kafka.tools.MetadataQuorumCommand"
FOLLOW_TIMEOUT_S = 30


class Observer(harness.ServerTestCase):
    def kafka_broker(self, controller):
        """A node with the role broker alone, whose controller is the Milena node."""
        broker = harness.Kafka(self.folder / "broker", {
            "process.roles": "broker",
            "node.id": "2",
            "controller.quorum.voters": f"1@127.0.0.1:{controller.controller_port}",
        })
        text = broker.config_path.read_text()
        broker.config_path.write_text(text.replace(f",CONTROLLER://127.0.0.1:{broker.controller_port}", ""))
        meta = (controller.data / "meta.properties").read_text()
        broker.cluster_id = dict(line.split("=", 1) for line in meta.splitlines() if "=" in line)["cluster.id"]
        self.servers.append(broker)
        return broker.start()

    def replicas(self, controller):
        """Node id: (lag, status), as kafka-metadata-quorum tells."""
        done = harness.run_kafka_tool(QUORUM, "--bootstrap-controller", f"127.0.0.1:{controller.controller_port}",
                                      "describe", "--replication")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = [line.split() for line in done.stdout.splitlines()[1:] if line.strip()]
        return {row[0]: (int(row[3]), row[-1]) for row in rows}

    def topics(self, server):
        return {topic["topic"] for topic in
                json.loads(harness.run_tool(["kcat", "-b", server.bootstrap, "-m", "10", "-L", "-J"]))["topics"]}

    def follows(self, controller, broker):
        name = f"made-{len(self.topics(broker))}"
        harness.run_tool(["kcat", "-b", controller.bootstrap, "-P", "-t", name], input=b"record\n")
        harness.wait_until(lambda: name in self.topics(broker), FOLLOW_TIMEOUT_S, f"{name} at the Kafka broker")
        self.assertEqual(self.replicas(controller)["2"][1], "Observer")

    def test_from_the_start_of_the_log_and_across_a_restart(self):
        controller = self.start_server()
        broker = self.kafka_broker(controller)
        self.follows(controller, broker)
        controller.restart()
        self.follows(controller, broker)

    def test_from_a_snapshot(self):
        controller = self.start_server(metadata_log_max_record_bytes_between_snapshots="1")
        harness.run_tool(["kcat", "-b", controller.bootstrap, "-P", "-t", "before"], input=b"record\n")
        log = controller.data / "__cluster_metadata-0"
        harness.wait_until(lambda: list(log.glob("*.checkpoint")), FOLLOW_TIMEOUT_S, "a snapshot")
        broker = self.kafka_broker(controller)
        self.assertIn("before", self.topics(broker))
        taken = list((broker.data / "__cluster_metadata-0").glob("*.checkpoint"))
        self.assertTrue(taken, "it began with a snapshot")
        self.follows(controller, broker)


if __name__ == "__main__":
    unittest.main()
