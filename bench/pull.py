#!/usr/bin/env python3
"""How fast a queue is drained: `helios serve` fetches EventBridge events from a stand-in for SQS on loopback.

    bench/pull.py build/release/helios [--messages 100000] [--concurrency 8]

Prints messages a second, from the first call to the last delete that was answered, and checks that every message was
deleted, and every event accepted once. The stand-in runs in a process of its own, on the same machine: its share counts.
"""
import argparse
import asyncio
import http.client
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

LENGTH = re.compile(rb"content-length: *(\d+)", re.I)
TARGET = re.compile(rb"x-amz-target: *AmazonSQS\.(\w+)", re.I)
HANDLE = re.compile(rb'"ReceiptHandle":"(\d+)"')


class Queue:
    """Batches made ahead, so that what is measured is who fetches them."""

    def __init__(self, messages):
        self.left = messages
        self.next = 0
        self.deleted = set()
        self.messages = messages
        self.began = self.ended = None

    def message(self, n):
        event = {
            "version": "0",
            "id": f"e-{n}",
            "detail-type": "OrderPlaced",
            "source": "shop",
            "account": "123456789012",
            "time": "2026-01-05T10:23:45Z",
            "region": "eu-central-1",
            "resources": [],
            "detail": {"orderId": f"O-{n}", "customerId": "C-7", "totalAmount": "12.50"},
        }
        return {
            "MessageId": str(n),
            "ReceiptHandle": str(n),
            "Body": json.dumps(event),
            "Attributes": {
                "SentTimestamp": str(int(time.time() * 1000)),
                "ApproximateReceiveCount": "1",
            },
        }

    async def answer(self, operation, body):
        self.began = self.began or time.monotonic()
        if operation == b"ReceiveMessage":
            if self.next == self.messages:
                await asyncio.sleep(1)
                return b"{}"
            first, self.next = self.next, min(self.next + 10, self.messages)
            return json.dumps(
                {"Messages": [self.message(n) for n in range(first, self.next)]},
                separators=(",", ":"),
            ).encode()
        if operation == b"DeleteMessageBatch":
            handles = HANDLE.findall(body)
            self.deleted.update(handles)
            if len(self.deleted) == self.messages and self.ended is None:
                self.ended = time.monotonic()
            return json.dumps({"Successful": [{"Id": str(i)} for i in range(len(handles))]}).encode()
        if operation == b"GetQueueAttributes":
            left = self.messages - self.next
            return json.dumps({"Attributes": {"ApproximateNumberOfMessages": str(left)}}).encode()
        return b"{}"

    async def serve(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(LENGTH.search(head).group(1))
                body = await reader.readexactly(length)
                target = TARGET.search(head)
                answer = await self.answer(target.group(1) if target else b"", body)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def run_queue(messages, pipe):
    async def main():
        queue = Queue(messages)
        server = await asyncio.start_server(queue.serve, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        while queue.ended is None:
            await asyncio.sleep(0.02)
        pipe.send((queue.ended - queue.began, len(queue.deleted)))
        await asyncio.sleep(3600)  # the receivers go on asking until they are stopped

    asyncio.run(main())


def sources_of(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/api/v1/sources")
    items = json.loads(connection.getresponse().read())["items"]
    connection.close()
    return {item["source"]: item for item in items}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--concurrency", type=int, default=8)
    arguments = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    queue = multiprocessing.Process(
        target=run_queue, args=(arguments.messages, theirs), daemon=True
    )
    queue.start()
    port = ours.recv()
    with tempfile.TemporaryDirectory(prefix="helios-bench-pull-") as data:
        server = subprocess.Popen(
            [
                arguments.binary,
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--data",
                data,
                "--insecure-test-hosts",
                f"127.0.0.1:{port}",
            ],
            stdout=subprocess.PIPE,
            env={
                **os.environ,
                "HELIOS_SOURCES_AWS_PULL_KIND": "sqs",
                "HELIOS_SOURCES_AWS_PULL_QUEUE_URL": f"http://127.0.0.1:{port}/1/orders",
                "HELIOS_SOURCES_AWS_PULL_REGION": "eu-central-1",
                "HELIOS_SOURCES_AWS_PULL_CONCURRENCY": str(arguments.concurrency),
                "AWS_ACCESS_KEY_ID": "id",
                "AWS_SECRET_ACCESS_KEY": "secret",
                "HELIOS_TELEMETRY_LOG_LEVEL": "warn",
            },
        )
        try:
            at = int(server.stdout.readline().rsplit(b":", 1)[1])
            if not ours.poll(300):
                sys.exit(f"not drained within 300 s: {sources_of(at)['aws']}")
            seconds, deleted = ours.recv()
            aws = sources_of(at)["aws"]
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
            queue.kill()
    print(
        f"{arguments.messages} messages in {seconds:.1f} s: {arguments.messages / seconds:,.0f} a second; "
        f"{deleted} deleted, {aws['accepted']} accepted, {aws['duplicates']} duplicates"
    )
    return 0 if deleted == aws["accepted"] == arguments.messages else 1


if __name__ == "__main__":
    sys.exit(main())
