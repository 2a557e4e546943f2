#!/usr/bin/env python3
"""Questions that nobody should ask, and many of them: memory stays bounded, and others are answered. Against the real binary."""
import re
import socket
import sys
import threading
import time
import unittest

from helios_process import Server, TemporaryDirectory, binary, environment, line

BATCH = "/api/v1/events/batch"
LARGEST = "/api/v1/events?limit=1000"


def order(event_id, **payload):
    return line("aws", "OrderPlaced", event_id, orderId=event_id, customerId="C-1", **payload)


class TooMuch(unittest.TestCase):
    UNSENT = 64 << 20
    others = 0

    @classmethod
    def setUpClass(cls):
        cls.directory = TemporaryDirectory()
        cls.server = Server(
            cls.directory.path + "/data",
            env=environment(HELIOS_HTTP_UNSENT_BYTES_MAX=f"{cls.UNSENT >> 20}MiB"),
        )
        events = [order(f"much-{n}", note="x" * 20_000) for n in range(250)]
        answer = cls.server.post(BATCH, events).json()
        assert answer["accepted"] == 250
        cls.server.get_patiently(f"/api/v1/events?limit=1&after={answer['position']}")
        cls.page = len(cls.server.get(LARGEST).body)
        assert cls.page > 4 << 20
        cls.request = f"GET {LARGEST} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()

    @classmethod
    def tearDownClass(cls):
        cls.server.kill()
        cls.directory.__exit__()

    def gauge(self, name):
        text = self.server.get("/metrics").body.decode()
        return float(re.search(rf"^{name} (.*)$", text, re.M).group(1))

    def wire(self, receive_buffer=None):
        wire = socket.socket()
        self.addCleanup(wire.close)
        if receive_buffer:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        wire.settimeout(30)
        wire.connect((self.server.host, self.server.port))
        return wire

    def answers_others(self):
        for path in ("/health", "/ready", "/api/v1/health", "/metrics"):
            self.assertEqual(self.server.get(path).status, 200, path)
        TooMuch.others += 1
        self.assertEqual(self.server.ingest(order(f"other-{self.others}")).status, 202)

    def watch_until_all_are_answered(self, before):
        """Answered: not taken by whoever asked."""
        until = time.monotonic() + 60
        time.sleep(0.3)  # these numbers are as of the last quarter of a second
        while self.gauge("helios_http_questions_waiting") + self.gauge("helios_http_questions_running"):
            self.answers_others()
            # Beside them what four workers make at a time, and what malloc keeps: without a bound it is a page for each.
            self.assertLess(self.server.resident_bytes() - before, self.UNSENT + 40 * self.page)
            self.assertLess(time.monotonic(), until)
        self.answers_others()

    def test_a_filter_of_a_mebibyte(self):
        for name in ("order_id", "cursor", "source", "flow", "limit", "no_such"):
            long = "x" * (1 << 20)
            answer = self.server.get(f"/api/v1/events?{name}={long}")
            self.assertEqual(answer.status, 431, name)
            answer = self.server.get(f"/api/v1/events?{name}={long[:60_000]}")
            self.assertIn(answer.status, (200, 400), name)
            self.assertLess(len(answer.body), 2000, "what was sent is not sent back")

    def test_500_that_never_take_the_largest_page(self):
        before = self.server.resident_bytes()
        wires = [self.wire(4096) for _ in range(500)]
        for wire in wires:
            wire.sendall(self.request)
        self.watch_until_all_are_answered(before)
        refused = self.server.get(LARGEST)
        self.assertEqual(refused.status, 503, "as long as they stay")
        self.assertIn("nobody has taken", refused.json()["detail"])
        self.assertTrue(refused.headers["retry-after"])
        for wire in wires:
            wire.close()
        self.assertEqual(self.server.get_patiently(LARGEST).status, 200)

    def test_a_thousand_questions_at_once_on_one_connection(self):
        wire = self.wire()
        requests = "".join(
            f"GET /api/v1/events/none-{n} HTTP/1.1\r\nHost: localhost\r\n\r\n" for n in range(1000)
        )
        sender = threading.Thread(target=wire.sendall, args=(requests.encode(),))
        sender.start()
        answers = wire.makefile("rb")
        for n in range(1000):
            self.assertEqual(answers.readline(), b"HTTP/1.1 404 Not Found\r\n", n)
            length = 0
            while (header := answers.readline()) != b"\r\n":
                if header.lower().startswith(b"content-length:"):
                    length = int(header.split(b":")[1])
            self.assertIn(f"has the id none-{n}\"".encode(), answers.read(length), "each in its turn")
        sender.join()

    def test_a_thousand_large_ones_that_are_never_read(self):
        before = self.server.resident_bytes()
        wire = self.wire(4096)
        wire.setblocking(False)
        wire.send(self.request * 1000)
        self.watch_until_all_are_answered(before)
        wire.close()
        self.assertEqual(self.server.get_patiently(LARGEST).status, 200)


if __name__ == "__main__":
    binary()
    unittest.main(argv=sys.argv[:1], verbosity=2)
