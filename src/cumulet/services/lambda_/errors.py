"""The errors of Lambda: those of its model, and those that AWS answers without modeling them."""

from __future__ import annotations

from cumulet.kernel.errors import AwsError
from cumulet.wire.errors import modeled

CodeStorageExceededException = modeled("lambda", "CodeStorageExceededException")
PreconditionFailedException = modeled("lambda", "PreconditionFailedException")
InvalidRuntimeException = modeled("lambda", "InvalidRuntimeException")
RequestTooLargeException = modeled("lambda", "RequestTooLargeException")
ResourceConflictException = modeled("lambda", "ResourceConflictException")
TooManyRequestsException = modeled("lambda", "TooManyRequestsException")
USER = "User"
"""The value of an error's member Type where the caller is at fault."""


class AccessDeniedException(AwsError):
    """The caller may not use what belongs to another account."""

    code = "AccessDeniedException"
    status = 403


def invalid(message: str) -> AwsError:
    """Return InvalidParameterValueException."""
    return modeled("lambda", "InvalidParameterValueException")(message, Type=USER)


def not_found(message: str) -> AwsError:
    """Return ResourceNotFoundException."""
    return modeled("lambda", "ResourceNotFoundException")(message, Type=USER)


def function_not_found(arn: str) -> AwsError:
    """Return the error for a function, version or alias that does not exist."""
    return not_found(f"Function not found: {arn}")


def bad_content(message: str) -> AwsError:
    """Return InvalidRequestContentException."""
    return modeled("lambda", "InvalidRequestContentException")(message, Type=USER)
