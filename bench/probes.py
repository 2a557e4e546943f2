#!/usr/bin/env python3
"""Probes and senders while others ask for lists: bench/probes.py BINARY [--out NAME] [--seconds N] [--pairs N].

Fills a fresh server, then sends 5,000 events a second to it: alone, and while 40 clients list events without a pause; that pair as
often as told. Those who list run in a process that gives way to others, since elsewhere they have machines of their own: what they
cost the server counts, not what they take from the cores it shares with them. Meanwhile it asks each probe on a new connection and
on a kept one. Writes bench/results/NAME.json, and prints of each
pair how much longer events took at the 99th percentile (at most twice as long is promised), and the slowest probe.
"""
import argparse
import collections
import http.client
import json
import multiprocessing
import os
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


def list_without_pause(address, clients, over, results):
    """The process of those who list; what they met goes to `results` in the end."""
    os.nice(10)
    latencies = collections.defaultdict(list)

    def ask(number):
        connection = http.client.HTTPConnection(*address, timeout=60)
        while not over.is_set():
            began = time.monotonic()
            status = fetch(connection, LISTS[number % len(LISTS)])
            latencies[status].append(time.monotonic() - began)
            if status == 503:
                time.sleep(1)  # Retry-After

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put(dict(latencies))


class Asking:
    """Clients that list, and one that probes, until told to stop."""

    def __init__(self, host, port, clients):
        self.address = (host, port)
        self.over = multiprocessing.Event()
        self.latencies = collections.defaultdict(list)
        self.statuses = collections.Counter()
        self.results = multiprocessing.Queue()
        self.listing = multiprocessing.Process(
            target=list_without_pause, args=(self.address, clients, self.over, self.results)
        )
        self.listing.start()
        self.probing = threading.Thread(target=self.probe)
        self.probing.start()

    def probe(self):
        connect = lambda: http.client.HTTPConnection(*self.address, timeout=60)
        kept = connect()
        while not self.over.is_set():
            for path in PROBES:
                for name, connection in (("new", connect()), ("kept", kept)):
                    began = time.monotonic()
                    status = fetch(connection, path)
                    self.latencies[f"{path} {name}"].append(time.monotonic() - began)
                    self.statuses[f"{path} {status}"] += 1
                    if connection is not kept:
                        connection.close()
            time.sleep(0.02)

    def stop(self):
        self.over.set()
        for status, seconds in self.results.get().items():
            self.latencies[f"lists {status}"] = seconds
            self.statuses[status] += len(seconds)
        self.listing.join()
        self.probing.join()
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


def pair(send_at_rate, address, number):
    """Events alone, then while others list; and how much longer they took then."""
    out = {}
    for seed, (name, clients) in enumerate({"alone": 0, "listed": CLIENTS}.items()):
        asking = Asking(*address, clients)
        out[name] = {"ingest": send_at_rate(2 + 2 * number + seed)}
        out[name].update(asking.stop())
    alone, listed = (out[name]["ingest"]["latencyMs"]["p99"] for name in ("alone", "listed"))
    out["p99Ratio"] = round(listed / alone, 2)
    probes = {
        name: latency
        for name, latency in out["listed"]["latency"].items()
        if not name.startswith("lists ")
    }
    slowest = max(probes, key=lambda name: probes[name]["p99Ms"])
    print(
        f"pair {number + 1}: events p99 {alone:.1f} ms alone, {listed:.1f} ms while {CLIENTS} list: {out['p99Ratio']} times; "
        f"slowest probe {slowest}: p99 {probes[slowest]['p99Ms']} ms, max {probes[slowest]['maxMs']} ms",
        flush=True,
    )
    return out


def measure(binary, data, seconds, pairs):
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
        at_rate = lambda seed: send(binary, url, 5000, seconds, file, "--mode", "single", "--seed", str(seed))
        out["pairs"] = [pair(at_rate, (host, int(port)), number) for number in range(pairs)]
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
    parser.add_argument("--pairs", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="helios-bench-") as data:
        result = measure(arguments.binary, data, arguments.seconds, arguments.pairs)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{arguments.out}.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
