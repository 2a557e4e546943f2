#!/usr/bin/env python3
"""Every golden log is judged to the very bytes to which its own level once judged it: golden_test.py BINARY."""
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def first_difference(got, expected):
    for number, (a, b) in enumerate(zip(got.splitlines(), expected.splitlines()), 1):
        if a != b:
            return f"line {number}:\n  got      {a.decode()}\n  expected {b.decode()}"
    return f"{len(got.splitlines())} lines instead of {len(expected.splitlines())}"


def main():
    folders = sorted(HERE.glob("level-*"))
    if not folders:
        print("FAILED: no golden log is here")
        return 1
    failed = 0
    for folder in folders:
        done = subprocess.run(
            [sys.argv[1], "reconcile", "--revisions", "--format", "ndjson", folder / "log.ndjson"],
            capture_output=True,
            check=False,
        )
        expected = (folder / "revisions.ndjson").read_bytes()
        if done.returncode not in (0, 1):
            print(f"FAILED: {folder.name}: exit {done.returncode}: {done.stderr.decode()}")
            failed = 1
        elif done.stdout != expected:
            print(f"FAILED: {folder.name}: {first_difference(done.stdout, expected)}")
            failed = 1
        else:
            print(f"{folder.name}: {len(expected.splitlines())} revisions, the same bytes")
    return failed


if __name__ == "__main__":
    sys.exit(main())
