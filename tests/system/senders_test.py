#!/usr/bin/env python3
"""Who may call, and how senders prove who they are, on a server that others could reach. Against the real binary."""
import base64
import hashlib
import hmac
import json
import os
import sys
import time
import unittest

from helios_process import Server, TemporaryDirectory, Vendor, binary, environment, line, run

INGEST, BATCH = "/api/v1/events/ingest", "/api/v1/events/batch"
AWS = "/api/v1/webhooks/aws/eventbridge"
GCP = "/api/v1/webhooks/gcp/pubsub"
AZURE = "/api/v1/webhooks/azure/eventgrid"


def order(event_id, source="shop", **payload):
    return line(
        source, "OrderPlaced", event_id, orderId="O-1", customerId="C-1", **payload
    )


def eventbridge(event_id):
    return {
        "version": "0",
        "id": event_id,
        "detail-type": "OrderPlaced",
        "source": "shop",
        "account": "012345678901",
        "time": "2026-01-05T10:23:45Z",
        "region": "eu",
        "resources": [],
        "detail": {"orderId": "O-1", "customerId": "C-1", "totalAmount": "1.00"},
    }


class Senders(unittest.TestCase):
    def setUp(self):
        self.directory = TemporaryDirectory()
        self.addCleanup(self.directory.__exit__)
        self.data = self.directory.path + "/data"

    def file(self, name, text):
        path = f"{self.directory.path}/{name}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o600)
        return path

    def serve(self, *arguments, listen="0.0.0.0:0", **settings):
        server = Server(
            self.data,
            *arguments,
            listen=listen,
            env=environment(**settings),
        )
        self.addCleanup(server.kill)
        return server

    def key(self, name, role, *more):
        code, out, err = run("key", "add", name, "--role", role, "--data", self.data, *more)
        self.assertEqual(code, 0, err)
        return out.strip()

    def post(self, server, target, body, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        return server.request("POST", target, text, {"Content-Type": "application/json", **headers})

    def test_off_loopback_operators_bring_a_key(self):
        made_before = self.key("early", "operator")
        server = self.serve()
        self.assertIn("are off", server.errors())
        for target in ("/api/v1/events", "/api/v1/reconciliation/stats", "/metrics"):
            answer = server.get(target)
            self.assertEqual(answer.status, 401, (target, answer))
            self.assertIn("bearer", answer.headers["www-authenticate"].lower())
        for target in ("/health", "/ready", "/openapi.json", "/api/v1/webhooks/aws/health"):
            self.assertEqual(server.get(target).status, 200, target)
        made_later = self.key("later", "operator")
        for key in (made_before, made_later):
            deadline = time.monotonic() + 12
            while time.monotonic() < deadline:
                answer = server.request(
                    "GET", "/api/v1/events", headers={"Authorization": "Bearer " + key}
                )
                if answer.status == 200:
                    break
                time.sleep(0.2)
            self.assertEqual(answer.status, 200, "a key is taken within ten seconds")
        to = f"http://127.0.0.1:{server.port}"
        code, out, err = run("stats", "--to", to)
        self.assertEqual(code, 2, out + err)
        self.assertIn("HELIOS_TOKEN", err)
        code, out, err = run("stats", "--to", to, env=environment(HELIOS_TOKEN=made_later))
        self.assertEqual(code, 0, err)
        code, _, err = run("key", "revoke", "later", "--data", self.data)
        self.assertEqual(code, 0, err)
        code, out, err = run("key", "ls", "--format", "json", "--data", self.data)
        keys = json.loads(out)["items"]
        self.assertEqual([k["name"] for k in keys], ["early", "later"])
        self.assertIsNotNone(keys[1]["revokedAt"])
        self.assertNotIn(made_later, out)
        with open(self.data + "/keys.json", encoding="utf-8") as file:
            self.assertNotIn(made_later, file.read())
        self.assertEqual(server.terminate(), 0)

    def test_behind_a_proxy_loopback_asks_too(self):
        server = self.serve(listen="127.0.0.1:0")
        self.assertEqual(server.get("/api/v1/events").status, 200)
        for name in ("X-Forwarded-For", "Forwarded", "Via"):
            answer = server.request("GET", "/api/v1/events", headers={name: "127.0.0.1"})
            self.assertEqual(answer.status, 401, name)

    def test_what_nobody_set_up_is_off(self):
        server = self.serve()
        self.assertEqual(self.post(server, AWS, eventbridge("e-1")).status, 401)
        self.assertEqual(self.post(server, GCP, {"message": {}}).status, 403)
        self.assertEqual(self.post(server, AZURE, []).status, 503)
        self.assertEqual(self.post(server, INGEST, order("e-1")).status, 401)

    def test_an_api_destination_with_a_rotated_key(self):
        secret = self.file("aws-key", "first\n")
        server = self.serve(
            HELIOS_SOURCES_AWS_POLICY="api_key",
            HELIOS_SOURCES_AWS_SECRET=f"file:{secret},env:OLD_KEY",
            OLD_KEY="older",
        )
        self.assertEqual(self.post(server, AWS, eventbridge("e-1"), X_Api_Key="first").status, 200)
        self.assertEqual(self.post(server, AWS, eventbridge("e-2"), X_Api_Key="older").status, 200)
        self.assertEqual(self.post(server, AWS, eventbridge("e-3"), X_Api_Key="mistaken").status, 401)
        kept = self.post(server, AWS, b"no JSON", X_Api_Key="first")
        self.assertEqual(kept.status, 200, "authentic, so it is kept")
        self.assertEqual(kept.json()["status"], "quarantined")
        self.file("aws-key", "second\n")
        deadline = time.monotonic() + 12
        while time.monotonic() < deadline:
            if self.post(server, AWS, eventbridge("e-4"), X_Api_Key="second").status == 200:
                break
            time.sleep(0.2)
        self.assertEqual(self.post(server, AWS, eventbridge("e-4"), X_Api_Key="second").status, 200)
        self.assertEqual(self.post(server, AWS, eventbridge("e-5"), X_Api_Key="first").status, 401)
        metrics = server.request(
            "GET",
            "/metrics",
            headers={"Authorization": "Bearer " + self.key("m", "operator")},
        )
        if metrics.status == 200:
            self.assertIn(b"helios_gateway_credentials_refused_total", metrics.body)
        self.assertNotIn("mistaken", server.errors())

    def test_pubsub_with_a_key_server_of_its_own(self):
        vendor = Vendor()
        self.addCleanup(vendor.shutdown)
        server = self.serve(
            "--insecure-test-hosts",
            vendor.place(),
            HELIOS_SOURCES_GCP_POLICY="oidc",
            HELIOS_SOURCES_GCP_AUDIENCE="https://helios.example/push",
            HELIOS_SOURCES_GCP_EMAILS="push@shop.iam.gserviceaccount.com",
            HELIOS_SOURCES_GCP_JWKS_URL=f"http://{vendor.place()}/keys",
        )
        deadline = time.monotonic() + 10
        while not vendor.asked and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(vendor.asked, ["/keys"], "fetched ahead")
        header = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
        answer = self.post(server, GCP, {"message": {}}, Authorization=f"Bearer {header}.e30.")
        self.assertEqual(answer.status, 403)

    def test_direct_senders_sign_for_their_sources(self):
        secret = "the shop's secret"
        path = self.file("shop", secret)
        config = self.file(
            "config.yaml",
            f"""
sources:
  direct:
    policy: [bearer, hmac]
    secrets:
      - secret: file:{path}
        sources: [aws, gcp]
  aws:
    policy: off
""",
        )
        server = self.serve("--config", config)
        body = json.dumps(order("e-1", source="aws")).encode()

        def signed(text, at=None):
            at = str(int(time.time()) if at is None else at)
            code = hmac.new(secret.encode(), at.encode() + b"." + text, hashlib.sha256)
            return f"t={at},v1={code.hexdigest()}"

        self.assertEqual(
            self.post(server, INGEST, body, X_Helios_Signature=signed(body)).status, 202
        )
        self.assertEqual(
            self.post(server, INGEST, body + b" ", X_Helios_Signature=signed(body)).status, 401
        )
        self.assertEqual(
            self.post(
                server, INGEST, body, X_Helios_Signature=signed(body, time.time() // 1 - 400)
            ).status,
            401,
        )
        other = json.dumps(order("e-2", source="azure")).encode()
        self.assertEqual(
            self.post(server, INGEST, other, X_Helios_Signature=signed(other)).status, 403
        )
        self.assertEqual(server.get("/api/v1/webhooks/aws/health").json()["policy"], "off")

    def test_sources_say_what_came_and_how_to_set_one_up(self):
        secret = self.file("aws-key", "first")
        server = self.serve(
            listen="127.0.0.1:0",
            HELIOS_SOURCES_AWS_POLICY="api_key",
            HELIOS_SOURCES_AWS_SECRET=f"file:{secret}",
        )
        self.post(server, AWS, eventbridge("e-1"), X_Api_Key="first")
        self.post(server, AWS, eventbridge("e-1"), X_Api_Key="first")
        self.post(server, AWS, eventbridge("e-2"), X_Api_Key="second")
        items = {i["source"]: i for i in server.get("/api/v1/sources").json()["items"]}
        self.assertEqual(list(items), ["aws", "gcp", "azure", "cloudevents", "direct"])
        aws = items["aws"]
        self.assertEqual(
            (aws["policy"], aws["accepted"], aws["duplicates"], aws["refused"]), ("api_key", 1, 1, 1)
        )
        self.assertEqual(
            [(r["reason"], r["count"]) for r in aws["refusals"]], [("wrong_secret", 1)]
        )
        self.assertGreater(aws["clockSkewSeconds"], 0)
        self.assertLess(aws["silentForSeconds"], 60)
        self.assertIsNone(items["gcp"]["lastEventAt"])
        code, out, err = run("source", "ls", "--to", f"http://127.0.0.1:{server.port}")
        self.assertEqual(code, 0, err)
        self.assertIn("wrong_secret 1", out)
        for kind in ("aws", "sns", "gcp", "azure", "cloudevents", "direct", "stripe"):
            code, out, err = run("source", "add", kind, "--url", "https://h.example/")
            self.assertEqual(code, 0, err)
            self.assertIn("https://h.example/api/v1/", out)
            self.assertNotIn("{url}", out)
        self.assertEqual(run("source", "add", "oracle")[0], 2)

    def test_stripe_by_its_recipe(self):
        secret = self.file("stripe", "whsec_x")
        config = self.file(
            "config.yaml",
            f"""
senders:
  stripe:
    recipe: stripe
    secret: file:{secret}
    types: {{payment_intent.succeeded: PaymentCaptured}}
""",
        )
        server = self.serve("--config", config, listen="127.0.0.1:0")
        event = {
            "id": "evt_1",
            "created": 1767608625,
            "type": "payment_intent.succeeded",
            "data": {"object": {"id": "pi_1", "orderId": "O-9", "amount": 1099}},
        }
        body = json.dumps(event).encode()
        at = str(int(time.time()))
        code = hmac.new(b"whsec_x", at.encode() + b"." + body, hashlib.sha256).hexdigest()
        target = "/api/v1/webhooks/stripe"
        answer = self.post(server, target, body, Stripe_Signature=f"t={at},v1={code}")
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(self.post(server, target, body).status, 401)
        self.assertEqual(self.post(server, "/api/v1/webhooks/paypal", body).status, 404)
        deadline = time.monotonic() + 10
        items = []
        while not items and time.monotonic() < deadline:
            items = server.get_patiently("/api/v1/events?source=stripe").json()["items"]
        self.assertEqual(
            [(e["eventType"], e["eventId"]) for e in items], [("PaymentCaptured", "evt_1")]
        )
        self.assertIn("/api/v1/webhooks/stripe", server.get("/openapi.json").json()["paths"])
        code, out, err = run("config", "check", config)
        self.assertEqual(code, 0, err)
        self.assertIn("stripe-signature", out)
        self.assertNotIn("whsec_x", out)

    def test_a_secret_in_plain_text_is_refused_and_not_repeated(self):
        for setting in ("HELIOS_SOURCES_AWS_SECRET", "HELIOS_SOURCES_DIRECT_SECRETS"):
            code, out, err = run(
                "config", "check", env=environment(**{setting: "hunter2-in-plain"})
            )
            self.assertEqual(code, 1, err)
            self.assertIn(setting, err)
            self.assertIn("file:", err)
            self.assertNotIn("hunter2", out + err)
        code, out, err = run(
            "serve",
            "--data",
            self.data,
            env=environment(
                HELIOS_SOURCES_AWS_POLICY="api_key",
                HELIOS_SOURCES_AWS_SECRET="file:/nowhere/secret",
            ),
        )
        self.assertNotEqual(code, 0)
        self.assertIn("/nowhere/secret", err)


if __name__ == "__main__":
    binary()
    unittest.main(argv=sys.argv[:1], verbosity=2)
