#!/usr/bin/env python3
"""What surrounds a command: its files, its standard streams, signals. Against the real binary."""
import glob
import json
import os
import subprocess
import sys
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

BATCH = "/api/v1/events/batch"


def order(event_id, **payload):
    return line("aws", "OrderPlaced", event_id, customerId="C-1", **payload)


def shell(script, *arguments):
    """`script` with the binary as $0 and `arguments` from $1 on: (exit code, stdout, stderr)."""
    done = subprocess.run(
        ["bash", "-c", script, binary(), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        env=environment(),
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


class Test(unittest.TestCase):
    def setUp(self):
        self.directory = TemporaryDirectory()
        self.addCleanup(self.directory.__exit__)

    def path(self, name):
        return os.path.join(self.directory.path, name)

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content)
        return self.path(name)

    def orders(self, name, count):
        return self.write(
            name,
            b"".join(
                json.dumps(order(f"e-{i}", orderId=f"ORD-{i}", totalAmount="1")).encode() + b"\n"
                for i in range(count)
            ),
        )


class Files(Test):
    def test_rejects_is_no_input(self):
        """Opening it for writing would empty it."""
        events = self.orders("events.ndjson", 3)
        before = os.path.getsize(events)
        os.link(events, self.path("other-name.ndjson"))
        for rejects in (
            events,
            self.path("other-name.ndjson"),
            os.path.join(self.directory.path, ".", "events.ndjson"),
        ):
            code, out, err = run("reconcile", "--rejects", rejects, events)
            self.assertEqual((code, out), (2, ""), err)
            self.assertIn(f"--rejects {rejects} is the same file as the input {events}", err)
            code, out, err = shell('"$0" reconcile --rejects "$1" < "$2"', rejects, events)
            self.assertEqual((code, out), (2, ""), err)
            self.assertIn("the same file as the input stdin", err)
            self.assertEqual(os.path.getsize(events), before)
        code, _, err = run("reconcile", "--rejects", self.path("rejects"), events, stdin=b"")
        self.assertEqual((code, os.path.getsize(self.path("rejects"))), (1, 0), err)

    def test_rejects_on_a_full_disk(self):
        code, out, err = run(
            "reconcile", "--rejects", "/dev/full", self.write("bad.ndjson", b"{\n")
        )
        self.assertEqual((code, out), (2, ""))
        self.assertIn("can't write /dev/full: No space left on device", err)

    def test_what_is_no_file_is_no_empty_input(self):
        with Server(self.path("data")) as server:
            for command in (
                ("ingest", "--to", f"http://{server.host}:{server.port}"),
                ("reconcile",),
            ):
                code, _, err = run(*command, self.directory.path)
                self.assertEqual(code, 2, err)
                self.assertIn(f"can't read {self.directory.path}: Is a directory", err)
                self.assertNotIn("is `helios serve` running", err)
                code, _, err = run(*command, self.path("absent"))
                self.assertEqual(code, 2, err)
                self.assertIn(f"can't read {self.path('absent')}: No such file", err)

    def test_an_input_that_breaks_off(self):
        """A file that can be opened and not read: /proc/self/mem has nothing at its beginning."""
        for command in ("ingest", "reconcile"):
            code, _, err = run(command, "/proc/self/mem")
            self.assertEqual(code, 2, err)
            self.assertIn("can't read /proc/self/mem: Input/output error", err)

    def test_byte_order_mark(self):
        events = self.write(
            "bom.ndjson",
            b"\xef\xbb\xbf"
            + json.dumps(order("bom-1", orderId="BOM-1", totalAmount="1")).encode()
            + b"\r\n",
        )
        code, out, err = run("reconcile", "--format", "ndjson", events)
        self.assertEqual([json.loads(text)["key"] for text in out.splitlines()], ["BOM-1"], err)
        self.assertIn(" 0 rejected", err)
        with Server(self.path("data")) as server:
            code, out, err = run("ingest", "--to", f"http://{server.host}:{server.port}", events)
            self.assertEqual((code, out.split("  ")[0]), (0, "accepted 1"), err)


class Options(Test):
    def refused(self, *arguments, says, env=None):
        code, out, err = run(*arguments, env=env)
        self.assertEqual((code, out), (2, ""), err)
        self.assertIn(says, err)

    def test_empty_is_not_absent(self):
        for arguments in (
            ("serve", "--data"),
            ("serve", "--config"),
            ("serve", "--listen"),
            ("serve", "--flow"),
            ("log", "ls", "--data"),
            ("explain",),
        ):
            done = subprocess.run(
                [binary(), *arguments, ""],
                cwd=self.directory.path,
                capture_output=True,
                timeout=30,
                env=environment(),
                check=False,
            )
            self.assertEqual((done.returncode, done.stdout), (2, b""), arguments)
            name = "KEY" if arguments == ("explain",) else arguments[-1]
            self.assertTrue(
                done.stderr.startswith(f"helios: {name}: is empty\n".encode()), done.stderr
            )
        self.assertEqual(os.listdir(self.directory.path), [])

    def test_times_have_a_zone(self):
        os.mkdir(self.path("data"))
        for text, says in (("2026-01-05T10:00:00", "has no time zone"), ("yesterday", "yesterday")):
            self.refused("reconcile", "--as-of", text, self.orders("events", 1), says=says)
        with Server(self.path("data")) as server:
            server.terminate()
        for command in ("read", "tail"):
            self.refused(
                "log",
                command,
                "--data",
                self.path("data"),
                "--since",
                "2026-01-05T10:00:00",
                says="has no time zone",
            )
        self.assertEqual(
            run("log", "read", "--data", self.path("data"), "--since", "2026-01-05T10:00:00Z")[0], 0
        )

    def test_only_loopback_addresses_are_loopback(self):
        for host in ("127.foo.example", "127.0.0.1.example", "localhost.example", "127.1"):
            self.refused(
                "serve",
                "--data",
                self.path("data"),
                "--listen",
                f"{host}:0",
                says="--insecure",
                env=environment(HELIOS_SOURCES_GCP_POLICY="none"),
            )
        self.refused("demo", "--listen", "0.0.0.0:0", says="the demo listens on no other")
        self.assertNotIn("pass --insecure", run("demo", "--listen", "0.0.0.0:0")[2])
        for host in ("127.0.0.2", "localhost"):
            with start(
                "serve",
                "--data",
                self.path("data"),
                "--listen",
                f"{host}:0",
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            ) as server:
                self.assertRegex(server.stdout.readline(), rb"^listening on ")
                server.terminate()
                self.assertEqual(server.wait(10), 0)


class Output(Test):
    def test_a_full_disk(self):
        events = self.orders("events", 3)
        many = self.orders("many", 3000)
        with Server(self.path("data")) as server:
            to = f"http://{server.host}:{server.port}"
            self.assertEqual(run("ingest", "--to", to, many)[0], 0)
            self.assertEqual(server.get_patiently("/api/v1/reconciliation/ORD-0").status, 200)
            for arguments in (
                ("--help",),
                ("--version",),
                ("version",),
                ("log", "ls", "--help"),
                ("config", "reference"),
                ("reconcile", events),
                ("reconcile", many),
                ("log", "ls", "--data", self.path("data")),
                ("log", "export", "--data", self.path("data")),
                ("log", "read", "--data", self.path("data")),
                ("store", "dump", "--data", self.path("data")),
                ("explain", "ORD-0", "--to", to),
                ("dlq", "ls", "--to", to),
            ):
                with open("/dev/full", "wb") as full:
                    done = subprocess.run(
                        [binary(), *arguments],
                        stdout=full,
                        stderr=subprocess.PIPE,
                        timeout=60,
                        env=environment(),
                        check=False,
                    )
                self.assertEqual(done.returncode, 2, (arguments, done.stderr[-300:]))
                self.assertEqual(
                    done.stderr.count(
                        b"helios: can't write to standard output: No space left on device\n"
                    ),
                    1,
                    arguments,
                )
                self.assertEqual(done.stderr.count(b"standard output"), 1, arguments)
                code, _, err = shell('"$0" "$@" >&-', *arguments)
                self.assertEqual(code, 2, (arguments, err[-300:]))
                self.assertIn(
                    "helios: can't write to standard output: Bad file descriptor\n", err, arguments
                )

    def test_a_reader_that_has_seen_enough(self):
        many = self.orders("many", 3000)
        for arguments in (
            ("reconcile", many),
            ("reconcile", "--format", "ndjson", many),
            ("config", "reference"),
        ):
            code, out, err = shell('"$0" "$@" | head -n 1; exit "${PIPESTATUS[0]}"', *arguments)
            self.assertIn(code, (0, 2, 141), err)
            self.assertEqual((len(out.splitlines()), err), (1, ""), arguments)
            # The same where somebody above us ignores the signal.
            code, out, err = shell(
                'trap "" PIPE; "$0" "$@" | head -n 1; exit "${PIPESTATUS[0]}"', *arguments
            )
            self.assertIn(code, (0, 2), err)
            self.assertEqual((len(out.splitlines()), err), (1, ""), arguments)

    def test_no_file_becomes_a_standard_stream(self):
        """Else the journal, or a pipe of ours, would be descriptor 1 or 2, and take what is printed there."""
        for closing in (">&- 2>&-", "<&- >&- 2>&-", "2>&-"):
            data = self.path("data" + str(len(closing)))
            listening = subprocess.Popen(
                [
                    "bash",
                    "-c",
                    f'exec "$0" serve --listen 127.0.0.1:0 --data "$1" {closing}',
                    binary(),
                    data,
                ],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment(),
            )
            try:
                for _ in range(500):
                    if glob.glob(data + "/store/current.db"):
                        break
                    time.sleep(0.02)
                for _ in range(
                    200
                ):  # it has started: nothing but this says when, all streams being closed
                    if len(os.listdir(f"/proc/{listening.pid}/task")) > 5:
                        break
                    time.sleep(0.02)
                for descriptor in (1, 2):
                    target = os.readlink(f"/proc/{listening.pid}/fd/{descriptor}")
                    self.assertTrue(
                        target == "/dev/null" or (closing == "2>&-" and descriptor == 1),
                        (closing, descriptor, target),
                    )
            finally:
                listening.terminate()
                self.assertEqual(listening.wait(10), 0, closing)
                listening.stdout.close()
                listening.stderr.close()

    def test_a_line_of_progress_is_no_part_of_other_lines(self):
        with open(self.path("events"), "wb") as file:
            file.write(b"\n" * 30_000_000 + b"{bad\n")
        seen = shown("reconcile", self.path("events"))
        self.assertRegex(seen, r" \d+ %  [\d,]+ lines  [\d,]+ lines/s  ETA 0:\d\d\r\x1b\[2K")
        self.assertIn("\x1b[2K" + self.path("events") + ":30000001: rejected: ", seen)

    def test_nothing_steers_a_terminal(self):
        event = order("c1", orderId="K\u009b31m\u202eX", totalAmount="1")
        _, out, err = run("reconcile", stdin=json.dumps(event, ensure_ascii=False).encode())
        self.assertIn(" K?31m?X ", out, err)
        _, _, err = run(
            "reconcile",
            stdin=json.dumps({**event, "source": "\u202eno\u2066"}, ensure_ascii=False).encode(),
        )
        self.assertIn('"\\u202eno\\u2066"', err)
        bad = {
            "source": "gcp",
            "eventType": "PaymentProcessed",
            "id": "q-1",
            "payload": {"orderId": "Q\u0085\u2069"},
        }
        with Server(self.path("data")) as server:
            to = ("--to", f"http://{server.host}:{server.port}")
            self.assertEqual(server.ingest(event).status, 202)
            self.assertEqual(server.ingest(json.dumps(bad, ensure_ascii=False)).status, 422)
            self.assertEqual(
                server.get_patiently("/api/v1/reconciliation/K%C2%9B31m%E2%80%AEX").status, 200
            )
            code, out, err = run("explain", event["payload"]["orderId"], *to)
            self.assertEqual(code, 0, err)
            self.assertIn("K?31m?X", out)
            code, out, err = run("dlq", "ls", *to)
            self.assertIn(" Q?? ", out, err)
            # A key without a case: what waits in quarantine under it, a line each.
            code, out, err = run("explain", "Q\u0085\u2069", *to)
            self.assertEqual((code, out), (1, ""))
            self.assertRegex(
                err,
                r"\n  in quarantine, naming this key:\n    [0-9a-f-]{36}  gcp  PaymentProcessed  missing_field  amount: required, absent\n  `helios dlq show ID`",
            )


class Signals(Test):
    def left(self):
        return os.listdir(self.path("scratch"))

    def reconcile(self, *arguments, **more):
        os.makedirs(self.path("scratch"), exist_ok=True)
        return start(
            "reconcile",
            *arguments,
            env={"TMPDIR": self.path("scratch")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **more,
        )

    def test_reconcile_when_its_reader_has_gone(self):
        with self.reconcile("--format", "ndjson", self.orders("many", 3000)) as process:
            process.stdout.readline()
            process.stdout.close()
            process.wait(30)
            self.assertEqual((process.returncode, process.stderr.read()), (2, b""))
        self.assertEqual(self.left(), [])

    def test_a_server_whose_log_nobody_reads(self):
        """`helios serve 2>&1 | head -1`: the very first line may already find the pipe broken."""
        reader, writer = os.pipe()
        os.close(reader)
        with start(
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--data",
            self.path("data"),
            "--ephemeral",
            stdout=subprocess.PIPE,
            stderr=writer,
        ) as server:
            os.close(writer)
            self.assertRegex(server.stdout.readline(), rb"^listening on ")
            server.terminate()
            self.assertEqual(server.wait(10), 0)


class Damage(Test):
    def flipped(self, needle):
        """A data directory of several segments, and a flipped byte in the first of them, which opening does not read."""
        env = environment(HELIOS_LOG_SEGMENT_BYTES="1MiB")
        data = self.path("data")
        with Server(data, env=env) as server:
            for at in range(0, 4000, 100):
                answer = server.post(
                    BATCH,
                    [
                        order(f"d-{i}", orderId=f"DAM-{i}", note="n" * 600)
                        for i in range(at, at + 100)
                    ],
                )
                self.assertEqual(answer.json()["accepted"], 100)
            self.assertEqual(server.terminate(), 0)
        segments = sorted(
            name
            for name in glob.glob(data + "/**", recursive=True)
            if os.path.isfile(name) and "store" not in name
        )
        for name in segments:
            with open(name, "r+b") as file:
                content = file.read()
                if needle in content:
                    at = content.index(needle)
                    file.seek(at)
                    file.write(bytes([content[at] ^ 1]))
                    return data, name
        self.fail("no segment holds it")

    def test_every_command_tells(self):
        data, segment = self.flipped(b'"DAM-7"')
        code, out, err = run("log", "ls", "--data", data)
        self.assertEqual(code, 1, out + err)
        self.assertRegex(out, rf"\ndamaged: {segment} bytes \d+\.\.\d+: ")
        code, _, exported = run("log", "export", "--data", data)
        self.assertEqual(code, 1)
        told = [
            text
            for text in exported.splitlines()
            if text.startswith("damaged and left out: " + segment)
        ]
        self.assertEqual(len(told), 1, exported)
        code, out, err = run("log", "read", "--data", data)
        self.assertEqual(code, 1, err)
        self.assertIn(told[0], err)
        self.assertFalse('"id":"d-7"' in out)
        self.assertTrue('"id":"d-3999"' in out)
        code, out, err = run("store", "rebuild", "--data", data)
        self.assertEqual(code, 1, err)
        self.assertIn(told[0], err)
        self.assertIn("the store is rebuilt from what is readable", err)
        self.assertIn("rebuilt ", out)
        with Server(data) as server:
            server.get("/api/v1/events?order_id=DAM-7")
            self.assertEqual(server.get("/ready").status, 200)

    def test_health_says_degraded(self):
        data, _ = self.flipped(b'"DAM-3700"')  # in the last segment, which opening reads
        with Server(data) as server:
            health = server.get("/api/v1/health").json()
            self.assertNotEqual(health["log"]["damage"], [])
            self.assertEqual(health["status"], "degraded")
            self.assertEqual(server.get("/ready").status, 200)
            self.assertEqual(server.terminate(), 0)


if __name__ == "__main__":
    binary()
    unittest.main(argv=sys.argv[:1], verbosity=2)
