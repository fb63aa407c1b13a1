"""What the parts of the benchmark share: servers, loads, rows of the table, floors."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

import uvloop

from floors import echo_command, group_commit
from load import Result, Step, run_load, sqs_request
from processes import Server, cumulet, running

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
    """The folder that rows work in, and the floors that they stand beside."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self.folder, self.seconds = folder, seconds
        self.count = 0
        self.floors: dict[str, str] = {}

    # -- servers

    def server(
        self, *options: str, is_pinned: bool = True, quotas: Mapping[str, int] | None = None
    ) -> Iterator[Server]:
        self.count += 1
        folder, settings = self.folder / f"data-{self.count}", self.folder / f"settings-{self.count}.toml"
        lines = [f'"{quota}" = {limit}' for quota, limit in (quotas or {}).items()]
        settings.write_text("\n".join(["[quotas]", *lines]))
        variables = {"CUMULET_CONFIG": str(settings)}
        with running(cumulet(folder, *options), READY, folder, is_pinned=is_pinned, variables=variables) as server:
            yield server
        shutil.rmtree(folder)

    def measure(
        self,
        server: Server,
        step: Step,
        *,
        seconds: float | None = None,
        requests: int = 10**9,
        connections: int = CONNECTIONS,
    ) -> tuple[Result, float]:
        before = server.cpu_seconds()
        result = uvloop.run(
            run_load(server.url, step, connections=connections, seconds=seconds or self.seconds, requests=requests)
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
            folder = self.folder / f"floor-{batch}"
            result = group_commit(folder, batch, seconds=min(2.0, self.seconds))
            shutil.rmtree(folder)  # or else it is still being written while the rows are measured
            self.floors[f"commit-{batch}"] = f"{result.per_second:,.0f} rows/s"
            yield self.row(f"floor: commits of {batch} × 1 KB", "", (result, 0), "", "rows/s")


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
