"""CloudWatch Logs through the real AWS CLI, and the CLI's `tail`, which version 1 has as a plugin.

Each invocation starts a process, so a few have to do.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from logs_groups import Group

from cumulet.testing import Cumulet

AWS = Path(sys.executable).with_name("aws")
PATIENCE_SECONDS = 30
PLUGINS = "[plugins]\ntail = awscli_plugin_logs_tail\n"


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Group]:
    """Return a group on a server that has the machine's time, as the CLI has."""
    with Cumulet(tmp_path / "data", clock="real") as server:
        yield Group(server).create()


def command(cumulet: Cumulet, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """Return an `aws logs` command and its environment; CLI version 1 wants the endpoint said."""
    home = cumulet.folder.parent
    plugins = home / "aws-config"
    plugins.write_text(PLUGINS)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AWS_CONFIG_FILE": str(plugins),
        "PYTHONUNBUFFERED": "1",
        **cumulet.environment(),
    }
    return [str(AWS), "--endpoint-url", cumulet.url, "--output", "json", "logs", *arguments], environment


def aws(cumulet: Cumulet, *arguments: str) -> str:
    """Run one `aws logs` command and return what it prints."""
    words, environment = command(cumulet, *arguments)
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return done.stdout


def members(cumulet: Cumulet, *arguments: str) -> Any:
    return json.loads(aws(cumulet, *arguments))


def test_group_stream_and_events_go_through_the_command_line(cumulet: Cumulet, tmp_path: Path) -> None:
    aws(cumulet, "create-log-group", "--log-group-name", "/app/web", "--tags", "env=test")
    aws(cumulet, "create-log-stream", "--log-group-name", "/app/web", "--log-stream-name", "s")
    batch = tmp_path / "events.json"
    now_ms = cumulet.now_ms()
    batch.write_text(json.dumps([{"timestamp": now_ms, "message": f"ünï {number}"} for number in range(5)]))
    names = ("--log-group-name", "/app/web", "--log-stream-name", "s")

    aws(cumulet, "put-log-events", *names, "--log-events", f"file://{batch}")

    assert members(cumulet, "describe-log-groups")["logGroups"][0]["logGroupName"] == "/app/web"
    [stream] = members(cumulet, "describe-log-streams", "--log-group-name", "/app/web", "--order-by", "LastEventTime")[
        "logStreams"
    ]
    assert stream["lastEventTimestamp"] == now_ms
    got = members(cumulet, "get-log-events", *names, "--limit", "2")
    assert [event["message"] for event in got["events"]] == ["ünï 3", "ünï 4"]
    found = members(cumulet, "filter-log-events", "--log-group-name", "/app/web", "--page-size", "2")
    assert [event["message"] for event in found["events"]] == [f"ünï {number}" for number in range(5)]


def test_tail_shows_the_last_minutes_by_time(real: Group) -> None:
    real.stream("a", "b")
    now_ms = real.cumulet.now_ms()
    real.put("a", "long ago", at_ms=now_ms - 3_600_000)
    real.put("a", "one", "two ERROR", at_ms=now_ms - 60_000)
    real.put("b", "three", at_ms=now_ms - 30_000)

    shown = aws(real.cumulet, "tail", real.name)
    errors = aws(real.cumulet, "tail", real.name, "--filter-pattern", "ERROR", "--since", "2h", "--format", "short")

    assert [line.split(" ", 1)[1] for line in shown.splitlines()] == ["a one", "a two ERROR", "b three"]
    assert [line.split(" ", 1)[1] for line in errors.splitlines()] == ["two ERROR"]


def test_tail_follows_what_comes(real: Group) -> None:
    real.stream("a", "b")
    real.put("a", "before")
    words, environment = command(real.cumulet, "tail", real.name, "--follow", "--format", "short")
    following = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        shown = read_until(following, b"before\n")
        real.put("b", "while it follows", "and more")
        shown += read_until(following, b"and more\n")
    finally:
        following.kill()
        following.communicate()

    assert [line.split(" ", 1)[1] for line in shown.decode().splitlines()] == ["before", "while it follows", "and more"]


def read_until(process: subprocess.Popen[bytes], end: bytes) -> bytes:
    """Return what a process prints up to `end`."""
    assert process.stdout is not None
    text = b""
    while not text.endswith(end):
        assert select.select([process.stdout], [], [], PATIENCE_SECONDS)[0], f"nothing more was printed after {text!r}"
        text += os.read(process.stdout.fileno(), 65536)
    return text
