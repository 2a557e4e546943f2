#!/usr/bin/env python3
"""Runs ctest in a build directory, then says what happened: `run_tests.py BUILD_DIR [arguments of ctest]`.

The last line is `N passed, N failed`, with `, N skipped` where tests were skipped; above it stand the failed tests and each
skipped one with its reason. A process that a test leaves behind is ended and counts as a failure. Exit status 0 only if
something ran and nothing failed. Settings of the product in the caller's environment do not reach the tests.
"""
import ctypes
import os
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

SETTINGS = re.compile(
    r"HELIOS_|API_HOST$|API_PORT$|DATABASE_URL$|REDIS_URL$|KAFKA_BOOTSTRAP_SERVERS$|LOG_LEVEL$|GTEST_|NO_COLOR$"
)
PR_SET_CHILD_SUBREAPER = 36


def environment():
    env = {k: v for k, v in os.environ.items() if not SETTINGS.match(k)}
    # Passed on: where tests may read more, and how hard they try (seeds, repetitions).
    env.update(
        {
            k: v
            for k, v in os.environ.items()
            if k.startswith(("HELIOS_TEST_", "HELIOS_SIM_", "HELIOS_FIXTURES"))
        }
    )
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    env.setdefault("TSAN_OPTIONS", "second_deadlock_stack=1")
    return env


def skip_reason(case):
    """What a test said when it skipped itself, in one line."""
    output = case.findtext("system-out") or ""
    # GoogleTest: "<file>:<line>: Skipped", the reason, "[  SKIPPED ] name".
    match = re.search(r": Skipped\n(.*?)\[  SKIPPED \]", output, re.S)
    if match:
        return " ".join(match.group(1).split()) or "no reason given"
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    match = re.search(r"(?im)^.*\bskip(?:ped|ping)?\b:?\s*(.+)$", output)
    if match:
        return match.group(1).strip()
    skipped = case.find("skipped")
    return (
        lines[-1]
        if lines
        else (skipped.get("message") if skipped is not None else "") or "no reason given"
    )


class Summary:
    def __init__(self, root):
        self.passed, self.failed, self.skipped, self.outputs = [], [], [], []
        for case in root.iter("testcase"):
            name, status = case.get("name"), case.get("status")
            if status == "run" and case.find("failure") is None:
                self.passed.append(name)
            elif status == "disabled":
                self.skipped.append((name, "disabled"))
            elif status == "notrun" and (case.find("skipped") is None or self.is_missing(case)):
                self.failed.append((name, "did not run"))
            elif status == "notrun":
                self.skipped.append((name, skip_reason(case)))
            else:
                failure = case.find("failure")
                self.failed.append(
                    (name, (failure.get("message") if failure is not None else "") or "failed")
                )
                self.outputs.append((name, case.findtext("system-out") or ""))

    @staticmethod
    def is_missing(case):
        """ctest files a test whose program is missing, or whose fixture failed, under skipped too."""
        message = (case.find("skipped").get("message") or "").lower()
        return "unable to find executable" in message or "fixture dependency" in message

    def print_outputs(self, most_lines=200):
        for name, output in self.outputs:
            lines = output.splitlines()
            print(
                f"---- {name}"
                + (
                    f" (its last {most_lines} of {len(lines)} lines)"
                    if len(lines) > most_lines
                    else ""
                )
            )
            print("\n".join(lines[-most_lines:]))
            print("----")

    def print(self):
        groups = {}
        for name, reason in self.skipped:
            groups.setdefault(reason, []).append(name)
        for reason, names in groups.items():
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            print(f"skipped: {', '.join(names[:3])}{more}: {reason}")
        for name, reason in self.failed:
            print(f"failed: {name}: {reason}")
        line = f"{len(self.passed)} passed, {len(self.failed)} failed"
        print(line + (f", {len(self.skipped)} skipped" if self.skipped else ""), flush=True)


def children():
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            if int(fields[1]) == os.getpid() and fields[0] != "Z":
                with open(f"/proc/{entry}/cmdline", encoding="utf-8", errors="replace") as file:
                    found.append((int(entry), file.read().replace("\0", " ").strip()))
        except (OSError, IndexError):
            pass  # gone meanwhile
    return found


def end_children(grace_s):
    """Ends what was left behind, whatever it started included. Returns the command lines."""
    deadline = time.monotonic() + grace_s
    while children() and time.monotonic() < deadline:
        time.sleep(0.05)  # what is about to end by itself is not left behind
    left = []
    for _ in range(100):
        now = children()
        if not now:
            break
        for pid, command in now:
            left.append(f"pid {pid}: {command}")
            try:
                os.kill(pid, signal.SIGKILL)  # ours by inheritance: a descendant of ctest
                os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
    return left


def main(arguments):
    build, extra = arguments[0], arguments[1:]
    report = os.path.abspath(os.path.join(build, "tests.xml"))
    if os.path.exists(report):
        os.remove(report)
    # What a test starts and forgets becomes our child, so that it can be found.
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    command = ["ctest", "--test-dir", build, "--output-junit", report, "--no-tests=error"]
    if not any(re.match(r"-j|--parallel", a) for a in extra):
        command += ["-j", str(len(os.sched_getaffinity(0)))]
    verbose = any(a in ("-V", "-VV", "--verbose", "--output-on-failure") for a in extra)
    if not verbose and "-N" not in extra:
        command += ["--progress"] if sys.stdout.isatty() else ["--quiet"]
    started = time.monotonic()
    print(f"test: {build}", flush=True)
    process = subprocess.Popen(command + extra, env=environment(), stdin=subprocess.DEVNULL)
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # a terminated run cleans up as an interrupted one does
    try:
        status = process.wait()
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        process.terminate()
        end_children(3)
        print("interrupted; nothing is left running")
        return 130

    left = end_children(2)
    for line in left:
        print(f"left running, ended now: {line}")
    if not os.path.exists(report):
        print("ctest wrote no report (were its arguments right?)")
        print("0 passed, 1 failed")
        return 1
    summary = Summary(ElementTree.parse(report).getroot())
    summary.failed += [("a process was left running", line) for line in left]
    if status != 0 and not summary.failed:
        summary.failed.append(
            ("ctest", f"exit status {status}: no test was found, or one could not be started")
        )
    print(f"test: {time.monotonic() - started:.0f} s, report in {os.path.relpath(report)}")
    if not verbose:
        summary.print_outputs()
    summary.print()
    return 1 if summary.failed or not summary.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
