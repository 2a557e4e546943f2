#!/usr/bin/env python3
"""What people see: widths, colour, drawing and progress on terminals of several kinds, and what a pipe gets. Against the real binary."""
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
import unicodedata
import unittest

from helios_process import (
    Server,
    TemporaryDirectory,
    binary,
    environment,
    line,
    read_terminal,
    run,
)

FLOW = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "flows", "order.yaml")
AS_OF = re.compile(r"as of .*")
CODES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
DRAWN = "─│┌┐└┘├┤┬┴┼█░✓✗…·→–×"


def columns_of(text):
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in CODES.sub("", text)
    )


def shown(columns, *arguments, stdin=b"", **env):
    """(exit code, what a terminal of so many columns is sent). `\r\n` is a line's end there."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    # The size is the terminal's own; COLUMNS would go before it.
    settings = environment(**{"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **env})
    if "COLUMNS" not in env:
        settings.pop("COLUMNS", None)
    with subprocess.Popen(
        [binary(), *arguments], stdin=subprocess.PIPE, stdout=slave, stderr=slave, env=settings
    ) as process:
        os.close(slave)
        process.stdin.write(stdin)
        process.stdin.close()
        seen = read_terminal(master)
        process.wait(30)
    os.close(master)
    return process.returncode, seen.decode().replace("\r\n", "\n")


def lines_of(text):
    """Lines as they stay; what was rewritten counts as lines, too."""
    return [part for each in text.split("\n") for part in each.split("\r")]


class Terminal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = TemporaryDirectory()
        cls.flow = os.path.join(cls.directory.path, "order.yaml")
        with open(FLOW, encoding="utf-8") as shipped, open(
            cls.flow, "w", encoding="utf-8"
        ) as quick:
            quick.write(shipped.read().replace("deadline: 60s", "deadline: 1s"))
        cls.server = Server(cls.directory.path + "/data", "--flow", cls.flow)
        cls.to = ("--to", f"http://{cls.server.host}:{cls.server.port}")
        cls.events = []
        for i, key in enumerate(
            (
                "ORD-1",
                "ORD-a-rather-long-key-of-an-order-as-shops-make-them-0000000000000000000000001",
                "注文-12345",
                "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4",
            )
        ):
            cls.events += [
                {
                    "source": "aws",
                    "eventType": "OrderPlaced",
                    "payload": {
                        "orderId": key,
                        "customerId": "C",
                        "totalAmount": "1234567.50",
                        "currency": "EUR",
                    },
                },
                {
                    "source": "gcp",
                    "eventType": "PaymentProcessed",
                    "payload": {
                        "orderId": key,
                        "paymentId": f"P{i}",
                        "amount": "1234567.05",
                        "currency": "EUR",
                        "status": "CAPTURED",
                    },
                },
            ]
            if i != 2:
                cls.events.append(
                    line(
                        "azure",
                        "InventoryReserved",
                        f"inventory-{i}",
                        orderId=key,
                        reservationId=f"R{i}",
                        items=[],
                    )
                )
        cls.events += [
            line("gcp", "PaymentProcessed", "q-1", orderId="Q-1"),
            line("gcp", "PaymentProcessed", "q-2", orderId="Q-2", amount="many"),
            line("aws", "OrderPlaced", "q-3", customerId="C"),
        ]
        cls.file = os.path.join(cls.directory.path, "events.ndjson")
        with open(cls.file, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(event) + "\n" for event in cls.events)
        assert run("ingest", *cls.to, cls.file)[0] == 1
        for _ in range(500):
            if (
                len(cls.server.get("/api/v1/reconciliation/mismatches").json().get("items", []))
                == 5
            ):
                break
            time.sleep(0.02)

    @classmethod
    def tearDownClass(cls):
        cls.server.kill()
        cls.directory.__exit__()

    def commands(self):
        return [
            ("dlq", "ls", *self.to),
            ("mismatches", *self.to),
            ("events", *self.to),
            ("stats", *self.to),
            ("stats", "--bucket", "1h", *self.to),
            ("health", *self.to),
            ("explain", "ORD-1", *self.to),
            ("explain", self.events[3]["payload"]["orderId"], *self.to),
            ("reconcile", "--flow", self.flow, self.file),
        ]

    def test_no_line_is_wider_than_the_terminal(self):
        for columns in (40, 80, 100, 200):
            for command in self.commands():
                code, seen = shown(columns, *command)
                self.assertIn(code, (0, 1), (command, seen))
                self.assertGreater(len(seen), 30, command)
                for each in lines_of(seen):
                    self.assertLessEqual(columns_of(each), columns, (columns, command, each))

    def test_the_width_is_the_terminals_or_COLUMNS(self):
        narrow = shown(200, "mismatches", *self.to, COLUMNS="40")[1]
        self.assertEqual(narrow, shown(40, "mismatches", *self.to)[1])
        self.assertNotEqual(narrow, shown(200, "mismatches", *self.to)[1])
        self.assertEqual(
            shown(0, "mismatches", *self.to)[1],
            shown(80, "mismatches", *self.to)[1],
            "a terminal that does not know",
        )
        for odd in ("", "0", "-1", "many", "3"):
            for each in lines_of(shown(60, "mismatches", *self.to, COLUMNS=odd)[1]):
                self.assertLessEqual(columns_of(each), 60, odd)

    def test_nothing_is_lost_on_a_narrow_terminal(self):
        for columns in (40, 80):
            seen = re.sub(r"\s", "", CODES.sub("", shown(columns, "mismatches", *self.to)[1]))
            for needed in (
                self.events[3]["payload"]["orderId"],
                "注文-12345",
                "expected1234567.50actual1234567.05EUR",
                "missinginventory",
            ):
                self.assertIn(needed, seen)

    def test_ids_are_short_and_whole_where_asked(self):
        key = next(
            event["payload"]["orderId"]
            for event in self.events
            if len(event["payload"].get("orderId", "")) == 64
        )
        content = [
            event["eventId"]
            for event in self.server.get("/api/v1/events?limit=100").json()["items"]
            if event["identity"] == "content"
        ][0]
        seen = shown(80, "events", *self.to)[1]
        self.assertNotIn(key, seen)
        self.assertIn(key[:8], seen)
        self.assertNotIn(content, seen)
        self.assertIn(content[:8], seen)
        whole = shown(200, "events", "--full-ids", *self.to)[1]
        self.assertIn(key, whole)
        self.assertIn(content, whole)
        piped = run("events", *self.to)[1]
        self.assertIn(key, piped)
        self.assertIn(content, piped)

    def test_colour_only_where_it_is_wanted(self):
        for command in self.commands():
            for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}):
                seen = shown(80, *command, **env)[1]
                self.assertNotIn("\x1b", seen, (command, env))
                if command[0] != "health":  # says how far behind it is
                    coloured = CODES.sub("", shown(80, *command)[1]).replace("\r", "")
                    self.assertEqual(AS_OF.sub("", coloured), AS_OF.sub("", seen), (command, env))
            self.assertNotIn(
                "\x1b",
                "".join(run(*command, env=environment(TERM="xterm", LC_ALL="C.UTF-8"))[1:]),
                command,
            )
        self.assertIn("\x1b[31mmismatched\x1b[0m", shown(80, "mismatches", *self.to)[1])
        self.assertIn(
            "\x1b[31m", shown(80, "mismatches", *self.to, NO_COLOR="")[1], "empty is not set"
        )

    def test_ascii_where_the_locale_is_C(self):
        for env in (
            {"LC_ALL": "C"},
            {"LC_ALL": "POSIX"},
            {"LC_ALL": "", "LANG": "", "LC_CTYPE": ""},
            {"LC_ALL": "de_DE.ISO-8859-1"},
            {"LC_ALL": "C", "LANG": "C.UTF-8"},
        ):
            for command in self.commands():
                for seen in (
                    shown(80, *command, **env)[1],
                    run(*command, env=environment(**env))[1],
                ):
                    self.assertEqual([c for c in seen if c in DRAWN], [], (command, env))
        for env in (
            {"LC_ALL": "C.UTF-8"},
            {"LC_ALL": "", "LC_CTYPE": "en_US.utf8"},
            {"LC_ALL": "", "LC_CTYPE": "", "LANG": "de_DE.UTF-8"},
        ):
            self.assertIn("✗", shown(80, "explain", "ORD-1", *self.to, **env)[1])
        self.assertIn(
            "注文-12345",
            run("mismatches", *self.to, env=environment(LC_ALL="C"))[1],
            "data is left alone",
        )

    def test_a_pipe_gets_whole_lines(self):
        out = run("mismatches", *self.to, env=environment(COLUMNS="40"))[1]
        self.assertEqual(len(out.splitlines()), 6, "a line each, and the titles")
        self.assertIn("missing inventory; amount expected 1234567.50 actual 1234567.05 EUR", out)
        for each in run("dlq", "ls", *self.to)[1].splitlines()[1:]:
            self.assertRegex(
                each, r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}  \d{4}-"
            )

    def test_json_is_the_servers_own(self):
        for name, target in (
            ("mismatches", "/api/v1/reconciliation/mismatches"),
            ("events", "/api/v1/events"),
            ("dlq ls", "/api/v1/dlq"),
        ):
            items = self.server.get(target + "?limit=100").json()["items"]
            self.assertGreater(len(items), 1)
            code, out, err = run(*name.split(), "--json", *self.to)
            self.assertEqual((json.loads(out), err), ({"items": items, "more": False}, ""), name)
            self.assertEqual(code, 1 if name == "mismatches" else 0)
            self.assertEqual(out, run(*name.split(), "--format", "json", *self.to)[1])
            self.assertEqual(
                [
                    json.loads(each)
                    for each in run(*name.split(), "--format", "ndjson", *self.to)[1].splitlines()
                ],
                items,
            )
            code, out, err = run(*name.split(), "--json", "--limit", "1", *self.to)
            self.assertEqual(json.loads(out), {"items": items[:1], "more": True})
            code, out, err = run(*name.split(), "--limit", "1", *self.to)
            self.assertIn("there is more", err)
            self.assertIn(
                "excludes", run(*name.split(), "--json", "--format", "ndjson", *self.to)[2]
            )
        for name, target in (
            ("stats", "/api/v1/reconciliation/stats"),
            ("explain ORD-1", "/api/v1/orders/ORD-1/explain?format=json"),
        ):
            ours, theirs = (
                json.loads(run(*name.split(), "--json", *self.to)[1]),
                self.server.get(target).json(),
            )
            self.assertEqual(
                {k: v for k, v in ours.items() if k not in ("asOf", "now")},
                {k: v for k, v in theirs.items() if k not in ("asOf", "now")},
                name,
            )
        verdicts = json.loads(run("reconcile", "--json", "--flow", self.flow, self.file)[1])[
            "items"
        ]
        self.assertEqual(
            [
                json.loads(each)
                for each in run("reconcile", "--format", "ndjson", "--flow", self.flow, self.file)[
                    1
                ].splitlines()
            ],
            verdicts,
        )
        self.assertEqual(
            run("reconcile", "--json", "--flow", self.flow, stdin=b"")[1], '{"items":[]}\n'
        )

    def test_the_server_may_stand_in_the_environment(self):
        env = environment(HELIOS_SERVER=self.to[1])
        for command in self.commands():
            command = [word for word in command if word not in self.to]
            self.assertIn(run(*command, env=env)[0], (0, 1), command)
        self.assertEqual(run("ingest", env=env, stdin=b"\n")[0], 0)
        self.assertEqual(
            run("stats", "--to", "http://127.0.0.1:1", env=env)[0], 2, "what is typed wins"
        )


class Demo(unittest.TestCase):
    def test_demo_fits(self):
        for columns, env in ((80, {}), (40, {"LC_ALL": "C", "TERM": "dumb"})):
            code, seen = shown(columns, "demo", "--orders", "40", **env)
            self.assertEqual(code, 0, seen)
            for each in lines_of(seen):
                self.assertLessEqual(columns_of(each), columns, each)
            if env:
                self.assertNotIn("\x1b", seen)
                self.assertEqual([c for c in seen if c in DRAWN], [])


if __name__ == "__main__":
    binary()
    unittest.main(argv=sys.argv[:1], verbosity=2)
