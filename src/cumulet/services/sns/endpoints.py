"""Where subscriptions' messages go: which endpoints a protocol takes, in SNS's words for what it doesn't."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from cumulet.kernel.arns import parse_arn
from cumulet.services.sns import platform_endpoints
from cumulet.services.sns.errors import InvalidParameterException, invalid
from cumulet.services.sns.topics import Topic

CONFIRMED_AT_ONCE = frozenset({"sqs", "lambda", "firehose", "sms", "application"})
ASKED_IF_FOREIGN = frozenset({"sqs", "lambda"})
HTTP = frozenset({"http", "https"})
MAIL = frozenset({"email", "email-json"})
REFUSALS = {
    "sqs": "SQS endpoint ARN",
    "lambda": "Lambda endpoint ARN",
    "firehose": "Firehose endpoint ARN",
    "application": "Application endpoint arn invalid",
}
SERVICES = {"sqs": "sqs", "lambda": "lambda", "firehose": "firehose", "application": "sns"}
RESOURCES = {"lambda": "function:", "firehose": "deliverystream/"}
"""What the resources of ARNs begin with."""
LONGEST_URL = 2048
LONGEST_ADDRESS = 254
_E164 = re.compile(r"\+?[1-9][0-9]{6,14}")
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_SEPARATORS = re.compile(r"[ ./()-]")


def checked(topic: Topic, protocol: str, endpoint: str) -> str:
    """Return an endpoint as it is kept; raises InvalidParameterException."""
    if protocol not in CONFIRMED_AT_ONCE and protocol not in HTTP and protocol not in MAIL:
        raise invalid(f"Amazon SNS does not support this protocol string: {protocol}")
    if not endpoint:
        raise invalid("Endpoint")
    if topic.is_fifo and protocol != "sqs":
        raise invalid(f"Invalid protocol type: {protocol}")
    if protocol in HTTP:
        _check_url(protocol, endpoint)
    elif protocol in MAIL:
        _check_address(endpoint)
    elif protocol == "sms":
        return _phone_number(endpoint)
    else:
        _check_arn(topic, protocol, endpoint)
    return endpoint


def is_confirmed_at_once(protocol: str, endpoint: str, account: str) -> bool:
    """Return whether an account's subscription of an endpoint waits for nobody.

    SNS: that of a queue or a function does where it is another account's.
    """
    if protocol in ASKED_IF_FOREIGN:
        arn = parse_arn(endpoint)
        return arn is not None and arn.account == account
    return protocol in CONFIRMED_AT_ONCE


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
    if protocol == "http" and parts.username is not None:
        raise invalid("Endpoint Reason: Please use HTTPS for subscriptions that contain inline credentials")


def _check_address(endpoint: str) -> None:
    if not _ADDRESS.fullmatch(endpoint) or len(endpoint) > LONGEST_ADDRESS:
        raise invalid("Email address")


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
    if not arn.resource.startswith(RESOURCES.get(protocol, "")):
        raise invalid(REFUSALS[protocol])
    if protocol == "application":
        platform_endpoints.key_of(endpoint, "Endpoint")
    if protocol == "sqs" and arn.resource.endswith(".fifo") and not topic.is_fifo:
        raise invalid(
            "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics"
        )
