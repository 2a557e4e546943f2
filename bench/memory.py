#!/usr/bin/env python3
"""Whether memory stays below app.memory_max when far more is offered than can be taken: bench/memory.py BINARY [--times N] [--seconds N].

Measures what a server with small bounds acknowledges, then offers so many times as much to a fresh one, over many connections, and
reads the most memory that it ever had (VmHWM). Writes bench/results/memory.json. Exit 1 if it was more than app.memory_max.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "system"))
from helios_process import Server, environment  # noqa: E402

RESULTS = pathlib.Path(__file__).resolve().parent / "results"
MEMORY_MAX = 1 << 30
BOUNDS = {
    "HELIOS_APP_MEMORY_MAX": "1GiB",
    "HELIOS_HTTP_INFLIGHT_BYTES_MAX": "96MiB",
    "HELIOS_HTTP_UNSENT_BYTES_MAX": "64MiB",
    "HELIOS_HTTP_CONNECTIONS_MAX": "2000",
    "HELIOS_HTTP_WEBSOCKETS_MAX": "20",
    "HELIOS_LOG_PENDING_BYTES_MAX": "32MiB",
    "HELIOS_GATEWAY_BODY_BYTES_MAX": "4MiB",
    "HELIOS_GATEWAY_RECORD_BYTES_MAX": "4MiB",
    "HELIOS_HTTP_BODY_BYTES_MAX": "4MiB",
    "HELIOS_GATEWAY_RECENT_IDS_MAX": "100000",
    "HELIOS_GATEWAY_UNINDEXED_IDS_MAX": "200000",
    "HELIOS_GATEWAY_INDEX_CACHE_BYTES": "16MiB",
    "HELIOS_GATEWAY_INDEX_WRITE_BUFFER_BYTES": "8MiB",
    "HELIOS_RECONCILE_OPEN_CASES_MAX": "100000",
    "HELIOS_RECONCILE_CACHE_BYTES": "32MiB",
    "HELIOS_STORE_WRITE_CACHE_BYTES": "16MiB",
    "HELIOS_STORE_READERS_MAX": "4",
}


def offer(binary, rate, seconds):
    with tempfile.TemporaryDirectory(prefix="helios-memory-") as directory:
        with Server(os.path.join(directory, "data"), "--log-level", "warn", env=environment(**BOUNDS)) as server:
            result = os.path.join(directory, "result.json")
            subprocess.run(
                [binary, "bench", "--to", f"http://{server.host}:{server.port}", "--mode", "direct", "--batch", "100",
                 "--connections", "256", "--rate", str(rate), "--seconds", str(seconds), "--json", result],
                env=environment(), stdout=subprocess.DEVNULL, timeout=seconds * 10 + 300,
            )  # fmt: skip
            with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
                most = int(re.search(r"^VmHWM:\s*(\d+) kB", status.read(), re.M).group(1)) * 1024
            with open(result, encoding="utf-8") as file:
                told = json.load(file)
    return {
        "offeredPerSecond": rate,
        "acknowledgedPerSecond": told["eventsPerSecond"],
        "refused": told["refused"],
        "errors": told["errors"],
        "mostMiB": most >> 20,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=20)
    options = parser.parse_args()
    os.environ["HELIOS_TEST_BINARY"] = binary = os.path.abspath(options.binary)
    at_ease = offer(binary, 20_000, options.seconds // 2)
    result = {
        "what": "bench/memory.py",
        "memoryMaxMiB": MEMORY_MAX >> 20,
        "atEase": at_ease,
        "overloaded": offer(binary, options.times * round(at_ease["acknowledgedPerSecond"]), options.seconds),
    }
    print(json.dumps(result, indent=1))
    (RESULTS / "memory.json").write_text(json.dumps(result, indent=1) + "\n")
    sys.exit(result["overloaded"]["mostMiB"] > MEMORY_MAX >> 20)


if __name__ == "__main__":
    main()
