#!/usr/bin/env python3
"""Examples for every rule of tools/tidy.py: what it finds, and what it leaves alone. A rule without examples fails."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import tidy  # noqa: E402

# rule -> (path, text with findings, lines where they are) and (path, text without)
BAD = {
    "include": [
        ("src/log/a.cpp", '#include "gateway/accept.h"\n', [1]),
        ("src/base/a.h", '#pragma once\n#include "log/log.h"\n', [2]),
        ("src/lab/a_test.cpp", '#include "reconcile/engine.h"\n', [1]),
        ("src/log/a.cpp", '#include "log.h"\n', [1]),
        ("src/log/a.cpp", '#include "../log/log.h"\n', [1]),
    ],
    "depends": [
        (
            "src/log/CMakeLists.txt",
            "find_package(X)\nhelios_module(log DEPS base\n  store LIBS x)\n",
            [2],
        )
    ],
    "library": [
        ("src/log/a.cpp", "#include <vector>\n#include <rocksdb/db.h>\n", [2]),
        ("src/store/queries.h", "#include <sqlite3.h>\n", [1]),
        ("src/http/server.cpp", "#include <boost/asio/post.hpp>\n", [1]),
        ("tests/sim/a.cpp", "#include <openssl/evp.h>\n", [1]),
    ],
    "decides": [
        (
            "src/reconcile/engine.h",
            '#include "reconcile/judge.h"\n#include "reconcile/options.h"\n',
            [2],
        ),
        ("src/reconcile/router.cpp", '#include "telemetry/telemetry.h"\n', [1]),
        ("src/reconcile/checks/amount.cpp", '#include "reconcile/engine_stage.h"\n', [1]),
        ("src/reconcile/judge.cpp", '#include "log/log.h"\n', [1]),
    ],
    "name": [
        ("src/log/log_manager.h", "", [1]),
        ("src/log/utils/a.cpp", "", [1]),
        ("src/log/a.h", "class SegmentManager {};\n", [1]),
        ("src/log/a.h", "int x;\nstruct Impl;\n", [2]),
        ("src/log/a.h", "using IOUtils = int;\n", [1]),
        ("src/log/a.h", "namespace helios::log {\nenum class CommonKind { a };\n}\n", [2]),
    ],
    "test": [
        (
            "src/log/a_test.cpp",
            "TEST(Log, KeepsOrder) {\n    EXPECT_EQ(3u, x);\n    EXPECT_EQ(\"a, b\", x);\n",
            [1, 2, 3],
        )
    ],
    "width": [
        ("src/log/a.cpp", "int x;\n// " + "word " * 20 + "\n", [2]),
        ("docs/a.md", "word " * 20 + "x\n", [1]),
    ],
    "length": [("src/log/a.cpp", "int x;\n" * 801, [801]), ("dev", "true\n" * 900, [801])],
    "home": [
        ("src/log/a.cpp", "auto t = std::chrono::steady_clock::now();\n", [1]),
        ("src/log/a.cpp", "auto t = Clock::now();\nclock_gettime(CLOCK_REALTIME, &t);\n", [2]),
        ("src/log/a.cpp", "auto t = time(nullptr);\n", [1]),
        ("src/log/a_test.cpp", "auto t = std::chrono::system_clock::now();\n", [1]),
        ("src/store/a.cpp", "std::random_device d;\nint x = rand();\n", [1, 2]),
        ("src/http/a.cpp", 'const char* x = std::getenv("X");\n', [1]),
        ("src/model/a.cpp", "std::thread t([] {});\n", [1]),
        ("src/model/a.cpp", "std::jthread t;\nauto f = std::async(g);\n", [1, 2]),
        ("src/log/a_test.cpp", "std::this_thread::sleep_for(1s);\n", [1]),
        ("src/log/a.cpp", "usleep(5);\nworker.detach();\n", [1, 2]),
        ("src/log/a.h", "std::mutex mutex_;\nstd::condition_variable_any c;\n", [1, 2]),
        ("src/log/a_test.cpp", "const std::scoped_lock lock(a, b);\n", [1]),
        ("src/log/a.h", "#include <shared_mutex>\n", [1]),
    ],
    "throw": [("src/log/a.cpp", 'if (bad) throw std::runtime_error("x");\n', [1])],
    "pragma": [
        ("src/log/a.h", "/// A thing.\n#include <vector>\n#pragma once\n", [2]),
        ("src/log/a.h", "// nothing\n", [1]),
    ],
    "todo": [
        ("src/log/a.cpp", "int x;  // TODO\n", [1]),
        ("tools/a.py", "# FIXME: later\n", [1]),
        ("src/log/a.cpp", "// TODO(me): fix\n", [1]),
    ],
    "path": [
        ("docs/a.md", "see /" + "work/main/README.md\n", [1]),
        ("src/log/a_test.cpp", 'open("/' + 'root/x");\n', [1]),
        ("src/log/a.cpp", 'open("/' + 'tmp/x");\n', [1]),
        ("tools/a.sh", "cd /" + "home/jane/helios\n", [1]),
    ],
    "host": [
        ("tools/a.sh", "curl https://registry.npmjs" + ".org/redoc\n", [1]),
        ("src/api/page.html", '<script src="//unp' + 'kg.com/x">\n', [1]),
    ],
    "layout": [
        ("src/log/a.cpp", "\tint x;\n", [1]),
        ("src/log/a.cpp", "int x; \n", [1]),
        ("docs/a.md", "one\r\n", [1]),
        ("src/log/a.cpp", "int x;", [1]),
    ],
    "link": [("docs/a.md", "[text](missing.md) and [b](../gone/#x)\n", [1, 1])],
}
GOOD = {
    "include": [
        (
            "src/log/a.cpp",
            '#include "log/detail/frame.h"\n#include "base/result.h"\n#include <vector>\n',
        ),
        ("src/app/a.cpp", '#include "reconcile/engine.h"\n'),
        ("tests/sim/a.cpp", '#include "reconcile/engine.h"\n#include "sim_disk.h"\n'),
        ("src/log/a.cpp", '// #include "gateway/accept.h"\n'),
        ("src/http/a.cpp", '#include "third/party.h"\n'),
    ],
    "depends": [
        (
            "src/log/CMakeLists.txt",
            "helios_module(log DEPS base telemetry LIBS store TEST_LIBS rapidcheck)\n",
        )
    ],
    "library": [
        ("src/store/database.cpp", "#include <sqlite3.h>\n"),
        ("src/http/request_reader.cpp", "#include <boost/beast/http/basic_parser.hpp>\n"),
        ("src/log/a.cpp", "// <sqlite3.h> is elsewhere\n#include <poll.h>\n"),
    ],
    "decides": [
        (
            "src/reconcile/engine.cpp",
            '#include <map>\n#include "base/time.h"\n#include "log/state.h"\n#include "reconcile/checks/check_kind.h"\n',
        ),
        ("src/reconcile/engine_stage.cpp", '#include "reconcile/options.h"\n'),
        ("src/reconcile/engine_test.cpp", '#include "reconcile/options.h"\n'),
    ],
    "name": [
        (
            "src/log/segment.h",
            "struct Implied {};\nclass Commons;\nusing X = std::common_type_t<int>;\n// the Manager\nauto s = \"class Util\";\n",
        ),
        ("docs/common.md", ""),
    ],
    "test": [
        (
            "src/log/a_test.cpp",
            "TEST_F(LogTest, keeps_order_2) {\n    EXPECT_EQ(x, 3u);\n    EXPECT_EQ(f(3, x), 4);\n",
        ),
        ("src/log/a.cpp", "TEST(Log, KeepsOrder)\n"),
    ],
    "width": [
        ("src/log/a.cpp", 'auto s = R"(\n' + "word " * 30 + '\n)";\n// ' + "x" * 150 + "\n"),
        ("docs/a.md", "| " + "word " * 30 + "|\n```\n" + "word " * 30 + "\n```\n"),
    ],
    "length": [("src/log/a.cpp", "int x;\n" * 800), ("docs/a.md", "x\n" * 2000)],
    "home": [
        ("src/base/system_clock.cpp", "auto t = std::chrono::system_clock::now();\n"),
        (
            "src/log/a.cpp",
            "auto t = clock_.wall();  // not steady_clock::now()\nrun_time(nullptr);\nreader.time(0);\n",
        ),
        (
            "src/log/a_test.cpp",
            "auto until = std::chrono::steady_clock::now() + 5s;\nstd::thread t;\n",
        ),
        ("src/app/a.cpp", 'getenv("X");\n'),
        ("src/base/mutex.h", "#include <condition_variable>\nstd::mutex mutex_;\n"),
        ("src/log/a.cpp", "#include <mutex>\nstd::once_flag once_;\nMutex mutex_;\n"),
        (
            "src/store/a.cpp",
            "auto n = std::thread::hardware_concurrency();\nstrand();\nint operand (int);\n",
        ),
        (
            "src/model/a.cpp",
            'auto s = "std::thread"; char c = \'"\'; // std::thread\nauto n = 1\'000\'000;\n',
        ),
        (
            "src/log/a_test.cpp",
            "// tidy: allow home: the machine's own timer is under test\nstd::this_thread::sleep_for(1s);\n",
        ),
    ],
    "throw": [
        ("src/log/a.cpp", "// never throw\nvoid f() noexcept;\n"),
        ("src/log/a_test.cpp", "throw 1;\n"),
        ("src/base/yaml.cpp", "throw x;\n"),
    ],
    "pragma": [
        ("src/log/a.h", "#pragma once\n"),
        ("src/log/a.h", "// Licence.\n\n#pragma once\n"),
        ("src/log/a.cpp", "int x;\n"),
    ],
    "todo": [
        ("src/log/a.cpp", "// TODO: read the mark again when readers share a process\n"),
        ("docs/a.md", "no TODO\n"),
    ],
    "path": [
        ("docs/a.md", "helios serve --data /tmp/try, ../shared/work/x, build/work/main\n"),
        ("src/log/a_test.cpp", 'open("/tmp/x");\n'),
        ("src/log/a.cpp", 'route("/api/work/x"); a = b/work/c;\n'),
    ],
    "host": [("docs/a.md", "fetched with npm; see the debian pages\n")],
    "layout": [
        ("src/log/a.cpp", "    int x;\n"),
        ("docs/a.md", "two blanks end a line  \n"),
        ("src/log/a.cpp", ""),
    ],
    "link": [
        (
            "docs/a.md",
            "[a](there.md#part) [b](https://example.org/x) [c](#x) `[d](e)`\n```\n[x](y)\n```\n",
        )
    ],
}


class FileRules(unittest.TestCase):
    def findings(self, rule, path, text):
        f = tidy.File(path, text)
        extra = {"exists": lambda p: p == "docs/there.md"} if rule is tidy.rule_link else {}
        return [number for number, _ in rule(f, **extra) if not tidy.allowed(f, number, rule)]

    def test_every_rule_has_examples(self):
        names = {tidy.rule_title(rule) for rule in tidy.FILE_RULES}
        self.assertEqual(names, set(BAD))
        self.assertEqual(names, set(GOOD))

    def test_bad_is_found(self):
        for rule in tidy.FILE_RULES:
            for path, text, lines in BAD[tidy.rule_title(rule)]:
                with self.subTest(rule=rule.__name__, path=path, text=text[:60]):
                    self.assertEqual(self.findings(rule, path, text), lines)

    def test_good_is_left_alone(self):
        for rule in tidy.FILE_RULES:
            for path, text in GOOD[tidy.rule_title(rule)]:
                with self.subTest(rule=rule.__name__, path=path, text=text[:60]):
                    self.assertEqual(self.findings(rule, path, text), [])

    def test_allowing_needs_a_reason_and_the_right_rule(self):
        line = "worker.detach();  // tidy: allow {}\n"
        self.assertEqual(
            self.findings(
                tidy.rule_home, "src/log/a.cpp", line.format("home: the process ends here")
            ),
            [],
        )
        self.assertEqual(self.findings(tidy.rule_home, "src/log/a.cpp", line.format("home:")), [1])
        self.assertEqual(
            self.findings(tidy.rule_home, "src/log/a.cpp", line.format("throw: because")), [1]
        )

    def test_every_message_says_what_to_do(self):
        for rule in tidy.FILE_RULES:
            for path, text, _ in BAD[tidy.rule_title(rule)]:
                for _, message in rule(tidy.File(path, text)):
                    self.assertRegex(message, r"[;:] \w")


PAGE = "# Log\n" + "".join(f"## {part}\ntext\n" for part in tidy.README_PARTS)
RECORD = "# A\n" + "".join(f"## {part}\ntext\n" for part in tidy.DECISION_PARTS)
TABLE = "| room | what it is | may include |\n|---|---|---|\n| [base](src/base/README.md) | words | — |\n| log | journal | base |\n"
SOUND = {
    "src/base/README.md": PAGE,
    "src/log/README.md": PAGE,
    "ARCHITECTURE.md": TABLE,
    "docs/decisions/0000-template.md": RECORD,
    "docs/decisions/0001-one-thing.md": RECORD,
}


class TreeRules(unittest.TestCase):
    def findings(self, rule, changes):
        files = {**SOUND, **changes}
        with tempfile.TemporaryDirectory() as folder:
            for path, text in files.items():
                if text is not None:
                    target = pathlib.Path(folder) / path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_text(text, encoding="utf-8")
            return sorted({path for path, _, _ in rule(tidy.Tree(folder))})

    def test_a_sound_tree_has_no_findings(self):
        for rule in tidy.TREE_RULES:
            with self.subTest(rule=rule.__name__):
                self.assertEqual(self.findings(rule, {}), [])

    def test_readme(self):
        self.assertEqual(
            self.findings(tidy.rule_readme, {"src/log/README.md": None, "src/log/a.h": ""}),
            ["src/log/README.md"],
        )
        self.assertEqual(
            self.findings(
                tidy.rule_readme, {"src/log/README.md": PAGE.replace("## Words", "## Terms")}
            ),
            ["src/log/README.md"],
        )

    def test_rooms(self):
        self.assertEqual(
            self.findings(tidy.rule_rooms, {"src/pantry/README.md": PAGE}), ["src/pantry"]
        )
        self.assertEqual(
            self.findings(tidy.rule_rooms, {"ARCHITECTURE.md": None}), ["ARCHITECTURE.md"]
        )
        self.assertEqual(
            self.findings(
                tidy.rule_rooms, {"ARCHITECTURE.md": TABLE.replace("| log |", "| lag |")}
            ),
            ["ARCHITECTURE.md"],
        )
        self.assertEqual(
            self.findings(tidy.rule_rooms, {"ARCHITECTURE.md": TABLE + "| heal | x | base |\n"}),
            ["ARCHITECTURE.md"],
        )
        self.assertEqual(
            self.findings(
                tidy.rule_rooms,
                {"ARCHITECTURE.md": TABLE.replace("journal | base", "journal | base, log, model")},
            ),
            [],
        )
        self.assertEqual(
            self.findings(
                tidy.rule_rooms, {"ARCHITECTURE.md": TABLE.replace("journal | base", "journal | —")}
            ),
            ["ARCHITECTURE.md"],
        )

    def test_private(self):
        log = {
            "src/log/CMakeLists.txt": "helios_module(log\n  PUBLIC log.h options.h\n  DEPS base)\n",
            "src/log/log.h": "",
            "src/log/options.h": "",
            "src/log/journal.h": "",
            "src/log/disk/file.h": "",
        }
        user = "src/base/a.cpp"
        for include, found in (
            ("log/log.h", []),
            ("log/journal.h", [user]),
            ("log/disk/file.h", [user]),
            ("log/test_kit.h", [user]),
            ("base/own.h", []),
        ):
            text = f'#include "{include}"\n'
            self.assertEqual(self.findings(tidy.rule_private, {**log, user: text}), found, include)
        inside = {**log, "src/log/disk/file.cpp": '#include "log/disk/file.h"\n'}
        self.assertEqual(self.findings(tidy.rule_private, inside), [])
        kit = {**log, "src/base/a_test.cpp": '#include "log/test_kit.h"\n'}
        self.assertEqual(self.findings(tidy.rule_private, kit), [])
        gone = {**log, "src/log/options.h": None}
        self.assertEqual(self.findings(tidy.rule_private, gone), ["src/log/CMakeLists.txt"])

    def test_named(self):
        tree = {
            "src/log/log.h": "",
            "src/log/log_test.cpp": "",
            "src/log/disk/file.h": "",
            "docs/flows.md": "",
        }
        for path, bad in (
            ("src/log/a.h", "/// See journal.h.\n"),
            ("src/log/a.cpp", "int x;  // log/journal.h\n"),
            ("src/log/a.cpp", "/* as in\n   contracts.md */\n"),
            ("src/log/a.cpp", "// by src/disk/file\n"),
            ("docs/a.md", "`base/journal.h` and\n"),
            ("docs/a.md", "```\nserver.cpp   loops\n```\n"),
            ("docs/a.md", "in `src/journal`\n"),
            ("src/log/README.md", PAGE + "`../base/log.h`\n"),
            ("src/log/a.cpp", "// journal.h  tidy: allow named:\n"),
        ):
            self.assertEqual(self.findings(tidy.rule_named, {**tree, path: bad}), [path], bad)
        for path, good in (
            ("src/log/a.h", "/// See log.h, log/log.h, src/log/log.h and disk/file.h.\n"),
            ("src/log/a.cpp", '#include "journal.h"\nauto s = "journal.h";\n'),
            ("src/log/a.cpp", "// <zlib.h>, sqlite3.h, command_<name>.cpp, *_fuzz.cpp, FILE.yaml, a.b.h.c\n"),
            ("docs/a.md", "`_test.cpp` in src/log, `src/log/disk`, src/log/log: docs/flows.md.\n"),
            ("docs/a.md", "[x](journal.h) https://example.org/src/journal.h src/app/command_<x>.cpp\n"),
            ("src/log/README.md", PAGE + "`../../docs/flows.md`\n"),
            ("CHANGELOG.md", "journal.h is gone\n"),
            ("docs/decisions/0001-one-thing.md", RECORD + "journal.h\n"),
            ("src/log/a.cpp", "// journal.h  tidy: allow named: of another project\n"),
        ):
            self.assertEqual(self.findings(tidy.rule_named, {**tree, path: good}), [], good)

    def test_decision(self):
        folder = "docs/decisions/"
        self.assertEqual(
            self.findings(tidy.rule_decision, {folder + "0001-other.md": RECORD}),
            [folder + "0001-other.md"],
        )
        self.assertEqual(
            self.findings(tidy.rule_decision, {folder + "2-other.md": RECORD}),
            [folder + "2-other.md"],
        )
        self.assertEqual(
            self.findings(tidy.rule_decision, {folder + "0002-b.md": "# B\n## Context\n"}),
            [folder + "0002-b.md"],
        )


if __name__ == "__main__":
    unittest.main()
