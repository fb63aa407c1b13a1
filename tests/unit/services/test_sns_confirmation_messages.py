"""What a function of another account is asked."""

from __future__ import annotations

import json

from cumulet.services.sns import signer
from cumulet.services.sns.confirmation_messages import event
from cumulet.services.sns.topics import Topic

TOPIC = Topic(
    id=1, account="1" * 12, region="us-east-1", name="t", attributes={}, tags={}, data_protection="", created_ms=0
)


def test_the_event_that_asks_a_function_has_a_token_and_names_no_subscription() -> None:
    signs = signer.Signer(*signer.new_pair(0))

    text = event(
        "SubscriptionConfirmation", TOPIC, f"{TOPIC.arn}:uuid", "id", "token", 0, signer=signs, base_url="http://here"
    )

    [record] = json.loads(text)["Records"]
    assert (record["EventSource"], record["EventSubscriptionArn"]) == ("aws:sns", None)
    assert record["Sns"].keys() == {
        *("Type", "MessageId", "Token", "TopicArn", "Message", "SubscribeUrl", "Timestamp"),
        *("SignatureVersion", "Signature", "SigningCertUrl"),
    }
    assert (record["Sns"]["Type"], record["Sns"]["Token"]) == ("SubscriptionConfirmation", "token")
    assert record["Sns"]["SubscribeUrl"].startswith("http://here/")
