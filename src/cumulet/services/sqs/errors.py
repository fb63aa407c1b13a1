"""The errors of SQS: those of its model, and the ones that AWS answers without modeling them."""

from cumulet.kernel.errors import AwsError
from cumulet.wire.errors import modeled, trait_of
from cumulet.wire.service import load

BatchEntryIdsNotDistinct = modeled("sqs", "BatchEntryIdsNotDistinct")
BatchRequestTooLong = modeled("sqs", "BatchRequestTooLong")
EmptyBatchRequest = modeled("sqs", "EmptyBatchRequest")
InvalidAddress = modeled("sqs", "InvalidAddress")
InvalidAttributeName = modeled("sqs", "InvalidAttributeName")
InvalidAttributeValue = modeled("sqs", "InvalidAttributeValue")
InvalidBatchEntryId = modeled("sqs", "InvalidBatchEntryId")
InvalidMessageContents = modeled("sqs", "InvalidMessageContents")
OverLimit = modeled("sqs", "OverLimit")
PurgeQueueInProgress = modeled("sqs", "PurgeQueueInProgress")
QueueDeletedRecently = modeled("sqs", "QueueDeletedRecently")
QueueNameExists = modeled("sqs", "QueueNameExists")
ReceiptHandleIsInvalid = modeled("sqs", "ReceiptHandleIsInvalid")
ResourceNotFoundException = modeled("sqs", "ResourceNotFoundException")
TooManyEntriesInBatchRequest = modeled("sqs", "TooManyEntriesInBatchRequest")
UnsupportedOperation = modeled("sqs", "UnsupportedOperation")


InvalidParameterValueException = modeled("sqs", "InvalidParameterValueException")
MissingRequiredParameterException = modeled("sqs", "MissingRequiredParameterException")
QueueDoesNotExist = modeled("sqs", "QueueDoesNotExist")

NO_SUCH_QUEUE = "The specified queue does not exist."


def invalid_value(value: object, parameter: str, reason: str) -> AwsError:
    """Return the error in SQS's usual words."""
    return InvalidParameterValueException(f"Value {value} for parameter {parameter} is invalid. Reason: {reason}")


def missing(parameter: str) -> AwsError:
    """Return the error for a parameter that is not there."""
    return MissingRequiredParameterException(f"The request must contain the parameter {parameter}.")


def query_code(error: AwsError) -> str:
    """Return the code that the query protocol, and batch results in any protocol, give an error."""
    return trait_of(load("sqs").model, error).query_code
