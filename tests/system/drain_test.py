#!/usr/bin/env python3
"""SIGTERM, by raw sockets: what has begun is finished or told, within the limit. Against the real binary."""
import base64
import json
import os
import signal
import socket
import time
import unittest

from helios_process import Server, TemporaryDirectory, binary, environment, line

INGEST = "/api/v1/events/ingest"
LIMIT = 6.0  # seconds: app.drain_limit here


def upload(event_id, key):
    """The request's bytes, in two halves."""
    body = json.dumps(line("aws", "OrderPlaced", event_id, orderId=key, customerId="C-1")).encode()
    head = (
        f"POST {INGEST} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    return head + body[:30], body[30:]


def receive(wire):
    """(status, head, body) of one answer; status 0: the connection ended first."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = wire.recv(65536)
        if not part:
            return 0, "", data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    head = head.decode()
    length = next(
        (int(h[16:]) for h in head.split("\r\n") if h.lower().startswith("content-length: ")), 0
    )
    while len(body) < length:
        part = wire.recv(65536)
        if not part:
            break
        body += part
    return int(head.split()[1]), head + "\r\n", body


class Drain(unittest.TestCase):
    def setUp(self):
        self.directory = TemporaryDirectory()
        self.addCleanup(self.directory.__exit__)
        self.server = self.serve()

    def serve(self):
        server = Server(
            self.directory.path + "/data", env=environment(HELIOS_APP_DRAIN_LIMIT=f"{LIMIT:.0f}s")
        )
        self.addCleanup(server.kill)
        return server

    def connect(self):
        wire = socket.create_connection((self.server.host, self.server.port), 20)
        self.addCleanup(wire.close)
        return wire

    def half(self, data):
        """A connection on which the server has read `data`, and waits for more."""
        wire = self.connect()
        wire.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n" + data)
        self.assertEqual(receive(wire)[0], 200)
        return wire

    def stop(self):
        """SIGTERM; returns once the server refuses new connections."""
        began = time.monotonic()
        self.server.process.send_signal(signal.SIGTERM)
        while True:
            try:
                socket.create_connection((self.server.host, self.server.port), 5).close()
            except ConnectionRefusedError:
                return began
            self.assertLess(time.monotonic() - began, LIMIT, "new connections are refused at once")
            time.sleep(0.005)

    def ended(self, began, within):
        self.assertEqual(self.server.process.wait(20), 0, self.server.errors())
        self.assertLess(time.monotonic() - began, within)

    def test_an_upload_that_is_half_read_is_finished_and_kept(self):
        first, rest = upload("u-1", "ORD-1")
        wire = self.half(first)
        began = self.stop()
        time.sleep(0.3)
        wire.sendall(rest)
        status, head, _ = receive(wire)
        self.assertEqual(status, 202)
        self.assertIn("Connection: close\r\n", head)
        self.ended(began, LIMIT + 10)
        self.server = self.serve()
        self.assertEqual(self.server.verdict("ORD-1").status, 200)

    def test_an_upload_that_does_not_end_is_answered_within_the_limit(self):
        first, _ = upload("u-2", "ORD-2")
        wire = self.half(first)
        began = self.stop()
        status, head, body = receive(wire)
        self.assertLess(time.monotonic() - began, LIMIT)
        self.assertEqual(status, 503, body)
        self.assertIn("Connection: close\r\n", head)
        self.assertIn("Retry-After: ", head)
        wire.close()
        self.ended(began, LIMIT + 10)

    def test_a_request_that_begins_while_others_end_is_answered_503(self):
        first, rest = upload("u-3", "ORD-3")
        upload_wire, kept, head_only = self.half(first), self.half(b""), self.half(b"GET /hea")
        began = self.stop()
        status, head, _ = receive(head_only)
        self.assertEqual(status, 503)
        kept.sendall(b"GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
        status, head, _ = receive(kept)
        self.assertEqual(status, 503)
        self.assertIn("Connection: close\r\n", head)
        self.assertEqual(kept.recv(1), b"")
        upload_wire.sendall(rest)
        self.assertEqual(receive(upload_wire)[0], 202)
        for wire in (kept, head_only, upload_wire):
            wire.close()
        self.ended(began, LIMIT + 10)

    def test_a_websocket_is_told_1001(self):
        wire = self.connect()
        key = base64.b64encode(os.urandom(16)).decode()
        wire.sendall(
            f"GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self.assertEqual(receive(wire)[0], 101)
        began = self.stop()
        frame = wire.recv(4)
        self.assertEqual(frame[0], 0x88, "a close frame")
        self.assertEqual(frame[2:4], (1001).to_bytes(2, "big"))
        wire.close()
        self.ended(began, LIMIT + 10)

    def test_silent_connections_hold_nothing_up(self):
        for _ in range(20):
            self.half(b"")
        began = self.stop()
        self.ended(began, LIMIT)


if __name__ == "__main__":
    binary()
    unittest.main(argv=["drain_test"], verbosity=2)
