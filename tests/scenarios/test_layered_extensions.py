"""Layers that work beside or around a function whose code knows nothing of them: observers, guards, tunnels, chaos."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from deployed import Deployed, publish

from cumulet.testing import Cumulet

EXTENSION = """#!/var/lang/bin/python3
import http.client, http.server, json, os, sys, threading
API, NAME = os.environ["AWS_LAMBDA_RUNTIME_API"], os.path.basename(sys.argv[0])
def ask(method, path, body=None, **headers):
    connection = http.client.HTTPConnection(API)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()
def say(*what):
    print(json.dumps([NAME, *what]), flush=True)
def register(*events):
    _, headers, _ = ask("POST", "/2020-01-01/extension/register", json.dumps({"events": events}),
                        Lambda_Extension_Name=NAME)
    return headers["Lambda-Extension-Identifier"]
def next_event(me):
    return json.loads(ask("GET", "/2020-01-01/extension/event/next", Lambda_Extension_Identifier=me)[2])
"""
OBSERVER = (
    EXTENSION
    + """
class Listener(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        for record in json.loads(self.rfile.read(int(self.headers["Content-Length"]))):
            say("record", record)
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("0.0.0.0", 4243), Listener)
threading.Thread(target=server.serve_forever, daemon=True).start()
me = register("INVOKE", "SHUTDOWN")
status, _, answer = ask("PUT", "/2020-08-15/logs", json.dumps({
    "schemaVersion": "2020-08-15",
    "types": ["platform", "function"],
    "buffering": {"timeoutMs": 25, "maxBytes": 262144, "maxItems": 1000},
    "destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:4243"},
}), Lambda_Extension_Identifier=me)
assert (status, answer) == (200, b'"OK"'), answer
event = {"eventType": "INIT"}
while event["eventType"] != "SHUTDOWN":
    event = next_event(me)
    say("event", event)
"""
)
# Stands between the runtime and its API. What it does not like it answers itself; of all it keeps an account.
GUARD = (
    EXTENSION
    + """
import re
class Guard(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        while True:
            status, headers, body = ask("GET", self.path)
            is_bad = b"<script" in body
            say("audit", re.sub("[0-9]{16}", "#" * 16, body.decode()), "blocked" if is_bad else "passed")
            if not is_bad:
                return self.answer(status, headers, body)
            request_id = headers["Lambda-Runtime-Aws-Request-Id"]
            ask("POST", f"/2018-06-01/runtime/invocation/{request_id}/error",
                json.dumps({"errorType": "Guard.Blocked", "errorMessage": "not here"}))
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, headers, told = ask("POST", self.path, body)
        assert json.loads(told) == {"status": "OK"}
        self.answer(status, headers, told)
    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            if name.startswith("Lambda-"):
                self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 9009), Guard)
threading.Thread(target=server.serve_forever, daemon=True).start()
next_event(register("SHUTDOWN"))
"""
)
WRAPPER = """#!/bin/bash
export AWS_LAMBDA_RUNTIME_API="127.0.0.1:9009"
exec "$@"
"""
# Has a door to another network, and leaves that when the environment ends.
TUNNEL = (
    EXTENSION
    + """
import socketserver
class Door(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"from the other side: " + self.rfile.readline())
server = socketserver.ThreadingTCPServer(("127.0.0.1", 1055), Door)
threading.Thread(target=server.serve_forever, daemon=True).start()
say("logged in", bool(os.environ["AWS_ACCESS_KEY_ID"] and os.environ["AWS_SESSION_TOKEN"]))
event = next_event(register("SHUTDOWN"))
say("logged out", event["eventType"], event["shutdownReason"])
"""
)
FORWARDER = """
import socket
def handler(event, context):
    with socket.create_connection(("localhost", 1055)) as door:
        door.sendall((event + "\\n").encode())
        return door.makefile().readline()
"""
CHAOS = """
import importlib, itertools, os, time
module, function = os.environ["ORIGINAL_HANDLER"].split(".")
original = getattr(importlib.import_module(module), function)
delays = itertools.cycle([101, 102, 103, 104])
def layer_handler(event, context):
    delay = next(delays)
    print(f"Injecting delay for {delay} ms")
    time.sleep(delay / 1000)
    if delay % 4 == 0:
        raise RuntimeError("Chaos injected failure")
    return original(event, context)
"""


def said(function: Deployed, extension: str) -> list[list[Any]]:
    """Return what an extension has said."""
    found = [json.loads(line) for line in function.log() if line.startswith(f'["{extension}"')]
    return [what for _, *what in found]


def test_an_observer_gets_each_invocation_all_logs_and_the_end(cumulet: Cumulet) -> None:
    layer = publish(cumulet, "observer", {"extensions/observer": OBSERVER})
    source = "def handler(event, context):\n    print('number', event)\n"
    function = Deployed(cumulet, "observed", source, Layers=[layer])

    ids = [function.invoke(number).request_id for number in range(10)]
    cumulet.advance(minutes=10)

    heard = said(function, "observer")
    events = [what for kind, what in heard if kind == "event"]
    assert [event["eventType"] for event in events] == ["INVOKE"] * 10 + ["SHUTDOWN"]
    assert [event["requestId"] for event in events[:10]] == ids
    assert events[0].keys() == {"eventType", "deadlineMs", "requestId", "invokedFunctionArn", "tracing"}
    assert events[0]["invokedFunctionArn"] == function.arn
    assert events[10].keys() == {"eventType", "shutdownReason", "deadlineMs"}
    assert events[10]["shutdownReason"] == "spindown"
    records = [what for kind, what in heard if kind == "record"]
    for kind in ("platform.start", "platform.end", "platform.report"):
        assert [record["record"]["requestId"] for record in records if record["type"] == kind] == ids
    lines = [record["record"] for record in records if record["type"] == "function"]
    assert lines == [f"number {number}\n" for number in range(10)]
    assert heard[-1][0] == "event"  # all records came before the end


def test_a_guard_in_front_of_the_runtime_blocks_masks_and_lets_pass(cumulet: Cumulet) -> None:
    layer = publish(cumulet, "guard", {"extensions/guard": GUARD, "wrapper-script.sh": WRAPPER})
    source = "def handler(event, context):\n    print('handling')\n    return event['n'] / event.get('by', 1)\n"
    variables = {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper-script.sh"}}
    function = Deployed(cumulet, "guarded", source, Layers=[layer], Environment=variables)

    benign = function.invoke({"n": 1, "card": "4111111111111111"})
    malicious = function.invoke({"n": 1, "name": "<script>", "card": "4111111111111111"})
    failing = function.invoke({"n": 1, "by": 0})
    after = function.invoke({"n": 2})

    assert (benign.error, benign.value, after.error, after.value) == (None, 1, None, 2)
    assert malicious.error == "Unhandled"
    assert malicious.value == {"errorType": "Guard.Blocked", "errorMessage": "not here"}
    assert "handling" not in malicious.tail
    assert (failing.error, failing.value["errorType"]) == ("Unhandled", "ZeroDivisionError")
    audit = [(text, verdict) for _, text, verdict in said(function, "guard")]
    assert [verdict for _, verdict in audit] == ["passed", "blocked", "passed", "passed"]
    assert "################" in audit[0][0]
    assert not any("4111111111111111" in line for line in function.log())


def test_a_tunnel_is_there_before_the_first_event_and_is_left_at_the_end(cumulet: Cumulet) -> None:
    layer = publish(cumulet, "tunnel", {"extensions/tunnel": TUNNEL})
    functions = [Deployed(cumulet, name, FORWARDER, Layers=[layer]) for name in ("first", "second")]

    values = [function.invoke("a webhook").value for function in functions]
    before = [said(function, "tunnel") for function in functions]
    cumulet.advance(minutes=10)

    assert values == ["from the other side: a webhook\n"] * 2
    assert before == [[["logged in", True]]] * 2
    assert [said(function, "tunnel")[1:] for function in functions] == [[["logged out", "SHUTDOWN", "spindown"]]] * 2


def test_chaos_is_injected_without_a_change_of_code_and_taken_back_without_a_trace(cumulet: Cumulet) -> None:
    other = publish(cumulet, "other", {"python/other.py": "NAME = 'kept'\n"})
    chaos = publish(cumulet, "chaos", {"python/chaos.py": CHAOS})
    source = "import other\ndef handler(event, context):\n    return other.NAME\n"
    variables = {"STAGE": "test"}
    function = Deployed(cumulet, "shaken", source, Layers=[other], Environment={"Variables": variables}, Timeout=3)
    client, before = function.client, settings(function)

    client.update_function_configuration(
        FunctionName=function.name,
        Handler="chaos.layer_handler",
        Layers=[other, chaos],
        Environment={"Variables": variables | {"ORIGINAL_HANDLER": before["Handler"]}},
        Timeout=300,
    )
    shaken = [function.invoke() for _ in range(20)]
    client.update_function_configuration(
        FunctionName=function.name,
        Handler=before["Handler"],
        Layers=[layer["Arn"] for layer in before["Layers"]],
        Environment=before["Environment"],
        Timeout=before["Timeout"],
    )

    assert [ran.error for ran in shaken].count("Unhandled") == 5
    assert {ran.value for ran in shaken if ran.error is None} == {"kept"}
    assert all(re.search(r"^Injecting delay for 10\d ms$", ran.tail, re.MULTILINE) for ran in shaken)
    durations = [float(re.findall(r"\tDuration: ([\d.]+) ms", ran.tail)[0]) for ran in shaken]
    assert min(durations) > 100
    assert settings(function) == before
    after = function.invoke()
    assert (after.error, after.value) == (None, "kept")
    assert "Injecting" not in after.tail


def settings(function: Deployed) -> Mapping[str, Any]:
    """Return a function's whole configuration, without what each change renews."""
    found = function.client.get_function_configuration(FunctionName=function.name)
    return {
        name: value for name, value in found.items() if name not in ("ResponseMetadata", "RevisionId", "LastModified")
    }


@pytest.mark.parametrize("others", [[], ["other"]])
def test_an_outdated_layer_is_found_and_replaced_in_its_place(cumulet: Cumulet, others: list[str]) -> None:
    client = cumulet.client("lambda")
    old = publish(cumulet, "shared", {"python/shared.py": "VERSION = 1\n"})
    other = [publish(cumulet, name, {"python/other.py": ""}) for name in others]
    source = "import shared\ndef handler(event, context):\n    return shared.VERSION\n"
    outdated = [Deployed(cumulet, f"outdated-{number}", source, Layers=[old, *other]) for number in range(2)]
    apart = Deployed(cumulet, "apart", "def handler(event, context):\n    return 0\n", Layers=other)
    new = publish(cumulet, "shared", {"python/shared.py": "VERSION = 2\n"})
    before = [function.invoke().value for function in outdated]

    found = [
        each["FunctionName"]
        for each in client.list_functions()["Functions"]
        if old in [layer["Arn"] for layer in each.get("Layers", [])]
    ]
    for name in found:
        layers = [layer["Arn"] for layer in client.get_function_configuration(FunctionName=name)["Layers"]]
        client.update_function_configuration(
            FunctionName=name, Layers=[new if layer == old else layer for layer in layers]
        )

    assert sorted(found) == ["outdated-0", "outdated-1"]
    assert before == [1, 1]
    assert [function.invoke().value for function in outdated] == [2, 2]
    for function in outdated:
        layers = client.get_function_configuration(FunctionName=function.name)["Layers"]
        assert [layer["Arn"] for layer in layers] == [new, *other]
    assert apart.invoke().value == 0
