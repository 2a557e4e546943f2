#!/usr/bin/env python3
"""A server with a certificate, its commands, and behind a proxy: the real binary, with a client that is not ours."""
import json
import re
import shutil
import ssl
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request

from helios_process import SKIP, TemporaryDirectory, binary, environment, run, start


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


class Authority:
    """An authority, and certificates for localhost that it has issued, made by OpenSSL's own tool."""

    def __init__(self, directory):
        self.directory = directory
        self.file = directory + "/ca.pem"
        self.key = directory + "/ca-key.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                "-subj", "/CN=Test", "-days", "2", "-keyout", self.key, "-out", self.file)

    def issue(self, name):
        base = f"{self.directory}/{name}"
        with open(base + ".ext", "w", encoding="ascii") as extensions:
            extensions.write("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
            extensions.write("subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", "/CN=" + name, "-keyout", base + "-key.pem", "-out", base + ".csr")
        openssl("x509", "-req", "-in", base + ".csr", "-CA", self.file, "-CAkey", self.key,
                "-CAcreateserial", "-days", "1", "-extfile", base + ".ext", "-out", base + ".pem")
        return base + ".pem", base + "-key.pem"


class Tls(unittest.TestCase):
    def setUp(self):
        directory = TemporaryDirectory()
        self.addCleanup(directory.__exit__)
        self.path = directory.path
        self.authority = Authority(self.path)
        self.certificate, self.key = self.authority.issue("first")

    def serve(self, **env):
        env = {
            "HELIOS_HTTP_TLS_CERT_FILE": self.certificate,
            "HELIOS_HTTP_TLS_KEY_FILE": self.key,
            **env,
        }
        process = start("serve", "--listen", "127.0.0.1:0", "--data", self.path + "/data", env=env,
                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        line = process.stdout.readline().decode()
        found = re.fullmatch(r"listening on (https://127\.0\.0\.1:\d+)\n", line)
        self.assertTrue(found, line)
        return found.group(1)

    def get(self, url):
        context = ssl.create_default_context(cafile=self.authority.file)
        context.verify_flags |= ssl.VERIFY_X509_STRICT  # as Python does by itself from 3.13 on
        with urllib.request.urlopen(url, context=context, timeout=30) as answer:
            return answer.read()

    def test_the_load_generator_speaks_it_too(self):
        url = self.serve()
        self.wait_ready(url)
        load = ("bench", "--to", url, "--rate", "600", "--seconds", "1", "--connections", "4",
                "--verify", "20")
        code, out, errors = run(*load, "--ca-file", self.authority.file)
        self.assertEqual(code, 0, out + errors)
        code, out, errors = run(*load)
        self.assertEqual(code, 2, out + errors)
        self.assertIn("--ca-file", out + errors)

    def shown(self, url):
        """The certificate that a new connection is shown."""
        host, port = url.removeprefix("https://").split(":")
        return ssl.get_server_certificate((host, int(port)))

    def wait_ready(self, url):
        for _ in range(1000):
            try:
                return self.get(url + "/ready")
            except OSError:
                time.sleep(0.02)
        return self.get(url + "/ready")

    def test_serves_and_every_command_asks_with_a_ca_file(self):
        url = self.serve()
        self.wait_ready(url)
        event = {"source": "aws", "eventType": "OrderPlaced", "id": "e-1",
                 "payload": {"orderId": "ORD-1", "totalAmount": "1.00", "currency": "EUR"}}
        ca = ("--to", url, "--ca-file", self.authority.file)
        done = run("ingest", *ca, stdin=json.dumps(event).encode())
        self.assertEqual(done[0], 0, done)
        for command in (["health"], ["explain", "ORD-1"], ["stats"], ["events"], ["mismatches"],
                        ["dlq", "ls"]):
            done = run(*command, *ca)
            self.assertIn(done[0], (0, 1), done)
            self.assertNotIn("helios:", done[2])
        by_variable = environment(HELIOS_SERVER=url, HELIOS_CA_FILE=self.authority.file)
        self.assertEqual(run("stats", env=by_variable)[0], 0)
        code, _, errors = run("stats", "--to", url)
        self.assertEqual(code, 2)
        self.assertIn("--ca-file", errors)
        code, _, errors = run("stats", "--to", url, "--ca-file", self.path + "/none.pem")
        self.assertEqual(code, 2)
        self.assertIn("none.pem: No such file", errors)
        code, _, errors = run("stats", "--to", url.replace("https:", "http:"))
        self.assertEqual(code, 2)
        self.assertIn("https", errors)
        code, _, _ = run("ingest", "--to", url, stdin=json.dumps(event).encode())
        self.assertEqual(code, 2, "asking again would not help")

    def test_a_new_certificate_is_served_within_ten_seconds(self):
        url = self.serve()
        before = self.shown(url)
        for new, old in zip(self.authority.issue("second"), (self.certificate, self.key)):
            shutil.copy(new, old)
        until = time.monotonic() + 10
        while self.shown(url) == before and time.monotonic() < until:
            time.sleep(0.1)
        self.assertNotEqual(self.shown(url), before)

    def test_config_check_finds_a_bad_pair_and_a_start_refuses_it(self):
        _, other = self.authority.issue("other")
        config = self.path + "/helios.yaml"
        with open(config, "w", encoding="ascii") as file:
            file.write(f"http:\n  tls:\n    cert_file: {self.certificate}\n    key_file: {other}\n")
        for command, code in ((["config", "check", config], 1),
                              (["serve", "--listen", "127.0.0.1:0", "--config", config,
                                "--data", self.path + "/data"], 2)):
            done = run(*command)
            self.assertEqual(done[0], code, done)
            self.assertIn(f"{config}:4:", done[2])
            self.assertIn("not the key of the certificate", done[2])
        with open(config, "w", encoding="ascii") as file:
            file.write(f"http.tls.cert_file: {self.certificate}\nhttp.tls.key_file: {self.key}\n")
        self.assertEqual(run("config", "check", config)[0], 0)

    def test_behind_a_proxy_operators_bring_a_key(self):
        url = self.serve(HELIOS_HTTP_TRUSTED_PROXIES="10.0.0.0/8")
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.get(url + "/api/v1/events")
        self.assertEqual(refused.exception.code, 401)
        refused.exception.close()


if __name__ == "__main__":
    if shutil.which("openssl") is None:
        print("skipped: there is no openssl")
        sys.exit(SKIP)
    binary()
    unittest.main(argv=sys.argv[:1], verbosity=2)
