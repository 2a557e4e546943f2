#!/usr/bin/env python3
"""What should hurt a server and does not: bombs, 100,000 keys, a quarantine that is filled on purpose, senders that are too fast.
Against the real binary: good events go on beside all of it, and memory stays where it was.
"""
import gzip
import hashlib
import hmac
import json
import os
import socket
import time
import unittest
import zlib

from helios_process import Server, TemporaryDirectory, binary, environment, line, run

INGEST = "/api/v1/events/ingest"
BATCH = "/api/v1/events/batch"
GRID = "/api/v1/webhooks/azure/eventgrid"
MIB = 1 << 20


def order(event_id, **payload):
    return line("aws", "OrderPlaced", event_id, orderId=event_id, customerId="C-1", **payload)


class Hostile(unittest.TestCase):
    def setUp(self):
        self.directory = TemporaryDirectory()
        self.addCleanup(self.directory.__exit__)
        self.data = os.path.join(self.directory.path, "data")
        self.good = 0

    def served(self, **env):
        server = Server(self.data, env=environment(**env))
        self.addCleanup(server.kill)
        return server

    def goes_on(self, server):
        self.good += 1
        answer = server.ingest(order(f"good-{self.good}"))
        self.assertEqual(202, answer.status, answer)

    def metric(self, server, name):
        text = server.get("/metrics").body.decode()
        return sum(float(row.rsplit(" ", 1)[1]) for row in text.splitlines() if row.startswith(name))

    def test_bodies_that_are_compressed(self):
        server = self.served()
        coded = {"Content-Encoding": "gzip"}
        self.assertEqual(202, server.ingest(gzip.compress(json.dumps(order("z-1")).encode()), **coded).status)
        self.assertEqual(200, server.ingest(order("z-1")).status, "one event, compressed or not")
        before = server.resident_bytes()
        compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
        bomb = b"".join(compressor.compress(b" " * MIB) for _ in range(1024)) + compressor.flush()
        for target in (INGEST, BATCH, GRID):
            for _ in range(20):
                answer = server.post(target, bomb, **coded)
                self.assertEqual(413, answer.status, answer)
        good = gzip.compress(json.dumps(order("z-2")).encode())
        for body in (b"", b"{}", good[:-1], good + b"\n", good + good, good[:20] + b"xx" + good[22:]):
            answer = server.ingest(body, **coded)
            self.assertEqual(400, answer.status, answer)
            self.goes_on(server)
        for coding in ("br", "deflate", "gzip, gzip"):
            answer = server.ingest(good, **{"Content-Encoding": coding})
            self.assertEqual((415, "gzip"), (answer.status, answer.headers.get("accept-encoding")))
        self.assertLess(server.resident_bytes() - before, 64 * MIB, "sixty bombs of a gigabyte")
        self.assertEqual(0, self.metric(server, "helios_gateway_requests_in_flight"))

    def test_bodies_that_are_dear_to_read(self):
        server = self.served()
        before = server.resident_bytes()
        keys = ",".join(f'"k{n:06}":{n}' for n in range(100_000))
        same = ",".join('"k":1' for _ in range(100_000))
        wide = '{"source":"aws","eventType":"OrderPlaced","id":"%s","payload":{"orderId":"w","customerId":"C",%s}}'
        began = time.monotonic()
        self.assertIn(server.post(BATCH, "[" + wide % ("wide", keys) + "]").status, (200,))
        self.assertEqual(200, server.post(BATCH, "[" + wide % ("same", same) + "]").status)
        for deep in ("[" * 1_000_000, "[" * 500_000 + "]" * 500_000, '{"a":' * 150_000 + "1" + "}" * 150_000):
            answer = server.post(BATCH, deep)
            self.assertIn(answer.status, (200, 400), answer)
            self.goes_on(server)
        for text in (b'"\xff\xfe"', b'"\xed\xa0\x80"', b'"\\ud800"', b'"\\u0000"'):
            body = b'{"source":"aws","eventType":"OrderPlaced","payload":{"orderId":%s,"customerId":"C"}}' % text
            self.assertIn(server.ingest(body).status, (202, 422))
        self.assertLess(time.monotonic() - began, 60, "nothing takes quadratic time")
        self.assertLess(server.resident_bytes() - before, 256 * MIB)
        self.goes_on(server)

    def test_slow_and_ambiguous_connections_hold_up_nobody(self):
        server = self.served(HELIOS_HTTP_HEADER_TIMEOUT="1s")
        slow = []
        for _ in range(200):
            wire = socket.create_connection((server.host, server.port), timeout=30)
            wire.sendall(b"POST /api/v1/events/ingest HTTP/1.1\r\nHost: localhost\r\nX-")
            slow.append(wire)
        self.goes_on(server)
        for wire in slow:
            self.assertIn(b" 408 ", wire.recv(4096))
            wire.close()
        smuggled = b"0\r\n\r\nGET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for framing in (
            b"Content-Length: 4\r\nTransfer-Encoding: chunked",
            b"Content-Length: 4\r\nContent-Length: 5",
            b"Content-Length: 4\r\n Content-Length: 5",
            b"Content-Length: 4\nX: y",
        ):
            with socket.create_connection((server.host, server.port), timeout=30) as wire:
                wire.sendall(b"POST /api/v1/events/ingest HTTP/1.1\r\nHost: localhost\r\n" + framing + b"\r\n\r\n" + smuggled)
                wire.shutdown(socket.SHUT_WR)
                heard = b""
                while chunk := wire.recv(65536):
                    heard += chunk
            self.assertTrue(heard.startswith(b"HTTP/1.1 400 "), heard)
            self.assertEqual(1, heard.count(b"HTTP/1.1 "), "what follows is no request")
        self.goes_on(server)

    def test_a_full_quarantine_refuses_what_it_would_keep_until_somebody_decides(self):
        server = self.served(HELIOS_GATEWAY_DLQ_BYTES_MAX="256KiB")

        def bad(n):
            return {"source": "aws", "eventType": "OrderPlaced", "id": f"bad-{n}", "payload": {"x": "y" * 30_000}}

        kept = []
        for n in range(20):
            answer = server.ingest(bad(n))
            if answer.status != 422:
                break
            kept.append(answer.json()["dlqId"])
        self.assertEqual(429, answer.status, answer)
        self.assertIn("retry-after", answer.headers)
        self.assertEqual(8, len(kept), "8 × 30 kB in 256 KiB")
        self.goes_on(server)
        mixed = server.post(BATCH, [order("mixed-1"), bad(99), order("mixed-2")]).json()
        self.assertEqual(["accepted", "failed", "accepted"], [item["status"] for item in mixed["items"]])
        self.assertTrue(mixed["items"][1]["retryable"])
        until = time.monotonic() + 30
        while (health := server.get("/api/v1/health").json())["status"] == "healthy" and time.monotonic() < until:
            time.sleep(0.05)
        self.assertEqual("degraded", health["status"], health)
        code, out, _ = run("health", "--to", f"http://{server.host}:{server.port}")
        self.assertEqual(1, code)
        self.assertIn("wait in quarantine", out)
        self.assertGreater(self.metric(server, "helios_gateway_dlq_bytes"), 200_000)

        for dlq_id in kept[:4]:
            self.assertLess(server.post(f"/api/v1/dlq/{dlq_id}/discard", {"reason": "of a test"}).status, 300)
        until = time.monotonic() + 30
        while (answer := server.ingest(bad(99))).status == 429 and time.monotonic() < until:
            time.sleep(0.05)
        self.assertEqual(422, answer.status, "discarded items make room, without a restart")
        server.kill()
        server = self.served(HELIOS_GATEWAY_DLQ_BYTES_MAX="256KiB")
        waiting = {item["eventId"] for item in server.quarantined()}
        self.assertEqual({f"bad-{n}" for n in (4, 5, 6, 7, 99)}, waiting)
        until = time.monotonic() + 30
        while self.metric(server, "helios_gateway_dlq_bytes") < 150_000 and time.monotonic() < until:
            time.sleep(0.05)
        statuses = [server.ingest(bad(100 + n)).status for n in range(5)]
        self.assertEqual([422, 422, 422, 429, 429], statuses, "what waited before a kill counts")
        self.goes_on(server)

    def test_a_sender_that_is_too_fast_slows_down_alone(self):
        secret = b"a secret of the shop"
        server = self.served(
            HELIOS_SOURCES_DIRECT_POLICY="hmac",
            HELIOS_SOURCES_DIRECT_SECRETS="env:SHOP",
            SHOP=secret.decode(),
            HELIOS_SOURCES_DIRECT_CREDENTIAL_RATE="2",
            HELIOS_SOURCES_AZURE_RATE="2",
        )

        def signed(body):
            body = json.dumps(body).encode()
            at = str(int(time.time()))
            code = hmac.new(secret, at.encode() + b"." + body, hashlib.sha256).hexdigest()
            return server.post(INGEST, body, **{"X-Helios-Signature": f"t={at},v1={code}"})

        statuses = [signed(order(f"fast-{n}")).status for n in range(60)]
        self.assertEqual({202, 429}, set(statuses))
        grid = [{"id": f"g-{n}", "topic": "/t", "subject": "s", "eventType": "A", "eventTime": "2026-01-05T10:23:45Z", "data": {}} for n in range(20)]
        self.assertEqual(200, server.post(GRID, grid).status, "an array is taken whole")
        slow = server.post(GRID, grid[:1])
        self.assertEqual((503, "30"), (slow.status, slow.headers["retry-after"]))
        sources = {item["source"]: item for item in server.get("/api/v1/sources").json()["items"]}
        rate = [refused for refused in sources["direct"]["refusals"] if refused["reason"] == "rate"]
        self.assertEqual(statuses.count(429), rate[0]["count"])
        self.assertEqual("rate", sources["azure"]["refusals"][0]["reason"])
        self.assertEqual(statuses.count(429), self.metric(server, 'helios_gateway_requests_without_items_total{endpoint="/api/v1/events/ingest",outcome="rate"}'))

    def test_bounds_that_sum_to_more_than_there_may_be_are_refused_at_start(self):
        code, _, errors = run("serve", "--data", self.data, "--listen", "127.0.0.1:0", env=environment(HELIOS_APP_MEMORY_MAX="1GiB"))
        self.assertEqual(2, code)
        self.assertIn("app.memory_max is 1GiB", errors)
        self.assertIn("reconcile.open_cases_max", errors)


if __name__ == "__main__":
    binary()
    unittest.main(argv=["hostile_test"])
