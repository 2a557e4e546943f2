#!/usr/bin/env python3
"""What a machine, an orchestrator or a supervisor puts around a server: variables, signals, addresses. Against the real binary."""
import json
import subprocess
import sys
import unittest

from helios_process import Server, TemporaryDirectory, binary, environment, run

KUBERNETES = {  # for a Service named helios
    "HELIOS_SERVICE_HOST": "10.0.0.1", "HELIOS_SERVICE_PORT": "8001", "HELIOS_SERVICE_PORT_HTTP": "8001",
    "HELIOS_PORT": "tcp://10.0.0.1:8001", "HELIOS_PORT_8001_TCP": "tcp://10.0.0.1:8001", "HELIOS_PORT_8001_TCP_PROTO": "tcp",
    "HELIOS_PORT_8001_TCP_PORT": "8001", "HELIOS_PORT_8001_TCP_ADDR": "10.0.0.1",
}


class Test(unittest.TestCase):
    def setUp(self):
        directory = TemporaryDirectory()
        self.addCleanup(directory.__exit__)
        self.path = directory.path

    def serve(self, *arguments, **more):
        server = Server(self.path + "/data", *arguments, **more)
        self.addCleanup(server.kill)
        return server

    def lines(self, server, message):
        """The server's log lines that hold `message`."""
        server.stderr.seek(0)
        found = [json.loads(line) for line in server.stderr.read().splitlines() if line.startswith(b"{")]
        return [line for line in found if message in line["message"]]


class Variables(Test):
    def test_an_orchestrators_variables_are_told_and_ignored(self):
        env = environment(**KUBERNETES, HELIOS_VERSION="1", HELIOS_HOME="/opt/helios", HELIOS_HTTP_PROT="9000")
        server = self.serve(env=env)
        told = self.lines(server, "which is no option: ignored")
        self.assertEqual(len(told), len(KUBERNETES) + 3, told)
        hint = {line["message"].split()[3].strip(","): line["hint"] for line in told}
        self.assertEqual(hint["HELIOS_HTTP_PROT"], "did you mean HELIOS_HTTP_PORT?")
        self.assertIn("the nearest option is HELIOS_HTTP_PORT;", hint["HELIOS_PORT"])
        self.assertEqual({line["level"] for line in told}, {"warn"})
        code, out, err = run("config", "check", env=env)
        self.assertEqual((code, err.count("warning: ")), (0, len(told)), err)
        self.assertIn("http.port: 8001\n", out)
        code, _, err = run("config", "check", "--strict", env=env)
        self.assertEqual((code, err.count("which is no option")), (1, len(told)), err)
        self.assertEqual(run("config", "check", "--strict")[0], 0)

    def test_a_bad_value_of_a_known_variable_says_where_it_comes_from(self):
        for name, value in (("HELIOS_HTTP_PORT", "tcp://10.0.0.1:8001"), ("API_PORT", "eight"), ("LOG_LEVEL", "loud")):
            code, _, err = run("serve", "--data", self.path + "/data", env=environment(**{name: value}))
            self.assertEqual(code, 2, err)
            self.assertIn(f"{name}: ", err)
            self.assertIn(f'"{value}"', err)

    def test_an_empty_variable_counts_as_unset(self):
        names = ("TMPDIR", "TMP", "TEMP", "API_HOST", "API_PORT", "LOG_LEVEL", "HELIOS_HTTP_PORT", "HELIOS_APP_DATA_DIR", "HELIOS_HOME",
                 "DATABASE_URL", "REDIS_URL", "KAFKA_BOOTSTRAP_SERVERS", "NO_COLOR", "TZ", "NOTIFY_SOCKET", "WATCHDOG_USEC", "HELIOS_SERVER")
        env = environment(**{name: "" for name in names})
        code, out, err = run("config", "check", "--strict", env=env)
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(out, run("config", "check")[1])
        server = self.serve("--ephemeral", env=env)  # its store needs a temporary directory
        self.assertEqual(self.lines(server, "no option"), [])
        self.assertEqual(server.terminate(), 0)
        code, out, err = run("reconcile", "-", env=env, stdin=json.dumps(
            {"source": "aws", "eventType": "OrderPlaced", "payload": {"orderId": "O-1", "customerId": "C"}}).encode())
        self.assertEqual((code, "partial" in out), (1, True), err)


if __name__ == "__main__":
    binary()
    unittest.main(argv=sys.argv[:1], verbosity=2)
