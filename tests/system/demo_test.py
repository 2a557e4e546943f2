#!/usr/bin/env python3
"""`helios demo` as a newcomer runs it: ends by itself within a minute, finds every fault, raises no false alarm, leaves nothing behind."""
import glob
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from helios_process import binary, environment, run


class Demo(unittest.TestCase):
    def test_scoreboard(self):
        with tempfile.TemporaryDirectory() as directory:
            began = time.monotonic()
            code, out, err = run(
                "demo",
                "--orders",
                "120",
                timeout=90,
                env=environment(TMPDIR=directory, LC_ALL="C.UTF-8"),
            )
            seconds = time.monotonic() - began
            self.assertEqual(code, 0, out + err)
            self.assertLess(seconds, 60, "about a minute was promised")
            self.assertRegex(out, r"120 orders, missed 0, false alarms 0")
            for fault in (
                "duplicate delivery",
                "out of order",
                "late",
                "missing order",
                "missing payment",
                "missing inventory",
                "malformed",
                "declined",
                "wrong amount",
                "other currency",
                "wrong quantity",
                "double charge",
            ):
                row = re.search(rf"│ {fault} +│[^│]*│ +(\d+) │ +(\d+) │ +0 │ +0 │", out)
                self.assertTrue(
                    row and row.group(1) == row.group(2) and int(row.group(1)) > 0,
                    f"{fault}:\n{out}",
                )
            self.assertIn("Deadlines are 5s here", out)
            self.assertRegex(out, r"time to verdict +p50 [\d.]+ ms, p99")
            self.assertNotIn("curl", out, "the server has ended: nothing can be asked of it")
            self.assertIn("helios demo --keep", out)
            self.assertNotIn("\x1b", out, "no terminal, no colour")
            self.assertEqual(
                glob.glob(directory + "/*"), [], "the temporary data directory is gone"
            )

    def test_interrupt(self):
        process = subprocess.Popen(
            [binary(), "demo"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment()
        )
        try:
            seen = b""
            while b"events" not in seen:
                chunk = os.read(process.stdout.fileno(), 4096)
                self.assertTrue(chunk, seen)
                seen += chunk
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=15)
            self.assertEqual(process.returncode, 2, rest.decode())
            self.assertIn(b"Stopped", rest)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            process.stdout.close()


if __name__ == "__main__":
    binary()
    unittest.main(argv=sys.argv[:1], verbosity=2)
