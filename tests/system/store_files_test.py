#!/usr/bin/env python3
"""Damaged files of the store, and a disk that takes no more: who is told what, and how it goes on. Against the real binary."""
import glob
import json
import os
import subprocess
import sys
import time
import unittest

from helios_process import Server, TemporaryDirectory, binary, line, run

PAGE_BYTES = 8192


def order(number):
    return line(
        "aws",
        "OrderPlaced",
        f"o-{number}",
        orderId=f"ORD-{number}",
        customerId="C-1",
        totalAmount="1",
    )


def flip_bits(path):
    """One bit of each page but the first, which says what the file is."""
    with open(path, "r+b") as file:
        for at in range(PAGE_BYTES, os.path.getsize(path), PAGE_BYTES):
            file.seek(at)
            first = file.read(1)[0]
            file.seek(at)
            file.write(bytes([first ^ 4]))


class StoreFiles(unittest.TestCase):
    def setUp(self):
        self.directory = TemporaryDirectory()
        self.addCleanup(self.directory.__exit__)
        self.data = os.path.join(self.directory.path, "data")
        self.store = os.path.join(self.data, "store")

    def fill(self):
        with Server(self.data) as server:
            for number in range(20):
                self.assertEqual(server.ingest(order(number)).status, 202)
            server.get_patiently("/api/v1/reconciliation/ORD-19")
            self.assertEqual(server.terminate(), 0)

    def ids(self, server):
        items = server.get_patiently("/api/v1/events?limit=1000").json()["items"]
        return sorted(item["eventId"] for item in items)

    def check(self, *more):
        return run("store", "check", "--data", self.data, *more)

    def test_damage_is_found_named_and_mended(self):
        self.fill()
        (slice_file,) = glob.glob(os.path.join(self.store, "events-*.db"))
        code, out, err = self.check()
        self.assertEqual((code, len(out.splitlines()), err), (0, 2, ""))
        for damaged in (slice_file, os.path.join(self.store, "current.db")):
            flip_bits(damaged)
            code, out, err = self.check()
            self.assertEqual(code, 1, out)
            self.assertIn(damaged, [text for text in out.splitlines() if "good" not in text][0])
            self.assertIn("helios store rebuild", err)
            code, out, _ = self.check("--json")
            wrong = [file for file in json.loads(out)["files"] if "damage" in file]
            self.assertEqual((code, [file["file"] for file in wrong]), (1, [damaged]))
            code, out, err = run("serve", "--listen", "127.0.0.1:0", "--data", self.data)
            self.assertEqual(code, 2, out)
            self.assertIn(damaged, err)
            self.assertIn("helios store rebuild", err)
            code, out, err = run("store", "rebuild", "--data", self.data)
            self.assertEqual(code, 0, err)
            self.assertEqual(self.check()[0], 0)
            with Server(self.data) as server:
                self.assertEqual(self.ids(server), sorted(f"o-{n}" for n in range(20)))
                self.assertEqual(server.terminate(), 0)

    def test_a_store_that_is_not_there(self):
        self.fill()
        for file in glob.glob(os.path.join(self.store, "*")):
            os.remove(file)
        code, out, err = self.check()
        self.assertEqual((code, out), (2, ""))
        self.assertIn("there is no store", err)

    def mount(self, *options):
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", self.store],
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            self.skipTest("mounting a small file system needs root")

    def test_a_full_disk_of_the_store_alone(self):
        """Events are taken, what is asked for is answered from what is there, and with room all of it comes."""
        self.fill()
        with TemporaryDirectory() as kept:
            subprocess.run(["cp", "-a", self.store + "/.", kept], check=True)
            self.mount("size=2m")
            self.addCleanup(subprocess.run, ["umount", self.store], check=True)
            subprocess.run(["cp", "-a", kept + "/.", self.store], check=True)
        with Server(self.data) as server:
            sent = 20
            while not self.failing(server) and sent < 40_000:
                batch = [order(number) for number in range(sent, sent + 1000)]
                self.assertEqual(server.post("/api/v1/events/batch", batch).status, 200)
                sent += 1000
            self.assertTrue(self.failing(server))
            self.assertIn(self.store, server.get("/ready").body.decode())
            self.assertIn("free disk space", server.get("/ready").body.decode())
            self.assertEqual(server.ingest(order(sent)).status, 202)
            self.mount("remount", "size=200m")
            for _ in range(600):
                if not self.failing(server) and server.get("/ready").status == 200:
                    break
                time.sleep(0.1)
            self.assertEqual(server.verdict(f"ORD-{sent}").status, 200)
            self.assertEqual(server.terminate(), 0)
        code, out, err = run("store", "dump", "--data", self.data)
        self.assertEqual((code, out.count('{"table":"events"')), (0, sent + 1), err)

    def failing(self, server):
        return b"database or disk is full" in server.get("/ready").body


if __name__ == "__main__":
    binary()
    unittest.main(argv=sys.argv[:1], verbosity=2)
