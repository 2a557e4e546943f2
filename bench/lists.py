#!/usr/bin/env python3
"""What lists and figures cost, at two sizes and at any depth: bench/lists.py BINARY [--sizes SMALL,LARGE] [--pages N] [--out NAME].

Fills one fresh server per size, with a third of the orders mismatched and one quarantined item for each nine events, and asks both,
turn about, for the first page of every combination of filters that a list allows, and for figures. Then it walks the lists of the
larger one N pages deep, and asks for the first and the last page again, turn about. One client, one connection, nothing else at the
servers. Each figure is a median.

Writes bench/results/NAME.json, and prints the slowest pages, those that grow, and what depth costs.
"""
import argparse
import contextlib
import datetime
import http.client
import itertools
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "system"))
from helios_process import Server, line, matching_legs  # noqa: E402

RESULTS = pathlib.Path(__file__).resolve().parent / "results"
BATCH = 500
RANGE = {"start_time": [None, "{from}"], "end_time": [None, "{to}"]}
KEYS = [None, "{key}", "nobody's"]
TYPES = [None, "OrderPlaced", "PaymentProcessed", "NoSuchType"]
SOURCES = [None, "aws", "gcp", "azure", "nowhere"]
KINDS = [None, "amount", "skew"]
LISTS = {
    "/api/v1/events": {"order_id": KEYS, "event_type": TYPES, "source": SOURCES, **RANGE},
    "/api/v1/reconciliation/cases": {
        "status": [None, "pending", "matched", "mismatched"],
        "kind": KINDS,
        "flow": [None, "order"],
        "by": [None, "reconciled"],
        **RANGE,
    },
    "/api/v1/reconciliation/mismatches": {
        "status": [None, "partial", "mismatched"],
        "kind": KINDS,
        "flow": [None, "order"],
        **RANGE,
    },
    "/api/v1/dlq": {
        "status": [None, "exhausted"],
        "source": [None, "gcp", "azure"],
        "event_type": [None, "PaymentProcessed", "NoSuchType"],
        "reason": [None, "missing_field", "not_json"],
        "order_id": KEYS,
        **RANGE,
    },
    "/api/v1/reconciliation/stats": {"flow": [None, "order"], **RANGE},
    "/api/v1/reconciliation/stats?bucket=30s": RANGE,
    "/api/v1/reconciliation/stats?bucket=5m": RANGE,
}
WALKED = [
    "/api/v1/events",
    "/api/v1/reconciliation/cases",
    "/api/v1/reconciliation/mismatches",
    "/api/v1/dlq",
]


class Client:
    """One connection that is kept."""

    def __init__(self, server):
        self.connection = http.client.HTTPConnection(server.host, server.port, timeout=60)

    def ask(self, target, body=None):
        """(milliseconds, the answer)"""
        headers = {"Content-Type": "application/json"} if body else {}
        for _ in range(600):
            began = time.perf_counter()
            self.connection.request("POST" if body else "GET", target, body, headers)
            answer = self.connection.getresponse()
            text = answer.read()
            took = (time.perf_counter() - began) * 1000
            if answer.status == 200:
                return took, json.loads(text)
            if not body or answer.status not in (429, 503):
                raise RuntimeError(f"{target}: {answer.status} {text[:300]}")
            time.sleep(0.1)
        raise RuntimeError(f"{target}: still {answer.status}")


def lines_of(events):
    """Of every nine events three orders, one of them mismatched, and beside them one that is quarantined."""
    for number in range(events // 3):
        legs = matching_legs(f"ORD-{number}", str(number), "12.50", f"C-{number % 1000}")
        if number % 3 == 0:
            legs[1]["payload"]["amount"] = "12.05"
            yield line("gcp", "PaymentProcessed", f"q-{number}", orderId=f"Q-{number}")
        yield from legs


def fill(client, events):
    lines = lines_of(events)
    began = time.monotonic()
    while batch := list(itertools.islice(lines, BATCH)):
        client.ask("/api/v1/events/batch", json.dumps(batch))
    orders = events // 3
    while True:  # until everything is decided, and in the store
        _, stats = client.ask("/api/v1/reconciliation/stats")
        if stats["decided"] == orders and not stats["status"]["pending"]:
            break
        if time.monotonic() - began > 3600:
            raise RuntimeError(f"after an hour {stats} of {orders} orders")
        time.sleep(1)
    last = f"Q-{(orders - 1) // 3 * 3}"
    while not client.ask(f"/api/v1/dlq?order_id={last}")[1]["items"]:
        time.sleep(1)
    print(f"filled: {events} events, {orders} orders, {(orders + 2) // 3} quarantined, in {time.monotonic() - began:.0f} s", flush=True)


def targets_of(words):
    for path, filters in LISTS.items():
        for values in itertools.product(*filters.values()):
            query = {name: value.format(**words) for name, value in zip(filters, values) if value}
            if query.get("status") == "pending" and "by" in query:
                continue  # refused: those have not been decided
            yield path + ("&" if "?" in path else "?") + urllib.parse.urlencode(query)


def in_turn(askings, times):
    """The median of each, asked one after the other."""
    took = [[] for _ in askings]
    for _ in range(times):
        for to, asking in zip(took, askings):
            to.append(asking())
    return [statistics.median(of) for of in took]


def words_of(client):
    newest = client.ask("/api/v1/events?limit=1")[1]["items"][0]
    received = datetime.datetime.fromisoformat(newest["receivedAt"])
    since = (received - datetime.timedelta(hours=2)).isoformat().replace("+00:00", "Z")
    return {"key": newest["orderId"], "from": since, "to": newest["receivedAt"]}


def first_pages(clients, times):
    """Of each target the medians, smaller size first."""
    lists = [list(targets_of(words_of(client))) for client in clients]
    pages = []
    for targets in zip(*lists):
        askings = [lambda c=c, t=t: c.ask(t)[0] for c, t in zip(clients, targets)]
        pages.append({"target": targets[-1], "ms": [round(ms, 2) for ms in in_turn(askings, times)]})
    return pages


def walk(client, path, pages, limit, times):
    """What the first and the last page of a walk cost; asked again, so that none has the walk's own cache for itself."""
    asked = first = f"{path}?limit={limit}"
    took = []
    while asked and len(took) < pages:
        ms, answer = client.ask(asked)
        took.append(ms)
        last, cursor = asked, answer["nextCursor"]
        asked = f"{first}&cursor={urllib.parse.quote(cursor)}" if cursor else None
    ends = in_turn([lambda: client.ask(first)[0], lambda: client.ask(last)[0]], times)
    some = max(1, len(took) // 20)
    return {
        "list": path,
        "limit": limit,
        "pages": len(took),
        "firstMs": round(ends[0], 2),
        "lastMs": round(ends[1], 2),
        "ratio": round(ends[1] / ends[0], 2),
        "firstPagesMs": round(statistics.median(took[:some]), 2),
        "lastPagesMs": round(statistics.median(took[-some:]), 2),
    }


def summary(pages, sizes):
    """Per list, and the pages that grow most."""
    lists = {}
    for path in LISTS:
        of = [page for page in pages if page["target"].startswith(path + ("&" if "?" in path else "?"))]
        if "?" not in path:
            of = [page for page in of if "bucket=" not in page["target"]]
        each = [[page["ms"][index] for page in of] for index in range(len(sizes))]
        lists[path] = {
            "combinations": len(of),
            "medianMs": [round(statistics.median(ms), 2) for ms in each],
            "slowestMs": [max(ms) for ms in each],
            "slowest": max(of, key=lambda page: page["ms"][-1])["target"],
        }
    grown = sorted(pages, key=lambda page: page["ms"][0] / page["ms"][-1])
    return {"lists": lists, "growMost": grown[:10]}


def tell(result):
    for path, of in result["firstPages"]["lists"].items():
        print(f"{path}: {of['combinations']} first pages, medians {of['medianMs']} ms, slowest {of['slowestMs']} ms")
    for page in result["firstPages"]["growMost"][:3]:
        print(f"  {page['ms'][-1] / page['ms'][0]:.2f} times: {page['ms']} ms  {page['target']}")
    for depth in result["walks"]:
        print(f"{depth['list']}: page 1 {depth['firstMs']} ms, page {depth['pages']} {depth['lastMs']} ms, {depth['ratio']} times")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("binary")
    parser.add_argument("--sizes", default="90000,900000", help="events; the smaller first")
    parser.add_argument("--pages", type=int, default=10_000)
    parser.add_argument("--limit", type=int, default=10, help="items per page of a walk")
    parser.add_argument("--times", type=int, default=7, help="how often each page is asked for")
    parser.add_argument("--out", default="answers")
    options = parser.parse_args()
    os.environ["HELIOS_TEST_BINARY"] = os.path.abspath(options.binary)
    sizes = [int(size) for size in options.sizes.split(",")]
    with contextlib.ExitStack() as stack:
        data = stack.enter_context(tempfile.TemporaryDirectory(prefix="helios-lists-"))
        servers = [stack.enter_context(Server(f"{data}/{size}", "--log-level", "warn")) for size in sizes]
        clients = [Client(server) for server in servers]
        for client, size in zip(clients, sizes):
            fill(client, size)
        result = {
            "what": "bench/lists.py",
            "sizes": sizes,
            "firstPages": summary(first_pages(clients, options.times), sizes),
            "walks": [
                walk(clients[-1], path, options.pages, options.limit, options.times) for path in WALKED
            ],
        }
    tell(result)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{options.out}.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
