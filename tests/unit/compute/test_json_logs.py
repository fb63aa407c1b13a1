"""Logs in JSON: what the platform says as objects, and what is left out by level."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from rig import ARN, Rig, SharedRig, run

from cumulet.kernel.activity import Activity
from cumulet.kernel.clock import VirtualClock

LOGGER = """
import logging
def handler(event, context):
    for level in ("debug", "info", "warning", "error"):
        getattr(logging.getLogger(), level)(level)
    print("plain")
    print('{"level": "debug", "message": "structured"}')
    print('{"level": "error", "message": "loud"}')
    print('{"level": 7}')
    if event == "raise":
        raise ValueError("no")
    if event == "exit":
        import os
        os._exit(1)
"""


def objects(rig: Rig) -> list[dict[str, Any]]:
    """Return the platform's own events of the log."""
    parsed = [json.loads(message) for message in rig.logs.messages if message.startswith("{")]
    return [message for message in parsed if "type" in message]


def messages(rig: Rig) -> list[str]:
    """Return what the function has said."""
    found = []
    for message in rig.logs.messages:
        parsed = json.loads(message) if message.startswith("{") else {"message": message.strip()}
        if "type" not in parsed:
            found.append(str(parsed.get("message", parsed)))
    return found


def test_what_the_platform_says_is_an_object(shared_rig: SharedRig) -> None:
    async def test(rig: Rig) -> None:
        invocation = rig.invocation(1)
        await rig.compute.invoke(rig.function(LOGGER, log_format="JSON"), invocation)

        init, start, report = objects(rig)
        assert init.keys() == start.keys() == report.keys() == {"time", "type", "record"}
        assert init["type"] == "platform.initStart"
        assert init["record"]["initializationType"] == "on-demand"
        said = {name: init["record"][name] for name in ("functionName", "functionVersion", "instanceMaxMemory")}
        assert said == {"functionName": "f", "functionVersion": "$LATEST", "instanceMaxMemory": 128 * 1024 * 1024}
        assert re.fullmatch(r"\d{4}/\d\d/\d\d/f\[\$LATEST\][0-9a-f]{32}", init["record"]["instanceId"])
        record = {"requestId": invocation.request_id, "functionArn": ARN, "version": "$LATEST"}
        assert (start["type"], start["record"]) == ("platform.start", record)
        assert report["type"] == "platform.report"
        metrics = report["record"].pop("metrics")
        assert report["record"] == {"requestId": invocation.request_id, "status": "success"}
        assert metrics.keys() == {
            "durationMs",
            "billedDurationMs",
            "memorySizeMB",
            "maxMemoryUsedMB",
            "initDurationMs",
        }
        assert metrics["memorySizeMB"] == 128
        assert not any(message.startswith(("START", "END", "REPORT", "INIT")) for message in rig.logs.messages)

    shared_rig.run(test)


@pytest.mark.parametrize(
    ("level", "types"),
    [
        ("DEBUG", ["initStart", "initRuntimeDone", "initReport", "start", "runtimeDone", "report"]),
        ("INFO", ["initStart", "start", "report"]),
        ("WARN", []),
    ],
)
def test_system_logs_are_filtered_by_level(shared_rig: SharedRig, level: str, types: list[str]) -> None:
    async def test(rig: Rig) -> None:
        await rig.invoke(rig.function(LOGGER, log_format="JSON", system_log_level=level), 1)

        assert [message["type"] for message in objects(rig)] == [f"platform.{kind}" for kind in types]

    shared_rig.run(test)


def test_what_goes_wrong_is_a_warning(shared_rig: SharedRig) -> None:
    async def test(rig: Rig) -> None:
        await rig.invoke(rig.function(LOGGER, log_format="JSON", system_log_level="WARN"), "exit")

        assert [(each["type"], each["record"]["status"]) for each in objects(rig)] == [
            ("platform.runtimeDone", "error"),
            ("platform.report", "error"),
        ]
        assert {each["record"]["errorType"] for each in objects(rig)} == {"Runtime.ExitError"}

    shared_rig.run(test)


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("DEBUG", ["debug", "info", "warning", "error", "plain", "structured", "loud", "{'level': 7}"]),
        (None, ["info", "warning", "error", "plain", "loud", "{'level': 7}"]),
        ("WARN", ["warning", "error", "loud"]),
        ("FATAL", []),
    ],
)
def test_application_logs_are_filtered_by_level(shared_rig: SharedRig, level: str | None, expected: list[str]) -> None:
    async def test(rig: Rig) -> None:
        await rig.invoke(rig.function(LOGGER, log_format="JSON", application_log_level=level), 1)

        assert messages(rig) == expected

    shared_rig.run(test)


def test_levels_mean_nothing_to_a_log_in_text(shared_rig: SharedRig) -> None:
    async def test(rig: Rig) -> None:
        await rig.invoke(rig.function('def handler(event, context):\n    print(\'{"level": "trace"}\')'), 1)

        assert '{"level": "trace"}\n' in rig.logs.messages
        assert any(message.startswith("REPORT") for message in rig.logs.messages)

    shared_rig.run(test)


def test_a_tail_has_an_object_on_each_line(shared_rig: SharedRig) -> None:
    async def test(rig: Rig) -> None:
        outcome = await rig.invoke(rig.function(LOGGER, log_format="JSON"), 1)

        lines = outcome.log_tail.decode().splitlines()
        assert json.loads(lines[0])["type"] == "platform.start"
        assert json.loads(lines[-1])["type"] == "platform.report"

    shared_rig.run(test)


def test_parts_of_an_invocation_have_the_platforms_time(tmp_path: Path) -> None:
    async def test(_: Rig) -> None:
        activity = Activity()
        rig = Rig(tmp_path, VirtualClock(1_000_000_000, activity), activity)
        await rig.invoke(rig.function(LOGGER, log_format="JSON", system_log_level="DEBUG"))

        [done] = [each for each in objects(rig) if each["type"] == "platform.runtimeDone"]
        assert done["time"] == "1970-01-12T13:46:40.000Z"
        assert {span["start"][:17] for span in done["record"]["spans"]} == {"1970-01-12T13:46:"}
        await rig.stop()

    run(tmp_path / "unused", test)
