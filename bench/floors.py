"""What the machine can do at best, measured in the same run: the floor that each row stands beside."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import apsw

from load import Result

ECHO = """
import socket, uvicorn, uvloop
async def app(scope, receive, send):
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"200")]})
    await send({"type": "http.response.body", "body": b"x" * 200})
s = socket.socket(); s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1); s.bind(("127.0.0.1", 0)); s.listen(1024)
print("ready at http://127.0.0.1:%d" % s.getsockname()[1], flush=True)
config = uvicorn.Config(app, loop="uvloop", http="httptools", ws="none", lifespan="off", log_level="error",
                        access_log=False)
uvloop.run(uvicorn.Server(config).serve([s]))
"""


def echo_command() -> list[str]:
    """Return the command of a bare ASGI server that answers 200 bytes."""
    return [sys.executable, "-c", ECHO]


def group_commit(folder: Path, batch: int, *, rows_each: int = 1, seconds: float = 3.0) -> Result:
    """Commit batches of 1 KB rows with nothing else to do; one latency for each row's commit."""
    folder.mkdir(parents=True, exist_ok=True)
    connection = apsw.Connection(str(folder / "floor.db"))
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS m (id INTEGER PRIMARY KEY, body TEXT)")
    body, result = "x" * 1024, Result()
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        began = time.perf_counter()
        connection.execute("BEGIN")
        for _ in range(batch * rows_each):
            connection.execute("INSERT INTO m (body) VALUES (?)", (body,))
        connection.execute("COMMIT")
        result.latencies += [time.perf_counter() - began] * batch
    result.seconds = time.perf_counter() - started
    connection.close()
    return result


def interpreter_start_seconds(runs: int = 5) -> list[float]:
    """Return how long a Python that does nothing takes."""
    durations = []
    for _ in range(runs):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        durations.append(time.perf_counter() - started)
    return durations


def runtime_start_seconds(runs: int = 5) -> list[float]:
    """Return how long a Python takes that loads the runtime interface client of functions."""
    durations = []
    for _ in range(runs):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import awslambdaric.bootstrap"], check=True)
        durations.append(time.perf_counter() - started)
    return durations
