"""`make bench`: one table of what Cumulet does, each row beside the floor measured in the same run.

The server has one core, the load another. `--only WORD` picks rows; `--peer NAME=URL` puts the same load on another
system that speaks SQS's JSON protocol and runs already on this machine.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

import uvloop
from rich.console import Console
from rich.table import Table

from floors import echo_command, group_commit, interpreter_start_seconds
from load import Result, Step, run_load, sqs_request
from processes import CLIENT_CORE, Server, cumulet, first_answer_seconds, pin_to, running

BODY = "x" * 1024
READY = r"ready at (http://\S+)"
CONNECTIONS = 64


@dataclass
class Row:
    """One line of the table."""

    what: str
    value: str
    wanted: str = ""
    p50: str = ""
    p99: str = ""
    cpu: str = ""
    floor: str = ""


class Bench:
    """The rows, and the folder that they work in."""

    def __init__(self, folder: Path, seconds: float, peer: tuple[str, str] | None) -> None:
        self.folder, self.seconds, self.peer = folder, seconds, peer
        self.count = 0
        self.floors: dict[str, str] = {}

    # -- servers

    def server(self, *options: str) -> Iterator[Server]:
        self.count += 1
        folder = self.folder / f"data-{self.count}"
        with running(cumulet(folder, *options), READY, folder) as server:
            yield server
        shutil.rmtree(folder)

    def measure(
        self, server: Server, step: Step, *, seconds: float | None = None, requests: int = 10**9
    ) -> tuple[Result, float]:
        before = server.cpu_seconds()
        result = uvloop.run(
            run_load(server.url, step, connections=CONNECTIONS, seconds=seconds or self.seconds, requests=requests)
        )
        cpu_us = (server.cpu_seconds() - before) / max(1, len(result.latencies)) * 1e6
        if result.errors:
            print(f"{result.errors} errors, the first:\n{result.first_error.decode()}", file=sys.stderr)
        return result, cpu_us

    def row(
        self, what: str, wanted: str, measured: tuple[Result, float], floor: str, unit: str, each: float = 1
    ) -> Row:
        result, cpu_us = measured
        return Row(
            what,
            f"{result.per_second * each:,.0f} {unit}",
            wanted,
            f"{result.percentile_ms(50):.2f} ms",
            f"{result.percentile_ms(99):.2f} ms",
            f"{cpu_us:.0f} µs" if cpu_us else "",
            self.floors.get(floor, ""),
        )

    # -- floors

    def measure_floors(self) -> Iterator[Row]:
        with running(echo_command(), READY) as server:
            request = sqs_request(server.url, "SendMessage", {"QueueUrl": "/0/q", "MessageBody": BODY})
            result, cpu_us = self.measure(server, lambda n, body: request)
        self.floors["echo"] = f"{result.per_second:,.0f} echo/s"
        yield self.row("floor: bare ASGI echo", "", (result, cpu_us), "", "requests/s")
        for batch in (1, 16, 64):
            result = group_commit(self.folder / f"floor-{batch}", batch, seconds=min(2.0, self.seconds))
            self.floors[f"commit-{batch}"] = f"{result.per_second:,.0f} rows/s"
            yield self.row(f"floor: commits of {batch} × 1 KB", "", (result, 0), "", "rows/s")

    # -- rows

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
        for run in range(5):
            port = free_port()
            folder = self.folder / f"start-{run}"
            command = [sys.executable, "-m", "cumulet", "start", "--port", str(port), "--data", str(folder)]
            durations.append(first_answer_seconds(command, f"http://127.0.0.1:{port}/_cumulet/health"))
        floor = statistics.median(interpreter_start_seconds())
        yield Row(
            "start to first answer",
            f"{statistics.median(durations):.2f} s",
            "0.5 s",
            p99=f"{max(durations):.2f} s",
            floor=f"{floor:.3f} s interpreter",
        )

    # -- another system under the same load

    def peer_rows(self) -> Iterator[Row]:
        assert self.peer is not None
        name, url = self.peer
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


def create_queue(
    url: str, name: str, attributes: dict[str, str] | None = None, key: tuple[str, str] | None = None
) -> str:
    """Create a queue and return its URL, with the address that was used."""
    head, body = sqs_request(url, "CreateQueue", {"QueueName": name, "Attributes": attributes or {}}, key).split(
        b"\r\n\r\n", 1
    )
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    with urlopen(Request(url, data=body, headers=headers, method="POST"), timeout=20) as answer:
        queue_url: str = json.load(answer)["QueueUrl"]
    return queue_url


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


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def show(rows: list[Row]) -> None:
    """Print the table."""
    table = Table(title="Cumulet on one core, 1 KB messages, durability full")
    for column in ("what", "measured", "at least", "p50", "p99", "server CPU", "floor in this run"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for row in rows:
        table.add_row(row.what, row.value, row.wanted, row.p50, row.p99, row.cpu, row.floor)
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each load")
    parser.add_argument(
        "--only",
        default="",
        metavar="WORD",
        help="measure the parts whose name has this word: send_open, send_enforce, send_batch, cycle, send_to_full, "
        "fifo_groups, start",
    )
    parser.add_argument("--peer", metavar="NAME=URL", help="measure this system too")
    parser.add_argument("--folder", type=Path, help="where to put data; on the disk that is to be measured")
    options = parser.parse_args()
    pin_to(CLIENT_CORE)
    peer = tuple(options.peer.split("=", 1)) if options.peer else None
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        bench = Bench(Path(folder), options.seconds, peer)  # type: ignore[arg-type]
        parts: list[Callable[[], Iterator[Row]]] = [
            bench.measure_floors,
            bench.send_open,
            bench.send_enforce,
            bench.send_batch,
            bench.cycle,
            bench.send_to_full,
            bench.fifo_groups,
            bench.start,
        ]
        if peer:
            parts.append(bench.peer_rows)
        for part in parts:
            if options.only in part.__name__ or part == bench.measure_floors:
                for row in part():
                    rows.append(row)
                    print(f"{row.what}: {row.value} {row.cpu}", file=sys.stderr)
    show(rows)


if __name__ == "__main__":
    main()
