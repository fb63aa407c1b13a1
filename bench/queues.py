"""SQS under load."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator

from floors import interpreter_start_seconds
from load import Step, sqs_request
from processes import Server, first_answer_seconds, free_port
from rows import BODY, Bench, Row, create_queue


class Queues:
    """The rows about queues."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.server, self.measure, self.row, self.folder = bench.server, bench.measure, bench.row, bench.folder

    def send_open(self) -> Iterator[Row]:
        for server in self.server():
            url = create_queue(server.url, "bench")
            request = sqs_request(server.url, "SendMessage", {"QueueUrl": url, "MessageBody": BODY})
            measured = self.measure(server, lambda n, body: request)
        yield self.row("SendMessage, open", "16,000", measured, "echo", "/s")

    def send_enforce(self) -> Iterator[Row]:
        for server in self.server("--auth", "enforce"):
            key = server.root_key()
            url = create_queue(server.url, "bench", key=key)
            request = sqs_request(server.url, "SendMessage", {"QueueUrl": url, "MessageBody": BODY}, key)
            measured = self.measure(server, lambda n, body: request)
        yield self.row("SendMessage, enforce", "14,000", measured, "echo", "/s")

    def send_batch(self) -> Iterator[Row]:
        for server in self.server():
            url = create_queue(server.url, "bench")
            request = batch_request(server.url, url)
            measured = self.measure(server, lambda n, body: request)
        yield self.row("SendMessageBatch of 10", "60,000", measured, "commit-64", "messages/s", 10)

    def cycle(self) -> Iterator[Row]:
        for server in self.server():
            measured = self.measure(server, cycle_step(server.url, create_queue(server.url, "bench")))
        yield self.row("send + receive + delete", "6,000", measured, "echo", "cycles/s", 1 / 3)

    def send_to_full(self) -> Iterator[Row]:
        for server in self.server():
            idle_mb = server.memory_mb()
            url = create_queue(server.url, "bench")
            request = sqs_request(server.url, "SendMessage", {"QueueUrl": url, "MessageBody": BODY})
            empty, _ = self.measure(server, lambda n, body: request)
            batch = batch_request(server.url, url)
            self.measure(server, lambda n, body: batch, seconds=300, requests=100_000)
            full = self.measure(server, lambda n, body: request)
            full_mb = server.memory_mb()
            ratio = full[0].per_second / empty.per_second
            yield self.row(f"SendMessage, 1,000,000 waiting ({ratio:.2f} × empty)", "0.8 ×", full, "echo", "/s")
            yield Row("memory idle", f"{idle_mb:.0f} MB", "80 MB")
            yield Row("memory with 1,000,000 waiting", f"{full_mb:.0f} MB", "200 MB")

    def fifo_groups(self) -> Iterator[Row]:
        for server in self.server():
            fifo = {"FifoQueue": "true", "DeduplicationScope": "messageGroup"}
            url = create_queue(server.url, "bench.fifo", fifo)
            counter = iter(range(10**9))

            def fill(number: int, body: bytes | None) -> bytes:
                groups = [next(counter) for _ in range(10)]
                return batch_request(server.url, url, groups)

            self.measure(server, fill, seconds=300, requests=10_000)
            receive = sqs_request(
                server.url, "ReceiveMessage", {"QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 3600}
            )
            measured = self.measure(server, lambda n, body: receive, requests=8_000)
        yield self.row("FIFO receive, 100,000 groups, by 10", "5,000", measured, "commit-64", "messages/s", 10)

    def start(self) -> Iterator[Row]:
        durations = []
        for run in range(6):
            port = free_port()
            folder = self.folder / f"start-{run}"
            command = [sys.executable, "-m", "cumulet", "start", "--port", str(port), "--data", str(folder)]
            health = f"http://127.0.0.1:{port}/_cumulet/health"
            durations.append(first_answer_seconds(command, health, compiled=self.folder / "compiled"))
        del durations[0]  # it has compiled the modules, as an installation does
        floor = statistics.median(interpreter_start_seconds())
        yield Row(
            "start to first answer",
            f"{statistics.median(durations):.2f} s",
            "0.5 s",
            p99=f"{max(durations):.2f} s",
            floor=f"{floor:.3f} s interpreter",
        )

    def peer(self, name: str, url: str) -> Iterator[Row]:
        """Put the same load on another system."""
        server = Server(url)
        queue = create_queue(url, f"bench-{int(time.time())}")
        request = sqs_request(url, "SendMessage", {"QueueUrl": queue, "MessageBody": BODY})
        yield self.row(f"{name}: SendMessage", "", self.measure(server, lambda n, body: request), "", "/s")
        batch = batch_request(url, queue)
        yield self.row(
            f"{name}: SendMessageBatch of 10", "", self.measure(server, lambda n, body: batch), "", "messages/s", 10
        )
        step = cycle_step(url, create_queue(url, f"bench-cycle-{int(time.time())}"))
        yield self.row(f"{name}: send + receive + delete", "", self.measure(server, step), "", "cycles/s", 1 / 3)


def batch_request(server_url: str, queue_url: str, groups: list[int] | None = None) -> bytes:
    """Return the bytes of a SendMessageBatch of ten."""
    entries = [
        {"Id": str(i), "MessageBody": BODY}
        | ({"MessageGroupId": f"g{groups[i]}", "MessageDeduplicationId": str(groups[i])} if groups else {})
        for i in range(10)
    ]
    return sqs_request(server_url, "SendMessageBatch", {"QueueUrl": queue_url, "Entries": entries})


def cycle_step(server_url: str, queue_url: str) -> Step:
    """Return the step that sends, receives and deletes one message over and over."""
    send = sqs_request(server_url, "SendMessage", {"QueueUrl": queue_url, "MessageBody": BODY})
    receive = sqs_request(server_url, "ReceiveMessage", {"QueueUrl": queue_url})
    marker = b'"ReceiptHandle":"'
    states: dict[int, int] = {}
    handle_length = 0
    delete_template = b""

    def step(number: int, body: bytes | None) -> bytes:
        nonlocal handle_length, delete_template
        state = states[number] = (states.get(number, -1) + 1) % 3
        if state == 0:
            return send
        if state == 1:
            return receive
        start = (body or b"").find(marker)
        if start < 0:
            states[number] = 1
            return receive
        handle = (body or b"")[start + len(marker) :].split(b'"', 1)[0]
        if len(handle) != handle_length:
            handle_length = len(handle)
            members = {"QueueUrl": queue_url, "ReceiptHandle": "@" * handle_length}
            delete_template = sqs_request(server_url, "DeleteMessage", members)
        return delete_template.replace(b"@" * handle_length, handle)

    return step
