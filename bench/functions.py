"""Functions under load: invoked by clients, and by what arrives in a queue."""

from __future__ import annotations

import base64
import io
import json
import re
import statistics
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.request import Request, urlopen

import psutil

from floors import runtime_start_seconds
from load import address, sqs_request
from processes import Server
from rows import BODY, Bench, Row, create_queue

TRIVIAL = "def handler(event, context):\n    return event\n"
CLOCK = "import time\n\n\ndef handler(event, context):\n    return time.time()\n"
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
SLEEP_SECONDS = 20
SLEEPER = f"""
import time
import uuid

OWN = str(uuid.uuid4())

def handler(event, context):
    time.sleep({SLEEP_SECONDS})
    return OWN
"""
ENVIRONMENTS = 200
COLD_STARTS = 31
PAUSE_SECONDS = 0.1
"""Between cold starts, one of which is measured at a time: the boxes that are kept ready are made again meanwhile."""
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
        yield self.bench.row("Invoke, warm, 1 client", "p50 1.5 ms", one, "echo", "/s")
        yield self.bench.row("Invoke, warm, 16 clients", "4,000", many, "echo", "/s")

    def accept(self) -> Iterator[Row]:
        for server in self.bench.server(is_pinned=False):
            create_function(server.url, "trivial", TRIVIAL)
            limit = {"ReservedConcurrentExecutions": 1}
            call(server.url, "/2017-10-31/functions/trivial/concurrency", limit, method="PUT")
            request = invoke_request(server.url, "trivial", "X-Amz-Invocation-Type: Event")
            accepted = self.bench.measure(server, lambda n, body: request, connections=64)
        what = "Invoke, Event, accepted while one environment works them off"
        yield self.bench.row(what, "8,000", accepted, "commit-64", "/s")

    def cold_start(self) -> Iterator[Row]:
        until_handler, inits = [], []
        for server in self.bench.server(is_pinned=False):
            for number in range(COLD_STARTS):
                create_function(server.url, f"cold-{number}", CLOCK)
                time.sleep(PAUSE_SECONDS)
                started = time.time()
                path = f"/2015-03-31/functions/cold-{number}/invocations"
                answer, headers = call(server.url, path, {}, {"X-Amz-Log-Type": "Tail"})
                until_handler.append((float(answer) - started) * 1000)
                log = base64.b64decode(headers["X-Amz-Log-Result"]).decode()
                inits.append(float(REPORTED_INIT.findall(log)[0]))
        floor = statistics.median(runtime_start_seconds()) * 1000
        # The first one also starts what all others are started by.
        yield Row(
            f"cold start, from the request to the handler, init {statistics.median(inits[1:]):.0f} ms of it",
            f"{statistics.median(until_handler[1:]):.0f} ms",
            "8 ms",
            f"{statistics.median(until_handler[1:]):.1f} ms",
            f"{max(until_handler[1:]):.1f} ms",
            floor=f"{floor:.0f} ms python -m awslambdaric",
        )

    def queue_to_function(self) -> Iterator[Row]:
        for server in self.bench.server(is_pinned=False):
            source = create_queue(server.url, "in", {"VisibilityTimeout": "120"})
            create_function(server.url, "worker", TRIVIAL)
            yield self._processed(server, source, "worker", "queue → function", "8,000", lambda: left(server, source))

    def queue_to_queue(self) -> Iterator[Row]:
        for server in self.bench.server(is_pinned=False):
            source, results = (create_queue(server.url, name, {"VisibilityTimeout": "120"}) for name in ("in", "out"))
            create_function(server.url, "worker", FORWARD, {"RESULTS": results})
            yield self._processed(
                server,
                source,
                "worker",
                "queue → function → queue",
                "3,000",
                lambda: MESSAGES - left(server, results),
            )

    def environments(self) -> Iterator[Row]:
        for server in self.bench.server("--durability", "relaxed", is_pinned=False):
            create_function(server.url, "sleeper", SLEEPER)
            before = psutil.virtual_memory().available
            with ThreadPoolExecutor(ENVIRONMENTS) as pool:
                path = "/2015-03-31/functions/sleeper/invocations"
                answers = [pool.submit(call, server.url, path, {}) for _ in range(ENVIRONMENTS)]
                time.sleep(SLEEP_SECONDS * 0.8)
                used_mb = (before - psutil.virtual_memory().available) / 1e6
                served = {answer.result()[0] for answer in answers}
        yield Row(
            f"{len(served)} environments at once",
            f"{used_mb / 1000:.1f} GB together",
            f"{ENVIRONMENTS} in 24 GiB",
            p50=f"{used_mb / max(1, len(served)):.0f} MB each",
        )

    def _processed(
        self, server: Server, source: str, function: str, what: str, wanted: str, remaining: Callable[[], int]
    ) -> Row:
        """Fill a queue, map it to a function, and measure until nothing remains."""
        entries = [{"Id": str(number), "MessageBody": BODY} for number in range(10)]
        fill = sqs_request(server.url, "SendMessageBatch", {"QueueUrl": source, "Entries": entries})
        self.bench.measure(server, lambda n, body: fill, seconds=60, requests=MESSAGES // 10)
        mapping = {
            "EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:in",
            "FunctionName": function,
            "BatchSize": 10,
            "ScalingConfig": {"MaximumConcurrency": AT_A_TIME},
        }
        before, started = server.cpu_seconds(), time.perf_counter()
        call(server.url, "/2015-03-31/event-source-mappings", mapping)
        while (remains := remaining()) > 0 and time.perf_counter() - started < 120:
            time.sleep(0.05)
        seconds, done = time.perf_counter() - started, MESSAGES - remains
        cpu_us = (server.cpu_seconds() - before) / max(1, done) * 1e6
        return Row(
            f"{what}, by 10, {AT_A_TIME} at a time, {done:,} messages",
            f"{done / seconds:,.0f} messages/s",
            wanted,
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
            "Timeout": 60,
            "MemorySize": 256,
            "Code": {"ZipFile": base64.b64encode(archive.getvalue()).decode()},
            "Environment": {"Variables": variables or {}},
        },
    )


def invoke_request(url: str, name: str, *headers: str) -> bytes:
    """Return the bytes of an Invoke; in open mode the signature says no more than account and region."""
    host, port = address(url)
    credential = "Credential=000000000000/20260101/us-east-1/lambda/aws4_request"
    lines = (
        f"POST /2015-03-31/functions/{name}/invocations HTTP/1.1",
        f"Host: {host}:{port}",
        f"Authorization: AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature={'0' * 64}",
        f"Content-Length: {len(EVENT)}",
        *headers,
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + EVENT


def call(
    url: str, path: str, members: dict[str, Any], headers: dict[str, str] | None = None, *, method: str = "POST"
) -> tuple[bytes, Any]:
    """Send a request to the Lambda API; return the answer's body and headers."""
    request = Request(url + path, data=json.dumps(members).encode(), headers=headers or {}, method=method)
    with urlopen(request, timeout=60) as answer:
        return answer.read(), answer.headers


def left(server: Server, queue_url: str) -> int:
    """Return how many messages a queue has, in flight or not."""
    return sum(counts(server, queue_url))


def counts(server: Server, queue_url: str) -> list[int]:
    """Return how many messages of a queue wait, and how many are in flight."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    members = {"QueueUrl": queue_url, "AttributeNames": names}
    head, body = sqs_request(server.url, "GetQueueAttributes", members).split(b"\r\n\r\n", 1)
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    with urlopen(Request(server.url, data=body, headers=headers, method="POST"), timeout=20) as answer:
        attributes = json.load(answer)["Attributes"]
    return [int(attributes[name]) for name in names]
