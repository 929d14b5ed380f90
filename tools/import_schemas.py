#!/usr/bin/env python3
"""Reads the message definitions out of Apache Kafka's published jars and writes schemas/.

What is taken are facts of the protocol: names, types, version ranges, nullability, defaults, tags, keys,
listeners, flags. No descriptions and no comments are taken. The notation is described in schemas/README.md.

  import_schemas.py --jars DIR            rewrite schemas/
  import_schemas.py --jars DIR --check    compare instead; exit 1 and name the files that differ

DIR defaults to the environment variable MILENA_KAFKA_LIBS. The output depends on the jars alone.
"""
import argparse
import glob
import json
import os
import re
import sys
import zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SUFFIX = ".schema"

# Jar name (before the version) -> file of schemas/ for definitions that are not requests or responses.
FAMILIES = {
    "kafka-clients": "client",
    "kafka-metadata": "metadata",
    "kafka-raft": "raft",
    "kafka-group-coordinator": "group",
    "kafka-share-coordinator": "share",
    "kafka-transaction-coordinator": "transaction",
    "kafka-storage": "storage",
}
IMPLICIT_DEFAULTS = {"bool": "false", "string": "", "float64": "0.0", "uuid": ""}


def snake_case(name):
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()


def strip_comments(text):
    """JSON with // comments: drops them, but not inside strings."""
    return re.sub(r'("(?:[^"\\]|\\.)*")|//[^\n]*', lambda m: m.group(1) or "", text)


def default_of(field):
    """The field's default in canonical form, or None when it is the type's own.

    Kafka takes a JSON null for "no default": only the string "null" makes null the default.
    """
    value = field.get("default")
    if value is None:
        return None
    value = str(value).lower() if isinstance(value, bool) else str(value)
    kind = field["type"]
    if value == "null":
        return None if kind == "records" else value
    if re.fullmatch(r"int\d+|uint\d+", kind):
        number = int(value, 0)
        return None if number == 0 else str(number)
    if value.lower() in ("true", "false") and kind == "bool":
        value = value.lower()
    if value == IMPLICIT_DEFAULTS.get(kind, ""):
        return None
    if not re.fullmatch(r"[\w.+-]+", value):
        raise ValueError(f"default {value!r} of {field['name']} does not fit the notation")
    return value


def field_lines(field, depth):
    versions = field.get("versions") or field["taggedVersions"]
    words = [field["name"], field["type"], versions]
    if "nullableVersions" in field:
        words.append("null=" + field["nullableVersions"])
    if "tag" in field:
        tagged = field["taggedVersions"]
        words.append(f"tag={field['tag']}" + ("" if tagged == versions else "@" + tagged))
    default = default_of(field)
    if default is not None:
        words.append("default=" + default)
    if "flexibleVersions" in field:
        words.append("flexible=" + field["flexibleVersions"])
    if "entityType" in field:
        words.append("entity=" + field["entityType"])
    words += [flag for flag, key in (("key", "mapKey"), ("ignorable", "ignorable"), ("zerocopy", "zeroCopy"))
              if field.get(key)]
    unknown = set(field) - {"name", "type", "versions", "about", "fields", "nullableVersions", "tag",
                            "taggedVersions", "default", "flexibleVersions", "entityType", "mapKey",
                            "ignorable", "zeroCopy"}
    if unknown:
        raise ValueError(f"field {field['name']} has unknown properties {sorted(unknown)}")
    lines = ["  " * depth + " ".join(words)]
    for inner in field.get("fields") or []:
        lines += field_lines(inner, depth + 1)
    return lines


def message_lines(message):
    words = [message["type"], message["name"], message["validVersions"],
             "flexible=" + message["flexibleVersions"]]
    if "apiKey" in message:
        words.append(f"key={message['apiKey']}")
    if "listeners" in message:
        words.append("listeners=" + ",".join(sorted(message["listeners"])))
    if message.get("latestVersionUnstable"):
        words.append("unstable")
    unknown = set(message) - {"type", "name", "validVersions", "flexibleVersions", "apiKey", "listeners",
                              "latestVersionUnstable", "fields", "commonStructs"}
    if unknown:
        raise ValueError(f"{message['name']} has unknown properties {sorted(unknown)}")
    lines = [" ".join(words)]
    for struct in message.get("commonStructs") or []:
        lines.append(f"  struct {struct['name']} {struct['versions']}")
        for field in struct["fields"]:
            lines += field_lines(field, 2)
    for field in message["fields"]:
        lines += field_lines(field, 1)
    return lines


def definitions(jar_dir):
    """(family, definition) of every live message of the jars."""
    for family_jar, family in FAMILIES.items():
        jars = [jar for jar in glob.glob(os.path.join(glob.escape(jar_dir), family_jar + "-*.jar"))
                if re.fullmatch(re.escape(family_jar) + r"-\d[\d.]*\.jar", os.path.basename(jar))]
        if len(jars) != 1:
            raise SystemExit(f"{jar_dir}: expected one {family_jar} jar, found {len(jars)}")
        with zipfile.ZipFile(jars[0]) as jar:
            for path in jar.namelist():
                if re.fullmatch(r"(common/)?(message|metadata)/\w+\.json", path):
                    message = json.loads(strip_comments(jar.read(path).decode("utf-8")))
                    if message["validVersions"] != "none":  # APIs that Kafka 4 has removed
                        yield family, message


def schema_files(jar_dir):
    """{relative path: content} of schemas/."""
    order = {"request": 0, "response": 1}
    groups = {}
    for family, message in definitions(jar_dir):
        if message["type"] in order:
            path = os.path.join("api", snake_case(re.sub("(Request|Response)$", "", message["name"])))
        else:
            path = family
        groups.setdefault(path + SUFFIX, []).append(message)
    files = {}
    for path, messages in groups.items():
        messages.sort(key=lambda m: (order.get(m["type"], 2), m["name"] if m["type"] not in order else ""))
        files[path] = "\n\n".join("\n".join(message_lines(m)) for m in messages) + "\n"
    return files


def main():
    parser = argparse.ArgumentParser(description="Writes schemas/ from Apache Kafka's jars.")
    parser.add_argument("--jars", default=os.environ.get("MILENA_KAFKA_LIBS"))
    parser.add_argument("--out", default=os.path.join(ROOT, "schemas"))
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    if not args.jars:
        print("name the directory of Kafka's jars with --jars or MILENA_KAFKA_LIBS")
        return 1
    wanted = schema_files(args.jars)
    present = {os.path.relpath(path, args.out): open(path, encoding="utf-8").read()
               for path in glob.glob(os.path.join(args.out, "**", "*" + SUFFIX), recursive=True)}
    differing = sorted(path for path in wanted.keys() | present.keys() if wanted.get(path) != present.get(path))
    if args.check:
        for path in differing:
            print(f"differs: {path}")
        print(f"{len(wanted)} files, {len(differing)} differ")
        return 1 if differing else 0
    for path in differing:
        target = os.path.join(args.out, path)
        if path not in wanted:
            os.remove(target)
            continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8") as out:
            out.write(wanted[path])
    print(f"{len(wanted)} files, {len(differing)} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
