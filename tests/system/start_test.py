#!/usr/bin/env python3
"""How a server starts and stops, and what it refuses to start with: wrong
options, foreign and damaged data directories. Against the real binary."""
import glob
import json
import os
import re
import sys
import threading
import time
import unittest

from helios_process import Server, TemporaryDirectory, binary, environment, events_of, line, run

INGEST, BATCH = "/api/v1/events/ingest", "/api/v1/events/batch"


def order(event_id, **payload):
    return line("aws", "OrderPlaced", event_id, customerId="C-1", **payload)


class Start(unittest.TestCase):
    """How it begins, and how it refuses to."""

    def setUp(self):
        self.directory = TemporaryDirectory()
        self.addCleanup(self.directory.__exit__)
        self.data = self.directory.path + "/data"

    def refused(self, *arguments, says, env=None, code=2):
        done = run(*arguments, timeout=30, env=env)
        self.assertEqual(done[0], code, done)
        for text in [says] if isinstance(says, str) else says:
            self.assertIn(text, done[2] + done[1])
        self.assertNotIn("listening on", done[1])
        return done[2]

    def serve(self, *arguments):
        return ("serve", "--listen", "127.0.0.1:0", "--data", self.data, *arguments)

    def test_what_a_start_changes_is_audited(self):
        with Server(self.data) as server:
            deletion = [
                {
                    "id": "1",
                    "topic": "/t",
                    "subject": "s",
                    "eventTime": "2026-01-05T10:23:45Z",
                    "dataVersion": "1",
                    "eventType": "Microsoft.EventGrid.SubscriptionDeletedEvent",
                    "data": {"eventSubscriptionId": "/sub/1"},
                }
            ]
            answer = server.post("/api/v1/webhooks/azure/eventgrid", deletion)
            self.assertEqual(answer.status, 200, answer)
            self.assertEqual(server.terminate(), 0)
        with Server(self.data) as server:
            self.assertEqual(server.terminate(), 0)
        code, out, err = run("log", "read", "--topic", "helios.audit", "--data", self.data)
        self.assertEqual(code, 0, err)
        records = [json.loads(text)["audit"] for text in out.splitlines()]
        told = [(r["who"], r["what"], r["before"], r["outcome"]) for r in records]
        self.assertEqual(told[0], ("helios", "engine.level", "", "done"))
        self.assertEqual(told[1], ("helios", "flow.activate order", "", "done"))
        self.assertEqual(told[2][:2], ("local", "eventgrid.subscription.delete"))
        self.assertIn("/sub/1", told[2][2])
        self.assertEqual(len(records), 3, "a second start changes nothing")
        self.assertEqual([r["number"] for r in records], [1, 2, 3])
        self.assertEqual(records[0]["previous"], "0" * 64)
        self.assertEqual(len({r["previous"] for r in records}), 3)

    def test_second_server(self):
        with Server(self.data) as server:
            self.refused(*self.serve(), says=[str(server.process.pid), self.data])
            self.assertEqual(server.get("/ready").status, 200)
            self.assertEqual(server.terminate(), 0)
        with Server(self.data) as server:
            self.assertEqual(server.terminate(), 0, "the directory is free again")

    def test_sigterm_drains_under_load(self):
        with Server(self.data) as server:
            stop, acknowledged, broken = threading.Event(), [], []

            def send(worker):
                connection = server.connection()
                try:
                    for n in range(100_000):
                        if stop.is_set():
                            return
                        event_id = f"drain-{worker}-{n}"
                        connection.request(
                            "POST",
                            INGEST,
                            body=json.dumps(order(event_id, orderId=event_id)),
                            headers={"Content-Type": "application/json"},
                        )
                        response = connection.getresponse()
                        response.read()
                        if response.status == 202:
                            acknowledged.append(event_id)
                        if response.getheader("Connection", "").lower() == "close":
                            return
                except OSError as error:
                    broken.append(error)
                except (
                    Exception
                ) as error:  # http.client's own: the connection was closed between two requests
                    broken.append(error)
                finally:
                    connection.close()

            threads = [threading.Thread(target=send, args=(i,)) for i in range(8)]
            for thread in threads:
                thread.start()
            while len(acknowledged) < 200:
                time.sleep(0.01)
            began = time.monotonic()
            self.assertEqual(server.terminate(), 0)
            self.assertLess(time.monotonic() - began, 10)
            stop.set()
            for thread in threads:
                thread.join()
        events, _ = events_of(self.data)
        self.assertLessEqual(set(acknowledged), {e["id"] for e in events})

    def test_unknown_option(self):
        self.refused("serve", "--lisen", "127.0.0.1:0", says="--listen")
        self.refused("serv", says="serve")
        self.refused("reconcile", "--format", "xml", says=["--format: xml", "table", "ndjson"])
        self.refused("serve", "--listen", "127.0.0.1:notaport", says="notaport")

    def test_unknown_key_in_the_configuration(self):
        path = self.directory.path + "/helios.yaml"
        with open(path, "w", encoding="utf-8") as file:
            file.write("http:\n  listn: 127.0.0.1:0\n")
        self.refused(*self.serve("--config", path), says=f"{path}:2:")

    def test_engines_that_are_not_built_yet(self):
        for name in ("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "REDIS_URL"):
            self.refused(
                *self.serve(), env=environment(**{name: "localhost:9092"}), says=[name, "unset"]
            )
        with Server(self.data, env=environment(KAFKA_BOOTSTRAP_SERVERS="")) as server:
            self.assertEqual(server.terminate(), 0)

    def test_several_addresses(self):
        with Server(self.data, "--listen", "localhost:0") as server:
            self.assertEqual(server.get("/health").status, 200, "the first line names the first")
            first = server.port
            for host, port in re.findall(r'"url":"http://([\w.]+):(\d+)"', server.errors()):
                self.assertNotEqual(int(port) == first, host == "localhost")
                server.port = int(port)
                self.assertEqual(server.get("/health").status, 200, (host, port))
            self.assertNotEqual(server.port, first)
            self.assertEqual(server.terminate(), 0)
        self.refused("serve", "--listen", "127.0.0.1:0", "--listen", "127.0.0.1", says="HOST:PORT")
        exposed = ("--listen", "127.0.0.1:0", "--listen", "0.0.0.0:0", "--data", self.data)
        open_to_all = environment(HELIOS_SOURCES_AWS_POLICY="none")
        self.refused("serve", *exposed, says=["--insecure", "aws"], env=open_to_all)

    def test_off_loopback(self):
        self.refused(
            "serve",
            "--listen",
            "0.0.0.0:0",
            "--data",
            self.data,
            says="--insecure",
            env=environment(HELIOS_SOURCES_DIRECT_POLICY="none"),
        )

    def test_a_flow_that_does_not_parse(self):
        path = self.directory.path + "/bad.yaml"
        for text, says in (
            ("flow: order\nversion: [1\n", f"{path}:"),
            ("flow: order\nversion: 1\nlegs: {}\nlegz: {}\n", f"{path}:4:"),
            ("", path),
        ):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            self.refused(*self.serve("--flow", path), says=says)
            self.refused("flow", "lint", path, says=says, code=1)
        self.refused(
            *self.serve("--flow", self.directory.path + "/absent.yaml"), says="absent.yaml"
        )

    def filled(self, orders=400):
        """A data directory with `orders` orders' events in it, its server ended."""
        with Server(self.data) as server:
            for at in range(0, orders, 20):
                answer = server.post(
                    BATCH,
                    [
                        order(f"c-{i}", orderId=f"COR-{i}", note="n" * 200)
                        for i in range(at, at + 20)
                    ],
                )
                self.assertEqual(answer.json()["accepted"], 20)
            self.assertEqual(server.terminate(), 0)

    def segments(self):
        files = [f for f in glob.glob(self.data + "/**", recursive=True) if os.path.isfile(f)]
        holding = []
        for name in files:
            with open(name, "rb") as file:
                data = file.read()
            if (
                b"COR-200" in data
                and b"SQLite" not in data[:16]
                and not name.endswith(("-wal", "-shm"))
            ):
                holding.append((name, data))
        return holding

    def test_corrupted_segment(self):
        self.filled()
        before = len(events_of(self.data)[0])
        self.assertEqual(before, 400)
        name, data = max(self.segments(), key=lambda pair: len(pair[1]))
        at = data.index(b"c-200")
        with open(name, "r+b") as file:
            file.seek(at)
            file.write(bytes(b ^ 0x5A for b in data[at : at + 64]))
        code, out, err = run("log", "ls", "--data", self.data)
        self.assertEqual(code, 1, "a part of the log is damaged")
        self.assertIn("damage", (out + err).lower())
        with Server(self.data) as server:
            health = server.get("/api/v1/health").body.decode()
            self.assertIn("damage", health)
            self.assertIn("damage", server.errors())
            self.assertEqual(
                server.ingest(order("after", orderId="COR-AFTER")).status, 202, "the rest is served"
            )
            self.assertEqual(server.verdict("COR-399").status, 200)
            self.assertEqual(server.terminate(), 0)
        code, out, err = run("log", "export", "--data", self.data)
        ids = {json.loads(text).get("id") for text in out.splitlines()}
        self.assertEqual(code, 1)
        self.assertIn("after", ids)
        self.assertIn("c-399", ids)
        self.assertIn("c-0", ids)
        self.assertNotIn("c-200", ids)

    def test_the_last_record_is_damaged(self):
        """The store knows a record that the log has lost: no reason to refuse to start."""
        self.filled()
        name, data = max(self.segments(), key=lambda pair: len(pair[1]))
        at = len(data.rstrip(b"\0")) - 20
        with open(name, "r+b") as file:
            file.seek(at)
            file.write(bytes([data[at] ^ 0x5A]))
        with Server(self.data) as server:
            self.assertEqual(server.get("/api/v1/health").json()["status"], "degraded")
            self.assertEqual(server.ingest(order("after", orderId="COR-AFTER")).status, 202)
            self.assertEqual(server.get_patiently("/api/v1/reconciliation/COR-AFTER").status, 200)
            self.assertEqual(server.terminate(), 0)

    def test_torn_tail(self):
        self.filled(40)
        for name, data in self.segments() or []:
            with open(name, "r+b") as file:
                end = len(data.rstrip(b"\0"))
                file.seek(end)
                file.write(b"\x01\x02garbage of a write that never ended")
        with Server(self.data) as server:
            self.assertEqual(server.verdict("COR-39").status, 200)
            self.assertEqual(server.ingest(order("after", orderId="COR-AFTER")).status, 202)
            self.assertEqual(server.terminate(), 0)
        self.assertEqual(len(events_of(self.data)[0]), 41)

    def test_a_directory_with_something_else_in_it(self):
        os.makedirs(self.data)
        with open(self.data + "/notes.txt", "w", encoding="utf-8") as file:
            file.write("not yours\n")
        self.refused(
            *self.serve(),
            says=["has no FORMAT file but is not empty", "notes.txt", "an empty or new directory"],
        )
        self.assertEqual(os.listdir(self.data), ["notes.txt"], "a refusal leaves nothing behind")
        os.remove(self.data + "/notes.txt")
        os.makedirs(self.data + "/lost+found")
        for name, text in (
            ("LOCK", "17\n"),
            ("FORMAT.new", "helios dat"),
        ):  # a first start that ended half-way
            with open(f"{self.data}/{name}", "w", encoding="utf-8") as file:
                file.write(text)
        with Server(self.data) as server:
            self.assertEqual(server.terminate(), 0)

    def test_newer_and_foreign_formats(self):
        self.filled(20)
        found = glob.glob(self.data + "/**/FORMAT", recursive=True)
        self.assertEqual(len(found), 1, "FORMAT names the least reader and writer")
        with open(found[0], encoding="utf-8") as file:
            original = file.read()
        for text in (re.sub(r"\d+", "999", original), "somebody else's directory\n", ""):
            with open(found[0], "w", encoding="utf-8") as file:
                file.write(text)
            self.refused(*self.serve(), says="FORMAT")
            self.refused("store", "dump", "--data", self.data, says="FORMAT")
        os.remove(found[0])
        self.refused(*self.serve(), says="FORMAT")
        self.refused("store", "dump", "--data", self.data, says="FORMAT")
        with open(found[0], "w", encoding="utf-8") as file:
            file.write(original)
        with Server(self.data) as server:
            self.assertEqual(
                server.verdict("COR-7").status, 200, "nothing was changed by the refusals"
            )
            self.assertEqual(server.terminate(), 0)


if __name__ == "__main__":
    binary()
    unittest.main(argv=sys.argv[:1], verbosity=2)
