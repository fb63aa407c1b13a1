"""SQS's query protocol literally, as its API reference writes it."""

from __future__ import annotations

from typing import Any

import pytest

from cumulet.kernel.errors import AwsError
from cumulet.wire.errors import modeled
from cumulet.wire.http import HttpRequest
from cumulet.wire.service import encode_error, load

SQS = load("sqs")
QUEUE = "http://localhost:4566/queue/us-east-1/000000000000/q"
ENTITY = b"QueueUrl=http%3A%2F%2Flocalhost%3A4566%2Fqueue%2Fus-east-1%2F000000000000%2Fq&Version=2012-11-05"


def decoded(operation: str, form: bytes) -> dict[str, Any]:
    request = HttpRequest("POST", b"/", b"", {}, b"Action=" + operation.encode() + b"&" + ENTITY + b"&" + form)
    members = SQS.operation(operation).decode("query", request)
    if "QueueUrl" in members:
        assert members.pop("QueueUrl") == QUEUE
    return members


def encoded(operation: str, result: dict[str, Any] | None) -> str:
    body = SQS.operation(operation).encode("query", result, "the-id").body.decode()
    start = f'<?xml version="1.0"?><{operation}Response xmlns="http://queue.amazonaws.com/doc/2012-11-05/">'
    end = f"<ResponseMetadata><RequestId>the-id</RequestId></ResponseMetadata></{operation}Response>"
    assert body.startswith(start)
    assert body.endswith(end)
    return body[len(start) : -len(end)]


@pytest.mark.parametrize(
    ("operation", "form", "members"),
    [
        (
            "CreateQueue",
            b"QueueName=q&Attribute.1.Name=DelaySeconds&Attribute.1.Value=5&Attribute.2.Name=FifoQueue"
            b"&Attribute.2.Value=true&Tag.1.Key=team&Tag.1.Value=a%20b",
            {
                "QueueName": "q",
                "Attributes": {"DelaySeconds": "5", "FifoQueue": "true"},
                "tags": {"team": "a b"},
            },
        ),
        (
            "SendMessage",
            b"MessageBody=hello+world%21&DelaySeconds=5&MessageAttribute.1.Name=n&MessageAttribute.1.Value.StringValue=5"
            b"&MessageAttribute.1.Value.DataType=Number&MessageAttribute.2.Name=b"
            b"&MessageAttribute.2.Value.BinaryValue=AAE%3D&MessageAttribute.2.Value.DataType=Binary"
            b"&MessageSystemAttribute.1.Name=AWSTraceHeader&MessageSystemAttribute.1.Value.StringValue=Root%3D1"
            b"&MessageSystemAttribute.1.Value.DataType=String",
            {
                "MessageBody": "hello world!",
                "DelaySeconds": 5,
                "MessageAttributes": {
                    "n": {"StringValue": "5", "DataType": "Number"},
                    "b": {"BinaryValue": b"\0\1", "DataType": "Binary"},
                },
                "MessageSystemAttributes": {"AWSTraceHeader": {"StringValue": "Root=1", "DataType": "String"}},
            },
        ),
        (
            "SendMessageBatch",
            b"SendMessageBatchRequestEntry.2.Id=b&SendMessageBatchRequestEntry.2.MessageBody=2"
            b"&SendMessageBatchRequestEntry.1.Id=a&SendMessageBatchRequestEntry.1.MessageBody=1"
            b"&SendMessageBatchRequestEntry.10.Id=c&SendMessageBatchRequestEntry.10.MessageBody=3"
            b"&SendMessageBatchRequestEntry.10.MessageAttribute.1.Name=x"
            b"&SendMessageBatchRequestEntry.10.MessageAttribute.1.Value.DataType=String",
            {
                "Entries": [
                    {"Id": "a", "MessageBody": "1"},
                    {"Id": "b", "MessageBody": "2"},
                    {"Id": "c", "MessageBody": "3", "MessageAttributes": {"x": {"DataType": "String"}}},
                ]
            },
        ),
        (
            "ReceiveMessage",
            b"AttributeName.1=All&MessageAttributeName.1=a&MessageAttributeName.2=b.*"
            b"&MessageSystemAttributeName.1=SentTimestamp&WaitTimeSeconds=20",
            {
                "AttributeNames": ["All"],
                "MessageAttributeNames": ["a", "b.*"],
                "MessageSystemAttributeNames": ["SentTimestamp"],
                "WaitTimeSeconds": 20,
            },
        ),
        ("GetQueueAttributes", b"AttributeName=All", {"AttributeNames": ["All"]}),
        (
            "DeleteMessageBatch",
            b"DeleteMessageBatchRequestEntry.1.Id=a&DeleteMessageBatchRequestEntry.1.ReceiptHandle=h",
            {"Entries": [{"Id": "a", "ReceiptHandle": "h"}]},
        ),
        (
            "ChangeMessageVisibilityBatch",
            b"ChangeMessageVisibilityBatchRequestEntry.1.Id=a&ChangeMessageVisibilityBatchRequestEntry.1.ReceiptHandle=h"
            b"&ChangeMessageVisibilityBatchRequestEntry.1.VisibilityTimeout=0",
            {"Entries": [{"Id": "a", "ReceiptHandle": "h", "VisibilityTimeout": 0}]},
        ),
        (
            "AddPermission",
            b"Label=l&AWSAccountId.1=111111111111&ActionName.1=SendMessage&ActionName.2=ReceiveMessage",
            {"Label": "l", "AWSAccountIds": ["111111111111"], "Actions": ["SendMessage", "ReceiveMessage"]},
        ),
        ("TagQueue", b"Tag.1.Key=a&Tag.1.Value=", {"Tags": {"a": ""}}),
        ("TagQueue", b"Tags.1.Key=a&Tags.1.Value=1", {"Tags": {"a": "1"}}),
        ("UntagQueue", b"TagKey.1=a&TagKey.2=b", {"TagKeys": ["a", "b"]}),
        ("SendMessageBatch", b"Entries=", {"Entries": []}),
        (
            "SendMessageBatch",
            b"SendMessageBatchRequestEntry.1.MessageBody=the+service+answers+for+each+entry",
            {"Entries": [{"MessageBody": "the service answers for each entry"}]},
        ),
    ],
)
def test_requests(operation: str, form: bytes, members: dict[str, Any]) -> None:
    assert decoded(operation, form) == members


def test_parameters_of_a_get_request() -> None:
    request = HttpRequest("GET", b"/", b"Action=SendMessage&MessageBody=a%26b&" + ENTITY, {})
    assert SQS.operation("SendMessage").decode("query", request) == {"QueueUrl": QUEUE, "MessageBody": "a&b"}


def test_labels_fill_in_what_the_request_lacks() -> None:
    operation = SQS.operation("PurgeQueue")
    without = HttpRequest("GET", b"/", b"Action=PurgeQueue", {})
    with_url = HttpRequest("GET", b"/", b"Action=PurgeQueue&QueueUrl=own", {})
    assert operation.decode("query", without, {"QueueUrl": "path"}) == {"QueueUrl": "path"}
    assert operation.decode("query", with_url, {"QueueUrl": "path"}) == {"QueueUrl": "own"}


@pytest.mark.parametrize(
    ("operation", "result", "content"),
    [
        ("DeleteMessage", None, ""),
        ("ReceiveMessage", {}, "<ReceiveMessageResult></ReceiveMessageResult>"),
        (
            "ReceiveMessage",
            {
                "Messages": [
                    {
                        "MessageId": "1",
                        "Body": 'a<b>&"c"\r\x00',
                        "Attributes": {"SentTimestamp": "5"},
                        "MessageAttributes": {"n": {"StringValue": "v", "DataType": "String"}},
                    }
                ]
            },
            "<ReceiveMessageResult><Message><MessageId>1</MessageId>"
            "<Body>a&lt;b&gt;&amp;&quot;c&quot;&#xD;\ufffd</Body>"
            "<Attribute><Name>SentTimestamp</Name><Value>5</Value></Attribute>"
            "<MessageAttribute><Name>n</Name><Value><StringValue>v</StringValue><DataType>String</DataType></Value>"
            "</MessageAttribute></Message></ReceiveMessageResult>",
        ),
        (
            "ListQueues",
            {"QueueUrls": ["a", "b"], "NextToken": None},
            "<ListQueuesResult><QueueUrl>a</QueueUrl><QueueUrl>b</QueueUrl></ListQueuesResult>",
        ),
        (
            "SendMessageBatch",
            {
                "Successful": [{"Id": "a", "MessageId": "1", "MD5OfMessageBody": "m"}],
                "Failed": [{"Id": "b", "SenderFault": True, "Code": "C", "Message": "M"}],
            },
            "<SendMessageBatchResult><SendMessageBatchResultEntry><Id>a</Id><MessageId>1</MessageId>"
            "<MD5OfMessageBody>m</MD5OfMessageBody></SendMessageBatchResultEntry><BatchResultErrorEntry><Id>b</Id>"
            "<SenderFault>true</SenderFault><Code>C</Code><Message>M</Message></BatchResultErrorEntry>"
            "</SendMessageBatchResult>",
        ),
        (
            "ListQueueTags",
            {"Tags": {"a": "b"}},
            "<ListQueueTagsResult><Tag><Key>a</Key><Value>b</Value></Tag></ListQueueTagsResult>",
        ),
    ],
)
def test_answers(operation: str, result: dict[str, Any] | None, content: str) -> None:
    assert encoded(operation, result) == content


@pytest.mark.parametrize(
    ("operation", "form", "code", "message"),
    [
        ("SendMessage", b"", "MissingParameter", "The request must contain the parameter MessageBody."),
        ("SetQueueAttributes", b"", "MissingParameter", "The request must contain the parameter Attribute.Name."),
        ("AddPermission", b"Label=l&AWSAccountId.1=1", "MissingParameter", "The request must contain the parameter "
         "ActionName."),
        (
            "SendMessageBatch",
            b"",
            "AWS.SimpleQueueService.EmptyBatchRequest",
            "There should be at least one SendMessageBatchRequestEntry in the request.",
        ),
        (
            "CreateQueue",
            b"",
            "InvalidParameterValue",
            "Value for parameter QueueName is invalid. Reason: Must specify a queue name.",
        ),
        ("ReceiveMessage", b"WaitTimeSeconds=x", "MalformedInput", "STRING_VALUE can not be converted to an Integer"),
    ],
)  # fmt: skip
def test_refusals(operation: str, form: bytes, code: str, message: str) -> None:
    with pytest.raises(AwsError) as refused:
        decoded(operation, form)
    body = encode_error(SQS, "query", refused.value, "the-id").body.decode()
    assert f"<Type>Sender</Type><Code>{code}</Code><Message>{message}</Message><Detail/>" in body


def test_a_request_without_a_queue_is_at_a_wrong_address() -> None:
    with pytest.raises(modeled("sqs", "InvalidAddress")):
        SQS.operation("PurgeQueue").decode("query", HttpRequest("GET", b"/", b"Action=PurgeQueue", {}))


def test_an_error() -> None:
    error = modeled("sqs", "QueueDoesNotExist")("The specified queue does not exist.")
    response = encode_error(SQS, "query", error, "the-id")
    assert response.status == 400
    assert response.headers == [(b"x-amzn-requestid", b"the-id"), (b"content-type", b"text/xml")]
    assert response.body.decode() == (
        '<?xml version="1.0"?><ErrorResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><Error>'
        "<Type>Sender</Type><Code>AWS.SimpleQueueService.NonExistentQueue</Code>"
        "<Message>The specified queue does not exist for this wsdl version.</Message><Detail/></Error>"
        "<RequestId>the-id</RequestId></ErrorResponse>"
    )


def test_every_list_and_map_of_the_model_has_its_name() -> None:
    """A new botocore with a further list or map fails here, not in a user's request."""
    model = SQS.model_for("query")
    shapes = [model.shape_for(name) for name in model.shape_names]
    assert all(shape.member.traits.get("locationName") for shape in shapes if shape.type_name == "list")
    assert all(shape.key.traits.get("locationName") for shape in shapes if shape.type_name == "map")
    assert all("code" in shape.traits["error"] for shape in SQS.model.errors.values())
