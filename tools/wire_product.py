"""The product's files: structs with decode and encode per version, API descriptions, tables. See generate_wire.py."""
import wire_schema
from wire_cpp import NOTICE, batches, condition
from wire_schema import NO_VERSION

BATCHES = 30
HOT = ["Produce", "Fetch", "Metadata", "ListOffsets"]
CPP_TYPES = {"bool": "bool", "int8": "std::int8_t", "int16": "std::int16_t", "int32": "std::int32_t",
             "int64": "std::int64_t", "uint16": "std::uint16_t", "uint32": "std::uint32_t",
             "float64": "double", "uuid": "Uuid", "string": "std::string", "bytes": "Bytes",
             "records": "Bytes"}


def value_type(field):
    """The field's type without nullability."""
    element = field.struct.cpp_name if field.struct else CPP_TYPES[field.element]
    return f"std::vector<{element}>" if field.is_array else element


def cpp_type(field):
    return f"std::optional<{value_type(field)}>" if field.nullable else value_type(field)


def literal(field):
    value = field.default
    if field.type == "int64" and value == str(-2**63):
        return "(-9223372036854775807LL - 1)"
    if field.type == "int32" and value == str(-2**31):
        return "(-2147483647 - 1)"
    if field.type == "string":
        return f'"{value}"'
    return value


def initializer(field):
    """What stands behind the member's name in its declaration; each has one, for designated initializers."""
    if field.default_null:
        return "{}"
    if field.nullable:
        if field.default is not None:
            return f" = {value_type(field)}({literal(field)})"
        return f" = {value_type(field)}()"
    if field.default is not None:
        return f" = {literal(field)}"
    if field.type == "bool":
        return " = false"
    return " = 0" if field.type in wire_schema.FIXED_SIZES and field.type != "uuid" else "{}"


def not_default(field):
    """Condition under which a tagged field is written."""
    member = "this->" + field.member
    if field.default_null:
        return f"{member}.has_value()"
    if field.nullable:
        return f"!({member} == {value_type(field)}({literal(field) if field.default is not None else ''}))"
    if field.is_array or (field.type in ("string", "bytes", "records") and field.default is None):
        return f"!{member}.empty()"
    if field.is_struct or field.type == "uuid":
        return f"!({member} == {value_type(field)}{{}})"
    if field.type == "bool":
        return f"!{member}" if field.default == "true" else member
    return f"{member} != {literal(field) if field.default is not None else 0}"


def guarded(test, lines, indent="  "):
    if test == "false":
        return []
    if test == "true":
        return [indent + line for line in lines]
    if len(lines) == 1:
        return [f"{indent}if ({test}) {lines[0]}"]
    return [f"{indent}if ({test}) {{"] + [indent + "  " + line for line in lines] + [indent + "}"]


def arguments(message, struct, field, within, reading):
    """The arguments after the member, for read_value and write_value."""
    args = []
    if field.struct:
        args.append("version")
    if not field.struct and not field.is_array and field.type in wire_schema.FIXED_SIZES:
        return ""
    if not field.is_struct:
        args.append("false" if field.old_lengths else "compact")
    if field.nullable:
        null = wire_schema.versions_of(field.null_text, within)
        args.append(condition(null, within))
    if reading and field.is_array:
        args.append(str(message.element_min_size(struct, field)))
    return "".join(", " + a for a in args)


# `this->` in both: some messages have a field named `version`, like the functions' parameter.
def read_line(message, struct, field, within):
    if field.is_struct and field.nullable and within == struct.tagged(field):
        return f"read_tagged_value(reader, this->{field.member}, version);"
    return f"read_value(reader, this->{field.member}{arguments(message, struct, field, within, True)});"


def write_line(message, struct, field, within):
    if field.is_struct and field.nullable and within == struct.tagged(field):
        return f"write_tagged_value(writer, this->{field.member}, version);"
    return f"write_value(writer, this->{field.member}{arguments(message, struct, field, within, False)});"


def compact_line(message, struct):
    flexible = range(max(message.flexible.start, struct.versions.start),
                     min(message.flexible.stop, struct.versions.stop)) if message.flexible else range(0)
    return f"  [[maybe_unused]] const bool compact = {condition(flexible, struct.versions)};"


def tag_reading(message, struct):
    if not message.flexible:
        return []
    tagged = [f for f in struct.fields if struct.tagged(f)]
    if not tagged:
        keep = "reader.keep_tags(unknown_tagged_fields);" if message.keeps_tags else "reader.skip_tags();"
        return [f"  if (compact) {keep}"]
    lines = ["  if (!compact) return reader.ok();",
             "  std::int64_t previous = -1;",
             "  for (std::uint32_t left = reader.read_tag_count(); left > 0 && reader.ok(); --left) {",
             "    const std::uint32_t tag = reader.read_tag(previous);"]
    for index, field in enumerate(sorted(tagged, key=lambda f: f.tag)):
        versions = struct.tagged(field)
        flexible = range(max(message.flexible.start, struct.versions.start), struct.versions.stop)
        test = condition(versions, flexible)
        test = f"tag == {field.tag}" + ("" if test == "true" else f" && {test}")
        lines += [f"    {'} else ' if index else ''}if ({test}) {{",
                  "      const std::uint8_t* outer_end = reader.enter_tag();",
                  "      " + read_line(message, struct, field, versions),
                  "      reader.leave_tag(outer_end);"]
    keep = "reader.keep_tag(tag, unknown_tagged_fields);" if message.keeps_tags else "reader.skip_tag();"
    return lines + ["    } else {", f"      {keep}", "    }", "  }"]


def tag_writing(message, struct):
    if not message.flexible:
        return []
    unknown = ", &unknown_tagged_fields" if message.keeps_tags else ""
    tagged = [f for f in struct.fields if struct.tagged(f)]
    if not tagged:
        return [f"  if (compact) TagWriter(writer{unknown}).finish();" if unknown
                else "  if (compact) writer.write_int8(0);"]
    lines = ["  if (!compact) return;", f"  TagWriter tags(writer{unknown});"]
    flexible = range(max(message.flexible.start, struct.versions.start), struct.versions.stop)
    for field in sorted(tagged, key=lambda f: f.tag):
        versions = struct.tagged(field)
        test = condition(versions, flexible)
        test = not_default(field) if test == "true" else f"{test} && {not_default(field)}"
        lines += [f"  if ({test}) {{", f"    tags.begin({field.tag});",
                  "    " + write_line(message, struct, field, versions), "    tags.end();", "  }"]
    return lines + ["  tags.finish();"]


def struct_functions(message, struct):
    scope = struct.cpp_name
    version = "[[maybe_unused]] std::int16_t version"
    lines = [f"bool {scope}::decode([[maybe_unused]] Reader& reader, {version}) {{", compact_line(message, struct)]
    for field in struct.fields:
        within = struct.untagged(field)
        lines += guarded(condition(within, struct.versions), [read_line(message, struct, field, within)]) if within else []
    lines += tag_reading(message, struct)
    lines += ["  return reader.ok();", "}", "",
              f"void {scope}::encode([[maybe_unused]] Writer& writer, {version}) const {{", compact_line(message, struct)]
    for field in struct.fields:
        within = struct.untagged(field)
        lines += guarded(condition(within, struct.versions), [write_line(message, struct, field, within)]) if within else []
    return lines + tag_writing(message, struct) + ["}", ""]


def struct_members(message, struct, indent):
    lines = []
    for field in struct.fields:
        versions = struct.present(field)
        note = "" if versions == message.versions else f"  // v{field.versions_text}"
        lines.append(f"{indent}{cpp_type(field)} {field.member}{initializer(field)};{note}")
    if message.keeps_tags:
        lines.append(indent + "UnknownTaggedFields unknown_tagged_fields{};")
    return lines + ["",
                    f"{indent}/// Into a newly made object. False: the input is malformed.",
                    f"{indent}bool decode(Reader& reader, std::int16_t version);",
                    f"{indent}/// Leaves out what `version` cannot carry.",
                    f"{indent}void encode(Writer& writer, std::int16_t version) const;",
                    f"{indent}bool operator==(const {struct.cpp_name}&) const = default;"]


def header(message):
    lines = [NOTICE + "#pragma once", "", "#include <cstdint>", "#include <optional>", "#include <string>",
             "#include <vector>", "", '#include "base/bytes.h"', '#include "base/uuid.h"', '#include "wire/fwd.h"']
    if message.keeps_tags:
        lines.append('#include "wire/tagged_fields.h"')
    lines += ["", "namespace milena::wire {", ""]
    # Not inside the message: clang cannot use a nested class's member initializers before the outer class ends.
    for struct in message.structs.values():
        lines += [f"struct {struct.cpp_name} {{"] + struct_members(message, struct, "  ") + ["};", ""]
    lines.append(f"struct {message.name} {{")
    if message.key is not None:
        lines.append(f"  static constexpr std::int16_t kKey = {message.key};")
    lines += [f"  static constexpr std::int16_t kMinVersion = {message.versions.start};",
              f"  static constexpr std::int16_t kMaxVersion = {message.versions.stop - 1};", ""]
    for struct in message.structs.values():
        lines.append(f"  using {struct.name} = {struct.cpp_name};")
    lines += [""] if message.structs else []
    return "\n".join(lines + struct_members(message, message, "  ") + ["};", "", "}  // namespace milena::wire", ""])


def source(messages):
    lines = [NOTICE] + [f'#include "wire/messages/{m.header}.h"' for m in messages]
    lines += ["", '#include "wire/codec.h"', "", "namespace milena::wire {", ""]
    for message in messages:
        for struct in message.all_structs:
            lines += struct_functions(message, struct)
    return "\n".join(lines + ["}  // namespace milena::wire", ""])


def apis(messages):
    """(name, request, response) in order of keys."""
    requests = {m.key: m for m in messages if m.kind == "request"}
    responses = {m.key: m for m in messages if m.kind == "response"}
    if requests.keys() != responses.keys():
        raise ValueError("requests and responses do not match")
    for key in sorted(requests):
        request, response = requests[key], responses[key]
        if (request.versions, request.flexible) != (response.versions, response.flexible):
            raise ValueError(f"{request.name}: the response has other versions")
        yield request.name.removesuffix("Request"), request, response


def api_header(name, request, response):
    always_old = name == "ApiVersions"  # so that clients of any age can read the answer (KIP-511)
    response_header = "0" if always_old else "version >= flexible_from ? 1 : 0"
    unused = "/*version*/" if always_old else "version"
    return f"""{NOTICE}#pragma once

#include <cstdint>
#include <string_view>

#include "wire/messages/{request.header}.h"
#include "wire/messages/{response.header}.h"

namespace milena::wire {{

struct {name}Api {{
  using Request = {request.name};
  using Response = {response.name};
  static constexpr std::string_view name = "{name}";
  static constexpr std::int16_t key = {request.key};
  static constexpr std::int16_t min_version = {request.versions.start};
  static constexpr std::int16_t max_version = {request.versions.stop - 1};
  static constexpr bool latest_unstable = {str(request.unstable).lower()};
  static constexpr std::int16_t flexible_from = {request.flexible_from};
  static constexpr std::int16_t request_header_version(std::int16_t version) {{
    return version >= flexible_from ? 2 : 1;
  }}
  static constexpr std::int16_t response_header_version(std::int16_t {unused}) {{
    return {response_header};
  }}
}};

}}  // namespace milena::wire
"""


def api_table(messages):
    rows = [f'    {{{r.key}, "{name}", {r.versions.start}, {r.versions.stop - 1}, {r.flexible_from}, '
            f'{str("broker" in r.listeners).lower()}, {str("controller" in r.listeners).lower()}, '
            f'{str(r.unstable).lower()}}},'
            for name, r, _ in apis(messages)]
    return (NOTICE + '#pragma once\n\n#include <array>\n\n#include "wire/api_info.h"\n\nnamespace milena::wire {\n\n'
            "/// All live APIs in order of their keys.\n"
            f"inline constexpr std::array<ApiInfo, {len(rows)}> kApis{{{{\n" + "\n".join(rows) +
            "\n}};\n\n}  // namespace milena::wire\n")


def record_table(messages):
    kinds = {"metadata": "kRecord", "coordinator-key": "kKey", "coordinator-value": "kValue"}
    rows = [f'    {{"{m.family}", RecordKind::{kinds[m.kind]}, {m.key}, "{m.name}", {m.versions.start}, '
            f'{m.versions.stop - 1}, {m.flexible_from}}},'
            for m in sorted((m for m in messages if m.kind in kinds), key=lambda m: (m.family, m.kind, m.key))]
    return (NOTICE + '#pragma once\n\n#include <array>\n\n#include "wire/api_info.h"\n\nnamespace milena::wire {\n\n'
            "/// All persisted records that have a number, by family, kind and number.\n"
            f"inline constexpr std::array<RecordInfo, {len(rows)}> kRecords{{{{\n" + "\n".join(rows) +
            "\n}};\n\n}  // namespace milena::wire\n")


def product_files(messages):
    hot_names = {name + end for name in HOT for end in ("Request", "Response")}
    files = {f"wire/messages/{m.header}.h": (lambda m=m: header(m)) for m in messages}
    for name, request, response in apis(messages):
        files[f"wire/apis/{wire_schema.snake_case(name)}.h"] = lambda a=(name, request, response): api_header(*a)
    files["wire/api_table.h"] = lambda: api_table(messages)
    files["wire/record_table.h"] = lambda: record_table(messages)
    files["wire/messages_hot.cc"] = lambda: source([m for m in messages if m.name in hot_names])
    for i, batch in enumerate(batches([m for m in messages if m.name not in hot_names], BATCHES)):
        files[f"wire/messages_{i:02}.cc"] = lambda batch=batch: source(batch)
    return files
