"""Whatever arrives, decoding gives members or an error of AWS's, and the error can be written."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.kernel.errors import AwsError
from cumulet.wire.http import HttpRequest
from cumulet.wire.service import encode_error, load

OPERATIONS = {
    "json": [("sqs", "SendMessageBatch"), ("dynamodb", "PutItem"), ("events", "PutEvents"), ("logs", "PutLogEvents")],
    "query": [
        ("sqs", "SendMessageBatch"),
        ("sns", "Publish"),
        ("cloudformation", "CreateStack"),
        ("sts", "AssumeRole"),
    ],
    "rest-json": [
        ("lambda", "Invoke"),
        ("lambda", "CreateFunction"),
        ("apigateway", "GetResources"),
        ("batch", "ListJobs"),
    ],
}
SQS_NAMES = ["QueueUrl", "Entries", "Entries.1", "SendMessageBatchRequestEntry", "SendMessageBatchRequestEntry.1"]
DYNAMODB_NAMES = ["TableName", "Item", "S", "L", "M", "B", "N", "BOOL"]
OTHER_NAMES = ["Time", "TopicArn", "MessageAttributes.entry.1", "Tags.member.1.Key", "DurationSeconds", "FunctionName"]
MORE_NAMES = ["MaxItems", "Environment", "Variables", "logEvents", "timestamp", "embed", "Message"]
NAMES = st.sampled_from([*SQS_NAMES, *DYNAMODB_NAMES, *OTHER_NAMES, *MORE_NAMES])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
BODIES = st.one_of(
    st.binary(max_size=64),
    st.dictionaries(NAMES, JSON, max_size=5).map(lambda v: orjson.dumps(_fitting(v))),
    st.lists(st.tuples(NAMES, st.binary(max_size=6)), max_size=6).map(
        lambda given: b"&".join(name.encode() + b"=" + value for name, value in given)
    ),
)
HEADERS = st.dictionaries(
    st.sampled_from([b"content-type", b"x-amz-invocation-type", b"x-amz-client-context", b"x-amz-log-type"]),
    st.binary(max_size=12),
    max_size=3,
)
QUERIES = st.binary(max_size=30) | st.sampled_from([b"MaxItems=x", b"embed=a&embed=%ff", b"limit=99999999999999999999"])


def _fitting(value: Any) -> Any:
    """orjson writes integers of 64 bits at most."""
    if isinstance(value, dict):
        return {key: _fitting(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_fitting(item) for item in value]
    return value % 2**60 if isinstance(value, int) and not isinstance(value, bool) else value


@pytest.mark.parametrize(("protocol", "service", "name"), [(p, *o) for p, found in OPERATIONS.items() for o in found])
@settings(max_examples=80, deadline=None)
@given(body=BODIES, headers=HEADERS, query=QUERIES, label=st.text(max_size=8))
def test_no_request_raises_anything_but_an_aws_error(
    protocol: str, service: str, name: str, body: bytes, headers: dict[bytes, bytes], query: bytes, label: str
) -> None:
    wire = load(service)
    request = HttpRequest("POST", b"/", query, headers, body)
    try:
        wire.operation(name).decode(protocol, request, {"FunctionName": label, "restApiId": label})
    except AwsError as error:
        assert encode_error(wire, protocol, error, "the-id").status >= 400
