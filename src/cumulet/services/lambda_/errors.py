"""The errors of Lambda: those of its model, and those that AWS answers without modeling them."""

from __future__ import annotations

from cumulet.kernel.errors import AwsError
from cumulet.wire.errors import modeled

CodeSigningConfigNotFoundException = modeled("lambda", "CodeSigningConfigNotFoundException")
CodeStorageExceededException = modeled("lambda", "CodeStorageExceededException")
CodeVerificationFailedException = modeled("lambda", "CodeVerificationFailedException")
PolicyLengthExceededException = modeled("lambda", "PolicyLengthExceededException")
PreconditionFailedException = modeled("lambda", "PreconditionFailedException")
ProvisionedConcurrencyConfigNotFoundException = modeled("lambda", "ProvisionedConcurrencyConfigNotFoundException")
InvalidRuntimeException = modeled("lambda", "InvalidRuntimeException")
RecursiveInvocationException = modeled("lambda", "RecursiveInvocationException")
RequestTooLargeException = modeled("lambda", "RequestTooLargeException")
ResourceConflictException = modeled("lambda", "ResourceConflictException")
ResourceNotFoundException = modeled("lambda", "ResourceNotFoundException")
TooManyRequestsException = modeled("lambda", "TooManyRequestsException")
USER = "User"
"""The value of an error's member Type where the caller is at fault."""
RATE_EXCEEDED = "Rate Exceeded."


class PayloadTooLarge(AwsError):
    """The event of an asynchronous invocation is larger than the queue takes (recorded)."""

    code = "RequestEntityTooLargeException"
    status = 413


class AccessDeniedException(AwsError):
    """The caller may not use what belongs to another account."""

    code = "AccessDeniedException"
    status = 403


def invalid(message: str) -> AwsError:
    """Return InvalidParameterValueException."""
    return modeled("lambda", "InvalidParameterValueException")(message, Type=USER)


def invalid_untyped(message: str) -> AwsError:
    """Return InvalidParameterValueException without the member Type, as AWS answers it in a few places."""
    return modeled("lambda", "InvalidParameterValueException")(message)


def not_found(message: str) -> AwsError:
    """Return ResourceNotFoundException."""
    return ResourceNotFoundException(message, Type=USER)


def function_not_found(arn: str) -> AwsError:
    """Return the error for a function, version or alias that does not exist."""
    return not_found(f"Function not found: {arn}")


def bad_content(message: str) -> AwsError:
    """Return InvalidRequestContentException."""
    return modeled("lambda", "InvalidRequestContentException")(message, Type=USER)


def wrong_revision() -> AwsError:
    """Return PreconditionFailedException for a RevisionId that is not the present one."""
    return PreconditionFailedException(
        "The Revision Id provided does not match the latest Revision Id. "
        "Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
        Type=USER,
    )
