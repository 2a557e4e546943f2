#!/usr/bin/env python3
"""A long run under everything at once: bench/soak.py BINARY [--minutes N] [--rate N] [--json FILE].

Seven kinds of senders, each with eight connections, together offer 60 % of what this machine takes (measured first, unless --rate says
it), while others send what is hostile. A third of the way the server is killed (kill -9), at half it is stopped and started again, at two thirds its disk is full for a
while. Each event is sent, under its id, until it is acknowledged. In the end every id that was acknowledged stands on the log once, what
was quarantined is listed once, nothing was answered with 500, and memory is flat. Exit 1 if not. Ends by itself.
"""
import argparse
import base64
import gzip
import http.client
import json
import os
import pathlib
import random
import resource
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "system"))
from helios_process import Server, TemporaryDirectory, environment  # noqa: E402

MIB = 1 << 20
SHARE = 0.6
CALIBRATION_SECONDS = 10
CONNECTIONS = 8  # of each kind of sender
FULL_SECONDS = 10
# Small, so that they are full within a minute, and what grows then is a leak.
SMALL = {
    "HELIOS_GATEWAY_DLQ_BYTES_MAX": "8MiB",
    "HELIOS_GATEWAY_RECENT_IDS_MAX": "20000",
    "HELIOS_GATEWAY_INDEX_CACHE_BYTES": "8MiB",
    "HELIOS_GATEWAY_INDEX_WRITE_BUFFER_BYTES": "4MiB",
    "HELIOS_LOG_CACHE_BYTES": "8MiB",
    "HELIOS_RECONCILE_CACHE_BYTES": "16MiB",
    "HELIOS_STORE_WRITE_CACHE_BYTES": "8MiB",
    "HELIOS_HTTP_HEADER_TIMEOUT": "5s",
}
NOW = "2026-01-05T10:23:45Z"


def order(key):
    return {"orderId": key, "customerId": "C-1", "totalAmount": "12.50", "currency": "EUR"}


def payment(key):
    return {"orderId": key, "paymentId": f"P-{key}", "amount": "12.50", "currency": "EUR", "status": "CAPTURED"}


def bridge(name, n):
    return {"version": "0", "id": f"{name}-{n}", "detail-type": "OrderPlaced", "source": "shop", "account": "123456789012",
            "time": NOW, "region": "eu", "resources": [], "detail": order(f"O-{n}")}  # fmt: skip


def of_bridge(name, first, _):
    return "/api/v1/webhooks/aws/eventbridge", json.dumps(bridge(name, first)).encode(), {}


def of_sns(name, first, _):
    notice = {"Type": "Notification", "MessageId": f"m-{name}-{first}", "TopicArn": "arn:aws:sns:eu:1:t",
              "Message": json.dumps(bridge(name, first))}  # fmt: skip
    headers = {"Content-Type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": "Notification"}
    return "/api/v1/webhooks/aws/eventbridge", json.dumps(notice).encode(), headers


def of_pubsub(name, first, _):
    data = base64.b64encode(json.dumps(payment(f"O-{first}")).encode()).decode()
    message = {"data": data, "attributes": {"eventType": "PaymentProcessed"}, "messageId": f"{name}-{first}", "publishTime": NOW}
    return "/api/v1/webhooks/gcp/pubsub", json.dumps({"message": message, "subscription": "projects/p/subscriptions/s"}).encode(), {}


def of_grid(name, first, count):
    events = [{"id": f"{name}-{n}", "topic": "/t", "subject": "s", "eventType": "Shop.InventoryReserved", "eventTime": NOW,
               "data": {"orderId": f"O-{n}", "reservationId": f"R-{n}", "items": []}, "dataVersion": "1"}
              for n in range(first, first + count)]  # fmt: skip
    return "/api/v1/webhooks/azure/eventgrid", json.dumps(events).encode(), {}


def lines(name, first, count):
    return [{"source": "aws", "eventType": "OrderPlaced", "id": f"{name}-{n}", "payload": order(f"{name}-{n}")}
            for n in range(first, first + count)]  # fmt: skip


def of_direct(name, first, _):
    return "/api/v1/events/ingest", json.dumps(lines(name, first, 1)[0]).encode(), {}


def of_batch(name, first, count):
    return "/api/v1/events/batch", gzip.compress(json.dumps(lines(name, first, count)).encode(), 1), {"Content-Encoding": "gzip"}


def of_cloudevents(name, first, _):
    headers = {"ce-specversion": "1.0", "ce-id": f"{name}-{first}", "ce-source": "https://shop.example/", "ce-type": "OrderPlaced"}
    return "/api/v1/webhooks/cloudevents", json.dumps(order(f"{name}-{first}")).encode(), headers


# name: (what it posts, events in a request, its share of the events)
SENDERS = {
    "bridge": (of_bridge, 1, 0.10),
    "sns": (of_sns, 1, 0.05),
    "pubsub": (of_pubsub, 1, 0.15),
    "grid": (of_grid, 20, 0.20),
    "direct": (of_direct, 1, 0.05),
    "batch": (of_batch, 50, 0.40),
    "cloudevents": (of_cloudevents, 1, 0.05),
}
# One per connection, each with ids of its own: bridge.0, bridge.1, …
WORKERS = {f"{name}.{n}": SENDERS[name] for name in SENDERS for n in range(CONNECTIONS)}


class Soak:
    def __init__(self, data):
        self.data = data
        self.env = environment(**SMALL)
        self.server = Server(data, env=self.env)
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.statuses = {}  # (who, status): how often
        self.acknowledged = dict.fromkeys(WORKERS, 0)  # all ids below
        self.kept = set()  # dlqIds
        self.rss = []  # (time, life, bytes)
        self.life = 0
        self.problems = []

    def note(self, who, status):
        with self.lock:
            self.statuses[who, status] = self.statuses.get((who, status), 0) + 1

    def by_kind(self):
        return {kind: sum(n for name, n in self.acknowledged.items() if name.startswith(kind + ".")) for kind in SENDERS}

    def settled(self, answer, body, count):
        if answer == 200 and count > 1 and b'"items"' in body:  # a batch, item by item
            return all(item["status"] in ("accepted", "duplicate") for item in json.loads(body)["items"])
        return answer in (200, 202, 204)

    def send(self, name, rate):
        """At that rate; each request until it is acknowledged."""
        make, count, share = WORKERS[name]
        every = count * CONNECTIONS / (rate * share)
        due = time.monotonic() + random.random() * every  # not all at once
        connection = None
        first = 0
        while not self.over.is_set():
            due += every
            if (wait := due - time.monotonic()) > 0 and self.over.wait(wait):
                return
            target, body, headers = make(name, first, count)
            while True:  # to the end of this request, even when the time is over
                try:
                    if connection is None:
                        connection = http.client.HTTPConnection(self.server.host, self.server.port, timeout=40)
                    connection.request("POST", target, body, {"Content-Type": "application/json", **headers})
                    response = connection.getresponse()
                    answer, told = response.status, response.read()
                    again = float(response.headers.get("Retry-After", 1))
                except (OSError, http.client.HTTPException):
                    connection and connection.close()
                    connection, answer, told, again = None, 0, b"", 0.2
                self.note(name.partition(".")[0], answer)
                if self.settled(answer, told, count):
                    break
                if answer not in (0, 200, 429, 503):
                    self.problems.append(f"{name} {first}: {answer} {told[:200]!r}")
                    return
                time.sleep(min(again, 2))
                due = max(due, time.monotonic())
            first += count
            self.acknowledged[name] = first

    def hostile(self):
        bomb = gzip.compress(b" " * (64 * MIB), 9)
        deep = b"[" * 200_000
        wide = b"[{" + b",".join(b'"k%d":1' % n for n in range(100_000)) + b"}]"
        batch, coded = "/api/v1/events/batch", {"Content-Encoding": "gzip"}
        slow = []
        n = 0
        while not self.over.wait(0.05):
            n += 1
            bad = {"source": "aws", "eventType": "OrderPlaced", "id": f"bad-{n}", "payload": {"x": "y" * 2_000}}
            posts = [
                (batch, bomb, coded),
                (batch, deep, {}),
                (batch, b"\xff\xfe" * 500, {}),
                ("/api/v1/events/ingest", gzip.compress(b"{}") + b"x", coded),
                ("/api/v1/events/ingest", json.dumps(bad).encode(), {}),
                ("/api/v1/events/ingest", json.dumps({**bad, "id": "bad-0"}).encode(), {}),
            ] + ([(batch, wide, {})] if n % 20 == 0 else [])
            target, body, headers = posts[n % len(posts)]
            try:
                answer = self.server.post(target, body, **headers)
                self.note("hostile", answer.status)
                if answer.status == 422:
                    self.kept.add(answer.json()["dlqId"])
                with socket.create_connection((self.server.host, self.server.port), timeout=10) as wire:
                    wire.sendall(b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
                    self.note("smuggler", int((wire.recv(64).split() or [b"", b"0"])[1]))
                if len(slow) < 50:
                    slow.append(socket.create_connection((self.server.host, self.server.port), timeout=10))
                    slow[-1].sendall(b"POST /api/v1/events/ingest HTTP/1.1\r\nHost: loc")
                elif n % 100 == 0:
                    while slow:
                        slow.pop().close()
            except (OSError, http.client.HTTPException):
                self.note("hostile", 0)
        for wire in slow:
            wire.close()

    def watch(self):
        while not self.over.wait(1):
            try:
                self.rss.append((time.monotonic(), self.life, self.server.resident_bytes()))
            except (OSError, ValueError, IndexError):
                pass  # between two lives

    def restart(self, kill):
        old = self.server
        old.kill() if kill else old.terminate(30)
        self.life += 1
        self.server = Server(self.data, env=self.env, wait_ready=False)
        self.server.wait_ready(120)

    def fill_disk(self):
        pid = self.server.process.pid
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, before[1]))
        self.over.wait(FULL_SECONDS)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)

    def run(self, seconds, rate, hostile=True):
        threads = [threading.Thread(target=self.send, args=(name, rate), daemon=True) for name in WORKERS]
        threads += [threading.Thread(target=self.watch, daemon=True)]
        threads += [threading.Thread(target=self.hostile, daemon=True)] if hostile else []
        began = time.monotonic()
        for thread in threads:
            thread.start()
        plan = [(1 / 3, lambda: self.restart(True)), (1 / 2, lambda: self.restart(False)), (2 / 3, self.fill_disk)] if hostile else []
        for share, act in plan:
            self.over.wait(max(0, began + share * seconds - time.monotonic()))
            act()
        self.over.wait(max(0, began + seconds - time.monotonic()))
        self.over.set()
        for thread in threads:
            thread.join(120)
            if thread.is_alive():
                self.problems.append("a sender did not come to its end")
        return sum(self.acknowledged.values()) / (time.monotonic() - began)

    def check_quarantine(self):
        """A list says up to when it is complete: what came last is waited for."""
        for _ in range(100):
            found = self.quarantined()
            if not self.kept - set(found):
                break
            time.sleep(0.2)
        if len(found) != len(set(found)):
            self.problems.append("an item of the quarantine is listed twice")
        if lost := self.kept - set(found):
            self.problems.append(f"{len(lost)} quarantined items are gone")
        return len(found)

    def quarantined(self):
        found, cursor = [], ""
        while True:
            page = self.server.get_patiently(f"/api/v1/dlq?limit=1000{cursor}").json()
            found += [item["dlqId"] for item in page["items"]]
            if not page.get("nextCursor"):
                return found
            cursor = "&cursor=" + page["nextCursor"]

    def check_log(self, binary):
        """Each id that was acknowledged, once."""
        seen = {name: bytearray(count + 100_000) for name, count in self.acknowledged.items()}
        with subprocess.Popen([binary, "log", "export", "--data", self.data], stdout=subprocess.PIPE, env=self.env) as export:
            for row in export.stdout:
                event = json.loads(row)
                if "control" in event:
                    continue
                name, _, number = event["id"].rpartition("-")
                name = name.rpartition("/")[2]
                if name in seen:
                    seen[name][int(number)] += 1
        if export.returncode != 0:
            self.problems.append(f"log export ended with {export.returncode}")
        for name, counts in seen.items():
            wanted = self.acknowledged[name]
            lost = counts[:wanted].count(0)
            doubled = sum(1 for count in counts if count > 1)
            if lost or doubled:
                self.problems.append(f"{name}: of {wanted} acknowledged {lost} are lost, {doubled} doubled")

    def check_memory(self):
        """Of the last life, once what has bounds is full."""
        last = [size for _, life, size in self.rss if life == self.life]
        quarter = len(last) // 4
        if quarter == 0:
            return {}
        then, now = max(last[quarter : 2 * quarter]), max(last[-quarter:])
        if now > then * 1.15 + 16 * MIB:
            self.problems.append(f"memory grew from {then // MIB} to {now // MIB} MiB")
        return {"rssMiB": {"secondQuarter": then // MIB, "lastQuarter": now // MIB, "most": max(s for *_, s in self.rss) // MIB}}


def capacity():
    """The highest rate of this mix that was still kept up with, senders and server on this machine together."""
    offered = reached = 1000
    while True:
        with TemporaryDirectory() as directory:
            soak = Soak(os.path.join(directory, "data"))
            try:
                now = soak.run(CALIBRATION_SECONDS, offered, hostile=False)
            finally:
                soak.server.kill()
        print(f"of {offered:.0f} events a second offered {now:.0f} were taken", flush=True)
        reached = max(reached, now)
        if now < 0.85 * offered:
            return reached
        offered *= 1.5


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, help="events a second; else 60 %% of what is measured")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    os.environ["HELIOS_TEST_BINARY"] = binary = os.path.abspath(options.binary)
    rate = options.rate or SHARE * capacity()
    print(f"{rate:.0f} events a second, {options.minutes:g} minutes", flush=True)
    with TemporaryDirectory() as directory:
        soak = Soak(os.path.join(directory, "data"))
        try:
            reached = soak.run(60 * options.minutes, rate)
            kept = soak.check_quarantine()
            if soak.server.terminate(60) != 0:
                soak.problems.append("the server did not end well")
            soak.check_log(binary)
        finally:
            soak.server.kill()
        if any(status == 500 for _, status in soak.statuses):
            soak.problems.append("something was answered with 500")
        result = {
            "minutes": options.minutes,
            "eventsPerSecondOffered": round(rate),
            "eventsPerSecondAcknowledged": round(reached),
            "acknowledged": soak.by_kind(),
            "quarantined": kept,
            **soak.check_memory(),
            "answers": {f"{who} {status}": n for (who, status), n in sorted(soak.statuses.items())},
            "problems": soak.problems,
        }
    print(json.dumps(result, indent=1))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    sys.exit(1 if soak.problems else 0)


if __name__ == "__main__":
    main()
