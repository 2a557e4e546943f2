#!/usr/bin/env python3
"""The log's beginning has left by retention, so checkpoints are what a start begins from: without one it says so, and what to do."""
import glob
import json
import os
import sys
import time
import unittest

from helios_process import Server, TemporaryDirectory, binary, environment, matching_legs, run

LIVES_MAX = 20


class CutLog(unittest.TestCase):
    def setUp(self):
        self.directory = TemporaryDirectory()
        self.addCleanup(self.directory.__exit__)
        self.data = self.directory.path + "/data"
        self.env = environment(
            HELIOS_LOG_PARTITIONS="1",
            HELIOS_RETENTION_LOG="1s",
            HELIOS_RETENTION_DEDUP="1s",
            HELIOS_RECONCILE_CHECKPOINT_INTERVAL="100ms",
        )

    def life(self, name):
        """A server that judges an order; its log begins where retention says."""
        with Server(self.data, env=self.env) as server:
            for event in matching_legs(f"CUT-{name}", name, "12.50", "C-1"):
                self.assertEqual(server.ingest(event).status, 202)
            until = time.monotonic() + 30
            answer = server.verdict(f"CUT-{name}")
            while answer.status != 200 or answer.json()["status"] != "matched":
                self.assertLess(time.monotonic(), until, answer)
                time.sleep(0.02)
                answer = server.verdict(f"CUT-{name}")
            self.assertEqual(server.terminate(), 0)

    def is_cut(self):
        segments = sorted(glob.glob(self.data + "/log/data/*.seg"))
        return int(os.path.basename(segments[0]).removesuffix(".seg"), 16) > 0

    def checkpoints(self):
        return sorted(
            os.path.dirname(path)
            for path in glob.glob(self.data + "/state/engine/0/*/CHECKPOINT")
        )

    def cut(self):
        for life in range(LIVES_MAX):
            self.life(life)
            if self.is_cut() and len(self.checkpoints()) == 2:
                return
            time.sleep(1.1)  # what is on the log is older than retention.log then
        self.fail(f"after {LIVES_MAX} lives nothing has left the log")

    def test_without_a_checkpoint_serve_names_both_and_the_cut_and_the_way_out(self):
        self.cut()
        older, newer = self.checkpoints()
        with open(older + "/CHECKPOINT", "r+b") as file:
            file.truncate(10)
        os.remove(newer + "/CURRENT")
        code, out, err = run(
            "serve", "--listen", "127.0.0.1:0", "--data", self.data, env=self.env
        )
        self.assertEqual(code, 2, err)
        self.assertNotIn("listening on", out)
        for text in (
            f"{older}: {older}/CHECKPOINT is damaged",
            f"{newer}: it lacks CURRENT",
            "records of helios.cases/0 from offset 0 up to ",
            "are past the log's retention and have been dropped",
            "restore the data directory from a copy",
            "helios log export",
        ):
            self.assertIn(text, err)
        # The way out, as it was told.
        code, exported, err = run("log", "export", "--data", self.data)
        self.assertEqual(code, 0, err)
        first = json.loads(exported.splitlines()[0])
        self.assertEqual(first["control"], "start")
        fresh = self.directory.path + "/fresh"
        with Server(fresh) as server:
            code, _, err = run(
                "ingest", "--to", f"http://{server.host}:{server.port}", stdin=exported.encode()
            )
            self.assertEqual(code, 0, err)
            self.assertEqual(server.terminate(), 0)

    def test_one_good_checkpoint_is_enough(self):
        self.cut()
        os.remove(self.checkpoints()[1] + "/CURRENT")
        self.life("afterwards")


if __name__ == "__main__":
    binary()
    unittest.main(argv=sys.argv[:1], verbosity=2)
