"""Errors that reach a client.

`AwsError` is the only exception that becomes an answer; anything else is a programming error and answers 500.
Services raise the classes that `cumulet.wire.errors.modeled` makes from the AWS models; the errors below
belong to no service and may be answered by any.
"""

from __future__ import annotations

from typing import Any, ClassVar


class AwsError(Exception):
    """An error with AWS's code and message.

    `status` is the HTTP status where the model of the service doesn't say another. `members` are further
    members of a modeled error shape. `sender_fault` is False when the fault is the platform's. A JSON service that is
    compatible with the query protocol (SQS) answers `query_code` and `query_status` where the class has them.
    """

    code: ClassVar[str] = "InternalFailure"
    status: ClassVar[int] = 400
    query_code: ClassVar[str | None] = None
    query_status: ClassVar[int | None] = None
    sender_fault: ClassVar[bool] = True

    def __init__(self, message: str = "", **members: Any) -> None:
        super().__init__(message)
        self.message = message
        self.members = members


class InternalFailure(AwsError):
    """The platform failed; the log has the reason."""

    code = "InternalFailure"
    status = 500
    sender_fault = False


class NotImplementedFailure(AwsError):
    """A real operation of AWS that this platform lacks: loud, with service and operation in the message."""

    code = "InternalFailure"
    status = 501
    sender_fault = False


class ServiceUnavailable(AwsError):
    """The platform can't take the request now: the store refuses writes, or it is shutting down."""

    code = "ServiceUnavailable"
    status = 503
    sender_fault = False


class ThrottlingException(AwsError):
    """A quota or an injected fault refused the request (JSON protocols)."""

    code = "ThrottlingException"


class Throttling(AwsError):
    """A quota or an injected fault refused the request (query protocol)."""

    code = "Throttling"


class SerializationException(AwsError):
    """The body is not what the protocol prescribes: malformed, or a value of a wrong type."""

    code = "SerializationException"


class ValidationException(AwsError):
    """The input breaks a constraint of the operation's model."""

    code = "ValidationException"


class RequestEntityTooLargeException(AwsError):
    """The request's body is larger than its operation takes."""

    code = "RequestEntityTooLargeException"
    status = 413

    def __init__(self, most_bytes: int, operation: str) -> None:
        super().__init__(f"Request must be smaller than {most_bytes} bytes for the {operation} operation")


class UnknownOperationException(AwsError):
    """No operation of this name exists in the service (JSON protocols)."""

    code = "UnknownOperationException"
    status = 404
    query_code = "InvalidAction"


class InvalidAction(AwsError):
    """No operation of this name exists in the service (query protocol)."""

    code = "InvalidAction"


class AccessDenied(AwsError):
    """The principal may not do this."""

    code = "AccessDenied"
    status = 403
