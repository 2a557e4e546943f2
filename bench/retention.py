#!/usr/bin/env python3
"""Whether the disk is flat under a steady load when everything is kept for minutes: bench/retention.py BINARY [--minutes N] [--rate N].

Everything that leaves by time is kept for --keep minutes, in slices of one minute, and cases take later facts no longer, while events
come at one rate: orders that match, some that don't, some without a payment, and items for the quarantine. Every ten seconds it looks
at what each folder of the data directory takes on the disk. Writes bench/results/NAME.json. Exit 1 if in the last third of the run any folder took more than 1.15 times what it took at most
in the second third, or what was offered was not acknowledged.
"""
import argparse
import http.client
import json
import os
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "system"))
from helios_process import Server, TemporaryDirectory, environment, line, matching_legs  # noqa: E402

RESULTS = pathlib.Path(__file__).resolve().parent / "results"
EVERY_S = 10
GROWTH_MAX = 1.15
SMALL = 1 << 20  # what takes less is not judged
ORDERS = 20  # in a batch
MIB = 1 << 20


def batch_of(number):
    """Three events of each order, but of one in ten no payment, and of another a wrong one; and an item for the quarantine."""
    events = [line("gcp", "PaymentProcessed", f"q-{number}", orderId=f"Q-{number}")]
    for order in range(number * ORDERS, (number + 1) * ORDERS):
        legs = matching_legs(f"ORD-{order}", str(order), "12.50", f"C-{order % 1000}")
        if order % 10 == 0:
            legs[1]["payload"]["amount"] = "12.05"
        events += legs[::2] if order % 10 == 1 else legs
    return events


def flow_that_forgets(directory, after):
    """The order flow, but a closed case takes later facts, and so is remembered, no longer than all else is kept."""
    text = (RESULTS.parent.parent / "flows" / "order.yaml").read_text()
    changed = text.replace("amend_for: 31d", f"amend_for: {after}")
    assert changed != text, "flows/order.yaml says otherwise"
    path = pathlib.Path(directory) / "order.yaml"
    path.write_text(changed)
    return str(path)


class Load:
    """Batches on a fixed schedule, until told to stop."""

    def __init__(self, server, rate):
        self.server, self.every = server, len(batch_of(0)) / rate
        self.over = threading.Event()
        self.sent = self.acknowledged = self.refusals = 0
        self.thread = threading.Thread(target=self.send)
        self.thread.start()

    def send(self):
        connection = http.client.HTTPConnection(self.server.host, self.server.port, timeout=60)
        began = time.monotonic()
        number = 0
        while not self.over.wait(max(0, began + number * self.every - time.monotonic())):
            events = batch_of(number)
            connection.request("POST", "/api/v1/events/batch", json.dumps(events), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            told = json.loads(answer.read())
            self.sent += len(events)
            self.refusals += answer.status != 200
            self.acknowledged += sum(told.get(name, 0) for name in ("accepted", "quarantined"))
            number += 1

    def stop(self):
        self.over.set()
        self.thread.join()


def sizes_of(data):
    """Bytes on the disk, by folder; of a file with several names once."""
    sizes, seen = {}, set()
    for folder, _, files in os.walk(data):
        top = os.path.relpath(folder, data).split(os.sep)[0]
        for file in files:
            try:
                status = os.stat(os.path.join(folder, file))
            except FileNotFoundError:
                continue  # it has left meanwhile
            if status.st_ino not in seen:
                seen.add(status.st_ino)
                sizes[top] = sizes.get(top, 0) + 512 * status.st_blocks
    return sizes


def judge(samples):
    """By folder: the most of the second and of the last third."""
    third = len(samples) // 3
    out = {}
    for folder in sorted({folder for sample in samples for folder in sample}):
        most = lambda part: max(sample.get(folder, 0) for sample in part)
        second, last = most(samples[third : 2 * third]), most(samples[2 * third :])
        out[folder] = {
            "secondThirdMiB": round(second / MIB, 1),
            "lastThirdMiB": round(last / MIB, 1),
            "flat": last <= max(GROWTH_MAX * second, SMALL),
        }
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("binary")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--keep", type=int, default=5, help="minutes that everything is kept")
    parser.add_argument("--rate", type=int, default=600, help="events a second")
    parser.add_argument("--out", default="retention")
    options = parser.parse_args()
    os.environ["HELIOS_TEST_BINARY"] = os.path.abspath(options.binary)
    kept = f"{options.keep}m"
    settings = {
        f"HELIOS_RETENTION_{what}": kept
        for what in ("LOG", "HEALTH", "DEDUP", "QUARANTINE", "EVENTS", "CASES")
    }
    # Files of the log leave whole, too: small ones, so that what is seen is not when a large one leaves.
    settings |= {"HELIOS_RETENTION_SLICE": "1m", "HELIOS_LOG_SEGMENT_BYTES": "4MiB"}
    samples = []
    with TemporaryDirectory() as directory:
        arguments = ["--log-level", "warn", "--flow", flow_that_forgets(directory, kept)]
        with Server(directory + "/data", *arguments, env=environment(**settings)) as server:
            load = Load(server, options.rate)
            began = time.monotonic()
            try:
                while time.monotonic() - began < options.minutes * 60 and load.thread.is_alive():
                    time.sleep(EVERY_S)
                    samples.append(sizes_of(directory + "/data"))
                    samples[-1]["all"] = sum(samples[-1].values())
            finally:
                load.stop()
            minutes = (time.monotonic() - began) / 60
            health = server.get("/api/v1/health").json()
    folders = judge(samples)
    result = {
        "what": "bench/retention.py",
        "settings": settings,
        "minutes": round(minutes, 1),
        "eventsPerSecond": round(load.acknowledged / minutes / 60),
        "events": load.acknowledged,
        "refusals": load.refusals,
        "health": health["status"],
        "folders": folders,
        "everyTenSecondsMiB": {
            folder: " ".join(f"{sample.get(folder, 0) / MIB:.1f}" for sample in samples)
            for folder in folders
        },
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{options.out}.json").write_text(json.dumps(result, indent=1) + "\n")
    for folder, of in folders.items():
        print(f"{folder}: {of['secondThirdMiB']} MiB, then {of['lastThirdMiB']} MiB{'' if of['flat'] else ': GROWS'}")
    print(f"{load.acknowledged} of {load.sent} events acknowledged, {result['eventsPerSecond']}/s, {health['status']}")
    sys.exit(load.acknowledged != load.sent or not all(of["flat"] for of in folders.values()))


if __name__ == "__main__":
    main()
