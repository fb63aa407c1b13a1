"""Where subscriptions' messages go: which endpoints a protocol takes, in SNS's words for what it doesn't."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from cumulet.kernel.arns import parse_arn
from cumulet.services.sns import platform_endpoints
from cumulet.services.sns.errors import InvalidParameterException, invalid
from cumulet.services.sns.topic_attributes import not_yet
from cumulet.services.sns.topics import Topic

CONFIRMED_AT_ONCE = frozenset({"sqs", "lambda", "sms", "application"})
HTTP = frozenset({"http", "https"})
NOT_YET = frozenset({"email", "email-json", "firehose"})
REFUSALS = {
    "sqs": "SQS endpoint ARN",
    "lambda": "Lambda endpoint ARN",
    "application": "Application endpoint arn invalid",
}
SERVICES = {"sqs": "sqs", "lambda": "lambda", "application": "sns"}
LONGEST_URL = 2048
_E164 = re.compile(r"\+?[1-9][0-9]{6,14}")
_SEPARATORS = re.compile(r"[ ./()-]")


def checked(topic: Topic, protocol: str, endpoint: str) -> str:
    """Return an endpoint as it is kept; raises InvalidParameterException."""
    if protocol in NOT_YET:
        raise not_yet(f"the protocol {protocol}")
    if protocol not in CONFIRMED_AT_ONCE and protocol not in HTTP:
        raise invalid(f"Amazon SNS does not support this protocol string: {protocol}")
    if not endpoint:
        raise invalid("Endpoint")
    if topic.is_fifo and protocol != "sqs":
        raise invalid(f"Invalid protocol type: {protocol}")
    if protocol in HTTP:
        _check_url(protocol, endpoint)
    elif protocol == "sms":
        return _phone_number(endpoint)
    else:
        _check_arn(topic, protocol, endpoint)
    return endpoint


def _check_url(protocol: str, endpoint: str) -> None:
    if not endpoint.startswith(f"{protocol}://"):
        raise invalid("Endpoint must match the specified protocol")
    try:
        parts = urlsplit(endpoint)
        is_complete = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_complete = False
    if not is_complete or len(endpoint) > LONGEST_URL or any(character <= " " for character in endpoint):
        raise invalid("Endpoint")


def _phone_number(endpoint: str) -> str:
    """Return a number in E.164, which may be given with separators and without the plus sign."""
    number = _SEPARATORS.sub("", endpoint)
    if not _E164.fullmatch(number):
        raise InvalidParameterException(f"Invalid SMS endpoint: {endpoint}")
    return number if number.startswith("+") else f"+{number}"


def _check_arn(topic: Topic, protocol: str, endpoint: str) -> None:
    arn = parse_arn(endpoint)
    if arn is None or arn.service != SERVICES[protocol] or not arn.region or not arn.account:
        raise invalid(REFUSALS[protocol])
    if protocol == "lambda" and not arn.resource.startswith("function:"):
        raise invalid(REFUSALS[protocol])
    if protocol == "application":
        platform_endpoints.key_of(endpoint, "Endpoint")
    if protocol == "sqs" and arn.resource.endswith(".fifo") and not topic.is_fifo:
        raise invalid(
            "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics"
        )
