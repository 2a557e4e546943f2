#!/usr/bin/env python3
"""`reconcile` over more than fits into its memory: where the rest waits, what a full disk says, what a signal leaves behind, and
that somebody who watches sees how far it is."""
import json
import os
import re
import signal
import subprocess
import sys
import time
import unittest

from helios_process import TemporaryDirectory, line, run, shown, start

LONG = "x" * 4000  # so that few lines are more than memory takes


def legs(number, **more):
    """A good order, as three lines."""
    key = {"orderId": f"ORD-{number * 7919 % 1000003:07}"}
    return [
        line("aws", "OrderPlaced", f"o-{number}", **key, customerId="C-1", totalAmount="1", **more),
        line("gcp", "PaymentProcessed", f"p-{number}", **key, amount="1", **more),
        line("azure", "InventoryReserved", f"i-{number}", **key, **more),
    ]


class Offline(unittest.TestCase):
    def setUp(self):
        directory = TemporaryDirectory()
        self.addCleanup(directory.__exit__)
        self.scratch = os.path.join(directory.path, "scratch")
        self.input = os.path.join(directory.path, "events")
        os.mkdir(self.scratch)

    def write(self, orders, **more):
        with open(self.input, "w", encoding="utf-8") as file:
            for number in range(orders):
                for leg in legs(number, **more):
                    file.write(json.dumps(leg) + "\n")

    def reconcile(self, *arguments, scratch=None, **more):
        return start(
            "reconcile",
            "--format",
            "ndjson",
            *arguments,
            env={"TMPDIR": scratch or self.scratch},
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more},
        )

    def nameless(self, process):
        """Files in the scratch directory that the process has open."""
        found = []
        for descriptor in os.listdir(f"/proc/{process.pid}/fd"):
            try:
                target = os.readlink(f"/proc/{process.pid}/fd/{descriptor}")
            except OSError:
                continue
            if target.startswith(self.scratch):
                found.append(target)
        return found

    def start_piped(self):
        """With the input through a pipe: what stands in a regular file is not kept."""
        cat = subprocess.Popen(["cat", self.input], stdout=subprocess.PIPE)
        self.addCleanup(cat.wait)
        with cat.stdout as pipe:
            return self.reconcile(stdin=pipe)

    def wait_for(self, condition):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if condition():
                return
            time.sleep(0.01)
        self.fail("waited for 60 s")

    def tmpfs(self, size):
        """A file system of that size on the scratch directory."""
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", self.scratch],
            capture_output=True,
            check=False,
        )
        if mounted.returncode != 0:
            self.skipTest("mounting a small file system needs root")
        self.addCleanup(subprocess.run, ["umount", self.scratch], check=True)

    def test_a_full_disk_is_named_with_what_to_do(self):
        self.tmpfs("2m")
        self.write(6000, note=LONG)
        with self.start_piped() as process:
            out, err = process.communicate(timeout=60)
        self.assertEqual((process.returncode, out), (2, b""), err)
        self.assertIn(
            f"can't write temporary files in {self.scratch}: No space left on device", err.decode()
        )
        self.assertIn("free some space there, or set TMPDIR to another directory", err.decode())
        self.assertEqual(os.listdir(self.scratch), [])

    def test_what_does_not_fit_waits_on_disk_and_says_the_same(self):
        self.write(7000, note=LONG)
        with self.start_piped() as process:
            on_disk = False
            while process.poll() is None and not on_disk:
                on_disk = bool(self.nameless(process))
            out, err = process.communicate(timeout=60)
        self.assertTrue(on_disk, "84 MB did not fit into memory")
        self.assertEqual(process.returncode, 0, err)
        self.assertIn(b"7000 cases: 7000 matched", err)
        keys = [json.loads(verdict)["key"] for verdict in out.splitlines()]
        self.assertEqual(keys, sorted(f"ORD-{n * 7919 % 1000003:07}" for n in range(7000)))
        self.assertEqual(os.listdir(self.scratch), [])

    def test_lines_of_a_file_are_not_kept(self):
        """Not even the 84 MB that do not fit: those whose ids are twice there are read again."""
        self.write(7000, note=LONG)
        again = dict(legs(6999, note=LONG)[0], payload={"orderId": "ORD-1", "note": LONG})
        with open(self.input, "a", encoding="utf-8") as file:
            file.write(json.dumps(again) + "\n")
        rejects = os.path.join(self.scratch, "rejects")
        with self.reconcile(
            "--rejects", rejects, self.input, stdout=subprocess.DEVNULL
        ) as process:
            on_disk = []
            while process.poll() is None and not on_disk:
                on_disk = [file for file in self.nameless(process) if file != rejects]
            _, err = process.communicate(timeout=60)
        self.assertEqual(on_disk, [])
        self.assertEqual(process.returncode, 1, err)
        self.assertIn(b"1 rejected", err)
        with open(rejects, encoding="utf-8") as file:
            rejected = json.loads(file.read())
        self.assertIn(rejected["line"], (20998, 21001))
        self.assertIn(json.loads(rejected["text"]), (again, legs(6999, note=LONG)[0]))

    def test_a_file_that_was_written_to_meanwhile(self):
        """What is read again is what it was, or the run ends: here lines of one id."""
        text = "".join(json.dumps(leg) + "\n" for leg in legs(1) + legs(1))
        with open(self.input, "w", encoding="utf-8") as file:
            file.write(text)
        with self.reconcile(self.input, "-", stdin=subprocess.PIPE) as process:
            process.stdin.write(b"{}\n")
            process.stdin.flush()
            self.assertIn(b"stdin:1: rejected", process.stderr.readline())  # so the file is read
            with open(self.input, "w", encoding="utf-8") as file:
                file.write(text.replace("C-1", "C-2"))
            out, err = process.communicate(timeout=60)
        self.assertEqual((process.returncode, out), (2, b""), err)
        self.assertRegex(err.decode(), r"events:[14]: the line is not what it was")
        self.assertIn("cat FILE | helios reconcile", err.decode())

    def test_a_signal_leaves_nothing_behind(self):
        text = b"".join(
            json.dumps(leg).encode() + b"\n" for n in range(6000) for leg in legs(n, note=LONG)
        )
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.reconcile(stdin=subprocess.PIPE) as process:
                process.stdin.write(text)  # and waits for more
                process.stdin.flush()
                self.wait_for(lambda process=process: self.nameless(process))
                self.assertEqual(os.listdir(self.scratch), [], "a file with a name")
                process.send_signal(number)
                process.wait(20)
                self.assertEqual(
                    (process.returncode, process.stdout.read(), process.stderr.read()),
                    (2, b"", b"helios: interrupted\n"),
                    number,
                )
            self.assertEqual(os.listdir(self.scratch), [], number)

    def test_a_signal_while_it_judges(self):
        self.write(20000)
        with self.reconcile(self.input) as process:
            process.stdout.readline()  # nobody reads the rest, so it waits
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
        self.assertEqual((process.returncode, err), (2, b"helios: interrupted\n"))
        self.assertLess(out.count(b"\n"), 20000)
        self.assertEqual(os.listdir(self.scratch), [])

    def test_a_directory_that_is_not_there(self):
        absent = os.path.join(self.scratch, "absent")
        with self.reconcile(scratch=absent, stdin=subprocess.DEVNULL) as process:
            _, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 2)
        self.assertIn(b"set TMPDIR to one that can be written", err)

    def test_an_input_that_was_cut_off(self):
        """The last line is named, what came before it is judged."""
        whole = "".join(json.dumps(leg) + "\n" for n in range(2) for leg in legs(n))
        code, out, err = run("reconcile", "--format", "ndjson", stdin=whole[:-40].encode())
        self.assertEqual(code, 1)
        self.assertEqual(len(out.splitlines()), 2)
        self.assertIn("stdin:6: rejected: ", err)
        self.assertIn("2 cases: 1 matched, 1 partial", err)
        self.assertIn("5 events", err)

    def test_progress_while_reading_and_while_judging(self):
        reading = r" \d+ %  [\d,]+ lines  [\d,]+ lines/s"
        for cases in (60000, 240000, 960000):  # what is over in 300 ms shows none
            self.write(cases)
            seen = shown("reconcile", "--format", "ndjson", self.input, TMPDIR=self.scratch)
            if re.search(reading, seen):
                break
        self.assertRegex(seen, reading)
        self.assertRegex(seen, r" \d+ %  (comparing ids|judging)")
        last = seen.split("\r\x1b[2K")[-1]
        self.assertTrue(last.startswith(f"{cases} cases: {cases} matched"), last)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
