#!/usr/bin/env python3
"""Writes the documents that the program itself can tell, or checks that they are fresh: `docs.py [--check] PROGRAM`.

One row below per document. `./dev docs` writes them; the test `docs` fails when one differs from what the program says.
"""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# document -> arguments of the program that print it
DOCUMENTS = {"docs/config.md": ["config", "reference"]}


def printed(program, arguments):
    done = subprocess.run(
        [program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=60
    )
    if done.returncode != 0:
        sys.exit(
            f"{program} {' '.join(arguments)}: exit {done.returncode}: {done.stderr.decode(errors='replace').strip()}"
        )
    return done.stdout


def main(arguments):
    check = arguments[:1] == ["--check"]
    program = arguments[-1]
    stale = 0
    for name, command in DOCUMENTS.items():
        path, fresh = ROOT / name, printed(program, command)
        if path.is_file() and path.read_bytes() == fresh:
            continue
        if check:
            stale += 1
            print(
                f"{name}:1: out of date with `helios {' '.join(command)}`; run ./dev docs and commit the result"
            )
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(fresh)
            print(f"docs: wrote {name}")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
