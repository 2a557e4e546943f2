#!/usr/bin/env python3
"""kill -9 under load: whatever was acknowledged is in the log, once, and the verdicts follow from it.

Several connections send orders (their three legs spread over the server's lives) while the process is killed again and again at
moments drawn from a printed seed. After each restart acknowledged events are sent again and must be answered as duplicates; what
was in doubt may be either. At the end the log is exported and compared, and the store is rebuilt and compared with itself.
"""
import calendar
import http.client
import json
import os
import random
import sys
import threading
import time

from helios_process import (
    Failure,
    Server,
    TemporaryDirectory,
    check,
    events_of,
    matching_legs,
    run,
)

KILLS = int(os.environ.get("HELIOS_TEST_KILLS", "6"))
CONNECTIONS = 6
SEED = int(os.environ.get("HELIOS_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)


class Shop:
    """Every event that will be sent, and what is known of each."""

    def __init__(self):
        self.lock = threading.Lock()
        self.next_order = 0
        self.pending = []  # events of begun orders that are still to be sent
        self.acknowledged = {}  # id -> event
        self.doubtful = {}  # id -> event: sent, never answered
        self.duplicates = 0

    def order(self, n):
        key, total = f"K9-{n:06}", f"{n % 900 + 1}.{n % 100:02}"
        return matching_legs(key, n, total, f"C-{n % 50}")

    def take(self, rng, n):
        """n events, legs of several orders mixed."""
        with self.lock:
            while len(self.pending) < n + 60:
                self.pending += self.order(self.next_order)
                self.next_order += 1
            return [self.pending.pop(rng.randrange(len(self.pending))) for _ in range(n)]

    def doubt(self, events):
        with self.lock:
            self.doubtful.update((event["id"], event) for event in events)

    def settle(self, event, status):
        check(status in ("accepted", "duplicate"), f"{event['id']} was answered {status}")
        with self.lock:
            self.doubtful.pop(event["id"], None)
            self.acknowledged[event["id"]] = event
            self.duplicates += status == "duplicate"


def send(connection, events):
    """One request; the status of each event. Raises when the connection breaks."""
    target, body = (
        ("/api/v1/events/ingest", events[0])
        if len(events) == 1
        else ("/api/v1/events/batch", events)
    )
    connection.request(
        "POST", target, body=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    response = connection.getresponse()
    answer = json.loads(response.read())
    check(response.status in (200, 202), f"{target} answered {response.status}: {answer}")
    return [answer["status"]] if len(events) == 1 else [item["status"] for item in answer["items"]]


def load(server, shop, seed, stop, failures):
    """Sends until the server is gone. Nothing is acknowledged but by an answer read to its end."""
    rng = random.Random(seed)
    connection = server.connection(timeout=20)
    try:
        while not stop.is_set():
            events = shop.take(rng, rng.choice((1, 1, 1, 3, 20)))
            shop.doubt(events)
            for event, status in zip(events, send(connection, events)):
                shop.settle(event, status)
    except (OSError, http.client.HTTPException, json.JSONDecodeError):
        pass  # killed while we were talking
    except Failure as failure:
        failures.append(failure)
    finally:
        connection.close()


def send_again(server, shop, rng):
    """Acknowledged events are duplicates now; those in doubt are one or the other, and then no longer in doubt."""
    known = rng.sample(sorted(shop.acknowledged), min(300, len(shop.acknowledged)))
    connection = server.connection()
    for at in range(0, len(known), 50):
        events = [shop.acknowledged[i] for i in known[at : at + 50]] or []
        for event, status in zip(events, send(connection, events)):
            check(
                status == "duplicate",
                f"{event['id']} was acknowledged before the kill and is {status} now",
            )
    for event in list(shop.doubtful.values()):
        shop.settle(event, send(connection, [event])[0])
    connection.close()
    check(not shop.doubtful, "nothing is in doubt any more")


def nanoseconds(time_text):
    """ "2026-01-05T10:23:45.120Z" as an integer; fractions have three, six or nine digits."""
    whole, fraction = time_text.rstrip("Z").split(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 10**9 + int(
        fraction.ljust(9, "0")
    )


def check_log(data, shop):
    events, controls = events_of(data)
    seen = {}
    for event in events:
        check(event["id"] not in seen, f"{event['id']} stands in the log twice")
        seen[event["id"]] = event
    missing = [i for i in shop.acknowledged if i not in seen]
    check(
        not missing,
        f"{len(missing)} acknowledged events are not in the log, for example {missing[:5]}",
    )
    strangers = [i for i in seen if i not in shop.acknowledged]
    check(not strangers, f"events nobody sent: {strangers[:5]}")
    for i, event in shop.acknowledged.items():
        check(
            seen[i]["payload"] == event["payload"],
            f"{i} has another payload in the log: {seen[i]['payload']}",
        )
    check(controls and controls[-1]["control"] == "end", "the export ends with its end line")
    received = [nanoseconds(event["receivedAt"]) for event in events]
    backwards = [i for i in range(1, len(received)) if received[i] < received[i - 1]]
    check(
        not backwards,
        f"log time goes backwards in the export at {[events[i] for i in backwards[:2]]}",
    )
    return len(seen)


def finish_orders(server, shop, rng):
    """Sends the legs that are left, so that every order has its three."""
    connection = server.connection()
    while shop.pending:
        events = [shop.pending.pop() for _ in range(min(50, len(shop.pending)))]
        for event, status in zip(events, send(connection, events)):
            shop.settle(event, status)
    connection.close()


def check_verdicts(server, shop, rng):
    """Every order is complete and right, however many lives its legs came in."""
    keys = [f"K9-{n:06}" for n in range(shop.next_order)]
    exceptions = server.get("/api/v1/reconciliation/mismatches?limit=10").json()["items"]
    check(not exceptions, f"an order is said to be wrong: {exceptions[:2]}")
    for key in rng.sample(keys, min(300, len(keys))):
        answer = server.verdict(key)
        for _ in range(100):
            if answer.status == 200 and answer.json()["status"] != "pending":
                break
            time.sleep(0.05)
            answer = server.verdict(key)
        check(answer.status == 200 and answer.json()["status"] == "matched", f"{key}: {answer}")


def check_rebuild(data):
    before = run("store", "dump", "--verdicts", "--data", data)
    check(before[0] == 0 and before[1], f"store dump: {before}")
    rebuilt = run("store", "rebuild", "--data", data)
    check(rebuilt[0] == 0, f"store rebuild: {rebuilt}")
    after = run("store", "dump", "--verdicts", "--data", data)
    check(after[0] == 0, f"store dump: {after}")
    check(before[1] == after[1], "a rebuilt store tells other verdicts")
    return before[1].count("\n")


def main():
    print(f"seed {SEED} (HELIOS_TEST_SEED={SEED} repeats the moments)", flush=True)
    rng = random.Random(SEED)
    shop = Shop()
    began = time.monotonic()
    with TemporaryDirectory() as directory:
        data = directory + "/data"
        for life in range(KILLS):
            with Server(data) as server:
                if life > 0:
                    send_again(server, shop, rng)
                stop, failures = threading.Event(), []
                threads = [
                    threading.Thread(
                        target=load,
                        args=(server, shop, SEED * 1000 + life * 10 + i, stop, failures),
                    )
                    for i in range(CONNECTIONS)
                ]
                for thread in threads:
                    thread.start()
                time.sleep(rng.uniform(0.05, 1.2))  # the moment is the point of the test
                server.kill()
                stop.set()
                for thread in threads:
                    thread.join()
                check(not failures, f"before kill {life + 1}: {failures}")
            print(
                f"kill {life + 1}: {len(shop.acknowledged)} acknowledged, {len(shop.doubtful)} in doubt, "
                f"ready in {server.seconds_to_ready:.2f} s",
                flush=True,
            )
        with Server(data) as server:
            send_again(server, shop, rng)
            finish_orders(server, shop, rng)
            check_verdicts(server, shop, rng)
            check(server.terminate() == 0, "SIGTERM ends with 0")
        in_log = check_log(data, shop)
        revisions = check_rebuild(data)
    print(
        f"{KILLS} kills, {in_log} events acknowledged and in the log once, {shop.duplicates} answered as duplicates, "
        f"{revisions} verdict revisions rebuilt the same, {time.monotonic() - began:.1f} s"
    )


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        print(f"FAILED (seed {SEED}): {failure}")
        sys.exit(1)
