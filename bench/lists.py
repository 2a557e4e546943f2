#!/usr/bin/env python3
"""What lists and figures cost on a server that holds much.

    helios serve --data DIR & helios bench --mode direct --batch 500 --rate 20000 --events 900000 --seconds 100
    bench/lists.py [URL] [--pages N]

Asks for the first page of every combination of filters, and walks three lists N pages deep. Each figure is the median of
five. One client, one connection.
"""
import argparse
import http.client
import itertools
import json
import statistics
import time
import urllib.parse

FILTERS = {
    "order_id": [None, "{key}", "nobody's"],
    "event_type": [None, "OrderPlaced", "PaymentProcessed", "NoSuchType"],
    "source": [None, "aws", "gcp", "azure"],
    "start_time": [None, "{day}T00:00:00Z"],
}
OTHERS = [
    "/api/v1/reconciliation/stats",
    "/api/v1/reconciliation/stats?start_time={day}T00:00:01Z",
    "/api/v1/reconciliation/mismatches",
    "/api/v1/reconciliation/mismatches?kind=amount",
    "/api/v1/reconciliation/mismatches?kind=skew",
    "/api/v1/dlq",
    "/api/v1/dlq?source=aws",
]
WALKED = [
    "/api/v1/events?limit=100",
    "/api/v1/reconciliation/mismatches?limit=20",
    "/api/v1/reconciliation/cases?limit=100",
]


class Server:
    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)

    def get(self, target):
        begin = time.perf_counter()
        self.connection.request("GET", target)
        response = self.connection.getresponse()
        body = response.read()
        return (time.perf_counter() - begin) * 1000, response.status, body


def first_pages(server):
    first = json.loads(server.get("/api/v1/events?limit=1")[2])["items"][0]
    words = {"key": first["orderId"], "day": first["receivedAt"][:10]}
    targets = []
    for values in itertools.product(*FILTERS.values()):
        query = {n: v.format(**words) for n, v in zip(FILTERS, values) if v is not None}
        targets.append("/api/v1/events?" + urllib.parse.urlencode(query))
    targets += [target.format(**words) for target in OTHERS]
    figures = []
    for target in targets:
        asked = [server.get(target) for _ in range(5)]
        figures.append((statistics.median(ms for ms, _, _ in asked), asked[0][1], target))
    figures.sort(reverse=True)
    print(f"first pages: {len(figures)}, median {statistics.median(f[0] for f in figures):.1f} ms; the slowest:")
    for ms, status, target in figures[:6]:
        print(f"  {ms:7.1f} ms  {status}  {target}")


def walk(server, target, pages):
    times, asked = [], target
    while asked and len(times) < pages:
        ms, status, body = server.get(asked)
        if status != 200:
            print(f"{target}: {status}")
            return
        times.append(ms)
        cursor = json.loads(body)["nextCursor"]
        asked = target + "&cursor=" + urllib.parse.quote(cursor) if cursor else None
    some = max(1, len(times) // 20)
    print(
        f"{target}: {len(times)} pages, the first {statistics.median(times[:some]):.1f} ms, "
        f"the last {statistics.median(times[-some:]):.1f} ms"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", nargs="?", default="http://127.0.0.1:8001")
    parser.add_argument("--pages", type=int, default=1000)
    options = parser.parse_args()
    server = Server(options.url)
    first_pages(server)
    for target in WALKED:
        walk(server, target, options.pages)


if __name__ == "__main__":
    main()
