#!/usr/bin/env python3
"""Tests of ./dev and of the test summary that need no build: help, unknown verbs, how ctest's report is counted."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

TOOLS = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(TOOLS))
import run_tests  # noqa: E402

DEV = str(TOOLS.parent / "dev")
VERBS = "demo test setup build run bench lint format fuzz docs".split()


def dev(*arguments):
    return subprocess.run([DEV, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)


class Dev(unittest.TestCase):
    def test_every_verb_explains_itself(self):
        overview = dev("--help")
        self.assertEqual(overview.returncode, 0)
        for verb in VERBS:
            self.assertIn(f"\n  {verb} ", overview.stdout)
            done = dev(verb, "--help")
            self.assertEqual((verb, done.returncode), (verb, 0))
            self.assertTrue(done.stdout.startswith(f"Usage: ./dev {verb}"), done.stdout)

    def test_unknown_verb_names_the_nearest(self):
        for word, verb in [("tset", "test"), ("biuld", "build"), ("demmo", "demo"), ("formt", "format"), ("lnt", "lint")]:
            done = dev(word)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"did you mean '{verb}'", done.stderr)

    def test_wrong_arguments_are_refused_before_any_work(self):
        for arguments in (["test", "--preset", "relaese"], ["build", "--preset=x"], ["fuzz", "--seconds", "x"], ["setup", "--all"], ["docs", "-x"]):
            done = dev(*arguments)
            self.assertEqual((arguments, done.returncode), (arguments, 2))
            self.assertIn("./dev: ", done.stderr)


class Environment(unittest.TestCase):
    def test_what_is_for_dev_does_not_reach_the_program(self):
        """The program takes no HELIOS_ variable that it doesn't know. A copy of ./dev, with stubs for all that builds."""
        with tempfile.TemporaryDirectory() as root:
            def script(path, text):
                file = pathlib.Path(root, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text("#!/bin/sh\n" + text, encoding="utf-8")
                file.chmod(0o755)

            shutil.copy(DEV, root)
            script("tools/packages.txt", "")
            script("stub/python3", "exit 0\n")  # the documentation pages' files are there
            script("stub/dpkg-query", "echo 'packages were looked at' >&2\n")
            script("stub/cmake", "exit 0\n")
            script("stub/ninja", "exit 0\n")
            script("build/release/helios", 'echo "$@"; env | grep ^HELIOS_; true\n')
            for verb, command in (("run", "serve"), ("demo", "demo")):
                done = subprocess.run([root + "/dev", verb, "--x"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30,
                                      env={**os.environ, "HELIOS_SKIP_PACKAGES": "1", "PATH": f"{root}/stub:{os.environ['PATH']}"})
                self.assertEqual(done.returncode, 0, done)
                self.assertIn(f"{command} --x\n", done.stdout)
                self.assertNotIn("HELIOS_SKIP_PACKAGES", done.stdout)
                self.assertNotIn("packages were looked at", done.stderr)


def case(status, output="", name="t", extra=""):
    return f'<testcase name="{name}" status="{status}">{extra}<system-out>{output}</system-out></testcase>'


class Counting(unittest.TestCase):
    def summary(self, *cases):
        return run_tests.Summary(ElementTree.fromstring("<testsuite>" + "".join(cases) + "</testsuite>"))

    def test_counts(self):
        failure = '<failure message="Timeout"/>'
        skipped = '<skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/>'
        missing = '<skipped message="Unable to find executable: x"/>'
        s = self.summary(case("run"), case("fail", extra=failure), case("notrun", "x", extra=skipped), case("disabled"), case("notrun", extra=missing))
        self.assertEqual((len(s.passed), len(s.failed), len(s.skipped)), (1, 2, 2))
        self.assertIn(("t", "Timeout"), s.failed)

    def test_reason_of_a_skipped_test(self):
        skipped = '<skipped message="SKIP"/>'
        gtest = "[ RUN      ] A.b\na_test.cpp:4: Skipped\nno fixtures:\nset X\n[  SKIPPED ] A.b (0 ms)\n"
        self.assertEqual(self.summary(case("notrun", gtest, extra=skipped)).skipped, [("t", "no fixtures: set X")])
        bare = "[ RUN      ] A.b\na_test.cpp:4: Skipped\n\n[  SKIPPED ] A.b (0 ms)\n"
        self.assertEqual(self.summary(case("notrun", bare, extra=skipped)).skipped, [("t", "no reason given")])
        self.assertEqual(self.summary(case("notrun", "x\nskipped: no browser\n", extra=skipped)).skipped, [("t", "no browser")])

    def test_settings_of_the_caller_do_not_reach_the_tests(self):
        for name in ("HELIOS_HTTP_LISTEN", "API_PORT", "DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS"):
            self.assertTrue(run_tests.SETTINGS.match(name), name)
        for name in ("PATH", "HOME", "TMPDIR", "MY_API_HOST"):
            self.assertFalse(run_tests.SETTINGS.match(name), name)


if __name__ == "__main__":
    unittest.main()
