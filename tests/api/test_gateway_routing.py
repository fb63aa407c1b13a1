"""Services and operations that the platform lacks or AWS does not know, through the clients that ask for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from raw_http import exchange, form, head, json

from cumulet.testing import Cumulet

Ask = Callable[[Any], object]

RUN = "arn:aws:lambda:us-east-1:123456789012:function:f:1/durable-execution/run/0123abcd"
LACKING: list[tuple[str, str, str, Ask]] = [
    ("dynamodb", "DynamoDB_20120810", "ListTables", lambda client: client.list_tables()),
    ("s3", "s3", "ListBuckets", lambda client: client.list_buckets()),
    ("s3", "s3", "GetObject", lambda client: client.get_object(Bucket="bucket", Key="a/b ä")),
    ("lambda", "lambda", "ListCapacityProviders", lambda client: client.list_capacity_providers()),
    ("lambda", "lambda", "StopDurableExecution", lambda client: client.stop_durable_execution(DurableExecutionArn=RUN)),
    ("ec2", "ec2", "DescribeInstances", lambda client: client.describe_instances()),
    ("cloudwatch", "cloudwatch", "ListDashboards", lambda client: client.list_dashboards()),
    ("cloudformation", "cloudformation", "ListStacks", lambda client: client.list_stacks()),
    ("iam", "iam", "ListUsers", lambda client: client.list_users()),
    ("events", "AWSEvents", "ListRules", lambda client: client.list_rules()),
    ("stepfunctions", "AWSStepFunctions", "ListStateMachines", lambda client: client.list_state_machines()),
    ("route53", "route53", "ListHostedZones", lambda client: client.list_hosted_zones()),
    ("apigateway", "apigateway", "GetRestApis", lambda client: client.get_rest_apis()),
    ("sts", "sts", "GetSessionToken", lambda client: client.get_session_token()),
]


@pytest.mark.parametrize(("service", "named", "operation", "ask"), LACKING, ids=[f"{it[0]} {it[2]}" for it in LACKING])
def test_what_is_lacking_is_refused_by_name_in_the_clients_protocol(
    cumulet: Cumulet, service: str, named: str, operation: str, ask: Ask
) -> None:
    with pytest.raises(ClientError) as refused:
        ask(cumulet.client(service))

    error = refused.value.response["Error"]
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert error["Code"] == "InternalFailure"
    assert f"{operation} of {named}" in error["Message"]


def test_an_s3_client_that_asks_without_a_body_to_read_gets_the_status(cumulet: Cumulet) -> None:
    with pytest.raises(ClientError, match="501"):
        cumulet.client("s3").head_bucket(Bucket="bucket")


def test_an_unknown_operation_of_a_json_service_is_named_so(cumulet: Cumulet) -> None:
    answer = exchange(cumulet.url, json(b"MakeCoffee", b"{}"))

    assert answer.status == 404
    assert answer.json() == {"__type": "com.amazon.coral.service#UnknownOperationException"}


@pytest.mark.parametrize("path", [b"/", b"/queue/us-east-1/000000000000/orders", b"/000000000000/orders"])
def test_an_unknown_action_is_not_valid_for_the_endpoint(cumulet: Cumulet, path: bytes) -> None:
    answer = exchange(cumulet.url, form(b"Action=MakeCoffee&Version=2012-11-05", path))

    assert answer.status == 400
    assert b"<Code>InvalidAction</Code>" in answer.body
    assert b"<Message>The action MakeCoffee is not valid for this endpoint.</Message>" in answer.body


@pytest.mark.parametrize("accept", [b"*/*", b"application/json"])
def test_a_queue_url_without_an_action_is_an_unknown_operation(cumulet: Cumulet, accept: bytes) -> None:
    line = b"GET /queue/us-east-1/000000000000/orders HTTP/1.1"

    answer = exchange(cumulet.url, head(line, b"Accept: " + accept))

    assert (answer.status, answer.body) == (404, b"<UnknownOperationException/>")


def test_json_without_a_target_is_an_unknown_operation(cumulet: Cumulet) -> None:
    request = head(b"POST / HTTP/1.1", b"Content-Type: application/x-amz-json-1.0", b"Content-Length: 2") + b"{}"

    answer = exchange(cumulet.url, request)

    assert answer.status == 404
    assert answer.json()["__type"] == "com.amazon.coral.service#UnknownOperationException"


@pytest.mark.parametrize("target", [b"", b".", b"AmazonSQS", b"AmazonSQS.", b".ListQueues", b"x" * 5000, b"\xe4.\xe4"])
def test_a_target_that_names_nothing_we_know_is_refused(cumulet: Cumulet, target: bytes) -> None:
    types = b"Content-Type: application/x-amz-json-1.0"

    answer = exchange(cumulet.url, head(b"POST / HTTP/1.1", types, b"X-Amz-Target: " + target))

    assert answer.status in (404, 501)
    assert "__type" in answer.json()


def test_an_unsigned_action_of_an_unknown_version_is_refused_by_name(cumulet: Cumulet) -> None:
    answer = exchange(cumulet.url, form(b"Action=ListStacks&Version=2010-05-15"))

    assert answer.status == 501
    assert b"ListStacks" in answer.body
