#!/usr/bin/env python3
"""The quarantine in use: items are tried again as they came and edited, discarded, and redriven, through the API and the commands;
a redrive goes on after kill -9, and nothing is lost or doubled.
"""
import os
import sys
import time
import unittest

from helios_process import Server, TemporaryDirectory, binary, events_of, run

FLOW = """flow: depot
version: 1
description: What was packed.
key: {name: itemId, paths: [itemId]}
anchor: packed
legs:
  packed:
    source: depot
    type: Packed
    deadline: 60s
    identity: key
"""
ITEMS = 400


def packed(n):
    return {"source": "depot", "eventType": "Packed", "id": f"p-{n}", "payload": {"itemId": f"I-{n}"}}


def no_order(n):
    return {"source": "aws", "eventType": "OrderPlaced", "id": f"o-{n}", "payload": {"customerId": "C"}}


class Dlq(unittest.TestCase):
    def setUp(self):
        self.directory = TemporaryDirectory()
        self.addCleanup(self.directory.__exit__)
        self.data = os.path.join(self.directory.path, "data")

    def served(self, *arguments):
        server = Server(self.data, *arguments)
        self.addCleanup(server.kill)
        return server

    def to(self, server):
        return "--to", f"http://127.0.0.1:{server.port}"

    def test_an_item_is_edited_and_becomes_an_event(self):
        server = self.served()
        problem = server.ingest(no_order(1)).json()
        dlq_id = problem["dlqId"]
        target = f"/api/v1/dlq/{dlq_id}"
        self.assertEqual(422, server.post(target + "/resubmit", "").status)
        payload = os.path.join(self.directory.path, "payload.json")
        with open(payload, "w", encoding="ascii") as out:
            out.write('{"orderId":"R-1","customerId":"C"}')
        edited = "dlq", "resubmit", dlq_id[:8], "--payload", payload
        code, out, errors = run(*edited, "--dry-run", *self.to(server))
        self.assertEqual((0, '+ payload.orderId "R-1"\n'), (code, out), errors)
        code, out, errors = run("dlq", "resubmit", dlq_id[:8], *self.to(server))
        self.assertEqual((1, ""), (code, out), errors)
        self.assertIn("orderId: required, absent", errors)
        code, out, errors = run(*edited, *self.to(server))
        self.assertEqual((0, '+ payload.orderId "R-1"\naccepted: event o-1\n'), (code, out), errors)
        self.assertEqual(200, server.verdict("R-1").status)
        item = server.get_patiently(target).json()
        self.assertEqual(("accepted", 3), (item["status"], item["attempts"]))
        self.assertEqual(
            ["failed", "failed", "accepted"], [outcome["what"] for outcome in item["outcomes"]]
        )
        self.assertEqual([], server.quarantined())
        self.assertEqual(
            [dlq_id], [i["dlqId"] for i in server.get("/api/v1/dlq?status=accepted").json()["items"]]
        )
        again = server.post(target + "/resubmit", "")
        self.assertEqual((200, "duplicate"), (again.status, again.json()["status"]))

    def test_an_item_is_discarded_with_a_reason(self):
        server = self.served()
        dlq_id = server.ingest(no_order(1)).json()["dlqId"]
        code, out, errors = run("dlq", "discard", dlq_id, "--reason", "a test", *self.to(server))
        self.assertEqual((0, f"discarded: {dlq_id}\n"), (code, out), errors)
        self.assertEqual("discarded", server.get_patiently(f"/api/v1/dlq/{dlq_id}").json()["status"])
        self.assertEqual([], server.quarantined())
        code, out, errors = run("dlq", "show", dlq_id, *self.to(server))
        self.assertIn("what discarded, attempt 0, who local", out)
        self.assertIn("reason a test", out)
        code, out, errors = run("dlq", "discard", "nobody-has-it", "--reason", "x", *self.to(server))
        self.assertEqual(2, code, errors)
        server.terminate()
        code, out, errors = run("log", "read", "--topic", "helios.audit", "--data", self.data)
        self.assertIn("dlq.discard", out, errors)

    def test_a_redrive_goes_on_after_kill_9(self):
        server = self.served()
        for n in range(ITEMS):
            self.assertEqual(422, server.ingest(packed(n)).status)
        server.terminate()
        flow = os.path.join(self.directory.path, "depot.yaml")
        with open(flow, "w", encoding="ascii") as out:
            out.write(FLOW)
        server = self.served("--flow", flow)
        dry = server.post("/api/v1/dlq/redrive", {"filter": {}, "dryRun": True}).json()
        self.assertEqual((ITEMS, ITEMS, {}), (dry["matched"], dry["wouldPass"], dry["wouldFail"]))
        begun = server.post("/api/v1/dlq/redrive", {"filter": {"reason": "unknown_source"}})
        self.assertEqual(202, begun.status, begun)
        self.assertEqual(ITEMS, begun.json()["total"])
        target = "/api/v1/dlq/redrive/" + begun.json()["id"]
        for _ in range(2):
            before = server.get_patiently(target).json()["done"]
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                if server.get_patiently(target).json()["done"] >= before + 20:
                    break
                time.sleep(0.02)
            server.kill()
            server = self.served("--flow", flow)
        code, out, errors = run(
            "dlq", "redrive", "--watch", begun.json()["id"], *self.to(server), timeout=120
        )
        self.assertEqual(
            (0, f"done: {ITEMS} of {ITEMS}: {ITEMS} accepted, 0 duplicate, 0 conflict, 0 failed\n"),
            (code, out),
            errors,
        )
        self.assertEqual([], server.quarantined())
        server.terminate()
        events, _ = events_of(self.data)
        self.assertEqual(
            sorted(f"p-{n}" for n in range(ITEMS)), sorted(event["id"] for event in events)
        )


if __name__ == "__main__":
    binary()
    unittest.main(argv=sys.argv[:1], verbosity=2)
