#!/usr/bin/env python3
"""/api/v1/stream as others use it: a WebSocket client that is not ours (Debian's python3-websockets) against the real binary."""
import asyncio
import json
import logging
import os
import subprocess
import sys
import unittest

from helios_process import SKIP, Server, TemporaryDirectory, binary, line

try:
    import websockets
    import websockets.exceptions
    import websockets.version
except ImportError:
    debian = (
        "/usr/bin/python3"  # the package is Debian's, the interpreter found first may be another
    )
    if (
        os.path.realpath(sys.executable) != os.path.realpath(debian)
        and subprocess.run(
            [debian, "-c", "import websockets"], stderr=subprocess.DEVNULL, check=False
        ).returncode
        == 0
    ):
        os.execv(debian, [debian, *sys.argv])
    print("skipped: there is no Python module `websockets`; apt-get install python3-websockets")
    sys.exit(SKIP)


# From 14.0 on (Debian 13 has 15) the package has another connection class under the old name, with other names on it.
NEWER = int(websockets.version.version.split(".")[0]) >= 14
Refused = websockets.exceptions.InvalidStatus if NEWER else websockets.exceptions.InvalidStatusCode


def stream(server, query="", **headers):
    more = {"additional_headers" if NEWER else "extra_headers": headers}
    return websockets.connect(
        f"ws://{server.host}:{server.port}/api/v1/stream{query}", close_timeout=2, **more
    )


def status_of(refused):
    return refused.response.status_code if NEWER else refused.status_code


def extensions_of(socket):
    return list((socket.protocol if NEWER else socket).extensions)


def order(server, key):
    """One order, all three legs agreeing: revision 1 pending, revision 2 matched."""
    lines = [
        line(
            "aws",
            "OrderPlaced",
            "o-" + key,
            orderId=key,
            customerId="C",
            totalAmount="10.00",
            currency="EUR",
        ),
        line(
            "gcp",
            "PaymentProcessed",
            "p-" + key,
            orderId=key,
            paymentId="P-" + key,
            amount="10.00",
            currency="EUR",
            status="CAPTURED",
        ),
        line(
            "azure",
            "InventoryReserved",
            "i-" + key,
            orderId=key,
            reservationId="R-" + key,
            items=[],
        ),
    ]
    answer = server.post(
        "/api/v1/events/batch",
        "\n".join(json.dumps(each) for each in lines),
        "application/x-ndjson",
    )
    assert answer.status == 200 and answer.json()["accepted"] == 3, answer


async def ingest(server, keys):
    await asyncio.get_running_loop().run_in_executor(
        None, lambda: [order(server, key) for key in keys]
    )


async def receive(socket):
    return json.loads(await asyncio.wait_for(socket.recv(), 20))


def named(messages):
    return sorted((m["key"], m["revision"], m["status"]) for m in messages)


def expected(keys):
    return sorted(
        (key, revision, status)
        for key in keys
        for revision, status in ((1, "pending"), (2, "matched"))
    )


class Stream(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.directory = TemporaryDirectory()
        self.data = self.directory.path + "/data"
        self.server = Server(self.data)

    async def asyncTearDown(self):
        self.server.kill()
        self.directory.__exit__()

    async def test_each_revision_is_what_the_api_answers(self):
        async with stream(self.server) as all_of_it, stream(
            self.server, "?key=B&status=matched&payloads=true"
        ) as filtered:
            self.assertEqual(extensions_of(all_of_it), [], "no compression")
            await ingest(self.server, ["A", "B"])
            messages = [await receive(all_of_it) for _ in range(4)]
            self.assertEqual(named(messages), expected(["A", "B"]))
            whole = await receive(filtered)
            self.server.verdict("A")  # waits until the store has it
            for key in ("A", "B"):
                listed = self.server.get(f"/api/v1/reconciliation/{key}/revisions").json()["items"]
                streamed = [
                    {k: v for k, v in m.items() if k != "position"}
                    for m in messages
                    if m["key"] == key
                ]
                self.assertEqual(streamed, listed)
            latest = self.server.verdict("B").json()
            self.assertEqual({**whole, "otherFlows": []}, {**latest, "position": whole["position"]})
            self.assertEqual(whole["events"]["payment"]["payload"]["amount"], "10.00")

    async def test_lost_connections_and_a_killed_server_cost_nothing(self):
        keys = [f"K-{n}" for n in range(150)]
        got, after = [], ""
        async with stream(self.server) as first:
            await ingest(self.server, ["start"])
            for _ in range(2):
                after = (await receive(first))["position"]
        load = asyncio.ensure_future(ingest(self.server, keys[:100]))
        while len(got) < 200:
            socket = await stream(self.server, "?after=" + after)
            for _ in range(min(37, 200 - len(got))):
                got.append(await receive(socket))
                after = got[-1]["position"]
            socket.transport.abort()  # no close frame: as a broken network does
        await load
        self.server.kill()
        self.server = Server(self.data)
        await ingest(self.server, keys[100:])
        async with stream(self.server, "?after=" + after) as socket:
            while len(got) < 300:
                got.append(await receive(socket))
        self.assertEqual(named(got), expected(keys))

    async def test_stopping_says_so(self):
        reading, silent = await stream(self.server), await stream(self.server)
        silent.transport.pause_reading()
        process = asyncio.get_running_loop().run_in_executor(None, self.server.terminate)
        with self.assertRaises(websockets.ConnectionClosed) as closed:
            await receive(reading)
        self.assertEqual(closed.exception.rcvd.code, 1001)
        self.assertEqual(await process, 0)
        silent.transport.abort()

    async def test_refusals_are_http(self):
        for query, headers, status in (
            ("?flow=", {}, 400),
            ("?after=x", {}, 400),
            ("?unknown=1", {}, 400),
            ("", {"Origin": "http://evil.example"}, 403),
        ):
            with self.assertRaises(Refused) as refused:
                await stream(self.server, query, **headers)
            self.assertEqual(status_of(refused.exception), status, query)
        answer = self.server.get("/api/v1/stream")
        self.assertEqual((answer.status, answer.headers["upgrade"]), (426, "websocket"))
        self.assertIn("hint", answer.json())

    async def test_what_is_not_for_us_to_read(self):
        for sent, code in ((b"binary", 1003), ("x" * 100_000, 1009)):
            socket = await stream(self.server)
            await socket.send("a short text is no harm")
            await socket.ping()
            await socket.send(sent)
            with self.assertRaises(websockets.ConnectionClosed):
                await receive(socket)
            self.assertEqual(socket.close_code, code)
        self.assertEqual(self.server.get("/ready").status, 200)


if __name__ == "__main__":
    binary()
    logging.getLogger("asyncio").setLevel(
        logging.ERROR
    )  # unittest's debug mode tells of every slow step
    unittest.main(argv=sys.argv[:1], verbosity=2, warnings="ignore")
