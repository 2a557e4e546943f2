#!/usr/bin/env python3
"""SQS as moto has it, with Amazon's own client as the sender, against the real binary.

moto brings a hundred packages, too many to be fetched for one test: without them it says so and is skipped.
"""
import json
import logging
import os
import sys
import unittest

from helios_process import SKIP, binary
from pulling import Pulling, eventbridge, eventually

try:
    import boto3
    from moto.server import ThreadedMotoServer
except ImportError as missing:
    print(f"skipped: boto3 and moto[server] are not installed ({missing})")
    sys.exit(SKIP)


class Moto(Pulling):
    def test_amazons_own_client_as_the_sender(self):
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        moto.start()
        self.addCleanup(moto.stop)
        host, port = moto.get_host_and_port()
        place = f"{host}:{port}"
        sqs = boto3.client(
            "sqs",
            region_name="eu-central-1",
            endpoint_url="http://" + place,
            aws_access_key_id="id",
            aws_secret_access_key="secret",
        )
        url = sqs.create_queue(QueueName="orders")["QueueUrl"]
        for first in range(0, 50, 10):
            sqs.send_message_batch(
                QueueUrl=url,
                Entries=[
                    {"Id": str(n), "MessageBody": json.dumps(eventbridge(f"e-{n}", f"O-{n}"))}
                    for n in range(first, first + 10)
                ],
            )
        server = self.serve(
            hosts=place,
            HELIOS_SOURCES_AWS_PULL_KIND="sqs",
            HELIOS_SOURCES_AWS_PULL_QUEUE_URL=url,
            HELIOS_SOURCES_AWS_PULL_ENDPOINT="http://" + place,
            HELIOS_SOURCES_AWS_PULL_REGION="eu-central-1",
            AWS_ACCESS_KEY_ID="id",
            AWS_SECRET_ACCESS_KEY="secret",
        )
        self.counted(server, "aws", accepted=50)  # moto may give one to two receivers

        def left():
            names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
            said = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            return [said[name] for name in names]

        self.assertTrue(eventually(lambda: left() == ["0", "0"]), left())


if __name__ == "__main__":
    os.environ["HELIOS_TEST_BINARY"] = binary()
    unittest.main(argv=sys.argv[:1], verbosity=2)
