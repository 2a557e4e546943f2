#!/usr/bin/env python3
"""A server that was killed with a backlog tells nothing by halves: until /ready is first 200 what is derived answers 503, and from
the first 200 on everything that was acknowledged is there."""
import json
import shutil
import sys

from helios_process import Failure, Server, TemporaryDirectory, check, line, run

ORDERS = 12_000
BATCH = 300

DERIVED = [
    "/api/v1/reconciliation/stats",
    "/api/v1/reconciliation/mismatches",
    "/api/v1/events",
    "/api/v1/dlq",
    "/api/v1/flows",
    "/api/v1/counts",
    "/api/v1/reconciliation/B-1",
    "/api/v1/reconciliation/B-1/revisions",
    "/api/v1/cases/order/B-1",
    "/api/v1/cases/order?key=B-1",
    "/api/v1/orders/B-1/explain",
    "/api/v1/events/o-1",
    "/api/v1/dlq/none",
]
ALWAYS = ["/health", "/api/v1/health", "/metrics", "/favicon.ico", "/openapi.json", "/"]
STREAM = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


def legs(n):
    key = f"B-{n}"
    return [
        line(
            "aws",
            "OrderPlaced",
            f"o-{n}",
            orderId=key,
            customerId="C",
            totalAmount="2.00",
            currency="EUR",
        ),
        line(
            "gcp",
            "PaymentProcessed",
            f"p-{n}",
            orderId=key,
            paymentId=f"P-{n}",
            amount="2.00",
            currency="EUR",
            status="CAPTURED",
        ),
        line("azure", "InventoryReserved", f"i-{n}", orderId=key, reservationId=f"R-{n}", items=[]),
    ]


def send_all(server):
    """Everything is acknowledged; the stages are still at work when the last answer comes."""
    connection = server.connection()
    for first in range(0, ORDERS, BATCH):
        body = json.dumps([leg for n in range(first, first + BATCH) for leg in legs(n)])
        connection.request(
            "POST", "/api/v1/events/batch", body=body, headers={"Content-Type": "application/json"}
        )
        response = connection.getresponse()
        answer = json.loads(response.read())
        check(
            response.status == 200 and answer["accepted"] == 3 * BATCH,
            f"the batch was answered {response.status}: {answer}"[:300],
        )
    connection.close()


def check_held_back(server, path, headers=None):
    """Judged only when the server was not ready before and after the question."""
    before = server.get("/ready")
    answer = server.request("GET", path, headers=headers)
    after = server.get("/ready")
    if before.status == 200 or after.status == 200:
        return False
    check(answer.status == 503, f"{path} while not ready: {answer}")
    check(answer.headers.get("retry-after") == "1", f"{path}: no Retry-After: {answer.headers}")
    check(answer.headers["content-type"] == "application/problem+json", f"{path}: {answer.headers}")
    problem = answer.json()
    check(
        problem["detail"] and problem["hint"] and "1970" not in answer.body.decode(),
        f"{path}: {problem}",
    )
    return True


def main():
    with TemporaryDirectory() as directory:
        data = directory + "/data"
        with Server(data) as server:
            send_all(server)
            server.kill()
        # Whatever the stages had done by then: the store has all of it still before it.
        shutil.rmtree(data + "/store")
        held = {}
        with Server(data, wait_ready=False) as server:
            check(
                server.get("/ready").status == 503,
                "the server was ready at once: the test needs more orders",
            )
            told = run("explain", "B-1", "--to", f"http://{server.host}:{server.port}")
            if server.get("/ready").status != 200:
                check(
                    told[0] == 2 and "catch" in told[2] + "taking in",
                    f"explain while not ready: {told}",
                )
            while server.get("/ready").status != 200:
                for path in DERIVED:
                    held[path] = held.get(path, 0) + check_held_back(server, path)
                held["stream"] = held.get("stream", 0) + check_held_back(
                    server, "/api/v1/stream", STREAM
                )
                for path in ALWAYS:
                    check(
                        server.get(path).status == 200,
                        f"{path} answers while the server catches up",
                    )
            # Not one question later: the first 200 promised it.
            stats = server.get("/api/v1/reconciliation/stats").json()
            check(
                stats["status"]["matched"] == ORDERS and stats["decided"] == ORDERS,
                f"ready, and the figures are {stats}",
            )
            check(stats["asOf"], f"figures say how old they are: {stats}")
            check(
                server.get("/api/v1/reconciliation/B-7/revisions").json()["items"][-1]["status"]
                == "matched",
                "a decided case is told as decided",
            )
            check(server.terminate() == 0, "SIGTERM ends with 0")
    check(
        held and all(count > 0 for count in held.values()),
        f"each was asked while the server was not ready: {held}",
    )
    print(f"{ORDERS} orders, killed; held back until ready: {held}")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        print(f"FAILED: {failure}")
        sys.exit(1)
