#!/usr/bin/env python3
"""The law of the source tree, checked: layers, sizes, calls, and pitfalls that a pattern can find.

  check_layers.py [ROOT]

Reads layers.txt and tools/check_layers.toml, prints one line per finding (path:line: [rule] what
and what to do), exits 1 if there is any. A line of source is excused from one rule by a comment on
it or on the line above:  // lint: allow(rule) reason  -- the reason is not optional.

Rules on src/: layer, room, include-path, header, call names (clock, entropy, thread, sleep, network, file, process,
environment), size, readme, nolint, coroutine-capture, coroutine-reference, coroutine-ternary,
coroutine-braces. Rules on every tracked file: tracked-size, word.
"""

import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import cpp_scan  # noqa: E402

ALLOW = re.compile(r"//\s*lint:\s*allow\(([a-z-]+)\)\s*(\S.*)?")
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
# Before a call of a free function, see check_layers.toml: not a member, not a declaration, not another scope.
CALL = r"(?:^|[;{}()=!,?|&<+-]|\breturn|\bstd::|(?<![\w>])::)\s*"
NOLINT = re.compile(r"NOLINT(NEXTLINE|BEGIN|END)?(?!\w)(\((?P<checks>[^)]*)\))?")
BINARY = (".png", ".ico", ".woff", ".woff2", ".gz", ".zst", ".lz4", ".bin", ".jks", ".p12")


@dataclass(frozen=True, order=True)
class Finding:
    path: str
    line: int
    rule: str
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: [{self.rule}] {self.text}"


def read_layers(root):
    """{room: layer number} from layers.txt."""
    layers = {}
    for line in (root / "layers.txt").read_text().splitlines():
        words = line.split("#")[0].split()
        for room in words[1:]:
            layers[room] = int(words[0])
    return layers


class Source:
    """One C++ file: its text, the text without comments and literals, and its excuses."""

    def __init__(self, path, text):
        self.path = path
        self.room = path.split("/")[1]
        self.lines = text.splitlines()
        self.code = cpp_scan.blank_comments_and_literals(text)
        self.code_lines = self.code.splitlines()
        self.findings = []
        self.allowed = set()  # (line, rule)
        for number, line in enumerate(self.lines, 1):
            match = ALLOW.search(line)
            if not match:
                continue
            if not match.group(2):
                self.findings.append(Finding(path, number, "allow", "an excuse needs a reason after it"))
            covered = number  # a comment that stands alone covers the first line of code below it
            while covered < len(self.lines) and self.lines[covered - 1].lstrip().startswith("//"):
                covered += 1
            self.allowed.update({(number, match.group(1)), (covered, match.group(1))})

    def report(self, line, rule, text):
        if (line, rule) not in self.allowed:
            self.findings.append(Finding(self.path, line, rule, text))

    def line_of(self, position):
        return self.code.count("\n", 0, position) + 1


def starts_with_any(path, prefixes):
    return any(path.startswith(prefix) for prefix in prefixes)


def check_includes(source, layers, rules):
    own = layers.get(source.room)
    if own is None:
        source.report(1, "layer", f"layers.txt does not name the room '{source.room}'")
        return
    for number, line in enumerate(source.lines, 1):
        match = INCLUDE.match(line)
        if not match or not source.code_lines[number - 1].lstrip().startswith("#"):
            continue
        quote, header = match.groups()
        if quote == '"':
            room = header.split("/")[0]
            if room not in layers:
                source.report(number, "include-path", f'write "{source.room}/..." from src/, not "{header}"')
            elif room != source.room and layers[room] >= own:
                source.report(number, "layer", f"{source.room} (layer {own}) must not include {room} "
                              f"(layer {layers[room]}): only lower layers")
            continue
        for rule in rules:
            if re.search(rule["match"], header) and not starts_with_any(source.path, rule["only"]):
                source.report(number, "header", f"<{header}> belongs to {', '.join(rule['only'])}")
                break


class Declared:
    """The rooms that one room names in its CMakeLists.txt files: for all its code, and for its tests besides."""

    # A file that only tests are built from.
    TEST = re.compile(r"(_test|_testing|_fixture|_check)\.(h|cc)$|/testing/|/\w*testing\.(h|cc)$")

    def __init__(self, root, room, layers):
        self.path = f"src/{room}/CMakeLists.txt"
        texts = [file.read_text() for file in sorted((root / "src" / room).rglob("CMakeLists.txt"))]
        text = re.sub(r"#.*", "", "\n".join(texts))
        listed = re.search(r"milena_room\([^)]*?\bROOMS\b([a-z\s]*)", text)
        self.known = "milena_room(" in text
        self.rooms = set(listed.group(1).split()) & set(layers) if listed else set()
        linked = (re.match("|".join(sorted(layers, key=len, reverse=True)), name) for name in re.findall(r"\bmilena_(\w+)", text))
        self.for_tests = self.rooms | {match.group(0) for match in linked if match}
        self.included = set()

    def check(self, source):
        """Every room that the file includes is named; what a named room uses itself does not count."""
        if not self.known:
            return
        test = self.TEST.search(source.path)
        for number, line in enumerate(source.lines, 1):
            match = INCLUDE.match(line)
            if not match or match.group(1) != '"' or not source.code_lines[number - 1].lstrip().startswith("#"):
                continue
            room = match.group(2).split("/")[0]
            self.included.add(room)
            if room != source.room and room not in (self.for_tests if test else self.rooms):
                source.report(number, "room", f"{self.path} does not name {room} in {'TEST_LIBS' if test else 'ROOMS'}")

    def unused(self):
        for room in sorted(self.rooms - self.included):
            yield Finding(self.path, 1, "room", f"ROOMS names {room}, which no file includes")


def check_calls(source, rules):
    for rule in rules:
        if starts_with_any(source.path, rule["only"]):
            continue
        pattern = re.compile(rule["match"].replace("{call}", CALL))
        for number, line in enumerate(source.code_lines, 1):
            match = pattern.search(line)
            if match:
                source.report(number, rule["name"], f"'{match.group(0).strip()}' belongs to "
                              f"{', '.join(rule['only'])}; go through the io room's interfaces")


def check_nolint(source):
    for number, line in enumerate(source.lines, 1):
        for match in NOLINT.finditer(line):
            checks = match.group("checks")
            if not checks or "*" in checks:
                source.report(number, "nolint", "name the check: NOLINT(check-name) and say why")


def check_coroutines(source, long_lived):
    for position in cpp_scan.capturing_coroutine_lambdas(source.code):
        source.report(source.line_of(position), "coroutine-capture", "a coroutine lambda must capture nothing: "
                      "its captures die with the lambda; pass them as parameters")
    for position, parameter in cpp_scan.reference_parameters_of_tasks(source.code):
        named = re.search(r"(\w+)\s*(?:const\s*)?&(?!&)", parameter)
        if named and named.group(1) in long_lived:
            continue
        source.report(source.line_of(position), "coroutine-reference", f"a coroutine takes '{parameter}' by value: a "
                      "temporary would be gone after the first suspension (check_layers.toml: long_lived)")
    for position in cpp_scan.awaits_in_ternary(source.code):
        source.report(source.line_of(position), "coroutine-ternary", "g++ 12 miscompiles co_await in ?: ; write if")
    for position in cpp_scan.awaits_with_braced_argument(source.code):
        source.report(source.line_of(position), "coroutine-braces", "g++ 12 destroys a braced temporary in a co_await "
                      "expression twice; name a local and std::move it")


def check_size(source, readme, size):
    factor = size["test_factor"] if source.path.endswith("_test.cc") else 1
    count = len(source.lines)
    if count > size["lines_max"] * factor:
        source.report(1, "size", f"{count} lines, at most {size['lines_max'] * factor}: split it")
    elif count > size["lines_explained"] * factor and Path(source.path).name not in readme:
        source.report(1, "size", f"{count} lines; over {size['lines_explained'] * factor} "
                      "the room's README.md names the file and the reason")


def check_rooms(root, layers, size):
    """The README of each room that has code."""
    for room in layers:
        folder = root / "src" / room
        if not (folder / "CMakeLists.txt").exists():
            continue
        readme = folder / "README.md"
        path = f"src/{room}/README.md"
        if not readme.exists():
            yield Finding(path, 1, "readme", "a room has a README.md: purpose, headers, invariants, threads")
        elif len(readme.read_text().splitlines()) > size["readme_lines_max"]:
            yield Finding(path, 1, "readme", f"over {size['readme_lines_max']} lines")


def tracked_files(root):
    """Paths git would commit; everything but build folders and dot folders where there is no git."""
    listing = subprocess.run(["git", "-C", str(root), "-c", "safe.directory=*", "ls-files", "-z", "--cached",
                              "--others", "--exclude-standard"], capture_output=True, check=False)
    if listing.returncode == 0:
        return sorted(path for path in listing.stdout.decode().split("\0") if path)
    skip = re.compile(r"(^|/)(\.[^/]*|build[^/]*|node_modules|__pycache__)(/|$)")
    files = (str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    return sorted(path for path in files if not skip.search(path))


def check_tracked(root, path, config):
    file = root / path
    if not file.is_file() or file.is_symlink():
        return
    bytes_max = config["size"]["tracked_bytes_max"]
    if file.stat().st_size > bytes_max and path not in config["sizes"]["except"]:
        yield Finding(path, 1, "tracked-size", f"{file.stat().st_size} bytes, at most {bytes_max}: generate or fetch it")
    if path.endswith(BINARY) or path in config["words"]["except"]:
        return
    for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1):
        for rule in config["word"]:
            match = re.search(rule["match"], line)
            if match:
                yield Finding(path, number, "word", f"'{match.group(0)}' is a fact of one machine; leave it out")


def check_tree(root):
    """All findings in the tree at root, in order."""
    config = tomllib.loads((root / "tools" / "check_layers.toml").read_text())
    layers = read_layers(root)
    findings = list(check_rooms(root, layers, config["size"]))
    declared = {room: Declared(root, room, layers) for room in layers}
    for path in tracked_files(root):
        findings.extend(check_tracked(root, path, config))
        if not path.startswith("src/") or not path.endswith((".h", ".cc")) or path.count("/") < 2:
            continue
        if not (root / path).is_file():
            continue
        source = Source(path, (root / path).read_text())
        readme = root / "src" / source.room / "README.md"
        check_includes(source, layers, config["header"])
        if source.room in declared:
            declared[source.room].check(source)
        check_calls(source, config["call"])
        check_nolint(source)
        check_coroutines(source, config["coroutine"]["long_lived"])
        check_size(source, readme.read_text() if readme.exists() else "", config["size"])
        findings.extend(source.findings)
    for rooms in declared.values():
        findings.extend(rooms.unused())
    return sorted(findings)


def main(arguments):
    root = Path(arguments[0]).resolve() if arguments else Path(__file__).resolve().parent.parent
    findings = check_tree(root)
    for finding in findings:
        print(finding)
    if findings:
        print(f"{len(findings)} findings; a reviewed exception is '// lint: allow(rule) reason'")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
