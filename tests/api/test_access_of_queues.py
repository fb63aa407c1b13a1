"""Access policies of queues where signatures are checked: who may do what."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from enforcing import OTHER, OWN, ROOT, refused, root_client

from cumulet.testing import Cumulet

ARN = f"arn:aws:sqs:us-east-1:{OTHER}:"
US = {"AWS": OWN}
POLICIES: dict[str, list[dict[str, Any]]] = {
    "sending": [{"Principal": US, "Action": "sqs:SendMessage"}],
    "everything": [{"Principal": US, "Action": "sqs:*"}],
    "for-all": [{"Principal": "*", "Action": "*"}],
    "for-others": [{"Principal": {"AWS": "999999999999"}, "Action": "sqs:*"}],
    "for-a-user": [{"Principal": {"AWS": f"arn:aws:iam::{OWN}:user/bob"}, "Action": "sqs:*"}],
    "for-services": [{"Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:*"}],
    "over-tls": [{"Principal": "*", "Action": "sqs:*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}],
    "from-here": [{"Principal": "*", "Action": "sqs:*", "Condition": {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}}],
    "of-another-queue": [{"Principal": "*", "Action": "sqs:*", "Resource": f"{ARN}other"}],
    "denying": [
        {"Principal": "*", "Action": "sqs:*"},
        {"Effect": "Deny", "Principal": US, "Action": "sqs:SendMessage"},
    ],
    "denying-all-but": [
        {"Principal": "*", "Action": "sqs:*"},
        {"Effect": "Deny", "NotPrincipal": {"AWS": ROOT}, "Action": "sqs:*"},
    ],
}


def policy(name: str, statements: list[dict[str, Any]]) -> str:
    whole = [{"Effect": "Allow", "Resource": ARN + name, **each} for each in statements]
    return json.dumps({"Version": "2012-10-17", "Statement": whole})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cumulet]:
    folder: Path = tmp_path_factory.mktemp("queues") / "data"
    with Cumulet(folder, account=OTHER) as opened:
        sqs = opened.client("sqs")
        sqs.create_queue(QueueName="closed")
        for name, statements in POLICIES.items():
            sqs.create_queue(QueueName=name, Attributes={"Policy": policy(name, statements)})
    with Cumulet(folder, auth="enforce") as enforcing:
        yield enforcing


@pytest.fixture(scope="module")
def sqs(server: Cumulet) -> Any:
    return root_client(server, "sqs")


def url(sqs: Any, name: str) -> str:
    return f"{sqs.meta.endpoint_url}/{OTHER}/{name}"


def silent(action: str, name: str) -> tuple[str, int, str]:
    said = f"User: {ROOT} is not authorized to perform: {action} on resource: {ARN}{name}"
    return "AccessDenied", 403, f"{said} because no resource-based policy allows the {action} action"


def denied(action: str, arn: str) -> tuple[str, int, str]:
    said = f"User: {ROOT} is not authorized to perform: {action} on resource: {arn}"
    return "AccessDenied", 403, f"{said} with an explicit deny in a resource-based policy"


@pytest.mark.parametrize("name", ["sending", "everything", "for-all", "from-here", "denying-all-but"])
def test_another_account_sends_where_the_policy_allows_it(sqs: Any, name: str) -> None:
    one = sqs.send_message(QueueUrl=url(sqs, name), MessageBody="hello")
    batch = sqs.send_message_batch(QueueUrl=url(sqs, name), Entries=[{"Id": "a", "MessageBody": "b"}])

    assert one["MessageId"]
    assert len(batch["Successful"]) == 1


@pytest.mark.parametrize(
    "name", ["closed", "for-others", "for-a-user", "for-services", "over-tls", "of-another-queue", "not-there"]
)
def test_another_account_does_not_send_where_no_statement_allows_it(sqs: Any, name: str) -> None:
    for _ in range(2):
        assert refused(sqs.send_message, QueueUrl=url(sqs, name), MessageBody="m") == silent("sqs:sendmessage", name)
    entries = [{"Id": "a", "MessageBody": "b"}]
    found = refused(sqs.send_message_batch, QueueUrl=url(sqs, name), Entries=entries)

    assert found == silent("sqs:sendmessage", name)


def test_what_is_denied_is_not_done_whatever_is_allowed(sqs: Any) -> None:
    found = refused(sqs.send_message, QueueUrl=url(sqs, "denying"), MessageBody="m")

    assert found == denied("sqs:sendmessage", ARN + "denying")
    assert "Messages" not in sqs.receive_message(QueueUrl=url(sqs, "denying"))


def test_a_permission_is_for_its_actions_alone(sqs: Any) -> None:
    found = refused(sqs.receive_message, QueueUrl=url(sqs, "sending"))

    assert found == silent("sqs:receivemessage", "sending")


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("set_queue_attributes", {"Attributes": {"DelaySeconds": "1"}}),
        ("delete_queue", {}),
        ("tag_queue", {"Tags": {"a": "b"}}),
        ("untag_queue", {"TagKeys": ["a"]}),
        ("list_queue_tags", {}),
        ("add_permission", {"Label": "l", "AWSAccountIds": [OWN], "Actions": ["*"]}),
        ("remove_permission", {"Label": "l"}),
    ],
)
def test_some_things_only_the_owner_does(sqs: Any, operation: str, members: dict[str, Any]) -> None:
    action = f"sqs:{operation.replace('_', '')}"

    assert refused(getattr(sqs, operation), QueueUrl=url(sqs, "everything"), **members) == silent(action, "everything")


def test_tasks_are_the_owners(sqs: Any) -> None:
    assert refused(sqs.start_message_move_task, SourceArn=f"{ARN}everything") == silent(
        "sqs:startmessagemovetask", "everything"
    )
    assert refused(sqs.list_message_move_tasks, SourceArn=f"{ARN}everything") == silent(
        "sqs:listmessagemovetasks", "everything"
    )


def test_another_account_finds_the_queues_that_it_may_find(sqs: Any) -> None:
    found = sqs.get_queue_url(QueueName="everything", QueueOwnerAWSAccountId=OTHER)["QueueUrl"]

    assert found.endswith(f"/{OTHER}/everything")
    for name in ("sending", "closed", "not-there"):
        code, _, message = refused(sqs.get_queue_url, QueueName=name, QueueOwnerAWSAccountId=OTHER)
        assert code == "AWS.SimpleQueueService.NonExistentQueue"
        assert message == "The specified queue does not exist or you do not have access to it."


def test_another_account_reads_attributes_and_purges_if_it_may(sqs: Any) -> None:
    attributes = sqs.get_queue_attributes(QueueUrl=url(sqs, "everything"), AttributeNames=["QueueArn"])
    sqs.purge_queue(QueueUrl=url(sqs, "everything"))

    assert attributes["Attributes"] == {"QueueArn": f"{ARN}everything"}


def test_a_denial_holds_for_the_owner_too(sqs: Any) -> None:
    own = sqs.create_queue(QueueName="own")["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{OWN}:own"
    lock = {"Effect": "Deny", "Principal": "*", "Action": ["sqs:SendMessage", "sqs:DeleteQueue"], "Resource": arn}
    sqs.send_message(QueueUrl=own, MessageBody="m")

    sqs.set_queue_attributes(QueueUrl=own, Attributes={"Policy": json.dumps({"Statement": lock})})

    assert refused(sqs.send_message, QueueUrl=own, MessageBody="m") == denied("sqs:sendmessage", arn)
    assert refused(sqs.delete_queue, QueueUrl=own) == denied("sqs:deletequeue", arn)
    assert len(sqs.receive_message(QueueUrl=own)["Messages"]) == 1
    sqs.set_queue_attributes(QueueUrl=own, Attributes={"Policy": ""})
    sqs.send_message(QueueUrl=own, MessageBody="m")


def test_without_signatures_policies_decide_nothing(cumulet: Cumulet) -> None:
    sqs = cumulet.client("sqs")
    queue = sqs.create_queue(QueueName="locked")["QueueUrl"]
    lock = {"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*"}

    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps({"Statement": lock})})

    assert sqs.send_message(QueueUrl=queue, MessageBody="m")["MessageId"]
