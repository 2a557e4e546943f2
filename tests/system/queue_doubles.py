"""Stand-ins for the queues of three clouds: SQS, a Pub/Sub subscription, an Event Grid namespace. Each does what its
cloud documents, in memory, on a free port of loopback; tests read and steer them. Python's standard library only."""
import collections
import http.server
import json
import re
import threading
import time
import uuid


class Queue(http.server.ThreadingHTTPServer):
    """Messages with a lock that ends: what is not removed in time comes again. Thread-safe under `changed`."""

    daemon_threads = True
    lock_seconds = 30

    def __init__(self, port=0):
        self.changed = threading.Condition()
        self.ready = collections.deque()
        self.locked = {}  # handle -> [until, message]
        self.calls = collections.Counter()
        self.seen = []  # (operation, headers) of each call, as they came
        self.fail_with = {}  # operation -> (status, body), until it is taken out
        self.keep_deletes_from_working = False
        self.closing = False
        queue = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16  # head and body in one packet

            def handle_any(self):
                length = int(self.headers.get("Content-Length") or 0)
                text = self.rfile.read(length)
                try:
                    status, answer = queue.call(self.command, self.path, self.headers, text)
                except Exception as error:  # pylint: disable=broad-except
                    status, answer = 500, {"message": repr(error)}
                if queue.closing:  # it is gone, for connections that are open, too
                    self.close_connection = True
                    return
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                self.wfile.flush()

            do_GET = do_POST = do_PUT = handle_any

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", port), Handler)
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()

    def place(self):
        return f"127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):  # a client that went away
        pass

    def close(self):
        with self.changed:
            self.closing = True
            self.changed.notify_all()
        self.shutdown()
        self.server_close()

    def put(self, *messages):
        with self.changed:
            for message in messages:
                self.ready.append(dict(message, sent=message.get("sent", time.time()), times=0))
            self.changed.notify_all()

    def left(self):
        with self.changed:
            return len(self.ready) + len(self.locked)

    def unlock_all(self):
        """As if every lock had ended."""
        with self.changed:
            self.ready.extend(message for _, message in self.locked.values())
            self.locked.clear()
            self.changed.notify_all()

    def take(self, most, seconds):
        deadline = time.monotonic() + seconds
        with self.changed:
            while not self.ready and not self.closing:
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self.changed.wait(left)
            taken = []
            while self.ready and len(taken) < most:
                message = self.ready.popleft()
                message["times"] += 1
                handle = uuid.uuid4().hex
                self.locked[handle] = [time.monotonic() + self.lock_seconds, message]
                taken.append((handle, message))
            return taken

    def remove(self, handle):
        with self.changed:
            if self.keep_deletes_from_working:
                return False
            return self.locked.pop(handle, None) is not None

    def renew(self, handle, seconds):
        with self.changed:
            if handle not in self.locked:
                return False
            if seconds == 0:
                self.ready.append(self.locked.pop(handle)[1])
                self.changed.notify_all()
            else:
                self.locked[handle][0] = time.monotonic() + seconds
            return True

    def note(self, operation, headers):
        """Counts the call; what it is to fail with, or None."""
        with self.changed:
            self.calls[operation] += 1
            self.seen.append((operation, dict(headers)))
            self.changed.notify_all()
            return self.fail_with.get(operation) or self.fail_with.get("*")

    def wait_for(self, condition, seconds=60):
        deadline = time.monotonic() + seconds
        with self.changed:
            while not condition():
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self.changed.wait(min(left, 0.05))
            return True


class Sqs(Queue):
    def url(self):
        return f"http://{self.place()}/123456789012/orders"

    def call(self, _method, _path, headers, text):
        operation = headers.get("X-Amz-Target", "").split(".")[-1]
        failure = self.note(operation, headers)
        if failure:
            return failure
        if headers.get("Content-Type") != "application/x-amz-json-1.0" or not re.match(
            r"AWS4-HMAC-SHA256 Credential=\S+, SignedHeaders=\S+, Signature=[0-9a-f]{64}$",
            headers.get("Authorization", ""),
        ):
            return 400, {"__type": "com.amazon.coral.service#MissingAuthenticationToken"}
        body = json.loads(text)
        if body.get("QueueUrl") != self.url():
            return 400, {"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "no such queue"}
        return getattr(self, "on_" + operation)(body)

    def on_ReceiveMessage(self, body):
        taken = self.take(body["MaxNumberOfMessages"], min(body["WaitTimeSeconds"], 20))
        messages = [
            {
                "MessageId": str(uuid.uuid4()),
                "ReceiptHandle": handle,
                "Body": message["body"],
                "Attributes": {
                    "SentTimestamp": str(int(message["sent"] * 1000)),
                    "ApproximateReceiveCount": str(message["times"]),
                },
            }
            for handle, message in taken
        ]
        return 200, {"Messages": messages} if messages else {}

    def each(self, body, act):
        done, failed = [], []
        for entry in body["Entries"]:
            good = act(entry)
            (done if good else failed).append(
                {"Id": entry["Id"]}
                if good
                else {
                    "Id": entry["Id"],
                    "SenderFault": True,
                    "Code": "ReceiptHandleIsInvalid",
                    "Message": "not valid any more",
                }
            )
        return 200, {"Successful": done, "Failed": failed}

    def on_DeleteMessageBatch(self, body):
        return self.each(body, lambda entry: self.remove(entry["ReceiptHandle"]))

    def on_ChangeMessageVisibilityBatch(self, body):
        return self.each(
            body, lambda entry: self.renew(entry["ReceiptHandle"], entry["VisibilityTimeout"])
        )

    def on_GetQueueAttributes(self, _body):
        with self.changed:
            return 200, {"Attributes": {"ApproximateNumberOfMessages": str(len(self.ready))}}


class PubSub(Queue):
    subscription = "projects/shop/subscriptions/helios"

    def call(self, _method, path, headers, text):
        verb = path.rsplit(":", 1)[-1]
        failure = self.note(verb, headers)
        if failure:
            return failure
        body = json.loads(text)
        if path.rsplit(":", 1)[0] != "/v1/" + self.subscription:
            return 404, {"error": {"code": 404, "status": "NOT_FOUND", "message": "no such thing"}}
        if verb == "pull":
            taken = self.take(body["maxMessages"], 2)
            return 200, {
                "receivedMessages": [
                    {"ackId": handle, "message": message["message"], "deliveryAttempt": message["times"]}
                    for handle, message in taken
                ]
            } if taken else {}
        if verb == "acknowledge":
            for handle in body["ackIds"]:
                self.remove(handle)
        if verb == "modifyAckDeadline":
            for handle in body["ackIds"]:
                self.renew(handle, body["ackDeadlineSeconds"])
        return 200, {}


class EventGrid(Queue):
    key = "a key of the namespace"
    topic, subscription = "orders", "helios"

    def call(self, _method, path, headers, text):
        match = re.fullmatch(
            r"/topics/(\w+)/eventsubscriptions/(\w+):(\w+)\?api-version=2024-06-01(.*)", path
        )
        operation = match.group(3)
        failure = self.note(operation, headers)
        if failure:
            return failure
        if headers.get("Authorization") != "SharedAccessKey " + self.key:
            return 401, {"error": {"code": "Unauthorized", "message": "the key is wrong"}}
        if match.group(1, 2) != (self.topic, self.subscription):
            return 404, {"error": {"code": "NotFound", "message": "no such subscription"}}
        if operation == "receive":
            most = int(re.search(r"maxEvents=(\d+)", match.group(4)).group(1))
            wait = int(re.search(r"maxWaitTime=(\d+)", match.group(4)).group(1))
            taken = self.take(most, wait)
            return 200, {
                "value": [
                    {
                        "brokerProperties": {"lockToken": handle, "deliveryCount": message["times"]},
                        "event": message["event"],
                    }
                    for handle, message in taken
                ]
            }
        act = {
            "acknowledge": self.remove,
            "release": lambda token: self.renew(token, 0),
            "renewLock": lambda token: self.renew(token, 60),
        }[operation]
        done, failed = [], []
        for token in json.loads(text)["lockTokens"]:
            if act(token):
                done.append(token)
            else:
                failed.append(
                    {"lockToken": token, "error": {"code": "TokenLost", "message": "too late"}}
                )
        return 200, {"succeededLockTokens": done, "failedLockTokens": failed}
