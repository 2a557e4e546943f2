#!/usr/bin/env python3
"""Probes and senders while others ask for lists: bench/probes.py BINARY [--out NAME] [--seconds N].

Fills a fresh server, sends 5,000 events a second to it, first alone, then while 40 clients list events without a pause. Meanwhile it
asks each probe on a new connection and on a kept one. Writes bench/results/NAME.json and prints the same.
"""
import argparse
import collections
import http.client
import json
import pathlib
import subprocess
import tempfile
import threading
import time

from run import RESULTS, wait_until_ready

PROBES = ("/health", "/ready", "/api/v1/health", "/metrics")
LISTS = ("/api/v1/events?limit=1000", "/api/v1/reconciliation/stats")
CLIENTS = 40


def summary(seconds):
    """Of latencies."""
    ordered = sorted(seconds)
    at = lambda share: round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)
    return {"n": len(ordered), "p50Ms": at(0.5), "p99Ms": at(0.99), "maxMs": at(1)} if ordered else {"n": 0}


def fetch(connection, path):
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    return answer.status


class Asking:
    """Clients that list, and one that probes, until told to stop."""

    def __init__(self, host, port, clients):
        self.address = (host, port)
        self.over = threading.Event()
        self.latencies = collections.defaultdict(list)
        self.statuses = collections.Counter()
        self.threads = [threading.Thread(target=self.list, args=(i,)) for i in range(clients)]
        self.threads.append(threading.Thread(target=self.probe))
        for thread in self.threads:
            thread.start()

    def connect(self):
        return http.client.HTTPConnection(*self.address, timeout=60)

    def list(self, number):
        connection = self.connect()
        while not self.over.is_set():
            began = time.monotonic()
            status = fetch(connection, LISTS[number % len(LISTS)])
            self.statuses[status] += 1
            self.latencies[f"lists {status}"].append(time.monotonic() - began)
            if status == 503:
                time.sleep(1)  # Retry-After

    def probe(self):
        kept = self.connect()
        while not self.over.is_set():
            for path in PROBES:
                for name, connection in (("new", self.connect()), ("kept", kept)):
                    began = time.monotonic()
                    status = fetch(connection, path)
                    self.latencies[f"{path} {name}"].append(time.monotonic() - began)
                    self.statuses[f"{path} {status}"] += 1
                    if connection is not kept:
                        connection.close()
            time.sleep(0.02)

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()
        return {
            "latency": {name: summary(of) for name, of in sorted(self.latencies.items())},
            "statuses": {str(status): n for status, n in self.statuses.items()},
        }


def send(binary, url, rate, seconds, file, *more):
    subprocess.run(
        [binary, "bench", "--to", url, "--rate", str(rate), "--seconds", str(seconds), "--verify", "100"]
        + ["--json", file, *more],
        check=False,
        stdout=subprocess.DEVNULL,
    )
    result = json.loads(pathlib.Path(file).read_text())
    return {key: result[key] for key in ("eventsPerSecond", "latencyMs", "errors", "void")}


def measure(binary, data, seconds):
    with open(f"{data}/stderr", "wb") as log:
        server = subprocess.Popen(
            [binary, "serve", "--listen", "127.0.0.1:0", "--data", f"{data}/data", "--log-level", "warn"],
            stdout=subprocess.PIPE,
            stderr=log,
        )
    try:
        url = server.stdout.readline().decode().removeprefix("listening on ").strip()
        wait_until_ready(url)
        host, port = url.removeprefix("http://").split(":")
        file = f"{data}/bench.json"
        out = {"fill": send(binary, url, 20000, 10, file, "--mode", "direct", "--batch", "100", "--seed", "1")}
        for seed, (name, clients) in enumerate({"alone": 0, "listed": CLIENTS}.items(), 2):
            asking = Asking(host, int(port), clients)
            out[name] = {"ingest": send(binary, url, 5000, seconds, file, "--mode", "single", "--seed", str(seed))}
            out[name].update(asking.stop())
        return out
    finally:
        server.terminate()
        server.wait(60)
        server.stdout.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("binary")
    parser.add_argument("--out", default="probes")
    parser.add_argument("--seconds", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="helios-bench-") as data:
        result = measure(arguments.binary, data, arguments.seconds)
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(result, indent=1)
    (RESULTS / f"{arguments.out}.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
