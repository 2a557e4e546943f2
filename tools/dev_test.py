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
    return subprocess.run(
        [DEV, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30
    )


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
        for word, verb in [
            ("tset", "test"),
            ("biuld", "build"),
            ("demmo", "demo"),
            ("formt", "format"),
            ("lnt", "lint"),
        ]:
            done = dev(word)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"did you mean '{verb}'", done.stderr)

    def test_wrong_arguments_are_refused_before_any_work(self):
        for arguments in (
            ["test", "--preset", "relaese"],
            ["build", "--preset=x"],
            ["fuzz", "--seconds", "x"],
            ["setup", "--all"],
            ["docs", "-x"],
        ):
            done = dev(*arguments)
            self.assertEqual((arguments, done.returncode), (arguments, 2))
            self.assertIn("./dev: ", done.stderr)


PACKAGES = "build  always\nbuild/12  boost-old\nbuild/13  boost-new\nweb  npm\n"
DEBIAN = 'PRETTY_NAME="Debian GNU/Linux {0}"\nID=debian\nVERSION_ID="{0}"\n'


class Copy(unittest.TestCase):
    """A copy of ./dev, with stubs for all that builds and installs."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = directory.name
        shutil.copy(DEV, self.root)
        self.file("tools/packages.txt", "")
        self.script("stub/python3", "exit 0\n")  # the documentation pages' files are there
        self.script("stub/cmake", "exit 0\n")
        self.script("stub/ninja", "exit 0\n")
        self.script("stub/dpkg-query", "echo 'packages were looked at' >&2\n")  # none is installed
        self.script("stub/sudo", "exit 0\n")
        self.script("build/release/helios", 'echo "$@"; env | grep ^HELIOS_; true\n')

    def file(self, path, text):
        file = pathlib.Path(self.root, path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def script(self, path, text):
        self.file(path, "#!/bin/sh\n" + text).chmod(0o755)

    def run_dev(self, *arguments, path=None, **more):
        env = {**os.environ, "PATH": path or f"{self.root}/stub:{os.environ['PATH']}", **more}
        return subprocess.run(
            [self.root + "/dev", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            env=env,
        )


class Environment(Copy):
    def test_what_is_for_dev_does_not_reach_the_program(self):
        for verb, command in (("run", "serve"), ("demo", "demo")):
            done = self.run_dev(verb, "--x", HELIOS_SKIP_PACKAGES="1")
            self.assertEqual(done.returncode, 0, done)
            self.assertIn(f"{command} --x\n", done.stdout)
            self.assertNotIn("HELIOS_SKIP_PACKAGES", done.stdout)
            self.assertNotIn("packages were looked at", done.stderr)


class Packages(Copy):
    def test_without_pypi_the_other_tests_run_and_it_is_said_why(self):
        tried = pathlib.Path(self.root, "tried")
        self.script(
            "stub/python3",
            f'case "$*" in *run_tests.py*) echo tests ran ;; *packages.py) echo x >>{tried}; exit 1 ;; *packages.py*) exit 1 ;; esac\n',
        )
        for times, said in ((1, "could not fetch it"), (1, "is not here")):
            done = self.run_dev("test", HELIOS_SKIP_PACKAGES="1")
            self.assertEqual(done.returncode, 0, done)
            self.assertIn(f"{said}: tests with vendors' own libraries are skipped", done.stdout)
            self.assertIn("tests ran", done.stdout)
            self.assertEqual(len(tried.read_text(encoding="utf-8").split()), times, done)
        done = self.run_dev("setup", "--no-web", HELIOS_SKIP_PACKAGES="1")
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(len(tried.read_text(encoding="utf-8").split()), 2, "setup tries again")


class Releases(Copy):
    def setUp(self):
        super().setUp()
        self.file("tools/packages.txt", PACKAGES)
        self.installed = pathlib.Path(self.root, "installed")
        self.script(
            "stub/env",
            f'for word in "$@"; do case $word in install) seen=1 ;; -*) ;; *) [ -z "$seen" ] || echo "$word" >>{self.installed} ;; esac; done\n',
        )
        self.script("stub/sudo", f'[ "$1" != env ] || exec {self.root}/stub/"$@"\n')

    def setup_on(self, os_release, known="", **more):
        """Which packages setup asks apt for on such a machine, where apt knows `known` beside what all have."""
        self.script(
            "stub/apt-cache",
            f'for word in "$@"; do case " show --no-all-versions always npm {known} " in *" $word "*) ;; *) exit 100 ;; esac; done\n',
        )
        self.installed.unlink(missing_ok=True)
        done = self.run_dev(
            "setup",
            "--no-web",
            HELIOS_TEST_OS_RELEASE=str(self.file("os-release", os_release)),
            **more,
        )
        return (
            done,
            self.installed.read_text(encoding="utf-8").split() if self.installed.exists() else [],
        )

    def test_each_release_has_its_names(self):
        raspberry = 'PRETTY_NAME="Raspbian GNU/Linux 12 (bookworm)"\nID=raspbian\nID_LIKE=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n'
        mint = 'PRETTY_NAME="LMDE 7 (gigi)"\nID=linuxmint\nID_LIKE=debian\nVERSION_ID="7"\nVERSION_CODENAME=gigi\nDEBIAN_CODENAME=trixie\n'
        for os_release, boost in (
            (DEBIAN.format(12), "boost-old"),
            (DEBIAN.format(13), "boost-new"),
            (raspberry, "boost-old"),
            (mint, "boost-new"),
        ):
            done, installed = self.setup_on(os_release)
            self.assertEqual((done.returncode, installed), (0, ["always", boost]), done)
            self.assertNotIn("known are", done.stdout)

    def test_another_release_is_told_and_may_try(self):
        ubuntu = "PRETTY_NAME='Ubuntu 24.04.1 LTS'\nID=ubuntu\nID_LIKE=debian\nVERSION_ID=24.04\nVERSION_CODENAME=noble\n"
        for known, wanted in (
            ("boost-new", ["always", "boost-new"]),
            ("boost-old", ["always", "boost-old"]),
            ("", ["always"]),
        ):
            done, installed = self.setup_on(ubuntu, known)
            self.assertEqual((done.returncode, installed), (0, wanted), done)
            self.assertIn(
                "this is Ubuntu 24.04.1 LTS; known are Debian 12 and 13. Needed: a C++23 compiler",
                done.stdout,
            )
        self.assertIn("going on without: boost-new", done.stdout)

    def test_another_system_is_told(self):
        for os_release, name in (
            ("PRETTY_NAME=\"Fedora Linux 42\"\nID=fedora\n", "Fedora Linux 42"),
            ("", "no /etc/os-release"),
        ):
            tools = os.path.join(self.root, "few")
            os.makedirs(tools, exist_ok=True)
            for tool in ("bash", "awk", "dirname", "uname", "nproc"):
                if not os.path.exists(f"{tools}/{tool}"):
                    os.symlink(shutil.which(tool), f"{tools}/{tool}")
            done, _ = self.setup_on(os_release, path=tools)
            self.assertEqual(done.returncode, 2, done)
            self.assertIn(
                f"{name}; setup knows Debian 12 and 13. Needed: a C++23 compiler", done.stderr
            )
            self.assertIn("HELIOS_SKIP_PACKAGES=1", done.stderr)
        done, installed = self.setup_on("ID=fedora\n", HELIOS_SKIP_PACKAGES="1")
        self.assertEqual((done.returncode, installed), (0, []), done)


def case(status, output="", name="t", extra=""):
    return f'<testcase name="{name}" status="{status}">{extra}<system-out>{output}</system-out></testcase>'


class Counting(unittest.TestCase):
    def summary(self, *cases):
        return run_tests.Summary(
            ElementTree.fromstring("<testsuite>" + "".join(cases) + "</testsuite>")
        )

    def test_counts(self):
        failure = '<failure message="Timeout"/>'
        skipped = '<skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/>'
        missing = '<skipped message="Unable to find executable: x"/>'
        s = self.summary(
            case("run"),
            case("fail", extra=failure),
            case("notrun", "x", extra=skipped),
            case("disabled"),
            case("notrun", extra=missing),
        )
        self.assertEqual((len(s.passed), len(s.failed), len(s.skipped)), (1, 2, 2))
        self.assertIn(("t", "Timeout"), s.failed)

    def test_reason_of_a_skipped_test(self):
        skipped = '<skipped message="SKIP"/>'
        gtest = "[ RUN      ] A.b\na_test.cpp:4: Skipped\nno fixtures:\nset X\n[  SKIPPED ] A.b (0 ms)\n"
        self.assertEqual(
            self.summary(case("notrun", gtest, extra=skipped)).skipped,
            [("t", "no fixtures: set X")],
        )
        bare = "[ RUN      ] A.b\na_test.cpp:4: Skipped\n\n[  SKIPPED ] A.b (0 ms)\n"
        self.assertEqual(
            self.summary(case("notrun", bare, extra=skipped)).skipped, [("t", "no reason given")]
        )
        self.assertEqual(
            self.summary(case("notrun", "x\nskipped: no browser\n", extra=skipped)).skipped,
            [("t", "no browser")],
        )

    def test_settings_of_the_caller_do_not_reach_the_tests(self):
        for name in ("HELIOS_HTTP_LISTEN", "API_PORT", "DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS"):
            self.assertTrue(run_tests.SETTINGS.match(name), name)
        for name in ("PATH", "HOME", "TMPDIR", "MY_API_HOST"):
            self.assertFalse(run_tests.SETTINGS.match(name), name)


if __name__ == "__main__":
    unittest.main()
