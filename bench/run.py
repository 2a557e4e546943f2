#!/usr/bin/env python3
"""Runs the scenarios one after the other, each against a fresh server on a fresh data directory: bench/run.py BINARY [NAME…].

Writes bench/results/NAME.json per scenario and prints one line each. Exit 1 if any figure is void or had errors.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

RESULTS = pathlib.Path(__file__).resolve().parent / "results"
SCENARIOS = {
    "single-5k": ["--mode", "single", "--rate", "5000", "--seconds", "20", "--connections", "32"],
    "single-10k": ["--mode", "single", "--rate", "10000", "--seconds", "20", "--connections", "32"],
    "single-20k": [
        "--mode",
        "single",
        "--rate",
        "20000",
        "--seconds",
        "20",
        "--connections",
        "128",
    ],
    "batch100-50k": [
        "--mode",
        "direct",
        "--batch",
        "100",
        "--rate",
        "50000",
        "--seconds",
        "10",
        "--connections",
        "32",
    ],
    "grid100-50k": [
        "--mode",
        "grid",
        "--batch",
        "100",
        "--rate",
        "50000",
        "--seconds",
        "10",
        "--connections",
        "32",
    ],
}


def wait_until_ready(url):
    """The server answers at once but takes traffic only when its stages have caught up."""
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"{url}/ready", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{url}/ready never answered 200")


def run(binary, name, arguments):
    """One scenario; its result, or None when there is none."""
    with tempfile.TemporaryDirectory(prefix="helios-bench-") as data, open(
        f"{data}/stderr", "wb"
    ) as log:
        server = subprocess.Popen(
            [
                binary,
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--data",
                f"{data}/data",
                "--log-level",
                "warn",
            ],
            stdout=subprocess.PIPE,
            stderr=log,
        )
        try:
            url = server.stdout.readline().decode().removeprefix("listening on ").strip()
            if not url:
                print(f"{name}: the server did not start")
                return None
            wait_until_ready(url)
            file = RESULTS / f"{name}.json"
            subprocess.run(
                [
                    binary,
                    "bench",
                    "--to",
                    url,
                    "--server-pid",
                    str(server.pid),
                    "--json",
                    str(file),
                    *arguments,
                ],
                check=False,
            )
            return json.loads(file.read_text()) if file.exists() else None
        finally:
            server.terminate()
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                server.kill()
            server.stdout.close()


def main():
    binary = sys.argv[1]
    names = sys.argv[2:] or list(SCENARIOS)
    RESULTS.mkdir(exist_ok=True)
    good = True
    for name in names:
        (RESULTS / f"{name}.json").unlink(missing_ok=True)
        print(f"== {name}: helios bench {' '.join(SCENARIOS[name])}", flush=True)
        result = run(binary, name, SCENARIOS[name])
        good = good and bool(result) and not result["void"] and result["errors"] == 0
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
