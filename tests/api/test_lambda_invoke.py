"""Invoke: answers, contexts, logs, limits, and functions that misbehave."""

from __future__ import annotations

import base64
import json
import re
import threading
from typing import Any
from urllib.request import Request, urlopen

import pytest
from botocore.exceptions import ClientError
from lambda_functions import create, zip_of

from cumulet.testing import Cumulet

REQUEST_LIMIT = 6_291_456


class Ran:
    """What an invocation came to."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.status = answer["StatusCode"]
        self.error = answer.get("FunctionError")
        self.request_id = answer["ResponseMetadata"]["RequestId"]
        self.version = answer.get("ExecutedVersion")
        self.content_type = answer["ResponseMetadata"]["HTTPHeaders"]["content-type"]
        self.text = answer["Payload"].read().decode()
        self.log = base64.b64decode(answer.get("LogResult", "")).decode("utf-8", "replace")

    @property
    def value(self) -> Any:
        return json.loads(self.text)


def invoke(cumulet: Cumulet, name: str, event: Any = None, **members: Any) -> Ran:
    client = cumulet.client("lambda", read_timeout=60)
    return Ran(client.invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail", **members))


def made(cumulet: Cumulet, source: str, **settings: Any) -> str:
    name: str = create(cumulet, source=source, **settings)["FunctionName"]
    return name


def logged(cumulet: Cumulet, name: str) -> list[str]:
    """Everything in the function's log group, in order."""
    pages = cumulet.client("logs").get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{name}")
    return [event["message"] for page in pages for event in page["events"]]


def test_a_function_answers_with_what_it_returns(cumulet: Cumulet) -> None:
    name = made(cumulet, "def handler(event, context):\n    return {'got': event, 'n': [1, None, 'ä']}\n")

    ran = invoke(cumulet, name, {"order": 7})

    assert (ran.status, ran.error, ran.version) == (200, None, "$LATEST")
    assert ran.content_type == "application/json"
    assert ran.value == {"got": {"order": 7}, "n": [1, None, "ä"]}


def test_a_plain_http_request_runs_a_function(cumulet_server: Cumulet) -> None:
    """As with AWS's emulator of the Runtime API: no client, no signature."""
    source = "def handler(event, context):\n    return 'Hello, ' + event['queryStringParameters']['name']\n"
    name = made(cumulet_server, source)
    url = f"{cumulet_server.url}/2015-03-31/functions/{name}/invocations"

    with urlopen(Request(url, b'{"queryStringParameters": {"name":"Ben"}}')) as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
        assert json.loads(answer.read()) == "Hello, Ben"


@pytest.mark.parametrize("payload", [b"", b"{}"])
def test_without_a_payload_the_event_is_empty(cumulet: Cumulet, payload: bytes) -> None:
    name = made(cumulet, "def handler(event, context):\n    return event\n")

    answer = cumulet.client("lambda").invoke(FunctionName=name, Payload=payload)

    assert json.loads(answer["Payload"].read()) == {}


@pytest.mark.parametrize("payload", [rb'"\ud83d"', b"1e400", b"1" * 400])
def test_an_event_may_hold_what_json_allows_and_few_parsers_like(cumulet: Cumulet, payload: bytes) -> None:
    name = made(cumulet, "def handler(event, context):\n    return str(event).encode('utf-8', 'replace').decode()\n")

    answer = cumulet.client("lambda").invoke(FunctionName=name, Payload=payload)

    assert "FunctionError" not in answer
    assert json.loads(answer["Payload"].read()) in ("?", "inf", "1" * 400)


@pytest.mark.parametrize("form", ["{name}", "function:{name}", "{account}:function:{name}", "{arn}", "{arn}:$LATEST"])
def test_a_function_can_be_named_in_all_forms(cumulet: Cumulet, form: str) -> None:
    function = create(cumulet)
    named = form.format(name=function["FunctionName"], account=cumulet.account, arn=function["FunctionArn"])

    assert invoke(cumulet, named, 3).value == 3


CONTEXT = """
import os, time
def handler(event, context):
    client = context.client_context
    return {
        "request_id": context.aws_request_id, "arn": context.invoked_function_arn, "name": context.function_name,
        "version": context.function_version, "memory": context.memory_limit_in_mb, "group": context.log_group_name,
        "stream": context.log_stream_name, "left": context.get_remaining_time_in_millis(),
        "custom": client.custom if client else None, "trace": os.environ["_X_AMZN_TRACE_ID"],
        "variables": dict(os.environ), "cwd": os.getcwd(), "file": __file__,
    }
"""


def context_of(length: int) -> str:
    """Return a client context of so many characters, a multiple of four."""
    frame = '{"custom": {"a": ""}}'
    text = frame.replace('""', f'"{"x" * (length // 4 * 3 - len(frame))}"')
    return base64.b64encode(text.encode()).decode()


def test_a_client_context_has_3583_bytes_at_most(cumulet: Cumulet) -> None:
    name = create(cumulet, source=CONTEXT)["FunctionName"]
    largest = context_of(3580)

    ran = invoke(cumulet, name, {}, ClientContext=largest)

    assert len(largest) == 3580
    assert set(ran.value["custom"]["a"]) == {"x"}


def test_the_context_and_the_variables_are_those_that_lambda_documents(cumulet: Cumulet) -> None:
    function = create(
        cumulet, source=CONTEXT, Timeout=20, MemorySize=192, Environment={"Variables": {"STAGE": "test", "TZ_": "x"}}
    )
    name = function["FunctionName"]
    client_context = base64.b64encode(b'{"custom": {"colour": "grey"}}').decode()

    ran = invoke(cumulet, name, {}, ClientContext=client_context)

    said = ran.value
    variables = said["variables"]
    assert (said["request_id"], said["arn"], said["name"]) == (ran.request_id, function["FunctionArn"], name)
    assert (said["version"], said["memory"], said["group"]) == ("$LATEST", "192", f"/aws/lambda/{name}")
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", said["stream"])
    assert 15_000 < said["left"] <= 20_000
    assert said["custom"] == {"colour": "grey"}
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=[01](;.*)?", said["trace"])
    expected = {
        "STAGE": "test",
        "_HANDLER": "app.handler",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "192",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": said["stream"],
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
        "LAMBDA_TASK_ROOT": "/var/task",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "AWS_ENDPOINT_URL": cumulet.url,
        "TZ": ":UTC",
        "LANG": "en_US.UTF-8",
    }
    assert {name: variables.get(name) for name in expected} == expected
    assert all(variables[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"))
    assert not [name for name in variables if name.startswith("CUMULET") or "VIRTUAL_ENV" in name]
    assert (said["cwd"], said["file"]) == ("/var/task", "/var/task/app.py")


def test_a_function_may_have_its_own_time_zone(cumulet: Cumulet) -> None:
    """Lambda: TZ is a variable that a function may set."""
    source = "import time\ndef handler(event, context):\n    return time.strftime('%z', time.localtime(0))\n"
    name = made(cumulet, source, Environment={"Variables": {"TZ": "Asia/Tokyo"}})

    assert invoke(cumulet, name).value == "+0900"


def test_functions_act_in_their_account(cumulet: Cumulet) -> None:
    source = """
import boto3
def handler(event, context):
    return boto3.client("sts").get_caller_identity()["Arn"]
"""
    name = made(cumulet, source, Timeout=10, Role=f"arn:aws:iam::{cumulet.account}:role/service/teller")

    assert invoke(cumulet, name).value == f"arn:aws:sts::{cumulet.account}:assumed-role/teller/{name}"


def test_an_environment_is_used_again_and_initialised_once(cumulet: Cumulet) -> None:
    source = """
import os
print("init")
count = 0
def handler(event, context):
    global count
    count += 1
    return [count, os.getpid(), context.log_stream_name]
"""
    name = made(cumulet, source)

    first, second = invoke(cumulet, name), invoke(cumulet, name)

    assert [first.value[0], second.value[0]] == [1, 2]
    assert first.value[1:] == second.value[1:]
    assert [line.strip() for line in logged(cumulet, name)].count("init") == 1
    assert ("Init Duration:" in first.log, "Init Duration:" in second.log) == (True, False)


def test_environments_take_one_event_at_a_time(cumulet: Cumulet) -> None:
    source = """
import time
busy = False
def handler(event, context):
    global busy
    was_busy, busy = busy, True
    time.sleep(1.5)
    busy = False
    return [was_busy, context.log_stream_name]
"""
    name = made(cumulet, source, Timeout=10)
    results: list[Any] = []
    threads = [threading.Thread(target=lambda: results.append(invoke(cumulet, name).value)) for _ in range(4)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [was_busy for was_busy, _ in results] == [False] * 4
    assert len({stream for _, stream in results}) == 4


def test_a_change_of_code_or_variables_is_what_the_next_event_sees(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    name = made(cumulet, "import os\ndef handler(event, context):\n    return ['one', os.environ.get('STAGE')]\n")
    answers = [invoke(cumulet, name).value]

    client.update_function_configuration(FunctionName=name, Environment={"Variables": {"STAGE": "test"}})
    answers.append(invoke(cumulet, name).value)
    code = "import os\ndef handler(event, context):\n    return ['two', os.environ.get('STAGE')]\n"
    client.update_function_code(FunctionName=name, ZipFile=zip_of({"app.py": code}))
    answers.append(invoke(cumulet, name).value)

    assert answers == [["one", None], ["one", "test"], ["two", "test"]]


def test_files_in_tmp_are_the_environments_own_and_the_code_can_not_be_changed(cumulet: Cumulet) -> None:
    source = """
import os
def handler(event, context):
    before = sorted(os.listdir("/tmp"))
    open("/tmp/mine", "w").write("x")
    try:
        open("/var/task/app.py", "w").write("x")
    except OSError as error:
        return [before, error.errno]
"""
    first, second = made(cumulet, source), made(cumulet, source)

    answers = [invoke(cumulet, name).value for name in (first, first, second)]

    assert answers == [[[], 30], [["mine"], 30], [[], 30]]


def test_what_is_printed_is_in_the_log_between_start_and_report(cumulet: Cumulet) -> None:
    source = """
import logging
logging.getLogger().setLevel("INFO")
def handler(event, context):
    print("printed")
    logging.info("several\\nlines")
    return "done"
"""
    name = made(cumulet, source, MemorySize=256)

    ran = invoke(cumulet, name)

    lines = logged(cumulet, name)
    start = next(number for number, line in enumerate(lines) if line.startswith("START"))
    assert lines[start] == f"START RequestId: {ran.request_id} Version: $LATEST\n"
    assert lines[start + 1] == "printed\n"
    assert re.fullmatch(r"\[INFO\]\t\S+Z\t" + ran.request_id + "\tseveral\nlines\n", lines[start + 2])
    assert lines[start + 3] == f"END RequestId: {ran.request_id}\n"
    assert re.fullmatch(
        rf"REPORT RequestId: {ran.request_id}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 256 MB\t"
        r"Max Memory Used: \d+ MB\tInit Duration: [\d.]+ ms\t\n",
        lines[start + 4],
    )
    assert ran.log == "".join(lines[start:])


def test_a_log_tail_has_the_last_4_kb_and_is_there_only_when_asked_for(cumulet: Cumulet) -> None:
    name = made(cumulet, "def handler(event, context):\n    for n in range(1000):\n        print('line', n)\n")

    ran = invoke(cumulet, name)
    plain = cumulet.client("lambda").invoke(FunctionName=name)

    assert len(ran.log.encode()) == 4096
    assert "line 999\n" in ran.log
    assert "LogResult" not in plain


def test_a_dry_run_runs_nothing(cumulet: Cumulet) -> None:
    name = made(cumulet, "print('init')\ndef handler(event, context):\n    print('ran')\n")

    answer = cumulet.client("lambda").invoke(FunctionName=name, InvocationType="DryRun")

    assert (answer["StatusCode"], answer["Payload"].read()) == (204, b"")
    assert cumulet.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"] == []


# Functions that misbehave: the error that the caller gets, a line in the log, and a clean next invocation.
MISBEHAVIOUR: dict[str, tuple[str, dict[str, Any], str | None]] = {
    "raises": (
        "raise ValueError('no pigeons')",
        {"errorType": "ValueError", "errorMessage": "no pigeons"},
        r"\[ERROR\] ValueError: no pigeons",
    ),
    "is not serializable": (
        "return {1, 2}",
        {
            "errorType": "Runtime.MarshalError",
            "errorMessage": "Unable to marshal response: Object of type set is not JSON serializable",
        },
        r"\[ERROR\] Runtime\.MarshalError",
    ),
    "exits": (
        "import sys; sys.exit(3)",
        {
            "errorType": "Runtime.ExitError",
            "errorMessage": "RequestId: {id} Error: Runtime exited with error: exit status 3",
        },
        None,
    ),
    "ends the process": (
        "import os; os._exit(4)",
        {
            "errorType": "Runtime.ExitError",
            "errorMessage": "RequestId: {id} Error: Runtime exited with error: exit status 4",
        },
        r"RequestId: {id} Error: Runtime exited with error: exit status 4",
    ),
    "ends the process well": (
        "import os; os._exit(0)",
        {
            "errorType": "Runtime.ExitError",
            "errorMessage": "RequestId: {id} Error: Runtime exited without providing a reason",
        },
        r"RequestId: {id} Error: Runtime exited without providing a reason",
    ),
    "crashes": (
        "import ctypes; ctypes.string_at(0)",
        {
            "errorType": "Runtime.ExitError",
            "errorMessage": "RequestId: {id} Error: Runtime exited with error: signal: segmentation fault",
        },
        r"RequestId: {id} Error: Runtime exited with error: signal: segmentation fault",
    ),
    "hangs": (
        "import time; time.sleep(60)",
        {"errorType": "Sandbox.Timedout", "errorMessage": "RequestId: {id} Error: Task timed out after 2.00 seconds"},
        r"{id} Task timed out after 2\.00 seconds",
    ),
    "takes too much memory": (
        "import time; block = b'x' * (400 * 2**20); time.sleep(1.5)",
        {
            "errorType": "Runtime.ExitError",
            "errorMessage": "RequestId: {id} Error: Runtime exited with error: signal: killed",
        },
        r"RequestId: {id} Error: Runtime exited with error: signal: killed",
    ),
}


@pytest.mark.parametrize("how", MISBEHAVIOUR)
def test_a_function_that_misbehaves_fails_alone(cumulet: Cumulet, how: str) -> None:
    action, expected, line = MISBEHAVIOUR[how]
    source = f"def handler(event, context):\n    if event:\n        {action}\n    return 'fine'\n"
    name = made(cumulet, source, Timeout=2)
    before = invoke(cumulet, name, None)

    failed = invoke(cumulet, name, {"misbehave": True})
    after = invoke(cumulet, name, None)

    said = {member: failed.value[member] for member in expected}
    assert (failed.status, failed.error) == (200, "Unhandled")
    assert said == {member: text.format(id=failed.request_id) for member, text in expected.items()}
    assert (before.value, after.value, after.error) == ("fine", "fine", None)
    if line is not None:
        text = "".join(logged(cumulet, name))
        assert re.search(line.replace("{id}", failed.request_id), text), text
    for ran in (before, failed, after):
        assert f"START RequestId: {ran.request_id}" in ran.log
        assert f"REPORT RequestId: {ran.request_id}" in ran.log


def test_a_report_says_how_an_invocation_failed(cumulet: Cumulet) -> None:
    """Recorded: what has timed out took exactly its limit; what is billed is that and the init."""
    name = made(cumulet, "import time\ndef handler(event, context):\n    time.sleep(9)\n", Timeout=1)

    ran = invoke(cumulet, name)

    pattern = r"\tDuration: 1000\.00 ms\tBilled Duration: (\d+) ms\t.*\tInit Duration: (.*) ms\tStatus: timeout\n"
    report = re.search(pattern, ran.log)
    assert report is not None, ran.log
    assert 1000 + float(report[2]) <= int(report[1]) < 1001.01 + float(report[2])


INIT_FAILURES: dict[str, tuple[dict[str, str | bytes], str, str, str]] = {
    "no such module": (
        {"other.py": "x = 1"},
        "app.handler",
        "Runtime.ImportModuleError",
        "Unable to import module 'app': No module named 'app'",
    ),
    "no such function": (
        {"app.py": "def other(event, context): pass"},
        "app.handler",
        "Runtime.HandlerNotFound",
        "Handler 'handler' missing on module 'app'",
    ),
    "bad handler": (
        {"app.py": "def handler(event, context): pass"},
        "handler",
        "Runtime.MalformedHandlerName",
        "Bad handler 'handler': not enough values to unpack (expected 2, got 1)",
    ),
    "syntax error": (
        {"app.py": "def handler(event, context)\n    pass\n"},
        "app.handler",
        "Runtime.UserCodeSyntaxError",
        "Syntax error in module 'app': expected ':' (app.py, line 1)",
    ),
    "what it imports is missing": (
        {"app.py": "import msgspec\ndef handler(event, context): pass"},
        "app.handler",
        "Runtime.ImportModuleError",
        "Unable to import module 'app': No module named 'msgspec'",
    ),
    "an error while it is imported": (
        {"app.py": "raise KeyError('settings')\ndef handler(event, context): pass"},
        "app.handler",
        "KeyError",
        "'settings'",
    ),
}


@pytest.mark.parametrize("how", INIT_FAILURES)
def test_a_function_that_can_not_start_says_why_each_time(cumulet: Cumulet, how: str) -> None:
    files, handler, error_type, message = INIT_FAILURES[how]
    name = create(cumulet, Code={"ZipFile": zip_of(files)}, Handler=handler)["FunctionName"]

    for _ in range(2):
        ran = invoke(cumulet, name)

        assert (ran.status, ran.error) == (200, "Unhandled")
        assert (ran.value["errorType"], ran.value["errorMessage"]) == (error_type, message)
        assert f"[ERROR] {error_type}" in "".join(logged(cumulet, name))


def test_a_function_that_exits_while_it_starts_is_told_of(cumulet: Cumulet) -> None:
    name = made(cumulet, "import os\nos._exit(5)\ndef handler(event, context): pass\n")

    ran = invoke(cumulet, name)

    assert ran.error == "Unhandled"
    assert ran.value["errorType"] == "Runtime.ExitError"
    assert ran.value["errorMessage"] == (f"RequestId: {ran.request_id} Error: Runtime exited with error: exit status 5")


def test_a_function_that_prints_100_mb_ends_and_the_server_goes_on(cumulet: Cumulet) -> None:
    source = """
def handler(event, context):
    line = "x" * 1023
    for _ in range(event):
        print(line)
    return "printed"
"""
    name = made(cumulet, source, Timeout=60, MemorySize=256)

    ran = invoke(cumulet, name, 100 * 1024)

    assert (ran.error, ran.value) == (None, "printed")
    assert invoke(cumulet, name, 1).value == "printed"


def test_children_that_outlive_their_invocation_do_no_harm(cumulet: Cumulet) -> None:
    source = """
import os, time
def handler(event, context):
    if os.fork() == 0:
        os.setsid()
        time.sleep(30)
        os._exit(0)
    return os.getpid()
"""
    name = made(cumulet, source, Timeout=5)

    assert invoke(cumulet, name).value == invoke(cumulet, name).value


def test_an_answer_is_taken_once(cumulet: Cumulet) -> None:
    source = """
import os, urllib.request, urllib.error
def post(context, body):
    url = "http://%s/2018-06-01/runtime/invocation/%s/response"
    request = urllib.request.Request(url % (os.environ["AWS_LAMBDA_RUNTIME_API"], context.aws_request_id), data=body)
    try:
        return urllib.request.urlopen(request).status
    except urllib.error.HTTPError as error:
        return error.code
def handler(event, context):
    if event:
        print("statuses", post(context, b'"first"'), post(context, b'"second"'))
    return "third"
"""
    name = made(cumulet, source)

    first, second = invoke(cumulet, name, True), invoke(cumulet, name, False)

    assert (first.value, second.value) == ("first", "third")


def test_an_answer_that_is_too_large_is_an_error(cumulet: Cumulet) -> None:
    name = made(cumulet, "def handler(event, context):\n    return 'x' * event\n", Timeout=20)

    largest, too_large = invoke(cumulet, name, REQUEST_LIMIT - 2), invoke(cumulet, name, REQUEST_LIMIT + 200)

    assert (largest.error, len(largest.text)) == (None, REQUEST_LIMIT)
    assert too_large.error == "Unhandled"
    assert too_large.value["errorType"] == "Function.ResponseSizeTooLarge"
    assert "exceeded maximum allowed payload size (6291556 bytes)" in too_large.value["errorMessage"]
    assert invoke(cumulet, name, 1).value == "x"


def test_a_payload_may_have_6_mb(cumulet: Cumulet) -> None:
    name = made(cumulet, "def handler(event, context):\n    return len(event)\n", Timeout=20)

    assert invoke(cumulet, name, "x" * (REQUEST_LIMIT - 2)).value == REQUEST_LIMIT - 2


@pytest.mark.parametrize(
    ("members", "code", "status", "message"),
    [
        ({"Payload": b"{"}, "InvalidRequestContentException", 400, r"Could not parse request body into json: .*"),
        (
            {"Payload": b"{'a': 1}"},
            "InvalidRequestContentException",
            400,
            r"Could not parse request body into json: .*",
        ),
        (
            {"Payload": b"\xff\xfe"},
            "InvalidRequestContentException",
            400,
            r"Could not parse request body into json: .*",
        ),
        (
            {"Payload": b'"' + b"x" * REQUEST_LIMIT + b'"'},
            "RequestTooLargeException",
            413,
            r"Request must be smaller than 6291456 bytes for the InvokeFunction operation",
        ),
        (
            {"Payload": b"[NaN]"},
            "InvalidRequestContentException",
            400,
            r"Could not parse request body into json: .*",
        ),
        (
            {"Payload": b"[" * 5000 + b"]" * 5000},
            "InvalidRequestContentException",
            400,
            r"Could not parse request body into json: .*",
        ),
        ({"ClientContext": "WzFd"}, "InvalidRequestContentException", 400, r"Client context .*"),
        ({"ClientContext": "not base64!"}, "InvalidRequestContentException", 400, r"Client context .*"),
        ({"ClientContext": "bm90IGpzb24="}, "InvalidRequestContentException", 400, r"Client context .*"),
        (
            {"ClientContext": context_of(3584)},
            "InvalidRequestContentException",
            400,
            r"Client context .* 3583 bytes .*",
        ),
        (
            {"Qualifier": "7"},
            "ResourceNotFoundException",
            404,
            r"Function not found: arn:aws:lambda:us-east-1:\d{12}:function:function-\d+:7",
        ),
        (
            {"FunctionName": "nobodys"},
            "ResourceNotFoundException",
            404,
            r"Function not found: arn:aws:lambda:us-east-1:\d{12}:function:nobodys",
        ),
        (
            {"InvocationType": "Later"},
            "ValidationException",
            400,
            r"1 validation error detected: Value 'Later' at 'invocationType' failed to satisfy constraint: .*",
        ),
        (
            {"LogType": "Head"},
            "ValidationException",
            400,
            r"1 validation error detected: Value 'Head' at 'logType' failed to satisfy constraint: .*",
        ),
        (
            {"FunctionName": "what is this"},
            "ValidationException",
            400,
            r"1 validation error detected: Value 'what is this' at 'functionName' failed to satisfy constraint: .*",
        ),
    ],
)
def test_what_invoke_refuses(cumulet: Cumulet, members: dict[str, Any], code: str, status: int, message: str) -> None:
    client = cumulet.client("lambda", parameter_validation=False)
    given = {"FunctionName": create(cumulet)["FunctionName"], **members}

    with pytest.raises(ClientError) as caught:
        client.invoke(**given)

    response = caught.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    assert re.fullmatch(message, response["Error"]["Message"], re.DOTALL)


def test_a_runtime_that_is_not_on_this_machine_is_named(cumulet: Cumulet) -> None:
    name = create(cumulet, Runtime="dotnet8", Handler="App::App.Function::Handler")["FunctionName"]

    with pytest.raises(ClientError) as caught:
        cumulet.client("lambda").invoke(FunctionName=name)

    error = caught.value.response["Error"]
    assert error["Code"] == "InvalidRuntimeException"
    assert "dotnet8" in error["Message"]


def test_more_than_what_is_reserved_is_throttled(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    name = made(cumulet, "def handler(event, context):\n    return 1\n")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)

    with pytest.raises(ClientError) as caught:
        client.invoke(FunctionName=name)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)

    response = caught.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (
        "TooManyRequestsException",
        429,
    )
    assert response["Error"]["Message"] == "Rate Exceeded."
    assert response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert invoke(cumulet, name).value == 1


def test_advancing_the_clock_waits_for_running_functions(cumulet: Cumulet) -> None:
    source = """
import boto3, time
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=event, MessageBody="began")
    time.sleep(0.5)
    boto3.client("sqs").send_message(QueueUrl=event, MessageBody="ended")
"""
    name = made(cumulet, source, Timeout=20)
    sqs = cumulet.client("sqs")
    url = sqs.create_queue(QueueName="steps")["QueueUrl"]
    thread = threading.Thread(target=lambda: invoke(cumulet, name, url))

    thread.start()
    [began] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    cumulet.advance(seconds=1)
    [ended] = sqs.receive_message(QueueUrl=url)["Messages"]

    thread.join()
    assert (began["Body"], ended["Body"]) == ("began", "ended")
