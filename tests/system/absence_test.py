#!/usr/bin/env python3
"""Our own absence is not their silence: a server that was down past every deadline, and whose deduplication index is gone, gives
open orders their time back, and takes nothing in before its absence stands on the log.

Clients send from the moment the address is known. What is refused until the server is ready must be refused retryably; the first
event that is taken in must stand after the absence; orders opened before the absence must not be called incomplete because of it.
"""
import json
import shutil
import sys
import threading
import time

from helios_process import Failure, Server, TemporaryDirectory, check, environment, events_of, line, run

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
    return line("aws", "OrderPlaced", f"o-{n}", orderId=f"A-{n:04}", customerId="C-1", totalAmount="5.00", currency="USD",
                items=[{"productId": "MUG", "price": "5.00", "qty": 1}])


def other_legs(n):
    return [line("gcp", "PaymentProcessed", f"p-{n}", orderId=f"A-{n:04}", paymentId=f"PAY-{n}", amount="5.00", currency="USD",
                 status="CAPTURED"),
            line("azure", "InventoryReserved", f"i-{n}", orderId=f"A-{n:04}", reservationId=f"RSV-{n}",
                 items=[{"sku": "MUG", "qty": 1}])]


def batch(server, events):
    answer = server.post("/api/v1/events/batch", events)
    check(answer.status == 200, f"a batch was answered {answer}")
    counted = answer.json()
    check(counted["accepted"] == len(events), f"{counted['accepted']} of {len(events)} were accepted")


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


def main():
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
            threads = [threading.Thread(target=hammer, args=(server, f"noise{i}", stop, failures)) for i in range(4)]
            for thread in threads:
                thread.start()
            server.wait_ready()
            again = server.ingest(order_leg(0))
            check(again.status == 200 and again.json()["status"] == "duplicate", f"known before the kill, but answered {again}")
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
            check(stats["matched"] == ORDERS and stats["partial"] == 0, f"not all orders matched: {stats}")
            check(server.terminate() == 0, "SIGTERM ends with 0")
        events, controls = events_of(data)
        absences = [control for control in controls if control["control"] == "absence" and control["cause"] == "start"]
        check(len(absences) == 1, f"one absence of a stop, but the log has {absences}")
        second_life = [event for event in events if event["eventType"] != "OrderPlaced"]
        check(second_life, "nothing was taken in after the restart")
        early = [event for event in second_life if event["receivedAt"] < absences[0]["at"]]
        check(not early, f"{len(early)} events were taken in before the absence stood on the log, for example {early[:1]}")
        revised = [json.loads(l) for l in run("store", "dump", "--verdicts", "--data", data)[1].splitlines()]
        partial = [verdict for verdict in revised if verdict["status"] == "partial"]
        check(not partial, f"an order was called incomplete because we were away: {partial[:1]}")
    print(f"{ORDERS} orders kept their time over an absence of {AWAY} s; {len(second_life)} events taken in after it")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        print(f"FAILED: {failure}")
        sys.exit(1)
