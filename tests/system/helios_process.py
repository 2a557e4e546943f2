"""The real binary as a child process, and the little HTTP that the system tests speak to it. Python's standard library only."""
import http.client
import http.server
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

SKIP = 77  # ctest: SKIP_RETURN_CODE
SETTINGS = re.compile(
    r"HELIOS_|API_HOST$|API_PORT$|DATABASE_URL$|REDIS_URL$|KAFKA_BOOTSTRAP_SERVERS$|LOG_LEVEL$|NO_COLOR$"
)


def binary():
    """The path given as the last argument; a test without a binary says so and is skipped."""
    path = os.environ.get("HELIOS_TEST_BINARY") or (sys.argv[-1] if len(sys.argv) > 1 else "")
    if not os.access(path, os.X_OK):
        print(f"skipped: no helios binary at {path!r}; build the target `helios`")
        sys.exit(SKIP)
    return os.path.abspath(path)


def environment(**more):
    """The caller's environment without anything that Helios reads, and `more`."""
    env = {k: v for k, v in os.environ.items() if not SETTINGS.match(k)}
    env.update(more)
    return env


def run(*arguments, timeout=60, env=None, stdin=b""):
    """A command of the binary that ends by itself: (exit code, stdout, stderr)."""
    done = subprocess.run(
        [binary(), *arguments],
        input=stdin,
        capture_output=True,
        timeout=timeout,
        env=env or environment(),
    )
    return (
        done.returncode,
        done.stdout.decode("utf-8", "replace"),
        done.stderr.decode("utf-8", "replace"),
    )


def start(*arguments, env=None, **popen):
    """A command of the binary that goes on, with `env` in its environment."""
    return subprocess.Popen([binary(), *arguments], env=environment(**(env or {})), **popen)


def read_terminal(master):
    """All that is written to the other end of a terminal until nobody has it open."""
    seen = b""
    while select.select([master], [], [], 120)[0]:
        try:
            seen += os.read(master, 65536)
        except OSError:  # its other end is closed
            break
    return seen


def shown(*arguments, columns=200, **env):
    """What a terminal is shown on standard error while the command runs to its end."""
    master, slave = pty.openpty()
    env = {"TERM": "xterm", "COLUMNS": str(columns), **env}
    with start(*arguments, stdout=subprocess.DEVNULL, stderr=slave, env=env) as process:
        os.close(slave)
        seen = read_terminal(master)
        process.wait(30)
    os.close(master)
    return seen.decode()


class Failure(AssertionError):
    """What a test without unittest found wrong."""


def check(condition, message):
    if not condition:
        raise Failure(message)


class TemporaryDirectory:
    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="helios-system-")

    def __enter__(self):
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


class Server:
    """`helios serve` on a free port. Ends with the test, whatever happens: by its own process id."""

    def __init__(self, data, *arguments, wait_ready=True, env=None, listen="127.0.0.1:0", **popen):
        self.data = data
        self.stderr = tempfile.TemporaryFile()
        began = time.monotonic()
        self.process = subprocess.Popen(
            [binary(), "serve", "--listen", listen, "--data", data, *arguments],
            stdout=subprocess.PIPE,
            stderr=self.stderr,
            env=env or environment(),
            **popen,
        )
        try:
            first = self.first_line(20)
            match = re.fullmatch(r"listening on http://(\[[\d:a-f]+\]|[\w.-]+):(\d+)\n", first)
            if not match:
                raise AssertionError(
                    f"the first line of stdout is {first!r}; stderr: {self.errors()}"
                )
            self.host, self.port = match.group(1).strip("[]"), int(match.group(2))
            if wait_ready:
                self.wait_ready()
        except BaseException:
            self.kill()
            raise
        self.seconds_to_ready = time.monotonic() - began

    def first_line(self, seconds):
        lines = []
        reader = threading.Thread(
            target=lambda: lines.append(self.process.stdout.readline().decode()), daemon=True
        )
        reader.start()
        reader.join(seconds)
        if not lines:
            raise AssertionError(f"no line on stdout within {seconds} s; stderr: {self.errors()}")
        return lines[0]

    def wait_ready(self, seconds=20):
        last = None
        for _ in range(int(seconds * 50)):
            if self.process.poll() is not None:
                raise AssertionError(
                    f"the server ended with {self.process.returncode}: {self.errors()}"
                )
            try:
                last = self.get("/ready")
                if last.status == 200:
                    return
            except OSError as error:
                last = error
            time.sleep(0.02)
        raise AssertionError(f"not ready after {seconds} s: {last}; {self.errors()}")

    def connection(self, timeout=30):
        host = (
            "127.0.0.1" if self.host == "localhost" else self.host
        )  # a machine without /etc/hosts has no such name
        return http.client.HTTPConnection(host, self.port, timeout=timeout)

    def request(self, method, target, body=None, headers=None, timeout=30):
        connection = self.connection(timeout)
        try:
            connection.request(method, target, body=body, headers=headers or {})
            response = connection.getresponse()
            return Answer(
                response.status,
                dict((k.lower(), v) for k, v in response.getheaders()),
                response.read(),
            )
        finally:
            connection.close()

    def get(self, target):
        return self.request("GET", target)

    def get_patiently(self, target, tries=30):
        """As a client that heeds Retry-After: a read waits for the stages for a second at most, and a slow machine may need more."""
        answer = self.get(target)
        for _ in range(tries):
            if answer.status != 503 or "retry-after" not in answer.headers:
                break
            time.sleep(float(answer.headers["retry-after"]))
            answer = self.get(target)
        return answer

    def post(self, target, body, media_type="application/json", **headers):
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        return self.request("POST", target, body, {"Content-Type": media_type, **headers})

    def ingest(self, body, **headers):
        return self.post("/api/v1/events/ingest", body, **headers)

    def quarantined(self):
        return self.get("/api/v1/dlq?limit=1000").json()["items"]

    def verdict(self, key):
        return self.get("/api/v1/reconciliation/" + urllib.parse.quote(key, safe=""))

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def stand_still(self, patience=30):
        """SIGSTOP; every thread stands when this returns, so nothing that is sent from now on is read before it goes on."""
        self.process.send_signal(signal.SIGSTOP)
        until = time.monotonic() + patience
        while True:
            states = set()
            for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
                states.add(task.joinpath("stat").read_text().rpartition(")")[2].split()[0])
            if states == {"T"}:
                return
            assert time.monotonic() < until, f"threads did not stop: {states}"
            time.sleep(0.001)

    def errors(self):
        self.stderr.seek(0)
        return self.stderr.read().decode("utf-8", "replace")[-3000:]

    def kill(self):
        """kill -9, at once."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def terminate(self, seconds=10):
        """SIGTERM; the exit code, or AssertionError when it takes longer than the contract allows."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"still running {seconds} s after SIGTERM: {self.errors()}"
            ) from None
        finally:
            self.kill()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


class Vendor(http.server.ThreadingHTTPServer):
    """Stands for a vendor's host: serves what it is given, and remembers what it was asked."""

    def __init__(self):
        self.pages, self.asked = {}, []
        vendor = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                vendor.asked.append(self.path)
                page = vendor.pages.get(self.path)
                if isinstance(page, str):  # a redirect
                    self.send_response(302)
                    self.send_header("Location", page)
                    page = None
                else:
                    self.send_response(200 if page else 404)
                self.send_header("Content-Length", str(len(page or b"")))
                self.end_headers()
                self.wfile.write(page or b"")

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()

    def place(self):
        return f"127.0.0.1:{self.server_port}"


def events_of(data):
    """Event lines of `helios log export`, and its control lines."""
    code, out, err = run("log", "export", "--data", data)
    if code != 0:
        raise AssertionError(f"log export ended with {code}: {err}")
    lines = [json.loads(line) for line in out.splitlines()]
    return [line for line in lines if "control" not in line], [
        line for line in lines if "control" in line
    ]


def line(source, event_type, event_id, **payload):
    return {"source": source, "eventType": event_type, "id": event_id, "payload": payload}


def matching_legs(key, name, total, customer):
    """The three legs of an order that agree; `name` ends their ids."""
    return [
        line(
            "aws",
            "OrderPlaced",
            f"o-{name}",
            orderId=key,
            customerId=customer,
            totalAmount=total,
            currency="USD",
            items=[{"productId": "MUG", "price": total, "qty": 1}],
        ),
        line(
            "gcp",
            "PaymentProcessed",
            f"p-{name}",
            orderId=key,
            paymentId=f"PAY-{name}",
            amount=total,
            currency="USD",
            status="CAPTURED",
        ),
        line(
            "azure",
            "InventoryReserved",
            f"i-{name}",
            orderId=key,
            reservationId=f"RSV-{name}",
            items=[{"sku": "MUG", "qty": 1}],
        ),
    ]
