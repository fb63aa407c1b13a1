"""SQS in the query protocol, spelled by hand as old clients send it: names, XML answers, queue URLs as endpoints."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from sqs_queues import Queue, Queues
from sqs_wire import Answer, Wire

from cumulet.testing import Cumulet

XMLNS = "http://queue.amazonaws.com/doc/2012-11-05/"


def path_of(queue: Queue) -> str:
    return urlsplit(queue.url).path


def ask(wire: Wire, action: str, **parameters: Any) -> Answer:
    """POST a query to the service's root."""
    return wire.post("/", Action=action, Version="2012-11-05", **parameters)


def succeed(wire: Wire, action: str, **parameters: Any) -> Answer:
    answer = ask(wire, action, **parameters)
    assert answer.status == 200, answer.text
    return answer


def test_answer_is_awss_xml(wire: Wire, queue: Queue) -> None:
    answer = succeed(wire, "GetQueueUrl", QueueName=queue.name)

    request_id = answer.headers["x-amzn-requestid"]
    assert answer.headers["content-type"] == "text/xml"
    assert answer.text == (
        f'<?xml version="1.0"?><GetQueueUrlResponse xmlns="{XMLNS}"><GetQueueUrlResult>'
        f"<QueueUrl>{queue.url}</QueueUrl></GetQueueUrlResult>"
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></GetQueueUrlResponse>"
    )


def test_error_is_awss_xml(wire: Wire) -> None:
    answer = ask(wire, "GetQueueUrl", QueueName="missing")

    request_id = answer.headers["x-amzn-requestid"]
    assert (answer.status, answer.headers["content-type"]) == (400, "text/xml")
    assert answer.text == (
        f'<?xml version="1.0"?><ErrorResponse xmlns="{XMLNS}"><Error><Type>Sender</Type>'
        "<Code>AWS.SimpleQueueService.NonExistentQueue</Code>"
        "<Message>The specified queue does not exist for this wsdl version.</Message><Detail/></Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    )


def test_quotes_in_an_error_are_escaped(wire: Wire, queue: Queue) -> None:
    answer = ask(wire, "DeleteMessage", QueueUrl=queue.url, ReceiptHandle='<"&')

    assert "The input receipt handle &quot;&lt;&quot;&amp;&quot; is not a valid receipt handle." in answer.text


def test_empty_receive_has_an_empty_result(wire: Wire, queue: Queue) -> None:
    assert "<ReceiveMessageResult/>" in succeed(wire, "ReceiveMessage", QueueUrl=queue.url).text.replace(
        "<ReceiveMessageResult></ReceiveMessageResult>", "<ReceiveMessageResult/>"
    )


def test_carriage_return_survives(wire: Wire, queue: Queue) -> None:
    queue.send("a\r\nb\rc")

    answer = succeed(wire, "ReceiveMessage", QueueUrl=queue.url)

    assert answer.texts("Body") == ["a\r\nb\rc"]
    assert "&#xD;" in answer.text


@pytest.mark.parametrize(
    ("action", "parameters"),
    [
        ("AddPermission", {"Label": "l", "AWSAccountId.1": "111122223333", "ActionName.1": "SendMessage"}),
        ("SetQueueAttributes", {"Attribute.1.Name": "DelaySeconds", "Attribute.1.Value": "0"}),
        ("TagQueue", {"Tag.1.Key": "a", "Tag.1.Value": "1"}),
        ("UntagQueue", {"TagKey.1": "a"}),
        ("PurgeQueue", {}),
        ("DeleteQueue", {}),
    ],
)
def test_operation_without_output_has_no_result_element(
    wire: Wire, queue: Queue, action: str, parameters: dict[str, str]
) -> None:
    answer = succeed(wire, action, QueueUrl=queue.url, **parameters)

    assert f"<{action}Response" in answer.text
    assert f"<{action}Result" not in answer.text
    assert answer.texts("RequestId") == [answer.headers["x-amzn-requestid"]]


def test_queue_is_made_with_attributes_and_tags(wire: Wire) -> None:
    parameters = {
        "QueueName": "q.fifo",
        "Attribute.1.Name": "FifoQueue",
        "Attribute.1.Value": "true",
        "Attribute.2.Name": "VisibilityTimeout",
        "Attribute.2.Value": "7",
        "Tag.1.Key": "a",
        "Tag.1.Value": "1",
        "Tag.2.Key": "b",
        "Tag.2.Value": "",
    }
    [url] = succeed(wire, "CreateQueue", **parameters).texts("QueueUrl")

    attributes = {"AttributeName.1": "FifoQueue", "AttributeName.2": "VisibilityTimeout"}
    got = succeed(wire, "GetQueueAttributes", QueueUrl=url, **attributes)
    tags = succeed(wire, "ListQueueTags", QueueUrl=url)

    assert (got.texts("Name"), got.texts("Value")) == (["FifoQueue", "VisibilityTimeout"], ["true", "7"])
    assert (tags.texts("Key"), tags.texts("Value")) == (["a", "b"], ["1", None])


def test_queues_are_listed_by_repeated_elements(wire: Wire, queues: Queues) -> None:
    made = [queues.standard(name).url for name in ("a", "b", "c")]

    first = succeed(wire, "ListQueues", MaxResults="2")
    rest = succeed(wire, "ListQueues", MaxResults="2", NextToken=first.texts("NextToken")[0])

    assert (first.texts("QueueUrl"), rest.texts("QueueUrl")) == (made[:2], made[2:])
    assert rest.texts("NextToken") == []


def test_attributes_tags_and_permissions_are_changed(wire: Wire, queue: Queue) -> None:
    succeed(
        wire,
        "SetQueueAttributes",
        QueueUrl=queue.url,
        **{"Attribute.Name": "x"}
        | {
            "Attribute.1.Name": "DelaySeconds",
            "Attribute.1.Value": "3",
        },
    )
    succeed(wire, "TagQueue", QueueUrl=queue.url, **{"Tag.1.Key": "a", "Tag.1.Value": "1", "Tag.2.Key": "b"})
    succeed(wire, "UntagQueue", QueueUrl=queue.url, **{"TagKey.1": "b"})
    permission = {
        "Label": "l",
        "AWSAccountId.1": "111122223333",
        "AWSAccountId.2": "444455556666",
        "ActionName.1": "SendMessage",
        "ActionName.2": "ReceiveMessage",
    }
    succeed(wire, "AddPermission", QueueUrl=queue.url, **permission)

    [statement] = json.loads(queue.attribute("Policy"))["Statement"]
    assert statement["Action"] == ["SQS:SendMessage", "SQS:ReceiveMessage"]
    assert len(statement["Principal"]["AWS"]) == 2
    assert queue.attribute("DelaySeconds") == "3"
    assert queue.sqs.list_queue_tags(QueueUrl=queue.url)["Tags"] == {"a": "1"}
    succeed(wire, "RemovePermission", QueueUrl=queue.url, Label="l")
    assert queue.attributes("Policy") == {}


def test_tags_of_old_java_clients_are_read_too(wire: Wire, queue: Queue) -> None:
    succeed(wire, "TagQueue", QueueUrl=queue.url, **{"Tags.1.Key": "a", "Tags.1.Value": "1"})

    assert queue.sqs.list_queue_tags(QueueUrl=queue.url)["Tags"] == {"a": "1"}


def test_message_goes_in_and_out_with_all_kinds_of_attributes(wire: Wire, queue: Queue) -> None:
    sent = succeed(
        wire,
        "SendMessage",
        QueueUrl=queue.url,
        MessageBody="body ü",
        DelaySeconds="0",
        **{
            "MessageAttribute.1.Name": "text",
            "MessageAttribute.1.Value.DataType": "String",
            "MessageAttribute.1.Value.StringValue": "There",
            "MessageAttribute.2.Name": "binary",
            "MessageAttribute.2.Value.DataType": "Binary",
            "MessageAttribute.2.Value.BinaryValue": base64.b64encode(b"\x00\xff").decode(),
            "MessageSystemAttribute.1.Name": "AWSTraceHeader",
            "MessageSystemAttribute.1.Value.DataType": "String",
            "MessageSystemAttribute.1.Value.StringValue": "Root=1",
        },
    )
    received = succeed(
        wire,
        "ReceiveMessage",
        QueueUrl=queue.url,
        MaxNumberOfMessages="10",
        VisibilityTimeout="0",
        **{"AttributeName.1": "AWSTraceHeader", "MessageAttributeName.1": "All"},
    )

    assert sent.texts("MD5OfMessageBody") == received.texts("MD5OfBody") == [hashlib.md5("body ü".encode()).hexdigest()]
    assert sent.texts("MD5OfMessageAttributes") == received.texts("MD5OfMessageAttributes")
    assert len(sent.texts("MD5OfMessageSystemAttributes")) == 1
    assert received.texts("Body") == ["body ü"]
    assert sorted(filter(None, received.texts("Name"))) == ["AWSTraceHeader", "binary", "text"]
    assert received.texts("StringValue") == ["There"]
    assert received.texts("BinaryValue") == [base64.b64encode(b"\x00\xff").decode()]
    assert queue.receive_one()["MessageAttributes"]["binary"]["BinaryValue"] == b"\x00\xff"


@pytest.mark.parametrize("name", ["AttributeName.1", "MessageSystemAttributeName.1"])
def test_system_attributes_are_asked_for_by_either_name(wire: Wire, queue: Queue, name: str) -> None:
    queue.send("one")

    answer = succeed(wire, "ReceiveMessage", QueueUrl=queue.url, **{name: "ApproximateReceiveCount"})

    assert (answer.texts("Name"), answer.texts("Value")) == (["ApproximateReceiveCount"], ["1"])


def test_message_is_hidden_and_deleted(wire: Wire, queue: Queue) -> None:
    queue.send("one")
    [handle] = succeed(wire, "ReceiveMessage", QueueUrl=queue.url).texts("ReceiptHandle")

    succeed(wire, "ChangeMessageVisibility", QueueUrl=queue.url, ReceiptHandle=handle, VisibilityTimeout="0")
    assert queue.counts() == (1, 0, 0)
    succeed(wire, "DeleteMessage", QueueUrl=queue.url, ReceiptHandle=handle)
    assert queue.counts() == (0, 0, 0)


def test_batches_are_sent_hidden_and_deleted(wire: Wire, queue: Queue) -> None:
    entry = "SendMessageBatchRequestEntry"
    sent = succeed(
        wire,
        "SendMessageBatch",
        QueueUrl=queue.url,
        **{
            f"{entry}.1.Id": "a",
            f"{entry}.1.MessageBody": "1",
            f"{entry}.1.MessageAttribute.1.Name": "n",
            f"{entry}.1.MessageAttribute.1.Value.DataType": "Number",
            f"{entry}.1.MessageAttribute.1.Value.StringValue": "1",
            f"{entry}.2.Id": "b",
            f"{entry}.2.MessageBody": "",
            f"{entry}.10.Id": "c",
            f"{entry}.10.MessageBody": "3",
            f"{entry}.10.DelaySeconds": "0",
        },
    )
    handles = succeed(wire, "ReceiveMessage", QueueUrl=queue.url, MaxNumberOfMessages="10").texts("ReceiptHandle")
    entry = "ChangeMessageVisibilityBatchRequestEntry"
    changes = {
        f"{entry}.{n}.{k}": v
        for n, h in enumerate(handles, 1)
        for k, v in (("Id", f"i{n}"), ("ReceiptHandle", h), ("VisibilityTimeout", "0"))
    }
    changed = succeed(wire, "ChangeMessageVisibilityBatch", QueueUrl=queue.url, **changes)
    counts = queue.counts()
    entry = "DeleteMessageBatchRequestEntry"
    deletes = {
        f"{entry}.{n}.{k}": v
        for n, h in enumerate([*handles, "garbage"], 1)
        for k, v in (("Id", f"i{n}"), ("ReceiptHandle", h))
    }
    deleted = succeed(wire, "DeleteMessageBatch", QueueUrl=queue.url, **deletes)

    assert "<SendMessageBatchResultEntry><Id>a</Id>" in sent.text
    assert "<BatchResultErrorEntry>" in sent.text
    assert (sent.texts("Id"), sent.texts("SenderFault"), sent.texts("Code")) == (
        ["a", "c", "b"],
        ["true"],
        ["MissingParameter"],
    )
    assert "<ChangeMessageVisibilityBatchResultEntry><Id>i1</Id>" in changed.text
    assert counts == (2, 0, 0)
    assert "<DeleteMessageBatchResultEntry><Id>i1</Id>" in deleted.text
    assert (deleted.texts("Id"), deleted.texts("Code")) == (["i1", "i2", "i3"], ["ReceiptHandleIsInvalid"])
    assert queue.counts() == (0, 0, 0)


def test_move_tasks_are_started_listed_and_cancelled(cumulet: Cumulet, wire: Wire, queues: Queues) -> None:
    queue, dead_letters = queues.standard(), queues.standard()
    queue.bury_in(dead_letters, after=1)
    for _ in range(3):
        dead_letters.send("one")
    source = dead_letters.arn

    started = succeed(
        wire,
        "StartMessageMoveTask",
        SourceArn=source,
        DestinationArn=queue.arn,
        MaxNumberOfMessagesPerSecond="1",
    )
    listed = succeed(wire, "ListMessageMoveTasks", SourceArn=source, MaxResults="5")
    cancelled = succeed(wire, "CancelMessageMoveTask", TaskHandle=started.texts("TaskHandle")[0])
    sources = succeed(wire, "ListDeadLetterSourceQueues", QueueUrl=dead_letters.url)

    assert "<ListMessageMoveTasksResultEntry>" in listed.text
    assert (listed.texts("Status"), listed.texts("TaskHandle")) == (["RUNNING"], started.texts("TaskHandle"))
    assert int(cancelled.texts("ApproximateNumberOfMessagesMoved")[0] or "") <= 1
    assert sources.texts("QueueUrl") == [queue.url]


def test_queue_url_takes_queries_by_get_without_version_or_signature(wire: Wire, queue: Queue) -> None:
    path = path_of(queue)

    assert wire.get(path, Action="SendMessage", MessageBody="by get & ü").status == 200
    received = wire.get(path, Action="ReceiveMessage", **{"AttributeName.1": "All"})
    [handle] = received.texts("ReceiptHandle")
    deleted = wire.get(path, Action="DeleteMessage", ReceiptHandle=handle)

    assert received.texts("Body") == ["by get & ü"]
    assert (deleted.status, queue.counts()) == (200, (0, 0, 0))


def test_short_queue_url_is_an_endpoint_of_the_signatures_region(cumulet: Cumulet, wire: Wire, queue: Queue) -> None:
    answer = wire.post(f"/{cumulet.account}/{queue.name}", Action="SendMessage", MessageBody="one")

    assert (answer.status, queue.counts()) == (200, (1, 0, 0))


def test_queue_url_takes_queries_by_post(wire: Wire, queue: Queue) -> None:
    assert wire.post(path_of(queue), Action="SendMessage", MessageBody="one").status == 200
    assert queue.bodies() == ["one"]


def test_queue_url_parameter_beats_the_path(wire: Wire, queues: Queues) -> None:
    named_by_path, named_by_parameter = queues.standard(), queues.standard()

    wire.get(path_of(named_by_path), Action="SendMessage", MessageBody="one", QueueUrl=named_by_parameter.url)

    assert (named_by_path.counts(), named_by_parameter.counts()) == ((0, 0, 0), (1, 0, 0))


def test_queue_url_takes_json_as_the_root_does(wire: Wire, queues: Queues) -> None:
    queue, other = queues.standard(), queues.standard()
    body = json.dumps({"QueueUrl": other.url, "MessageBody": "one"}).encode()

    answer = wire.json("SendMessage", body, path_of(queue))

    assert (answer.status, answer.headers["content-type"]) == (200, "application/x-amz-json-1.0")
    assert (queue.counts(), other.counts()) == ((0, 0, 0), (1, 0, 0))


@pytest.mark.parametrize("action", ["CreateQueue", "ListQueues", "DoNothing", "", "sendmessage"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_queue_url_refuses_what_is_no_action_of_a_queue(wire: Wire, queue: Queue, action: str, method: str) -> None:
    call = wire.get if method == "GET" else wire.post

    answer = call(path_of(queue), Action=action, QueueName="new")

    message = f"The action {action} is not valid for this endpoint."
    assert answer.error == (400, "InvalidAction", message)
    assert queue.sqs.list_queues()["QueueUrls"] == [queue.url]


@pytest.mark.parametrize("name", ["own", "other"])
def test_queue_url_may_be_asked_for_other_urls(wire: Wire, queues: Queues, name: str) -> None:
    made = {"own": queues.standard("own"), "other": queues.standard("other")}

    answer = wire.get(path_of(made["own"]), Action="GetQueueUrl", QueueName=name, signed=True)

    assert answer.texts("QueueUrl") == [made[name].url]


def test_queue_url_without_an_action_has_no_operation(wire: Wire, queue: Queue) -> None:
    answer = wire.get(path_of(queue))

    assert (answer.status, answer.text) == (404, "<UnknownOperationException/>")


def test_queue_url_of_no_queue(wire: Wire, queue: Queue) -> None:
    answer = wire.get(f"{path_of(queue)}-missing", Action="GetQueueAttributes")

    assert answer.error == (
        400,
        "AWS.SimpleQueueService.NonExistentQueue",
        "The specified queue does not exist for this wsdl version.",
    )


def test_unknown_action_at_the_root(wire: Wire) -> None:
    assert ask(wire, "DoNothing").error == (
        400,
        "InvalidAction",
        "The action DoNothing is not valid for this endpoint.",
    )


@pytest.mark.parametrize(
    ("action", "parameters"),
    [
        ("SendMessage", {"MessageBody": "b", "DelaySeconds": "soon"}),
        ("ReceiveMessage", {"MaxNumberOfMessages": "1.5"}),
        ("ReceiveMessage", {"WaitTimeSeconds": ""}),
    ],
)
def test_number_that_is_none_is_malformed_input(
    wire: Wire, queue: Queue, action: str, parameters: dict[str, str]
) -> None:
    answer = ask(wire, action, QueueUrl=queue.url, **parameters)

    assert answer.error[:2] == (400, "MalformedInput")
    assert queue.counts() == (0, 0, 0)


def test_signed_requests_of_the_query_protocol_are_taken(cumulet: Cumulet, wire: Wire, queue: Queue) -> None:
    credentials = boto3.Session(aws_access_key_id=cumulet.account, aws_secret_access_key="secret").get_credentials()
    body = {"Action": "SendMessage", "QueueUrl": queue.url, "MessageBody": "signed"}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    request = AWSRequest("POST", f"{cumulet.url}/", form, data=body)
    SigV4Auth(credentials, "sqs", "us-east-1").add_auth(request)
    prepared = request.prepare()

    answer = wire.send("POST", "/", prepared.body, dict(prepared.headers.items()), signed=False)

    assert answer.status == 200, answer.text
    assert queue.bodies() == ["signed"]


def test_caller_identity_is_answered_in_query(wire: Wire, cumulet: Cumulet) -> None:
    answer = wire.post("/", signed=False, Action="GetCallerIdentity", Version="2011-06-15")

    assert answer.status == 200
    assert answer.texts("Account") == ["000000000000"]
