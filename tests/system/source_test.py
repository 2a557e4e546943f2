#!/usr/bin/env python3
"""`helios source test`, `add` and `confirm`: a source is set up, tried hop by hop, and a subscription of Event Grid is confirmed
by a person. Against the real binary."""
import base64
import json
import os
import re
import subprocess
import sys
import unittest

from helios_process import Server, TemporaryDirectory, Vendor, binary, environment, run, start

AZURE = "/api/v1/webhooks/azure/eventgrid"
GCP = "/api/v1/webhooks/gcp/pubsub"
SECRET = 'it\'s "$ecret" & `more`'


def handshake(url, topic="/subscriptions/s/topics/stock"):
    return [
        {
            "id": "2d1781af",
            "topic": topic,
            "subject": "",
            "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
            "eventTime": "2026-01-05T10:23:45.1234567Z",
            "data": {"validationCode": "512D38B6", "validationUrl": url},
            "dataVersion": "1",
            "metadataVersion": "1",
        }
    ]


class Source(unittest.TestCase):
    def setUp(self):
        self.directory = TemporaryDirectory()
        self.addCleanup(self.directory.__exit__)
        self.secret = self.file("secret", SECRET + "\n")
        self.webhook = self.file("webhook", "whsec_" + base64.b64encode(b"k" * 24).decode())

    def file(self, name, text):
        path = f"{self.directory.path}/{name}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o600)
        return path

    def serve(self, *arguments):
        server = Server(f"{self.directory.path}/data", *arguments, env=environment())
        self.addCleanup(server.kill)
        self.to = f"http://127.0.0.1:{server.port}"
        return server

    def config(self, text):
        return self.file("config.yaml", text.format(secret=self.secret, webhook=self.webhook))

    def try_source(self, name, *arguments):
        """(exit code, what was found)."""
        code, out, err = run(
            "source", "test", name, "--format", "json", "--to", self.to, *arguments
        )
        self.assertNotEqual(code, 2, err)
        self.assertNotIn("$ecret", out + err)
        return code, json.loads(out)

    def test_each_source_hop_by_hop(self):
        config = self.config("""
sources:
  aws: {{policy: [sns, api_key], header: x-shop, secret: "file:{secret}", topics: ["arn:x"]}}
  azure: {{policy: [query], secret: "file:{secret}", topics: [/s/topics/stock]}}
  direct: {{policy: [hmac], secrets: [{{secret: "file:{secret}", sources: [hooks]}}]}}
  cloudevents:
    policy: [standard_webhooks]
    secrets: [{{secret: "file:{webhook}", sources: [hooks]}}]
    map: {{"https://shop.example/": hooks}}
senders:
  hooks: {{recipe: standard_webhooks, secret: "file:{webhook}"}}
  repo: {{recipe: github, secret: "file:{secret}"}}
""")
        server = self.serve("--config", config)
        for name, source, by in (
            ("aws", "aws", "api_key (x-shop)"),
            ("gcp", "gcp", "none"),
            ("azure", "azure", "query (code)"),
            ("direct", "hooks", "hmac (x-helios-signature)"),
            ("cloudevents", "hooks", "standard_webhooks (webhook-signature)"),
            ("hooks", "hooks", "signature (webhook-signature)"),
            ("repo", "repo", "signature (x-hub-signature-256)"),
        ):
            with self.subTest(name):
                code, found = self.try_source(name, "--config", config)
                self.assertEqual((code, found["arrived"]), (0, True), found)
                self.assertEqual((found["source"], found["policy"]), (source, by))
                self.assertEqual(
                    [hop["hop"] for hop in found["hops"]],
                    ["sent", "answered", "on the log", "in the store"],
                )
                self.assertRegex(
                    found["hops"][2]["detail"], r"^helios\.events\.other, partition \d+, offset \d+"
                )
        events = server.get_patiently("/api/v1/events?event_type=helios.test").json()["items"]
        self.assertEqual(len(events), 7)
        sources = {i["source"]: i for i in server.get("/api/v1/sources").json()["items"]}
        self.assertIsNone(sources["aws"]["lastEventAt"], "no sign of its life")
        self.assertEqual((sources["aws"]["accepted"], sources["aws"]["refused"]), (1, 0))
        cases = server.get_patiently("/api/v1/reconciliation/cases").json()["items"]
        self.assertEqual(cases, [], "no flow takes it")
        code, out, err = run("source", "test", "aws", "--config", config, "--to", self.to)
        self.assertEqual(code, 0, err)
        self.assertIn("in the store", out)

    def test_what_is_refused_is_said(self):
        config = self.config("""
sources:
  aws: {{policy: [api_key], secret: "file:{secret}"}}
  gcp: {{policy: off}}
""")
        self.serve("--config", config)
        other = self.file("other.yaml", f"""
sources:
  aws: {{policy: [api_key], secret: "file:{self.webhook}"}}
""")
        code, found = self.try_source("aws", "--config", other)
        self.assertEqual((code, found["arrived"]), (1, False))
        self.assertEqual([hop["good"] for hop in found["hops"]], [True, False])
        self.assertIn("401", found["hops"][1]["detail"])
        for arguments, said in (
            (("gcp", "--config", config), "off"),
            (("oracle",), "nothing sends as"),
            (("aws", "--config", "/nowhere"), "/nowhere"),
            (("aws", "--wait", "soon"), "--wait"),
            (("cloudevents", "--as", "shop"), "map"),
        ):
            code, _, err = run("source", "test", *arguments, "--to", self.to)
            self.assertEqual(code, 2, arguments)
            self.assertIn(said, err)
        code, _, err = run("source", "test", "aws", "--to", "http://127.0.0.1:1")
        self.assertEqual(code, 2)
        self.assertIn("helios serve", err)

    def test_where_the_cloud_has_the_key_its_command_is_printed_and_the_event_waited_for(self):
        server = self.serve()
        config = self.config("""
sources:
  gcp: {{policy: [oidc], audience: [x], emails: [x@y]}}
""")
        code, out, err = run(
            "source", "test", "gcp", "--config", config, "--to", self.to, "--wait", "0"
        )
        self.assertEqual(code, 1, err)
        self.assertIn("gcloud pubsub topics publish TOPIC", out)
        self.assertIn("no event with this token", out)
        with start(
            *("source", "test", "gcp", "--config", config, "--to", self.to, "--wait", "30s"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            token = ""
            while not token:
                text = process.stdout.readline().decode()
                self.assertTrue(text, "it ended")
                token = (re.findall(r"test-[0-9a-f]{32}", text) or [""])[0]
            data = base64.b64encode(json.dumps({"heliosTest": token}).encode()).decode()
            answer = server.post(
                GCP,
                {
                    "message": {
                        "data": data,
                        "attributes": {"eventType": "helios.test"},
                        "messageId": "1",
                        "publishTime": "2026-01-05T10:23:47Z",
                    },
                    "subscription": "projects/p/subscriptions/s",
                },
            )
            self.assertEqual(answer.status, 204)
            out = process.stdout.read().decode()
            self.assertEqual(process.wait(30), 0, out)
            self.assertIn("helios.events.other, partition", out)

    def test_each_recipe_has_its_steps(self):
        for name in ("stripe", "adyen", "shopify", "github", "standard_webhooks", "svix"):
            with self.subTest(name):
                code, out, err = run("source", "add", name, "--url", "https://h.example/")
                self.assertEqual(code, 0, err)
                self.assertIn(f"https://h.example/api/v1/webhooks/{name}", out)
                self.assertIn(f"to see it work: helios source test {name}", out)
                # The configuration that it prints is one, and what it says can be tried.
                lines = out.split("configuration:\n")[1].splitlines()
                told = []
                for line in lines:
                    told.append(line.removeprefix("#"))
                    if "".join(told).count("{") == "".join(told).count("}"):
                        break
                text = "\n".join(told).replace(f"/run/secrets/{name}", self.webhook)
                config = self.file(f"{name}.yaml", text)
                code, out, err = run("config", "check", config)
                if name != "adyen":  # whose keys are in hex
                    self.assertEqual(code, 0, text + err)
                    self.assertIn(f"  {name}:", out)

    def test_set_up_with_the_secret_where_it_is_or_shown(self):
        config = self.config("""
http: {{public_url: "https://helios.example/"}}
sources:
  aws: {{policy: [api_key], header: x-shop, secret: "file:{secret}"}}
  azure: {{policy: [query], parameter: key, secret: "env:AZURE_SECRET", topics: [/t]}}
""")
        code, out, err = run("source", "add", "aws", "--config", config)
        self.assertEqual(code, 0, err)
        self.assertIn("https://helios.example/api/v1/webhooks/aws/eventbridge", out)
        self.assertIn(f"ApiKeyName=x-shop,ApiKeyValue=$(cat {self.secret})", out)
        self.assertNotIn("ecret\"", out)
        code, out, err = run("source", "add", "aws", "--config", config, "--show-secret")
        self.assertEqual(code, 0, err)
        words = re.search(r'--auth-parameters ("(?:[^"\\]|\\.)*")', out).group(1)
        shell = subprocess.run(
            ["sh", "-c", f"printf %s {words}"], capture_output=True, text=True, check=True
        )
        self.assertEqual(
            shell.stdout, "ApiKeyAuthParameters={ApiKeyName=x-shop,ApiKeyValue=" + SECRET + "}"
        )
        env = environment(AZURE_SECRET="a b&c")
        code, out, err = run("source", "add", "azure", "--config", config, env=env)
        self.assertIn("eventgrid?key=$AZURE_SECRET", out, err)
        self.assertNotIn("a b&c", out)
        code, out, err = run(
            "source", "add", "azure", "--config", config, "--show-secret", "--url", "https://x", env=env
        )
        self.assertIn("https://x/api/v1/webhooks/azure/eventgrid?key=a%20b%26c", out, err)
        for kind in ("gcp", "azure"):  # none of ours in it; one that is not there
            code, out, err = run("source", "add", kind, "--config", config, "--show-secret")
            self.assertEqual((code, out), (2, ""))
        self.assertEqual(run("source", "add", "aws", "--show-secret")[0], 2)
        code, out, _ = run("config", "check", env=environment(HELIOS_HTTP_PUBLIC_URL="nowhere"))
        self.assertEqual(code, 1)

    def test_a_flow_takes_no_test_events(self):
        with open(os.path.join(os.path.dirname(__file__), "../../flows/order.yaml"), encoding="utf-8") as f:
            flow = self.file("flow.yaml", f.read().replace("type: OrderPlaced", "type: helios.test"))
        code, out, err = run("flow", "lint", flow)
        self.assertEqual(code, 1)
        self.assertIn("helios source test", out + err)

    def test_a_subscription_waits_for_a_person(self):
        vendor = Vendor()
        self.addCleanup(vendor.server_close)
        self.addCleanup(vendor.shutdown)
        config = self.config("""
sources:
  azure: {{handshake: manual}}
""")
        server = self.serve("--config", config, "--insecure-test-hosts", vendor.place())
        code, out, err = run("source", "confirm", "--to", self.to)
        self.assertEqual((code, out), (0, "no subscription waits to be confirmed\n"), err)
        vendor.pages = {"/validate?id=1": b"ok", "/moved": f"http://{vendor.place()}/validate?id=1"}
        for url in (
            f"http://{vendor.place()}/validate?id=1",
            f"http://{vendor.place()}/moved",
            "https://evil.example/validate",
            f"http://127.0.0.1:{server.port}/ready",
        ):
            answer = server.post(AZURE, handshake(url, topic="/t/" + url))
            self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertEqual(vendor.asked, [], "only a person makes it visit")
        items = server.get("/api/v1/sources/azure/handshakes").json()["items"]
        self.assertEqual([item["host"] for item in items], [vendor.place()] * 2)
        ids = [item["id"] for item in items]
        code, out, err = run("source", "confirm", "--to", self.to)
        self.assertEqual(code, 0, err)
        self.assertIn(ids[0][:8], out)
        code, out, err = run("source", "confirm", ids[1], "--to", self.to)
        self.assertEqual(code, 1, out)
        self.assertEqual(vendor.asked, ["/moved"], "no redirect is followed")
        code, out, err = run("source", "confirm", ids[0][:8], "--to", self.to)
        self.assertEqual(code, 0, err)
        self.assertEqual(vendor.asked, ["/moved", "/validate?id=1"])
        code, out, err = run("source", "confirm", ids[0], "--to", self.to)
        self.assertEqual(code, 1)
        self.assertIn("update the subscription", err)
        self.assertEqual(server.terminate(), 0)
        code, out, err = run(
            "log", "read", "--data", server.data, "--topic", "helios.audit"
        )
        self.assertEqual(code, 0, err)
        self.assertEqual(out.count("eventgrid.subscription.confirm"), 3, out)


if __name__ == "__main__":
    binary()
    unittest.main(argv=sys.argv[:1], verbosity=2)
