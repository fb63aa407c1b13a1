"""Functions under load: invoked by clients, and by what arrives in a queue."""

from __future__ import annotations

import base64
import io
import json
import re
import statistics
import time
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

from floors import runtime_start_seconds
from load import address, sqs_request
from processes import Server
from rows import BODY, Bench, Row, create_queue

TRIVIAL = "def handler(event, context):\n    return event\n"
FORWARD = """
import os
import boto3

sqs = boto3.client("sqs")

def handler(event, context):
    entries = [{"Id": str(n), "MessageBody": record["body"]} for n, record in enumerate(event["Records"])]
    sqs.send_message_batch(QueueUrl=os.environ["RESULTS"], Entries=entries)
"""
EVENT = b'{"key": "value"}'
MESSAGES = 20_000
COLD_STARTS = 15
AT_A_TIME = 4
"""More environments than this only take the cores from each other: a start costs what 100 batches cost."""
REPORTED_INIT = re.compile(r"Init Duration: ([0-9.]+) ms")


class Functions:
    """The rows about functions. All processes share both cores."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    def invoke(self) -> Iterator[Row]:
        for server in self.bench.server(is_pinned=False):
            create_function(server.url, "trivial", TRIVIAL)
            request = invoke_request(server.url, "trivial")
            self.bench.measure(server, lambda n, body: request, seconds=1, connections=16)
            one = self.bench.measure(server, lambda n, body: request, connections=1)
            many = self.bench.measure(server, lambda n, body: request, connections=16)
        yield self.bench.row("Invoke, warm, 1 client", "p50 2 ms", one, "echo", "/s")
        yield self.bench.row("Invoke, warm, 16 clients", "3,000", many, "echo", "/s")

    def cold_start(self) -> Iterator[Row]:
        durations, inits = [], []
        for server in self.bench.server(is_pinned=False):
            for number in range(COLD_STARTS):
                create_function(server.url, f"cold-{number}", TRIVIAL)
                started = time.perf_counter()
                path = f"/2015-03-31/functions/cold-{number}/invocations"
                _, headers = call(server.url, path, {}, {"X-Amz-Log-Type": "Tail"})
                durations.append((time.perf_counter() - started) * 1000)
                log = base64.b64decode(headers["X-Amz-Log-Result"]).decode()
                inits.append(float(REPORTED_INIT.findall(log)[0]))
        floor = statistics.median(runtime_start_seconds()) * 1000
        # The first one also starts what all others are started by.
        yield Row(
            f"cold start, init {statistics.median(inits[1:]):.0f} ms of it",
            f"{statistics.median(durations[1:]):.0f} ms",
            "60 ms",
            f"{statistics.median(durations[1:]):.1f} ms",
            f"{max(durations[1:]):.1f} ms",
            floor=f"{floor:.0f} ms python -m awslambdaric",
        )

    def queue_to_queue(self) -> Iterator[Row]:
        for server in self.bench.server(is_pinned=False):
            source, results = (create_queue(server.url, name, {"VisibilityTimeout": "120"}) for name in ("in", "out"))
            create_function(server.url, "forward", FORWARD, {"RESULTS": results})
            entries = [{"Id": str(number), "MessageBody": BODY} for number in range(10)]
            fill = sqs_request(server.url, "SendMessageBatch", {"QueueUrl": source, "Entries": entries})
            self.bench.measure(server, lambda n, body: fill, seconds=60, requests=MESSAGES // 10)
            arn = "arn:aws:sqs:us-east-1:000000000000:in"
            before, started = server.cpu_seconds(), time.perf_counter()
            call(
                server.url,
                "/2015-03-31/event-source-mappings",
                {
                    "EventSourceArn": arn,
                    "FunctionName": "forward",
                    "BatchSize": 10,
                    "ScalingConfig": {"MaximumConcurrency": AT_A_TIME},
                },
            )
            while (done := count(server, results)) < MESSAGES and time.perf_counter() - started < 120:
                time.sleep(0.05)
            seconds = time.perf_counter() - started
            cpu_us = (server.cpu_seconds() - before) / max(1, done) * 1e6
        yield Row(
            f"queue → function → queue, by 10, {AT_A_TIME} at a time, {done:,} messages",
            f"{done / seconds:,.0f} messages/s",
            "3,000",
            cpu=f"{cpu_us:.0f} µs",
            floor=self.bench.floors.get("commit-1", ""),
        )


def create_function(url: str, name: str, source: str, variables: dict[str, str] | None = None) -> None:
    """Create a Python function."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("app.py", source)
    call(
        url,
        "/2015-03-31/functions",
        {
            "FunctionName": name,
            "Runtime": "python3.11",
            "Handler": "app.handler",
            "Role": "arn:aws:iam::000000000000:role/bench",
            "Timeout": 30,
            "MemorySize": 256,
            "Code": {"ZipFile": base64.b64encode(archive.getvalue()).decode()},
            "Environment": {"Variables": variables or {}},
        },
    )


def invoke_request(url: str, name: str) -> bytes:
    """Return the bytes of an Invoke; in open mode the signature says no more than account and region."""
    host, port = address(url)
    credential = "Credential=000000000000/20260101/us-east-1/lambda/aws4_request"
    lines = (
        f"POST /2015-03-31/functions/{name}/invocations HTTP/1.1",
        f"Host: {host}:{port}",
        f"Authorization: AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0",
        f"Content-Length: {len(EVENT)}",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + EVENT


def call(url: str, path: str, members: dict[str, Any], headers: dict[str, str] | None = None) -> tuple[bytes, Any]:
    """Post to the Lambda API; return the answer's body and headers."""
    request = Request(url + path, data=json.dumps(members).encode(), headers=headers or {}, method="POST")
    with urlopen(request, timeout=60) as answer:
        return answer.read(), answer.headers


def count(server: Server, queue_url: str) -> int:
    """Return how many messages wait in a queue."""
    name = "ApproximateNumberOfMessages"
    members = {"QueueUrl": queue_url, "AttributeNames": [name]}
    head, body = sqs_request(server.url, "GetQueueAttributes", members).split(b"\r\n\r\n", 1)
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    with urlopen(Request(server.url, data=body, headers=headers, method="POST"), timeout=20) as answer:
        return int(json.load(answer)["Attributes"][name])
