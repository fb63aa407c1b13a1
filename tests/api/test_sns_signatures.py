"""Signatures of messages: whoever has the certificate can check them by the rules that AWS publishes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lambda_functions import create
from sns_topics import Topic, fifo_topic

from cumulet.testing import Cumulet

HASHES: dict[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}
SIGNED = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")


def check(envelope: dict[str, Any]) -> None:
    """Check an envelope's signature; raises InvalidSignature."""
    with urlopen(envelope["SigningCertURL"]) as answer:
        certificate = x509.load_pem_x509_certificate(answer.read())
    key = certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    text = "".join(f"{name}\n{envelope[name]}\n" for name in SIGNED if name in envelope)
    version = envelope["SignatureVersion"]
    key.verify(base64.b64decode(envelope["Signature"]), text.encode(), padding.PKCS1v15(), HASHES[version])


def envelope_of(topic: Topic, **members: Any) -> dict[str, Any]:
    listener = topic.listener()
    topic.publish(**members)
    [envelope] = listener.envelopes()
    return envelope


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [{}, {"Subject": "greeting"}], ids=["no subject", "subject"])
def test_a_signature_is_of_the_version_that_the_topic_asks_for(
    cumulet: Cumulet, version: str, subject: dict[str, str]
) -> None:
    topic = Topic(cumulet, SignatureVersion=version)

    envelope = envelope_of(topic, message="héllo\nworld", **subject)

    assert envelope["SignatureVersion"] == version
    check(envelope)


def test_a_topic_signs_with_version_1_unless_told_otherwise(cumulet: Cumulet) -> None:
    envelope = envelope_of(Topic(cumulet))

    assert envelope["SignatureVersion"] == "1"
    check(envelope)


def test_a_changed_message_does_not_match_its_signature(cumulet: Cumulet) -> None:
    envelope = envelope_of(Topic(cumulet))

    with pytest.raises(InvalidSignature):
        check(envelope | {"Message": "other"})


def test_each_protocols_text_has_its_own_signature(cumulet: Cumulet) -> None:
    topic = Topic(cumulet)

    envelope = envelope_of(topic, message='{"default": "all", "sqs": "queues"}', MessageStructure="json")

    assert envelope["Message"] == "queues"
    check(envelope)


def test_the_event_of_a_function_is_signed(cumulet: Cumulet) -> None:
    topic = Topic(cumulet)
    source = (
        "import json, os, boto3\n"
        "def handler(event, context):\n"
        "    boto3.client('sqs').send_message(QueueUrl=os.environ['RESULTS'], MessageBody=json.dumps(event))\n"
    )
    results = topic.queues.standard()
    function = create(cumulet, source=source, Environment={"Variables": {"RESULTS": results.url}})
    topic.subscribe("lambda", function["FunctionArn"])

    topic.publish("hello", Subject="greeting")
    cumulet.advance(seconds=0)

    [body] = results.bodies()
    sns = json.loads(body)["Records"][0]["Sns"]
    check(sns | {"SigningCertURL": sns["SigningCertUrl"]})


def test_messages_of_fifo_topics_have_no_signature(cumulet: Cumulet) -> None:
    topic = fifo_topic(cumulet, ContentBasedDeduplication="true")

    envelope = envelope_of(topic, MessageGroupId="g")

    assert list(envelope) == [
        *("Type", "MessageId", "SequenceNumber", "TopicArn", "Message", "Timestamp", "UnsubscribeURL"),
    ]


def test_the_certificate_is_at_the_host_that_the_publisher_has_used(cumulet: Cumulet) -> None:
    envelope = envelope_of(Topic(cumulet))

    assert envelope["SigningCertURL"].startswith(f"{cumulet.url}/_cumulet/sns/certificates/SimpleNotificationService-")
    assert envelope["SigningCertURL"].endswith(".pem")


def test_there_is_no_other_certificate(cumulet: Cumulet) -> None:
    with pytest.raises(HTTPError) as refusal:
        urlopen(f"{cumulet.url}/_cumulet/sns/certificates/SimpleNotificationService-0.pem")

    refusal.value.close()
    assert refusal.value.code == 404


@pytest.fixture
def restarted(tmp_path: Path) -> Iterator[tuple[Cumulet, dict[str, Any]]]:
    """A server that was started again, and an envelope from before."""
    with Cumulet(tmp_path / "data") as cumulet:
        envelope = envelope_of(Topic(cumulet))
        cumulet.stop()
        cumulet.start()
        yield cumulet, envelope


def test_what_was_signed_before_a_restart_is_still_true(restarted: tuple[Cumulet, dict[str, Any]]) -> None:
    cumulet, envelope = restarted
    name = envelope["SigningCertURL"].rpartition("/")[2]

    check(envelope | {"SigningCertURL": f"{cumulet.url}/_cumulet/sns/certificates/{name}"})
