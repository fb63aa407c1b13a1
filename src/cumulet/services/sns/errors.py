"""The errors of SNS."""

from __future__ import annotations

from cumulet.kernel.errors import AwsError
from cumulet.wire.errors import modeled

AuthorizationErrorException = modeled("sns", "AuthorizationErrorException")
BatchEntryIdsNotDistinctException = modeled("sns", "BatchEntryIdsNotDistinctException")
BatchRequestTooLongException = modeled("sns", "BatchRequestTooLongException")
EmptyBatchRequestException = modeled("sns", "EmptyBatchRequestException")
EndpointDisabledException = modeled("sns", "EndpointDisabledException")
FilterPolicyLimitExceededException = modeled("sns", "FilterPolicyLimitExceededException")
InvalidBatchEntryIdException = modeled("sns", "InvalidBatchEntryIdException")
InvalidParameterException = modeled("sns", "InvalidParameterException")
InvalidParameterValueException = modeled("sns", "InvalidParameterValueException")
InvalidStateException = modeled("sns", "InvalidStateException")
NotFoundException = modeled("sns", "NotFoundException")
OptedOutException = modeled("sns", "OptedOutException")
PlatformApplicationDisabledException = modeled("sns", "PlatformApplicationDisabledException")
ResourceNotFoundException = modeled("sns", "ResourceNotFoundException")
SubscriptionLimitExceededException = modeled("sns", "SubscriptionLimitExceededException")
TagLimitExceededException = modeled("sns", "TagLimitExceededException")
TooManyEntriesInBatchRequestException = modeled("sns", "TooManyEntriesInBatchRequestException")
TopicLimitExceededException = modeled("sns", "TopicLimitExceededException")
VerificationException = modeled("sns", "VerificationException")


def invalid(what: str) -> AwsError:
    """Return the error in SNS's usual words."""
    return InvalidParameterException(f"Invalid parameter: {what}")


def no_such_topic() -> AwsError:
    """Return the error for a topic that is not there."""
    return NotFoundException("Topic does not exist")


def no_such_subscription() -> AwsError:
    """Return the error for a subscription that is not there."""
    return NotFoundException("Subscription does not exist")
