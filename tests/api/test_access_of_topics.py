"""Access policies of topics, and of what topics deliver to, where signatures are checked: who may do what."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from enforcing import OTHER, OWN, ROOT, refused, root_client
from lambda_functions import zip_of

from cumulet.testing import Cumulet

ARN = f"arn:aws:sns:us-east-1:{OTHER}:"
US = {"AWS": OWN}
EVERYTHING = [
    f"sns:{action}"
    for action in (
        *("GetTopicAttributes", "SetTopicAttributes", "Subscribe", "ListSubscriptionsByTopic", "Publish"),
        *("TagResource", "UntagResource", "ListTagsForResource", "AddPermission", "RemovePermission", "DeleteTopic"),
    )
]
POLICIES: dict[str, list[dict[str, Any]]] = {
    "publishing": [{"Principal": US, "Action": "SNS:Publish"}],
    "everything": [{"Principal": US, "Action": EVERYTHING}],
    "for-all": [{"Principal": "*", "Action": "sns:Pub*"}],
    "for-others": [{"Principal": {"AWS": "999999999999"}, "Action": EVERYTHING}],
    "for-its-owner": [
        {"Principal": "*", "Action": EVERYTHING, "Condition": {"StringEquals": {"AWS:SourceOwner": OTHER}}}
    ],
    "subscribing-mail": [
        {
            "Principal": "*",
            "Action": "sns:Subscribe",
            "Condition": {
                "StringEquals": {"sns:Protocol": "sms"},
                "StringLike": {"sns:Endpoint": "+1415*"},
            },
        }
    ],
    "denying": [
        {"Principal": "*", "Action": EVERYTHING},
        {"Effect": "Deny", "Principal": US, "Action": "sns:Publish"},
    ],
}


def policy(name: str, statements: list[dict[str, Any]]) -> str:
    whole = [{"Effect": "Allow", "Resource": ARN + name, **each} for each in statements]
    return json.dumps({"Version": "2012-10-17", "Statement": whole})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cumulet]:
    folder: Path = tmp_path_factory.mktemp("topics") / "data"
    with Cumulet(folder, account=OTHER) as opened:
        sns = opened.client("sns")
        sns.create_topic(Name="closed")
        granted = sns.create_topic(Name="granted")["TopicArn"]
        sns.add_permission(TopicArn=granted, Label="l", AWSAccountId=[OWN], ActionName=["Publish"])
        for name, statements in POLICIES.items():
            sns.create_topic(Name=name, Attributes={"Policy": policy(name, statements)})
        ours = opened.as_account(OWN).client("sns").create_topic(Name="ours")["TopicArn"]
        sns.subscribe(TopicArn=ours, Protocol="sms", Endpoint="+14155550199")
    with Cumulet(folder, auth="enforce") as enforcing:
        yield enforcing


@pytest.fixture(scope="module")
def sns(server: Cumulet) -> Any:
    return root_client(server, "sns")


@pytest.fixture(scope="module")
def sqs(server: Cumulet) -> Any:
    return root_client(server, "sqs")


def silent(action: str, name: str) -> tuple[str, int, str]:
    said = f"User: {ROOT} is not authorized to perform: {action} on resource: {ARN}{name}"
    return "AuthorizationError", 403, f"{said} because no resource-based policy allows the {action} action"


@pytest.mark.parametrize("name", ["publishing", "everything", "for-all", "granted"])
def test_another_account_publishes_where_the_policy_allows_it(sns: Any, name: str) -> None:
    one = sns.publish(TopicArn=ARN + name, Message="hello")
    batch = sns.publish_batch(TopicArn=ARN + name, PublishBatchRequestEntries=[{"Id": "a", "Message": "b"}])

    assert one["MessageId"]
    assert len(batch["Successful"]) == 1


@pytest.mark.parametrize("name", ["closed", "for-others", "for-its-owner", "subscribing-mail", "not-there"])
def test_another_account_does_not_publish_where_no_statement_allows_it(sns: Any, name: str) -> None:
    entries = [{"Id": "a", "Message": "b"}]
    for _ in range(2):
        assert refused(sns.publish, TopicArn=ARN + name, Message="m") == silent("SNS:Publish", name)

    found = refused(sns.publish_batch, TopicArn=ARN + name, PublishBatchRequestEntries=entries)

    assert found == silent("SNS:Publish", name)


def test_what_is_denied_is_not_done_whatever_is_allowed(sns: Any) -> None:
    found = refused(sns.publish, TopicArn=ARN + "denying", Message="m")

    said = f"User: {ROOT} is not authorized to perform: SNS:Publish on resource: {ARN}denying"
    assert found == ("AuthorizationError", 403, f"{said} with an explicit deny in a resource-based policy")
    assert sns.get_topic_attributes(TopicArn=ARN + "denying")["Attributes"]["Owner"] == OTHER


def test_a_permission_is_for_its_actions_alone(sns: Any) -> None:
    found = refused(sns.get_topic_attributes, TopicArn=ARN + "publishing")

    assert found == silent("SNS:GetTopicAttributes", "publishing")


def test_a_policy_can_ask_who_subscribes_with_what(sns: Any) -> None:
    name = ARN + "subscribing-mail"

    allowed = sns.subscribe(TopicArn=name, Protocol="sms", Endpoint="+14155550100")["SubscriptionArn"]

    assert allowed.startswith(name)
    for protocol, endpoint in [("sms", "+16175550100"), ("https", "https://example.com/+1415")]:
        found = refused(sns.subscribe, TopicArn=name, Protocol=protocol, Endpoint=endpoint)
        assert found == silent("SNS:Subscribe", "subscribing-mail")


def test_a_topics_owner_ends_a_subscription_but_does_not_look_into_it(sns: Any) -> None:
    topic = f"arn:aws:sns:us-east-1:{OWN}:ours"
    [subscription] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    arn = subscription["SubscriptionArn"]
    change = {"AttributeName": "FilterPolicy", "AttributeValue": '{"a": ["b"]}'}

    for ask, members in ((sns.get_subscription_attributes, {}), (sns.set_subscription_attributes, change)):
        found = refused(ask, SubscriptionArn=arn, **members)
        assert found == ("AuthorizationError", 403, "Not authorized to access this subscription")
    sns.unsubscribe(SubscriptionArn=arn)

    assert subscription["Owner"] == OTHER
    assert arn not in str(sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"])


def test_another_account_does_with_a_topic_what_it_may(sns: Any) -> None:
    topic = ARN + "everything"

    sns.tag_resource(ResourceArn=topic, Tags=[{"Key": "a", "Value": "b"}])
    sns.set_topic_attributes(TopicArn=topic, AttributeName="DisplayName", AttributeValue="ours")

    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["DisplayName"] == "ours"
    assert sns.list_tags_for_resource(ResourceArn=topic)["Tags"] == [{"Key": "a", "Value": "b"}]
    assert topic not in str(sns.list_topics()["Topics"])


def test_only_services_act_for_the_owner_of_a_source(sns: Any) -> None:
    """As recorded: a call has no `aws:SourceOwner`, and the default policy takes nothing from the owner."""
    topic = sns.create_topic(Name="sourced")["TopicArn"]
    for condition in ({"Null": {"AWS:SourceOwner": "true"}}, {"StringEquals": {"AWS:SourceOwner": OWN}}):
        lock = {"Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": topic, "Condition": condition}
        text = json.dumps({"Statement": lock})
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=text)
        if "Null" in condition:
            assert refused(sns.publish, TopicArn=topic, Message="m")[0] == "AuthorizationError"
        else:
            assert sns.publish(TopicArn=topic, Message="m")["MessageId"]


def test_a_denial_holds_for_the_owner_too(sns: Any) -> None:
    topic = sns.create_topic(Name="locked")["TopicArn"]
    lock = {"Effect": "Deny", "Principal": "*", "Action": ["sns:Publish", "sns:DeleteTopic"], "Resource": topic}
    sns.publish(TopicArn=topic, Message="m")

    text = json.dumps({"Statement": lock})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=text)

    for ask, members in ((sns.publish, {"Message": "m"}), (sns.delete_topic, {})):
        code, _, message = refused(ask, TopicArn=topic, **members)
        assert code == "AuthorizationError"
        assert message.endswith("with an explicit deny in a resource-based policy")
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue="")
    sns.delete_topic(TopicArn=topic)


def test_without_signatures_policies_decide_nothing(cumulet: Cumulet) -> None:
    client = cumulet.client("sns")
    topic = client.create_topic(Name="locked")["TopicArn"]
    lock = {"Effect": "Deny", "Principal": "*", "Action": EVERYTHING, "Resource": "*"}

    client.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps({"Statement": lock}))

    assert client.publish(TopicArn=topic, Message="m")["MessageId"]


SEND = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}


@pytest.mark.parametrize(
    ("name", "elements", "is_delivered"),
    [
        ("none", None, False),
        ("plain", {}, True),
        ("for-all", {"Principal": "*"}, True),
        ("for-another-service", {"Principal": {"Service": "s3.amazonaws.com"}}, False),
        ("for-the-topic", {"Condition": {"ArnEquals": {"aws:SourceArn": "{topic}"}}}, True),
        (
            "for-topics",
            {"Principal": {"AWS": "*"}, "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*"}}},
            False,
        ),
        ("for-our-topics", {"Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:sns:*:{OWN}:*"}}}, True),
        ("for-an-account", {"Condition": {"StringEquals": {"aws:SourceAccount": OWN}}}, True),
        ("for-no-account", {"Condition": {"StringEquals": {"aws:SourceAccount": OTHER}}}, False),
        ("denied", {"Effect": "Deny"}, False),
    ],
)
def test_a_topic_delivers_to_a_queue_whose_policy_lets_it(
    sns: Any, sqs: Any, name: str, elements: dict[str, Any] | None, *, is_delivered: bool
) -> None:
    topic = sns.create_topic(Name=f"to-{name}")["TopicArn"]
    queue = sqs.create_queue(QueueName=f"of-{name}")["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{OWN}:of-{name}"
    if elements is not None:
        text = json.dumps({"Statement": {**SEND, "Resource": arn, **elements}}).replace("{topic}", topic)
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": text})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    sns.publish(TopicArn=topic, Message="m")

    assert ("Messages" in sqs.receive_message(QueueUrl=queue)) is is_delivered


def test_a_dead_letter_queue_must_let_the_topic_in_too(sns: Any, sqs: Any) -> None:
    topic = sns.create_topic(Name="to-a-closed-one")["TopicArn"]
    queues = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("closed-one", "letters")}
    arns = {name: f"arn:aws:sqs:us-east-1:{OWN}:{name}" for name in queues}
    redrive = json.dumps({"deadLetterTargetArn": arns["letters"]})
    attributes = {"RedrivePolicy": redrive}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arns["closed-one"], Attributes=attributes)

    sns.publish(TopicArn=topic, Message="lost")
    text = json.dumps({"Statement": {**SEND, "Resource": arns["letters"]}})
    sqs.set_queue_attributes(QueueUrl=queues["letters"], Attributes={"Policy": text})
    sns.publish(TopicArn=topic, Message="kept")

    [letter] = sqs.receive_message(QueueUrl=queues["letters"], MaxNumberOfMessages=10)["Messages"]
    assert json.loads(letter["Body"])["Message"] == "kept"
    assert "Messages" not in sqs.receive_message(QueueUrl=queues["closed-one"])


READER = "def handler(event, context):\n    return [record['Sns']['Message'] for record in event.get('Records', [])]\n"


@pytest.fixture(scope="module")
def reader(server: Cumulet) -> str:
    """Return the ARN of a function that returns the messages that it gets."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    role = root_client(server, "iam").create_role(RoleName="worker", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    arn: str = root_client(server, "lambda").create_function(
        FunctionName="reader",
        Runtime="python3.11",
        Role=role,
        Handler="app.handler",
        Code={"ZipFile": zip_of({"app.py": READER})},
    )["FunctionArn"]
    return arn


def test_a_topic_invokes_a_function_whose_policy_lets_it(server: Cumulet, sns: Any, sqs: Any, reader: str) -> None:
    function = root_client(server, "lambda")
    seen = sqs.create_queue(QueueName="seen")["QueueUrl"]
    letters = sqs.create_queue(QueueName="unread")["QueueUrl"]
    letters_arn = f"arn:aws:sqs:us-east-1:{OWN}:unread"
    text = json.dumps({"Statement": {**SEND, "Resource": letters_arn}})
    sqs.set_queue_attributes(QueueUrl=letters, Attributes={"Policy": text})
    destination = {"OnSuccess": {"Destination": f"arn:aws:sqs:us-east-1:{OWN}:seen"}}
    function.put_function_event_invoke_config(FunctionName="reader", DestinationConfig=destination)
    topic = sns.create_topic(Name="to-a-function")["TopicArn"]
    redrive = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": letters_arn})}
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=reader, Attributes=redrive)

    sns.publish(TopicArn=topic, Message="unread")
    function.add_permission(
        FunctionName="reader",
        StatementId="sns",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
        SourceArn=topic,
    )
    sns.publish(TopicArn=topic, Message="read")

    [letter] = sqs.receive_message(QueueUrl=letters, MaxNumberOfMessages=10)["Messages"]
    [record] = sqs.receive_message(QueueUrl=seen, MaxNumberOfMessages=10, WaitTimeSeconds=20)["Messages"]
    assert json.loads(letter["Body"])["Message"] == "unread"
    assert json.loads(record["Body"])["responsePayload"] == ["read"]


@pytest.mark.parametrize("kind", ["sqs", "sns"])
def test_a_functions_role_does_not_send_where_a_policy_denies_it(
    server: Cumulet, sns: Any, sqs: Any, reader: str, kind: str
) -> None:
    function = root_client(server, "lambda")
    queue = sqs.create_queue(QueueName=f"records-{kind}")["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{OWN}:records-{kind}"
    sqs.set_queue_attributes(
        QueueUrl=queue, Attributes={"Policy": json.dumps({"Statement": {**SEND, "Resource": arn}})}
    )
    topic = sns.create_topic(Name="records")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn if kind == "sns" else f"{arn}-of-none")
    target = arn if kind == "sqs" else topic
    lock = {
        "Effect": "Deny",
        "Principal": {"AWS": f"arn:aws:iam::{OWN}:role/worker"},
        "Action": "sqs:SendMessage" if kind == "sqs" else "sns:Publish",
        "Resource": target,
    }

    def set_policy(*statements: dict[str, Any]) -> None:
        text = json.dumps({"Statement": statements}) if statements else ""
        if kind == "sqs":
            sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": text})
        else:
            sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=text)

    set_policy(lock)
    destination = {"OnSuccess": {"Destination": target}}
    function.put_function_event_invoke_config(FunctionName="reader", DestinationConfig=destination)

    function.invoke(FunctionName="reader", InvocationType="Event", Payload=b"{}")
    server.advance(seconds=1)
    denied = sqs.receive_message(QueueUrl=queue)
    set_policy()
    function.invoke(FunctionName="reader", InvocationType="Event", Payload=b"{}")
    server.advance(seconds=1)

    assert "Messages" not in denied
    assert len(sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]) == 1
