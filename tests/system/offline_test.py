#!/usr/bin/env python3
"""A command that did nothing does not say "good": `reconcile` without a case exits 1 and says what it looked for."""
import json
import os
import sys
import unittest

from helios_process import TemporaryDirectory, line, run

ORDER = line("aws", "OrderPlaced", "o-1", orderId="A1", customerId="C-1", totalAmount="1")
FULL = [
    ORDER,
    line("gcp", "PaymentProcessed", "p-1", orderId="A1", amount="1"),
    line("azure", "InventoryReserved", "i-1", orderId="A1"),
]


def ndjson(*events):
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


class Reconcile(unittest.TestCase):
    def nothing(self, stdin, *arguments, says):
        code, out, err = run("reconcile", *arguments, stdin=stdin)
        self.assertEqual(code, 1, err)
        self.assertIn("0 cases", err)
        for text in says:
            self.assertIn(text, err)

    def test_what_is_judged_is_judged(self):
        code, _, err = run("reconcile", stdin=ndjson(*FULL))
        self.assertEqual(code, 0, err)
        self.assertNotIn("no case", err)

    def test_empty_input(self):
        for nothing in (b"", b"\n", b" \r\n\n"):
            self.nothing(nothing, says=["the input is empty"])
        self.nothing(b"", "/dev/null", says=["the input is empty"])

    def test_only_control_lines(self):
        end = {"control": "end", "at": "2026-01-05T12:00:00Z"}
        self.nothing(ndjson(end), says=["1 control lines, and no event"])

    def test_an_export_of_a_level_that_is_not_known_is_not_judged(self):
        def level(n):
            return {"control": "level", "at": "2026-01-05T12:00:00Z", "level": n}

        code, _, err = run("reconcile", stdin=ndjson(level(1), *FULL))
        self.assertEqual(code, 0, err)
        for beyond in (2, "2", 4294967298, 10**30):
            for lines in ([level(beyond), *FULL], [*FULL, level(beyond)]):
                code, out, err = run("reconcile", "--format", "ndjson", stdin=ndjson(*lines))
                self.assertEqual(code, 2, err)
                self.assertEqual(out, "", "no verdict is told")
                for text in (
                    f"stdin:{lines.index(level(beyond)) + 1}: the export is at level {beyond}",
                    "this version knows up to 1",
                    "otherwise than was published",
                    "use the version that wrote it, or a newer one",
                ):
                    self.assertIn(text, err)
        for nonsense in (0, -1, 1.5, "", "one", None, {}, []):
            code, _, err = run("reconcile", stdin=ndjson(level(nonsense), *FULL))
            self.assertEqual(code, 1, err)
            self.assertIn("stdin:1: rejected: `level` is not a whole number", err)

    def test_all_rejected(self):
        self.nothing(b"nonsense\n{}\n", says=["every event line was rejected"])
        self.nothing(
            ndjson(line("mars", "OrderPlaced", "o-1", orderId="A1")),
            says=["named by an active flow", "every event line was rejected"],
        )

    def test_a_source_is_known_to_the_tenants_whose_flows_name_it(self):
        flow = {
            "control": "flow",
            "at": "2026-01-05T12:00:00Z",
            "tenant": "second",
            "text": "flow: stock\nversion: 1\nkey: {paths: [orderId]}\nlegs:\n"
            "  a: {source: warehouse, type: Sent, deadline: 5s}\n"
            "  b: {source: warehouse, type: Received, deadline: 5s}\n",
        }
        sent = dict(
            line("warehouse", "Sent", "s-1", orderId="A1"), receivedAt="2026-01-05T12:00:01Z"
        )
        with TemporaryDirectory() as directory:
            rejects = os.path.join(directory, "rejects")
            _, out, err = run(
                "reconcile",
                "--format",
                "json",
                "--rejects",
                rejects,
                stdin=ndjson(flow, dict(sent, tenant="second"), sent),
            )
            with open(rejects, encoding="utf-8") as file:
                rejected = [json.loads(text) for text in file]
        self.assertEqual([verdict["flow"] for verdict in json.loads(out)["items"]], ["stock"], err)
        self.assertEqual([reject["line"] for reject in rejected], [3], err)
        self.assertIn("named by an active flow", rejected[0]["why"])

    def test_no_flow_wants_them(self):
        self.nothing(
            ndjson(line("aws", "OrderCreated", "o-1", orderId="A1"), line("gcp", "Ping", "p-1")),
            says=[
                "no flow wants such events",
                "flow order wants: aws OrderPlaced, gcp PaymentProcessed, azure InventoryReserved",
                "aws OrderCreated with orderId",
                "gcp Ping with an empty payload",
                "--flow FILE",
            ],
        )

    def test_a_key_that_no_event_carries(self):
        with TemporaryDirectory() as directory:
            flow = os.path.join(directory, "shop.yaml")
            with open(flow, "w", encoding="utf-8") as file:
                file.write(
                    "flow: shop\nversion: 1\nkey: {paths: [orderNumber, head.order]}\n"
                    "legs:\n  a: {source: any, type: A, deadline: 5s}\n  b: {source: any, type: B, deadline: 5s}\n"
                )
            events = [line("aws", "A", f"a-{n}", OrderNumber=n, head={"at": 1}) for n in range(100)]
            self.nothing(
                ndjson(*events),
                "--flow",
                flow,
                says=[
                    "100 without a key",
                    "flow shop looks for its key at: orderNumber, head.order",
                    "aws A with OrderNumber, head, head.at",
                    'is "OrderNumber" meant?',
                    "key: {paths: [OrderNumber]}",
                ],
            )
            code, _, err = run(
                "reconcile",
                "--flow",
                flow,
                stdin=ndjson(
                    line("aws", "A", "a", orderNumber=1),
                    line("aws", "B", "b", orderNumber=1),
                    *events,
                ),
            )
            self.assertEqual(code, 0, err)
            self.assertIn(
                "events without a key belong to no case\n  flow shop looks for its key at: orderNumber, head.order\n",
                err,
            )

    def test_every_mistake_of_every_flow_is_named(self):
        with TemporaryDirectory() as directory:
            names = [
                os.path.join(directory, name) for name in ("one.yaml", "two.yaml", "three.yaml")
            ]
            for name, text in zip(
                names, ("flow: a\nversion: 0\nnonsense: 1\n", "flow: b\nkey: 5\n")
            ):
                with open(name, "w", encoding="utf-8") as file:
                    file.write(text)
            code, out, err = run(
                "reconcile",
                *(word for name in names for word in ("--flow", name)),
                stdin=ndjson(*FULL),
            )
            self.assertEqual((code, out), (2, ""))
            for place in ("one.yaml:2:", "one.yaml:3:", "two.yaml:2:", "three.yaml"):
                self.assertIn(place, err)

    def test_as_of_before_everything(self):
        timed = [dict(event, time=f"2026-01-05T12:00:0{n}Z") for n, event in enumerate(FULL)]
        says = ["all 3 events came after --as-of", "the first came at 2026-01-05T12:00:00.000Z"]
        self.nothing(ndjson(*timed), "--as-of", "2026-01-01T00:00:00Z", says=says)
        received = [dict(event, receivedAt=event["time"]) for event in timed]
        self.nothing(ndjson(*received), "--as-of", "2026-01-01T00:00:00Z", says=says)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
