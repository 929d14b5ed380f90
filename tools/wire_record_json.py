"""The product's JSON of persisted records: metadata, coordinators' keys and values, control records. See
generate_wire.py. APIs are not among them: nobody prints those."""
from wire_cpp import NOTICE, condition

KINDS = {"metadata": "kMessage", "coordinator-key": "kKey", "coordinator-value": "kValue", "data": "kMessage"}


def records(messages):
    return [m for m in messages if m.family != "api" and m.kind in KINDS]


def function(struct):
    lines = [f"Json json_of([[maybe_unused]] const {struct.cpp_name}& value, [[maybe_unused]] std::int16_t version) {{",
             f"  [[maybe_unused]] static const {struct.cpp_name} defaults;", "  Json json = Json::object();"]
    for field in struct.fields:
        present = struct.present(field)
        if not present:
            continue
        here = condition(present, struct.versions)
        tagged = condition(struct.tagged(field), present)
        member = f"value.{field.member}"
        test = {"false": here, "true": f"{here} && !({member} == defaults.{field.member})"}.get(
            tagged, f"{here} && (!({tagged}) || !({member} == defaults.{field.member}))")
        lines.append(f'  if ({test}) json["{field.json_name}"] = json_value({member}, version);')
    return lines + ["  return json;", "}", ""]


def source(messages):
    lines = [NOTICE, '#include "wire/json/record_json.h"', "", "#include <array>", "#include <nlohmann/json.hpp>", ""]
    lines += [f'#include "wire/messages/{m.header}.h"' for m in messages]
    lines += ['#include "wire/json/json_value.h"', '#include "wire/reader.h"', "", "namespace milena::wire {", "namespace {", ""]
    structs = [struct for message in messages for struct in message.all_structs]
    lines += [f"Json json_of(const {struct.cpp_name}& value, std::int16_t version);" for struct in structs]
    lines += ["", '#include "wire/json/json_value.inc"', ""]
    for struct in structs:
        lines += function(struct)
    lines += ["}  // namespace", "", "std::span<const RecordType> record_types() {",
              f"  static const std::array<RecordType, {len(messages)}> types{{{{"]
    for m in messages:
        key = -1 if m.key is None else m.key
        lines.append(f'      {{"{m.name}", "{m.family}", RecordPart::{KINDS[m.kind]}, {key}, {m.versions.start}, '
                     f"{m.versions.stop - 1}, &decode_json<{m.name}>}},")
    return "\n".join(lines + ["  }};", "  return types;", "}", "", "}  // namespace milena::wire", ""])


def json_files(messages):
    return {"wire/record_json.cc": lambda: source(records(messages))}
