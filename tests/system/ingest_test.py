#!/usr/bin/env python3
"""`helios ingest`: every line gets an outcome, whatever the lines, the files, the server and the terminal are. Against the real binary."""
import http.server
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

from helios_process import (
    Server,
    TemporaryDirectory,
    binary,
    environment,
    line,
    run,
    shown,
    start,
)


def order(number):
    return json.dumps(
        line(
            "aws",
            "OrderPlaced",
            f"i-{number}",
            orderId=f"ING-{number}",
            customerId="C-1",
            totalAmount="1",
        )
    ).encode()


def tally_of(out):
    match = re.fullmatch(
        r"accepted (\d+)  duplicate (\d+)  conflict (\d+)  quarantined (\d+)  refused (\d+)\n", out
    )
    if not match:
        raise AssertionError(out)
    return [int(number) for number in match.groups()]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


class Scripted:
    """A server that answers each POST as `part` says: (status, headers, body), None to hang up, or "hang"."""

    def __init__(self, part, port=0):
        outer = self
        self.bodies, self.part, self.released = [], part, threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.bodies.append(body)
                answer = outer.part(len(outer.bodies), body)
                if answer == "hang":
                    outer.released.wait(60)
                    answer = None
                if answer is None:
                    self.close_connection = True
                    return
                status, headers, text = answer
                self.send_response(status)
                for name, value in {
                    "Content-Length": str(len(text)),
                    "Content-Type": "application/json",
                    **headers,
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.to = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def taken(body, status="accepted", **more):
    items = [
        {"index": i, "status": status, "retryable": False, **more}
        for i in range(len(body.splitlines()))
    ]
    return 200, {}, json.dumps({"accepted": len(items), "items": items}).encode()


class Test(unittest.TestCase):
    def setUp(self):
        self.directory = TemporaryDirectory()
        self.addCleanup(self.directory.__exit__)

    def path(self, name):
        return os.path.join(self.directory.path, name)

    def write(self, name, *lines):
        with open(self.path(name), "wb") as file:
            for text in lines:
                file.write(text + b"\n")
        return self.path(name)

    def orders(self, name, count):
        return self.write(name, *(order(i) for i in range(count)))


class Lines(Test):
    """One server for all of it; ids differ by test where it matters."""

    @classmethod
    def setUpClass(cls):
        cls.data = TemporaryDirectory()
        cls.server = Server(cls.data.path + "/data")
        cls.to = ("--to", f"http://{cls.server.host}:{cls.server.port}")

    @classmethod
    def tearDownClass(cls):
        cls.server.kill()
        cls.data.__exit__()

    def test_good_lines_and_one_that_is_cut(self):
        events = self.write(
            "events", *(order(f"cut-{i}") for i in range(500)), order("cut-500")[:40]
        )
        code, out, err = run("ingest", *self.to, events)
        tally = tally_of(out)
        self.assertEqual((code, tally[0], sum(tally)), (1, 500, 501), err)
        self.assertIn(f"{events}:501: ", err)
        self.assertNotIn("running", err)

    def test_garbage_between_good_lines(self):
        events = self.write(
            "events",
            *(order(f"gar-{i}") for i in range(3000)),
            *[b"garbage"] * 20000,
            *(order(f"gar-{i}") for i in range(3000, 6000)),
        )
        code, out, err = run("ingest", *self.to, events)
        tally = tally_of(out)
        self.assertEqual((code, tally[0], sum(tally)), (1, 6000, 26000), err)
        self.assertIn(f"{events}:3001: ", err)
        self.assertEqual(err.count(f"{events}:"), 20, "a few are named")
        self.assertIn("further lines are only counted", err)
        self.assertEqual(
            self.server.get_patiently("/api/v1/reconciliation/ING-gar-5999").status, 200
        )

    def test_lines_that_are_no_event(self):
        odd = [
            b"\x00" * 50,
            b"null",
            b"17",
            b'"text"',
            b"[]",
            b"\xff\xfe\xfd",
            b'{"a":"\xff"}',
            b"{",
            b"\x0b",
            b"\xef\xbb\xbf" + order("odd-bom"),
            b"[" * 10_000,
            b'{"source":"aws"}',
            order("odd-1")[:-1] + b',"x":"\\ud800"}',
            b"a\rb",
            b"\r",
            b"   ",
        ]
        for lines in (odd, *([each] for each in odd)):
            events = self.write("events", *lines)
            code, out, err = run("ingest", *self.to, events)
            blank = sum(1 for each in lines if not each.strip(b" \r"))
            self.assertEqual(sum(tally_of(out)), len(lines) - blank, (lines[:1], out, err))
            self.assertEqual(len(err.splitlines()), sum(tally_of(out)[2:]), (lines[:1], err))
            self.assertEqual(code, 1 if sum(tally_of(out)[2:]) else 0, (lines[:1], err))
            self.assertTrue(err.isprintable() or "\n" in err)
            self.assertNotIn("\x00", err)

    def test_a_line_of_two_gigabytes(self):
        events = self.write("events", order("big-1"))
        with open(events, "r+b") as file:
            file.seek(0, os.SEEK_END)
            begin = file.tell()
            file.truncate(begin + (2 << 30))
            file.seek(0, os.SEEK_END)
            file.write(b"\n" + order("big-2") + b"\n")
        with start(
            "ingest",
            *self.to,
            events,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            most = 0
            while process.poll() is None:
                try:
                    with open(f"/proc/{process.pid}/statm", encoding="ascii") as statm:
                        most = max(most, int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
                except (OSError, IndexError, ValueError):
                    pass
                time.sleep(0.01)
            out, err = process.stdout.read().decode(), process.stderr.read().decode()
        self.assertEqual((process.returncode, tally_of(out)), (1, [2, 0, 0, 0, 1]), err)
        self.assertRegex(err, rf"^{events}:2: refused: 2147483648 bytes; ")
        self.assertLess(most, 256 << 20)
        code, _, err = run("reconcile", events)
        self.assertIn(f"{events}:2: rejected: 2147483648 bytes; ", err)
        self.assertEqual(code, 1)
        self.assertIn(" 2 events, ", err)

    def test_a_request_that_is_too_large_is_taken_apart(self):
        lines = [
            json.dumps(
                line(
                    "aws",
                    "OrderPlaced",
                    f"large-{i}",
                    orderId=f"LARGE-{i}",
                    customerId="C",
                    note="n" * 900_000,
                )
            ).encode()
            for i in range(8)
        ]
        with Server(
            self.path("data"), env=environment(HELIOS_GATEWAY_BODY_BYTES_MAX="1MiB")
        ) as server:
            code, out, err = run(
                "ingest",
                "--to",
                f"http://{server.host}:{server.port}",
                self.write("events", *lines, b'{"a":"' + b"x" * (2 << 20) + b'"}'),
            )
            self.assertEqual((code, tally_of(out)), (1, [8, 0, 0, 0, 1]), err)
            self.assertIn(":9: refused: ", err)

    def test_files_that_cannot_be_read(self):
        good = self.write("good", order("file-1"))
        other = self.write("other", order("file-2"))
        for bad, says in (
            (self.directory.path, "Is a directory"),
            (self.path("absent"), "No such file"),
            ("/proc/self/mem", "Input/output error"),
        ):
            code, out, err = run("ingest", *self.to, good, bad, other)
            self.assertEqual((code, sum(tally_of(out)[:2])), (2, 2), err)
            self.assertIn(f"can't read {bad}: {says}", err)
            self.assertNotIn("running", err)

    def test_what_is_no_text(self):
        import gzip  # only here

        with open(self.path("day.gz"), "wb") as file:
            file.write(gzip.compress(order("gz-1")))
        for command in (("ingest", *self.to), ("reconcile",)):
            code, _, err = run(*command, self.path("day.gz"))
            self.assertEqual(code, 2, err)
            self.assertIn(
                f"can't read {self.path('day.gz')}: it is gzip-compressed\n  zcat {self.path('day.gz')} | helios",
                err,
            )
            code, _, err = run(*command, self.write("utf16", "{}".encode("utf-16")))
            self.assertEqual(code, 2, err)
            self.assertIn("UTF-16", err)

    def test_named_pipes(self):
        os.mkfifo(self.path("pipe"))
        began = time.monotonic()
        code, _, err = run("ingest", *self.to, "--timeout", "500ms", self.path("pipe"))
        self.assertEqual(code, 2, err)
        self.assertIn("nobody has written to it for 500ms", err)
        self.assertLess(time.monotonic() - began, 20)
        with start(
            "ingest",
            *self.to,
            self.path("pipe"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            with open(self.path("pipe"), "wb") as pipe:
                pipe.write(order("fifo-1") + b"\n")
                pipe.flush()
                for _ in range(500):  # it doesn't wait for 500 lines when no more come
                    if self.server.verdict("ING-fifo-1").status == 200:
                        break
                    time.sleep(0.02)
                self.assertEqual(self.server.verdict("ING-fifo-1").status, 200)
                pipe.write(order("fifo-2"))
            out, err = process.communicate(timeout=30)
            self.assertEqual(
                (process.returncode, tally_of(out.decode())), (0, [2, 0, 0, 0, 0]), err
            )

    def test_from(self):
        first = self.write("first", *(order(f"from-{i}") for i in range(10)))
        second = self.write("second", *(order(f"from-{i}") for i in range(10, 20)))
        code, out, err = run("ingest", *self.to, first, second, "--from", f"{second}:6")
        self.assertEqual((code, tally_of(out)), (0, [5, 0, 0, 0, 0]), err)
        self.assertIn(f"skipped: 1 of 2 files before {second}\n", err)
        self.assertIn(f"skipped: 5 lines of {second}\n", err)
        code, out, err = run(
            "ingest",
            *self.to,
            "--from",
            "stdin:2",
            stdin=order("from-20") + b"\n" + order("from-21") + b"\n",
        )
        self.assertEqual((code, tally_of(out)), (0, [1, 0, 0, 0, 0]), err)
        for wrong, says in (
            (f"{second}:21", f"{second} has 10 lines"),
            ("third:1", "third is none of the inputs"),
            (f"{second}:0", "no line number"),
            (f"{second}", "no line number"),
            ("6", "several FILEs"),
        ):
            code, out, err = run("ingest", *self.to, first, second, "--from", wrong)
            self.assertEqual(code, 2, err)
            self.assertIn(says, err)

    def test_the_summary_as_json(self):
        code, out, _ = run("ingest", *self.to, "--json", stdin=order("json-1"))
        self.assertEqual(
            (code, json.loads(out)),
            (
                0,
                {
                    "accepted": 1,
                    "duplicate": 0,
                    "conflict": 0,
                    "quarantined": 0,
                    "refused": 0,
                    "skipped": 0,
                },
            ),
        )


class Servers(Test):
    def refused(self, *arguments, stdin=None, timeout=60):
        began = time.monotonic()
        code, out, err = run(
            "ingest",
            *arguments,
            *(() if stdin is not None else (self.orders("events", 3),)),
            stdin=stdin or b"",
            timeout=timeout,
        )
        self.assertEqual(code, 2, err)
        return out, err, time.monotonic() - began

    def test_nobody_there(self):
        to = f"http://127.0.0.1:{free_port()}"
        out, err, seconds = self.refused("--to", to, "--retry-for", "1s")
        self.assertEqual(tally_of(out), [0, 0, 0, 0, 0])
        self.assertRegex(
            err.splitlines()[0], r"Connection refused: retrying for 1s$", "told at once"
        )
        self.assertRegex(
            err,
            rf"\nhelios: cannot connect to .*Connection refused, for 1s\n  is `helios serve` running at {to}\?\n"
            rf"  go on with --from {self.path('events')}:1\n$",
        )
        self.assertLess(seconds, 20)
        _, err, _ = self.refused("--to", to, "--retry-for", "0")
        self.assertNotIn("retrying", err)
        for nothing in (b"", b"\n  \n"):
            _, err, _ = self.refused("--to", to, stdin=nothing)
            self.assertIn(
                "Connection refused", err, "nothing to send is no success where nobody is"
            )

    def test_a_server_that_comes(self):
        port = free_port()
        with start(
            "ingest",
            "--to",
            f"http://127.0.0.1:{port}",
            self.orders("events", 600),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            self.assertIn(b"retrying for 1m", process.stderr.readline())
            with Scripted(lambda _, body: taken(body), port):
                out, err = process.communicate(timeout=30)
        self.assertEqual((process.returncode, tally_of(out.decode())), (0, [600, 0, 0, 0, 0]), err)

    def test_no_room_now(self):
        """429, 503, a proxy's 502, a connection that breaks, an answer that is cut, and items that could not be stored: all is sent in the end, once each."""
        problem = json.dumps({"title": "Overload", "detail": "slow down", "status": 429}).encode()

        def part(number, body):
            if number == 1:
                return 429, {"Retry-After": "1"}, problem
            if number == 2:
                return 503, {}, problem
            if number == 3:
                return 502, {"Content-Type": "text/html"}, b"<html>Bad gateway</html>"
            if number == 4:
                return None
            if number == 5:
                return 200, {"Content-Length": "1000", "Connection": "close"}, b'{"accepted":'
            answer = json.loads(taken(body)[2])
            for item in answer["items"][1::2] if number == 6 else []:
                item.update(status="failed", retryable=True, error="the disk is full")
            return 200, {}, json.dumps(answer).encode()

        with Scripted(part) as server:
            code, out, err = run(
                "ingest", "--to", server.to, "--timeout", "3s", self.orders("events", 10)
            )
        self.assertEqual((code, tally_of(out)), (0, [10, 0, 0, 0, 0]), err)
        self.assertEqual(err.count("retrying"), 1, err)
        self.assertIn("the server answered 429: slow down: retrying for 1m", err)
        self.assertEqual([len(body.splitlines()) for body in server.bodies[5:]], [10, 5])

    def test_no_room_for_long(self):
        with Scripted(
            lambda number, body: taken(body)
            if number == 1
            else (503, {"Retry-After": "1"}, b'{"detail":"the disk is full"}')
        ) as server:
            out, err, _ = self.refused(
                "--to",
                server.to,
                "--retry-for",
                "1s",
                stdin=b"\n".join(order(i) for i in range(1200)),
            )
        self.assertEqual(tally_of(out), [500, 0, 0, 0, 0])
        self.assertIn("helios: the server answered 503: the disk is full, for 1s\n", err)
        self.assertIn("go on with --from stdin:501\n", err)

    def test_a_server_that_hangs(self):
        with Scripted(lambda *_: "hang") as server:
            _, err, seconds = self.refused("--to", server.to, "--timeout", "1s")
        self.assertIn("no answer from 127.0.0.1:", err)
        self.assertIn("within 1s", err)
        self.assertIn(f"--from {self.path('events')}:1\n", err)
        self.assertLess(seconds, 20)
        with socket.create_server(
            ("127.0.0.1", 0), backlog=0
        ) as deaf:  # accepts nobody; the kernel does, for a while
            _, err, seconds = self.refused(
                "--to", f"http://127.0.0.1:{deaf.getsockname()[1]}", "--timeout", "1s"
            )
            self.assertIn("no answer", err)
            self.assertLess(seconds, 20)

    def test_another_server(self):
        for answer in (
            (200, {"Content-Type": "text/html"}, b"<html><body>It works!</body></html>"),
            (404, {"Content-Type": "text/html"}, b"<html>404</html>"),
            (200, {}, b"{}"),
            (200, {}, b'{"items":[{}]}'),
            (200, {}, b'{"items":[{"status":"acc'),
        ):
            with Scripted(lambda *_, a=answer: a) as server:
                _, err, _ = self.refused("--to", server.to)
            self.assertIn(f"what answers at {server.to} is no Helios", err)
            self.assertIn("go on with --from", err)
            self.assertNotIn("retrying", err)
        for status in (401, 403, 500):
            with Scripted(
                lambda *_, s=status: (s, {}, b'{"title":"No","detail":"not you"}')
            ) as server:
                _, err, _ = self.refused("--to", server.to)
            self.assertIn(f"the server answered {status}: not you", err)
        with socket.create_server(("127.0.0.1", 0)) as listening:

            def speak():
                with listening.accept()[0] as wire:
                    wire.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
                    wire.recv(65536)

            speaker = threading.Thread(target=speak)
            speaker.start()
            _, err, _ = self.refused("--to", f"http://127.0.0.1:{listening.getsockname()[1]}")
            speaker.join()
            self.assertIn("not HTTP/1.1", err)

    def test_interrupt(self):
        asked = threading.Event()

        def part(number, body):
            if number > 2:
                asked.set()
                return "hang"
            return taken(body)

        for number in (signal.SIGINT, signal.SIGTERM):
            asked.clear()
            with Scripted(part) as server, start(
                "ingest",
                "--to",
                server.to,
                self.orders("events", 3000),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            ) as process:
                self.assertTrue(asked.wait(30))
                process.send_signal(number)
                out, err = process.communicate(timeout=20)
            self.assertEqual(
                (process.returncode, tally_of(out.decode())), (2, [1000, 0, 0, 0, 0]), err
            )
            self.assertIn(
                f"helios: interrupted\n  go on with --from {self.path('events')}:1001\n",
                err.decode(),
            )

    def test_interrupt_while_nothing_comes(self):
        with Scripted(lambda _, body: taken(body)) as server, start(
            "ingest",
            "--to",
            server.to,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            process.stdin.write(order(1) + b"\n")
            process.stdin.flush()
            for _ in range(500):
                if server.bodies:
                    break
                time.sleep(0.02)
            self.assertEqual(len(server.bodies), 1, "a line that comes alone goes soon")
            process.send_signal(signal.SIGINT)
            process.wait(20)
            out, err = process.stdout.read().decode(), process.stderr.read().decode()
        self.assertEqual((process.returncode, tally_of(out)), (2, [1, 0, 0, 0, 0]), err)
        self.assertIn("--from stdin:2\n", err)


class OnATerminal(Test):
    def test_progress(self):
        def slow(_, body):
            time.sleep(0.4)
            return taken(body)

        events = self.orders("events", 1500)
        with Scripted(slow) as server:
            seen = shown("ingest", "--to", server.to, events, columns=80)
            self.assertRegex(seen, r" 33 %  500 lines  [\d,]+ lines/s  ETA 0:0\d\r\x1b\[2K")
            self.assertTrue(seen.endswith("\r\x1b[2K"), repr(seen[-80:]))
            self.assertNotIn(
                "\x1b", shown("ingest", "--to", server.to, events, columns=80, TERM="dumb")
            )
            self.assertEqual(
                run("ingest", "--to", server.to, events)[2], "", "nothing where no terminal is"
            )

    def test_retrying(self):
        seen = shown(
            "ingest",
            "--to",
            f"http://127.0.0.1:{free_port()}",
            "--retry-for",
            "1s",
            self.orders("events", 1),
            columns=80,
        )
        self.assertIn("retrying for 1s", seen)
        self.assertIn("retrying (1s left): ", seen)


if __name__ == "__main__":
    binary()
    unittest.main(argv=sys.argv[:1], verbosity=2)
