"""A function that is invoked asynchronously: it tells a queue which event it was given, and fails if the event says."""

import http.client
import json
import os
import time
from urllib.parse import urlsplit


def handler(event, context):
    request = {"QueueUrl": os.environ["RESULTS"], "MessageBody": event["id"]}
    headers = {"X-Amz-Target": "AmazonSQS.SendMessage", "Content-Type": "application/x-amz-json-1.0"}
    platform = http.client.HTTPConnection(urlsplit(os.environ["AWS_ENDPOINT_URL"]).netloc, timeout=20)
    platform.request("POST", "/", json.dumps(request), headers)
    assert platform.getresponse().status == 200
    if event["kind"] == "slow":
        time.sleep(0.3)
    if event["kind"] == "failing":
        raise ValueError(event["id"])
    return event["id"]
