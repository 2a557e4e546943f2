#!/usr/bin/env python3
"""The rules of the tree that a machine can check, as one failing test: `tools/tidy.py` prints `file:line: what; do this instead`.

Each rule is a function from one file (its path, its lines) to findings, or from the tree to findings; the tables above the
rules are what to edit when a room or a home is added. A line may stand against a rule with a reason:
`// tidy: allow <rule>: <reason>` at its end or on the line above. Every rule has examples in tools/tidy_test.py.
"""
import os
import pathlib
import re
import subprocess
import sys

# room -> the rooms it may include; itself always. Also the rows of ARCHITECTURE.md, and DEPS in its CMakeLists.txt.
ROOMS = {
    "base": "",
    "telemetry": "base",
    "model": "base",
    "http": "base telemetry",
    "log": "base telemetry",
    "auth": "base",
    "adapters": "base model",
    "sources": "base telemetry model http auth adapters",
    "schema": "base telemetry model log",
    "gateway": "base telemetry model http log auth schema adapters",
    "reconcile": "base telemetry model log",
    "heal": "base telemetry model log sources",
    "store": "base telemetry model log",
    "archive": "base telemetry model log schema",
    "api": "base telemetry model http log auth adapters schema gateway reconcile heal store archive",
    "lab": "base telemetry model http",
    "app": "base telemetry model http log auth adapters sources schema gateway reconcile heal store archive api lab",
}
ROOMS = {room: set(may.split()) for room, may in ROOMS.items()}

# what -> (pattern, the places that may, what to do instead). A place is a path prefix; tests are listed where they may.
HOMES = {
    "clock": (
        r"\b(?:system_clock|steady_clock|high_resolution_clock|utc_clock|file_clock)::now\b|\bclock_gettime\s*\(|\bgettimeofday\s*\("
        r"|(?<![\w.>:])(?:std::)?time\s*\(\s*(?:nullptr|NULL|0)\s*\)",
        ["src/base/system_clock"],
        "take a helios::Clock&",
    ),
    "random": (
        r"\bstd::random_device\b|(?<![\w.>:])s?rand\s*\(|\barc4random\w*\s*\(|\bgetrandom\s*\(|\bgetentropy\s*\(|\bRAND_(?:priv_)?bytes\s*\(",
        ["src/base/", "src/log/posix_disk"],
        "take a seeded engine or the entropy that base hands out",
    ),
    "getenv": (
        r"\b(?:secure_)?getenv\s*\(|\benviron\b",
        ["src/app/", "tests"],
        "take an option; app maps the environment to options",
    ),
    "thread": (
        r"\bstd::j?thread\b(?!::)|\bstd::async\s*\(|\bpthread_create\s*\(",
        [
            f"src/{room}/"
            for room in ("log", "http", "sources", "gateway", "reconcile", "store", "api", "lab", "app")
        ]
        + ["tests"],
        "let a room that owns threads call you",
    ),
    "sleep": (
        r"\bsleep_(?:for|until)\s*\(|(?<![\w.>:])u?sleep\s*\(|\bnanosleep\s*\(",
        ["src/lab/", "src/app/command_"],
        "wait for the condition (a callback, a condition variable with a deadline)",
    ),
    "mutex": (
        r"\bstd::(?:(?:shared_|recursive_)?(?:timed_)?mutex|lock_guard|unique_lock|scoped_lock|shared_lock|condition_variable(?:_any)?)\b"
        r"|#include <(?:shared_mutex|condition_variable)>",
        ["src/base/mutex.h"],
        "take Mutex, MutexLock and Condition (base/mutex.h), and name the mutex at what it guards: HELIOS_GUARDED_BY",
    ),
    "detach": (r"\.\s*detach\s*\(\s*\)", [], "keep the thread and join it"),
}

# library's headers, by how their names begin -> the files that may include them. One room wraps a
# library, in as few files as it can: so it can be replaced, and its headers are paid for once.
LIBRARIES = {
    "boost/asio": ["src/http/sockets.h"],
    "boost/beast": ["src/http/request_reader.cpp", "src/http/websocket_session.cpp"],
    "curl/": ["src/sources/https_client.cpp"],
    "openssl/": [
        "src/auth/certificate.cpp",
        "src/auth/crypto.cpp",
        "src/auth/test_kit.h",
        "src/base/certificate_test_kit.h",
        "src/base/hash.cpp",
        "src/http/tls_client.cpp",
        "src/http/tls_library.cpp",
        "src/http/tls_server.cpp",
        "src/http/tls_stream.cpp",
        "src/http/tls_test_kit.h",
    ],
    "prometheus/": ["src/telemetry/metrics.cpp"],
    "rocksdb/": [
        "src/gateway/dedup_index.cpp",
        "src/log/disk_state.cpp",
        "src/log/live_files.cpp",
        "src/log/rocks.cpp",
        "src/log/sim_files.cpp",
    ],
    "simdjson": ["src/base/utf8.cpp", "src/base/json_fuzz.cpp"],
    "sqlite3": ["src/store/database.cpp"],
    "xxhash": ["src/base/hash.cpp"],
    "yaml-cpp/": ["src/base/yaml.cpp"],
    "zlib.h": ["src/http/coding.cpp", "src/http/coding_test.cpp"],
}

# What decides, of the room reconcile: pure, by the log alone. It includes the vocabulary, itself,
# and what it keeps; no option, no stage, no clock's room.
DECIDING = re.compile(
    r"src/reconcile/(?:checks/\w+|absences|case_reading|case_state|closed_cases|engine|engine_state"
    r"|extract|flow|flow_lint|flow_read|history|judge|open_cases|quote|reference_reader|router"
    r"|value_reader)\.(?:h|cpp)"
)
DECIDING_MAY_INCLUDE = re.compile(r"(?:base|model)/|log/state\.h$")

# Files that wrap a library whose callbacks can only be left by throwing; nothing leaves the file.
THROWING = {"src/base/yaml.cpp"}

BANNED_WORDS = {
    "manager": "name what it does or holds",
    "managers": "name what it does or holds",
    "helper": "name what it does, or put the function where it is used",
    "helpers": "name what it does, or put the function where it is used",
    "util": "name the thing; put the function where it is used, or in base if everyone could use it",
    "utils": "name the thing; put the function where it is used, or in base if everyone could use it",
    "utility": "name the thing; put the function where it is used, or in base if everyone could use it",
    "utilities": "name the thing; put the function where it is used, or in base if everyone could use it",
    "impl": "name what it holds (State, Session, Connection)",
    "common": "name what is shared, or put it in base",
}

MOST_LINES = 800
MOST_COLUMNS = 100
README_PARTS = [
    "Purpose",
    "In → out",
    "Belongs here",
    "Words",
    "Invariants",
    "How it fails",
    "How to test",
]
DECISION_PARTS = ["Context", "Decision", "Alternatives", "Consequences"]

# Written reversed, so that this file does not name them.
HOSTS = [
    name[::-1]
    for name in (
        "gro.sjmpn.yrtsiger",
        "moc.gkpray.yrtsiger",
        "gro.ipyp",
        "gro.detsohnohtyp",
        "gro.nevam",
        "ehcapa.nevam.oper",
        "oi.setarc",
        "gro.gnalog.yxorp",
        "gro.naibed.bed",
        "gro.naibed.tohspans",
        "moc.ecruosedon.bed",
        "oi.rekcod.yrtsiger",
        "ten.rviledsj",
        "gkpnu",
        "moc.erafduolc.sjndc",
        "yl.coder.ndc",
        "moc.sipaelgoog.stnof",
    )
]

SOURCE = (".h", ".cpp")
CODE = SOURCE + (".py", ".sh", ".cmake")
TEXT = CODE + (".md", ".txt", ".yaml", ".yml", ".json", ".html", ".js", ".css", ".in")
CODE_NAMES = (
    "dev",
    "CMakeLists.txt",
    "run",
)  # code without a telling suffix; `run` is .ci/run and bench/run


# ---- reading ---------------------------------------------------------------------------------------------------------------


def is_code(path):
    return path.endswith(CODE) or path.rsplit("/", 1)[-1] in CODE_NAMES


def is_text(path):
    return path.endswith(TEXT) or is_code(path) or path.startswith(".") and "/" not in path


def is_test(path):
    return path.startswith("tests/") or bool(
        re.search(r"(_test|_fuzz|_bench)\.(cpp|h|py)$|_test_\w+\.h$", path)
    )


def room_of(path):
    parts = path.split("/")
    return parts[1] if len(parts) > 2 and parts[0] == "src" else None


LITERAL = re.compile(
    r'R"(?P<d>[^()\\\s]{0,16})\(.*?\)(?P=d)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|//[^\n]*|/\*.*?\*/',
    re.S,
)
RAW = re.compile(r'R"(?P<d>[^()\\\s]{0,16})\(.*?\)(?P=d)"', re.S)
DIGITS = re.compile(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])")  # 1'000'000


def bare(text):
    """C++ text with comments and literals blanked, lines kept. #include lines keep their names."""

    def blank(match):
        return re.sub(r"[^\n]", " ", match.group())

    kept = [line if line.lstrip().startswith("#include") else None for line in text.split("\n")]
    lines = LITERAL.sub(blank, DIGITS.sub(" ", text)).split("\n")
    return [k if k is not None else line for k, line in zip(kept, lines)]


class File:
    """One file as the rules see it."""

    def __init__(self, path, text):
        self.path, self.text = path, text
        self.lines = text.split("\n")
        self.bare = bare(text) if path.endswith(SOURCE) else self.lines
        self.room = room_of(path)


# ---- rules over one file: yield (line number, message) -------------------------------------------------------------------------


def rule_include(f):
    """Rooms include only the rooms the table allows."""
    if not f.path.endswith(SOURCE) or not f.path.startswith(("src/", "tests/")):
        return
    for number, line in enumerate(f.lines, 1):
        match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if not match:
            continue
        name = match.group(1)
        target = name.split("/")[0]
        if "/" not in name or name.startswith("."):
            if f.room:
                yield number, f'"{name}" does not say its room; include "{f.room}/{name.lstrip("./")}"'
            continue
        if target == f.room or target not in ROOMS:
            continue
        if f.room in ROOMS and target not in ROOMS[f.room]:
            allowed = ", ".join(sorted(ROOMS[f.room])) or "nothing"
            yield number, f"{f.room} may not include {target}; it may include {allowed}: move the shared type to model or base, or pass a value in"


def rule_depends(f):
    """DEPS of a room's CMakeLists.txt are what the table allows."""
    if not f.room or not f.path.endswith("CMakeLists.txt") or f.room not in ROOMS:
        return
    match = re.search(
        r"helios_module\(\s*\w+[^)]*?\bDEPS\s+([\w\s]*?)(?:\bLIBS\b|\bPUBLIC_LIBS\b|\bTEST_LIBS\b|\))",
        f.text,
    )
    for target in match.group(1).split() if match else []:
        if target not in ROOMS[f.room]:
            yield f.text[: match.start(1)].count(
                "\n"
            ) + 1, f"{f.room} may not depend on {target}; see the table of rooms in ARCHITECTURE.md"


def rule_library(f):
    """A library is included where it is wrapped, and nowhere else."""
    if not f.path.endswith(SOURCE) or not f.path.startswith(("src/", "tests/")):
        return
    for number, line in enumerate(f.lines, 1):
        match = re.match(r"\s*#\s*include\s+<([^>]+)>", line)
        for name, homes in LIBRARIES.items() if match else ():
            if match.group(1).startswith(name) and f.path not in homes:
                yield number, f"<{match.group(1)}> outside {', '.join(homes)}; use what wraps it, or name the file in LIBRARIES"


def rule_decides(f):
    """What decides knows no options: the same records give the same verdicts, however it is set."""
    if not DECIDING.fullmatch(f.path) or is_test(f.path):
        return
    for number, line in enumerate(f.lines, 1):
        match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        name = match.group(1) if match else ""
        if match and not DECIDING_MAY_INCLUDE.match(name) and not DECIDING.fullmatch("src/" + name):
            yield number, f'"{name}" where verdicts are decided; what an option says must be on the log before it has an effect, or name the file in DECIDING'


def rule_name(f):
    """No managers, helpers, utils, impls, commons: in file names and type names."""
    if is_code(f.path):
        for word in re.split(r"[_\W]+", f.path):
            if word.lower() in BANNED_WORDS:
                yield 1, f"'{word}' in a file or folder name says nothing; {BANNED_WORDS[word.lower()]}"
    if not f.path.endswith(SOURCE):
        return
    declared = re.compile(
        r"\b(?:class|struct|enum(?:\s+class)?|union|concept|namespace|using)\s+(?:\[\[[^\]]*\]\]\s*)?([A-Za-z_]\w*)"
    )
    for number, line in enumerate(f.bare, 1):
        for name in declared.findall(line):
            for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name):
                if word.lower() in BANNED_WORDS:
                    yield number, f"'{word}' in {name} says nothing; {BANNED_WORDS[word.lower()]}"


def rule_length(f):
    """Files stay readable."""
    if is_code(f.path):
        count = len(f.lines) - (1 if f.lines[-1] == "" else 0)
        if count > MOST_LINES:
            yield MOST_LINES + 1, f"{count} lines; at most {MOST_LINES}: split it by what it does"


def rule_width(f):
    """Code and prose fit two side by side. Free: raw literals, tables, code blocks, what has no blank."""
    if not f.path.endswith(SOURCE + (".md",)):
        return
    free, fenced = set(), False
    for match in RAW.finditer(f.text) if f.path.endswith(SOURCE) else ():
        first = f.text.count("\n", 0, match.start())
        free.update(range(first + 1, first + 2 + match.group().count("\n")))
    for number, line in enumerate(f.lines, 1):
        if f.path.endswith(".md"):
            fence = line.lstrip().startswith("```")
            fenced ^= fence
            if fence or fenced or line.lstrip().startswith(("|", "#")):
                continue
        if len(line) > MOST_COLUMNS and number not in free and " " in line.strip(" -*/"):
            yield number, f"{len(line)} columns; at most {MOST_COLUMNS}: ./dev format, or wrap it"


TEST = re.compile(
    r"\b(?:TEST(?:_F|_P)?|TYPED_TEST(?:_P)?|RC_GTEST_(?:FIXTURE_)?PROP)\(\s*(\w+),\s*(\w+)"
)
EXPECTED_FIRST = re.compile(
    r"\b(?:EXPECT|ASSERT)_(?:EQ|NE)\(\s*"
    r'(?:-?\d[\w.\']*|"(?:\\.|[^"\\\n])*"s?|true|false|nullptr|std::nullopt|ErrorKind::\w+),'
)


def rule_test(f):
    """One dialect of tests: Suite.what_it_says, and EXPECT_EQ(actual, expected)."""
    if not f.path.endswith(SOURCE) or not is_test(f.path):
        return
    for number, line in enumerate(f.lines, 1):
        for suite, name in TEST.findall(line):
            if name != name.lower():
                yield number, f"{name}: a test is a sentence in snake_case"
        if EXPECTED_FIRST.search(line):
            yield number, "the expected value stands first; EXPECT_EQ(actual, expected)"


def rule_home(f):
    """Clock, randomness, environment, threads, bare mutexes, sleeping: only in their homes."""
    if not f.path.endswith(SOURCE) or not f.path.startswith(("src/", "tests/")):
        return
    for what, (pattern, homes, instead) in HOMES.items():
        if any(f.path.startswith(home) for home in homes if home != "tests") or (
            "tests" in homes and is_test(f.path)
        ):
            continue
        if what == "clock" and is_test(f.path):
            pattern = pattern.replace("|steady_clock", "")  # a test may bound its own waiting
        for number, line in enumerate(f.bare, 1):
            if re.search(pattern, line):
                yield number, f"{what} outside its home ({', '.join(h for h in homes if h != 'tests') or 'none'}); {instead}"


def rule_throw(f):
    """Errors are values."""
    if (
        f.path.endswith(SOURCE)
        and f.path.startswith("src/")
        and not is_test(f.path)
        and f.path not in THROWING
    ):
        for number, line in enumerate(f.bare, 1):
            if re.search(r"\bthrow\b(?!\s*\()", line) or re.search(r"\bthrow\s*\(", line):
                yield number, "throw; return a Result (base/result.h), or HELIOS_ASSERT for a bug"


def rule_pragma(f):
    """Headers open with #pragma once."""
    if f.path.endswith(".h"):
        for number, line in enumerate(f.lines, 1):
            if line.strip() == "#pragma once":
                return
            if line.strip() and not line.lstrip().startswith(("//", "/*", "*")):
                yield number, "no #pragma once before the first line of code; put it at the top"
                return
        yield 1, "no #pragma once; put it at the top"


def rule_todo(f):
    """A note for later says what and why."""
    if f.path in ("tools/tidy.py", "tools/tidy_test.py") or not is_text(f.path):
        return
    for number, line in enumerate(f.lines, 1):
        match = re.search(r"\b(TODO|FIXME)\b(?:\([^)]*\))?:?(.*)", line)
        if match and is_code(f.path) and len(match.group(2).split()) < 3:
            yield number, f"{match.group(1)} without a text; say what is missing and when it matters, or do it"


def rule_path(f):
    """Nothing in the tree knows the machine it was written on."""
    if f.path in ("tools/tidy.py", "tools/tidy_test.py") or not is_text(f.path):
        return
    for number, line in enumerate(f.lines, 1):
        match = re.search(r"(?<![\w.}~-])/(work|root|home/\w+|Users/\w+)/\w", line)
        if match:
            yield number, f"'{match.group().rstrip()}…' is a path of one machine; take it relative to the checkout or from an option"
        elif (
            is_code(f.path)
            and not is_test(f.path)
            and not line.lstrip().startswith(("//", "#"))
            and re.search(r"(?<![\w.}~-])/tmp\b", line)
        ):
            yield number, "'/tmp' is written down; ask std::filesystem::temp_directory_path() or take an option"


def rule_host(f):
    """No registry and no CDN by name: package clients know where to go, and pages load nothing from elsewhere."""
    if not is_text(f.path):
        return
    for number, line in enumerate(f.lines, 1):
        for host in HOSTS:
            if host in line:
                yield number, f"'{host}' is the name of a registry or CDN; let the package's client find it, or embed the file"


def rule_layout(f):
    """No tabs for indentation, no trailing blanks, no CR; files end with a line end."""
    if not is_text(f.path):
        return
    for number, line in enumerate(f.lines, 1):
        if is_code(f.path) and re.match(r" *\t", line):
            yield number, "tab indentation; use blanks"
        if line.endswith("\r"):
            yield number, "line ends with CR; use LF"
        elif is_code(f.path) and line != line.rstrip():
            yield number, "blanks at the end of the line; remove them"
    if f.text and not f.text.endswith("\n"):
        yield len(f.lines), "no line end at the end of the file; add one"


def rule_link(f, exists=None):
    """Relative links in Markdown lead somewhere."""
    if not f.path.endswith(".md"):
        return
    exists = exists or (lambda path: os.path.exists(path))
    fenced = False
    for number, line in enumerate(f.lines, 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        if fenced:
            continue
        for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", line)):
            if re.match(r"[a-z]+:|#", target):
                continue
            path = os.path.normpath(os.path.join(os.path.dirname(f.path), target.split("#")[0]))
            if not exists(path):
                yield number, f"link to {target}, which is not there; correct the path"


FILE_RULES = [
    rule_include,
    rule_depends,
    rule_library,
    rule_decides,
    rule_name,
    rule_length,
    rule_width,
    rule_test,
    rule_home,
    rule_throw,
    rule_pragma,
    rule_todo,
    rule_path,
    rule_host,
    rule_layout,
    rule_link,
]


# ---- rules over the tree: yield (path, line number, message) ---------------------------------------------------------------------


def rule_readme(tree):
    """Every room has its page, with the parts all pages have."""
    for room in tree.rooms():
        path = f"src/{room}/README.md"
        text = tree.text(path)
        if text is None:
            yield path, 1, "the room has no README.md; write its page: " + " · ".join(README_PARTS)
            continue
        headings = [
            line.lstrip("#* ").lower() for line in text.split("\n") if line.startswith(("#", "**"))
        ]
        absent = [
            part
            for part in README_PARTS
            if not any(part.lower() in heading for heading in headings)
        ]
        if absent:
            yield path, 1, "no heading " + ", ".join(
                f"'{part}'" for part in absent
            ) + "; every room's page has the same parts"


def rule_rooms(tree):
    """Folders of src, this file's table and the table in ARCHITECTURE.md are the same."""
    for room in tree.rooms():
        if room not in ROOMS:
            yield f"src/{room}", 1, "a room that the table in tools/tidy.py does not know; a new room needs a decision record and a row there"
    text = tree.text("ARCHITECTURE.md")
    if text is None:
        yield "ARCHITECTURE.md", 1, "not there; it holds the table of rooms: | room | what it is | may include |"
        return
    rows = {}
    for number, line in enumerate(text.split("\n"), 1):
        cells = [
            re.sub(r"^\[([^\]]*)\]\([^)]*\)", r"\1", cell.strip()).strip("`*")
            for cell in line.strip().strip("|").split("|")
        ]
        if (
            line.lstrip().startswith("|")
            and len(cells) >= 3
            and cells[0] in ROOMS
            and cells[0] not in rows
        ):
            rows[cells[0]] = (number, cells[-1])
    for room in tree.rooms():
        if room in ROOMS and room not in rows:
            yield "ARCHITECTURE.md", 1, f"the table of rooms has no row for src/{room}; add it"
    for room, (number, cell) in rows.items():
        if room not in tree.rooms():
            yield "ARCHITECTURE.md", number, f"a row for room {room}, but src/{room} is not there; take the row out until it is"
            continue
        present = ROOMS[room] & set(tree.rooms())
        named = set(re.findall(r"[a-z]+", cell)) & set(ROOMS)
        if re.match(r"all\b", cell):
            continue
        if (named & set(tree.rooms())) - {room} != present:
            yield "ARCHITECTURE.md", number, f"room {room} may include {', '.join(sorted(present)) or 'nothing'} by tools/tidy.py; the row says {cell or 'nothing'}"


def rule_private(tree):
    """Other rooms include only what a room's CMakeLists.txt lists as PUBLIC; tests also its test kits."""
    public = {}
    for room in tree.rooms():
        text = tree.text(f"src/{room}/CMakeLists.txt") or ""
        match = re.search(
            r"helios_module\(\s*\w+\s+PUBLIC\s+((?:[a-z]\S*\.h\s+)*[a-z]\S*\.h)", text
        )
        public[room] = set(match.group(1).split()) if match else set()
        for name in sorted(public[room]):
            if tree.text(f"src/{room}/{name}") is None:
                yield f"src/{room}/CMakeLists.txt", 1, f"PUBLIC {name} is not there; take it out"
    for path in tree.paths():
        if not path.endswith(SOURCE) or not path.startswith(("src/", "tests/")):
            continue
        for number, line in enumerate(tree.text(path).split("\n"), 1):
            match = re.match(r'#include "(\w+)/([^"]+)"', line)
            if not match or match.group(1) not in public or match.group(1) == room_of(path):
                continue
            room, name = match.groups()
            kit = name.endswith("test_kit.h") and (is_test(path) or path.endswith("test_kit.h"))
            if name not in public[room] and not kit:
                yield path, number, f"{room}/{name} is private to {room}; include one of its PUBLIC headers (src/{room}/CMakeLists.txt)"


# A file's name in a sentence: `log.h`, `docs/flows.md`, `_test.cpp` (the end of names). Not: <sqlite3.h>
# (a library's; those of LIBRARIES also without brackets), command_<name>.cpp, FILE.yaml.
NAMED_FILE = re.compile(
    r"(?<![\w./:*<>{}$~…-])((?:\.\./)*(?:[\w-]+/)*[\w-]+\.(?:h|cpp|py|md|yaml|case|cmake))(?![\w*>/-]|\.\w)"
)
# A place in the tree: `src/api`, `tests/sim`, `src/log/committer` (the file pair).
NAMED_PLACE = re.compile(
    r"(?<![\w./:*<>{}$~…-])((?:src|docs|tests|tools|flows|cmake|deploy)/[\w./-]*\w)(?![\w./<{*…-]*[<{*…])"
)
# They say what was there when they were written.
HISTORY = ("CHANGELOG.md", "docs/decisions/")


def prose_of(path, text):
    """Comments of C++ and all of Markdown but the targets of links (rule link): (line number, text)."""
    if path.endswith(SOURCE):
        for match in LITERAL.finditer(text):
            if match.group().startswith(("//", "/*")):
                first = text.count("\n", 0, match.start()) + 1
                yield from enumerate(match.group().split("\n"), first)
    else:
        for number, line in enumerate(text.split("\n"), 1):
            yield number, re.sub(r"\]\([^)]*\)", "]()", line)


def rule_named(tree):
    """Files and folders that comments and pages name are there."""
    paths = tree.paths()
    there = set(paths)
    for path in paths:
        there.add(os.path.splitext(path)[0])
        there.update(str(parent) for parent in pathlib.PurePosixPath(path).parents)

    def is_file(path, name):
        if name.startswith("../"):
            return os.path.normpath(os.path.join(os.path.dirname(path), name)) in there
        end = name if name.startswith("_") else "/" + name
        return any(("/" + known).endswith(end) for known in paths)

    for path in paths:
        if not path.endswith(SOURCE + (".md",)) or path.startswith(HISTORY):
            continue
        text = tree.text(path)
        f = None
        for number, line in prose_of(path, text):
            gone = [n for n in NAMED_FILE.findall(line) if not is_file(path, n)]
            gone += [n for n in NAMED_PLACE.findall(line) if n not in there and n not in gone]
            for name in gone:
                if os.path.splitext(name.rsplit("/", 1)[-1])[0].isupper():
                    continue  # FILE.yaml stands for any
                if name.startswith(tuple(LIBRARIES)):
                    continue
                f = f or File(path, text)
                if not allowed(f, number, rule_named):
                    yield path, number, f"names {name}, which is not there; correct the name, or say it without one"


def rule_decision(tree):
    """Decision records are numbered once each and have the same parts."""
    seen = {}
    for path in tree.paths():
        if not path.startswith("docs/decisions/"):
            continue
        name = path.rsplit("/", 1)[-1]
        match = re.fullmatch(r"(\d{4})-[a-z0-9]+(?:-[a-z0-9]+)*\.md", name)
        if not match:
            yield path, 1, "name it NNNN-title-in-lower-case.md"
            continue
        if match.group(1) in seen:
            yield path, 1, f"number {match.group(1)} is already {seen[match.group(1)]}; take the next free one"
        seen.setdefault(match.group(1), name)
        headings = [
            line.lstrip("# ").lower()
            for line in tree.text(path).split("\n")
            if line.startswith("#")
        ]
        absent = [
            part for part in DECISION_PARTS if not any(h.startswith(part.lower()) for h in headings)
        ]
        if absent:
            yield path, 1, "no heading " + ", ".join(
                f"'{part}'" for part in absent
            ) + "; see docs/decisions/0000-template.md"


TREE_RULES = [rule_readme, rule_rooms, rule_private, rule_named, rule_decision]


# ---- running -------------------------------------------------------------------------------------------------------------------


class Tree:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self._paths = None

    def paths(self):
        """Files that git knows or would take; without git, all that are not build products."""
        if self._paths is None:
            listed = subprocess.run(
                ["git", "ls-files", "-coz", "--exclude-standard"],
                cwd=self.root,
                capture_output=True,
                check=False,
            )
            if listed.returncode == 0:
                names = listed.stdout.decode().split("\0")
            else:
                names = [str(p.relative_to(self.root)) for p in self.root.rglob("*")]
                names = [
                    n
                    for n in names
                    if not re.match(r"(build|\.deps|\.git|helios-data)/|.*__pycache__/", n)
                ]
            self._paths = sorted(n for n in set(names) if n and (self.root / n).is_file())
        return self._paths

    def rooms(self):
        return sorted({room for room in map(room_of, self.paths()) if room})

    def text(self, path):
        try:
            return (self.root / path).read_bytes().decode()
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            return ""  # not text: nothing here to check


def rule_title(rule):
    return rule.__name__.removeprefix("rule_")


def allowed(f, number, rule):
    """Whether the line, or the one above it, stands against the rule with a reason."""
    for line in f.lines[max(0, number - 2) : number]:
        match = re.search(r"tidy: allow (\w+):\s*(\S.*)", line)
        if match and match.group(1) == rule_title(rule):
            return True
    return False


def check_file(f):
    for rule in FILE_RULES:
        for number, message in rule(f):
            if not allowed(f, number, rule):
                yield f.path, number, f"{message} [{rule_title(rule)}]"


def check_tree(tree):
    for path in tree.paths():
        if not is_text(path):
            continue
        yield from check_file(File(path, tree.text(path)))
    for rule in TREE_RULES:
        for path, number, message in rule(tree):
            yield path, number, f"{message} [{rule_title(rule)}]"


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    os.chdir(root)
    findings = sorted(set(check_tree(Tree(root))))
    for path, number, message in findings:
        print(f"{path}:{number}: {message}")
    if findings:
        print(f"{len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
