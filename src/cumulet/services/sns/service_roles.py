"""The roles that SNS takes on: to write delivery status logs, and to write to delivery streams.

SNS refuses a role that does not trust it. Whether there is such a role at all matters in enforce mode alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from cumulet.delivery import RoleDirectory
from cumulet.kernel.arns import Arn, parse_arn
from cumulet.kernel.errors import AwsError
from cumulet.services.sns.errors import AuthorizationErrorException, invalid

PRINCIPAL = "sns.amazonaws.com"
SUBSCRIPTION_ROLE = "SubscriptionRoleArn"
FEEDBACK_ROLE = "FeedbackRoleArn"
"""What the attributes of topics that name roles end with."""


def role_of(text: str) -> Arn | None:
    """Return the role that an ARN names, or None where it names none."""
    arn = parse_arn(text)
    is_role = arn is not None and arn.service == "iam" and arn.account and arn.resource.startswith("role/")
    return arn if is_role else None


def no_feedback_role(name: str, value: str) -> AwsError:
    """Return the error for what may not write delivery status logs."""
    return invalid(f"{name}: {value} is not a valid role to allow SNS to write to Cloudwatch Logs")


def no_subscription_role(value: str) -> str:
    """Return why a role may not write to a delivery stream."""
    return f"{SUBSCRIPTION_ROLE}: {value} is not a valid role to be assumed by SNS"


def check_stream(account: str, endpoint: str, role_arn: str | None) -> None:
    """Check that an account may subscribe a delivery stream with a role: both are its own."""
    role = role_of(role_arn) if role_arn else None
    if role is not None and role.account != account:
        raise AuthorizationErrorException("Cross-account pass role is not allowed.")
    stream = parse_arn(endpoint)
    if stream is None or stream.account != account:
        raise AuthorizationErrorException(f"The account {account} is not the owner of the endpoint {endpoint}")
    if role_arn is None:
        raise invalid("Delivery protocol firehose can only be subscribed with subscription role arn")


async def check_feedback(roles: RoleDirectory, attributes: Mapping[str, str]) -> None:
    """Check that the roles that attributes of a topic name trust SNS."""
    for name, value in attributes.items():
        if name.endswith(FEEDBACK_ROLE) and value and not await is_trusted(roles, value):
            raise no_feedback_role(name, value)


async def is_trusted(roles: RoleDirectory, role_arn: str) -> bool:
    """Return whether there is a role that lets SNS take it on."""
    role = role_of(role_arn)
    return role is not None and await roles.trusts(role, PRINCIPAL)
