#!/usr/bin/env python3
"""Our own absence is not their silence: a server that was stopped, stood still or refused past a deadline gives open orders their
time back; one that was merely idle does not; and after a start nothing is taken in before the absence stands on the log.

Clients send from the moment the address is known. What is refused until the server is ready must be refused retryably; the first
event that is taken in must stand after the absence; orders opened before the absence must not be called incomplete because of it.
"""
import calendar
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

from helios_process import (
    Failure,
    Server,
    TemporaryDirectory,
    check,
    environment,
    events_of,
    line,
    run,
)

DEADLINE, GRACE, AWAY = 2, 3, 3.5  # seconds
ORDERS = 300


def flow(directory):
    path = directory + "/order.yaml"
    with open(sys.argv[1], encoding="utf-8") as shipped, open(path, "w", encoding="utf-8") as file:
        text = shipped.read()
        check("deadline: 60s" in text, "the shipped flow has no deadline of 60 s to shorten")
        file.write(text.replace("deadline: 60s", f"deadline: {DEADLINE}s"))
    return path


def order_leg(n):
    return line(
        "aws",
        "OrderPlaced",
        f"o-{n}",
        orderId=f"A-{n:04}",
        customerId="C-1",
        totalAmount="5.00",
        currency="USD",
        items=[{"productId": "MUG", "price": "5.00", "qty": 1}],
    )


def other_legs(n):
    return [
        line(
            "gcp",
            "PaymentProcessed",
            f"p-{n}",
            orderId=f"A-{n:04}",
            paymentId=f"PAY-{n}",
            amount="5.00",
            currency="USD",
            status="CAPTURED",
        ),
        line(
            "azure",
            "InventoryReserved",
            f"i-{n}",
            orderId=f"A-{n:04}",
            reservationId=f"RSV-{n}",
            items=[{"sku": "MUG", "qty": 1}],
        ),
    ]


def batch(server, events):
    answer = server.post("/api/v1/events/batch", events)
    check(answer.status == 200, f"a batch was answered {answer}")
    counted = answer.json()
    check(
        counted["accepted"] == len(events), f"{counted['accepted']} of {len(events)} were accepted"
    )


def hammer(server, name, stop, failures):
    """Sends one event after another from the first moment on; refused ones again, as the answer says."""
    n = 0
    while not stop.is_set():
        answer = server.ingest(line("aws", "Noise", f"{name}-{n}", value=n))
        if answer.status == 503:
            if "retry-after" not in answer.headers:
                failures.append(f"503 without Retry-After: {answer}")
            time.sleep(0.002)
        elif answer.status in (200, 202):
            n += 1
        else:
            failures.append(f"answered {answer}")


def stopped_and_unready():
    """Killed, away past every deadline, its deduplication index gone: refuses until the absence stands on the log."""
    environ = environment(HELIOS_RECONCILE_GRACE=f"{GRACE}s")
    with TemporaryDirectory() as directory:
        data, flow_file = directory + "/data", flow(directory)
        with Server(data, "--flow", flow_file, env=environ) as server:
            batch(server, [order_leg(n) for n in range(ORDERS)])
            server.kill()
        time.sleep(AWAY)  # past the deadline of every order
        shutil.rmtree(data + "/dedup")
        stop, failures = threading.Event(), []
        with Server(data, "--flow", flow_file, wait_ready=False, env=environ) as server:
            threads = [
                threading.Thread(target=hammer, args=(server, f"noise{i}", stop, failures))
                for i in range(4)
            ]
            for thread in threads:
                thread.start()
            server.wait_ready()
            again = server.ingest(order_leg(0))
            check(
                again.status == 200 and again.json()["status"] == "duplicate",
                f"known before the kill, but answered {again}",
            )
            batch(server, [leg for n in range(ORDERS) for leg in other_legs(n)])
            time.sleep(0.3)
            stop.set()
            for thread in threads:
                thread.join()
            check(not failures, failures[:3])
            for _ in range(200):
                stats = server.get("/api/v1/reconciliation/stats").json()["status"]
                if stats["matched"] == ORDERS:
                    break
                time.sleep(0.05)
            check(
                stats["matched"] == ORDERS and stats["partial"] == 0,
                f"not all orders matched: {stats}",
            )
            check(server.terminate() == 0, "SIGTERM ends with 0")
        events, controls = events_of(data)
        absences = [
            control
            for control in controls
            if control["control"] == "absence" and control["cause"] == "start"
        ]
        check(len(absences) == 1, f"one absence of a stop, but the log has {absences}")
        second_life = [event for event in events if event["eventType"] != "OrderPlaced"]
        check(second_life, "nothing was taken in after the restart")
        early = [event for event in second_life if event["receivedAt"] < absences[0]["at"]]
        check(
            not early,
            f"{len(early)} events were taken in before the absence stood on the log, for example {early[:1]}",
        )
        revised = [
            json.loads(l)
            for l in run("store", "dump", "--verdicts", "--data", data)[1].splitlines()
        ]
        partial = [verdict for verdict in revised if verdict["status"] == "partial"]
        check(not partial, f"an order was called incomplete because we were away: {partial[:1]}")
    print(
        f"{ORDERS} orders kept their time over an absence of {AWAY} s; {len(second_life)} events taken in after it"
    )


def absences_of(data, cause=None):
    return [
        c for c in events_of(data)[1] if c["control"] == "absence" and cause in (None, c["cause"])
    ]


def seconds_of(absence):
    def parse(text):
        day = text[:19]
        return calendar.timegm(time.strptime(day, "%Y-%m-%dT%H:%M:%S")) + float(
            "0" + text[19:-1] if len(text) > 20 else 0
        )

    return parse(absence["to"]) - parse(absence["from"])


def never_partial(data, keys):
    revised = [
        json.loads(l) for l in run("store", "dump", "--verdicts", "--data", data)[1].splitlines()
    ]
    partial = [
        verdict for verdict in revised if verdict["status"] == "partial" and verdict["key"] in keys
    ]
    check(not partial, f"an order was called incomplete because of us: {partial[:1]}")


def wait_matched(server, key):
    for _ in range(400):
        answer = server.verdict(key)
        if answer.status == 200 and answer.json()["status"] == "matched":
            return
        time.sleep(0.05)
    raise Failure(f"{key} did not match: {answer}")


def live_equals_offline(data):
    exported = run("log", "export", "--data", data)[1]
    offline = run("reconcile", "--revisions", "--format", "ndjson", stdin=exported.encode())[1]
    live = run("store", "dump", "--verdicts", "--data", data)[1]
    check(
        sorted(offline.splitlines()) == sorted(live.splitlines()),
        "the export judged offline gives other revisions than live",
    )


def idle_and_restarted(stop):
    """What is idle is not away: only the time between the two lives counts."""
    with TemporaryDirectory() as directory:
        data, flow_file = directory + "/data", flow(directory)
        with Server(data, "--flow", flow_file) as server:
            batch(server, [order_leg(0)])
            time.sleep(1.6)  # idle, longer than absence_min
            gone = time.monotonic()
            stop(server)
        with Server(data, "--flow", flow_file) as server:
            away = time.monotonic() - gone
            check(server.terminate() == 0, "SIGTERM ends with 0")
        absences = absences_of(data)
        check(all(a["cause"] == "start" for a in absences), f"nobody was refused: {absences}")
        check(
            all(seconds_of(a) <= away + 0.5 for a in absences),
            f"away for {away:.2f} s, but the log says {absences}",
        )
        if away < 0.9:
            check(not absences, f"away for {away:.2f} s only, but the log has {absences}")
        print(f"idle, then away for {away:.2f} s: {len(absences)} absences on the log")


def raw_request(leg):
    body = json.dumps(leg).encode()
    return (
        b"POST /api/v1/events/ingest HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
        + str(len(body)).encode()
        + b"\r\n\r\n"
        + body
    )


def status_line(connection):
    connection.settimeout(30)
    data = b""
    while b"\r\n" not in data:
        more = connection.recv(4096)
        check(more, "the connection ended without an answer")
        data += more
    return data.split(b"\r\n")[0]


def stood_still():
    """SIGSTOP past a deadline, with the other legs waiting in an open connection and in the backlog."""
    with TemporaryDirectory() as directory:
        data, flow_file = directory + "/data", flow(directory)
        with Server(data, "--flow", flow_file) as server:
            batch(server, [order_leg(n) for n in range(20)])
            payment, stock = other_legs(0)
            opened = socket.create_connection((server.host, server.port))
            opened.sendall(raw_request(line("aws", "Noise", "n-1", value=1)))
            check(b"202" in status_line(opened), "the connection is served")
            server.stand_still()
            opened.sendall(raw_request(payment))
            waiting = socket.create_connection((server.host, server.port))
            waiting.sendall(raw_request(stock))
            time.sleep(DEADLINE + 1.5)
            server.process.send_signal(signal.SIGCONT)
            for connection in (opened, waiting):
                line_ = status_line(connection)
                check(b"202" in line_, f"what waited was answered {line_}")
                connection.close()
            wait_matched(server, "A-0000")
            batch(server, [leg for n in range(1, 20) for leg in other_legs(n)])
            for n in range(1, 20):
                wait_matched(server, f"A-{n:04}")
            check(server.terminate() == 0, "SIGTERM ends with 0")
        never_partial(data, [f"A-{n:04}" for n in range(20)])
        absences = absences_of(data, "sleep")
        check(absences, f"no standstill on the log: {absences_of(data)}")
        live_equals_offline(data)
        print(f"stood still for {DEADLINE + 1.5} s: 20 orders matched, none was ever incomplete")


def fill(directory):
    """Takes what the disk has left."""
    with open(directory + "/filler", "wb", buffering=0) as file:
        for size in (1 << 20, 4096):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


def full_disk(stop_while_full):
    """Payments that are refused while the disk is full are not missing."""
    with TemporaryDirectory() as directory:
        if (
            os.geteuid() != 0
            or subprocess.run(
                ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", directory], capture_output=True
            ).returncode
            != 0
        ):
            print("skipped: a full disk needs a small file system, and none can be mounted here")
            return
        try:
            data, flow_file = directory + "/data", flow(directory)
            environ = environment(HELIOS_LOG_SEGMENT_BYTES="1MiB", HELIOS_LOG_RESERVE_BYTES="1MiB")
            with Server(data, "--flow", flow_file, env=environ) as server:
                batch(server, [order_leg(0)])
                fill(directory)
                n, answer = 0, None
                while answer is None or answer.status == 202:
                    n += 1
                    answer = server.ingest(line("aws", "Noise", f"noise-{n}", value="x" * 100_000))
                check(answer.status == 503, f"a full disk was answered {answer}")
                payment, stock = other_legs(0)
                until = time.monotonic() + DEADLINE + 2
                while time.monotonic() < until:
                    for leg in (payment, stock):
                        check(server.ingest(leg).status == 503, "the disk is full")
                    time.sleep(0.3)
                if stop_while_full:
                    server.kill()
                    os.remove(directory + "/filler")
                    server = Server(data, "--flow", flow_file, env=environ)
                else:
                    os.remove(directory + "/filler")
                try:
                    for leg in (payment, stock):
                        for _ in range(200):
                            if server.ingest(leg).status in (200, 202):
                                break
                            time.sleep(0.1)
                        else:
                            raise Failure("space is back, but nothing is taken in")
                    wait_matched(server, "A-0000")
                    check(server.terminate() == 0, "SIGTERM ends with 0")
                finally:
                    server.kill()
            never_partial(data, ["A-0000"])
            absences = absences_of(data)
            check(absences, "refusals left no trace on the log")
            live_equals_offline(data)
            print(
                f"disk full for {DEADLINE + 2} s{', then kill -9' if stop_while_full else ''}: the order matched; "
                f"{len(absences)} pieces of absence"
            )
        finally:
            subprocess.run(["umount", directory], check=False)


def main():
    stopped_and_unready()
    idle_and_restarted(lambda server: server.terminate())
    idle_and_restarted(lambda server: server.kill())
    stood_still()
    full_disk(False)
    full_disk(True)


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        print(f"FAILED: {failure}")
        sys.exit(1)
