#!/usr/bin/env python3
"""What Helios fetches itself, from stand-ins for the clouds' queues (queue_doubles.py). Against the real binary."""
import base64
import json
import os
import signal
import sys
import time
import unittest

from helios_process import binary, environment, run
from pulling import Pulling, eventbridge, eventually, sqs_message, through_sns
from queue_doubles import EventGrid, PubSub, Sqs

AWS = "/api/v1/webhooks/aws/eventbridge"
JSON = {"Content-Type": "application/json"}


class Pull(Pulling):
    def test_sqs_brings_events_of_eventbridge_and_of_sns(self):
        queue = self.double(Sqs)
        queue.put(
            sqs_message(eventbridge("e-1", "O-1")),
            sqs_message(through_sns(eventbridge("e-2", "O-2"))),
            sqs_message("this is no event"),
        )
        server = self.serve_sqs(queue)
        item = self.counted(server, "aws", accepted=2, quarantined=1)
        self.assertTrue(queue.wait_for(lambda: not queue.locked and not queue.ready), queue.calls)
        self.assertEqual(item["policy"], "off", "what is fetched is not thereby open to push")
        self.assertEqual(server.request("POST", AWS, "{}", JSON).status, 401)
        pull = eventually(
            lambda: (lambda p: p if p["lag"] == 0 and p["oldestSeconds"] is not None else None)(
                self.source(server, "aws")["pull"]
            )
        )
        self.assertEqual(pull["lastError"], None)
        self.assertEqual(
            server.get_patiently("/api/v1/events?order_id=O-2").json()["items"][0]["eventId"], "e-2"
        )
        kept = server.get_patiently("/api/v1/dlq").json()["items"]
        self.assertEqual([i["reason"] for i in kept], ["not_json"])
        self.assertIn('helios_sources_pulled_total{source="aws"} 3', self.metric(server, "helios_sources_pulled_total"))
        self.assertIn('helios_sources_deleted_total{source="aws"} 3', self.metric(server, "helios_sources_deleted_total"))

    def test_one_event_by_push_and_by_pull_is_one(self):
        queue = self.double(Sqs)
        server = self.serve_sqs(queue, HELIOS_SOURCES_AWS_POLICY="none")
        pushed = server.request("POST", AWS, json.dumps(eventbridge("e-1")), JSON)
        self.assertEqual(pushed.json()["status"], "accepted")
        queue.put(sqs_message(eventbridge("e-1")))
        self.counted(server, "aws", accepted=1, duplicates=1)

    def test_what_cannot_be_deleted_comes_again_and_is_not_counted_twice(self):
        queue = self.double(Sqs)
        queue.keep_deletes_from_working = True
        queue.put(sqs_message(eventbridge("e-1")))
        server = self.serve_sqs(queue)
        self.counted(server, "aws", accepted=1)
        self.assertTrue(queue.wait_for(lambda: queue.calls["DeleteMessageBatch"] >= 1))
        queue.unlock_all()
        self.counted(server, "aws", accepted=1, duplicates=1)
        self.assertTrue(
            eventually(
                lambda: any(
                    'reason="not_deleted"' in line
                    for line in self.metric(server, "helios_sources_failures_total")
                )
            )
        )
        queue.keep_deletes_from_working = False
        queue.unlock_all()
        self.assertTrue(queue.wait_for(lambda: not queue.locked and not queue.ready))
        self.counted(server, "aws", accepted=1, duplicates=2)

    def test_a_failing_queue_is_said_once_and_recovers(self):
        queue = self.double(Sqs)
        queue.fail_with["ReceiveMessage"] = (
            400,
            {"__type": "com.amazonaws.sqs#RequestThrottled", "message": "slow down"},
        )
        server = self.serve_sqs(queue, HELIOS_SOURCES_AWS_PULL_CONCURRENCY="1")
        error = eventually(lambda: self.source(server, "aws")["pull"]["lastError"])
        self.assertIn("RequestThrottled", error)
        self.assertTrue(queue.wait_for(lambda: queue.calls["ReceiveMessage"] >= 3))
        self.assertEqual(server.errors().count("a queue can't be fetched"), 1)
        self.assertTrue(
            any(
                'reason="exhausted"' in line
                for line in self.metric(server, "helios_sources_failures_total")
            )
        )
        queue.put(sqs_message(eventbridge("e-1")))
        queue.fail_with.clear()
        self.counted(server, "aws", accepted=1)
        self.assertIsNone(self.source(server, "aws")["pull"]["lastError"])

    def test_a_queue_out_of_reach_is_an_absence_until_it_is_read_again(self):
        queue = self.double(Sqs)
        port = queue.server_port
        url, place = queue.url(), queue.place()
        server = self.serve_sqs(queue)
        self.assertTrue(queue.wait_for(lambda: queue.calls["ReceiveMessage"] >= 4))
        queue.close()

        def absences():
            code, out, err = run("log", "export", "--data", server.data)
            self.assertEqual(code, 0, err)
            lines = [json.loads(line) for line in out.splitlines() if '"absence"' in line]
            return [a for a in lines if a.get("cause") == "fetch"]

        found = eventually(absences, 40)
        self.assertTrue(found, server.errors())
        self.assertEqual(found[0]["sources"], ["aws"])
        again = self.double(Sqs, port)
        self.assertEqual((again.url(), again.place()), (url, place))
        again.put(sqs_message(eventbridge("e-1"), sent=time.time() - 60))
        self.counted(server, "aws", accepted=1)

        def over():
            return any("can be fetched again" in line for line in server.errors().splitlines())

        self.assertTrue(eventually(over))

    def test_a_stop_ends_a_long_poll(self):
        queue = self.double(Sqs)
        server = self.serve_sqs(queue)
        self.assertTrue(queue.wait_for(lambda: queue.calls["ReceiveMessage"] >= 4))
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        self.assertEqual(server.process.wait(60), 0)
        self.assertLess(time.monotonic() - began, 15, "a receiver waits for 20 s")

    def test_pubsub(self):
        queue = self.double(PubSub)

        def message(event_id, order):
            payload = {"orderId": order, "paymentId": event_id, "amount": "1.00", "currency": "EUR"}
            return {
                "message": {
                    "data": base64.b64encode(json.dumps(payload).encode()).decode(),
                    "attributes": {"eventType": "PaymentProcessed"},
                    "messageId": event_id,
                    "publishTime": "2026-01-05T10:23:45.120Z",
                    "orderingKey": order,
                }
            }

        queue.put(message("1", "O-1"), message("2", "O-2"))
        server = self.serve(
            hosts=queue.place(),
            HELIOS_SOURCES_GCP_PULL_KIND="pubsub",
            HELIOS_SOURCES_GCP_PULL_SUBSCRIPTION=queue.subscription,
            HELIOS_SOURCES_GCP_PULL_ENDPOINT="http://" + queue.place(),
            HELIOS_SOURCES_GCP_PULL_CREDENTIALS="none",
            HELIOS_SOURCES_GCP_POLICY="none",
        )
        self.counted(server, "gcp", accepted=2)
        self.assertTrue(queue.wait_for(lambda: not queue.locked and not queue.ready))
        pushed = {"subscription": queue.subscription, **message("1", "O-1")}
        answer = server.request("POST", "/api/v1/webhooks/gcp/pubsub", json.dumps(pushed), JSON)
        self.assertEqual(answer.status, 204)
        self.counted(server, "gcp", accepted=2, duplicates=1)
        event = server.get_patiently("/api/v1/events/1?source=gcp").json()
        self.assertEqual(event["metadata"]["subscription"], queue.subscription)
        self.assertEqual(event["metadata"]["deliveryAttempt"], 1)

    def test_event_grid(self):
        queue = self.double(EventGrid)

        def message(event_id):
            return {
                "event": {
                    "specversion": "1.0",
                    "id": event_id,
                    "source": "/shop/stock",
                    "type": "Shop.InventoryReserved",
                    "time": "2026-01-05T10:23:45Z",
                    "data": {"orderId": "O-1", "reservationId": event_id, "items": []},
                }
            }

        queue.put(message("r-1"), message("r-2"))
        key = self.file("key", queue.key + "\n")
        server = self.serve(
            hosts=queue.place(),
            HELIOS_SOURCES_AZURE_PULL_KIND="eventgrid",
            HELIOS_SOURCES_AZURE_PULL_TOPIC=queue.topic,
            HELIOS_SOURCES_AZURE_PULL_SUBSCRIPTION=queue.subscription,
            HELIOS_SOURCES_AZURE_PULL_ENDPOINT="http://" + queue.place(),
            HELIOS_SOURCES_AZURE_PULL_CREDENTIALS="file:" + key,
            HELIOS_SOURCES_AZURE_POLICY="none",
        )
        self.counted(server, "azure", accepted=2)
        self.assertTrue(queue.wait_for(lambda: not queue.locked and not queue.ready))
        answer = server.request(
            "POST",
            "/api/v1/webhooks/azure/eventgrid",
            json.dumps(message("r-1")["event"]),
            {"Content-Type": "application/cloudevents+json"},
        )
        self.assertEqual(answer.status, 200)
        self.counted(server, "azure", accepted=2, duplicates=1)

    def test_further_queues_have_names_and_their_events_are_of_their_cloud(self):
        own, orders = self.double(Sqs), self.double(Sqs)
        own.put(sqs_message(eventbridge("e-1", "O-1")))
        orders.put(*(sqs_message(eventbridge(f"e-{n}", f"O-{n}")) for n in (1, 2, 3)))
        orders.put(sqs_message("this is no event"))
        config = self.file("config.yaml", f"""
sources:
  aws: {{pull: {{kind: sqs, queue_url: "{own.url()}", region: eu-central-1}}}}
  orders_queue:
    pull: {{kind: sqs, queue_url: "{orders.url()}", region: eu-central-1, concurrency: 2}}
""")
        server = self.serve(
            "--config",
            config,
            hosts=f"{own.place()},{orders.place()}",
            AWS_ACCESS_KEY_ID="AKIDEXAMPLE",
            AWS_SECRET_ACCESS_KEY="secret",
        )
        for queue in (own, orders):
            self.assertTrue(queue.wait_for(lambda q=queue: not q.locked and not q.ready))
        cloud = self.counted(server, "aws", accepted=3, duplicates=1, quarantined=1)
        self.assertEqual(cloud["policy"], "off", "what is fetched is not thereby open to push")
        named = self.counted(server, "orders_queue", received=4, quarantined=1)
        self.assertEqual(named["policy"], "fetched")
        self.assertIsNotNone(named["pull"])
        self.assertIsNotNone(named["lastEventAt"])
        self.assertTrue(
            any('source="orders_queue"' in line for line in self.metric(server, "helios_sources_pulled_total"))
        )
        arguments = ("--config", config, "--to", f"http://127.0.0.1:{server.port}")
        settings = environment(HELIOS_APP_INSECURE_TEST_HOSTS=f"{own.place()},{orders.place()}")
        code, out, err = run(
            "source", "test", "orders_queue", *arguments, "--wait", "0", env=settings
        )
        self.assertEqual(code, 1, err)
        self.assertIn("aws sqs send-message --queue-url " + orders.url(), out)
        self.assertIn("is fetched from a queue", err)
        code, out, err = run("source", "test", "aws", *arguments, "--wait", "0", env=settings)
        self.assertEqual(code, 1, err)
        self.assertIn("aws sqs send-message --queue-url " + own.url(), out, "it takes no push")
        token = next(word for word in out.split('"') if word.startswith("test-"))
        own.put(sqs_message(eventbridge(token) | {"detail-type": "helios.test"}))
        self.counted(server, "aws", accepted=4)
        orders.close()
        found = eventually(lambda: self.source(server, "orders_queue")["pull"]["lastError"])
        self.assertTrue(found, "it can't be reached")
        self.assertIsNone(self.source(server, "aws")["pull"]["lastError"])

    def test_how_each_is_set_up_is_printed(self):
        for kind in ("sqs", "pubsub", "eventgrid"):
            code, out, err = run("source", "add", kind)
            self.assertEqual(code, 0, err)
            self.assertIn(f"kind: {kind}", out)
            if kind == "sqs":  # one shell word, JSON within JSON
                policy = json.loads(out.split("--attributes '")[1].split("'\n")[0])["Policy"]
                self.assertEqual(json.loads(policy)["Statement"][0]["Resource"], "QUEUE_ARN")

    def test_mistakes_are_told_at_the_start(self):
        def complaint(**settings):
            code, out, err = run("config", "check", env=environment(**settings))
            self.assertEqual(code, 1, out + err)
            return out + err

        aws = {"HELIOS_SOURCES_AWS_PULL_KIND": "sqs"}
        self.assertIn("sources.aws.pull.queue_url is empty", complaint(**aws))
        url = "https://sqs.eu-central-1.amazonaws.com/1/q"
        aws["HELIOS_SOURCES_AWS_PULL_QUEUE_URL"] = url
        self.assertIn(
            "sources.aws.pull.credentials",
            complaint(**aws, HELIOS_SOURCES_AWS_PULL_CREDENTIALS="wJalrXUtnFEMI"),
        )
        self.assertNotIn(
            "wJalrXUtnFEMI", complaint(**aws, HELIOS_SOURCES_AWS_PULL_CREDENTIALS="wJalrXUtnFEMI")
        )
        self.assertIn(
            "is http", complaint(**{**aws, "HELIOS_SOURCES_AWS_PULL_QUEUE_URL": "http://sqs.example/1/q"})
        )
        self.assertIn(
            "pubsub", complaint(HELIOS_SOURCES_GCP_PULL_KIND="sqs")
        )
        code, out, err = run("config", "check", env=environment(**aws))
        self.assertEqual(code, 0, out + err)


if __name__ == "__main__":
    os.environ["HELIOS_TEST_BINARY"] = binary()
    unittest.main(argv=sys.argv[:1], verbosity=2)
