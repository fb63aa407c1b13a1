"""The errors of IAM."""

from cumulet.wire.errors import ValidationError, modeled

DeleteConflict = modeled("iam", "DeleteConflictException")
EntityAlreadyExists = modeled("iam", "EntityAlreadyExistsException")
InvalidInput = modeled("iam", "InvalidInputException")
LimitExceeded = modeled("iam", "LimitExceededException")
MalformedPolicyDocument = modeled("iam", "MalformedPolicyDocumentException")
NoSuchEntity = modeled("iam", "NoSuchEntityException")

__all__ = [
    "DeleteConflict",
    "EntityAlreadyExists",
    "InvalidInput",
    "LimitExceeded",
    "MalformedPolicyDocument",
    "NoSuchEntity",
    "ValidationError",
]
