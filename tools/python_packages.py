#!/usr/bin/env python3
"""Brings the packages of tools/python/requirements.txt from PyPI into .deps/python, for tests: vendors' own libraries, and
schemathesis.

An environment of its own: nothing of the machine's Python changes. pip takes only wheels whose hash the list has, so nothing
of them runs while they are installed. `stamp` says which list is installed, by which Python.

Usage: python_packages.py [--check]
  --check     exit 0 if everything is already here, 1 if it has to be brought
Exit status: 0 done or nothing to do, 1 pip is missing or could not bring a package.
"""
import hashlib
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIST = ROOT / "tools" / "python" / "requirements.txt"
INTO = ROOT / ".deps" / "python"


def stamp():
    return f"{hashlib.sha256(LIST.read_bytes()).hexdigest()} {sys.version_info[:2]} {INTO}\n"


def complete():
    have = INTO / "stamp"
    return have.is_file() and have.read_text() == stamp() and (INTO / "bin" / "python").exists()


def run(command, seconds):
    """Whether it went well; if not, its last lines are printed."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        print(f"  {command[-1]}: no end within {seconds} s")
        return False
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        print("\n".join("  " + line for line in lines[-3:]))
    return done.returncode == 0


def bring():
    shutil.rmtree(INTO, ignore_errors=True)
    INTO.parent.mkdir(exist_ok=True)
    pip = [str(INTO / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    options = ["--retries", "2", "--timeout", "30", "--no-deps", "--only-binary", ":all:"]
    good = run([sys.executable, "-m", "venv", str(INTO)], 60) and run(
        [*pip, "install", *options, "--require-hashes", "--requirement", str(LIST)], 600
    )
    if not good:
        shutil.rmtree(INTO, ignore_errors=True)
        return 1
    (INTO / "stamp").write_text(stamp())
    return 0


def main(arguments):
    if complete():
        return 0
    return 1 if "--check" in arguments else bring()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
