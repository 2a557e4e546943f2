#!/usr/bin/env python3
"""A store that another process has locked: questions are answered, or told why not and in time; nothing that was acknowledged is lost.
Against the real binary."""
import contextlib
import glob
import http.client
import shutil
import signal
import socket
import sqlite3
import sys
import time
import unittest

from helios_process import Server, TemporaryDirectory, binary, environment, matching_legs, run

RAW = ("SQL", "sqlite", "database is locked", "statement")
WORDS = "the store is locked by another process"


class LockedStore(unittest.TestCase):
    def setUp(self):
        directory = TemporaryDirectory()
        self.addCleanup(directory.__exit__)
        self.path = directory.path
        self.data = self.path + "/data"

    def serve(self, **env):
        server = Server(self.data, env=environment(**env))
        self.addCleanup(server.kill)
        return server

    def lock(self, file, mode="EXCLUSIVE"):
        """As another process. NORMAL: for writing alone, which can be had while somebody has it open."""
        other = sqlite3.connect(file, isolation_level=None, timeout=0)
        self.addCleanup(other.close)
        other.execute(f"PRAGMA locking_mode={mode}")
        other.execute("BEGIN EXCLUSIVE")
        return other

    def current(self):
        return self.data + "/store/current.db"

    def slices(self):
        return sorted(glob.glob(self.data + "/store/events-*.db"))

    def send(self, server, *names):
        for name in names:
            for leg in matching_legs(name, name, "12.50", "C-1"):
                self.assertIn(server.ingest(leg).status, (200, 202))

    def matched(self, server, *names):
        for name in names:
            answer = server.get_patiently(f"/api/v1/reconciliation/{name}")
            for _ in range(200):
                if answer.status == 200 and answer.json()["status"] == "matched":
                    break
                time.sleep(0.02)
                answer = server.get_patiently(f"/api/v1/reconciliation/{name}")
            self.assertEqual((answer.status, answer.json()["status"]), (200, "matched"))

    def plain(self, text):
        for word in RAW:
            self.assertNotIn(word, text)

    def test_what_is_there_is_shown_and_what_would_be_old_is_refused(self):
        server = self.serve()
        self.send(server, "BEFORE")
        self.matched(server, "BEFORE")
        others = [self.lock(file, "NORMAL") for file in (self.current(), self.slices()[-1])]
        self.send(server, "MEANWHILE")
        listed = server.get("/api/v1/events").json()
        self.assertEqual(len(listed["items"]), 3)
        self.assertEqual(server.get("/api/v1/reconciliation/stats").status, 200)
        for name in ("BEFORE", "MEANWHILE", "NONE"):
            answer = server.verdict(name)
            self.assertEqual((answer.status, answer.headers["retry-after"]), (503, "1"), name)
            self.assertIn("store has not yet consumed", answer.json()["detail"])
            self.plain(answer.body.decode())
        ready = server.get("/ready")
        until = time.monotonic() + 20
        while ready.status == 200 and time.monotonic() < until:
            time.sleep(0.1)
            ready = server.get("/ready")
        self.assertEqual(ready.status, 503)
        self.assertIn(WORDS, ready.body.decode())
        self.assertIn("nothing is lost", ready.body.decode())
        self.plain(ready.body.decode())
        for other in others:
            other.close()
        server.wait_ready()
        self.matched(server, "BEFORE", "MEANWHILE")
        self.assertEqual(len(server.get("/api/v1/events").json()["items"]), 6)
        self.assertEqual(server.terminate(), 0)

    def add_slice_of_the_day_before(self):
        """As if there had been a day of which nothing is left. Its file."""
        with contextlib.closing(sqlite3.connect(self.current())) as current:
            start = current.execute('SELECT max("start") FROM slices').fetchone()[0]
            before = start - 24 * 60 * 60 * 10**9
            current.execute("INSERT INTO slices VALUES(?, ?, 1)", (before, start))
            current.commit()
        name = time.strftime("events-%Y%m%dT%H%M%SZ.db", time.gmtime(before // 10**9))
        file = f"{self.data}/store/{name}"
        shutil.copy(self.slices()[-1], file)
        with contextlib.closing(sqlite3.connect(file)) as slice_before:
            slice_before.execute('UPDATE slice SET "start" = ?, "end" = ?', (before, start))
            slice_before.execute("DELETE FROM events")
            slice_before.commit()
        return file

    def behind_a_lock(self, **env):
        """A server with a slice that it has not opened yet, and that is locked altogether."""
        with self.serve() as server:
            self.send(server, "BEFORE")
            self.matched(server, "BEFORE")
            self.assertEqual(server.terminate(), 0)
        other = self.lock(self.add_slice_of_the_day_before())
        return self.serve(**env), other

    def test_a_slice_that_cannot_be_read_is_said_within_the_limit(self):
        server, other = self.behind_a_lock(HELIOS_STORE_QUERY_LIMIT="1s")
        began = time.monotonic()
        answer = server.get("/api/v1/events")
        self.assertLess(time.monotonic() - began, 3)
        self.assertEqual(answer.status, 503)
        self.assertIn(WORDS, answer.json()["detail"])
        self.assertTrue(answer.headers["retry-after"])
        self.plain(answer.body.decode())
        self.assertEqual(server.get("/api/v1/reconciliation/stats").status, 200, "it lies elsewhere")
        other.close()
        self.assertEqual(len(server.get("/api/v1/events").json()["items"]), 3)
        self.assertEqual(server.terminate(), 0)

    def test_whoever_hangs_up_frees_the_worker_that_waits_for_it(self):
        server, _ = self.behind_a_lock(
            HELIOS_STORE_QUERY_LIMIT="4s", HELIOS_HTTP_WORKER_THREADS="1"
        )
        with socket.create_connection((server.host, server.port), 20) as asked:
            asked.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            while b"helios_http_questions_running 1" not in server.get("/metrics").body:
                time.sleep(0.02)
        began = time.monotonic()
        self.assertEqual(server.get("/api/v1/reconciliation/stats").status, 200)
        self.assertLess(time.monotonic() - began, 2)

    def test_a_question_that_runs_when_the_drain_limit_ends_is_told(self):
        server, _ = self.behind_a_lock(
            HELIOS_STORE_QUERY_LIMIT="60s", HELIOS_APP_DRAIN_LIMIT="1s"
        )
        connection = http.client.HTTPConnection(server.host, server.port, timeout=20)
        self.addCleanup(connection.close)
        connection.request("GET", "/api/v1/events")
        while b"helios_http_questions_running 1" not in server.get("/metrics").body:
            time.sleep(0.02)
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        answer = connection.getresponse()
        self.assertEqual(answer.status, 503)
        self.assertIn(b"given up", answer.read())
        self.assertLess(time.monotonic() - began, 1.5)
        self.assertEqual(server.process.wait(20), 0)

    def test_a_start_says_that_it_is_locked(self):
        with self.serve() as server:
            self.send(server, "BEFORE")
            self.matched(server, "BEFORE")
            self.assertEqual(server.terminate(), 0)
        other = self.lock(self.current())
        code, _, err = run("serve", "--listen", "127.0.0.1:0", "--data", self.data)
        self.assertEqual(code, 2, err)
        self.assertIn(WORDS, err)
        self.plain(err)
        other.close()
        server = self.serve()
        self.matched(server, "BEFORE")


if __name__ == "__main__":
    binary()
    unittest.main(argv=sys.argv[:1], verbosity=2)
