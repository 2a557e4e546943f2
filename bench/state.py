#!/usr/bin/env python3
"""What state costs a server: bench/state.py BINARY [--open N] [--closed N] [--starts N] [--rounds N].

Fills a fresh server with closed and with open cases, and says how much memory and disk each takes; kills it and says how long the next
one takes until it is ready, and until it has judged a new event: by its checkpoints and, once, with the log alone. Then sends 5,000 events a second to fresh servers, in turn
with a checkpoint every second and with none, and compares the latencies. Writes bench/results/state.json.
"""
import argparse
import concurrent.futures
import http.client
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.request

from run import RESULTS

BATCH = 1000
SENDERS = 4
READY_WITHIN = 600  # seconds

FLOW = """flow: {name}
version: 1
key: {{paths: [orderId]}}
amend_for: 31d
legs:
  order:
    source: bench
    type: {name}
    deadline: 30d
    identity: key
"""
SECOND_LEG = """  payment:
    source: bench
    type: NeverSent
    deadline: 30d
    identity: key
"""


class Server:
    def __init__(self, binary, data, *more, **environment):
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [binary, "serve", "--listen", "127.0.0.1:0", "--data", str(data), "--log-level", "warn", *more],
            stdout=subprocess.PIPE,
            env=os.environ | environment,
        )
        self.url = self.process.stdout.readline().decode().removeprefix("listening on ").strip()
        self.wait()
        self.ready_after = time.monotonic() - self.began

    def wait(self):
        """Until it has caught up with its log."""
        until = time.monotonic() + READY_WITHIN
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"{self.url}/ready", timeout=5):
                    return
            except OSError:
                time.sleep(0.01)
        raise RuntimeError(f"{self.url}/ready did not answer 200 within {READY_WITHIN} s")

    def resident(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmRSS"))

    def send(self, kind, first, cases, settle=True):
        """One event of type `kind` for each of so many keys."""
        host = self.url.removeprefix("http://")

        def send_part(number):
            connection = http.client.HTTPConnection(host, timeout=120)
            for begin in range(first + number * BATCH, first + cases, SENDERS * BATCH):
                items = [
                    f'{{"source":"bench","eventType":"{kind}","id":"{kind}-{i}","payload":{{"orderId":"ORD-{i:012}"}}}}'
                    for i in range(begin, min(begin + BATCH, first + cases))
                ]
                while True:
                    connection.request(
                        "POST",
                        "/api/v1/events/batch",
                        "[" + ",".join(items) + "]",
                        {"Content-Type": "application/json"},
                    )
                    answer = connection.getresponse()
                    answer.read()
                    if answer.status in (200, 202):
                        break
                    if answer.status not in (429, 503):
                        raise RuntimeError(f"answered {answer.status}")
                    time.sleep(0.2)

        with concurrent.futures.ThreadPoolExecutor(SENDERS) as pool:
            list(pool.map(send_part, range(SENDERS)))
        if settle:
            self.settle()

    def judges(self):
        """Seconds from its start until a new event has a verdict."""
        kind, first = "closes", time.time_ns()
        self.send(kind, first, 1, settle=False)
        until = time.monotonic() + READY_WITHIN
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"{self.url}/api/v1/cases/{kind}/ORD-{first:012}", timeout=60):
                    return round(time.monotonic() - self.began, 3)
            except OSError:
                time.sleep(0.01)
        raise RuntimeError(f"a new event has no verdict after {READY_WITHIN} s")

    def settle(self):
        """Until everything sent is in the store, and what of it changes is on disk."""
        while True:
            with urllib.request.urlopen(f"{self.url}/metrics", timeout=30) as answer:
                lines = answer.read().decode().splitlines()
            if not sum(float(line.split()[-1]) for line in lines if line.startswith("helios_consumer_lag{")):
                break
            time.sleep(0.5)
        time.sleep(25)  # two checkpoints of each partition that has changed

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        self.process.terminate()
        self.process.wait(120)
        self.process.stdout.close()


def disk_use(directory):
    return int(subprocess.run(["du", "-sk", directory], capture_output=True, check=True).stdout.split()[0]) << 10


def measure_state(binary, scratch, options):
    flows = scratch / "flows"
    flows.mkdir()
    (flows / "closes.yaml").write_text(FLOW.format(name="closes"))
    (flows / "opens.yaml").write_text(FLOW.format(name="opens") + SECOND_LEG)
    arguments = ["--flow", str(flows / "closes.yaml"), "--flow", str(flows / "opens.yaml")]
    data = scratch / "state"
    bounds = {"HELIOS_RECONCILE_OPEN_CASES_MAX": str(options.open + 1)}
    server = Server(binary, data, *arguments, **bounds)
    out = {"openCases": options.open, "closedCases": options.closed}
    memory, disk = server.resident(), disk_use(data / "state")
    for kind, cases in (("closes", options.closed), ("opens", options.open)):
        server.send(kind, 0, cases)
        more_memory, more_disk = server.resident(), disk_use(data / "state")
        name = "Closed" if kind == "closes" else "Open"
        out[f"residentBytesPer{name}Case"] = round((more_memory - memory) / cases)
        out[f"stateBytesOnDiskPer{name}Case"] = round((more_disk - disk) / cases)
        memory, disk = more_memory, more_disk
    out["residentBytes"] = memory
    out["readyAfterKillSeconds"], out["judgesAfterKillSeconds"] = [], []
    for _ in range(options.starts):
        server.kill()
        server = Server(binary, data, *arguments, **bounds)
        out["readyAfterKillSeconds"].append(round(server.ready_after, 3))
        out["judgesAfterKillSeconds"].append(server.judges())
    out["residentBytesAfterStart"] = server.resident()
    server.kill()
    shutil.rmtree(data / "state")
    server = Server(binary, data, *arguments, **bounds)
    out["judgesWithTheLogAloneSeconds"] = server.judges()
    server.stop()
    return out


def measure_checkpoints(binary, scratch, options):
    """p99.9 of single events, in turn."""
    out = {"everySecond": [], "none": []}
    for number in range(options.rounds):
        for name, interval in (("everySecond", "1s"), ("none", "1d")):
            data = scratch / f"checkpoints-{number}-{name}"
            server = Server(binary, data, HELIOS_RECONCILE_CHECKPOINT_INTERVAL=interval)
            file = scratch / "bench.json"
            subprocess.run(
                [binary, "bench", "--to", server.url, "--mode", "single", "--rate", "5000", "--seconds", "30"]
                + ["--verify", "100", "--seed", str(number + 1), "--json", str(file)],
                check=True,
                stdout=subprocess.DEVNULL,
            )
            server.stop()
            shutil.rmtree(data)
            result = json.loads(file.read_text())
            out[name].append({key: result["latencyMs"][key] for key in ("p50", "p99", "p99.9", "max")})
    medians = {name: statistics.median(run["p99.9"] for run in runs) for name, runs in out.items()}
    out["p99.9MedianDifferenceMs"] = round(medians["everySecond"] - medians["none"], 3)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("binary")
    parser.add_argument("--open", type=int, default=1_000_000)
    parser.add_argument("--closed", type=int, default=2_000_000)
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="helios-bench-") as scratch:
        result = {
            "state": measure_state(options.binary, pathlib.Path(scratch), options),
            "checkpoints": measure_checkpoints(options.binary, pathlib.Path(scratch), options),
        }
    print(json.dumps(result, indent=1))
    (RESULTS / "state.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
