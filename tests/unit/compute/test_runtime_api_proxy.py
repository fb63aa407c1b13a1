"""Extensions that stand between a runtime and the Runtime API, on ports of their own, put there by a wrapper script."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from extension_rig import extension, layer
from rig import Rig, run, until

PROXY = """
import http.server
class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def forward(self, method, path, body=None):
        connection = http.client.HTTPConnection(UPSTREAM)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "content-length")}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.getheaders(), answer.read()
    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        while True:
            status, headers, body = self.forward("GET", self.path)
            event = json.loads(body)
            if not (isinstance(event, dict) and event.get("attack")):
                break
            request_id = dict(headers)["Lambda-Runtime-Aws-Request-Id"]
            refusal = json.dumps({"blocked": NAME}).encode()
            self.forward("POST", f"/2018-06-01/runtime/invocation/{request_id}/response", refusal)
        if isinstance(event, dict):
            body = json.dumps(event | {"seen": event.get("seen", []) + [NAME]}).encode()
        self.answer(status, headers, body)
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("/response"):
            body = json.dumps({"by": NAME, "answer": json.loads(body)}).encode()
        self.answer(*self.forward("POST", self.path, body))
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Proxy)
threading.Thread(target=server.serve_forever, daemon=True).start()
me = register("SHUTDOWN")
next_event(me)
"""
WRAPPER = """#!/bin/sh
export AWS_LAMBDA_RUNTIME_API=127.0.0.1:9009
exec "$@"
"""
HANDLER = """
def handler(event, context):
    print("handling", event)
    if event.get("raise"):
        raise ValueError("out of the handler")
    return event["seen"]
"""
WRAPPED = (("AWS_LAMBDA_EXEC_WRAPPER", "/opt/wrapper"),)


def proxy(port: int, upstream: str = "API") -> str:
    return extension(f"PORT, UPSTREAM = {port}, {upstream}\n" + PROXY)


def test_a_proxy_changes_events_and_answers_and_blocks(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        layers = (layer(tmp_path, {"guard": proxy(9009)}, wrapper=WRAPPER),)
        function = rig.function(HANDLER, layers=layers, variables=WRAPPED)

        assert await rig.result(function, {}) == {"by": "guard", "answer": ["guard"]}
        assert await rig.result(function, {"attack": True}) == {"blocked": "guard"}
        failed = await rig.invoke(function, {"raise": True})
        assert await rig.result(function, {}) == {"by": "guard", "answer": ["guard"]}

        assert json.loads(failed.payload)["errorMessage"] == "out of the handler"
        assert failed.error == "Unhandled"
        await until(lambda: rig.logs.text.count("REPORT RequestId") == 4)
        assert "attack" not in rig.logs.text
        assert rig.logs.text.count("handling") == 3

    run(tmp_path, test)


def test_proxies_are_chained(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        layers = (
            layer(tmp_path, {"outer": proxy(9009, '"127.0.0.1:9010"')}, wrapper=WRAPPER),
            layer(tmp_path, {"inner": proxy(9010)}),
        )
        function = rig.function(HANDLER, layers=layers, variables=WRAPPED)

        result = await rig.result(function, {})

        assert result == {"by": "inner", "answer": {"by": "outer", "answer": ["inner", "outer"]}}

    run(tmp_path, test)


def test_two_environments_have_the_same_port(tmp_path: Path) -> None:
    slow = HANDLER.replace("    return", "    import time\n    time.sleep(0.3)\n    return")

    async def test(rig: Rig) -> None:
        layers = (layer(tmp_path, {"guard": proxy(9009)}, wrapper=WRAPPER),)
        function = rig.function(slow, layers=layers, variables=WRAPPED, timeout_seconds=10)

        results = await asyncio.gather(*(rig.result(function, {}) for _ in range(2)))

        assert results == [{"by": "guard", "answer": ["guard"]}] * 2
        assert rig.compute.environments() == 2

    run(tmp_path, test)


def test_an_extension_may_be_a_shell_script(tmp_path: Path) -> None:
    code = """#!/bin/sh
answer=$(curl -sS -D - -o /dev/null -X POST -H "Lambda-Extension-Name: watcher.sh" \\
  -d '{"events": ["INVOKE", "SHUTDOWN"]}' "http://$AWS_LAMBDA_RUNTIME_API/2020-01-01/extension/register")
me=$(echo "$answer" | sed -n 's/^[Ll]ambda-[Ee]xtension-[Ii]dentifier: \\([^\\r]*\\).*/\\1/p' | tr -d '\\r')
while true; do
  event=$(curl -sS -H "Lambda-Extension-Identifier: $me" "http://$AWS_LAMBDA_RUNTIME_API/2020-01-01/extension/event/next")
  echo "shell: $event"
  case "$event" in *SHUTDOWN*) exit 0 ;; esac
done
"""

    async def test(rig: Rig) -> None:
        layers = (layer(tmp_path, {"watcher.sh": code}),)
        function = rig.function("def handler(event, context):\n    return event", layers=layers, timeout_seconds=10)

        outcome = await rig.compute.invoke(function, rig.invocation(1, wants_log_tail=True))

        assert outcome.payload == b"1"
        assert 'shell: {"eventType":"INVOKE"' in rig.logs.text

    if shutil.which("curl") is None:
        pytest.skip("there is no curl")
    run(tmp_path, test)
