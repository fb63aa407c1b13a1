"""SQS: the query protocol that its model no longer describes, its old error codes, and its own texts.

Names are those of the API reference for query requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cumulet.kernel.errors import AwsError
from cumulet.wire.errors import modeled
from cumulet.wire.overlays.overlay import Description, Overlay
from cumulet.wire.violations import Kind, Path, Violation, shown

XMLNS = "http://queue.amazonaws.com/doc/2012-11-05/"
PREFIX = "AWS.SimpleQueueService."

# shape: code for clients of the query protocol, HTTP status
ERRORS: dict[str, tuple[str, int]] = {
    "BatchEntryIdsNotDistinct": (PREFIX + "BatchEntryIdsNotDistinct", 400),
    "BatchRequestTooLong": (PREFIX + "BatchRequestTooLong", 400),
    "EmptyBatchRequest": (PREFIX + "EmptyBatchRequest", 400),
    "InvalidAddress": ("InvalidAddress", 404),
    "InvalidAttributeName": ("InvalidAttributeName", 400),
    "InvalidAttributeValue": ("InvalidAttributeValue", 400),
    "InvalidBatchEntryId": (PREFIX + "InvalidBatchEntryId", 400),
    "InvalidIdFormat": ("InvalidIdFormat", 400),
    "InvalidMessageContents": ("InvalidMessageContents", 400),
    "InvalidSecurity": ("InvalidSecurity", 403),
    "KmsAccessDenied": ("KMS.AccessDeniedException", 400),
    "KmsDisabled": ("KMS.DisabledException", 400),
    "KmsInvalidKeyUsage": ("KMS.InvalidKeyUsageException", 400),
    "KmsInvalidState": ("KMS.InvalidStateException", 400),
    "KmsNotFound": ("KMS.NotFoundException", 400),
    "KmsOptInRequired": ("KMS.OptInRequired", 403),
    "KmsThrottled": ("KMS.ThrottlingException", 400),
    "MessageNotInflight": (PREFIX + "MessageNotInflight", 400),
    "OverLimit": ("OverLimit", 403),
    "PurgeQueueInProgress": (PREFIX + "PurgeQueueInProgress", 403),
    "QueueDeletedRecently": (PREFIX + "QueueDeletedRecently", 400),
    "QueueDoesNotExist": (PREFIX + "NonExistentQueue", 400),
    "QueueNameExists": ("QueueAlreadyExists", 400),
    "ReceiptHandleIsInvalid": ("ReceiptHandleIsInvalid", 404),
    "RequestThrottled": ("RequestThrottled", 403),
    "ResourceNotFoundException": ("ResourceNotFoundException", 404),
    "TooManyEntriesInBatchRequest": (PREFIX + "TooManyEntriesInBatchRequest", 400),
    "UnsupportedOperation": (PREFIX + "UnsupportedOperation", 400),
}
# Errors that SQS answers and does not model.
UNMODELED: dict[str, tuple[str, int]] = {
    "InvalidParameterValueException": ("InvalidParameterValue", 400),
    "MissingRequiredParameterException": ("MissingParameter", 400),
    "SerializationException": ("MalformedInput", 400),
}
# Names that the model lists as enums, and members of batch entries and attributes that it requires: SQS answers
# these itself, entries one by one in the result of the batch.
UNCHECKED = (
    "ChangeMessageVisibilityBatchRequestEntry",
    "DeleteMessageBatchRequestEntry",
    "MessageAttributeValue",
    "MessageSystemAttributeValue",
    "SendMessageBatchRequestEntry",
    "QueueAttributeName",
    "MessageSystemAttributeName",
    "MessageSystemAttributeNameForSends",
)

# What members of these shapes are called in requests and answers.
MAP_NAMES = {
    "QueueAttributeMap": "Attribute",
    "MessageSystemAttributeMap": "Attribute",
    "MessageBodyAttributeMap": "MessageAttribute",
    "MessageBodySystemAttributeMap": "MessageSystemAttribute",
    "TagMap": "Tag",
}
LIST_ITEM_NAMES = {
    "ActionNameList": "ActionName",
    "AttributeNameList": "AttributeName",
    "AWSAccountIdList": "AWSAccountId",
    "BatchResultErrorEntryList": "BatchResultErrorEntry",
    "BinaryList": "BinaryListValue",
    "ChangeMessageVisibilityBatchRequestEntryList": "ChangeMessageVisibilityBatchRequestEntry",
    "ChangeMessageVisibilityBatchResultEntryList": "ChangeMessageVisibilityBatchResultEntry",
    "DeleteMessageBatchRequestEntryList": "DeleteMessageBatchRequestEntry",
    "DeleteMessageBatchResultEntryList": "DeleteMessageBatchResultEntry",
    "ListMessageMoveTasksResultEntryList": "ListMessageMoveTasksResultEntry",
    "MessageAttributeNameList": "MessageAttributeName",
    "MessageList": "Message",
    "MessageSystemAttributeList": "MessageSystemAttributeName",
    "QueueUrlList": "QueueUrl",
    "SendMessageBatchRequestEntryList": "SendMessageBatchRequestEntry",
    "SendMessageBatchResultEntryList": "SendMessageBatchResultEntry",
    "StringList": "StringListValue",
    "TagKeyList": "TagKey",
}
# Lists that are flattened where a member refers to them, not in their own shape.
MEMBER_LIST_NAMES = {"StringList": "StringListValue", "BinaryList": "BinaryListValue"}

MISSING = "The request must contain the parameter {name}."
# What SQS calls a missing member when it is not the member's own name.
MISSING_NAMES = {"Actions": "ActionName", "Attributes": "Attribute.Name"}
# A query request can't say that a list is empty other than by leaving it out.
NO_ENTRIES = "There should be at least one {entry} in the request."
NO_QUEUE_NAME = "Value for parameter QueueName is invalid. Reason: Must specify a queue name."
NO_ADDRESS = "The address / is not valid for this endpoint."


def _correct(description: Description) -> Description:
    shapes = dict(description["shapes"])
    for name, (code, status) in {**ERRORS, **UNMODELED}.items():
        shape = shapes.get(name, {"type": "structure", "members": {"message": {"shape": "ExceptionMessage"}}})
        error = {"code": code, "httpStatusCode": status, "senderFault": True}
        shapes[name] = {**shape, "error": error, "exception": True}
    for name in UNCHECKED:
        shapes[name] = {key: value for key, value in shapes[name].items() if key not in ("enum", "required")}
    return {**description, "shapes": shapes}


def _query(description: Description) -> Description:
    shapes = {name: _query_shape(name, shape) for name, shape in description["shapes"].items()}
    operations = {name: _query_operation(operation) for name, operation in description["operations"].items()}
    metadata = {**description["metadata"], "protocol": "query", "protocols": ["query"], "xmlNamespace": XMLNS}
    return {**description, "metadata": metadata, "shapes": shapes, "operations": operations}


def _query_shape(name: str, shape: dict[str, Any]) -> dict[str, Any]:
    if shape["type"] == "structure":
        return {**shape, "members": {key: _query_member(member) for key, member in shape["members"].items()}}
    if shape["type"] == "list":
        return {**shape, "member": {**shape["member"], "locationName": LIST_ITEM_NAMES[name]}}
    if shape["type"] == "map":
        key = "Key" if name == "TagMap" else "Name"
        return {
            **shape,
            "key": {**shape["key"], "locationName": key},
            "value": {**shape["value"], "locationName": "Value"},
        }
    return shape


def _query_member(member: dict[str, Any]) -> dict[str, Any]:
    name = MAP_NAMES.get(member["shape"]) or MEMBER_LIST_NAMES.get(member["shape"])
    return {**member, "locationName": name} if name else member


def _query_operation(operation: dict[str, Any]) -> dict[str, Any]:
    if "output" not in operation:
        return operation
    return {**operation, "output": {**operation["output"], "resultWrapper": f"{operation['name']}Result"}}


def refuse(protocol: str, operation: str, violations: Sequence[Violation]) -> AwsError:
    """Return SQS's error for the first broken constraint; its model has no other than required members."""
    first = violations[0]
    if first.kind != Kind.REQUIRED:
        value = f"Value {shown(first.value)} for parameter {first.path[-1]} is invalid."
        return modeled("sqs", "InvalidParameterValueException")(value)
    if first.path == ("QueueName",):
        return modeled("sqs", "InvalidParameterValueException")(NO_QUEUE_NAME)
    if first.path == ("QueueUrl",) and protocol == "query":
        return modeled("sqs", "InvalidAddress")(NO_ADDRESS)
    if first.path == ("Entries",) and protocol == "query":
        return modeled("sqs", "EmptyBatchRequest")(NO_ENTRIES.format(entry=f"{operation}RequestEntry"))
    return modeled("sqs", "MissingRequiredParameterException")(MISSING.format(name=_missing_name(first.path)))


def _missing_name(path: Path) -> str:
    names = [str(part) for part in path]
    return ".".join(MISSING_NAMES.get(name, name) for name in names)


OVERLAY = Overlay(
    correct=_correct,
    descriptions={"query": _query},
    refuse=refuse,
    error_namespace="com.amazonaws.sqs",
    coral_errors=frozenset(UNMODELED),
    query_messages={
        "The specified queue does not exist.": "The specified queue does not exist for this wsdl version.",
    },
    has_error_detail=True,
)
