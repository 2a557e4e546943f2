#!/usr/bin/env python3
"""schemathesis, with all its checks, finds nothing in what /openapi.json says: examples, each boundary of each schema, what it makes up,
and sequences of questions that follow one another.

It is in .deps/python (tools/python_packages.py); without it the test says so and is skipped. schemathesis_hooks.py has the exceptions,
each with its reason. HELIOS_TEST_SEED: another seed; HELIOS_TEST_EXAMPLES: more examples per operation.
"""
import os
import pathlib
import re
import subprocess
import sys
import unittest

from helios_process import SKIP, Server, TemporaryDirectory
from openapi_test import send_all_kinds

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / ".deps" / "python" / "bin" / "schemathesis"
HOOKS = pathlib.Path(__file__).resolve().parent / "schemathesis_hooks.py"
SEED = os.environ.get("HELIOS_TEST_SEED", "7")
EXAMPLES = os.environ.get("HELIOS_TEST_EXAMPLES", "5")
STAND_IN = "positive_data_acceptance,negative_data_rejection"  # for which the hooks have checks
LIMIT_S = 450  # alone it takes less than a minute
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")

if not PROGRAM.is_file():
    print("skipped: schemathesis from PyPI is not here; ./dev setup fetches it")
    sys.exit(SKIP)


class Schemathesis(unittest.TestCase):
    def test_it_finds_nothing(self):
        with TemporaryDirectory() as directory, Server(directory + "/data") as server:
            send_all_kinds(server)
            document = server.get("/openapi.json").json()
            found = subprocess.run(
                [PROGRAM, "run", f"http://{server.host}:{server.port}/openapi.json", "--checks", "all"]
                + ["--exclude-checks", STAND_IN, "--max-examples", EXAMPLES, "--seed", SEED]
                + ["--generation-database", "none", "--continue-on-failure", "--no-color", "--warnings", "off"]
                + ["--request-timeout", "30"],
                cwd=directory,
                env={**os.environ, "SCHEMATHESIS_HOOKS": str(HOOKS), "PYTHONDONTWRITEBYTECODE": "1"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=LIMIT_S,
            )
            told = found.stdout + found.stderr
            self.assertEqual(found.returncode, 0, told[-20_000:])
            operations = sum(
                method in METHODS
                for path, methods in document["paths"].items()
                for method in methods
                if path != "/openapi.json"  # schemathesis leaves out where it has the document from
            )
            self.assertRegex(told, rf"Tested: {operations}\b", told[-2000:])
            generated = re.search(r"(\d+) generated", told)
            self.assertGreater(int(generated.group(1)), operations * 5, told[-2000:])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
