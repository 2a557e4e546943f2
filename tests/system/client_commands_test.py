#!/usr/bin/env python3
"""The commands that ask a running server: what they answer, with which exit code, and how they end when nobody answers. Against the real binary."""
import base64
import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

from helios_process import Server, TemporaryDirectory, binary, line, run, start

FLOW = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "flows", "order.yaml")
ASKING = (
    ("stats",),
    ("health",),
    ("events",),
    ("mismatches",),
    ("dlq", "ls"),
    ("dlq", "show", "x"),
    ("explain", "x"),
    ("stream",),
)


def case(key, paid):
    return [
        line("aws", "OrderPlaced", f"o-{key}", orderId=key, customerId="C", totalAmount="12.50"),
        line(
            "gcp",
            "PaymentProcessed",
            f"p-{key}",
            orderId=key,
            paymentId="P",
            amount=paid,
            status="CAPTURED",
        ),
        line("azure", "InventoryReserved", f"i-{key}", orderId=key, reservationId="R", items=[]),
    ]


def start_stream(*arguments):
    pipe = subprocess.PIPE
    return start("stream", *arguments, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe)


class One:
    """A server for one connection, which plays `part` on it."""

    def __init__(self, part):
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.to = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        self.thread = threading.Thread(target=self.play, args=(part,), daemon=True)
        self.thread.start()

    def play(self, part):
        try:
            wire = self.listening.accept()[0]
        except OSError:
            return
        with wire:
            wire.settimeout(60)
            request = b""
            while b"\r\n\r\n" not in request:
                request += wire.recv(65536)
            part(wire, request)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listening.close()
        self.thread.join(30)


def accept_websocket(wire, request):
    key = next(
        each.split(b": ")[1]
        for each in request.split(b"\r\n")
        if each.lower().startswith(b"sec-websocket-key")
    )
    digest = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    wire.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + digest
        + b"\r\n\r\n"
    )


def frame(opcode, payload, last=True):
    length = (
        bytes([len(payload)]) if len(payload) < 126 else b"\x7e" + len(payload).to_bytes(2, "big")
    )
    return bytes([(0x80 if last else 0) | opcode]) + length + payload


class Asking(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = TemporaryDirectory()
        cls.server = Server(cls.directory.path + "/data")
        cls.to = ("--to", f"http://{cls.server.host}:{cls.server.port}")

    @classmethod
    def tearDownClass(cls):
        cls.server.kill()
        cls.directory.__exit__()

    def decided(self, key, paid):
        self.assertEqual(
            self.server.post("/api/v1/events/batch", case(key, paid)).json()["accepted"], 3
        )
        for _ in range(500):
            answer = self.server.verdict(key)
            if answer.status == 200 and answer.json()["status"] != "pending":
                return answer.json()
            time.sleep(0.02)
        self.fail(f"{key} is not decided")

    def refused(self, *arguments, says, code=2):
        began = time.monotonic()
        got, out, err = run(*arguments, timeout=60)
        self.assertEqual((got, out), (code, ""), (arguments, err))
        self.assertIn(says, err, arguments)
        return err, time.monotonic() - began

    def test_mismatches_is_a_question(self):
        with TemporaryDirectory() as directory, Server(directory + "/data") as server:
            to = ("--to", f"http://{server.host}:{server.port}")
            self.assertEqual(run("mismatches", *to), (0, "no case is partial or mismatched\n", ""))
            self.assertEqual(run("events", *to), (0, "no such event\n", ""))
            self.assertEqual(run("dlq", "ls", *to), (0, "nothing waits in quarantine\n", ""))
            self.assertEqual(
                run("mismatches", "--json", *to), (0, '{"items":[],"more":false}\n', "")
            )
        self.decided("M-1", "12.05")
        code, out, _ = run("mismatches", "--kind", "amount", "--limit", "0", *self.to)
        self.assertEqual(code, 1)
        self.assertIn("  M-1 ", out)
        self.assertEqual(run("mismatches", "--status", "partial", *self.to)[0], 0)
        self.assertEqual(run("mismatches", "--end-time", "2001-01-01T00:00:00Z", *self.to)[0], 0)

    def test_stats_in_buckets(self):
        self.decided("B-1", "12.50")
        code, out, err = run("stats", "--bucket", "1h", *self.to)
        self.assertEqual((code, err), (0, ""))
        rows = out.partition("\n\n")[2].splitlines()
        self.assertEqual(len(rows), 61, out)
        self.assertIn("mismatched", rows[0])
        counts = [list(map(int, re.split(r"\s{2,}", row.strip())[1:5])) for row in rows[1:]]
        self.assertTrue(all(decided == sum(each) for decided, *each in counts), out)
        self.assertGreaterEqual(sum(decided for decided, *_ in counts), 1, out)
        buckets = json.loads(run("stats", "--bucket", "30s", "--json", *self.to)[1])["buckets"]
        self.assertEqual(len(buckets), 60)
        self.refused("stats", "--bucket", "2m", *self.to, says="2m")
        self.refused(
            "stats", "--bucket", "30s", "--start-time", "2026-01-01T00:00:00Z",
            "--end-time", "2026-01-02T00:00:00Z", *self.to, says="bucket=5m",
        )  # fmt: skip

    def test_what_is_typed_wrong(self):
        for command in ("mismatches", "stats", "stream"):
            self.refused(
                command,
                "--flow",
                "odrer",
                *self.to,
                says='--flow "odrer": the server has no such flow\n  there are: order',
            )
        self.refused("mismatches", "--kind", "typo", *self.to, says="typo")
        self.refused("mismatches", "--status", "matched", *self.to, says="matched")
        self.refused("stream", "--status", "typo", *self.to, says="typo")
        self.refused("stream", "--after", "typo", *self.to, says="helios: ")
        err, _ = self.refused(
            "dlq",
            "ls",
            "--reason",
            "mising_field",
            *self.to,
            says='reason: there is no "mising_field"',
        )
        self.assertIn("did you mean missing_field?", err)
        self.refused("dlq", "ls", "--reason", "typo", *self.to, says="there are: ")
        self.assertEqual(
            run("dlq", "ls", "--reason", "too_deep", *self.to),
            (0, "nothing waits in quarantine with these filters\n", ""),
        )
        for command in ("mismatches", "events", "stats"):
            self.refused(
                command, "--start-time", "2026-01-05T10:00:00", *self.to, says="--start-time"
            )
            self.refused(command, "--timeout", "soon", *self.to, says="--timeout")
        for typed, near in (("--prot", None), ("--fromat", "--format"), ("--kinb", "--kind")):
            err, _ = self.refused("mismatches", typed, "x", says=f'unknown option "{typed}"')
            self.assertEqual("did you mean" in err, near is not None, err)
            self.assertIn(near or "helios COMMAND --help", err)
        err, _ = self.refused("mismatchs", says='unknown command or argument "mismatchs"')
        self.assertIn("did you mean mismatches?", err)
        err, _ = self.refused("log", "lss", says='"lss"')
        self.assertIn("did you mean ls?", err)

    def test_health(self):
        code, out, _ = run("health", *self.to)
        self.assertEqual(code, 0, out)
        self.assertRegex(out, r"^healthy  helios \d")
        degraded = json.dumps(
            {
                "status": "degraded",
                "version": "1",
                "checks": [
                    {
                        "name": "log",
                        "status": "failing",
                        "detail": "the disk is full",
                        "hint": "free space",
                    }
                ],
            }
        ).encode()
        with One(
            lambda wire, _: wire.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(degraded), degraded)
            )
        ) as server:
            code, out, _ = run("health", "--to", server.to)
        self.assertEqual(code, 1)
        self.assertRegex(out, r"log +failing: the disk is full; free space\n")

    def test_nobody_hung_or_another(self):
        with socket.create_server(("127.0.0.1", 0)) as listening:
            nobody = f"http://127.0.0.1:{listening.getsockname()[1]}"
        page = b"<html><body>It works!</body></html>"
        for command in ASKING:
            self.refused(*command, "--to", nobody, says=f"is `helios serve` running at {nobody}?")
            with One(lambda wire, _: wire.recv(65536)) as server:
                _, seconds = self.refused(
                    *command,
                    "--to",
                    server.to,
                    "--timeout",
                    "300ms",
                    says="no answer from 127.0.0.1:",
                )
                self.assertLess(seconds, 20)
            with One(
                lambda wire, _: wire.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s"
                    % (len(page), page)
                )
            ) as server:
                code, out, err = run(*command, "--to", server.to)
                if command[0] != "explain":  # text is what it asked for
                    self.assertEqual((code, out), (2, ""), (command, err))
                    self.assertIn("is no Helios", err, command)

    def test_stream(self):
        before = self.decided("S-0", "12.50")["revision"]
        self.assertGreater(before, 0)
        position = None
        for arguments in ((), ("--json",), ("--format", "ndjson", "--key", "S-5")):
            key = f"S-{len(arguments) + 1}"
            with start_stream(*self.to, *arguments) as process:
                self.await_listener()
                self.decided(key, "12.05")
                seen = [process.stdout.readline().decode() for _ in range(2)]
                if arguments:
                    revisions = [json.loads(each) for each in seen]
                    self.assertEqual(
                        [(each["key"], each["status"]) for each in revisions],
                        [(key, "pending"), (key, "mismatched")],
                    )
                    self.assertTrue(
                        revisions[0]["position"]
                        and "payload" not in revisions[0]["events"]["order"]
                    )
                    position = revisions[0]["position"]
                else:
                    self.assertRegex(
                        seen[1], r"^\d{4}-\S+Z  order S-1  rev 2  mismatched  at risk 12.50 "
                    )
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=20)
                self.assertEqual(
                    (process.returncode, out, err), (0, b"", b""), "Ctrl-C is how it ends"
                )
        with start_stream(
            *self.to, "--after", position, "--payloads", "--json", "--key", "S-5"
        ) as process:
            again = json.loads(process.stdout.readline())
            self.assertEqual(
                (again["status"], again["events"]["order"]["payload"]["orderId"]),
                ("mismatched", "S-5"),
            )
            process.terminate()
            self.assertEqual(process.wait(20), 0)
            process.stdout.close()
            process.stderr.close()

    def await_listener(self):
        for _ in range(500):
            if "\nhelios_http_websockets 1\n" in self.server.get("/metrics").body.decode():
                return
            time.sleep(0.02)
        self.fail(
            "nobody listens: "
            + "\n".join(
                each
                for each in self.server.get("/metrics").body.decode().splitlines()
                if "websocket" in each
            )
        )

    def test_stream_ends(self):
        def revision(position):
            return json.dumps(
                {
                    "flow": "order",
                    "key": "K",
                    "revision": 1,
                    "status": "pending",
                    "position": position,
                    "openedAt": "2026-01-05T10:00:00Z",
                }
            ).encode()

        def part(wire, request, *then):
            accept_websocket(wire, request)
            wire.sendall(
                frame(9, b"ping")
                + frame(1, revision("p-1")[:20], last=False)
                + frame(0, revision("p-1")[20:])
                + frame(1, revision("p-2"))
            )
            pong = wire.recv(65536)
            assert pong[:1] == b"\x8a", pong
            for each in then:
                wire.sendall(each)
            while not then and wire.recv(65536):  # hears the ping, and says nothing
                pass

        for then, says in (
            (
                (frame(8, b"\x03\xe9the server is shutting down"),),
                "has closed the stream: the server is shutting down",
            ),
            ((b"",), "closed the connection"),
            ((b"HTTP/1.1 200 OK\r\n",), "no WebSocket's"),
            ((frame(1, b"{}"),), "no verdict"),
            ((), "no answer from"),
        ):
            with One(lambda wire, request, t=then: part(wire, request, *t)) as server, start_stream(
                "--to", server.to, "--timeout", "500ms", "--json"
            ) as process:
                out, err = process.communicate(timeout=30)
            self.assertEqual((process.returncode, len(out.splitlines())), (2, 2), err)
            self.assertIn(says, err.decode())
            self.assertIn("go on with --after p-2\n", err.decode())
        with One(
            lambda wire, _: wire.sendall(
                b'HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nContent-Length: 26\r\n\r\n{"detail":"not ready yet"}'
            )
        ) as server:
            self.refused("stream", "--to", server.to, says="helios: not ready yet")

    def test_facts_of_a_data_directory_as_json(self):
        with TemporaryDirectory() as directory:
            data = ("--data", directory + "/data")
            with Server(data[1]) as server:
                self.assertEqual(
                    server.post("/api/v1/events/batch", case("J-1", "12.50")).json()["accepted"], 3
                )
                self.assertEqual(server.get_patiently("/api/v1/reconciliation/J-1").status, 200)
                self.assertEqual(server.terminate(), 0)
            code, out, err = run("log", "ls", "--json", *data)
            self.assertEqual(code, 0, err)
            listed = json.loads(out)
            self.assertEqual(
                (
                    sum(
                        each["records"]
                        for each in listed["items"]
                        if each["topic"].startswith("helios.events")
                    ),
                    listed["damage"],
                ),
                (3, []),
            )
            self.assertEqual(
                [(each["journal"], each["droppedUntil"]) for each in listed["kept"]],
                [("data", None), ("control", None), ("health", None)],
            )
            for command in (("log", "export"), ("log", "read"), ("store", "dump")):
                self.assertEqual(
                    run(*command, "--json", *data)[:2],
                    run(*command, *data)[:2],
                    "lines of JSON they are anyway",
                )
            code, out, err = run("store", "rebuild", "--json", *data)
            self.assertEqual(
                (
                    code,
                    json.loads(out)["damaged"],
                    sorted({"file", "records"} - set(json.loads(out))),
                ),
                (0, False, []),
                err,
            )

    def test_stream_of_a_server_that_stops(self):
        with TemporaryDirectory() as directory, Server(directory + "/data") as server:
            with start_stream("--to", f"http://{server.host}:{server.port}") as process:
                for _ in range(500):
                    if "\nhelios_http_websockets 1\n" in server.get("/metrics").body.decode():
                        break
                    time.sleep(0.02)
                server.terminate()
                out, err = process.communicate(timeout=20)
                self.assertEqual((process.returncode, out), (2, b""), err)
                self.assertIn(b"shutting down", err)


if __name__ == "__main__":
    binary()
    unittest.main(argv=sys.argv[:1], verbosity=2)
