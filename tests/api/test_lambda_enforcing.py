"""Functions where signatures are checked: what they may do, and who may use them."""

from __future__ import annotations

import configparser
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from lambda_functions import SOURCE, new_name, zip_of
from test_cli import assert_one_line, run

from cumulet.testing import Cumulet

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}
CALLER = """
import os
import boto3

def handler(event, context):
    sqs, sts, logs = (boto3.client(name) for name in ("sqs", "sts", "logs"))
    url = sqs.create_queue(QueueName="made-by-a-function")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    return {
        "arn": sts.get_caller_identity()["Arn"],
        "received": sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"],
        "groups": [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]],
        "credentials": [os.environ["AWS_" + name] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")],
    }
"""
OTHERS = "arn:aws:lambda:us-east-1:111122223333:function:others"
INVALID_TOKEN = "The security token included in the request is invalid."


class Owner:
    """Who has the root key of a server that checks signatures."""

    def __init__(self, server: Cumulet) -> None:
        self.server = server
        self.file = server.folder / "root-credentials"
        credentials = configparser.ConfigParser()
        credentials.read(self.file)
        self.key, self.secret = credentials["default"].values()
        document = json.dumps(TRUST)
        self.role = self.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=document)["Role"]["Arn"]

    def client(self, service: str, key: str | None = None, secret: str | None = None, token: str | None = None) -> Any:
        return boto3.Session().client(
            service,
            endpoint_url=self.server.url,
            region_name="us-east-1",
            aws_access_key_id=key or self.key,
            aws_secret_access_key=secret or self.secret,
            aws_session_token=token,
            config=Config(retries={"max_attempts": 0}),
        )

    def create(self, source: str = SOURCE) -> str:
        name = new_name()
        self.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.11",
            Role=self.role,
            Handler="app.handler",
            Code={"ZipFile": zip_of({"app.py": source})},
            Timeout=20,
        )
        return name

    def invoke(self, name: str, event: Any = None) -> Any:
        answer = self.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
        return json.loads(answer["Payload"].read())


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    with Cumulet(tmp_path_factory.mktemp("enforcing") / "data", auth="enforce") as server:
        yield Owner(server)


def refusal(ask: Callable[[], object]) -> tuple[str, int, str]:
    with pytest.raises(ClientError) as refused:
        ask()
    response = refused.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Message"]


def test_a_function_acts_with_the_credentials_of_its_role(owner: Owner) -> None:
    name = owner.create(CALLER)

    said = owner.invoke(name)

    assert said["arn"] == f"arn:aws:sts::000000000000:assumed-role/worker/{name}"
    assert said["received"] == "hello"
    assert "QueueUrl" in owner.client("sqs").get_queue_url(QueueName="made-by-a-function")
    assert said["credentials"][0].startswith("ASIA")


def test_its_credentials_end_with_its_environment(owner: Owner) -> None:
    name = owner.create(CALLER)
    credentials = owner.invoke(name)["credentials"]
    sts = owner.client("sts", *credentials)
    before = sts.get_caller_identity()["Arn"]

    owner.client("lambda").delete_function(FunctionName=name)

    def until_refused() -> None:
        for _ in range(1000):
            sts.get_caller_identity()

    assert before.endswith(f"assumed-role/worker/{name}")
    assert refusal(until_refused) == ("InvalidClientTokenId", 403, INVALID_TOKEN)
    assert refusal(owner.client("lambda", *credentials).list_functions)[:2] == ("UnrecognizedClientException", 403)


def test_its_credentials_end_with_the_server(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data", auth="enforce") as server:
        owner = Owner(server)
        name = owner.create(CALLER)
        before = owner.invoke(name)
        server.kill()
        server.start()

        assert refusal(owner.client("sts", *before["credentials"]).get_caller_identity)[0] == "InvalidClientTokenId"
        assert owner.invoke(name)["arn"] == before["arn"]


@pytest.mark.parametrize("token", [None, "another"])
def test_its_key_is_worth_nothing_without_its_token(owner: Owner, token: str | None) -> None:
    key, secret, _ = owner.invoke(owner.create(CALLER))["credentials"]

    assert refusal(owner.client("sts", key, secret, token).get_caller_identity)[0] == "InvalidClientTokenId"


def test_messages_run_functions(owner: Owner) -> None:
    sqs = owner.client("sqs")
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    name = owner.create("def handler(event, context):\n    print('packed', event['Records'][0]['body'])\n")
    arn = "arn:aws:sqs:us-east-1:000000000000:orders"
    owner.client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=name)

    sqs.send_message(QueueUrl=url, MessageBody="tea")
    owner.server.advance(seconds=0)

    found = owner.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}", filterPattern="packed")
    assert [event["message"] for event in found["events"]] == ["packed tea\n"]


REQUESTS: dict[str, Callable[[Any], object]] = {
    "lambda": lambda client: client.invoke(FunctionName="any", Payload=b"{}"),
    "logs": lambda client: client.describe_log_groups(),
    "iam": lambda client: client.list_roles(),
}


@pytest.mark.parametrize(
    ("service", "code", "status"),
    [
        ("lambda", "UnrecognizedClientException", 403),
        ("logs", "UnrecognizedClientException", 400),
        ("iam", "InvalidClientTokenId", 403),
    ],
)
def test_an_unknown_key_is_refused(owner: Owner, service: str, code: str, status: int) -> None:
    client = owner.client(service, key="AKIAIOSFODNN7EXAMPLE")

    assert refusal(lambda: REQUESTS[service](client)) == (code, status, INVALID_TOKEN)


@pytest.mark.parametrize(
    ("service", "code", "status"),
    [
        ("lambda", "InvalidSignatureException", 403),
        ("logs", "InvalidSignatureException", 400),
        ("iam", "SignatureDoesNotMatch", 403),
    ],
)
@pytest.mark.parametrize("how", ["secret", "body"])
def test_a_wrong_signature_is_refused(owner: Owner, service: str, code: str, status: int, how: str) -> None:
    client = owner.client(service, secret="wrong" if how == "secret" else None)
    if how == "body":
        body = {"lambda": b"[]", "logs": b"[]", "iam": b"Action=GetPolicy&Version=2010-05-08"}[service]
        client.meta.events.register(f"before-send.{service}", lambda request, **_: setattr(request, "body", body))

    refused = refusal(lambda: REQUESTS[service](client))

    assert refused[:2] == (code, status)
    assert refused[2].startswith("The request signature we calculated does not match the signature you provided.")


UNSIGNED = {
    "lambda": ("GET", "/2015-03-31/functions", {}, b""),
    "invoke": ("POST", "/2015-03-31/functions/any/invocations", {}, b"{}"),
    "logs": (
        "POST",
        "/",
        {"X-Amz-Target": "Logs_20140328.DescribeLogGroups", "Content-Type": "application/x-amz-json-1.1"},
        b"{}",
    ),
    "iam": (
        "POST",
        "/",
        {"Content-Type": "application/x-www-form-urlencoded"},
        b"Action=ListRoles&Version=2010-05-08",
    ),
}


@pytest.mark.parametrize(
    ("request_of", "status", "said"),
    [
        ("lambda", 403, '{"message":"Request is missing Authentication Token"}'),
        ("invoke", 403, '{"message":"Request is missing Authentication Token"}'),
        ("logs", 400, 'MissingAuthenticationTokenException"'),
        ("iam", 403, "<Code>MissingAuthenticationToken</Code>"),
    ],
)
def test_an_unsigned_request_is_refused(owner: Owner, request_of: str, status: int, said: str) -> None:
    method, path, headers, body = UNSIGNED[request_of]

    with pytest.raises(HTTPError) as refused:
        urlopen(Request(owner.server.url + path, data=body or None, headers=headers, method=method))

    assert (refused.value.code, said in refused.value.read().decode()) == (status, True)
    if request_of in ("lambda", "invoke"):
        assert refused.value.headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("invoke", {}),
        ("get_function", {}),
        ("get_function_configuration", {}),
        ("update_function_code", {"ZipFile": zip_of({"app.py": SOURCE})}),
        ("update_function_configuration", {"Timeout": 5}),
        ("put_function_concurrency", {"ReservedConcurrentExecutions": 1}),
        ("delete_function", {}),
    ],
)
def test_the_functions_of_another_account_are_its_own(owner: Owner, operation: str, members: dict[str, Any]) -> None:
    client = owner.client("lambda")

    code, status, message = refusal(lambda: getattr(client, operation)(FunctionName=OTHERS, **members))

    action = "".join(word.title() for word in operation.split("_"))
    action = "InvokeFunction" if action == "Invoke" else action
    assert (code, status) == ("AccessDeniedException", 403)
    assert message == (
        f"User: arn:aws:iam::000000000000:root is not authorized to perform: lambda:{action} on resource: {OTHERS} "
        f"because no resource-based policy allows the lambda:{action} action"
    )


@pytest.mark.parametrize(
    ("service", "resource", "action"),
    [("sns", "topic", "Publish"), ("events", "event-bus/default", "PutEvents")],
)
def test_a_function_may_not_send_to_another_account(owner: Owner, service: str, resource: str, action: str) -> None:
    client, name = owner.client("lambda"), owner.create()
    destination = f"arn:aws:{service}:us-east-1:999999999999:{resource}"

    code, status, message = refusal(
        lambda: client.put_function_event_invoke_config(
            FunctionName=name, DestinationConfig={"OnFailure": {"Destination": destination}}
        )
    )

    assert (code, status) == ("InvalidParameterValueException", 400)
    assert message == f"The function's execution role does not have permissions to call {action} on {destination}"


def test_a_dead_letter_queue_is_of_the_functions_account(owner: Owner) -> None:
    client, name = owner.client("lambda"), owner.create()
    topic = {"TargetArn": "arn:aws:sns:us-east-1:999999999999:topic"}

    code, status, message = refusal(
        lambda: client.update_function_configuration(FunctionName=name, DeadLetterConfig=topic)
    )

    assert (code, status) == ("InvalidParameterValueException", 400)
    assert message == "The provided execution role does not have permissions to call Publish on SNS"


def test_a_package_can_be_downloaded_by_who_was_given_its_address(owner: Owner) -> None:
    location = owner.client("lambda").get_function(FunctionName=owner.create())["Code"]["Location"]
    base, _, _ = location.partition("?")

    with urlopen(location) as download:
        assert download.read() == zip_of({"app.py": SOURCE})
    with pytest.raises(HTTPError):
        urlopen(base[:-8] + base[-8:].swapcase()[::-1])


def test_commands_use_the_root_key(owner: Owner, tmp_path: Path) -> None:
    name = owner.create()
    key = {"AWS_SHARED_CREDENTIALS_FILE": str(owner.file)}

    invoked = run("invoke", name, "--event", "7", "--url", owner.server.url, folder=tmp_path, **key)
    shown = run("logs", name, "--url", owner.server.url, folder=tmp_path, **key)

    assert (invoked.stdout, invoked.returncode) == ("7\n", 0)
    assert "REPORT RequestId: " in shown.stdout


def test_commands_without_a_key_are_told_where_it_is(owner: Owner, tmp_path: Path) -> None:
    refused = run("invoke", "any", "--url", owner.server.url, folder=tmp_path, HOME=str(tmp_path))

    assert_one_line(refused, 1, INVALID_TOKEN, "root-credentials", "AWS_SHARED_CREDENTIALS_FILE")


def fetched(url: str, body: bytes = b"{}", **headers: str) -> tuple[int, bytes]:
    """Return status and body of a request to a function's URL."""
    request = Request(url, data=body, headers={"Content-Type": "application/json", **headers})
    try:
        with urlopen(request, timeout=20) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


def test_a_url_for_everybody_needs_a_permission_for_everybody(owner: Owner) -> None:
    client, name = owner.client("lambda"), owner.create("def handler(event, context): return 'served'\n")
    url = client.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]
    before = fetched(url)

    client.add_permission(
        FunctionName=name,
        StatementId="everybody",
        Action="lambda:InvokeFunctionUrl",
        Principal="*",
        FunctionUrlAuthType="NONE",
    )
    allowed = fetched(url)
    client.remove_permission(FunctionName=name, StatementId="everybody")

    assert (before[0], b"Forbidden. For troubleshooting" in before[1]) == (403, True)
    assert allowed == (200, b"served")
    assert fetched(url)[0] == 403


def test_a_url_with_iam_takes_only_true_signatures(owner: Owner) -> None:
    name = owner.create("def handler(event, context): return event['requestContext']['accountId']\n")
    url = owner.client("lambda").create_function_url_config(FunctionName=name, AuthType="AWS_IAM")["FunctionUrl"]

    def signed(secret: str) -> dict[str, str]:
        request = AWSRequest("POST", url, data=b"{}", headers={"Content-Type": "application/json"})
        SigV4Auth(Credentials(owner.key, secret), "lambda", "us-east-1").add_auth(request)
        return dict(request.headers.items())

    assert fetched(url, **signed(owner.secret)) == (200, b"000000000000")
    status, body = fetched(url, **signed("wrong"))
    assert (status, b"signature" in body) == (403, True)
    assert fetched(url)[0] == 403
