"""A function that takes messages from a queue and tells another queue what it was given.

The beginning of a message's body says how the function behaves: `slow` takes a while, `flaky` fails the first time,
`poison` always, `fork` leaves processes behind. On a FIFO queue what comes behind a failure in its group fails too.
"""

import http.client
import json
import os
import subprocess
import sys
import time
from urllib.parse import urlsplit

SLOW_SECONDS = float(os.environ["SLOW_SECONDS"])
MARKER = os.environ["MARKER"]

_platform = http.client.HTTPConnection(urlsplit(os.environ["AWS_ENDPOINT_URL"]).netloc, timeout=20)
_left_behind = []


def handler(event, context):
    began = time.monotonic()
    records = event["Records"]
    kinds = {record["body"].partition("-")[0] for record in records}
    if "fork" in kinds and not _left_behind:
        leave_processes_behind()
    if "slow" in kinds:
        time.sleep(SLOW_SECONDS)
    failed, failed_groups = [], set()
    messages = []
    for record in records:
        group = record["attributes"].get("MessageGroupId")
        has_failed = fails(record) or (group is not None and group in failed_groups)
        if has_failed:
            failed.append({"itemIdentifier": record["messageId"]})
            failed_groups.add(group)
        if "receiptHandle" in record:  # it comes from a queue, not from a test itself
            messages.append(told(record, has_failed))
        sys.stdout.write(f"given {record['body']}\n")
    if messages:
        tell({"environment": context.log_stream_name, "began": began, "ended": time.monotonic(), "messages": messages})
    return {"batchItemFailures": failed}


def fails(record):
    kind = record["body"].partition("-")[0]
    return kind == "poison" or (kind == "flaky" and record["attributes"]["ApproximateReceiveCount"] == "1")


def told(record, has_failed):
    attributes = record["attributes"]
    return {
        "body": record["body"],
        "count": int(attributes["ApproximateReceiveCount"]),
        "first_received_ms": int(attributes["ApproximateFirstReceiveTimestamp"]),
        "now_ms": time.time_ns() // 1_000_000,
        "has_failed": has_failed,
    }


def tell(report):
    request = {"QueueUrl": os.environ["RESULTS"], "MessageBody": json.dumps(report)}
    headers = {"X-Amz-Target": "AmazonSQS.SendMessage", "Content-Type": "application/x-amz-json-1.0"}
    _platform.request("POST", "/", json.dumps(request), headers)
    response = _platform.getresponse()
    answer = response.read()
    if response.status != 200:
        raise RuntimeError(answer)


def leave_processes_behind():
    """One in a session of its own that is nobody's child any more, one that knows the marker from its command alone."""
    child = os.fork()
    if child == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
    os.waitpid(child, 0)
    sleeps = [sys.executable, "-S", "-c", "import time; time.sleep(600)", MARKER]
    _left_behind.append(subprocess.Popen(sleeps, env={}, start_new_session=True))
