"""Lambda: resource policies of functions, versions and aliases are written, shown and taken back as AWS does it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from lambda_functions import create
from test_lambda_versions import refused, shown, told, without_metadata

from cumulet.testing import Cumulet

INVOKE = {"Action": "lambda:InvokeFunction", "Principal": "sns.amazonaws.com"}
OWNERS = [None, "1", "live"]


def add(cumulet: Cumulet, sid: str, qualifier: str | None = None, **members: Any) -> dict[str, Any]:
    """Add a permission and return the statement."""
    qualified = {} if qualifier is None else {"Qualifier": qualifier}
    answer = cumulet.client("lambda").add_permission(
        FunctionName="hello", StatementId=sid, **{**INVOKE, **qualified, **members}
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    statement: dict[str, Any] = json.loads(answer["Statement"])
    return statement


def policy(cumulet: Cumulet, qualifier: str | None = None) -> dict[str, Any]:
    qualified = {} if qualifier is None else {"Qualifier": qualifier}
    found: dict[str, Any] = json.loads(cumulet.client("lambda").get_policy(FunctionName="hello", **qualified)["Policy"])
    return found


@pytest.fixture
def arn(cumulet: Cumulet) -> str:
    """Return the ARN of a function with a version and an alias."""
    created: str = create(cumulet, "hello", Publish=True)["FunctionArn"]
    cumulet.client("lambda").create_alias(FunctionName="hello", Name="live", FunctionVersion="1")
    return created


@pytest.mark.parametrize("qualifier", OWNERS)
def test_a_permission_is_shown_as_lambda_writes_it(cumulet: Cumulet, arn: str, qualifier: str | None) -> None:
    resource = arn if qualifier is None else f"{arn}:{qualifier}"

    plain = add(cumulet, "plain", qualifier)
    bucket = add(cumulet, "bucket", qualifier, SourceArn="arn:aws:s3:::orders", SourceAccount="111122223333")

    assert plain == {
        "Sid": "plain",
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": resource,
    }
    assert bucket["Condition"] == {
        "StringEquals": {"AWS:SourceAccount": "111122223333"},
        "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::orders"},
    }
    assert policy(cumulet, qualifier) == {"Version": "2012-10-17", "Id": "default", "Statement": [plain, bucket]}


def test_a_permission_may_be_named_by_a_qualified_arn(cumulet: Cumulet, arn: str) -> None:
    client = cumulet.client("lambda")

    client.add_permission(FunctionName=f"{arn}:live", StatementId="s", **INVOKE)

    assert (
        json.loads(client.get_policy(FunctionName="hello:live")["Policy"])["Statement"][0]["Resource"] == f"{arn}:live"
    )


@pytest.mark.usefixtures("arn")
def test_function_version_and_alias_have_policies_of_their_own(cumulet: Cumulet) -> None:
    for qualifier in OWNERS:
        add(cumulet, f"of-{qualifier}", qualifier)

    found = {qualifier: [one["Sid"] for one in policy(cumulet, qualifier)["Statement"]] for qualifier in OWNERS}

    assert found == {qualifier: [f"of-{qualifier}"] for qualifier in OWNERS}


@pytest.mark.parametrize("qualifier", OWNERS)
@pytest.mark.usefixtures("arn")
def test_permissions_are_taken_back_one_by_one(cumulet: Cumulet, qualifier: str | None) -> None:
    client = cumulet.client("lambda")
    qualified = {} if qualifier is None else {"Qualifier": qualifier}
    add(cumulet, "first", qualifier)
    add(cumulet, "second", qualifier)

    answer = client.remove_permission(FunctionName="hello", StatementId="first", **qualified)
    left = policy(cumulet, qualifier)["Statement"]
    client.remove_permission(FunctionName="hello", StatementId="second", **qualified)

    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert [one["Sid"] for one in left] == ["second"]
    with pytest.raises(ClientError) as gone:
        policy(cumulet, qualifier)
    assert refused(gone) == ("ResourceNotFoundException", "The resource you requested does not exist.")
    assert add(cumulet, "first", qualifier)["Sid"] == "first"


@pytest.mark.parametrize("qualifier", OWNERS)
@pytest.mark.usefixtures("arn")
def test_a_policy_has_the_revision_of_what_it_is_of(cumulet: Cumulet, qualifier: str | None) -> None:
    client = cumulet.client("lambda")
    qualified = {} if qualifier is None else {"Qualifier": qualifier}

    def revision() -> str:
        if qualifier == "live":
            return str(client.get_alias(FunctionName="hello", Name="live")["RevisionId"])
        return str(shown(cumulet, "hello", qualifier)["RevisionId"])

    known = [revision()]
    add(cumulet, "first", qualifier, RevisionId=known[-1])
    known.append(revision())
    of_policy = client.get_policy(FunctionName="hello", **qualified)["RevisionId"]
    for name, members in [
        ("add_permission", {"StatementId": "second", **INVOKE}),
        ("remove_permission", {"StatementId": "first"}),
    ]:
        with pytest.raises(ClientError) as late:
            getattr(client, name)(FunctionName="hello", RevisionId=known[0], **qualified, **members)
        assert refused(late)[0] == "PreconditionFailedException"
    client.remove_permission(FunctionName="hello", StatementId="first", RevisionId=of_policy, **qualified)
    known.append(revision())

    assert of_policy == known[1]
    assert len(set(known)) == 3


def test_a_permission_leaves_environments_alone(cumulet: Cumulet) -> None:
    create(
        cumulet, "hello", "import os\ndef handler(event, context):\n    return {'stream': context.log_stream_name}\n"
    )
    before = told(cumulet, "hello")["stream"]

    add(cumulet, "first")

    assert told(cumulet, "hello")["stream"] == before


def test_a_policy_has_20480_bytes_at_the_most(cumulet: Cumulet) -> None:
    create(cumulet, "hello")
    sources = "arn:aws:sns:us-east-1:111122223333:" + "n" * 965
    for number in range(15):
        add(cumulet, f"s{number:02}", SourceArn=sources)
    size = len(cumulet.client("lambda").get_policy(FunctionName="hello")["Policy"])
    overhead = len(json.dumps(add(cumulet, "x", SourceArn="arn:aws:sns:::"), separators=(",", ":"))) + 1
    cumulet.client("lambda").remove_permission(FunctionName="hello", StatementId="x")
    rest = 20480 - size - overhead

    for _ in range(2):
        with pytest.raises(ClientError) as too_long:
            add(cumulet, "y", SourceArn="arn:aws:sns:::" + "n" * (rest + 1))
    add(cumulet, "y", SourceArn="arn:aws:sns:::" + "n" * rest)

    message = "The final policy size (20481) is bigger than the limit (20480)."
    assert refused(too_long) == ("PolicyLengthExceededException", message)
    assert len(cumulet.client("lambda").get_policy(FunctionName="hello")["Policy"]) == 20480


@pytest.mark.usefixtures("arn")
def test_policies_go_with_what_they_are_of(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    for qualifier in OWNERS:
        add(cumulet, "s", qualifier)

    client.delete_alias(FunctionName="hello", Name="live")
    client.create_alias(FunctionName="hello", Name="live", FunctionVersion="$LATEST")
    with pytest.raises(ClientError) as of_alias:
        policy(cumulet, "live")
    client.delete_function(FunctionName="hello")
    create(cumulet, "hello", Publish=True)

    assert refused(of_alias)[0] == "ResourceNotFoundException"
    for qualifier in (None, "1"):
        with pytest.raises(ClientError):
            policy(cumulet, qualifier)


OWNER = "111122223333"
ARN = f"arn:aws:lambda:us-east-1:{OWNER}:function:"
DOCUMENTS: dict[str, dict[str, Any]] = {
    "put-for-all": {},
    "put-for-any": {"Principal": {"AWS": "*"}},
    "put-for-one": {"Principal": {"AWS": ["999999999999", "000000000000"]}, "Action": ["lambda:Get*", "lambda:Inv*"]},
    "put-for-others": {"Principal": {"AWS": ["999999999999"], "Service": "sns.amazonaws.com"}},
    "put-for-reading": {"Action": ["lambda:Get*", "lambda:InvokeFunctionUrl"]},
    "put-on-condition": {"Condition": {"StringLike": {"aws:PrincipalOrgID": "*"}}},
}
"""Functions with whole policies: what is not said is all."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return a client of account 000000000000, which signatures are checked of, beside functions of another account."""
    folder: Path = tmp_path_factory.mktemp("foreign") / "data"
    with Cumulet(folder, account=OWNER) as server:
        client = server.client("lambda")
        everyone = {"Action": "lambda:InvokeFunction", "Principal": "000000000000"}
        for name in ("open", "closed", "shown", "aliased", *DOCUMENTS):
            create(server, name, Publish=True)
        client.add_permission(FunctionName="open", StatementId="s", **everyone)
        client.add_permission(FunctionName="closed", StatementId="s", **{**everyone, "Principal": "999999999999"})
        client.add_permission(FunctionName="shown", StatementId="s", **{**everyone, "Action": "lambda:GetFunction"})
        client.create_alias(FunctionName="aliased", Name="live", FunctionVersion="1")
        client.add_permission(FunctionName="aliased", StatementId="s", Qualifier="live", **everyone)
        for name, elements in DOCUMENTS.items():
            statement = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": ARN + name, **elements}
            client.put_resource_policy(ResourceArn=ARN + name, Policy=json.dumps({"Statement": statement}))
    with Cumulet(folder, auth="enforce") as server:
        session = boto3.Session()
        credentials = dict(
            line.split(" = ") for line in (folder / "root-credentials").read_text().splitlines() if " = " in line
        )
        yield session.client(
            "lambda",
            endpoint_url=server.url,
            region_name="us-east-1",
            config=Config(retries={"max_attempts": 0}),
            **credentials,
        )


@pytest.mark.parametrize("name", ["open", "open:$LATEST", "aliased:live", "put-for-all", "put-for-any", "put-for-one"])
def test_another_account_invokes_what_a_policy_allows_it(root: Any, name: str) -> None:
    answer = root.invoke(FunctionName=ARN + name, Payload=b"7")

    assert answer["Payload"].read() == b"7"


@pytest.mark.parametrize(
    "name",
    [
        *("closed", "shown", "aliased", "aliased:1", "open:1", "unknown"),
        *("put-for-others", "put-for-reading", "put-on-condition", "put-for-all:1"),
    ],
)
def test_another_account_does_not_invoke_what_no_policy_allows(root: Any, name: str) -> None:
    with pytest.raises(ClientError) as denied:
        root.invoke(FunctionName=ARN + name)

    code, message = refused(denied)
    assert code == "AccessDeniedException"
    assert message == (
        "User: arn:aws:iam::000000000000:root is not authorized to perform: lambda:InvokeFunction on resource: "
        f"{ARN}{name} because no resource-based policy allows the lambda:InvokeFunction action"
    )


def test_another_account_sees_what_a_policy_lets_it_see(root: Any) -> None:
    assert without_metadata(root.get_function(FunctionName=f"{ARN}shown"))["Configuration"]["FunctionName"] == "shown"
    with pytest.raises(ClientError):
        root.get_function(FunctionName=f"{ARN}open")
    with pytest.raises(ClientError):
        root.delete_function(FunctionName=f"{ARN}shown")
