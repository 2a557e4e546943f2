#!/usr/bin/env python3
"""What a machine, an orchestrator or a supervisor puts around a server: variables, signals, addresses. Against the real binary."""
import fcntl
import http.client
import json
import os
import pty
import re
import signal
import socket
import sys
import termios
import time
import unittest

from helios_process import Server, TemporaryDirectory, binary, environment, line, run

KUBERNETES = {  # for a Service named helios
    "HELIOS_SERVICE_HOST": "10.0.0.1",
    "HELIOS_SERVICE_PORT": "8001",
    "HELIOS_SERVICE_PORT_HTTP": "8001",
    "HELIOS_PORT": "tcp://10.0.0.1:8001",
    "HELIOS_PORT_8001_TCP": "tcp://10.0.0.1:8001",
    "HELIOS_PORT_8001_TCP_PROTO": "tcp",
    "HELIOS_PORT_8001_TCP_PORT": "8001",
    "HELIOS_PORT_8001_TCP_ADDR": "10.0.0.1",
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

    def wait_for(self, condition, what, seconds=20):
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.02)

    def lines(self, server, message):
        """The server's log lines that hold `message`."""
        server.stderr.seek(0)
        found = [
            json.loads(line) for line in server.stderr.read().splitlines() if line.startswith(b"{")
        ]
        return [line for line in found if message in line["message"]]


class Variables(Test):
    def test_an_orchestrators_variables_are_told_and_ignored(self):
        env = environment(
            **KUBERNETES, HELIOS_VERSION="1", HELIOS_HOME="/opt/helios", HELIOS_HTTP_PROT="9000"
        )
        server = self.serve(env=env)
        told = self.lines(server, "which is no option: ignored")
        self.assertEqual(len(told), len(KUBERNETES) + 3, told)
        hint = {line["message"].split()[4].strip(","): line["hint"] for line in told}
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
        for name, value in (
            ("HELIOS_HTTP_PORT", "tcp://10.0.0.1:8001"),
            ("API_PORT", "eight"),
            ("LOG_LEVEL", "loud"),
        ):
            code, _, err = run(
                "serve", "--data", self.path + "/data", env=environment(**{name: value})
            )
            self.assertEqual(code, 2, err)
            self.assertIn(f"{name}: ", err)
            self.assertIn(f'"{value}"', err)

    def test_an_empty_variable_counts_as_unset(self):
        names = (
            "TMPDIR",
            "TMP",
            "TEMP",
            "API_HOST",
            "API_PORT",
            "LOG_LEVEL",
            "HELIOS_HTTP_PORT",
            "HELIOS_APP_DATA_DIR",
            "HELIOS_HOME",
            "DATABASE_URL",
            "REDIS_URL",
            "KAFKA_BOOTSTRAP_SERVERS",
            "NO_COLOR",
            "TZ",
            "NOTIFY_SOCKET",
            "WATCHDOG_USEC",
            "HELIOS_SERVER",
        )
        env = environment(**{name: "" for name in names})
        code, out, err = run("config", "check", "--strict", env=env)
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(out, run("config", "check")[1])
        server = self.serve("--ephemeral", env=env)  # its store needs a temporary directory
        self.assertEqual(self.lines(server, "no option"), [])
        self.assertEqual(server.terminate(), 0)
        code, out, err = run(
            "reconcile",
            "-",
            env=env,
            stdin=json.dumps(
                {
                    "source": "aws",
                    "eventType": "OrderPlaced",
                    "payload": {"orderId": "O-1", "customerId": "C"},
                }
            ).encode(),
        )
        self.assertEqual((code, "partial" in out), (1, True), err)


TOLD = ("HUP", "USR1", "USR2", "ALRM", "VTALRM", "PROF", "IO", "PWR", "RTMIN")
DRAINING = (("TERM", 0), ("INT", 0), ("QUIT", 131), ("XCPU", 152))


class Configuration(Test):
    """`config check` says what `serve` would refuse, all of it at once, and changes nothing."""

    def write(self, name, text):
        path = f"{self.path}/{name}"
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        return path

    def both(self, *arguments, env=None, positional=()):
        """(what check says, what serve says): the same complaints, line for line."""
        code, _, check = run("config", "check", *arguments, *positional, env=env)
        self.assertEqual(code, 1, check)
        configured = [word for each in positional for word in ("--config", each)]
        code, _, serve = run("serve", *arguments, *configured, env=env)
        self.assertEqual(code, 2, serve)
        return check, serve

    def test_seven_mistakes_are_seven_complaints(self):
        file = self.write(
            "helios.yaml",
            "http:\n  prot: 1\n  port: 99999\n  idle_timeout: soon\nlog:\n  partitions: 0\nhtpp:\n",
        )
        flow = self.write(
            "flow.yaml",
            "flow: Order\nversion: 0\nlegs:\n  a: {source: any, type: any, deadline: 0}\n",
        )
        env = environment(
            API_HOST="",
            HELIOS_LOG_SEGMENT_BYTES="1XB",
            HELIOS_SOURCES_AWS_POLICY="none",
            DATABASE_URL="postgresql://x",
        )
        check, serve = self.both(
            "--flow",
            flow,
            "--flow",
            self.path + "/none.yaml",
            "--catalogue",
            flow,
            "--log-level",
            "loud",
            "--data",
            self.path + "/data",
            "--listen",
            "0.0.0.0:0",
            env=env,
            positional=[file],
        )
        for what in (
            f"{file}:2:3: unknown option",
            f"{file}:3:9: http.port",
            f"{file}:4:17: http.idle_timeout",
            f"{file}:6:15: log.partitions is 0",
            f'{file}:7:1: unknown section "htpp"',
            "HELIOS_LOG_SEGMENT_BYTES: ",
            "DATABASE_URL is set",
            "--log-level: ",
            "--listen: 0.0.0.0",
            f"{flow}:1:7: ",
            f"{flow}:2:10: ",
            f"{flow}:4:26: type 'any'",
            f"{flow}:4:41: ",
            f"{flow}:1:1: 'key' is missing",
            f"can't read {self.path}/none.yaml",
            "unknown key",
        ):
            self.assertIn(what, check)
            self.assertIn(what, serve)
        self.assertFalse(os.path.exists(self.path + "/data"))

    def test_who_may_write_without_proof_is_asked_about_wherever_others_reach_it(self):
        declared = "senders: {acme: {type: kind, id: id%s}}\n"
        unsigned = self.write("open.yaml", declared % "")
        forgotten = self.write("forgotten.yaml", declared % ', secret: "env:HOME"')
        for listen, files, more, what in (
            ("0.0.0.0:0", [unsigned], {}, "the policy of acme is none"),
            ("127.0.0.1:0", [forgotten], {}, "senders.acme.secret is given"),
            (
                "127.0.0.1:0",
                [],
                {"HELIOS_HTTP_TRUSTED_PROXIES": "127.0.0.1", "HELIOS_SOURCES_GCP_POLICY": "none"},
                "there is a proxy in front, and the policy of gcp is none",
            ),
        ):
            env = environment(**more)
            _, _, check = run("config", "check", "--listen", listen, *files, env=env)
            configured = [word for file in files for word in ("--config", file)]
            arguments = ("--listen", listen, "--data", self.path + "/open", *configured)
            code, _, serve = run("serve", *arguments, env=env)
            self.assertEqual(code, 2, (arguments, serve))
            self.assertIn(what, check)
            self.assertIn(what, serve)

    def test_what_serve_refuses_check_refuses(self):
        occupied = self.write("occupied", "a file")
        os.mkdir(self.path + "/foreign")
        self.write("foreign/README", "not ours")
        with Server(self.path + "/data") as server:  # a running server is no complaint
            self.assertEqual(run("config", "check", "--data", self.path + "/data")[0], 0)
            server.terminate()
        changed = self.write(
            "changed.yaml",
            open(
                os.path.join(os.path.dirname(__file__), "../../flows/order.yaml"), encoding="utf-8"
            ).read()
            + "\n# changed\n",
        )
        for arguments, what in (
            (("--listen", "0.0.0.0:8001"), "not a loopback address"),
            (("--listen", "nowhere.invalid:1", "--insecure"), "nowhere.invalid"),
            (("--listen", "192.0.2.1:1", "--insecure"), "192.0.2.1"),
            (("--listen", "x"), "is not HOST:PORT"),
            (("--listen", "127.0.0.1:70000"), "is not HOST:PORT"),
            (("--flow", self.path + "/none.yaml"), "No such file"),
            (("--flow", self.path), "directory"),
            (("--catalogue", self.path + "/none.yaml"), "No such file"),
            (("--data", occupied), "not a directory"),
            (("--data", self.path + "/foreign"), "foreign"),
            (("--data", self.path + "/data", "--flow", changed), "was activated with another text"),
        ):
            env = environment(HELIOS_SOURCES_GCP_POLICY="none")
            _, told, check = run("config", "check", *arguments, env=env)
            code, _, serve = run(
                "serve",
                *(
                    arguments
                    if "--listen" in arguments
                    else (*arguments, "--listen", "127.0.0.1:0")
                ),
                env=env,
            )
            self.assertEqual(code, 2, (arguments, serve))
            self.assertIn(what, check)
            self.assertEqual(told, "", arguments)
            self.assertNotEqual(serve.strip(), "")
        env = environment(HELIOS_LOG_PARTITIONS="3")
        code, _, check = run("config", "check", "--data", self.path + "/data", env=env)
        self.assertEqual(
            (
                code,
                re.search(
                    "HELIOS_LOG_PARTITIONS: .* made with 12 partitions, this server is set to 3",
                    check,
                )
                is not None,
            ),
            (1, True),
            check,
        )

    def test_secrets_that_cannot_be_read_are_said_and_never_printed(self):
        good = self.write("good", "hunter2\n")
        webhook = self.write("webhook", "whsec_hunter2")
        config = self.write("secrets.yaml", f"""
sources:
  aws: {{policy: [api_key], secret: ["file:{good}", "file:{self.path}/nowhere"]}}
  direct: {{policy: [hmac], secrets: ["env:NOT_SET"]}}
  gcp: {{pull: {{kind: pubsub, subscription: projects/p/subscriptions/s, credentials: "file:{self.path}/gone"}}}}
senders:
  hooks: {{recipe: standard_webhooks, secret: "file:{webhook}"}}
""")
        code, out, err = run("config", "check", config)
        self.assertEqual(code, 1, err)
        for said in ("sources.aws", "nowhere", "sources.direct", "env:NOT_SET", "senders.hooks"):
            self.assertIn(said, err)
        self.assertIn("warning: sources.gcp.pull.credentials", err)
        self.assertNotIn("hunter2", out + err)
        config = self.write("readable.yaml", f"""
sources:
  aws: {{policy: [api_key], secret: "file:{good}"}}
""")
        code, out, err = run("config", "check", config)
        self.assertEqual(code, 0, err)
        self.assertNotIn("hunter2", out + err)

    def test_files_that_are_no_configuration(self):
        for name, content in (
            ("binary", bytes(range(256))),
            ("list", "- a\n"),
            ("text", "just words\n"),
            ("tab", "http:\n\tport: 1\n"),
            ("huge", "#" * 3_000_000),
            ("utf16", "http:\n".encode("utf-16")),
            ("two", "http:\n---\nlog:\n"),
            ("twice", "http:\nhttp:\n"),
        ):
            check, _ = self.both(positional=[self.write(name, content)])
            self.assertRegex(check, rf"(?m)^{self.path}/{name}:\d+:\d+: .+; .+")
        self.assertEqual(run("config", "check", self.write("empty", ""))[0], 0)
        self.assertEqual(
            run("config", "check", self.write("windows", "\ufeffhttp:\r\n  port: 9000\r\n"))[0], 0
        )
        for missing in (self.path + "/none", self.path):
            code, _, err = run("config", "check", missing)
            self.assertEqual((code, "can't read" in err), (2, True), err)


class Signals(Test):
    def accepted(self, server, key):
        return server.ingest(line("aws", "OrderPlaced", key, orderId=key, customerId="C")).status

    def test_signals_that_mean_nothing_are_told_and_end_nothing(self):
        server = self.serve(start_new_session=True)  # no terminal
        for name in TOLD:
            server.process.send_signal(getattr(signal, "SIG" + name))
            told = "SIGRTMIN+0" if name == "RTMIN" else "SIGPOLL" if name == "IO" else "SIG" + name
            self.wait_for(
                lambda: self.lines(server, f"{told}: the server goes on"),
                f"no line about {told}: {server.errors()}",
            )
        self.assertEqual(self.accepted(server, "A"), 202)
        self.assertEqual(server.terminate(), 0)

    def test_signals_that_end_it_drain_it(self):
        for name, code in DRAINING:
            with Server(f"{self.path}/{name}", start_new_session=True) as server:
                self.assertEqual(self.accepted(server, "A"), 202)
                server.process.send_signal(getattr(signal, "SIG" + name))
                self.assertEqual(server.process.wait(10), code, server.errors())
                self.assertEqual(
                    [told["signal"] for told in self.lines(server, "stopping")], ["SIG" + name]
                )

    def test_a_terminal_that_hangs_up_drains_it(self):
        ours, theirs = pty.openpty()

        def take_terminal():
            os.setsid()
            fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

        server = self.serve(preexec_fn=take_terminal, pass_fds=(theirs,))
        os.close(theirs)
        os.close(ours)  # the window is closed
        self.assertEqual(server.process.wait(10), 129, server.errors())
        self.assertEqual([told["signal"] for told in self.lines(server, "stopping")], ["SIGHUP"])

    def test_what_was_ignored_stays_ignored(self):
        server = self.serve(
            preexec_fn=lambda: [
                signal.signal(each, signal.SIG_IGN) for each in (signal.SIGHUP, signal.SIGUSR1)
            ]
        )
        for each in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            server.process.send_signal(each)
        self.wait_for(lambda: self.lines(server, "SIGUSR2: the server goes on"), server.errors())
        self.assertEqual(len(self.lines(server, "the server goes on")), 1)
        self.assertEqual(server.terminate(), 0)

    def test_a_second_interrupt_leaves_a_line(self):
        server = self.serve()
        # A client that does not read its answers: the drain waits for it.
        with socket.create_connection((server.host, server.port)) as slow:
            slow.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 200)
            self.wait_for(
                lambda: re.search(
                    rb"helios_http_inflight_requests [1-9]", server.get("/metrics").body
                ),
                "nothing is in flight",
            )
            server.process.send_signal(signal.SIGTERM)
            self.wait_for(lambda: self.lines(server, "stopping"), server.errors())
            server.process.send_signal(signal.SIGINT)
            self.assertEqual(server.process.wait(5), 130)
        self.assertIn("helios: interrupted again: ending at once", server.errors())
        self.assertEqual(self.serve().terminate(), 0)


class Manager:
    """As systemd listens with Type=notify."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.settimeout(20)

    def receive(self):
        return dict(each.split("=", 1) for each in self.socket.recv(4096).decode().splitlines())

    def until(self, name):
        while True:
            state = self.receive()
            if name in state:
                return state


class Supervised(Test):
    def start(self, address, **more):
        manager = Manager(address)
        self.addCleanup(manager.socket.close)
        shown = "@" + address[1:] if address.startswith("\0") else address
        return manager, self.serve(env=environment(NOTIFY_SOCKET=shown, **more))

    def test_ready_and_stopping_by_path_and_abstract_name(self):
        for address in (self.path + "/notify", f"\0helios-test-{os.getpid()}"):
            manager, server = self.start(address)
            ready = manager.until("READY")
            self.assertEqual(
                (ready["READY"], ready["STATUS"]),
                ("1", f"listening on http://{server.host}:{server.port}"),
            )
            self.assertEqual(server.get("/ready").status, 200)
            self.assertEqual(server.terminate(), 0)
            self.assertEqual(manager.until("STOPPING")["STOPPING"], "1")
            manager.socket.setblocking(False)
            self.assertRaises(BlockingIOError, manager.receive)  # no watchdog was asked for

    def test_a_start_that_takes_long_is_extended(self):
        manager, _ = self.start(self.path + "/notify")
        first = manager.receive()
        self.assertGreater(int(first["EXTEND_TIMEOUT_USEC"]), 60_000_000)
        self.assertIn("opening", first["STATUS"])

    def test_the_watchdog_is_fed_while_the_server_turns(self):
        manager, server = self.start(self.path + "/notify", WATCHDOG_USEC="400000")
        manager.until("READY")
        began = time.monotonic()
        for _ in range(5):
            self.assertEqual(manager.until("WATCHDOG"), {"WATCHDOG": "1"})
        self.assertGreater(time.monotonic() - began, 0.5, "half of 0.4 s, not all at once")
        server.process.send_signal(signal.SIGSTOP)
        manager.socket.settimeout(1.2)
        with self.assertRaises(TimeoutError):  # what was sent before the signal, then nothing
            while True:
                manager.receive()
        server.process.send_signal(signal.SIGCONT)
        manager.until("WATCHDOG")
        self.assertEqual(server.terminate(), 0)

    def test_another_processs_watchdog_and_nonsense_are_not_ours(self):
        for more in (
            {"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"},
            {"WATCHDOG_USEC": "soon"},
            {"WATCHDOG_USEC": "0"},
        ):
            manager, server = self.start(
                f"{self.path}/notify-{len(more)}-{more['WATCHDOG_USEC']}", **more
            )
            manager.until("READY")
            manager.socket.settimeout(0.3)
            self.assertRaises(TimeoutError, manager.receive)
            self.assertEqual(server.terminate(), 0)
        for nowhere in ("/nowhere/at/all", "relative", "@" + "x" * 200, "@"):
            with Server(self.path + "/data", env=environment(NOTIFY_SOCKET=nowhere)) as server:
                self.assertEqual(server.terminate(), 0)


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
            return True
    except OSError:
        return False


class Addresses(Test):
    def status(self, address, port):
        connection = http.client.HTTPConnection(address, port, timeout=10)
        try:
            connection.request("GET", "/ready", headers={"Host": f"localhost:{port}"})
            return connection.getresponse().status
        finally:
            connection.close()

    def test_localhost_is_both_families_on_one_port(self):
        server = self.serve(listen="localhost:0")
        self.assertEqual(server.host, "localhost")
        for address in ("127.0.0.1", "::1") if has_ipv6() else ("127.0.0.1",):
            self.assertEqual(self.status(address, server.port), 200, address)

    @unittest.skipUnless(has_ipv6(), "this machine has no IPv6")
    def test_every_ipv6_address_takes_both_families(self):
        server = self.serve("--insecure", listen="[::]:0")
        for address in ("127.0.0.1", "::1"):
            self.assertEqual(self.status(address, server.port), 200, address)

    @unittest.skipUnless(has_ipv6(), "this machine has no IPv6")
    def test_the_client_finds_the_family_that_is_served(self):
        for address in ("127.0.0.1", "::1"):
            with Server(
                f"{self.path}/{address}",
                listen=f"[{address}]:0" if ":" in address else address + ":0",
            ) as server:
                event = json.dumps(line("aws", "OrderPlaced", "e-1", orderId="O", customerId="C"))
                code, out, err = run(
                    "ingest", "--to", f"http://localhost:{server.port}", stdin=event.encode()
                )
                self.assertEqual(code, 0, out + err)


if __name__ == "__main__":
    binary()
    unittest.main(argv=sys.argv[:1], verbosity=2)
