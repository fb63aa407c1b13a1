"""The errors of CloudWatch Logs and its usual words."""

from __future__ import annotations

from cumulet.kernel.errors import AwsError
from cumulet.wire.errors import modeled

InvalidParameterException = modeled("logs", "InvalidParameterException")
ResourceAlreadyExistsException = modeled("logs", "ResourceAlreadyExistsException")
ResourceNotFoundException = modeled("logs", "ResourceNotFoundException")
TooManyTagsException = modeled("logs", "TooManyTagsException")
ValidationException = modeled("logs", "ValidationException")


def no_such_group() -> AwsError:
    """Return the error for a log group that is not there."""
    return ResourceNotFoundException("The specified log group does not exist.")


def no_such_stream() -> AwsError:
    """Return the error for a log stream that is not there."""
    return ResourceNotFoundException("The specified log stream does not exist.")


def invalid_token() -> AwsError:
    """Return the error for a nextToken that no answer has given for this request."""
    return InvalidParameterException("The specified nextToken is invalid.")
