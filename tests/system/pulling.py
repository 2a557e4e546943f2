"""What tests of queues share: messages as their clouds send them, and servers that fetch them."""
import json
import os
import time
import unittest

from helios_process import Server, TemporaryDirectory, environment


def eventbridge(event_id, order="O-1"):
    return {
        "version": "0",
        "id": event_id,
        "detail-type": "OrderPlaced",
        "source": "shop",
        "account": "123456789012",
        "time": "2026-01-05T10:23:45Z",
        "region": "eu-central-1",
        "resources": [],
        "detail": {"orderId": order, "customerId": "C-1", "totalAmount": "1.00"},
    }


def through_sns(event):
    return {
        "Type": "Notification",
        "MessageId": "m-" + event["id"],
        "TopicArn": "arn:aws:sns:eu-central-1:123456789012:orders",
        "Message": json.dumps(event),
        "Timestamp": "2026-01-05T10:23:46.000Z",
        "SignatureVersion": "1",
        "Signature": "bm9ib2R5IGFza3M=",
    }


def sqs_message(event, **more):
    return {"body": event if isinstance(event, str) else json.dumps(event), **more}


def eventually(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    return condition()


class Pulling(unittest.TestCase):
    def setUp(self):
        self.directory = TemporaryDirectory()
        self.addCleanup(self.directory.__exit__)

    def double(self, kind, port=0):
        queue = kind(port)
        self.addCleanup(queue.close)
        return queue

    def file(self, name, text):
        path = f"{self.directory.path}/{name}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o600)
        return path

    def serve(self, *arguments, hosts="", **settings):
        server = Server(
            self.directory.path + "/data",
            "--insecure-test-hosts",
            hosts,
            *arguments,
            env=environment(**settings),
        )
        self.addCleanup(server.kill)
        return server

    def serve_sqs(self, queue, **more):
        settings = {
            "HELIOS_SOURCES_AWS_PULL_KIND": "sqs",
            "HELIOS_SOURCES_AWS_PULL_QUEUE_URL": queue.url(),
            "HELIOS_SOURCES_AWS_PULL_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret",
            **more,
        }
        return self.serve(hosts=queue.place(), **settings)

    def source(self, server, name):
        return {i["source"]: i for i in server.get("/api/v1/sources").json()["items"]}[name]

    def counted(self, server, source, **expected):
        """Waits for the source's figures; those that it has then."""

        def now():
            item = self.source(server, source)
            return item if all(item[k] == v for k, v in expected.items()) else None

        found = eventually(now)
        self.assertTrue(found, f"{self.source(server, source)} instead of {expected}")
        return found

    def metric(self, server, name):
        for text in server.get("/metrics").body.decode().splitlines():
            if text.startswith(name + " ") or text.startswith(name + "{"):
                yield text
