#!/usr/bin/env python3
"""Event lines for `helios reconcile`, as another system might keep them: three legs an order, 2 % sent twice, 1 % missing, 1 % wrong
amounts, 5 % of one leg late, in disorder. The same COUNT gives the same bytes.

    offline_events.py COUNT [received] > events.ndjson     `received`: with a receive time, as an export has it
"""
import datetime
import json
import random
import sys

COUNT = int(sys.argv[1])
RECEIVED = "received" in sys.argv[2:]
BEGIN = 1767614400  # 2026-01-05T12:00:00Z
IN_FLIGHT = 3000  # events that may overtake one another

random_source = random.Random(7)


def time_at(seconds):
    at = datetime.datetime.fromtimestamp(BEGIN + seconds, datetime.UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def line(source, event_type, event_id, seconds, payload):
    return {
        "source": source,
        "eventType": event_type,
        "id": event_id,
        "time": time_at(seconds),
        "payload": payload,
    }


def legs(number):
    r = random_source
    order = "ORD-%08d" % (number * 7919 % 100000000)
    seconds = number * 0.001
    cents = r.randrange(100, 500000)
    amount = "%d.%02d" % (cents // 100, cents % 100)
    currency = r.choice(["USD", "EUR", "GBP"])
    sku = "SKU-%05d" % r.randrange(10000)
    suffix = "%x" % (number * 2654435761)
    placed = {
        "orderId": order,
        "customerId": "C-%d" % r.randrange(100000),
        "totalAmount": amount,
        "currency": currency,
        "items": [{"productId": sku, "price": amount, "qty": 1}],
        "channel": "web",
        "shipTo": {"country": "DE", "zip": "%05d" % r.randrange(99999)},
    }
    paid = {
        "orderId": order,
        "paymentId": "PAY-%d" % number,
        "amount": amount
        if r.random() > 0.01
        else "%d.%02d" % (cents // 100 + 1, cents % 100),
        "currency": currency,
        "status": "CAPTURED",
        "method": "card",
    }
    paid_after = r.random() * 5
    reserved_after = r.random() * (5 if r.random() > 0.05 else 90)
    reserved = {
        "orderId": order,
        "reservationId": "RES-%d" % number,
        "items": [{"sku": sku, "quantity": 1}],
        "warehouse": "FRA-%d" % r.randrange(9),
    }
    return (
        line("aws", "OrderPlaced", "evt-o-" + suffix, seconds, placed),
        line("gcp", "PaymentProcessed", "evt-p-" + suffix, seconds + paid_after, paid),
        line("azure", "InventoryReserved", "evt-i-" + suffix, seconds + reserved_after, reserved),
    )


def main():
    waiting = []
    written = 0
    number = 0
    while written < COUNT:
        for event in legs(number):
            if random_source.random() < 0.01:
                continue
            if RECEIVED:
                event["receivedAt"] = event["time"]
            waiting.append(event)
            if random_source.random() < 0.02:
                waiting.append(event)
        while len(waiting) > IN_FLIGHT:
            k = random_source.randrange(len(waiting))
            waiting[k], waiting[-1] = waiting[-1], waiting[k]
            print(json.dumps(waiting.pop(), separators=(",", ":")))
            written += 1
        number += 1


main()
