"""Just enough reading of C++ text for check_layers.py: no preprocessor, no types, only shapes.

All functions but the first take text whose comments and literals are blanked, and give positions in it.
They err towards silence: what they cannot read they do not report.
"""

import re

TOKEN = re.compile(
    r'//[^\n]*'                                   # comment to the end of the line
    r'|/\*.*?\*/'                                 # block comment
    r'|R"(?P<mark>[^()\s\\]{0,16})\(.*?\)(?P=mark)"'  # raw string
    r'|"(?:\\.|[^"\\\n])*"'                       # string
    r"|(?<![0-9a-zA-Z_])'(?:\\.|[^'\\\n])+'",     # character, but not the digit separator of 1'000
    re.DOTALL)


def blank_comments_and_literals(text):
    """The text with every comment, string and character literal replaced by spaces; newlines stay."""
    return TOKEN.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), text)


def closing(code, position):
    """The position of the bracket that closes the one at position, or -1."""
    pairs = {"(": ")", "[": "]", "{": "}"}
    stack = []
    for index in range(position, len(code)):
        char = code[index]
        if char in pairs:
            stack.append(pairs[char])
        elif char in ")]}":
            if not stack or stack.pop() != char:
                return -1
            if not stack:
                return index
    return -1


def lambdas(code):
    """(position, captures, head between captures and body, body begin, body end) of each lambda, in order."""
    found = []
    for match in re.finditer(r"\[", code):
        start = match.start()
        before = code[:start].rstrip()[-1:]
        if before and (before.isalnum() or before in '_)]"'):
            word = re.search(r"(\w+)\s*$", code[:start])
            if not word or word.group(1) not in ("return", "co_return", "co_await", "co_yield"):
                continue
        if before == "[" or code[start:start + 2] == "[[":
            continue
        end = closing(code, start)
        if end < 0:
            continue
        head = re.match(r"\s*(<[^{};]*>)?\s*(\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))?[^{};,()\[\]=]*"
                        r"(\([^()]*\)[^{};,()\[\]=]*)?\{", code[end + 1:])
        if not head:
            continue
        body = end + head.end()
        body_end = closing(code, body)
        if body_end > 0:
            found.append((start, code[start + 1:end].strip(), code[end + 1:body], body, body_end))
    return found


def capturing_coroutine_lambdas(code):
    """Positions of lambdas that capture something and are coroutines: co_... in the body itself."""
    every = lambdas(code)
    for start, captures, _, body, body_end in every:
        if not captures:
            continue
        own = code[body:body_end]
        for inner in every:  # what an inner lambda awaits is the inner one's matter
            if body < inner[0] < body_end:
                begin, end = inner[3] - body, inner[4] - body
                own = own[:begin] + " " * (end - begin) + own[end:]
        for local in re.finditer(r"\b(?:struct|class)\b[^;(){]*\{", own):  # so are a local type's functions
            end = closing(own, local.end() - 1)
            own = own[:local.end()] + " " * (end - local.end()) + own[end:] if end > 0 else own
        if re.search(r"\bco_(await|return|yield)\b", own):
            yield start


def reference_parameters_of_tasks(code):
    """(position, parameter) for parameters of functions that give a Task, when they may bind to a temporary.

    const T& and T&& may; T& cannot, and a parameter that names a long-lived service is usual.
    """
    for match in re.finditer(r"\bTask\s*<", code):
        end = match.end()
        depth = 1
        while end < len(code) and depth:
            depth += {"<": 1, ">": -1}.get(code[end], 0)
            end += 1
        name = re.match(r"\s+[\w:~]+\s*\(", code[end:])
        if not name:
            continue
        begin = end + name.end() - 1
        finish = closing(code, begin)
        if finish < 0:
            continue
        for parameter in split_parameters(code[begin + 1:finish]):
            text = " ".join(parameter.split())
            if re.search(r"&&", text) or (re.match(r"const\b", text) or re.search(r"\bconst\s*&", text)) and "&" in text:
                yield begin, text


def split_parameters(text):
    """The parameters between two parentheses, split at the commas of the outermost level."""
    depth = 0
    current = ""
    for char in text:
        depth += {"<": 1, "(": 1, "{": 1, "[": 1, ">": -1, ")": -1, "}": -1, "]": -1}.get(char, 0)
        if char == "," and depth == 0:
            yield current
            current = ""
        else:
            current += char
    if current.strip():
        yield current


def statements(code):
    """(position, text) of the pieces between semicolons and braces that start or end a block."""
    for match in re.finditer(r"[^;]+", code):
        yield match.start(), match.group(0)


def awaits_in_ternary(code):
    """Positions of co_await that follow a '?' in the same statement, with its ':' around."""
    for start, text in statements(code):
        for match in re.finditer(r"\?(?![\?.])", text):
            rest = text[match.end():]
            stop = re.search(r"[{}]", rest)
            rest = rest[:stop.start()] if stop else rest
            found = re.search(r"\bco_await\b", rest)
            if found and re.search(r"(?<!:):(?!:)", rest):
                yield start + match.end() + found.start()


def awaits_with_braced_argument(code):
    """Positions of co_await f({...}) and co_await f(x, {...}): an aggregate temporary inside the expression."""
    for match in re.finditer(r"\bco_await\s+[\w:.\->]+\s*(?=\()", code):
        end = closing(code, match.end())
        if end < 0:
            continue
        arguments = split_parameters(code[match.end() + 1:end])
        if any(re.match(r"\s*\{\s*[^}\s]", argument) for argument in arguments):
            yield match.start()
