#!/usr/bin/env python3
"""Times as sources claim them: one rule through every door, live and offline. No time refuses an event; what can't be taken is quoted
in one warning of the case, and the leg is judged neither late nor skewed."""
import base64
import json
import os
import sys
import unittest

from helios_process import Server, TemporaryDirectory, events_of, line, run

# what is sent as JSON, and the instant it is taken as, or what the warning says of it
TIMES = [
    ('"2026-01-05T10:23:45.120Z"', "2026-01-05T10:23:45.120Z", None),
    ('"2026-01-05T12:23:45+02:00"', "2026-01-05T10:23:45.000Z", None),
    ('"2026-01-05T10:23:45"', "2026-01-05T10:23:45.000Z", None),
    ("1767608625120", "2026-01-05T10:23:45.120Z", None),
    ('"1767608625120"', "2026-01-05T10:23:45.120Z", None),
    (
        "1767608625",
        None,
        "1767608625 is 2026-01-05T10:23:45.000Z as seconds, 1970-01-21T11:00:08.625Z as milliseconds",
    ),
    ('"1767608625"', None, '"1767608625" is 2026-01-05T10:23:45.000Z as seconds'),
    ("1767608625120000", None, "2026-01-05T10:23:45.120Z as microseconds"),
    ("1767608625120000000", None, "2026-01-05T10:23:45.120Z as nanoseconds"),
    ("1767608625.5", None, "1767608625.5 is not a whole number"),
    ("1.7e9", None, "1.7e9 is not a whole number"),
    ("0", None, "0 stands for no time"),
    ("-1", None, "-1 stands for no time"),
    ("true", None, "true is not a time"),
    ('{"s":1}', None, '{"s":1} is not a time'),
    ('"2026-01-05T10:23:45+00"', None, '"2026-01-05T10:23:45+00" is not an RFC 3339 time'),
    ('"2026-01-05"', None, '"2026-01-05" is not an RFC 3339 time'),
    ('"20260105T102345Z"', None, '"20260105T102345Z" is not an RFC 3339 time'),
    ('"Mon, 05 Jan 2026 10:23:45 GMT"', None, "is not an RFC 3339 time"),
    ('"1970-01-01T00:00:00Z"', None, '"1970-01-01T00:00:00Z" stands for no time'),
    ('"0001-01-01T00:00:00Z"', None, '"0001-01-01T00:00:00Z" stands for no time'),
    ('"9999-12-31T23:59:59Z"', None, '"9999-12-31T23:59:59Z" stands for no time'),
    ('"yesterday"', None, '"yesterday" is not an RFC 3339 time'),
    ("null", None, None),
    ('""', None, None),
]

ORDER = {"customerId": "C-1", "totalAmount": "5.00", "currency": "USD"}
PAYMENT = {"amount": "5.00", "currency": "USD", "status": "CAPTURED"}


def legs(key):
    """What each source says of this order, by leg: (source, type, payload)."""
    return {
        "order": ("aws", "OrderPlaced", {"orderId": key, **ORDER}),
        "payment": (
            "gcp",
            "PaymentProcessed",
            {"orderId": key, "paymentId": "P-" + key, **PAYMENT},
        ),
        "inventory": ("azure", "InventoryReserved", {"orderId": key, "reservationId": "R-" + key}),
    }


def event_line(key, leg, time, **more):
    source, event_type, payload = legs(key)[leg]
    text = json.dumps(
        {
            "source": source,
            "eventType": event_type,
            "id": f"{key}-{leg}",
            "payload": payload,
            **more,
        }
    )
    return text if time is None else text[:-1] + f',"time":{time}}}'


def eventbridge(key, time):
    detail = json.dumps(legs(key)["order"][2])
    return (
        f'{{"version":"0","id":"{key}-order","detail-type":"OrderPlaced","source":"shop","account":"1","region":"eu-west-1",'
        f'"time":{time},"detail":{detail}}}'
    )


def sns(key, time):
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": "m-" + key,
            "TopicArn": "arn:aws:sns:eu-west-1:1:orders",
            "Message": eventbridge(key, time),
            "Timestamp": "2026-01-05T10:23:46.000Z",
        }
    )


def pubsub(key, time):
    data = base64.b64encode(json.dumps(legs(key)["payment"][2]).encode()).decode()
    return (
        f'{{"message":{{"data":"{data}","messageId":"{key}-payment","attributes":{{"eventType":"PaymentProcessed"}},'
        f'"publishTime":{time}}},"subscription":"projects/p/subscriptions/s"}}'
    )


def eventgrid(key, time):
    data = json.dumps(legs(key)["inventory"][2])
    return (
        f'[{{"id":"{key}-inventory","eventType":"Shop.InventoryReserved","eventTime":{time},"subject":"s","dataVersion":"1",'
        f'"topic":"/t","data":{data}}}]'
    )


# door: the leg that comes through it, path, media type, body
DOORS = {
    "direct": (
        "order",
        "/api/v1/events/ingest",
        "application/json",
        lambda k, t: event_line(k, "order", t),
    ),
    "array": (
        "payment",
        "/api/v1/events/batch",
        "application/json",
        lambda k, t: f'[{event_line(k, "payment", t)}]',
    ),
    "lines": (
        "inventory",
        "/api/v1/events/batch",
        "application/x-ndjson",
        lambda k, t: event_line(k, "inventory", t) + "\n",
    ),
    "eventbridge": ("order", "/api/v1/webhooks/aws/eventbridge", "application/json", eventbridge),
    "sns": ("order", "/api/v1/webhooks/aws/eventbridge", "text/plain", sns),
    "pubsub": ("payment", "/api/v1/webhooks/gcp/pubsub", "application/json", pubsub),
    "eventgrid": ("inventory", "/api/v1/webhooks/azure/eventgrid", "application/json", eventgrid),
}


def told(verdict):
    """Status, and each finding as one text."""
    return [verdict["status"]] + [
        f'{f["kind"]} {f["leg"]} {f["severity"]} {f["detail"]}' for f in verdict["findings"]
    ]


def as_expected(test, verdict, leg, name, taken, why, context):
    findings = [f for f in verdict["findings"] if f["kind"] != "skew"]
    test.assertEqual(verdict["status"], "matched", (context, verdict))
    test.assertEqual(len(findings), 0 if why is None else 1, (context, findings))
    if why is not None:
        test.assertEqual(
            (findings[0]["kind"], findings[0]["leg"], findings[0]["severity"]),
            ("data", leg, "warning"),
            context,
        )
        test.assertIn(f"{leg}: {name}: ", findings[0]["detail"], context)
        test.assertIn(why, findings[0]["detail"], context)
    event = verdict["events"][leg]
    test.assertEqual(event.get("time"), taken, (context, event))


class Times(unittest.TestCase):
    def setUp(self):
        self.directory = TemporaryDirectory()
        self.addCleanup(self.directory.__exit__)

    def path(self, name):
        return os.path.join(self.directory.path, name)

    def others(self, key, leg):
        """The other legs, without any time: nothing is skewed."""
        return [json.loads(event_line(key, other, None)) for other in legs(key) if other != leg]

    def send(self, server, batch):
        answer = server.post("/api/v1/events/batch", batch)
        self.assertEqual(answer.json()["accepted"], len(batch), answer)

    def verdict(self, server, key, after):
        answer = server.get_patiently(f"/api/v1/reconciliation/{key}?after={after}")
        self.assertEqual(answer.status, 200, answer)
        return answer.json()

    def test_every_door(self):
        with Server(self.path("data")) as server:
            sent = []
            for door, (leg, target, media, body) in DOORS.items():
                for n, (time, taken, why) in enumerate(TIMES):
                    key = f"{door}-{n}"
                    answer = server.post(target, body(key, time), media)
                    self.assertLess(answer.status, 300, (door, time, answer))
                    if door == "direct":
                        warnings = [w for w in answer.json()["warnings"] if w.startswith("time: ")]
                        self.assertEqual(
                            any(why in w for w in warnings) if why else False,
                            why is not None,
                            (time, warnings),
                        )
                    self.send(server, self.others(key, leg))
                    sent.append((key, leg, taken, why, (door, time)))
            self.assertEqual(server.quarantined(), [], "no time refuses an event")
            last = server.ingest(line("aws", "Noise", "last")).json()["position"]
            live = {}
            for key, leg, taken, why, context in sent:
                live[key] = self.verdict(server, key, last)
                as_expected(self, live[key], leg, "envelope.time", taken, why, context)
            self.assertEqual(server.terminate(), 0)
        self.compare_with_the_export(live)

    def compare_with_the_export(self, live):
        """An export judged offline gives the live revisions, however odd its times are."""
        code, out, err = run("log", "export", "--data", self.path("data"))
        self.assertEqual(code, 0, err)
        _, offline, err = run("reconcile", "--revisions", "--format", "ndjson", stdin=out.encode())
        self.assertIn(" 0 rejected", err)
        latest = {v["key"]: v for v in map(json.loads, offline.splitlines())}
        self.assertEqual(
            {k: told(v) for k, v in latest.items()}, {k: told(v) for k, v in live.items()}
        )
        events, _ = events_of(self.path("data"))
        as_sent = [e.get("time") for e in events if e["id"] == "direct-5-order"]
        self.assertEqual(as_sent, [1767608625], "kept as sent")

    def test_offline_without_receive_times(self):
        """A foreign set: lines that were never received by a server, with odd times in the line or on a path."""
        lines, expected = [], []
        for n, (time, taken, why) in enumerate(TIMES):
            for place in ("envelope.time", "timestamp"):
                key = f"{place[:1]}-{n}"
                first = event_line(key, "payment", time if place == "envelope.time" else None)
                if place == "timestamp":
                    first = first.replace('"amount"', f'"timestamp":{time},"amount"')
                lines += [first] + [json.dumps(other) for other in self.others(key, "payment")]
                expected.append((key, place, taken, why, (place, time)))
        code, out, err = run("reconcile", "--format", "ndjson", stdin="\n".join(lines).encode())
        self.assertEqual(code, 0, err)
        verdicts = {v["key"]: v for v in map(json.loads, out.splitlines())}
        self.assertEqual(len(out.splitlines()), len(expected), "one key is one case")
        for key, place, taken, why, context in expected:
            as_expected(self, verdicts[key], "payment", place, taken, why, context)

    def test_epoch_seconds_with_a_declared_unit(self):
        """Seconds are as good as any once the flow says so; then skew and lateness are judged."""
        flow = self.path("order.yaml")
        with open(sys.argv[1], encoding="utf-8") as shipped, open(
            flow, "w", encoding="utf-8"
        ) as out:
            text = shipped.read()
            self.assertIn("envelope.time]", text)
            out.write(
                text.replace(
                    "occurred: [timestamp,", "occurred: [{path: created, unit: s}, timestamp,"
                ).replace("envelope.time]", "{path: envelope.time, unit: s}]")
            )
        start = 1767608625
        lines = []
        for key, envelope, late in (
            ("A", False, 0),
            ("B", True, 0),
            ("C", False, 45),
            ("D", True, 45),
        ):
            for leg in legs(key):
                happened = start + (late if leg == "inventory" else 1)
                source, event_type, payload = legs(key)[leg]
                item = {
                    "source": source,
                    "eventType": event_type,
                    "id": f"{key}-{leg}",
                    "payload": payload,
                }
                (item if envelope else payload)["time" if envelope else "created"] = happened
                lines.append(json.dumps(item))
        code, out, err = run(
            "reconcile", "--flow", flow, "--format", "ndjson", stdin="\n".join(lines).encode()
        )
        self.assertEqual(code, 1, err)
        verdicts = {v["key"]: told(v) for v in map(json.loads, out.splitlines())}
        self.assertEqual(verdicts["A"], ["matched"])
        self.assertEqual(verdicts["B"], ["matched"])
        for key in "CD":
            self.assertEqual(verdicts[key][0], "mismatched")
            self.assertIn("inventory happened 44 s after", verdicts[key][1])
            self.assertEqual(len(verdicts[key]), 2)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
