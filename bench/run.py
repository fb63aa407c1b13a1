"""`make bench`: one table of what Cumulet does, each row beside the floor measured in the same run.

The server has one core, the load another; where functions run, all share both. `--only WORD` picks rows; `--peer
NAME=URL` puts the same load on another system that speaks SQS's JSON protocol and runs already on this machine.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from delivery import Deliveries
from functions import Functions
from processes import CLIENT_CORE, pin_to
from protection import Protection
from queues import Queues
from replays import Replays
from rows import Bench, Row
from topics import Topics


def show(rows: list[Row]) -> None:
    """Print the table."""
    table = Table(title="Cumulet, durability full, messages of 1 KB", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in ("what", "measured", "at least", "p50", "p99", "server CPU", "floor in this run"):
        table.add_column(column, justify="left" if column == "what" else "right", overflow="fold")
    for row in rows:
        table.add_row(row.what, row.value, row.wanted, row.p50, row.p99, row.cpu, row.floor)
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each load")
    parser.add_argument("--only", default="", metavar="WORD", help="measure the parts whose name has this word")
    parser.add_argument("--peer", metavar="NAME=URL", help="measure this system too")
    parser.add_argument("--folder", type=Path, help="where to put data; on the disk that is to be measured")
    options = parser.parse_args()
    pin_to(CLIENT_CORE)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        bench = Bench(Path(folder), options.seconds)
        queues, functions, topics = Queues(bench), Functions(bench), Topics(bench)
        deliveries = Deliveries(bench)
        parts: dict[str, Callable[[], Iterator[Row]]] = {
            "send_open": queues.send_open,
            "send_enforce": queues.send_enforce,
            "send_batch": queues.send_batch,
            "cycle": queues.cycle,
            "send_to_full": queues.send_to_full,
            "fifo_groups": queues.fifo_groups,
            "start": queues.start,
            "invoke": functions.invoke,
            "accept": functions.accept,
            "cold_start": functions.cold_start,
            "environments": functions.environments,
            "queue_to_function": functions.queue_to_function,
            "queue_to_queue": functions.queue_to_queue,
            "publish": topics.publish,
            "protected": topics.protected,
            "fan_out": topics.fan_out,
            "filters": topics.filters,
            "replay": Replays(bench).replay,
            "http": deliveries.http,
            "http_dead": deliveries.http_dead,
            "inspect": Protection().inspect,
        }
        if options.peer:
            parts["peer"] = partial(queues.peer, *options.peer.split("=", 1))
        wanted = {name: part for name, part in parts.items() if options.only in name}
        if not wanted:
            parser.error(f"--only takes a part of: {', '.join(parts)}")
        for part in (bench.measure_floors, *wanted.values()):
            for row in part():
                rows.append(row)
                print(f"{row.what}: {row.value} {row.cpu}", file=sys.stderr)
    show(rows)


if __name__ == "__main__":
    main()
