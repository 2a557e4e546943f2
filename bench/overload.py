#!/usr/bin/env python3
"""What is acknowledged when more is offered than can be taken: bench/overload.py BINARY [--events N] [--rates R,R,…] [--rounds N].

Sends the same number of events at each offered rate, in batches of 100, each time to a fresh server on a fresh data directory,
and holds the verdicts against the labels. Writes bench/results/overload.json and prints one line for each run.
"""
import argparse
import json

from run import RESULTS, run

CONNECTIONS = 32
BATCH = 100


def measure(binary, rate, events):
    """One run, or None if there is no result."""
    result = run(
        binary,
        f"overload-{rate}",
        [
            "--mode",
            "direct",
            "--batch",
            str(BATCH),
            "--connections",
            str(CONNECTIONS),
            "--rate",
            str(rate),
            "--events",
            str(events),
            "--seconds",
            "600",
        ],
    )
    (RESULTS / f"overload-{rate}.json").unlink(missing_ok=True)
    if not result:
        return None
    return {
        "offeredPerSecond": rate,
        "acknowledgedPerSecond": result["eventsPerSecond"],
        "serverCpuSecondsPerMillionEvents": result["serverCpuSecondsPerMillionEvents"],
        "refused": result["refused"],
        "errors": result["errors"],
        "void": result["void"],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rates", default="30000,50000,150000")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    runs = []
    for _ in range(options.rounds):
        for rate in options.rates.split(","):
            runs.append(measure(options.binary, int(rate), options.events))
            print(json.dumps(runs[-1]), flush=True)
    (RESULTS / "overload.json").write_text(
        json.dumps({"what": "bench/overload.py", "events": options.events, "runs": runs}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
