"""The files of the test-only library: JSON and random values of every message. See generate_wire.py."""
from wire_cpp import NOTICE, batches, condition
from wire_schema import versions_of

BATCHES = 8


def declarations(struct):
    name = struct.cpp_name
    return [f"nlohmann::ordered_json to_json(const {name}& value, std::int16_t version);",
            f"bool from_json(const nlohmann::ordered_json& json, {name}& value, std::int16_t version);",
            f"void randomize(Random& random, {name}& value, std::int16_t version);"]


def header(message):
    lines = [NOTICE + "#pragma once", "", "#include <cstdint>", "#include <nlohmann/json_fwd.hpp>", "",
             '#include "base/random.h"', f'#include "wire/messages/{message.header}.h"', "",
             "namespace milena::wire {", "", "/// Kafka's JSON form of the fields that `version` has."]
    for struct in reversed(message.all_structs):
        lines += declarations(struct)
    return "\n".join(lines + ["", "}  // namespace milena::wire", ""])


def null_allowed(field, present):
    return condition(versions_of(field.null_text, present), present) if field.nullable else "false"


def functions(struct):
    name = struct.cpp_name
    version = "[[maybe_unused]] std::int16_t version"
    to_json = [f"Json to_json([[maybe_unused]] const {name}& value, {version}) {{",
               f"  [[maybe_unused]] static const {name} defaults;", "  Json json = Json::object();"]
    from_json = [f"bool from_json([[maybe_unused]] const Json& json, [[maybe_unused]] {name}& value, {version}) {{",
                 "  if (!json.is_object()) return false;"]
    randomize = [f"void randomize([[maybe_unused]] Random& random, [[maybe_unused]] {name}& value, {version}) {{"]
    for field in struct.fields:
        present = struct.present(field)
        if not present:
            continue
        here = condition(present, struct.versions)
        tagged = condition(struct.tagged(field), present)
        member = f"value.{field.member}"
        null = null_allowed(field, present)
        required = {"true": "false", "false": "true"}.get(tagged, f"!({tagged})")
        test = {"false": here, "true": f"{here} && !({member} == defaults.{field.member})"}.get(
            tagged, f"{here} && (!({tagged}) || !({member} == defaults.{field.member}))")
        to_json.append(f'  if ({test}) json["{field.json_name}"] = json_value({member}, version);')
        from_json.append(f'  if ({here} && !from_member(json, "{field.json_name}", {required}, {null}, version, '
                         f'{member})) return false;')
        chance = "" if tagged == "false" else " && random.one_in(2)"
        randomize.append(f"  if ({here}{chance}) random_member(random, {null}, version, {member});")
    return (to_json + ["  return json;", "}"] + from_json + ["  return true;", "}"] + randomize + ["}", ""])


def source(messages):
    lines = [NOTICE, "#include <nlohmann/json.hpp>", ""]
    lines += [f'#include "wire/testing/{m.header}.h"' for m in messages]
    lines += ["", '#include "wire/testing/json_value.h"', '#include "wire/testing/registry.h"', "",
              "namespace milena::wire {", ""]
    for message in messages:
        for struct in message.all_structs:
            lines += functions(struct)
        lines += [f"extern const MessageOps k{message.name}Ops{{",
                  f'    "{message.name}", {message.versions.start}, {message.versions.stop - 1},',
                  f"    [](Random& random, std::int16_t version) {{ return random_message<{message.name}>("
                  f"random, version, {message.flexible_from}); }},",
                  f"    read_message<{message.name}>, check_untrusted<{message.name}>}};", ""]
    return "\n".join(lines + ["}  // namespace milena::wire", ""])


def registry(messages):
    lines = [NOTICE, '#include "wire/testing/registry.h"', "", "#include <array>", "", "namespace milena::wire {", ""]
    lines += [f"extern const MessageOps k{m.name}Ops;" for m in messages]
    lines += ["", "std::span<const MessageOps> all_messages() {",
              f"  static const std::array<MessageOps, {len(messages)}> messages{{"]
    lines += [f"      k{m.name}Ops," for m in messages]
    return "\n".join(lines + ["  };", "  return messages;", "}", "", "}  // namespace milena::wire", ""])


def testing_files(messages):
    files = {f"wire/testing/{m.header}.h": (lambda m=m: header(m)) for m in messages}
    files["wire/testing_registry.cc"] = lambda: registry(messages)
    for i, batch in enumerate(batches(messages, BATCHES)):
        files[f"wire/testing_{i}.cc"] = lambda batch=batch: source(batch)
    return files
