"""The clients of the matrix: how each driver is started, and what a client lacks by its own design.

./dev test builds the drivers that need it (tools/dev/clients.sh) into the folder that MILENA_CLIENTS names.
"""

import os
import sys
from pathlib import Path

import harness
from driver import Driver

HERE = Path(__file__).resolve().parent
BUILT = Path(os.environ.get("MILENA_CLIENTS") or harness.ROOT / ".cache" / "clients")


def python(script):
    return lambda: [sys.executable, "-B", str(HERE / "python" / script)]


def java(classes, libs):
    return lambda: ["java", "-Xmx768m", "-XX:TieredStopAtLevel=1", "-cp", f"{BUILT / classes}:{libs()}", "MatrixDriver"]


COMMANDS = {
    "java-4.3": java("java4/classes", harness.kafka_classpath),
    "java-3.9": java("java3/classes", lambda: BUILT / "java3" / "libs" / "*"),
    "librdkafka": python("librdkafka.py"),
    "aiokafka": python("aiokafka_driver.py"),
    "kafka-python": python("kafka_python.py"),
    "franz-go": lambda: [str(BUILT / "franz")],
    "sarama": lambda: [str(BUILT / "sarama")],
    "kafkajs": lambda: [str(Path(sys.prefix) / "bin" / "node"), str(BUILT / "node" / "driver.js")],
}

# client: {scenario, or "null_headers", "null_records", "header_order": why it is not asked}. Nothing here is about the node.
LACKS = {
    "librdkafka": {
        "rebalance_sticky": "its sticky assignor is the cooperative one",
        "delete_group_offsets": "not in the Python binding",
    },
    "aiokafka": {
        "null_records": "wants a key or a value",
        "delete_groups": "no DeleteGroups", "delete_group_offsets": "no OffsetDelete",
        "rebalance_cooperative": "no cooperative assignor", "cooperative_keeps_partitions": "no cooperative assignor",
    },
    "kafkajs": {
        "delete_group_offsets": "no OffsetDelete", "static_members": "no static members",
        "rebalance_range": "assigns round robin only", "rebalance_sticky": "assigns round robin only",
        "rebalance_cooperative": "assigns round robin only", "cooperative_keeps_partitions": "assigns round robin only",
        "null_headers": "wants a header's value", "header_order": "headers are an object: one entry a name",
    },
    "sarama": {"rebalance_cooperative": "no cooperative assignor",
               "cooperative_keeps_partitions": "no cooperative assignor"},
    "kafka-python": {"null_records": "wants a key or a value", "null_headers": "wants a header's value"},
}


def lacks(client, scenario):
    return LACKS.get(client, {}).get(scenario)


def start(client, bootstrap, log_path):
    return Driver(client, COMMANDS[client](), bootstrap, log_path)
