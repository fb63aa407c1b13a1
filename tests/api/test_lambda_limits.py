"""Lambda: limits that a configuration changes, and whose functions a caller may use in enforce mode."""

from __future__ import annotations

import configparser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError
from lambda_functions import SOURCE, create, zip_of
from quotas import with_quotas

from cumulet.testing import Cumulet

PACKAGE = zip_of({"app.py": SOURCE})


def refusal(error: pytest.ExceptionInfo[ClientError]) -> tuple[int, str, str]:
    response: Any = error.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"], response["Error"]["Message"]


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cumulet]:
    """Return a server with room for two packages and concurrency of 110."""
    quotas = {
        "lambda:code-storage-bytes": 2 * len(PACKAGE),
        "lambda:concurrent-executions": 110,
        "lambda:GetAccountSettings": 1,
    }
    with with_quotas(tmp_path_factory.mktemp("limited"), quotas) as server:
        yield server


def test_packages_of_an_account_may_not_be_larger_than_allowed_together(limited: Cumulet) -> None:
    account = limited.as_account("111111111111")
    client = account.client("lambda")
    create(account, "a")
    create(account, "b")
    larger = zip_of({"app.py": SOURCE, "more.py": "more = 1\n"})

    with pytest.raises(ClientError) as third:
        create(account, "c")
    with pytest.raises(ClientError) as larger_than_before:
        client.update_function_code(FunctionName="b", ZipFile=larger)
    client.update_function_code(FunctionName="b", ZipFile=PACKAGE)
    create(limited.as_account("222222222222"), "a")

    expected = (400, "CodeStorageExceededException", "Code storage limit exceeded.")
    assert refusal(third) == refusal(larger_than_before) == expected
    assert [function["FunctionName"] for function in client.list_functions()["Functions"]] == ["a", "b"]
    assert client.get_function_configuration(FunctionName="b")["CodeSize"] == len(PACKAGE)


def test_what_can_be_reserved_follows_the_accounts_limit(limited: Cumulet) -> None:
    account = limited.as_account("333333333333")
    client = account.client("lambda")
    create(account, "a")

    client.put_function_concurrency(FunctionName="a", ReservedConcurrentExecutions=10)
    with pytest.raises(ClientError) as refused:
        client.put_function_concurrency(FunctionName="a", ReservedConcurrentExecutions=11)

    assert "below its minimum value of [100]" in refusal(refused)[2]
    assert client.get_account_settings()["AccountLimit"]["ConcurrentExecutions"] == 110


def test_requests_over_a_rate_are_throttled_in_the_words_of_lambda(limited: Cumulet) -> None:
    client = limited.client("lambda", account="444444444444")
    client.get_account_settings()

    with pytest.raises(ClientError) as throttled:
        client.get_account_settings()

    assert refusal(throttled) == (429, "TooManyRequestsException", "Rate exceeded")
    response: Any = throttled.value.response
    assert response["Reason"] == "CallerRateLimitExceeded"


@pytest.fixture(scope="module")
def enforcing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return a client of a server that checks signatures."""
    with Cumulet(tmp_path_factory.mktemp("enforcing") / "data", auth="enforce") as server:
        file = configparser.ConfigParser()
        file.read(server.folder / "root-credentials")
        yield boto3.Session().client(
            "lambda",
            endpoint_url=server.url,
            region_name="us-east-1",
            config=Config(retries={"max_attempts": 0}),
            **{name: file["default"][name] for name in ("aws_access_key_id", "aws_secret_access_key")},
        )


OTHERS = "arn:aws:lambda:us-east-1:999999999999:function:hello"


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("GetFunction", {"FunctionName": OTHERS}),
        ("GetFunction", {"FunctionName": "999999999999:function:hello"}),
        ("DeleteFunction", {"FunctionName": OTHERS}),
        ("UpdateFunctionCode", {"FunctionName": OTHERS, "ZipFile": PACKAGE}),
        ("PutFunctionConcurrency", {"FunctionName": OTHERS, "ReservedConcurrentExecutions": 1}),
        ("TagResource", {"Resource": OTHERS, "Tags": {"a": "b"}}),
    ],
)
def test_another_accounts_function_is_out_of_reach_in_enforce_mode(
    enforcing: Any, operation: str, members: dict[str, Any]
) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(enforcing, xform_name(operation))(**members)

    assert refusal(refused) == (
        403,
        "AccessDeniedException",
        f"User: arn:aws:iam::000000000000:root is not authorized to perform: lambda:{operation} on resource: {OTHERS} "
        f"because no resource-based policy allows the lambda:{operation} action",
    )


def test_the_environment_that_was_free_longest_makes_room_for_a_new_one(tmp_path: Path) -> None:
    source = "def handler(event, context):\n    return context.log_stream_name\n"
    with with_quotas(tmp_path, {"lambda:environments": 2}) as cumulet:
        client = cumulet.client("lambda")
        names = [create(cumulet, source=source)["FunctionName"] for _ in range(3)]

        streams = [client.invoke(FunctionName=name)["Payload"].read() for name in (*names, names[2], names[0])]

        assert streams[3] == streams[2]
        assert streams[4] != streams[0]
        assert cumulet.health()["lambda"]["environments"] <= 3  # one may still be ending
