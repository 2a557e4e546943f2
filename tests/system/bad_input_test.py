#!/usr/bin/env python3
"""What must not hurt: hostile bytes over the wire and wrong command lines. Against the real
binary."""
import base64
import json
import os
import re
import socket
import sys
import threading
import time
import unittest
import urllib.parse

from helios_process import Server, TemporaryDirectory, binary, line, run

INGEST, BATCH = "/api/v1/events/ingest", "/api/v1/events/batch"
EVENTBRIDGE = "/api/v1/webhooks/aws/eventbridge"
PUBSUB = "/api/v1/webhooks/gcp/pubsub"
EVENTGRID = "/api/v1/webhooks/azure/eventgrid"
JSON_ENDPOINTS = (INGEST, BATCH, EVENTBRIDGE, PUBSUB, EVENTGRID)


def order(event_id, **payload):
    return line("aws", "OrderPlaced", event_id, customerId="C-1", **payload)


class OverTheWire(unittest.TestCase):
    """One server for all of it: whatever one test does must not spoil the next."""

    @classmethod
    def setUpClass(cls):
        cls.directory = TemporaryDirectory()
        cls.server = Server(cls.directory.path + "/data")

    @classmethod
    def tearDownClass(cls):
        try:
            assert cls.server.terminate() == 0, "SIGTERM ends with 0 after all that"
        finally:
            cls.directory.__exit__()

    def tearDown(self):
        self.assertIsNone(self.server.process.poll(), self.server.errors())
        self.assertEqual(self.server.get("/ready").status, 200, "still ready")

    def refused(self, answer, *statuses):
        self.assertIn(answer.status, statuses, answer)
        self.assertTrue(
            answer.headers["content-type"].startswith("application/problem+json"), answer.headers
        )
        problem = answer.json()
        self.assertEqual(problem["status"], answer.status)
        self.assertTrue(problem["title"] and problem.get("detail"), problem)
        return problem

    def in_quarantine(self, event_id):
        """The items of that id; the list follows what was acknowledged within a moment."""
        for _ in range(150):
            items = [item for item in self.server.quarantined() if item.get("eventId") == event_id]
            if items:
                return items
            time.sleep(0.02)
        return []

    def settled(self, key):
        for _ in range(200):
            answer = self.server.verdict(key)
            if answer.status == 200 and answer.json()["status"] != "pending":
                return answer.json()
            time.sleep(0.02)
        self.fail(f"{key} is not decided: {answer}")

    # Bytes that are no JSON

    def test_truncated(self):
        for path in JSON_ENDPOINTS:
            self.refused(
                self.server.post(
                    path, b'{"source":"aws","eventType":"OrderPlaced","payload":{"orderId":"T-1"'
                ),
                400,
            )

    def test_connection_that_ends_in_the_middle_of_a_body(self):
        with socket.create_connection((self.server.host, self.server.port), 10) as wire:
            wire.sendall(
                f"POST {INGEST} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n".encode()
            )
            wire.sendall(json.dumps(order("half-1", orderId="HALF-1")).encode()[:40])
        self.assertEqual(self.server.verdict("HALF-1").status, 404)

    def test_deeply_nested(self):
        deep = (
            b'{"source":"aws","eventType":"OrderPlaced","id":"deep-1","payload":'
            + b'{"a":' * 10_000
            + b"1"
            + b"}" * 10_001
        )
        for path in JSON_ENDPOINTS:
            self.refused(self.server.post(path, b"[" * 10_000), 400)
            answer = self.server.post(
                path, deep
            )  # well-formed, and deeper than anybody may go: no event, or one for quarantine
            self.assertTrue(
                answer.status in (400, 422) or answer.json()["quarantined"] == 1, (path, answer)
            )

    def test_what_is_wrong_inside_one_item(self):
        """Kept whole, every byte, and its neighbours are taken; only a broken structure is refused."""
        wrong = {
            "lone": b'"\\ud83d"',
            "low-first": b'"\\udc00"',
            "unpaired": b'"\\ud83d\\u0041"',
            "ff": b'"\xff\xfe"',
            "overlong": b'"\xc0\xaf"',
            "surrogate": b'"\xed\xa0\xbd"',
            "cut": b'"\xe2\x82"',
            "nul": b'"a\x00b"',
            "newline": b'"a\nb"',
            "escape": b'"\\x41"',
            "nan": b"NaN",
            "zero": b"01",
            "deep": b"[" * 600 + b"]" * 600,
            "name": b'{"\xff":1}',
        }

        def event(name, value=b"1"):
            return (
                json.dumps(order(f"in-{name}", orderId=f"IN-{name}", note="X"))
                .encode()
                .replace(b'"X"', value)
            )

        def grid(name, value=b"1"):
            item = {
                "id": f"grid-in-{name}",
                "topic": "/t",
                "subject": "s",
                "eventType": "Contoso.InventoryReserved",
                "eventTime": "2026-01-05T10:00:00Z",
                "data": {"orderId": f"IN-{name}", "note": "X"},
                "dataVersion": "1",
                "metadataVersion": "1",
            }
            return json.dumps(item).encode().replace(b'"X"', value)

        for name, value in wrong.items():
            with self.subTest(name):
                problem = self.refused(self.server.ingest(event(f"{name}-direct", value)), 422)
                self.assertIn(problem["reason"], ("bad_text", "not_json", "too_deep"))
                items = [
                    event(f"{name}-before"),
                    event(f"{name}-batch", value),
                    event(f"{name}-after"),
                ]
                answer = self.server.post(BATCH, b"[" + b",".join(items) + b"]").json()
                self.assertEqual(
                    [item["status"] for item in answer["items"]],
                    ["accepted", "quarantined", "accepted"],
                )
                answer = self.server.post(
                    EVENTGRID, b"[" + grid(f"{name}-a") + b"," + grid(f"{name}-b", value) + b"]"
                )
                self.assertEqual(
                    (answer.status, answer.json()["accepted"], answer.json()["quarantined"]),
                    (200, 1, 1),
                )
                bridge = (
                    b'{"version":"0","id":"bridge-'
                    + name.encode()
                    + b'","detail-type":"OrderPlaced","source":"s","detail":{"note":'
                    + value
                    + b"}}"
                )
                answer = self.server.post(EVENTBRIDGE, bridge)
                self.assertEqual((answer.status, answer.json()["status"]), (200, "quarantined"))
                kept = self.in_quarantine(f"in-{name}-direct")[0]
                self.assertEqual(
                    (kept["dlqId"], kept["orderId"]), (problem["dlqId"], f"IN-{name}-direct")
                )
                shown = self.server.get(f"/api/v1/dlq/{kept['dlqId']}").json()
                body = (
                    base64.b64decode(shown["body"])
                    if shown["bodyEncoding"] == "base64"
                    else shown["body"].encode()
                )
                self.assertEqual(body, event(f"{name}-direct", value), "every byte")
        code, out, err = run(
            "dlq", "show", problem["dlqId"], "--to", f"http://127.0.0.1:{self.server.port}"
        )
        self.assertEqual(code, 0, err)
        self.assertIn("body, base64:", out, "the last one is no UTF-8")
        for broken in (
            b"[" + event("x") + b",",
            b"[" + event("x") + b" " + event("y") + b"]",
            b"[" + event("x", b'"\xff') + b"]",
            event("x").decode().encode("utf-16"),
        ):
            self.refused(self.server.post(BATCH, broken), 400)
            self.refused(self.server.ingest(broken), 400)

    def test_byte_order_mark(self):
        self.assertEqual(
            self.server.ingest(
                b"\xef\xbb\xbf" + json.dumps(order("bom-1", orderId="BOM-1")).encode()
            ).status,
            202,
        )
        lines = b"\xef\xbb\xbf" + b"".join(
            json.dumps(order(f"bom-{i}", orderId=f"BOM-{i}")).encode() + b"\r\n" for i in (2, 3)
        )
        self.assertEqual(
            self.server.post(BATCH, lines, "application/x-ndjson").json()["accepted"], 2
        )

    def test_nul(self):
        body = json.dumps(order("nul-1", orderId="NUL-1")).encode()
        self.refused(self.server.ingest(body + b"\x00"), 400)
        key = body.replace(b"NUL-1", b"NUL\\u0000X")
        self.assertEqual(
            self.refused(self.server.ingest(key), 422)["reason"], "bad_key", "no URL could name it"
        )
        code, out, err = run("reconcile", "--format", "ndjson", stdin=key)
        self.assertEqual((code, out), (1, ""))
        self.assertIn("stdin:1: rejected: orderId: contains NUL", err, "offline alike")

    def test_a_time_without_a_zone_is_a_warning(self):
        event = {**order("zone-1", orderId="ZONE-1"), "time": "2026-01-05T10:00:00"}
        self.assertEqual(
            self.server.ingest(event).json()["warnings"], ["time: no zone, UTC assumed"]
        )
        err = run("reconcile", stdin=json.dumps(event).encode())[2]
        self.assertIn("1 with warnings", err, "offline alike")

    def test_the_document_shows_what_an_ingest_takes(self):
        document = self.server.get("/openapi.json").json()
        ingest = document["paths"][INGEST]["post"]
        self.assertEqual(
            ingest["requestBody"]["content"]["application/json"]["schema"],
            {"$ref": "#/components/schemas/EventLine"},
        )
        for status in ("200", "202", "409"):
            self.assertEqual(
                ingest["responses"][status]["content"]["application/json"]["schema"],
                {"$ref": "#/components/schemas/IngestAnswer"},
            )
        batch = document["paths"][BATCH]["post"]
        self.assertEqual(
            batch["responses"]["200"]["content"]["application/json"]["schema"],
            {"$ref": "#/components/schemas/BatchAnswer"},
        )
        for name in re.findall(r'"#/components/schemas/([^"]*)"', json.dumps(document)):
            self.assertIn(name, document["components"]["schemas"])

    def test_nothing_and_whitespace(self):
        for body in (b"", b"   \n", b"null", b"17", b'"text"'):
            self.refused(self.server.ingest(body), 400, 422)

    # Sizes

    def test_100_megabytes(self):
        before = self.server.resident_bytes()
        for path in JSON_ENDPOINTS:
            with socket.create_connection((self.server.host, self.server.port), 30) as wire:
                wire.sendall(
                    f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 104857600\r\n\r\n".encode()
                )
                self.assertRegex(self.read_head(wire), r"^HTTP/1\.1 413 ", path)
        self.assertLess(self.server.resident_bytes() - before, 64 << 20)

    def test_100_megabytes_in_chunks(self):
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        with socket.create_connection((self.server.host, self.server.port), 30) as wire:
            wire.sendall(
                f"POST {INGEST} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
            )
            try:
                for _ in range(1600):
                    wire.sendall(chunk)
            except OSError:
                pass  # refused and closed while we went on sending: that is the point
            head = self.read_head(wire)
        self.assertTrue(head == "" or re.match(r"HTTP/1\.1 413 ", head), head)

    @staticmethod
    def read_head(wire):
        data = b""
        try:
            while b"\r\n\r\n" not in data:
                more = wire.recv(4096)
                if not more:
                    break
                data += more
        except OSError:
            pass
        return data.decode("latin-1")

    def test_an_event_between_the_limits(self):
        body = json.dumps(order("big-1", orderId="BIG-1", note="x" * (2 << 20)))
        self.refused(self.server.ingest(body), 413)
        envelope = {
            "version": "0",
            "id": "big-2",
            "detail-type": "OrderPlaced",
            "source": "shop",
            "account": "123456789012",
            "region": "eu-west-1",
            "time": "2026-01-05T10:00:00Z",
            "resources": [],
            "detail": {"orderId": "BIG-2", "customerId": "C", "note": "x" * (11 << 20)},
        }
        self.assertEqual(
            self.server.post(EVENTBRIDGE, envelope).status,
            200,
            "quarantined whole: the sender must not try again",
        )
        self.assertEqual(len(self.in_quarantine("big-2")), 1)

    def test_empty_array(self):
        answer = self.server.post(BATCH, b"[]")
        self.assertEqual(
            (answer.status, answer.json()["accepted"], answer.json()["items"]), (200, 0, [])
        )
        self.assertIn(self.server.post(EVENTGRID, b"[]").status, (200, 400))

    def test_batch_of_5000(self):
        events = [order(f"many-{i}", orderId=f"MANY-{i}") for i in range(5000)]
        answer = self.server.post(BATCH, events)
        self.assertEqual(
            (answer.status, answer.json()["accepted"], len(answer.json()["items"])),
            (200, 5000, 5000),
        )
        again = self.server.post(
            BATCH, "\n".join(json.dumps(e) for e in events), "application/x-ndjson"
        )
        self.assertEqual(
            (again.status, again.json()["duplicate"]), (200, 5000), "the same as NDJSON"
        )
        grid = [
            {
                "id": f"grid-{i}",
                "topic": "/t",
                "subject": "s",
                "eventType": "Contoso.Shop.InventoryReserved",
                "eventTime": "2026-01-05T10:00:00Z",
                "data": {"orderId": f"MANY-{i}", "items": []},
                "dataVersion": "1",
                "metadataVersion": "1",
            }
            for i in range(5000)
        ]
        stored = self.server.post(EVENTGRID, grid, **{"aeg-event-type": "Notification"})
        self.assertEqual(stored.status, 200)
        found = self.server.get_patiently(
            f"/api/v1/events?order_id=MANY-4999&after={stored.headers['helios-position']}"
        ).json()["items"]
        self.assertEqual(sorted(e["eventId"] for e in found), ["grid-4999", "many-4999"])

    def test_long_head(self):
        with socket.create_connection((self.server.host, self.server.port), 10) as wire:
            wire.sendall(
                b"GET /ready HTTP/1.1\r\nHost: localhost\r\nX-Long: "
                + b"x" * (200 << 10)
                + b"\r\n\r\n"
            )
            self.assertRegex(self.read_head(wire), r"^HTTP/1\.1 (431|400) ")

    # Values

    def test_duplicate_keys(self):
        envelope = b'{"source":"aws","source":"gcp","eventType":"OrderPlaced","id":"dup-1","payload":{"orderId":"D-1","customerId":"C"}}'
        self.refused(self.server.ingest(envelope), 422, 400)
        payload = b'{"source":"aws","eventType":"OrderPlaced","id":"dup-2","payload":{"orderId":"D-2","orderId":"D-3","customerId":"C"}}'
        problem = self.refused(self.server.ingest(payload), 422)
        self.assertEqual(self.in_quarantine("dup-2")[0]["dlqId"], problem["dlqId"])
        elsewhere = b'{"source":"aws","eventType":"OrderPlaced","id":"dup-3","payload":{"orderId":"D-4","customerId":"C","x":1,"x":2}}'
        self.assertEqual(
            self.server.ingest(elsewhere).status,
            202,
            "a doubled key that nobody reads is the sender's business",
        )

    def trio(self, key, total, amount):
        for source, kind, event_id, payload in (
            ("aws", "OrderPlaced", "o", f'"customerId":"C","totalAmount":{total},"items":[]'),
            ("gcp", "PaymentProcessed", "p", f'"paymentId":"P-{key}","amount":{amount}'),
            ("azure", "InventoryReserved", "i", f'"reservationId":"R-{key}","items":[]'),
        ):
            body = f'{{"source":"{source}","eventType":"{kind}","id":"{event_id}-{key}","payload":{{"orderId":"{key}",{payload}}}}}'
            self.assertEqual(self.server.ingest(body).status, 202)
        return self.settled(key)

    def test_numbers(self):
        beyond = self.trio("NUM-1", "9007199254740993", "9007199254740992")
        self.assertEqual(
            beyond["status"], "mismatched", "a double cannot tell them apart, a decimal can"
        )
        finding = beyond["findings"][0]
        self.assertEqual(
            (finding["kind"], finding["expected"], finding["actual"]),
            ("amount", "9007199254740993.00", "9007199254740992.00"),
        )
        for key, amount in (
            ("NUM-2", "1e400"),
            ("NUM-3", "1234567890" * 4),
            ("NUM-4", '"1,299.00"'),
        ):
            verdict = self.trio(key, "12.50", amount)
            self.assertEqual(
                (verdict["status"], [f["kind"] for f in verdict["findings"]]),
                ("mismatched", ["data"]),
                verdict,
            )
        self.assertEqual(self.trio("NUM-5", "12.50", "1.25e1")["status"], "matched")

    def test_times(self):
        for i, at in enumerate(('"2500-01-01T00:00:00Z"', '"1969-12-31T23:59:59Z"', '"yesterday"')):
            body = f'{{"source":"aws","eventType":"OrderPlaced","id":"time-{i}","time":{at},"payload":{{"orderId":"TIME-{i}","customerId":"C"}}}}'
            answer = self.server.ingest(body)
            self.assertEqual(answer.status, 202, "no time refuses an event")
            self.assertTrue(answer.json()["warnings"][0].startswith(f"time: {at}"), answer)
            self.assertEqual(self.in_quarantine(f"time-{i}"), [])

    def test_wrong_content_type(self):
        body = json.dumps(order("type-1", orderId="TYPE-1"))
        for media_type in (
            "text/xml",
            "application/octet-stream",
            "multipart/form-data; boundary=x",
        ):
            self.refused(self.server.post(INGEST, body, media_type), 415)
        self.assertEqual(
            self.server.post(INGEST, body, "APPLICATION/JSON; charset=utf-8").status, 202
        )

    def test_unknown_source(self):
        self.refused(self.server.ingest(line("mars", "OrderPlaced", "mars-1", orderId="M-1")), 422)

    def test_path_traversal(self):
        key = "../../../../etc/passwd"
        self.assertEqual(
            self.server.ingest(order("../../evil", orderId=key)).status,
            202,
            "an id is text, nothing else",
        )
        answer = self.server.verdict(key)
        self.assertEqual((answer.status, answer.json()["key"]), (200, key))
        self.assertEqual(
            self.server.get("/api/v1/events/" + urllib.parse.quote("../../evil", safe="")).json()[
                "eventId"
            ],
            "../../evil",
        )
        for target in (
            "/docs/../../../../etc/passwd",
            "/docs/%2e%2e/%2e%2e/etc/passwd",
            "/assets/..%2f..%2f..%2fetc%2fpasswd",
            "//etc/passwd",
            "/api/v1/reconciliation/%00",
            "/%ff%fe",
        ):
            with socket.create_connection((self.server.host, self.server.port), 10) as wire:
                wire.sendall(
                    f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
                )
                text = self.read_head(wire)
            self.assertRegex(text, r"^HTTP/1\.1 (400|404) ", target)
        self.assertEqual(
            os.listdir(self.directory.path),
            ["data"],
            "nothing was written beside the data directory",
        )

    def test_keys(self):
        self.assertIn(
            self.server.ingest(order("key-1", orderId="K" * 2000)).status,
            (422,),
            "a key has at most 1 KiB",
        )
        self.assertEqual(self.server.ingest(order("key-2", orderId="0012")).status, 202)
        self.assertEqual(self.server.ingest(order("key-3", orderId=12)).status, 202)
        self.assertEqual(self.server.verdict("0012").json()["key"], "0012")
        self.assertEqual(self.server.verdict("12").json()["events"]["order"]["eventId"], "key-3")
        self.assertEqual(self.server.ingest(order("key-4", orderId="ключ/ü? #%")).status, 202)
        self.assertEqual(self.server.verdict("ключ/ü? #%").json()["key"], "ключ/ü? #%")

    def test_queries(self):
        for target in (
            "/api/v1/reconciliation/mismatches?limit=abc",
            "/api/v1/reconciliation/mismatches?limit=-1",
            "/api/v1/events?start_time=2026-01-05T10:00:00",
            "/api/v1/reconciliation/mismatches?cursor=nonsense",
            "/api/v1/reconciliation/mismatches?status=wonderful",
            "/api/v1/reconciliation/X?after=nonsense",
        ):
            self.refused(self.server.get(target), 400)
        injection = urllib.parse.quote("' OR 1=1; DROP TABLE events; --")
        self.assertEqual(
            self.server.get(f"/api/v1/events?order_id={injection}").json()["items"], []
        )

    # Many at once

    def test_the_same_id_from_64_connections(self):
        body = json.dumps(order("same-1", orderId="SAME-1", totalAmount="1.00")).encode()
        gate, statuses, lock = threading.Barrier(64), [], threading.Lock()

        def send():
            connection = self.server.connection()
            connection.connect()
            gate.wait()
            connection.request(
                "POST", INGEST, body=body, headers={"Content-Type": "application/json"}
            )
            response = connection.getresponse()
            answer = json.loads(response.read())
            connection.close()
            with lock:
                statuses.append((response.status, answer["status"]))

        threads = [threading.Thread(target=send) for _ in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(statuses), [(200, "duplicate")] * 63 + [(202, "accepted")])
        self.assertEqual(len(self.server.get("/api/v1/events?order_id=SAME-1").json()["items"]), 1)

    def test_the_same_id_with_other_content(self):
        self.assertEqual(
            self.server.ingest(order("conflict-1", orderId="CON-1", totalAmount="1.00")).status, 202
        )
        self.refused_or_conflict(
            self.server.ingest(order("conflict-1", orderId="CON-1", totalAmount="2.00"))
        )
        self.refused_or_conflict(
            self.server.ingest(order("conflict-1", orderId="CON-1", totalAmount="2.00"))
        )
        self.assertEqual(len(self.in_quarantine("conflict-1")), 1, "kept once for inspection")

    def refused_or_conflict(self, answer):
        self.assertEqual(answer.status, 409, answer)

    def test_ingest_says_what_is_wrong_with_a_line(self):
        lines = (
            json.dumps(line("aws", "OrderPlaced", "cli-1", totalAmount="1")) + "\n{nonsense\n"
        ).encode()
        code, out, errors = run(
            "ingest", "--to", f"http://127.0.0.1:{self.server.port}", stdin=lines
        )
        self.assertEqual(
            (code, out),
            (1, "accepted 0  duplicate 0  conflict 0  quarantined 2  refused 0\n"),
            errors,
        )
        self.assertIn("stdin:1: quarantined: orderId: required, absent", errors)
        self.assertIn("stdin:2: quarantined: JSON: ", errors)

    def test_one_rule_at_every_door(self):
        """The real commands beside the real server: what one refuses, the others do, in the same words."""

        def odd(name, **change):
            event = {**order(f"odd-{name}", orderId=f"ODD-{name}"), **change}
            return json.dumps({k: v for k, v in event.items() if v is not ...})

        good = {
            "empty-then-other": odd("a", payload={"orderId": "", "order_id": "ODD-a"}),
            "number-id": odd("b", id=5),
            "null-type": odd("c", eventType=None, type="OrderPlaced"),
            "same-types": odd("d", type="OrderPlaced"),
            "no-metadata": odd("e", metadata=""),
            "position": odd("f", position=5),
        }
        bad = {
            "types": odd("g", type="Other"),
            "empty-type": odd("h", eventType=""),
            "payload": odd("i", payload=[]),
            "metadata": odd("j", metadata="x"),
            "source": odd("k", source="AWS"),
            "escape": odd("l").replace("ODD-l", "\\ud83d"),
            "no-source": odd("m", source=...),
            "key": odd("n", payload={"orderId": "a\0"}),
            "steering": odd("o", source="\u202e\u009b"),
            "nan": odd("p", payload={"orderId": "A", "x": float("nan")}),
        }
        text = "\n".join([*good.values(), *bad.values()]).encode()
        problems = [
            self.refused(self.server.ingest(line.encode()), 422)["errors"][0]
            for line in bad.values()
        ]
        for line in good.values():
            self.assertIn(self.server.ingest(line.encode()).status, (200, 202), line)
        code, out, errors = run(
            "ingest", "--to", f"http://127.0.0.1:{self.server.port}", stdin=b"\xef\xbb\xbf" + text
        )
        self.assertEqual(code, 1)
        self.assertIn(f"duplicate {len(good)} ", out)
        self.assertIn(f"quarantined {len(bad)} ", out)
        offline = run("reconcile", stdin=b"\xef\xbb\xbf" + text)[2]
        for number, problem in enumerate(problems, len(good) + 1):
            self.assertIn(f"stdin:{number}: rejected: {problem}\n", offline)
            self.assertIn(f"stdin:{number}: quarantined: {problem[:40]}", errors)
        self.assertIn(f" {len(bad)} rejected", offline)
        self.assertNotRegex(offline + errors, "[\u202e\u009b]", "nobody's text drives a terminal")

    def test_rejects_keep_every_byte(self):
        path = self.directory.path + "/rejects.ndjson"
        self.addCleanup(os.remove, path)
        line = json.dumps(order("rej-1", orderId="REJ-1", note="X")).encode().replace(b"X", b"\xff")
        self.assertEqual(run("reconcile", "--rejects", path, stdin=line)[0], 1)
        with open(path, encoding="utf-8") as file:
            kept = json.load(file)
        self.assertEqual((kept["textEncoding"], base64.b64decode(kept["text"])), ("base64", line))

    def test_dlq_shows_what_waits(self):
        to = ("--to", f"http://127.0.0.1:{self.server.port}")
        body = json.dumps(
            {
                "source": "gcp",
                "eventType": "PaymentProcessed",
                "id": "dlq-1",
                "payload": {"orderId": "DLQ-\x1b[31m"},
            }
        )
        problem = self.refused(self.server.post(INGEST, body), 422)
        self.refused(self.server.post(INGEST, order("dlq-2", total="1")), 422)
        self.in_quarantine("dlq-2")  # the store has come that far
        code, out, errors = run("dlq", "ls", *to, "--source", "gcp", "--key", "DLQ-\x1b[31m")
        self.assertEqual(code, 0, errors)
        header, row = out.splitlines()
        self.assertRegex(
            row[header.index("last received") :], r"^\d{4}-", "columns stand below each other"
        )
        self.assertRegex(
            row,
            rf"^{problem['dlqId']}  .*Z +1 +gcp +PaymentProcessed  DLQ-\?\[31m  missing_field  amount: required, absent$",
        )
        code, out, errors = run("dlq", "ls", *to, "--limit", "0", "--format", "ndjson")
        self.assertEqual(code, 0, errors)
        self.assertLessEqual(
            {"dlq-1", "dlq-2"}, {json.loads(text).get("eventId") for text in out.splitlines()}
        )
        code, out, errors = run("dlq", "show", problem["dlqId"], *to)
        self.assertEqual((code, out.splitlines()[-1]), (0, body), errors)
        code, out, errors = run("dlq", "show", problem["dlqId"], *to, "--format", "json")
        self.assertEqual((code, json.loads(out)["body"]), (0, body), errors)
        code, out, errors = run("dlq", "show", "nope", *to)
        self.assertEqual(
            (code, out, errors), (1, "", "helios: nothing in quarantine has the id nope\n")
        )
        code, out, errors = run("dlq", "ls", "--to", "http://127.0.0.1:1")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("is `helios serve` running at http://127.0.0.1:1?", errors)

    def test_a_key_drives_no_terminal(self):
        code, out, errors = run(
            "reconcile",
            stdin=json.dumps(order("esc-1", orderId="\x1b[31m\nred", totalAmount="1")).encode(),
        )
        self.assertEqual((code, len(out.splitlines())), (1, 2), errors)
        self.assertIn(" ?[31m?red ", out)

    def test_log_ls_shows_whole_times(self):
        self.assertEqual(self.server.post(INGEST, order("ls-1", orderId="LS-1")).status, 202)
        code, out, errors = run("log", "ls", "--data", self.directory.path + "/data")
        self.assertEqual(code, 0, errors)
        rows = out.splitlines()[1:]
        self.assertRegex(
            rows.pop(), r"^records still to be taken in: route \d+, engine \d+, store \d+$"
        )
        for row in rows:
            self.assertRegex(
                row,
                r" \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$",
            )

    def test_no_cross_site_writes(self):
        body = json.dumps(order("csrf-1", orderId="CSRF-1"))
        self.assertEqual(self.server.ingest(body, Origin="https://evil.example").status, 403)
        self.assertIn(self.server.ingest(body, Host="evil.example").status, (400, 403, 421))
        self.assertEqual(self.server.verdict("CSRF-1").status, 404)


if __name__ == "__main__":
    binary()
    unittest.main(argv=sys.argv[:1], verbosity=2)
