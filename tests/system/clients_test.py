#!/usr/bin/env python3
"""Vendors' own libraries as senders, against the real binary: what they sign holds, what is changed on the way does not, and
what they make of an event arrives as it was.

Their packages are in .deps/python (tools/python_packages.py); without them the test says so and is skipped.
"""
import base64
import concurrent.futures
import datetime
import json
import os
import pathlib
import random
import sys
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PYTHON = ROOT / ".deps" / "python"
SKIP = 77

if pathlib.Path(sys.prefix).resolve() != PYTHON.resolve():
    if not (PYTHON / "stamp").is_file():
        print("skipped: vendors' libraries from PyPI are not here; ./dev setup fetches them")
        sys.exit(SKIP)
    os.execv(PYTHON / "bin" / "python", [str(PYTHON / "bin" / "python"), *sys.argv])

import cloudevents.core.bindings.http as cloudevents_http  # noqa: E402
import standardwebhooks  # noqa: E402
import stripe  # noqa: E402
import svix.webhooks  # noqa: E402
from azure.core.credentials import AzureKeyCredential  # noqa: E402
from azure.core.messaging import CloudEvent as AzureCloudEvent  # noqa: E402
from azure.eventgrid import EventGridEvent, EventGridPublisherClient  # noqa: E402
from cloudevents.core.v1.event import CloudEvent  # noqa: E402
from google.pubsub_v1.types import PubsubMessage  # noqa: E402

from helios_process import Server, TemporaryDirectory, binary, environment  # noqa: E402

BODIES = 1000
CONNECTIONS = 4
MIB = 1 << 20
SEED = int(os.environ.get("HELIOS_TEST_SEED", "7"))


class Webhook:
    """Standard Webhooks and Svix: the same signature, under names of their own."""

    def __init__(self, library, secret, prefix):
        self.library, self.prefix = library(secret), prefix

    def headers(self, text):
        at = datetime.datetime.now(datetime.timezone.utc)
        message = f"msg_{random.getrandbits(64):016x}"
        names = [f"{self.prefix}-{name}" for name in ("id", "timestamp", "signature")]
        signature = self.library.sign(message, at, text)
        return dict(zip(names, (message, str(int(at.timestamp())), signature)))

    def changed(self, headers, rng):
        """One bit of what was signed beside the body, or of the signature."""
        headers = dict(headers)
        name = rng.choice(list(headers))
        value = headers[name]
        if name.endswith("signature"):
            code = bytearray(base64.b64decode(value.removeprefix("v1,")))
            value = "v1," + base64.b64encode(flipped(code, rng)).decode()
        else:
            value = value[:-1] + chr(ord(value[-1]) ^ 1)
        headers[name] = value
        return headers


class Stripe:
    def __init__(self, secret):
        self.secret = secret

    def headers(self, text):
        # As stripe's own tests make it.
        header = stripe.WebhookSignature.generate_signature_header(text, self.secret)
        stripe.WebhookSignature.verify_header(text, header, self.secret, 300)
        return {"Stripe-Signature": header}

    def changed(self, headers, rng):
        moment, code = headers["Stripe-Signature"].split(",")
        if rng.random() < 0.3:
            moment = moment[:-1] + str(int(moment[-1]) ^ 1)
        else:
            code = "v1=" + flipped(bytearray.fromhex(code.removeprefix("v1=")), rng).hex()
        return {"Stripe-Signature": f"{moment},{code}"}


def flipped(data, rng):
    data = bytearray(data)
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data


def some_text(rng, length):
    ranges = ((0x20, 0x7E), (0xA1, 0x2FF), (0x4E00, 0x9FFF), (0x1F300, 0x1F6FF), (1, 0x1F))
    return "".join(chr(rng.randint(*rng.choice(ranges))) for _ in range(length))


def some_json(rng, depth=0):
    kind = rng.randrange(6 if depth < 3 else 4)
    if kind < 2:
        return some_text(rng, rng.randrange(20))
    if kind < 4:
        return rng.choice((None, True, -0.0, rng.getrandbits(70), rng.random()))
    values = [some_json(rng, depth + 1) for _ in range(rng.randrange(5))]
    return values if kind == 4 else {some_text(rng, 5): value for value in values}


def bodies(rng, event):
    """BODIES of (what it is, text)."""
    for number in range(BODIES):
        if number < 3:
            kind, text = "event", event(number, padding="é" * (MIB // 2 - 200))
        elif number < 6:
            kind, text = "text", "x" + "漢\r\n" * (MIB // 5)
        else:
            kind = rng.choice(("event", "event", "object", "array", "text", "lines", "empty"))
            text = {
                "event": lambda: event(number, note=some_text(rng, rng.randrange(200))),
                "object": lambda: json.dumps(
                    {"source": "shop", "a": some_json(rng)}, ensure_ascii=rng.random() < 0.5
                ),
                "array": lambda: json.dumps([some_json(rng)], ensure_ascii=False),
                "text": lambda: "x" + some_text(rng, rng.randrange(500)),
                "lines": lambda: "\r\n".join(
                    ["{", '"source":"shop",', f'"n":"{number}"', "}", ""] * rng.randint(1, 2)
                ),
                "empty": lambda: "",
            }[kind]()
            if kind == "lines":
                kind = "object" if text.count("{") == 1 else "text"
        yield kind, text


def a_line(number, **more):
    payload = {"orderId": f"O-{number}", "customerId": "C-1", **more}
    return json.dumps(
        {"source": "shop", "eventType": "OrderPlaced", "id": f"e-{number}", "payload": payload},
        ensure_ascii=False,
    )


def a_stripe_event(number, **more):
    object_ = {"id": f"pi_{number}", "object": "payment_intent", **more}
    event = {"id": f"evt_{number}", "object": "event", "created": 1767608625}
    return json.dumps(
        {**event, "type": "payment_intent.succeeded", "data": {"object": object_}},
        ensure_ascii=False,
    )


def a_webhook(number, **more):
    return json.dumps(
        {"type": "invoice.paid", "timestamp": "2026-01-05T10:23:45Z", "data": {"n": number, **more}},
        ensure_ascii=False,
    )


class Sender:
    """Posts over one kept connection per thread."""

    def __init__(self, server, target):
        self.server, self.target, self.kept = server, target, threading.local()
        self.connections = []

    def post(self, body, headers):
        if not hasattr(self.kept, "connection"):
            self.kept.connection = self.server.connection(60)
            self.connections.append(self.kept.connection)
        connection = self.kept.connection
        connection.request(
            "POST", self.target, body, {"Content-Type": "application/json", **headers}
        )
        response = connection.getresponse()
        response.read()
        return response.status

    def close(self):
        for connection in self.connections:
            connection.close()


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = TemporaryDirectory()
        cls.secret = "whsec_" + base64.b64encode(os.urandom(32)).decode()
        for name in ("hooks", "stripe", "svix", "azure"):
            path = f"{cls.directory.path}/{name}"
            with open(path, "w", encoding="utf-8") as file:
                file.write("a secret of azure's" if name == "azure" else cls.secret)
            os.chmod(path, 0o600)
        config = f"{cls.directory.path}/config.yaml"
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"""
sources:
  direct:
    policy: [standard_webhooks]
    secrets:
      - secret: file:{cls.directory.path}/hooks
        sources: [shop]
  azure:
    policy: [query]
    secret: file:{cls.directory.path}/azure
    topics: [/subscriptions/s/topics/stock, /stock]
  cloudevents:
    map: {{"https://shop.example/": shop}}
senders:
  stripe: {{recipe: stripe, secret: "file:{cls.directory.path}/stripe"}}
  svix: {{recipe: svix, secret: "file:{cls.directory.path}/svix"}}
""")
        cls.server = Server(
            f"{cls.directory.path}/data", "--config", config, env=environment()
        )

    @classmethod
    def tearDownClass(cls):
        cls.server.kill()
        cls.directory.__exit__()

    def event(self, event_id, source):
        """As the API has it, once it is stored."""
        deadline = time.monotonic() + 10
        while True:
            answer = self.server.get_patiently(f"/api/v1/events/{event_id}?source={source}")
            if answer.status != 404 or time.monotonic() > deadline:
                self.assertEqual(answer.status, 200, answer)
                return answer.json()

    def listed(self, query):
        """A list answers at once, with what is stored by then."""
        deadline = time.monotonic() + 10
        while True:
            items = self.server.get_patiently(f"/api/v1/events?{query}").json()["items"]
            if items or time.monotonic() > deadline:
                return items

    def activity(self, source):
        items = self.server.get("/api/v1/sources").json()["items"]
        return next(item for item in items if item["source"] == source)

    def sign_and_change(self, signer, target, event, expected):
        """What the library signs is answered as `expected` says of its kind; one bit less is 401."""
        rng = random.Random(SEED)
        sender = Sender(self.server, target)
        self.addCleanup(sender.close)

        def send(number, kind, text):
            own = random.Random(SEED * 1_000_003 + number)
            body, headers = text.encode(), signer.headers(text)
            status = sender.post(body, headers)
            if status != expected[kind]:
                return f"{number}: {kind} {text[:80]!r}: {status}"
            if body and own.random() < 0.5:
                status = sender.post(bytes(flipped(body, own)), headers)
            else:
                headers = signer.changed(headers, own)
                status = sender.post(body, headers)
            return "" if status == 401 else f"{number}: {kind} {text[:80]!r}, {headers}: {status}"

        with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
            sent = [
                pool.submit(send, number, kind, text)
                for number, (kind, text) in enumerate(bodies(rng, event))
            ]
            wrong = [each.result() for each in sent if each.result()]
        self.assertEqual(wrong, [], f"seed {SEED}")
        self.assertEqual(len(sent), BODIES)

    def test_standard_webhooks_sign_for_direct_senders(self):
        self.sign_and_change(
            Webhook(standardwebhooks.Webhook, self.secret, "webhook"),
            "/api/v1/events/ingest",
            a_line,
            {"event": 202, "object": 422, "array": 400, "text": 400, "empty": 400},
        )
        refused = {r["reason"]: r["count"] for r in self.activity("direct")["refusals"]}
        self.assertGreater(refused.pop("unreadable"), BODIES // 10, "arrays and text, which held")
        self.assertEqual(sum(refused.values()), BODIES)
        self.assertGreater(refused["wrong_signature"], BODIES // 2)

    def test_stripe_signs(self):
        self.sign_and_change(
            Stripe(self.secret),
            "/api/v1/webhooks/stripe",
            a_stripe_event,
            {"event": 200, "object": 200, "array": 200, "text": 200, "empty": 200},
        )
        activity = self.activity("stripe")
        self.assertGreater(activity["accepted"], BODIES // 5)
        self.assertGreater(activity["quarantined"], BODIES // 10)
        self.assertEqual(activity["conflicts"], 0, "each event has an id of its own")
        stored = self.event("evt_1", "stripe")
        self.assertEqual(stored["eventType"], "payment_intent.succeeded")
        self.assertEqual(stored["payload"]["id"], "pi_1")

    def test_svix_signs(self):
        self.sign_and_change(
            Webhook(svix.webhooks.Webhook, self.secret, "svix"),
            "/api/v1/webhooks/svix",
            a_webhook,
            {"event": 200, "object": 200, "array": 200, "text": 200, "empty": 200},
        )
        self.assertGreater(self.activity("svix")["accepted"], BODIES // 5)

    def test_the_cloudevents_sdk_in_both_modes(self):
        target = "/api/v1/webhooks/cloudevents"
        rng = random.Random(SEED)
        for number in range(50):
            attributes = {
                "id": f"ce-{number} {some_text(rng, 8)!a}"[:60],
                "source": f"https://shop.example/orders/{number}",
                "type": "OrderPlaced",
                "subject": f"Bestellung {number} für Zoë, 100% 漢字",
                "datacontenttype": "application/json",
                "region": "eu",
            }
            data = {"orderId": f"CE-{number}", "customerId": "Zoë", "note": some_text(rng, 50)}
            event = CloudEvent(attributes, data)
            binary_mode = cloudevents_http.to_binary_event(event)
            structured = cloudevents_http.to_structured_event(event)
            first, second = rng.sample((binary_mode, structured), 2)
            for message, status in ((first, 202), (second, 200)):
                answer = self.server.request("POST", target, message.body, dict(message.headers))
                self.assertEqual(answer.status, status, (message, answer))
            answer = answer.json()
            self.assertEqual((answer["status"], answer["eventId"]), ("duplicate", attributes["id"]))
            if number % 10 == 0:
                items = self.listed(f"order_id=CE-{number}&source=shop")
                self.assertEqual(len(items), 1, items)
                self.assertEqual(items[0]["eventId"], attributes["id"])
                self.assertEqual(items[0]["eventType"], "OrderPlaced")
                self.assertEqual(items[0]["scope"], attributes["source"])
                self.assertEqual(items[0]["payload"], data)
                self.assertEqual(items[0]["metadata"]["subject"], attributes["subject"])
                self.assertEqual(items[0]["metadata"]["extensions"]["region"], "eu")

    def test_pubsub_messages_in_both_spellings(self):
        for number in range(20):
            data = {"orderId": f"PS-{number}", "amount": "12.50", "note": "Zoë\r\n漢字"}
            message = PubsubMessage(
                data=json.dumps(data, ensure_ascii=False).encode(),
                attributes={"eventType": "PaymentProcessed", "für": "Zoë"},
                message_id=str(2070443601311540 + number),
                publish_time=datetime.datetime.now(datetime.timezone.utc),
                ordering_key=f"PS-{number}",
            )
            for snake in (False, True):  # a push has both; either is enough
                written = PubsubMessage.to_json(message, preserving_proto_field_name=snake)
                push = {"message": json.loads(written), "subscription": "projects/p/subscriptions/s"}
                answer = self.server.post("/api/v1/webhooks/gcp/pubsub", push)
                self.assertEqual(answer.status, 204, answer)
            stored = self.event(message.message_id, "gcp")
            self.assertEqual(stored["eventType"], "PaymentProcessed")
            self.assertEqual(stored["payload"], data)
            self.assertEqual(stored["time"][:23], message.publish_time.isoformat()[:23])
        activity = self.activity("gcp")
        self.assertEqual((activity["accepted"], activity["duplicates"]), (20, 20))

    def test_event_grids_own_publisher(self):
        """Its client posts what Event Grid would pass on: one array, in either schema."""
        url = f"http://127.0.0.1:{self.server.port}/api/v1/webhooks/azure/eventgrid"
        data = {"orderId": "EG-1", "reservationId": "R-1", "note": "Zoë 漢字", "items": []}
        with EventGridPublisherClient(
            url + "?code=a%20secret%20of%20azure%27s", AzureKeyCredential("k")
        ) as client:
            grid = [
                EventGridEvent(
                    id=f"eg-{number}",
                    topic="/subscriptions/s/topics/stock",
                    subject=f"orders/{number}",
                    event_type="Contoso.Stock.InventoryReserved",
                    data=data,
                    data_version="1.0",
                )
                for number in range(100)
            ]
            client.send(grid)
            cloud = AzureCloudEvent(
                source="/stock", type="Contoso.Stock.InventoryReserved", data=data, id="eg-cloud"
            )
            client.send([cloud])
        for event_id in ("eg-0", "eg-99", "eg-cloud"):
            stored = self.event(event_id, "azure")
            self.assertEqual((stored["eventType"], stored["payload"]), ("InventoryReserved", data))
        self.assertEqual(self.activity("azure")["accepted"], 101)


if __name__ == "__main__":
    binary()
    unittest.main(argv=sys.argv[:1], verbosity=2)
