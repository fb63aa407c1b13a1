"""Lambda: functions in Node.js and with runtimes of their own, with layers and wrapper scripts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambda_functions import create, new_name, zip_of
from sqs_queues import Queues

from cumulet.testing import Cumulet

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
NODE = {"Runtime": "nodejs20.x", "Timeout": 20}

HTTP = (Path(__file__).parents[1] / "runtime_api.bash").read_text()
BASH = (
    HTTP
    + """while true; do
    request GET invocation/next ""
    name=${body#*'"name"'}
    name=${name#*'"'}
    request POST "invocation/$id/response" "{\\"hello\\": \\"${name%%'"'*}\\", \\"from\\": \\"$0\\"}"
done
"""
)


def invoke(cumulet: Cumulet, name: str, event: Any = None) -> Any:
    """Return what a function answers, or the error that it fails with."""
    answer = cumulet.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    return json.loads(answer["Payload"].read())


def layer(cumulet: Cumulet, files: dict[str, str]) -> str:
    """Publish a layer and return the ARN of its version."""
    published = cumulet.client("lambda").publish_layer_version(LayerName=new_name(), Content={"ZipFile": zip_of(files)})
    arn: str = published["LayerVersionArn"]
    return arn


@needs_node
def test_a_node_function_reaches_the_platform(cumulet: Cumulet, queues: Queues) -> None:
    code = """
export const handler = async (event) => {
    const scope = `${process.env.AWS_ACCESS_KEY_ID}/20240101/us-east-1/sqs/aws4_request`;
    const answer = await fetch(process.env.AWS_ENDPOINT_URL, {
        method: "POST",
        headers: {
            "X-Amz-Target": "AmazonSQS.SendMessage",
            "Content-Type": "application/x-amz-json-1.0",
            Authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
            "X-Amz-Security-Token": process.env.AWS_SESSION_TOKEN,
        },
        body: JSON.stringify({ QueueUrl: event.queue, MessageBody: "from Node.js" }),
    });
    return [answer.status, Object.keys(await answer.json()).includes("MessageId")];
};
"""
    queue = queues.standard()
    name = create(cumulet, **NODE, Code={"ZipFile": zip_of({"app.mjs": code})})["FunctionName"]

    found = invoke(cumulet, name, {"queue": queue.url})
    assert found == [200, True]

    [message] = queue.sqs.receive_message(QueueUrl=queue.url)["Messages"]
    assert message["Body"] == "from Node.js"


@needs_node
def test_a_node_function_processes_a_queue_and_says_which_messages_failed(cumulet: Cumulet, queues: Queues) -> None:
    code = """
exports.handler = async ({ Records }) => {
    const failed = Records.filter(({ body }) => body === "bad");
    for (const { body } of Records) console.log("seen", body);
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
};
"""
    queue = queues.standard()
    name = create(cumulet, **NODE, Code={"ZipFile": zip_of({"app.js": code})})["FunctionName"]
    for body in ("good", "bad"):
        queue.sqs.send_message(QueueUrl=queue.url, MessageBody=body)

    cumulet.client("lambda").create_event_source_mapping(
        EventSourceArn=queue.arn, FunctionName=name, FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    cumulet.advance(seconds=0)

    assert sum(queue.counts()) == 1
    found = cumulet.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}", filterPattern="seen")
    assert {event["message"].split("\t")[-1] for event in found["events"]} >= {"seen good\n", "seen bad\n"}


@needs_node
def test_a_failed_node_function_says_how(cumulet: Cumulet) -> None:
    code = "exports.handler = async () => { throw new TypeError('no pigeons'); };"
    name = create(cumulet, **NODE, Code={"ZipFile": zip_of({"app.js": code})})["FunctionName"]

    answer = cumulet.client("lambda").invoke(FunctionName=name, LogType="Tail")

    assert answer["FunctionError"] == "Unhandled"
    error = json.loads(answer["Payload"].read())
    assert (error["errorType"], error["errorMessage"]) == ("TypeError", "no pigeons")
    assert error["trace"][0] == "TypeError: no pigeons"


@pytest.mark.parametrize("runtime", ["provided", "provided.al2", "provided.al2023"])
def test_a_function_brings_its_own_runtime(cumulet: Cumulet, runtime: str) -> None:
    code = {"ZipFile": zip_of({"bootstrap": BASH})}
    name = create(cumulet, Runtime=runtime, Handler="hello", Code=code)["FunctionName"]

    assert invoke(cumulet, name, {"name": "Ben"}) == {"hello": "Ben", "from": "/var/task/bootstrap"}


def test_a_runtime_may_be_in_a_layer(cumulet: Cumulet) -> None:
    settings = {"Runtime": "provided.al2023", "Code": {"ZipFile": zip_of({"data": "1"})}}
    name = create(cumulet, **settings, Layers=[layer(cumulet, {"bootstrap": BASH})])["FunctionName"]

    assert invoke(cumulet, name, {"name": "Ben"}) == {"hello": "Ben", "from": "/opt/bootstrap"}


def test_a_function_without_a_runtime_says_what_it_lacks_until_it_gets_one(cumulet: Cumulet) -> None:
    code = {"ZipFile": zip_of({"data": "1"})}
    name = create(cumulet, Runtime="provided.al2023", Handler="any", Code=code)["FunctionName"]

    failed = invoke(cumulet, name)
    cumulet.client("lambda").update_function_code(FunctionName=name, ZipFile=zip_of({"bootstrap": BASH}))
    served = invoke(cumulet, name, {"name": "Ben"})

    assert failed["errorType"] == "Runtime.InvalidEntrypoint"
    assert failed["errorMessage"].endswith(
        "Error: Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
    )
    assert served["hello"] == "Ben"


def test_layers_are_merged_in_their_order_and_can_be_taken_away(cumulet: Cumulet) -> None:
    source = """
import importlib, os

def handler(names, context):
    found = {name: importlib.import_module(name).place for name in names}
    return [found, sorted(os.listdir("/opt/python"))]
"""
    first = layer(cumulet, {"python/shared.py": "place = 1", "python/first.py": "place = 1"})
    second = layer(cumulet, {"python/shared.py": "place = 2", "python/second.py": "place = 2"})
    name = create(cumulet, source=source, Layers=[first, second])["FunctionName"]
    client = cumulet.client("lambda")

    in_order = invoke(cumulet, name, ["shared", "first", "second"])
    client.update_function_configuration(FunctionName=name, Layers=[second, first])
    reversed_order = invoke(cumulet, name, ["shared"])
    client.update_function_configuration(FunctionName=name, Layers=[])
    without = invoke(cumulet, name, ["shared"])

    files = ["first.py", "second.py", "shared.py"]
    assert in_order == [{"shared": 2, "first": 1, "second": 2}, files]
    assert reversed_order == [{"shared": 1}, files]
    assert without["errorType"] == "ModuleNotFoundError"


@pytest.mark.parametrize("runtime", ["python3.11", pytest.param("nodejs20.x", marks=needs_node)])
def test_a_wrapper_script_of_a_layer_starts_the_runtime(cumulet: Cumulet, runtime: str) -> None:
    wrapper = '#!/bin/bash\nexport WRAPPED="$(basename "$1")"\nexec "$@"\n'
    code = {
        "app.py": "import os\ndef handler(event, context): return os.environ['WRAPPED']",
        "app.js": "exports.handler = async () => process.env.WRAPPED;",
    }
    name = create(
        cumulet,
        Runtime=runtime,
        Timeout=20,
        Code={"ZipFile": zip_of(code)},
        Layers=[layer(cumulet, {"bin/wrapper": wrapper})],
        Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/bin/wrapper"}},
    )["FunctionName"]

    assert invoke(cumulet, name).startswith(runtime[:4])


@pytest.mark.parametrize(
    ("runtime", "needed"),
    [("java21", "a Java virtual machine"), ("dotnet8", ".NET"), ("ruby3.4", "Ruby"), ("python2.7", "Python 2")],
)
def test_what_cannot_be_run_is_refused_by_name_when_it_is_invoked(cumulet: Cumulet, runtime: str, needed: str) -> None:
    name = create(cumulet, Runtime=runtime)["FunctionName"]

    for _ in range(2):
        with pytest.raises(ClientError) as refused:
            invoke(cumulet, name)

        response: Any = refused.value.response
        assert (response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]) == (
            502,
            "InvalidRuntimeException",
        )
        assert response["Error"]["Message"] == (f"The runtime {runtime} needs {needed}, which is not available here.")
