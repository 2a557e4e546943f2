#!/usr/bin/env python3
"""docs/payment-statuses.md row by row through the shipped order flow, by the real binary: arguments are that file and the binary."""
import json
import os
import re
import sys
import unittest

from helios_process import TemporaryDirectory, run

ROW = re.compile(r"^\| (\w+) \| `([^`]+)` \| (counts|does not count|unknown) \|$", re.M)
EXPECT = {
    "counts": ["expect A1 matched findings=0"],
    "does not count": [
        "expect A1 pending",
        "advance 61s",
        "expect A1 partial missing=payment",
        "expect A1 finding missing leg=payment",
    ],
    "unknown": [
        "expect A1 mismatched findings=1",
        "expect A1 finding data leg=payment severity=error",
    ],
}


def script(rows):
    lines = []
    for provider, status, kind in rows:
        payment = {"orderId": "A1", "paymentId": "P1", "amount": 5, "status": status}
        lines += [
            f"case {provider} {status}",
            'at 12:00:00 aws OrderPlaced {"orderId":"A1","customerId":"C1","total":5}',
            'at 12:00:01 azure InventoryReserved {"orderId":"A1"}',
            f"at 12:00:02 gcp PaymentProcessed {json.dumps(payment)}",
            *EXPECT[kind],
        ]
    return "\n".join(lines) + "\n"


class Statuses(unittest.TestCase):
    def setUp(self):
        with open(TABLE, encoding="utf-8") as file:
            self.text = file.read()
        self.rows = ROW.findall(self.text)
        self.directory = TemporaryDirectory()
        self.addCleanup(self.directory.__exit__)

    def judge(self, rows):
        path = os.path.join(self.directory.path, "statuses.case")
        with open(path, "w", encoding="utf-8") as file:
            file.write(script(rows))
        return run("flow", "test", path)

    def test_each_row_is_what_the_flow_makes_of_it(self):
        self.assertEqual(
            {row[0] for row in self.rows}, {"Stripe", "Adyen", "PayPal", "Braintree", "Worldpay"}
        )
        self.assertEqual(
            len(self.rows), self.text.count("\n| ") - 1, "every row but the head is understood"
        )
        done = self.judge(self.rows)
        self.assertEqual(done[0], 0, done[1][:2000])

    def test_a_wrong_row_would_be_seen(self):
        for provider, status, kind in (
            ("Stripe", "canceled", "counts"),
            ("Adyen", "Settled", "unknown"),
            ("PayPal", "CREATED", "does not count"),
        ):
            self.assertEqual(self.judge([(provider, status, kind)])[0], 1)


if __name__ == "__main__":
    TABLE = sys.argv.pop(1)
    unittest.main(argv=sys.argv[:1])
