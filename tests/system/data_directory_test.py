#!/usr/bin/env python3
"""One server per data directory, whatever happens to the files in it; and nobody writes who has not been let in."""
import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import time
import unittest

from helios_process import Server, TemporaryDirectory, binary, environment, events_of, line, run


def order(n):
    return line(
        "aws",
        "OrderPlaced",
        f"o-{n}",
        orderId=f"DIR-{n}",
        customerId="C",
        totalAmount="5.00",
        currency="USD",
        items=[{"productId": "MUG", "price": "5.00", "qty": 1}],
    )


def tree(root):
    """Every file below root, and what is in it."""
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                found[path] = hashlib.sha256(file.read()).hexdigest()
    return found


class DataDirectoryTest(unittest.TestCase):
    def setUp(self):
        self.directory = TemporaryDirectory()
        self.addCleanup(self.directory.__exit__)
        self.data = self.directory.path + "/data"

    def send(self, server, first, count):
        for n in range(first, first + count):
            self.assertEqual(server.ingest(order(n)).status, 202)

    def serve(self, data=None):
        return run("serve", "--listen", "127.0.0.1:0", "--data", data or self.data)

    def filled(self, count=5):
        with Server(self.data) as server:
            self.send(server, 0, count)
            self.assertEqual(server.terminate(), 0)

    def test_a_removed_lock_file_lets_nobody_in(self):
        with Server(self.data) as server:
            self.send(server, 0, 50)
            for _ in range(3):
                if os.path.exists(self.data + "/LOCK"):
                    os.remove(self.data + "/LOCK")
                code, _, err = self.serve()
                self.assertEqual(code, 2, err)
                self.assertIn(f"{self.data} is in use by", err)
                self.assertFalse(
                    os.path.exists(self.data + "/LOCK"), "who is refused writes nothing"
                )
                code, _, err = run("store", "rebuild", "--data", self.data)
                self.assertEqual(code, 2, err)
                self.assertIn("is in use by", err)
            self.send(server, 50, 50)
            self.assertEqual(server.terminate(), 0)
        self.assertEqual(len(events_of(self.data)[0]), 100)

    def test_a_lock_file_put_in_its_place_says_nothing(self):
        with Server(self.data) as server:
            shutil.copy(self.data + "/LOCK", self.data + "/LOCK.copy")
            os.replace(self.data + "/LOCK.copy", self.data + "/LOCK")
            code, _, err = self.serve()
            self.assertEqual(code, 2, err)
            self.assertIn(f"in use by process {server.process.pid}", err)
            os.symlink(self.data, self.directory.path + "/link")
            self.assertEqual(self.serve(self.directory.path + "/link")[0], 2)
            self.assertEqual(server.terminate(), 0)
        with Server(self.data) as server:
            self.assertEqual(server.terminate(), 0)

    def test_of_servers_started_at_once_one_wins(self):
        for attempt in range(4):
            data = f"{self.data}-{attempt}"
            started = [
                subprocess.Popen(
                    [binary(), "serve", "--listen", "127.0.0.1:0", "--data", data],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env=environment(),
                )
                for _ in range(3)
            ]
            try:
                first_lines = [process.stdout.readline() for process in started]
                listening = [
                    n for n, text in enumerate(first_lines) if text.startswith(b"listening on")
                ]
                self.assertEqual(len(listening), 1, first_lines)
                for n, process in enumerate(started):
                    if n not in listening:
                        self.assertEqual(process.wait(20), 2)
            finally:
                for process in started:
                    process.kill()
                    process.wait()
                    process.stdout.close()

    def test_a_folder_that_is_a_link_is_guarded_too(self):
        """Two directories whose logs are one: `cp -a` of a directory with a link in it makes them."""
        self.filled()
        os.rename(self.data + "/log", self.directory.path + "/elsewhere")
        os.symlink(self.directory.path + "/elsewhere", self.data + "/log")
        copy = self.data + "-copy"
        shutil.copytree(self.data, copy, symlinks=True)
        with Server(self.data) as server:
            self.send(server, 100, 5)
            code, _, err = self.serve(copy)
            self.assertEqual(code, 2, err)
            self.assertIn("log is in use by another process", err)
            self.send(server, 105, 5)
            self.assertEqual(server.terminate(), 0)
        self.assertEqual(len(events_of(self.data)[0]), 15)

    def test_looking_into_a_log_writes_nothing(self):
        self.filled()
        before = tree(self.data)
        for command in (["log", "ls"], ["log", "read"], ["log", "export"]):
            code, _, err = run(*command, "--data", self.data)
            self.assertEqual(code, 0, err)
        self.assertEqual(tree(self.data), before)

    def test_a_flipped_bit_in_a_header_loses_nothing_in_silence(self):
        self.filled()
        with Server(self.data) as server:  # seals the first segment
            self.send(server, 100, 1)
            self.assertEqual(server.terminate(), 0)
        _, out, _ = run("log", "read", "--data", self.data)
        records = [json.loads(text) for text in out.splitlines()]
        offset = [
            record["offset"] for record in records if record["topic"] == "helios.events.orders"
        ][2]
        segment = self.data + "/log/data/0000000000000000.seg"
        for place in (24, 0, 16, 28, 36, 50):  # topic, length, time, partition, kind, value
            with open(segment, "r+b") as file:
                file.seek(offset + place)
                byte = file.read(1)
                file.seek(offset + place)
                file.write(bytes([byte[0] ^ 1]))
            for command in (
                ["log", "ls"],
                ["log", "read"],
                ["log", "read", "--topic", "helios.events.orders"],
                ["log", "export"],
                ["store", "rebuild"],
            ):
                code, out, err = run(*command, "--data", self.data)
                self.assertEqual(code, 1, command)
                self.assertIn(f"{segment} bytes {offset}..", out + err)
            with Server(self.data, env=environment(HELIOS_LOG_SCRUB_DELAY="10ms")) as server:
                self.wait_for(lambda: server.get("/api/v1/health").json()["status"] == "degraded")
                damage = server.get("/api/v1/health").json()["log"]["damage"]
                self.assertEqual(
                    [(gap["file"], gap["begin"]) for gap in damage], [(segment, offset)]
                )
                self.assertIn(b"\nhelios_log_damage_total 1\n", server.get("/metrics").body)
                self.wait_for(
                    lambda: b"scrub_last_pass_timestamp_seconds 0\n"
                    not in server.get("/metrics").body
                )
                self.assertEqual(server.terminate(), 0)
            with open(segment, "r+b") as file:
                file.seek(offset + place)
                file.write(byte)
        self.assertEqual(run("log", "ls", "--data", self.data)[0], 0)

    @staticmethod
    def remove(path):
        """A server that is at work in there may put a file into a folder that was empty a moment ago."""
        while os.path.exists(path):
            shutil.rmtree(path, ignore_errors=True)

    def wait_for(self, condition, seconds=60):
        until = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), until, "waited in vain")
            time.sleep(0.02)

    def test_nothing_is_acknowledged_once_the_directory_is_gone(self):
        quick = environment(HELIOS_APP_CHECK_INTERVAL="50ms")
        gone = {
            "deleted": lambda: self.remove(self.data),
            "moved": lambda: os.rename(self.data, self.data + ".moved"),
            "replaced": lambda: (
                os.rename(self.data, self.data + ".old"),
                # The server may be making its store anew there already.
                shutil.copytree(self.data + ".old", self.data, dirs_exist_ok=True),
            ),
            "without its log": lambda: self.remove(self.data + "/log"),
            "without its index": lambda: self.remove(self.data + "/dedup"),
        }
        # The index is written out all the time, or not once: into folders that are not there any more.
        for how, remove, flush in [
            (how, remove, flush) for how, remove in gone.items() for flush in ("1ms", "1h")
        ]:
            quick["HELIOS_GATEWAY_INDEX_FLUSH_INTERVAL"] = flush
            with self.subTest(how, flush=flush), Server(self.data, env=quick) as server:
                self.send(server, 0, 5)
                self.assertEqual(server.get("/api/v1/health").json()["status"], "healthy")
                remove()
                self.wait_for(lambda: server.get("/ready").status == 503)
                self.assertEqual(server.ingest(order(1000)).status, 503)
                self.assertEqual(server.get("/api/v1/health").json()["status"], "degraded")
                self.wait_for(
                    lambda: "what the server has opened is not as it was" in server.errors()
                )
                self.assertEqual(server.terminate(), 0)
            for path in (self.data, self.data + ".moved", self.data + ".old"):
                shutil.rmtree(path, ignore_errors=True)

    def test_a_deleted_log_acknowledges_nothing_between_two_looks(self):
        with Server(self.data, env=environment(HELIOS_APP_CHECK_INTERVAL="1h")) as server:
            self.send(server, 0, 5)
            self.remove(self.data)
            self.assertEqual(server.ingest(order(1000)).status, 503)
            self.wait_for(lambda: server.get("/ready").status == 503, seconds=2)
            self.assertEqual(server.terminate(), 0)

    def test_a_deleted_store_is_made_anew(self):
        with Server(self.data, env=environment(HELIOS_APP_CHECK_INTERVAL="200ms")) as server:
            self.send(server, 0, 5)
            self.wait_for(lambda: server.verdict("DIR-4").status == 200)
            self.remove(self.data + "/store")
            self.wait_for(lambda: server.get("/api/v1/health").json()["status"] == "degraded")
            self.assertEqual(server.get("/ready").status, 200)
            self.assertEqual(server.ingest(order(5)).status, 202)
            self.wait_for(lambda: server.get("/api/v1/health").json()["status"] == "healthy")
            for n in range(6):
                self.wait_for(lambda key=f"DIR-{n}": server.verdict(key).status == 200)
            self.assertEqual(server.terminate(), 0)
        self.assertTrue(os.path.exists(self.data + "/store/current.db"))

    def test_stopping_while_no_file_can_be_written(self):
        """A limit of size stands for a full disk: every data file fails, each at its next write."""
        with Server(self.data) as server:
            self.send(server, 0, 50)
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (0, 0))
            for n in range(50, 60):
                self.assertEqual(server.ingest(order(n)).status, 503)
            self.wait_for(lambda: server.get("/ready").status == 503, seconds=2)
            self.assertIn(
                b"File too large", server.get("/ready").body
            )  # standard error is a file, too, and has ended at its limit
            self.assertEqual(server.terminate(), 0)
        with Server(self.data) as server:
            for n in range(50):
                self.assertEqual(server.ingest(order(n)).status, 200)
            self.assertEqual(server.terminate(), 0)
        self.assertEqual(len(events_of(self.data)[0]), 50)

    def test_an_older_format_is_refused_unchanged(self):
        self.filled()
        with open(self.data + "/FORMAT", "w", encoding="utf-8") as file:
            file.write("helios data directory\nreader 1\nwriter 1\npartitions 12\n")
        before = tree(self.data)
        for command in (
            ["serve", "--listen", "127.0.0.1:0"],
            ["log", "ls"],
            ["store", "dump"],
            ["store", "rebuild"],
        ):
            code, _, err = run(*command, "--data", self.data)
            self.assertEqual(code, 2, command)
            self.assertIn(
                "was written by an older Helios: it has format 1, this one knows format 4", err
            )
            self.assertIn("choose a new directory with --data", err)
        self.assertEqual(tree(self.data), before)


if __name__ == "__main__":
    binary()
    unittest.main(argv=sys.argv[:1], verbosity=2)
