"""What each operation of SQS refuses: tables of (operation, members, legacy code, message).

`{...}` in members and messages stands for a value of the test's own `World`. Where AWS documents no text, a comment
beside the code that writes it says so.
"""

from __future__ import annotations

from typing import Any

IPV = "InvalidParameterValue"
MP = "MissingParameter"
NO_QUEUE = "AWS.SimpleQueueService.NonExistentQueue"
NOT_FOUND = "ResourceNotFoundException"
HANDLE = "ReceiptHandleIsInvalid"
STATUSES = {HANDLE: 404, NOT_FOUND: 404, "InvalidAddress": 404, "OverLimit": 403}
JSON_CODES = {
    IPV: "InvalidParameterValueException",
    MP: "MissingRequiredParameterException",
    NO_QUEUE: "QueueDoesNotExist",
    "QueueAlreadyExists": "QueueNameExists",
}

S, F = "{standard}", "{fifo}"
NO_NAME = "Value for parameter QueueName is invalid. Reason: Must specify a queue name."
TOKENS = "can only include alphanumeric and punctuation characters. 1 to 128 in length."
XML_CHARACTERS = (
    "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | "
    "#xE000 to #xFFFD | #x10000 to #x10FFFF"
)
ARN_FORM = "You must use this format to specify the {0}: arn:<partition>:<service>:<region>:<account-id>:<resource-id>"
RANGE_1_1000 = "Value for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and 1000."
NOT_THIS_TYPE = "The request include parameter that is not valid for this queue type."
RESERVED = (
    "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved for "
    "internal use. Additionally, they cannot start or end with '.'."
)
NAME_CHARACTERS = (
    "Message (user) attributes name can only contain upper and lower score characters, digits, periods, "
    "hyphens and underscores. "
)


def missing(name: str) -> str:
    return f"The request must contain the parameter {name}."


def invalid(value: object, name: str, reason: str) -> str:
    return f"Value {value} for parameter {name} is invalid. Reason: {reason}"


def text(value: str, data_type: str = "String") -> dict[str, str]:
    return {"DataType": data_type, "StringValue": value}


def with_attribute(name: str, attribute: dict[str, Any]) -> dict[str, Any]:
    return {"QueueUrl": S, "MessageBody": "body", "MessageAttributes": {name: attribute}}


Case = tuple[str, dict[str, Any], str, str]

CREATE_QUEUE: list[Case] = [
    ("CreateQueue", {}, IPV, NO_NAME),
    ("CreateQueue", {"QueueName": ""}, IPV, "Queue name cannot be empty"),
    (
        "CreateQueue",
        {"QueueName": "bad name"},
        IPV,
        "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
    ),
    (
        "CreateQueue",
        {"QueueName": "q", "Attributes": {"Other": "1"}},
        "InvalidAttributeName",
        "Unknown Attribute Other.",
    ),
    (
        "CreateQueue",
        {"QueueName": "q", "Attributes": {"DelaySeconds": "901"}},
        "InvalidAttributeValue",
        "Invalid value for the parameter DelaySeconds.",
    ),
    (
        "CreateQueue",
        {"QueueName": "standard", "Attributes": {"DelaySeconds": "9"}},
        "QueueAlreadyExists",
        "A queue already exists with the same name and a different value for attribute DelaySeconds",
    ),
    (
        "CreateQueue",
        {"QueueName": "q", "Attributes": {"RedrivePolicy": "{}"}},
        IPV,
        invalid("{}", "RedrivePolicy", "Redrive policy does not contain mandatory attribute: maxReceiveCount."),
    ),
    (
        "CreateQueue",
        {"QueueName": "q", "tags": {"": "x"}},
        IPV,
        "Tag keys must be between 1 and 128 characters in length.",
    ),
]
QUEUES: list[Case] = [
    ("GetQueueUrl", {}, IPV, NO_NAME),
    ("GetQueueUrl", {"QueueName": ""}, IPV, NO_NAME),
    ("GetQueueUrl", {"QueueName": "missing"}, NO_QUEUE, "{no_queue}"),
    (
        "GetQueueUrl",
        {"QueueName": "standard", "QueueOwnerAWSAccountId": "1"},
        NO_QUEUE,
        "The specified queue does not exist or you do not have access to it.",
    ),
    ("ListQueues", {"MaxResults": 0}, IPV, RANGE_1_1000),
    ("ListQueues", {"MaxResults": 1001}, IPV, RANGE_1_1000),
    ("ListQueues", {"MaxResults": 1, "NextToken": "token"}, IPV, "Invalid or expired next token."),
    ("ListQueues", {"MaxResults": 1, "NextToken": "eyJhIjoxfQ=="}, IPV, "Invalid or expired next token."),
    ("ListDeadLetterSourceQueues", {"QueueUrl": S, "MaxResults": 0}, IPV, RANGE_1_1000),
    ("ListDeadLetterSourceQueues", {"QueueUrl": S, "MaxResults": 1001}, IPV, RANGE_1_1000),
    ("ListDeadLetterSourceQueues", {"QueueUrl": S, "NextToken": "x"}, IPV, "Invalid or expired next token."),
    ("GetQueueAttributes", {"QueueUrl": S, "AttributeNames": ["X"]}, "InvalidAttributeName", "Unknown Attribute X."),
    ("SetQueueAttributes", {"QueueUrl": S, "Attributes": {}}, MP, missing("Attribute.Name")),
    ("SetQueueAttributes", {"QueueUrl": S}, MP, missing("Attribute.Name")),
    (
        "SetQueueAttributes",
        {"QueueUrl": S, "Attributes": {"VisibilityTimeout": "43201"}},
        "InvalidAttributeValue",
        "Invalid value for the parameter VisibilityTimeout.",
    ),
    (
        "SetQueueAttributes",
        {"QueueUrl": S, "Attributes": {"FifoQueue": "true"}},
        "InvalidAttributeName",
        "Unknown Attribute FifoQueue.",
    ),
]
SEND_MESSAGE: list[Case] = [
    ("SendMessage", {"QueueUrl": S}, MP, missing("MessageBody")),
    ("SendMessage", {"QueueUrl": S, "MessageBody": ""}, MP, missing("MessageBody")),
    ("SendMessage", {"QueueUrl": S, "MessageBody": "a\x00"}, "InvalidMessageContents", XML_CHARACTERS),
    (
        "SendMessage",
        {"QueueUrl": S, "MessageBody": "b", "DelaySeconds": 901},
        IPV,
        invalid(901, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900."),
    ),
    (
        "SendMessage",
        {"QueueUrl": S, "MessageBody": "b", "DelaySeconds": -1},
        IPV,
        invalid(-1, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900."),
    ),
    (
        "SendMessage",
        {"QueueUrl": S, "MessageBody": "b", "MessageDeduplicationId": "d"},
        IPV,
        invalid("d", "MessageDeduplicationId", NOT_THIS_TYPE),
    ),
    (
        "SendMessage",
        {"QueueUrl": S, "MessageBody": "b", "MessageGroupId": ""},
        IPV,
        invalid("", "MessageGroupId", f"MessageGroupId {TOKENS}"),
    ),
    (
        "SendMessage",
        {"QueueUrl": S, "MessageBody": "b", "MessageGroupId": "x" * 129},
        IPV,
        invalid("x" * 129, "MessageGroupId", f"MessageGroupId {TOKENS}"),
    ),
    (
        "SendMessage",
        {"QueueUrl": F, "MessageBody": "b", "MessageGroupId": "ü", "MessageDeduplicationId": "d"},
        IPV,
        invalid("ü", "MessageGroupId", f"MessageGroupId {TOKENS}"),
    ),
    ("SendMessage", {"QueueUrl": F, "MessageBody": "b", "MessageDeduplicationId": "d"}, MP, missing("MessageGroupId")),
    (
        "SendMessage",
        {"QueueUrl": F, "MessageBody": "b", "MessageGroupId": "g"},
        IPV,
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
    ),
    (
        "SendMessage",
        {"QueueUrl": F, "MessageBody": "b", "MessageGroupId": "g", "MessageDeduplicationId": ""},
        IPV,
        invalid("", "MessageDeduplicationId", f"MessageDeduplicationId {TOKENS}"),
    ),
    (
        "SendMessage",
        {"QueueUrl": F, "MessageBody": "b", "MessageGroupId": "g", "MessageDeduplicationId": "d" * 129},
        IPV,
        invalid("d" * 129, "MessageDeduplicationId", f"MessageDeduplicationId {TOKENS}"),
    ),
    (
        "SendMessage",
        {"QueueUrl": F, "MessageBody": "b", "MessageGroupId": "g", "MessageDeduplicationId": "d", "DelaySeconds": 1},
        IPV,
        invalid(1, "DelaySeconds", NOT_THIS_TYPE),
    ),
]
ATTRIBUTES: list[Case] = [
    ("SendMessage", members, code, message)
    for members, code, message in [
        (
            {"QueueUrl": S, "MessageBody": "b", "MessageAttributes": {f"a{n}": text("x") for n in range(11)}},
            IPV,
            "Number of message attributes [11] exceeds the allowed maximum [10].",
        ),
        (with_attribute("", text("x")), IPV, "The request must contain non-empty message (user) attribute names."),
        (with_attribute("x" * 257, text("x")), IPV, "Message (user) attribute name must be shorter than 256 bytes."),
        *((with_attribute(f"a{c}b", text("x")), IPV, NAME_CHARACTERS) for c in '! "§(?/'),
        *(
            (with_attribute(name, text("x")), IPV, RESERVED)
            for name in ("AWS.a", "aws.a", "Amazon.a", "AMAZON.x", ".a", "a.")
        ),
        (
            with_attribute("a", {"StringValue": "x"}),
            IPV,
            "The message (user) attribute 'a' must contain a non-empty message attribute value.",
        ),
        (
            with_attribute("a", text("x", "Boolean")),
            IPV,
            "The type of message (user) attribute 'a' is invalid. You must use only the following supported type "
            "prefixes: Binary, Number, String.",
        ),
        (
            with_attribute("a", text("x", "string")),
            IPV,
            "The type of message (user) attribute 'a' is invalid. You must use only the following supported type "
            "prefixes: Binary, Number, String.",
        ),
        (
            with_attribute("a", text("x", "String." + "x" * 250)),
            IPV,
            "Message (user) attribute type must be shorter than 256 bytes.",
        ),
        (
            with_attribute("a", text("")),
            IPV,
            "Message (user) attribute 'a' must contain a non-empty value of type 'String'.",
        ),
        (
            with_attribute("a", {"DataType": "Number.int", "BinaryValue": "eA=="}),
            IPV,
            "Message (user) attribute 'a' must contain a non-empty value of type 'Number.int'.",
        ),
        (
            with_attribute("a", text("x", "Binary")),
            IPV,
            "Message (user) attribute 'a' must contain a non-empty value of type 'Binary'.",
        ),
        *(
            (
                with_attribute("a", text(value, "Number")),
                IPV,
                "Can't cast the value of message (user) attribute 'a' to a number.",
            )
            for value in ("one", "1,5", "1e", "--1", "1 ", "٣")
        ),
        *(
            (
                with_attribute("a", text(value, "Number")),
                IPV,
                f"Message (user) attribute 'a' number value [{value}] must be between 10^-128 and 10^126.",
            )
            for value in ("1e126", "1e-129", "1e99999999999999999999")
        ),
        (
            with_attribute("a", text("9" * 39, "Number")),
            IPV,
            f"Message (user) attribute 'a' number value [{'9' * 39}] must contain fewer than 38 precision digits.",
        ),
        (with_attribute("a", text("\x01")), IPV, XML_CHARACTERS),
        (
            with_attribute("a", {"DataType": "String", "StringListValues": ["x"]}),
            "AWS.SimpleQueueService.UnsupportedOperation",
            "Message attribute list values in SendMessage operation are not supported.",
        ),
        (
            {"QueueUrl": S, "MessageBody": "b", "MessageSystemAttributes": {"SenderId": text("x")}},
            IPV,
            "Message system attribute name 'SenderId' is invalid.",
        ),
    ]
]
RECEIVE_MESSAGE: list[Case] = [
    *(
        (
            "ReceiveMessage",
            {"QueueUrl": S, "MaxNumberOfMessages": n},
            IPV,
            invalid(n, "MaxNumberOfMessages", "Must be between 1 and 10, if provided."),
        )
        for n in (0, 11, -1)
    ),
    *(
        (
            "ReceiveMessage",
            {"QueueUrl": S, "WaitTimeSeconds": n},
            IPV,
            invalid(n, "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided."),
        )
        for n in (-1, 21)
    ),
    *(
        (
            "ReceiveMessage",
            {"QueueUrl": S, "VisibilityTimeout": n},
            IPV,
            invalid(n, "VisibilityTimeout", "Must be >= 0 and <= 43200, if provided."),
        )
        for n in (-1, 43_201)
    ),
    (
        "ReceiveMessage",
        {"QueueUrl": F, "ReceiveRequestAttemptId": "two words"},
        IPV,
        invalid("two words", "ReceiveRequestAttemptId", f"ReceiveRequestAttemptId {TOKENS}"),
    ),
    ("ReceiveMessage", {"QueueUrl": S, "AttributeNames": ["X"]}, "InvalidAttributeName", "Unknown Attribute X."),
    (
        "ReceiveMessage",
        {"QueueUrl": S, "MessageSystemAttributeNames": ["All", "X"]},
        "InvalidAttributeName",
        "Unknown Attribute X.",
    ),
]
HANDLES: list[Case] = [
    *(
        case
        for operation, rest in (("DeleteMessage", {}), ("ChangeMessageVisibility", {"VisibilityTimeout": 1}))
        for case in (
            (operation, {"QueueUrl": S, **rest}, MP, missing("ReceiptHandle")),
            (operation, {"QueueUrl": S, "ReceiptHandle": "", **rest}, MP, missing("ReceiptHandle")),
            (
                operation,
                {"QueueUrl": S, "ReceiptHandle": "garbage", **rest},
                HANDLE,
                'The input receipt handle "garbage" is not a valid receipt handle.',
            ),
            (
                operation,
                {"QueueUrl": S, "ReceiptHandle": "{handle}x", **rest},
                HANDLE,
                'The input receipt handle "{handle}x" is not a valid receipt handle.',
            ),
            (
                operation,
                {"QueueUrl": S, "ReceiptHandle": "{fifo_handle}", **rest},
                HANDLE,
                'The receipt handle "{fifo_handle}" is not valid for this queue.',
            ),
        )
    ),
    ("ChangeMessageVisibility", {"QueueUrl": S, "ReceiptHandle": "{handle}"}, MP, missing("VisibilityTimeout")),
    *(
        (
            "ChangeMessageVisibility",
            {"QueueUrl": S, "ReceiptHandle": "{handle}", "VisibilityTimeout": n},
            IPV,
            invalid(n, "VisibilityTimeout", "Must be between 0 and 43200."),
        )
        for n in (-1, 43_201)
    ),
]
TAGS_AND_PERMISSIONS: list[Case] = [
    ("TagQueue", {"QueueUrl": S}, MP, missing("Tags")),
    ("TagQueue", {"QueueUrl": S, "Tags": {}}, MP, missing("Tags")),
    ("TagQueue", {"QueueUrl": S, "Tags": {"": "x"}}, IPV, "Tag keys must be between 1 and 128 characters in length."),
    (
        "TagQueue",
        {"QueueUrl": S, "Tags": {"x" * 129: "x"}},
        IPV,
        "Tag keys must be between 1 and 128 characters in length.",
    ),
    (
        "TagQueue",
        {"QueueUrl": S, "Tags": {"x": "x" * 257}},
        IPV,
        "Tag values must be between 0 and 256 characters in length.",
    ),
    (
        "TagQueue",
        {"QueueUrl": S, "Tags": {"aws:x": "x"}},
        IPV,
        "Tag keys that start with aws: are reserved for internal use and can't be added.",
    ),
    (
        "UntagQueue",
        {"QueueUrl": S, "TagKeys": [""]},
        IPV,
        "Tag keys must be between 1 and 128 characters in length.",
    ),
    *(
        ("AddPermission", {"QueueUrl": S, "Label": "l", "AWSAccountIds": ["111122223333"], **members}, code, message)
        for members, code, message in (
            ({"Label": "", "Actions": ["SendMessage"]}, MP, missing("Label")),
            (
                {"Label": "a b", "Actions": ["SendMessage"]},
                IPV,
                invalid(
                    "a b",
                    "Label",
                    "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
                ),
            ),
            (
                {"AWSAccountIds": ["*"], "Actions": ["SendMessage"]},
                IPV,
                invalid("[*]", "PrincipalId", "Unable to verify."),
            ),
            (
                {"Actions": ["SendMessageBatch"]},
                IPV,
                invalid(
                    "SQS:SendMessageBatch",
                    "ActionName",
                    "Please refer to the appropriate WSDL for a list of valid actions. ",
                ),
            ),
            (
                {"Actions": ["SendMessage", "DeleteQueue"]},
                IPV,
                invalid("SQS:DeleteQueue", "ActionName", "Only the queue owner is allowed to invoke this action."),
            ),
            (
                {"Actions": ["SendMessage"] * 8},
                "OverLimit",
                "8 Actions were found, maximum allowed is 7.",
            ),
            ({}, MP, missing("ActionName")),
        )
    ),
    ("AddPermission", {"QueueUrl": S, "Label": "l", "Actions": ["SendMessage"]}, MP, missing("AWSAccountIds")),
    ("AddPermission", {"QueueUrl": S, "AWSAccountIds": ["111122223333"], "Actions": ["*"]}, MP, missing("Label")),
    ("RemovePermission", {"QueueUrl": S}, MP, missing("Label")),
    ("RemovePermission", {"QueueUrl": S, "Label": "l"}, IPV, invalid("l", "Label", "can't find label.")),
]
MOVE_TASKS: list[Case] = [
    ("StartMessageMoveTask", {}, MP, missing("SourceArn")),
    *(
        (operation, {"SourceArn": arn}, IPV, ARN_FORM.format("SourceArn"))
        for operation in ("StartMessageMoveTask", "ListMessageMoveTasks")
        for arn in ("", "arn", "arn:aws:sqs:us-east-1:1")
    ),
    *(
        (
            operation,
            {"SourceArn": "{arn}-missing"},
            NOT_FOUND,
            "The resource that you specified for the SourceArn parameter doesn't exist.",
        )
        for operation in ("StartMessageMoveTask", "ListMessageMoveTasks")
    ),
    *(
        (
            "StartMessageMoveTask",
            {"SourceArn": "{dead_letters}", "DestinationArn": arn},
            IPV,
            ARN_FORM.format("DestinationArn"),
        )
        for arn in ("", "arn")
    ),
    (
        "StartMessageMoveTask",
        {"SourceArn": "{dead_letters}", "DestinationArn": "{arn}-missing"},
        NOT_FOUND,
        "The resource that you specified for the DestinationArn parameter doesn't exist.",
    ),
    (
        "StartMessageMoveTask",
        {"SourceArn": "{dead_letters}", "DestinationArn": "arn:aws:sns:us-east-1:{account}:topic"},
        NOT_FOUND,
        "The resource that you specified for the DestinationArn parameter doesn't exist.",
    ),
    (
        "StartMessageMoveTask",
        {"SourceArn": "{dead_letters}", "DestinationArn": "{dead_letters}"},
        IPV,
        "Source queue arn and destination queue arn cannot be the same.",
    ),
    (
        "StartMessageMoveTask",
        {"SourceArn": "{dead_letters}", "DestinationArn": "{fifo_arn}"},
        IPV,
        "The source queue and destination queue must be of the same queue type.",
    ),
    ("StartMessageMoveTask", {"SourceArn": "{arn}"}, IPV, "Source queue must be configured as a Dead Letter Queue."),
    *(
        (
            "StartMessageMoveTask",
            {"SourceArn": "{dead_letters}", "MaxNumberOfMessagesPerSecond": rate},
            IPV,
            "Value for parameter MaxNumberOfMessagesPerSecond is invalid. "
            "Reason: You must enter a number that's between 1 and 500.",
        )
        for rate in (-1, 0, 501)
    ),
    ("ListMessageMoveTasks", {}, MP, missing("SourceArn")),
    *(
        (
            "ListMessageMoveTasks",
            {"SourceArn": "{dead_letters}", "MaxResults": most},
            IPV,
            "Value for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and 10.",
        )
        for most in (0, 11)
    ),
    ("CancelMessageMoveTask", {}, MP, missing("TaskHandle")),
    *(
        ("CancelMessageMoveTask", {"TaskHandle": handle}, IPV, "Value for parameter TaskHandle is invalid.")
        for handle in ("", "handle", "e30=", "eyJ0YXNrSWQiOiJ4In0=", "W10=", "ü")
    ),
    (
        "CancelMessageMoveTask",
        {"TaskHandle": "{unknown_task}"},
        NOT_FOUND,
        "Task does not exist.",
    ),
    (
        "CancelMessageMoveTask",
        {"TaskHandle": "{task_of_nobody}"},
        NOT_FOUND,
        "The resource that you specified for the SourceArn parameter doesn't exist.",
    ),
]
CASES = [
    *CREATE_QUEUE,
    *QUEUES,
    *SEND_MESSAGE,
    *ATTRIBUTES,
    *RECEIVE_MESSAGE,
    *HANDLES,
    *TAGS_AND_PERMISSIONS,
    *MOVE_TASKS,
]
IDS = [f"{operation}-{number}" for number, (operation, *_) in enumerate(CASES)]

ON_A_QUEUE: dict[str, dict[str, Any]] = {
    "AddPermission": {"Label": "l", "AWSAccountIds": ["111122223333"], "Actions": ["SendMessage"]},
    "ChangeMessageVisibility": {"ReceiptHandle": "{handle}", "VisibilityTimeout": 1},
    "ChangeMessageVisibilityBatch": {
        "Entries": [{"Id": "a", "ReceiptHandle": "{handle}", "VisibilityTimeout": 1}],
    },
    "DeleteMessage": {"ReceiptHandle": "{handle}"},
    "DeleteMessageBatch": {"Entries": [{"Id": "a", "ReceiptHandle": "{handle}"}]},
    "DeleteQueue": {},
    "GetQueueAttributes": {"AttributeNames": ["All"]},
    "ListDeadLetterSourceQueues": {},
    "ListQueueTags": {},
    "PurgeQueue": {},
    "ReceiveMessage": {},
    "RemovePermission": {"Label": "l"},
    "SendMessage": {"MessageBody": "body"},
    "SendMessageBatch": {"Entries": [{"Id": "a", "MessageBody": "body"}]},
    "SetQueueAttributes": {"Attributes": {"DelaySeconds": "1"}},
    "TagQueue": {"Tags": {"a": "1"}},
    "UntagQueue": {"TagKeys": ["a"]},
}
