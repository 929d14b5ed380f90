"""The model of schemas/ that the generators work on. The notation is described in schemas/README.md."""
import glob
import os
import re

KEYWORDS = {"default", "namespace", "operator", "template", "class", "struct", "public", "private", "new",
            "delete", "this", "union", "register", "export", "explicit", "int", "bool", "double", "char"}
FIXED_SIZES = {"bool": 1, "int8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4, "int64": 8,
               "float64": 8, "uuid": 16}
# Kinds whose unknown tagged fields are kept: they are persisted and written again.
KEPT_KINDS = {"metadata", "coordinator-key", "coordinator-value", "data"}
NO_VERSION = 32767


def snake_case(name):
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()


def camel_case(name):
    return name[0].lower() + name[1:]


def versions_of(text, within=range(NO_VERSION)):
    """The versions of `within` that `text` names."""
    if text in (None, "none"):
        return range(0)
    low, _, high = text.partition("-")
    if text.endswith("+"):
        low, high = text[:-1], NO_VERSION
    low, high = int(low), int(high or low)
    return range(max(low, within.start), min(high + 1, within.stop))


class Field:
    def __init__(self, words, indent):
        self.indent = indent
        self.name, self.type, self.versions_text = words[:3]
        self.null_text = self.tag = self.tag_text = self.default = None
        self.old_lengths = self.key = self.ignorable = False
        for word in words[3:]:
            key, _, value = word.partition("=")
            if key == "null":
                self.null_text = value
            elif key == "tag":
                tag, _, versions = value.partition("@")
                self.tag, self.tag_text = int(tag), versions or self.versions_text
            elif key == "default":
                self.default = value
            elif word == "flexible=none":
                self.old_lengths = True
            elif word == "key":
                self.key = True
            elif word == "ignorable":
                self.ignorable = True
            elif key not in ("entity", "zerocopy"):
                raise ValueError(f"unknown property {word}")
        self.is_array = self.type.startswith("[]")
        self.element = self.type[2:] if self.is_array else self.type
        self.nullable = self.null_text is not None
        self.member = snake_case(self.name) + ("_" if snake_case(self.name) in KEYWORDS else "")
        self.json_name = camel_case(self.name)
        self.struct = None  # the Struct of `element`, if it is one

    @property
    def is_struct(self):
        return self.struct is not None and not self.is_array

    @property
    def default_null(self):
        return self.nullable and (self.default == "null" or self.type == "records")


class Struct:
    """A message or a struct inside one; `versions` are those in which it can occur."""

    def __init__(self, name, versions):
        self.name, self.versions, self.fields = name, versions, []
        self.cpp_name = name  # at namespace scope; structs of a message get its name in front

    def present(self, field):
        return versions_of(field.versions_text, self.versions)

    def tagged(self, field):
        return versions_of(field.tag_text, self.present(field)) if field.tag is not None else range(0)

    def untagged(self, field):
        present, tagged = self.present(field), self.tagged(field)
        if not tagged:
            return present
        if tagged.stop != present.stop:
            raise ValueError(f"{field.name}: tagged versions must be the last ones")
        return range(present.start, tagged.start)

    def null_versions(self, field):
        return versions_of(field.null_text, self.versions)


class Message(Struct):
    def __init__(self, words, family):
        self.kind, self.family = words[0], family
        super().__init__(words[1], versions_of(words[2]))
        self.key, self.listeners, self.unstable = None, [], False
        for word in words[3:]:
            key, _, value = word.partition("=")
            if key == "flexible":
                self.flexible = versions_of(value, self.versions)
            elif key == "key":
                self.key = int(value)
            elif key == "listeners":
                self.listeners = value.split(",")
            elif word == "unstable":
                self.unstable = True
            else:
                raise ValueError(f"unknown property {word}")
        self.structs = {}  # by name, each after those it holds
        self.header = snake_case(self.name)
        self.keeps_tags = self.kind in KEPT_KINDS and bool(self.flexible)

    @property
    def all_structs(self):
        return list(self.structs.values()) + [self]

    @property
    def flexible_from(self):
        return self.flexible.start if self.flexible else NO_VERSION

    def weight(self):
        return sum(len(s.fields) + 2 for s in self.all_structs)

    def min_size(self, struct, versions=None):
        """Bytes that an encoding of `struct` takes at least, in any of its versions."""
        return min(self._size_at(struct, v) for v in (versions or struct.versions))

    def _size_at(self, struct, version):
        flexible = version in self.flexible
        size = 1 if flexible else 0
        for field in struct.fields:
            if version in struct.untagged(field):
                size += self._field_size(struct, field, version, flexible and not field.old_lengths)
        return size

    def _field_size(self, struct, field, version, compact):
        if field.is_array or field.type in ("bytes", "records"):
            return 1 if compact else 4
        if field.type == "string":
            return 1 if compact else 2
        if field.is_struct:
            return 1 if field.nullable else self._size_at(field.struct, version)
        return FIXED_SIZES[field.type]

    def element_min_size(self, struct, field):
        versions = struct.present(field)
        if field.struct:
            size = self.min_size(field.struct, range(versions.start, versions.stop))
        elif field.element == "string":
            size = 1 if self.flexible else 2
        else:
            size = FIXED_SIZES[field.element]
        if size < 1:
            raise ValueError(f"{self.name}.{field.name}: elements of no size")
        return size


def _resolve(message, defined):
    """Orders structs so that each comes after those it holds, and links fields to them."""
    def visit(struct):
        for field in struct.fields:
            if field.element in FIXED_SIZES or field.element in ("string", "bytes", "records"):
                continue
            field.struct = defined[field.element]
            field.struct.cpp_name = f"{message.name}_{field.element}"
            if field.element not in message.structs:
                visit(field.struct)
                message.structs[field.element] = field.struct
    visit(message)


def parse_file(path, family):
    messages = []
    for block in re.split(r"\n\n+", open(path, encoding="utf-8").read().strip()):
        lines = block.split("\n")
        message = Message(lines[0].split(), family)
        defined = {}
        holders = [message]  # by depth: the struct that lines of this indent belong to
        for line in lines[1:]:
            depth = (len(line) - len(line.lstrip())) // 2
            words = line.split()
            del holders[depth:]
            if words[0] == "struct":
                struct = Struct(words[1], versions_of(words[2], message.versions))
                defined[struct.name] = struct
                holders.append(struct)
                continue
            if callable(holders[-1]):
                holders[-1] = holders[-1]()
            field = Field(words, depth)
            holder = holders[-1]
            holder.fields.append(field)

            def open_struct(field=field, holder=holder):
                if field.element in defined:
                    raise ValueError(f"{message.name}: {field.element} is defined twice")
                defined[field.element] = Struct(field.element, holder.present(field))
                return defined[field.element]
            holders.append(open_struct)
        _resolve(message, defined)
        messages.append(message)
    return messages


def load(root):
    """All messages: APIs in order of their keys, then the families in order of their names."""
    messages = []
    for path in sorted(glob.glob(os.path.join(root, "**", "*.schema"), recursive=True)):
        family = os.path.basename(os.path.dirname(path))
        messages += parse_file(path, family if family == "api" else os.path.basename(path)[:-len(".schema")])
    messages.sort(key=lambda m: (m.family != "api", m.key if m.family == "api" else 0))
    names = [m.name for m in messages]
    if len(set(names)) != len(names):
        raise ValueError("message names are not unique")
    return messages


def schema_paths(root):
    return sorted(glob.glob(os.path.join(root, "**", "*.schema"), recursive=True))
