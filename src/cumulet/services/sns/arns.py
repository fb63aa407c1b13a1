"""ARNs in requests: what SNS says of those that are none."""

from __future__ import annotations

from cumulet.kernel.arns import Arn, parse_arn, partition_of
from cumulet.services.sns.errors import invalid

PARTS = 6


def checked(text: str, parameter: str) -> Arn:
    """Return an ARN of SNS; raises InvalidParameterException."""
    arn = _parsed(text, parameter)
    if arn is None or arn.service != "sns" or arn.partition != partition_of(arn.region):
        raise invalid(parameter)
    return arn


def checked_path(text: str, parameter: str, kind: str, length: int) -> tuple[Arn, list[str]]:
    """Return an ARN of SNS whose resource is a path that begins with `kind`, and that path."""
    arn = _parsed(text, parameter)
    path = arn.resource.split("/") if arn else []
    if len(path) != length:
        raise invalid(f"{parameter} Reason: Wrong number of slashes in relative portion of the ARN.")
    if arn is None or arn.service != "sns" or path[0] != kind:
        raise invalid(parameter)
    return arn, path


def _parsed(text: str, parameter: str) -> Arn | None:
    count = len(text.split(":"))
    if count < PARTS:
        raise invalid(f"{parameter} Reason: An ARN must have at least {PARTS} elements, not {count}")
    return parse_arn(text)
