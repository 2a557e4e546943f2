#!/usr/bin/env python3
"""/openapi.json is the truth: every route, with every case that it documents and those that it does not, against the real binary. What
is answered is documented, to the last member; what the schema of a body allows is taken, and nothing else."""
import base64
import copy
import json
import sys
import time
import unittest
import urllib.parse

from helios_process import Server, TemporaryDirectory, line, matching_legs
from openapi_schema import Schemas

INGEST, BATCH = "/api/v1/events/ingest", "/api/v1/events/batch"
EVENTBRIDGE = "/api/v1/webhooks/aws/eventbridge"
PUBSUB = "/api/v1/webhooks/gcp/pubsub"
EVENTGRID = "/api/v1/webhooks/azure/eventgrid"
# A value for each kind of JSON, and texts that are odd.
ODD = [None, True, 0, 1.5, "", "x", [], {}, [{}], {"x": None}]
WEBSOCKET = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": base64.b64encode(b"0123456789abcdef").decode(),
}
# What of a body that its schema allows a rule of another kind may refuse: kept in quarantine, under an id that is taken.
BY_ANOTHER_RULE = (404, 409, 422)


def send_all_kinds(server):
    """Cases of every status, a conflict, quarantined ones, a copy, an event without an id."""
    for leg in matching_legs("MATCHED", "1", "12.50", "C-1"):
        server.ingest(leg)
    broken = matching_legs("BROKEN", "2", "12.50", "C-1")
    broken[1]["payload"]["amount"] = "12.05"
    for leg in broken:
        server.ingest(leg)
    order = matching_legs("OPEN", "3", "1.00", "C-1")[0]
    for event in (order, order, {**order, "payload": {**order["payload"], "customerId": "C-2"}}):
        server.ingest(event)
    server.ingest(line("aws", "OrderPlaced", "q-1"))
    server.ingest({"source": "aws", "eventType": "Noted", "payload": {"orderId": "a/b"}})
    server.post(
        EVENTBRIDGE,
        {
            "Type": "SubscriptionConfirmation",
            "TopicArn": "arn:1",
            "MessageId": "m-1",
            "SubscribeURL": "https://x",
        },
        "text/plain",
    )


class Documented(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = TemporaryDirectory()
        cls.server = Server(cls.directory.path + "/data")
        send_all_kinds(cls.server)
        cls.document = cls.server.get("/openapi.json").json()
        cls.schemas = Schemas(cls.document)
        for _ in range(200):
            if cls.server.get_patiently("/api/v1/reconciliation/BROKEN").json()["status"] == "mismatched":
                break
            time.sleep(0.02)
        cls.paths = {
            "orderId": ["MATCHED", "BROKEN", "OPEN", "none"],
            "flow": ["order", "ordr"],
            "key": ["MATCHED", "none"],
            "eventId": ["o-1", "o-3", "ingest", "none"],
            "dlqId": [item["dlqId"] for item in cls.server.quarantined()] + ["none"],
            "handshakeId": ["none"],
            "id": [
                cls.server.post("/api/v1/dlq/redrive", {"filter": {"ids": ["none"]}}).json()["id"],
                "none",
            ],
        }

    @classmethod
    def tearDownClass(cls):
        cls.server.kill()
        cls.directory.__exit__()

    def operations(self, method):
        for path, operations in self.document["paths"].items():
            if method in operations:
                yield path, operations[method]

    def ask(self, method, path, target, headers=None, body=None):
        """The answer, which is among those of the document."""
        answer = self.server.request(method.upper(), target, body, headers)
        where = f"{method} {target} {headers or ''} {(body or '')[:300]}: {answer}"
        documented = self.document["paths"][path][method]["responses"].get(str(answer.status))
        self.assertIsNotNone(documented, where)
        content = documented.get("content", {})
        if not answer.body:
            self.assertFalse(content and answer.status != 101, where)
            return answer
        media_type = answer.headers["content-type"].split(";")[0]
        self.assertIn(media_type, content, where)
        if media_type.endswith("json"):
            faults = self.schemas.faults(content[media_type]["schema"], answer.json())
            self.assertEqual(faults, [], where)
        return answer

    def targets(self, path, parameters):
        """Some with a thing that is there, one with none."""
        targets = [path]
        for parameter in parameters:
            if parameter["in"] == "path":
                name = "{" + parameter["name"] + "}"
                targets = [
                    target.replace(name, urllib.parse.quote(value, safe=""))
                    for target in targets
                    for value in self.paths[parameter["name"]]
                ]
        required = [p["name"] for p in parameters if p["in"] == "query" and p["required"]]
        self.assertLessEqual(len(required), 1)
        return [target + "?" + "".join(name + "=MATCHED&" for name in required) for target in targets]

    @staticmethod
    def values(schema):
        """(value, whether the parameter takes it; None: whether it does is not said)"""
        if "enum" in schema:
            return [(v, True) for v in schema["enum"]] + [
                (v, False) for v in (schema["enum"][0] + "x", schema["enum"][0].upper(), "\u202ex", "")
            ]
        if schema["type"] == "boolean":
            return [("true", True), ("false", True), ("yes", False), ("", False)]
        if schema["type"] == "integer":
            low, high = schema["minimum"], schema["maximum"]
            return [(str(low), True), (str(high), True)] + [
                (v, False) for v in (str(low - 1), str(high + 1), "-1", "1.5", "x", "1000000000000000000000", "")
            ]
        if schema.get("format") == "date-time":
            good = ["2026-01-05T10:00:00Z", "1970-01-01T00:00:00Z", "2026-01-05T10:00:00.123456789+02:00"]
            bad = ["yesterday", "2026-01-05T10:00:00", "1969-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "2026-02-30T00:00:00Z", ""]
            return [(v, True) for v in good] + [(v, False) for v in bad]
        assert schema == {"type": "string", "minLength": 1, "pattern": "^[^\\u0000]*$"}, schema
        return [("", False), ("a\0b", False), ("order", None), ("x" * 3000, None), ("\u202e\u00e4 '\"\\", None), ("1", None)]

    def test_every_parameter_of_every_route(self):
        for path, operation in self.operations("get"):
            parameters = operation.get("parameters", [])
            headers = WEBSOCKET if path == "/api/v1/stream" else {}
            for target in self.targets(path, parameters):
                self.ask("get", path, target, headers)
            for parameter in parameters:
                if parameter["in"] != "query":
                    continue
                name = parameter["name"]
                others = target.replace(name + "=MATCHED&", "")
                for value, taken in self.values(parameter["schema"]):
                    query = f"{name}={urllib.parse.quote(value, safe='')}"
                    with self.subTest(others + query[:100]):
                        answer = self.ask("get", path, others + query, headers)
                        if taken is not None:
                            self.assertEqual(answer.status != 400, taken, answer)
                        if answer.status == 400:
                            self.assertTrue(answer.json().get("hint"), answer)
                            self.assertLess(len(answer.body), 2000)
                twice = self.ask("get", path, f"{others}{name}=1&{name}=1", headers)
                self.assertEqual(twice.status, 400, f"{others}{name} twice: {twice}")
            if parameters and path != "/":
                self.assertEqual(self.ask("get", path, target + "no_such=1", headers).status, 400, path)

    def test_what_the_server_says_before_any_handler(self):
        for method in ("get", "post"):
            for path, operation in self.operations(method):
                target = self.targets(path, operation.get("parameters", []))[-1]
                for headers, status in (
                    ({"Host": "elsewhere.example"}, 421),
                    ({"Expect": "the-unexpected"}, 417),
                    ({"X-Long": "x" * 100_000}, 431),
                    ({"Content-Encoding": "br", "Content-Length": "1"}, 415),
                    ({"Transfer-Encoding": "chunked", "Content-Length": "1"}, 400),
                ):
                    if path == "/api/v1/stream":
                        headers, status = {**WEBSOCKET, **headers}, 400 if status == 415 else status
                    body = "x" if "Content-Length" in headers else None
                    answer = self.ask(method, path, target, headers, body)
                    self.assertEqual(answer.status, status, f"{method} {target} {headers}: {answer}")
                if method == "post" or path == "/api/v1/stream":
                    headers = {**WEBSOCKET, "Origin": "https://elsewhere.example"}
                    self.assertEqual(self.ask(method, path, target, headers).status, 403, path)
        self.assertEqual(self.ask("get", "/api/v1/stream", "/api/v1/stream").status, 426)

    def test_methods_that_are_not_documented_are_not_there(self):
        for path, operations in self.document["paths"].items():
            parameters = next(iter(operations.values())).get("parameters", [])
            target = self.targets(path, parameters)[0]
            for method in ("get", "post", "put", "patch", "delete", "trace", "query"):
                if method not in operations:
                    body = "{}" if method in ("post", "put", "patch", "delete") else None
                    answer = self.server.request(method.upper(), target, body)
                    self.assertEqual(answer.status, 405, f"{method} {target}: {answer}")
                    for allowed in operations:
                        self.assertIn(allowed.upper(), answer.headers["allow"], path)

    def variations(self, body):
        """`body`, and each member or item of it left out or something odd; two levels deep."""
        yield body
        places = [(name,) for name in (body if isinstance(body, dict) else range(len(body)))]
        for place in list(places):
            inner = body[place[0]]
            if isinstance(inner, (dict, list)):
                places += [(*place, name) for name in (inner if isinstance(inner, dict) else range(len(inner)))]
        for place in places:
            for value in [..., *ODD]:
                changed = copy.deepcopy(body)
                holder = changed if len(place) == 1 else changed[place[0]]
                if value is ...:
                    del holder[place[-1]]
                else:
                    holder[place[-1]] = value
                yield changed

    @staticmethod
    def body_of(operation):
        """The media type that is described first, and what is said of it."""
        return next(iter(operation["requestBody"]["content"].items()))

    def test_what_the_schema_of_a_body_allows_is_taken_and_nothing_else(self):
        bodies = [*ODD]
        for _, operation in self.operations("post"):
            bodies += self.variations(self.body_of(operation)[1]["example"])
        bodies.append({"Type": "Notification", "TopicArn": "arn:1", "Message": "{}"})
        bodies.append({"source": "aws", "type": "Noted", "payload": {}, "id": 7, "metadata": None})
        bodies.append([{"specversion": "1.0"}, 5])
        seen = set()
        for path, operation in self.operations("post"):
            media_type, described = self.body_of(operation)
            schema = described["schema"]
            for body in bodies:
                text = json.dumps(body)
                with self.subTest(f"{path} {text}"):
                    answer = self.ask("post", path, path, {"Content-Type": media_type}, text)
                    seen.add((path, answer.status))
                    faults = self.schemas.faults(schema, body)
                    if answer.status not in BY_ANOTHER_RULE:
                        self.assertEqual(answer.status < 300, not faults, f"{faults}; {answer}")
        for status in (200, 202, 400, 409, 422):
            self.assertIn((INGEST, status), seen)
        for path in (EVENTBRIDGE, EVENTGRID, BATCH):
            self.assertIn((path, 200), seen)

    def test_other_bodies(self):
        for path, operation in self.operations("post"):
            content = operation["requestBody"]["content"]
            for media_type, text in (
                ("application/json", "{"),
                ("application/json", ""),
                ("application/json", "\xff"),
                ("application/json", "[" * 5000),
                ("text/csv", "a,b"),
                ("application/x-ndjson", content.get("application/x-ndjson", {}).get("example", "{}")),
                ("application/x-ndjson", "\n\n"),
                ("application/x-ndjson", "5\n"),
                ("application/json", " " * (17 << 20)),
            ):
                answer = self.ask("post", path, path, {"Content-Type": media_type}, text.encode("latin-1"))
                if path in (INGEST, BATCH) and media_type not in content:
                    self.assertEqual(answer.status, 415, f"{path} {media_type}: {answer}")

    def test_examples_obey_their_schemas(self):
        for path, operations in self.document["paths"].items():
            for method, operation in operations.items():
                contents = [operation.get("requestBody", {}).get("content", {})]
                contents += [answer.get("content", {}) for answer in operation["responses"].values()]
                for content in contents:
                    for media_type, what in content.items():
                        if "example" not in what:
                            continue
                        example = what["example"]
                        if media_type == "application/x-ndjson":
                            example = [json.loads(text) for text in example.splitlines()]
                        faults = self.schemas.faults(what["schema"], example)
                        self.assertEqual(faults, [], f"{method} {path} {media_type}")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
