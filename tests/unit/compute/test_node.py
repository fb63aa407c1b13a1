"""Node.js functions: how handlers are found, how they answer, what they write, and how they fail."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from typing import Any

import pytest
from rig import ARN, Rig, SharedRig

from cumulet.compute import Function, Outcome

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")

ECHO = "exports.handler = async (event) => event;"
MODULE = "export const handler = async (event) => event;"
TYPE_MODULE = '{"type": "module"}'


def node(rig: Rig, files: str | dict[str, str], **settings: Any) -> Function:
    """Return a Node.js function with these files, or with this `index.js`."""
    files = {"index.js": files} if isinstance(files, str) else files
    return rig.function(files, **{"runtime": "nodejs20.x", "timeout_seconds": 20, **settings})


def failure(outcome: Outcome) -> dict[str, Any]:
    assert outcome.error == "Unhandled", outcome
    described: dict[str, Any] = json.loads(outcome.payload)
    return described


@pytest.mark.parametrize(
    ("files", "handler"),
    [
        ({"index.js": ECHO}, "index.handler"),
        ({"index.cjs": ECHO}, "index.handler"),
        ({"index.mjs": MODULE}, "index.handler"),
        ({"index.js": MODULE, "package.json": TYPE_MODULE}, "index.handler"),
        ({"index.cjs": ECHO, "package.json": TYPE_MODULE}, "index.handler"),
        ({"src/index.js": MODULE, "package.json": TYPE_MODULE}, "src/index.handler"),
        ({"src/index.js": ECHO, "package.json": TYPE_MODULE, "src/package.json": "{}"}, "src/index.handler"),
        ({"src/jobs/work.mjs": MODULE}, "src/jobs/work.handler"),
        ({"index.js": "exports.app = { v1: { go: async (event) => event } };"}, "index.app.v1.go"),
        ({"work/index.js": ECHO}, "work.handler"),
        ({"node_modules/lib/index.js": ECHO}, "lib.handler"),
        ({"index": ECHO}, "index.handler"),
        ({"index.js": ECHO, "index.mjs": "broken"}, "index.handler"),
        ({"index.mjs": "await new Promise((go) => setTimeout(go, 5));" + MODULE}, "index.handler"),
        (
            {"index.mjs": "import { handler } from './other.cjs'; export { handler };", "other.cjs": ECHO},
            "index.handler",
        ),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else value,
)
def test_a_handler_is_found_in_either_kind_of_module(
    shared_rig: SharedRig, files: dict[str, str], handler: str
) -> None:
    async def test(rig: Rig) -> None:
        function = node(rig, files, handler=handler)

        assert await rig.result(function, {"a": [1, "ü"]}) == {"a": [1, "ü"]}

    shared_rig.run(test)


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("async () => 7", 7),
        ("() => Promise.resolve('later')", "later"),
        ("() => ({ then: (resolve) => resolve('thenable') })", "thenable"),
        ("(event, context, callback) => callback(null, 'called')", "called"),
        ("(event, context, callback) => { setTimeout(() => callback(undefined, [1]), 5); }", [1]),
        ("(event, context) => context.succeed({ a: 1 })", {"a": 1}),
        ("(event, context) => context.done(null, 'done')", "done"),
        ("(event, context, callback) => { callback(null, 1); callback(null, 2); }", 2),
        ("async (event, context, callback) => { callback(null, 'first'); await new Promise(() => {}); }", "first"),
        ("async () => {}", None),
        ("() => {}", None),
        ("() => new Promise(() => {})", None),
        ("async () => () => 1", None),
        ("async () => ({ text: 'ü€😀', none: undefined })", {"text": "ü€😀"}),
    ],
)
def test_each_way_to_answer(shared_rig: SharedRig, code: str, answer: Any) -> None:
    async def test(rig: Rig) -> None:
        function = node(rig, f"exports.handler = {code};")

        assert [await rig.result(function), await rig.result(function)] == [answer, answer]
        assert rig.compute.environments() == 1

    shared_rig.run(test)


def test_a_callback_waits_for_what_is_left_to_do_unless_told_not_to(shared_rig: SharedRig) -> None:
    code = """
exports.handler = (event, context, callback) => {
    context.callbackWaitsForEmptyEventLoop = event;
    const began = Date.now();
    setTimeout(() => console.log("left to do"), 200);
    callback(null, "answer");
};
"""

    async def test(rig: Rig) -> None:
        function = node(rig, code)

        assert await rig.result(function, True) == "answer"
        waited = rig.logs.text.count("left to do")
        outcome = await rig.invoke(function, False)

        assert waited == 1
        assert json.loads(outcome.payload) == "answer"
        assert outcome.duration_ms < 150

    shared_rig.run(test)


def test_the_context_tells_of_the_function_and_its_invocation(shared_rig: SharedRig) -> None:
    code = """
exports.handler = async (event, context) => ({
    ...context, left: context.getRemainingTimeInMillis(), trace: process.env._X_AMZN_TRACE_ID });
"""

    async def test(rig: Rig) -> None:
        function = node(rig, code, memory_mb=256, timeout_seconds=9, version="3")
        invocation = rig.invocation(client_context='{"custom": {"a": 1}}', trace_id="Root=1-2-3")

        outcome = await rig.compute.invoke(function, invocation)

        found = json.loads(outcome.payload)
        assert "/[3]" in found.pop("logStreamName")
        assert 5_000 < found.pop("left") <= 9_000
        assert found == {
            "callbackWaitsForEmptyEventLoop": True,
            "functionVersion": "3",
            "functionName": "f",
            "memoryLimitInMB": "256",
            "logGroupName": "/aws/lambda/f",
            "clientContext": {"custom": {"a": 1}},
            "invokedFunctionArn": ARN,
            "awsRequestId": invocation.request_id,
            "trace": "Root=1-2-3",
        }

    shared_rig.run(test)


def test_the_variables_say_where_modules_are(shared_rig: SharedRig) -> None:
    async def test(rig: Rig) -> None:
        code = "exports.handler = async () => process.env;"

        found = await rig.result(node(rig, code, runtime="nodejs22.x", variables=(("NODE_OPTIONS", "--no-warnings"),)))

        assert found["NODE_PATH"] == (
            "/opt/nodejs/node22/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task"
        )
        assert found["PATH"] == "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"
        assert found["AWS_EXECUTION_ENV"] == "AWS_Lambda_nodejs22.x"
        assert found["NODE_OPTIONS"] == "--no-warnings"
        assert (found["LAMBDA_TASK_ROOT"], found["LAMBDA_RUNTIME_DIR"]) == ("/var/task", "/var/runtime")
        assert not {"PYTHONPATH", "_LAMBDA_TELEMETRY_LOG_FD"} & set(found)

    shared_rig.run(test)


def test_the_console_writes_time_request_level_and_message(shared_rig: SharedRig) -> None:
    code = """
console.log("at the beginning");
exports.handler = async () => {
    console.log("%d pigeons", 3, { fly: true });
    console.debug("quiet"); console.info("informed"); console.warn("warned"); console.error("failed");
    console.log("two\\nlines");
    process.stdout.write("as it is\\n");
};
"""

    async def test(rig: Rig) -> None:
        invocation = rig.invocation()
        await rig.compute.invoke(node(rig, code), invocation)

        lines = [line for line in rig.logs.messages if "\t" in line and not line.startswith(("REPORT", "INIT_"))]
        times, rest = zip(*(line.split("\t", 1) for line in lines), strict=True)
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time) for time in times)
        request_id = invocation.request_id
        assert list(rest) == [
            "undefined\tINFO\tat the beginning\n",
            f"{request_id}\tINFO\t3 pigeons {{ fly: true }}\n",
            f"{request_id}\tDEBUG\tquiet\n",
            f"{request_id}\tINFO\tinformed\n",
            f"{request_id}\tWARN\twarned\n",
            f"{request_id}\tERROR\tfailed\n",
            f"{request_id}\tINFO\ttwo\nlines\n",
        ]
        assert "as it is\n" in rig.logs.messages

    shared_rig.run(test)


def test_json_logs_have_one_object_for_each_message_from_the_level_on(shared_rig: SharedRig) -> None:
    code = """
exports.handler = async (event) => {
    console.debug("too quiet");
    console.log({ order: 7 });
    console.warn("%s left", 3);
    console.error("lost", new RangeError("far"));
    const around = {}; around.around = around;
    console.log(around);
    if (event) throw new TypeError("bad");
};
"""

    async def test(rig: Rig) -> None:
        function = node(rig, code, log_format="JSON", application_log_level="INFO")
        invocation = rig.invocation(True)

        await rig.compute.invoke(function, invocation)

        lines = [json.loads(line) for line in rig.logs.messages if '"level"' in line and '"timestamp"' in line]
        lines = [line for line in lines if line.get("requestId") == invocation.request_id]
        assert [line["level"] for line in lines] == ["INFO", "WARN", "ERROR", "INFO", "ERROR"]
        assert lines[0]["message"] == {"order": 7}
        assert lines[1]["message"] == "3 left"
        assert (lines[2]["errorType"], lines[2]["errorMessage"]) == ("RangeError", "far")
        assert lines[2]["stackTrace"][0] == "RangeError: far"
        assert "[Circular" in lines[3]["message"]
        assert lines[4]["message"]["errorType"] == "TypeError"
        assert lines[4]["message"]["stackTrace"][0] == "TypeError: bad"

    shared_rig.run(test)


@pytest.mark.parametrize(
    ("code", "error_type", "message"),
    [
        ("async () => { throw new TypeError('bad'); }", "TypeError", "bad"),
        ("() => { throw new Error('at once'); }", "Error", "at once"),
        ("(event, context, callback) => callback(new RangeError('far'))", "RangeError", "far"),
        ("(event, context, callback) => callback('text')", "string", "text"),
        ("(event, context) => context.fail(new Error('old'))", "Error", "old"),
        ("async () => { throw 'text'; }", "string", "text"),
        ("async () => { throw undefined; }", "undefined", "undefined"),
        ("async () => { class Lost extends Error { name = 'Lost' }; throw new Lost('here'); }", "Lost", "here"),
        (
            "async () => { const around = {}; around.a = around; return around; }",
            "Error",
            "Unable to stringify response body",
        ),
        ("async () => 10n", "Error", "Unable to stringify response body"),
    ],
)
def test_an_error_is_answered_and_logged_and_the_environment_goes_on(
    shared_rig: SharedRig, code: str, error_type: str, message: str
) -> None:
    async def test(rig: Rig) -> None:
        function = node(rig, f"exports.handler = {code};")

        outcomes = [await rig.invoke(function), await rig.invoke(function)]

        for outcome in outcomes:
            found = failure(outcome)
            assert (found["errorType"], found["errorMessage"]) == (error_type, message)
            assert found["trace"][:1] in ([f"{error_type}: {message}"], [])
            assert set(found) == {"errorType", "errorMessage", "trace"}
        assert rig.logs.text.count(f'\tERROR\tInvoke Error \t{{"errorType":"{error_type}"') == 2
        assert rig.compute.environments() == 1

    shared_rig.run(test)


@pytest.mark.parametrize(
    ("code", "error_type", "message", "title", "status"),
    [
        (
            "Promise.reject(new Error('lost'))",
            "Runtime.UnhandledPromiseRejection",
            "Error: lost",
            "Unhandled Promise Rejection",
            128,
        ),
        ("setTimeout(() => { throw new RangeError('thrown'); })", "RangeError", "thrown", "Uncaught Exception", 129),
    ],
)
def test_what_nobody_catches_fails_the_invocation_and_ends_the_process(
    shared_rig: SharedRig, code: str, error_type: str, message: str, title: str, status: int
) -> None:
    source = f"""
let count = 0;
exports.handler = async (event) => {{
    if (event) {{ {code}; await new Promise((go) => setTimeout(go, 5000)); }}
    return count++;
}};
"""

    async def test(rig: Rig) -> None:
        function = node(rig, source)

        first = await rig.result(function)
        failed = failure(await rig.invoke(function, True))
        after = await rig.result(function)

        assert (failed["errorType"], failed["errorMessage"]) == (error_type, message)
        assert f'\tERROR\t{title} \t{{"errorType":"{error_type}"' in rig.logs.text
        assert (first, after) == (0, 0)

    shared_rig.run(test)


@pytest.mark.parametrize(
    ("files", "handler", "error_type", "message"),
    [
        (
            {"other.js": ECHO},
            "index.handler",
            "Runtime.ImportModuleError",
            "Error: Cannot find module 'index'\nRequire stack:\n- /var/runtime/index.mjs",
        ),
        (
            {"index.js": "require('nope');"},
            "index.handler",
            "Runtime.ImportModuleError",
            "Error: Cannot find module 'nope'",
        ),
        (
            {"index.mjs": "import 'nope';"},
            "index.handler",
            "Runtime.ImportModuleError",
            "Error: Cannot find package 'nope'",
        ),
        (
            {"index.js": "exports.handler = async () => {"},
            "index.handler",
            "Runtime.UserCodeSyntaxError",
            "SyntaxError: Unexpected end of input",
        ),
        (
            {"index.js": "import fs from 'node:fs';"},
            "index.handler",
            "Runtime.UserCodeSyntaxError",
            "SyntaxError: Cannot use import statement outside a module",
        ),
        ({"index.mjs": "export handler"}, "index.handler", "Runtime.UserCodeSyntaxError", "SyntaxError: "),
        (
            {"index.js": "exports.other = 1;"},
            "index.handler",
            "Runtime.HandlerNotFound",
            "index.handler is undefined or not exported",
        ),
        (
            {"index.js": "exports.handler = 1;"},
            "index.handler",
            "Runtime.HandlerNotFound",
            "index.handler is not a function",
        ),
        (
            {"src/index.js": "exports.a = {};"},
            "src/index.a.b.c",
            "Runtime.HandlerNotFound",
            "src/index.a.b.c is undefined or not exported",
        ),
        ({"index.js": ECHO}, "index", "Runtime.MalformedHandlerName", "Bad handler"),
        (
            {"index.js": ECHO},
            "../index.handler",
            "Runtime.MalformedHandlerName",
            "'../index.handler' is not a valid handler",
        ),
        ({"index.js": "throw new RangeError('at once');"}, "index.handler", "RangeError", "at once"),
        ({"index.mjs": "await Promise.reject(new TypeError('late'));"}, "index.handler", "TypeError", "late"),
    ],
)
def test_a_handler_that_cannot_be_loaded_fails_the_init(
    shared_rig: SharedRig, files: dict[str, str], handler: str, error_type: str, message: str
) -> None:
    async def test(rig: Rig) -> None:
        found = failure(await rig.invoke(node(rig, files, handler=handler)))

        assert found["errorType"] == error_type
        assert found["errorMessage"].startswith(message)
        assert f'undefined\tERROR\tUncaught Exception \t{{"errorType":"{error_type}"' in rig.logs.text
        assert f"Phase: init\tStatus: error\tError Type: {error_type}" in rig.logs.text

    shared_rig.run(test)


def test_modules_by_their_syntax_are_for_node_24_or_who_asks_for_them(shared_rig: SharedRig) -> None:
    async def test(rig: Rig) -> None:
        asking = (("NODE_OPTIONS", "--experimental-require-module --experimental-detect-module"),)

        plain = failure(await rig.invoke(node(rig, MODULE)))
        asked = await rig.result(node(rig, MODULE, variables=asking, revision="asked"), 1)
        newer = await rig.result(node(rig, MODULE, runtime="nodejs24.x", revision="newer"), 2)

        assert plain["errorType"] == "Runtime.UserCodeSyntaxError"
        assert (asked, newer) == (1, 2)

    shared_rig.run(test)


def test_node_24_takes_no_handlers_with_a_callback(shared_rig: SharedRig) -> None:
    async def test(rig: Rig) -> None:
        code = "exports.handler = (event, context, callback) => callback(null, 1);"

        found = failure(await rig.invoke(node(rig, code, runtime="nodejs24.x")))

        assert found["errorType"] == "Runtime.CallbackHandlerDeprecated"
        assert found["errorMessage"].startswith("ERROR: AWS Lambda has removed support for callback-based")

    shared_rig.run(test)


def test_an_older_node_runs_on_this_one_and_says_so(shared_rig: SharedRig) -> None:
    async def test(rig: Rig) -> None:
        code = "exports.handler = async () => [process.env.AWS_EXECUTION_ENV, process.versions.node];"

        identifier, version = await rig.result(node(rig, code, runtime="nodejs6.10"))

        assert identifier == "AWS_Lambda_nodejs6.10"
        major, minor, _ = version.split(".")
        assert f"[WARN] nodejs6.10 is not available here: this function runs on nodejs{major}.x\n" in rig.logs.messages
        assert any(
            line.startswith(f"INIT_START Runtime Version: nodejs:{major}.v{minor}\t") for line in rig.logs.messages
        )

    shared_rig.run(test)


STREAM = """
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
export const whole = awslambda.streamifyResponse(async (event, stream, context) => {
    stream.setContentType("text/plain");
    stream.write("a");
    await new Promise((go) => setTimeout(go, 5));
    stream.write("b");
    stream.end();
});
export const piped = awslambda.streamifyResponse(async (event, stream) => {
    await pipeline(Readable.from(["x".repeat(100_000), "y"]), stream);
});
export const http = awslambda.streamifyResponse(async (event, stream) => {
    stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201, headers: { a: "b" } });
    stream.end("body");
});
export const nothing = awslambda.streamifyResponse(async () => {});
export const early = awslambda.streamifyResponse(async () => { throw new TypeError("before"); });
export const late = awslambda.streamifyResponse(async (event, stream) => {
    stream.write("some");
    await new Promise((go) => setTimeout(go, 5));
    throw new TypeError("after");
});
"""


@pytest.mark.parametrize(
    ("handler", "payload"),
    [
        ("whole", b"ab"),
        ("piped", b"x" * 100_000 + b"y"),
        ("http", b'{"statusCode":201,"headers":{"a":"b"}}' + bytes(8) + b"body"),
        ("nothing", b""),
    ],
)
def test_a_stream_is_gathered_for_a_caller_that_wants_the_whole(
    shared_rig: SharedRig, handler: str, payload: bytes
) -> None:
    async def test(rig: Rig) -> None:
        function = node(rig, {"index.mjs": STREAM}, handler=f"index.{handler}")

        outcomes = [await rig.invoke(function), await rig.invoke(function)]

        assert [(outcome.error, outcome.payload) for outcome in outcomes] == [(None, payload)] * 2

    shared_rig.run(test)


@pytest.mark.parametrize("handler", ["early", "late"])
def test_a_stream_that_breaks_off_is_an_error(shared_rig: SharedRig, handler: str) -> None:
    async def test(rig: Rig) -> None:
        outcome = await rig.invoke(node(rig, {"index.mjs": STREAM}, handler=f"index.{handler}"))

        assert failure(outcome)["errorType"] == "TypeError"

    shared_rig.run(test)


SDK = {
    "node_modules/aws-sdk/package.json": '{"main": "lib/aws.js"}',
    "node_modules/aws-sdk/lib/aws.js": "require('./node_loader'); module.exports = require('./core');",
    "node_modules/aws-sdk/lib/node_loader.js": """
const AWS = module.exports = require("./core");
AWS.config = new AWS.Config();
if (process.env.OWN) AWS.config.update({ endpoint: process.env.OWN });
""",
    "node_modules/aws-sdk/lib/core.js": """
exports.Config = class { update(options) { Object.assign(this, options); } };
exports.config = new exports.Config();
""",
}
"""The parts of version 2 of the SDK that matter here, as it has them."""


@pytest.mark.parametrize("code", ["const AWS = require('aws-sdk'); exports.handler = async () => AWS.config;"])
def test_version_2_of_the_sdk_is_led_to_the_platform(shared_rig: SharedRig, code: str) -> None:
    module = "import AWS from 'aws-sdk'; export const handler = async () => AWS.config.endpoint;"

    async def test(rig: Rig) -> None:
        url = await rig.result(
            node(rig, {"index.mjs": "export const handler = async () => process.env.AWS_ENDPOINT_URL"})
        )
        config = await rig.result(node(rig, {"index.js": code, **SDK}))
        imported = await rig.result(node(rig, {"index.mjs": module, **SDK}))
        own = await rig.result(
            node(rig, {"index.mjs": module, **SDK}, variables=(("OWN", "http://own"),), revision="own")
        )

        assert config == {"endpoint": url, "s3ForcePathStyle": True}
        assert (imported, own) == (url, "http://own")

    shared_rig.run(test)


def test_the_heap_fits_the_memory(shared_rig: SharedRig) -> None:
    code = """
const v8 = require("node:v8");
exports.handler = async () => v8.getHeapStatistics().heap_size_limit / 2 ** 20;
"""

    async def test(rig: Rig) -> None:
        assert 400 < await rig.result(node(rig, code, memory_mb=512)) < 512

    shared_rig.run(test)


def test_two_events_at_once_get_an_environment_each(shared_rig: SharedRig) -> None:
    code = """
const own = Math.random();
exports.handler = async () => { await new Promise((go) => setTimeout(go, 300)); return own; };
"""

    async def test(rig: Rig) -> None:
        function = node(rig, code)

        first, second = await asyncio.gather(rig.result(function), rig.result(function))

        assert first != second

    shared_rig.run(test)
