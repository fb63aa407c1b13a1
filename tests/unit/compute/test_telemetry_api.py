"""The Telemetry API and the Logs API: what subscribers get, in which shape, and when."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from extension_rig import extension, layer, notes
from rig import ARN, Rig, SharedRig, run, until

PRINTER = """
def handler(event, context):
    print("working on", event)
    return event
"""
RECEIVER = """
import http.server, socket
class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if refusals:
            refusals.pop()
            self.send_response(500)
        else:
            for record in json.loads(body):
                if not str(record["record"]).startswith('["receiver"'):  # what we write here comes back
                    keep({"got": record, "path": self.path, "type": self.headers["Content-Type"]})
            self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    do_PUT = do_POST
    def log_message(self, *_):
        pass
keep = note
def subscribe(me, port, path="/2022-07-01/telemetry", **change):
    request = {
        "schemaVersion": "2022-07-01",
        "types": ["platform", "function", "extension"],
        "buffering": {"timeoutMs": 25},
        "destination": {"protocol": "HTTP", "URI": f"http://sandbox.localdomain:{port}/here"},
    } | change
    return ask("PUT", path, json.dumps(request), Lambda_Extension_Identifier=me)[::2]
refusals = []
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
port = server.server_address[1]
threading.Thread(target=server.serve_forever, daemon=True).start()
"""
LOOP = """
while True:
    event = next_event(me)
    keep({"event": event})
    if event["eventType"] == "SHUTDOWN":
        sys.exit()
"""


class Received:
    """What a receiver has told of."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    @property
    def all(self) -> list[dict[str, Any]]:
        return [what for [what] in notes(self._rig.logs.messages, "receiver")]

    @property
    def records(self) -> list[dict[str, Any]]:
        return [each["got"] for each in self.all if "got" in each]

    @property
    def types(self) -> list[str]:
        return [record["type"] for record in self.records]

    def one(self, kind: str) -> dict[str, Any]:
        """Return the record of the only event of a type."""
        [record] = [record["record"] for record in self.records if record["type"] == kind]
        assert isinstance(record, dict)
        return record


def receiver(setup: str = "", loop: str = LOOP) -> str:
    """Return an extension that receives telemetry."""
    subscribing = 'assert subscribe(me, port) == (200, "OK")\n'
    return extension(RECEIVER + 'me = register("INVOKE", "SHUTDOWN")\n' + (setup or subscribing) + loop)


def test_a_receiver_has_ten_invocations_all_records_and_a_shutdown(shared_rig: SharedRig, tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        received = Received(rig)
        function = rig.function(PRINTER, layers=(layer(tmp_path, {"receiver": receiver()}),))
        ids = []
        for number in range(10):
            invocation = rig.invocation(number)
            ids.append(invocation.request_id)
            await rig.compute.invoke(function, invocation)
            await until(lambda: rig.logs.text.count("REPORT RequestId") == len(ids))

        rig.compute.retire(ARN)
        await until(lambda: rig.compute.environments() == 0)

        events = [each["event"] for each in received.all if "event" in each]
        assert [event["eventType"] for event in events] == ["INVOKE"] * 10 + ["SHUTDOWN"]
        assert [event["requestId"] for event in events[:10]] == ids
        records = received.records
        for kind in ("platform.start", "platform.runtimeDone", "platform.report"):
            assert [record["record"]["requestId"] for record in records if record["type"] == kind] == ids
        lines = [record["record"] for record in records if record["type"] == "function"]
        assert lines == [f"working on {number}\n" for number in range(10)]
        assert received.types[:1] == ["platform.initStart"]
        for kind in ("initRuntimeDone", "initReport", "extension", "telemetrySubscription"):
            assert received.types.count(f"platform.{kind}") == 1
        assert "event" in received.all[-1]

    shared_rig.run(test)


def test_the_records_have_the_fields_of_their_schema(shared_rig: SharedRig, tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        received = Received(rig)
        function = rig.function(PRINTER, layers=(layer(tmp_path, {"receiver": receiver()}),), tracing_mode="Active")
        trace = "Root=1-62e900b2-710d76f009d6e7785905449a;Parent=0efbd19962d95b05;Sampled=1"
        await rig.compute.invoke(function, rig.invocation(1, trace_id=trace))
        await until(lambda: "platform.report" in received.types)

        tracing = {"type": "X-Amzn-Trace-Id", "value": trace}
        assert received.one("platform.initStart").keys() == {
            "initializationType",
            "phase",
            "runtimeVersion",
            "runtimeVersionArn",
            "functionName",
            "functionVersion",
            "instanceId",
            "instanceMaxMemory",
        }
        init = {"initializationType": "on-demand", "phase": "init", "status": "success"}
        assert received.one("platform.initRuntimeDone") == init
        report = received.one("platform.initReport")
        assert report.pop("metrics")["durationMs"] > 0
        assert report == init
        assert received.one("platform.extension") == {
            "name": "receiver",
            "state": "Ready",
            "events": ["INVOKE", "SHUTDOWN"],
        }
        assert received.one("platform.telemetrySubscription") == {
            "name": "receiver",
            "state": "Subscribed",
            "types": ["platform", "function", "extension"],
        }
        start = received.one("platform.start")
        ids = {"requestId": start["requestId"], "functionArn": ARN}
        assert start == ids | {"version": "$LATEST", "tracing": tracing}
        done = received.one("platform.runtimeDone")
        assert (done["status"], done["tracing"]) == ("success", tracing)
        assert done["metrics"].keys() == {"durationMs", "producedBytes"}
        assert done["metrics"]["producedBytes"] == 1
        assert [span["name"] for span in done["spans"]] == ["responseLatency", "responseDuration", "runtimeOverhead"]
        assert sum(span["durationMs"] for span in done["spans"]) == pytest.approx(
            done["metrics"]["durationMs"], abs=0.1
        )
        ended = received.one("platform.report")
        assert (ended["status"], ended["tracing"]) == ("success", tracing)
        assert ended["metrics"].keys() == {
            "durationMs",
            "billedDurationMs",
            "memorySizeMB",
            "maxMemoryUsedMB",
            "initDurationMs",
        }
        assert {each["type"] for each in received.all if "got" in each} == {"application/json"}
        assert {each["path"] for each in received.all if "got" in each} == {"/here"}
        assert all(record["time"].endswith("Z") and len(record["time"]) == 24 for record in received.records)

    shared_rig.run(test)


@pytest.mark.parametrize(
    ("code", "status", "error_type"),
    [
        ("raise ValueError('no')", "error", None),
        ("import time; time.sleep(9)", "timeout", None),
        ("import os; os._exit(1)", "error", "Runtime.ExitError"),
    ],
)
def test_what_goes_wrong_has_a_status(
    shared_rig: SharedRig, tmp_path: Path, code: str, status: str, error_type: str | None
) -> None:
    async def test(rig: Rig) -> None:
        received = Received(rig)
        handler = f"def handler(event, context):\n    {code}"
        layers = (layer(tmp_path, {"receiver": receiver()}),)
        await rig.invoke(rig.function(handler, layers=layers, timeout_seconds=1))
        await until(lambda: "platform.report" in received.types)

        for kind in ("platform.runtimeDone", "platform.report"):
            record = received.one(kind)
            assert record["status"] == status
            assert error_type in (None, record.get("errorType"))
        if status == "timeout":  # recorded: the report has the limit, the runtime's part what it took
            done = received.one("platform.runtimeDone")
            assert done.keys() == {"requestId", "status", "metrics"}
            assert done["metrics"].pop("durationMs") > 1000
            assert done["metrics"] == {"producedBytes": 0}
            metrics = received.one("platform.report")["metrics"]
            assert metrics["durationMs"] == 1000
            assert metrics["billedDurationMs"] == math.ceil(1000 + metrics["initDurationMs"])

    shared_rig.run(test)


def test_the_logs_api_tells_of_logs(shared_rig: SharedRig, tmp_path: Path) -> None:
    setup = """
assert subscribe(me, port, "/2020-08-15/logs", schemaVersion="2020-08-15") == (200, "OK")
status, error = subscribe(me, port)
assert (status, error["errorType"]) == (400, "ValidationError"), error
"""

    async def test(rig: Rig) -> None:
        received = Received(rig)
        layers = (layer(tmp_path, {"receiver": receiver(setup)}),)
        await rig.invoke(rig.function(PRINTER, layers=layers))
        await until(lambda: "platform.report" in received.types)

        assert received.types == [
            "platform.logsSubscription",
            "platform.extension",
            "platform.start",
            "function",
            "platform.end",
            "platform.report",
        ]

    shared_rig.run(test)


def test_lines_of_json_go_to_a_port(tmp_path: Path) -> None:
    setup = """
listener = socket.create_server(("127.0.0.1", 0))
def read():
    for line in listener.accept()[0].makefile():
        keep({"got": json.loads(line)})
threading.Thread(target=read, daemon=True).start()
destination = {"protocol": "TCP", "port": listener.getsockname()[1]}
assert subscribe(me, 0, destination=destination, types=["function"]) == (200, "OK")
assert subscribe(me, 0, destination=destination, types=["function"]) == (200, "OK")
"""

    async def test(rig: Rig) -> None:
        received = Received(rig)
        function = rig.function(PRINTER, layers=(layer(tmp_path, {"receiver": receiver(setup)}),))
        for number in range(2):
            await rig.invoke(function, number)
            await until(lambda count=number + 1: len(received.records) == count)
            await until(lambda count=number + 1: rig.logs.text.count("REPORT RequestId") == count)

        assert [record["record"] for record in received.records] == ["working on 0\n", "working on 1\n"]

    run(tmp_path, test)


def test_a_receiver_that_is_not_ready_is_asked_again(shared_rig: SharedRig, tmp_path: Path) -> None:
    setup = 'refusals.extend("12")\nsubscribe(me, port, types=["function"])\n'

    async def test(rig: Rig) -> None:
        received = Received(rig)
        function = rig.function(PRINTER, layers=(layer(tmp_path, {"receiver": receiver(setup)}),))
        await rig.invoke(function, 1)

        await until(lambda: len(received.records) == 1)

    shared_rig.run(test)


def test_what_an_extension_writes_is_its_own_kind(shared_rig: SharedRig, tmp_path: Path) -> None:
    setup = 'subscribe(me, port, types=["extension"])\nprint("hello from the side", flush=True)\n'

    async def test(rig: Rig) -> None:
        received = Received(rig)
        function = rig.function(PRINTER, layers=(layer(tmp_path, {"receiver": receiver(setup)}),))
        await rig.invoke(function, 1)

        await until(lambda: len(received.records) == 1)

        assert received.records[0]["type"] == "extension"
        assert received.records[0]["record"] == "hello from the side\n"
        assert "hello from the side\n" in rig.logs.messages

    shared_rig.run(test)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ("2022-07-01", lambda record: json.loads(record)["message"] == "structured"),
        ("2022-12-13", lambda record: record["message"] == "structured"),
    ],
)
def test_a_line_of_json_is_an_object_in_newer_schemas(
    shared_rig: SharedRig, tmp_path: Path, schema: str, expected: Callable[[Any], bool]
) -> None:
    setup = f'subscribe(me, port, types=["function"], schemaVersion={schema!r})\n'
    code = "import logging\ndef handler(event, context):\n    logging.getLogger().error('structured')"

    async def test(rig: Rig) -> None:
        received = Received(rig)
        layers = (layer(tmp_path, {"receiver": receiver(setup)}),)
        await rig.invoke(rig.function(code, layers=layers, log_format="JSON"))
        await until(lambda: len(received.records) == 1)

        assert expected(received.records[0]["record"])

    shared_rig.run(test)


def test_a_subscriber_that_falls_behind_is_told_what_it_has_lost(shared_rig: SharedRig, tmp_path: Path) -> None:
    setup = 'refusals.extend("1")\nsubscribe(me, port, buffering={"timeoutMs": 25, "maxItems": 1000})\n'
    code = "def handler(event, context):\n    for number in range(9000):\n        print(number)"

    async def test(rig: Rig) -> None:
        received = Received(rig)
        layers = (layer(tmp_path, {"receiver": receiver(setup)}),)
        await rig.invoke(rig.function(code, layers=layers, timeout_seconds=20))

        await until(lambda: "platform.logsDropped" in received.types, 10)

        dropped = [record["record"] for record in received.records if record["type"] == "platform.logsDropped"]
        assert dropped[0].keys() == {"droppedBytes", "droppedRecords", "reason"}
        assert dropped[0]["droppedRecords"] > 0

    shared_rig.run(test)
