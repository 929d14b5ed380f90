#!/usr/bin/env python3
"""Turns schemas/ into C++: structs with decode and encode per version, API descriptions, tables.

  generate_wire.py --schemas DIR --out DIR          writes the product's files (wire_product.py)
  generate_wire.py --schemas DIR --out DIR --list   prints their paths only (CMake asks at configure time)
  ... --testing                                     those of the test-only library instead (wire_testing.py)
  ... --json                                        JSON of persisted records (wire_record_json.py)

Files whose content did not change are not touched. Sources come in batches, so that the compiler reads
the standard headers once per batch; the hottest messages have their own, which is compiled with more effort.
"""
import argparse
import os

import wire_product
import wire_record_json
import wire_schema
import wire_testing


def main():
    parser = argparse.ArgumentParser(description="Turns schemas/ into C++.")
    parser.add_argument("--schemas", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--testing", action="store_true", help="the test-only library's files")
    parser.add_argument("--json", action="store_true", help="JSON of persisted records")
    parser.add_argument("--list", action="store_true")
    args = parser.parse_args()
    messages = wire_schema.load(args.schemas)
    if args.testing:
        files = wire_testing.testing_files(messages)
    elif args.json:
        files = wire_record_json.json_files(messages)
    else:
        files = wire_product.product_files(messages)
    if args.list:
        print(";".join(os.path.join(args.out, path) for path in files), end="")
        return
    for path, make in files.items():
        content, target = make(), os.path.join(args.out, path)
        if os.path.exists(target) and open(target, encoding="utf-8").read() == content:
            continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8") as out:
            out.write(content)


if __name__ == "__main__":
    main()
