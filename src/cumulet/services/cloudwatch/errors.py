"""The errors of CloudWatch."""

from __future__ import annotations

from cumulet.kernel.errors import AwsError
from cumulet.wire.errors import modeled

InvalidNextToken = modeled("cloudwatch", "InvalidNextToken")
InvalidParameterCombinationException = modeled("cloudwatch", "InvalidParameterCombinationException")
InvalidParameterValueException = modeled("cloudwatch", "InvalidParameterValueException")
MissingRequiredParameterException = modeled("cloudwatch", "MissingRequiredParameterException")
START_NOT_BEFORE_END = "The parameter StartTime must be less than the parameter EndTime."


def invalid_token() -> AwsError:
    """Return the error for a token that none of our lists has given."""
    # AWS documents no text for this.
    return InvalidNextToken("The specified token is invalid.")


def exclusive(one: str, other: str) -> str:
    """Return the text for two parameters of which only one may be given."""
    return f"The parameters {one} and {other} are mutually exclusive and you have specified both."


def too_many(collection: str, most: int) -> str:
    """Return the text for a list that is too long."""
    return f"The collection {collection} must not have a size greater than {most}."
