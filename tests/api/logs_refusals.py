"""What each operation of CloudWatch Logs refuses: tables of (operation, members, code, message).

`{...}` in members and messages stands for a value of the test's own `World`. Texts without a source in AWS's answers
have a comment beside the code that writes them.
"""

from __future__ import annotations

from typing import Any

IP = "InvalidParameterException"
VE = "ValidationException"
NOT_FOUND = "ResourceNotFoundException"
EXISTS = "ResourceAlreadyExistsException"

NO_GROUP = "The specified log group does not exist."
NO_STREAM = "The specified log stream does not exist."
TOO_LONG = "Invalid LogGroup or LogStream, both must have length less than or equal to 512."
BOTH = "LogGroup name and LogGroup ARN are mutually exclusive parameters."
NEITHER = "Either LogGroup name or LogGroup ARN must be specified."
TOKEN = "The specified nextToken is invalid."
GROUP_PATTERN = r"Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+"
STREAM_PATTERN = "Member must satisfy regular expression pattern: [^:*]*"
ARN_PATTERN = r"Member must satisfy regular expression pattern: [\w+=/:,.@-]*"
IDENTIFIER_PATTERN = r"Member must satisfy regular expression pattern: [\w#+=/:,.@-]*"
AT_LEAST_1 = "Member must have length greater than or equal to 1"
CLASSES = "Member must satisfy enum value set: [STANDARD, INFREQUENT_ACCESS, DELIVERY, ESSENTIALS]"
DAYS = "1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653"
TAG_KEY = (
    "Map keys must satisfy constraint: [Member must have length less than or equal to 128, "
    r"Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: "
    r"^([\p{{L}}\p{{Z}}\p{{N}}_.:/=+\-@]+)$]"
)


def invalid(value: object, path: str, constraint: str) -> str:
    """Return AWS's words for one broken constraint."""
    shown = "Value null" if value is None else f"Value '{value}'"
    return f"1 validation error detected: {shown} at '{path}' failed to satisfy constraint: {constraint}"


def missing(path: str) -> str:
    return invalid(None, path, "Member must not be null")


def at_most(value: int, path: str, most: int) -> str:
    return invalid(value, path, f"Member must have value less than or equal to {most}")


def at_least(value: int, path: str, least: int) -> str:
    return invalid(value, path, f"Member must have value greater than or equal to {least}")


G, S = {"logGroupName": "/g"}, {"logGroupName": "/g", "logStreamName": "s"}
NO_G = {"logGroupName": "/missing"}
EVENT = {"timestamp": "{now}", "message": "x"}

Case = tuple[str, dict[str, Any], str, str]

CREATE_LOG_GROUP: list[Case] = [
    ("CreateLogGroup", {}, IP, missing("logGroupName")),
    (
        "CreateLogGroup",
        {"logGroupName": ""},
        IP,
        (
            "2 validation errors detected: "
            f"Value '' at 'logGroupName' failed to satisfy constraint: {AT_LEAST_1}; "
            f"Value '' at 'logGroupName' failed to satisfy constraint: {GROUP_PATTERN}"
        ),
    ),
    ("CreateLogGroup", {"logGroupName": "n" * 513}, IP, TOO_LONG),
    ("CreateLogGroup", {"logGroupName": "a b"}, IP, invalid("a b", "logGroupName", GROUP_PATTERN)),
    ("CreateLogGroup", {"logGroupName": "a:b"}, IP, invalid("a:b", "logGroupName", GROUP_PATTERN)),
    ("CreateLogGroup", {"logGroupName": "ü"}, IP, invalid("ü", "logGroupName", GROUP_PATTERN)),
    ("CreateLogGroup", {"logGroupName": "aws/spans"}, IP, "Log groups starting with AWS/ are reserved for AWS."),
    ("CreateLogGroup", {"logGroupName": "AWS/x"}, IP, "Log groups starting with AWS/ are reserved for AWS."),
    ("CreateLogGroup", G, EXISTS, "The specified log group already exists"),
    ("CreateLogGroup", {"logGroupName": "new", "logGroupClass": "X"}, IP, invalid("X", "logGroupClass", CLASSES)),
    ("CreateLogGroup", {"logGroupName": "new", "tags": {}}, IP, invalid("{{}}", "tags", AT_LEAST_1)),
    ("CreateLogGroup", {"logGroupName": "new", "tags": {"a!": "b"}}, IP, invalid("{{a!=b}}", "tags", TAG_KEY)),
    (
        "CreateLogGroup",
        {"logGroupName": "new", "tags": {"aws:a": "b"}},
        IP,
        "aws: prefixed tag key names are not allowed for external use.",
    ),
    (
        "CreateLogGroup",
        {"logGroupName": "new", "kmsKeyId": "k" * 257},
        IP,
        invalid("k" * 257, "kmsKeyId", "Member must have length less than or equal to 256"),
    ),
]
GROUPS: list[Case] = [
    ("DeleteLogGroup", {}, IP, missing("logGroupName")),
    ("DeleteLogGroup", NO_G, NOT_FOUND, NO_GROUP),
    ("DeleteLogGroup", {"logGroupName": "n" * 513}, IP, TOO_LONG),
    ("DeleteLogGroup", {"logGroupName": "/protected"}, VE, "Deletion protection is enabled for log group /protected."),
    ("PutLogGroupDeletionProtection", {"logGroupIdentifier": "/g"}, IP, missing("deletionProtectionEnabled")),
    (
        "PutLogGroupDeletionProtection",
        {"logGroupIdentifier": "/missing", "deletionProtectionEnabled": True},
        NOT_FOUND,
        NO_GROUP,
    ),
    (
        "DescribeLogGroups",
        {"logGroupNamePrefix": "a", "logGroupNamePattern": "a"},
        IP,
        "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
    ),
    ("DescribeLogGroups", {"limit": 0}, IP, at_least(0, "limit", 1)),
    ("DescribeLogGroups", {"limit": 51}, IP, at_most(51, "limit", 50)),
    ("DescribeLogGroups", {"nextToken": ""}, IP, invalid("", "nextToken", AT_LEAST_1)),
    ("DescribeLogGroups", {"nextToken": "x"}, IP, TOKEN),
    ("DescribeLogGroups", {"nextToken": "bnVsbA=="}, IP, TOKEN),
    ("DescribeLogGroups", {"nextToken": "{stream_token}"}, IP, TOKEN),
    ("DescribeLogGroups", {"nextToken": "ü"}, IP, TOKEN),
    ("DescribeLogGroups", {"logGroupClass": "X"}, IP, invalid("X", "logGroupClass", CLASSES)),
    ("DescribeLogGroups", {"logGroupIdentifiers": []}, IP, invalid("[]", "logGroupIdentifiers", AT_LEAST_1)),
    ("DescribeLogGroups", {"logGroupIdentifiers": ["{foreign_arn}"]}, NOT_FOUND, NO_GROUP),
    (
        "DescribeLogGroups",
        {"logGroupIdentifiers": ["/g"], "logGroupClass": "STANDARD"},
        IP,
        "logGroupIdentifiers can't be combined with other filters.",
    ),
    ("ListLogGroups", {"limit": 0}, IP, at_least(0, "limit", 1)),
    ("ListLogGroups", {"limit": 1001}, IP, at_most(1001, "limit", 1000)),
    ("ListLogGroups", {"nextToken": "x"}, IP, TOKEN),
    (
        "ListLogGroups",
        {"logGroupNamePattern": "a.*b"},
        IP,
        invalid(
            "a.*b",
            "logGroupNamePattern",
            r"Member must satisfy regular expression pattern: "
            r"(\^?[\.\-_\/#A-Za-z0-9]{{3,24}})(\|\^?[\.\-_\/#A-Za-z0-9]{{3,24}}){{0,4}}",
        ),
    ),
    ("PutRetentionPolicy", G, IP, missing("retentionInDays")),
    ("PutRetentionPolicy", {"retentionInDays": 1}, IP, missing("logGroupName")),
    ("PutRetentionPolicy", {**NO_G, "retentionInDays": 1}, NOT_FOUND, NO_GROUP),
    *(
        (
            "PutRetentionPolicy",
            {**G, "retentionInDays": days},
            IP,
            invalid(days, "retentionInDays", f"Member must satisfy enum value set: [{DAYS}]"),
        )
        for days in (-1, 0, 2, 31, 3654)
    ),
    ("DeleteRetentionPolicy", {}, IP, missing("logGroupName")),
    ("DeleteRetentionPolicy", NO_G, NOT_FOUND, NO_GROUP),
]
TAGS: list[Case] = [
    ("TagLogGroup", G, IP, missing("tags")),
    ("TagLogGroup", {**G, "tags": {}}, IP, invalid("{{}}", "tags", AT_LEAST_1)),
    ("TagLogGroup", {**NO_G, "tags": {"a": "b"}}, NOT_FOUND, NO_GROUP),
    ("TagLogGroup", {**G, "tags": {"AWS:a": "b"}}, IP, "aws: prefixed tag key names are not allowed for external use."),
    ("UntagLogGroup", G, IP, missing("tags")),
    ("UntagLogGroup", {**G, "tags": []}, IP, invalid("[]", "tags", AT_LEAST_1)),
    ("UntagLogGroup", {**NO_G, "tags": ["a"]}, NOT_FOUND, NO_GROUP),
    ("ListTagsLogGroup", {}, IP, missing("logGroupName")),
    ("ListTagsLogGroup", NO_G, NOT_FOUND, NO_GROUP),
    ("TagResource", {"tags": {"a": "b"}}, IP, missing("resourceArn")),
    ("TagResource", {"resourceArn": "{arn}"}, IP, missing("tags")),
    ("TagResource", {"resourceArn": "x", "tags": {"a": "b"}}, IP, "Invalid resource ARN: x"),
    ("TagResource", {"resourceArn": "{arn}-missing", "tags": {"a": "b"}}, NOT_FOUND, NO_GROUP),
    ("TagResource", {"resourceArn": "{foreign_arn}", "tags": {"a": "b"}}, NOT_FOUND, NO_GROUP),
    ("TagResource", {"resourceArn": "{arn}:*", "tags": {"a": "b"}}, IP, invalid("{arn}:*", "resourceArn", ARN_PATTERN)),
    ("TagResource", {"resourceArn": "{arn}", "tags": {"a!": "b"}}, IP, invalid("{{a!=b}}", "tags", TAG_KEY)),
    (
        "TagResource",
        {"resourceArn": "{full_arn}", "tags": {"x": "y"}},
        "TooManyTagsException",
        "The resource has too many tags.",
    ),
    ("UntagResource", {"resourceArn": "{arn}"}, IP, missing("tagKeys")),
    ("UntagResource", {"resourceArn": "{arn}-missing", "tagKeys": ["a"]}, NOT_FOUND, NO_GROUP),
    ("ListTagsForResource", {}, IP, missing("resourceArn")),
    ("ListTagsForResource", {"resourceArn": "{arn}-missing"}, NOT_FOUND, NO_GROUP),
    ("ListTagsForResource", {"resourceArn": "arn:aws:logs:us-east-1:{account}:destination:d"}, NOT_FOUND, NO_GROUP),
]
STREAMS: list[Case] = [
    ("CreateLogStream", G, IP, missing("logStreamName")),
    ("CreateLogStream", {"logStreamName": "s"}, IP, missing("logGroupName")),
    ("CreateLogStream", S, EXISTS, "The specified log stream already exists"),
    ("CreateLogStream", {**NO_G, "logStreamName": "s"}, NOT_FOUND, NO_GROUP),
    ("CreateLogStream", {**G, "logStreamName": "n" * 513}, IP, TOO_LONG),
    ("CreateLogStream", {**G, "logStreamName": "a:b"}, IP, invalid("a:b", "logStreamName", STREAM_PATTERN)),
    ("CreateLogStream", {**G, "logStreamName": "a*"}, IP, invalid("a*", "logStreamName", STREAM_PATTERN)),
    ("CreateLogStream", {**G, "logStreamName": ""}, IP, invalid("", "logStreamName", AT_LEAST_1)),
    ("DeleteLogStream", {**G, "logStreamName": "missing"}, NOT_FOUND, NO_STREAM),
    ("DeleteLogStream", {**NO_G, "logStreamName": "s"}, NOT_FOUND, NO_GROUP),
    ("DeleteLogStream", G, IP, missing("logStreamName")),
    ("DescribeLogStreams", {}, VE, NEITHER),
    ("DescribeLogStreams", {**G, "logGroupIdentifier": "/g"}, VE, BOTH),
    ("DescribeLogStreams", NO_G, NOT_FOUND, NO_GROUP),
    ("DescribeLogStreams", {"logGroupIdentifier": "/missing"}, NOT_FOUND, NO_GROUP),
    ("DescribeLogStreams", {"logGroupIdentifier": "{foreign_arn}"}, NOT_FOUND, NO_GROUP),
    ("DescribeLogStreams", {"logGroupIdentifier": "{other_region_arn}"}, NOT_FOUND, NO_GROUP),
    (
        "DescribeLogStreams",
        {"logGroupIdentifier": "{arn}:*"},
        IP,
        invalid("{arn}:*", "logGroupIdentifier", IDENTIFIER_PATTERN),
    ),
    ("DescribeLogStreams", {**G, "limit": 0}, IP, at_least(0, "limit", 1)),
    ("DescribeLogStreams", {**G, "limit": 51}, IP, at_most(51, "limit", 50)),
    (
        "DescribeLogStreams",
        {**G, "orderBy": "X"},
        IP,
        invalid("X", "orderBy", "Member must satisfy enum value set: [LogStreamName, LastEventTime]"),
    ),
    (
        "DescribeLogStreams",
        {**G, "orderBy": "LastEventTime", "logStreamNamePrefix": "s"},
        IP,
        "Cannot order by LastEventTime with a logStreamNamePrefix.",
    ),
    ("DescribeLogStreams", {**G, "nextToken": "x"}, IP, TOKEN),
    ("DescribeLogStreams", {**G, "nextToken": "{stream_token}", "descending": True}, IP, TOKEN),
]
PUT_LOG_EVENTS: list[Case] = [
    ("PutLogEvents", S, IP, missing("logEvents")),
    ("PutLogEvents", {**G, "logEvents": [EVENT]}, IP, missing("logStreamName")),
    (
        "PutLogEvents",
        {**S, "logEvents": []},
        IP,
        f"1 validation error detected: Value at 'logEvents' failed to satisfy constraint: {AT_LEAST_1}",
    ),
    (
        "PutLogEvents",
        {**S, "logEvents": [EVENT] * 10_001},
        IP,
        "1 validation error detected: Value at 'logEvents' failed to satisfy constraint: "
        "Member must have length less than or equal to 10000",
    ),
    ("PutLogEvents", {**S, "logEvents": [{"message": "x"}]}, IP, missing("logEvents.1.member.timestamp")),
    ("PutLogEvents", {**S, "logEvents": [{"timestamp": "{now}"}]}, IP, missing("logEvents.1.member.message")),
    (
        "PutLogEvents",
        {**S, "logEvents": [EVENT, {**EVENT, "message": ""}]},
        IP,
        invalid("", "logEvents.2.member.message", AT_LEAST_1),
    ),
    (
        "PutLogEvents",
        {**S, "logEvents": [{"timestamp": -1, "message": "x"}]},
        IP,
        at_least(-1, "logEvents.1.member.timestamp", 0),
    ),
    (
        "PutLogEvents",
        {**S, "logEvents": [EVENT, {"timestamp": 0, "message": "x"}]},
        IP,
        "Log events in a single PutLogEvents request must be in chronological order.",
    ),
    ("PutLogEvents", {**G, "logStreamName": "missing", "logEvents": [EVENT]}, NOT_FOUND, NO_STREAM),
    ("PutLogEvents", {**NO_G, "logStreamName": "s", "logEvents": [EVENT]}, NOT_FOUND, NO_GROUP),
]
READS: list[Case] = [
    ("GetLogEvents", G, IP, missing("logStreamName")),
    ("GetLogEvents", {"logStreamName": "s"}, VE, NEITHER),
    ("GetLogEvents", {**S, "logGroupIdentifier": "/g"}, VE, BOTH),
    ("GetLogEvents", {**G, "logStreamName": "missing"}, NOT_FOUND, NO_STREAM),
    ("GetLogEvents", {**NO_G, "logStreamName": "s"}, NOT_FOUND, NO_GROUP),
    ("GetLogEvents", {**S, "limit": 0}, IP, at_least(0, "limit", 1)),
    ("GetLogEvents", {**S, "limit": 10_001}, IP, at_most(10_001, "limit", 10_000)),
    ("GetLogEvents", {**S, "startTime": -1}, IP, at_least(-1, "startTime", 0)),
    ("GetLogEvents", {**S, "endTime": -1}, IP, at_least(-1, "endTime", 0)),
    *(
        ("GetLogEvents", {**S, "nextToken": token}, IP, TOKEN)
        for token in (
            "x",
            "f/1/s",
            "g/" + "0" * 56 + "/s",
            "f/" + "9" * 56 + "/s",
            "f/" + "٣" * 56 + "/s",
            "{filter_token}",
        )
    ),
    ("FilterLogEvents", {}, VE, NEITHER),
    ("FilterLogEvents", {**G, "logGroupIdentifier": "{arn}"}, VE, BOTH),
    ("FilterLogEvents", NO_G, NOT_FOUND, NO_GROUP),
    ("FilterLogEvents", {**G, "logStreamNames": ["s", "missing"]}, NOT_FOUND, NO_STREAM),
    ("FilterLogEvents", {**G, "logStreamNames": []}, IP, invalid("[]", "logStreamNames", AT_LEAST_1)),
    (
        "FilterLogEvents",
        {**G, "logStreamNames": ["s"], "logStreamNamePrefix": "s"},
        IP,
        "logStreamNames and logStreamNamePrefix are mutually exclusive parameters.",
    ),
    ("FilterLogEvents", {**G, "limit": 0}, IP, at_least(0, "limit", 1)),
    ("FilterLogEvents", {**G, "limit": 10_001}, IP, at_most(10_001, "limit", 10_000)),
    ("FilterLogEvents", {**G, "nextToken": "x"}, IP, TOKEN),
    ("FilterLogEvents", {**G, "nextToken": "{stream_token}"}, IP, TOKEN),
    ("FilterLogEvents", {**G, "filterPattern": "a:b"}, IP, "Invalid character(s) in term ':'"),
    (
        "FilterLogEvents",
        {**G, "filterPattern": "{{ $.a"},
        IP,
        "If a filter pattern starts with '{{' it must end with '}}'",
    ),
    ("FilterLogEvents", {**G, "filterPattern": '"open'}, IP, "Invalid filter pattern"),
    (
        "FilterLogEvents",
        {**G, "filterPattern": "X" * 1025},
        IP,
        invalid("X" * 1025, "filterPattern", "Member must have length less than or equal to 1024"),
    ),
    (
        "FilterLogEvents",
        {**G, "startFromHead": False, "startTime": 1_704_067_199_999},
        IP,
        "startFromHead can be false only when startTime is not before 1704067200000.",
    ),
    ("TestMetricFilter", {"logEventMessages": ["x"]}, IP, missing("filterPattern")),
    ("TestMetricFilter", {"filterPattern": ""}, IP, missing("logEventMessages")),
    ("TestMetricFilter", {"filterPattern": "%(%", "logEventMessages": ["x"]}, IP, "Invalid character(s) in term '('"),
    (
        "TestMetricFilter",
        {"filterPattern": "", "logEventMessages": []},
        IP,
        invalid("[]", "logEventMessages", AT_LEAST_1),
    ),
]
CASES = [*CREATE_LOG_GROUP, *GROUPS, *TAGS, *STREAMS, *PUT_LOG_EVENTS, *READS]
IDS = [f"{operation}-{number}" for number, (operation, *_) in enumerate(CASES)]

# What each mutating operation takes, and how it answers when asked the same again.
MUTATING: list[tuple[str, dict[str, Any], str | None]] = [
    ("CreateLogGroup", {"logGroupName": "new"}, EXISTS),
    ("CreateLogStream", {**G, "logStreamName": "new"}, EXISTS),
    ("DeleteLogGroup", G, NOT_FOUND),
    ("DeleteLogStream", S, NOT_FOUND),
    ("DeleteRetentionPolicy", G, None),
    ("PutLogEvents", {**S, "logEvents": [EVENT]}, None),
    ("PutLogGroupDeletionProtection", {"logGroupIdentifier": "/g", "deletionProtectionEnabled": True}, None),
    ("PutRetentionPolicy", {**G, "retentionInDays": 30}, None),
    ("TagLogGroup", {**G, "tags": {"a": "b"}}, None),
    ("TagResource", {"resourceArn": "{arn}", "tags": {"a": "b"}}, None),
    ("UntagLogGroup", {**G, "tags": ["a"]}, None),
    ("UntagResource", {"resourceArn": "{arn}", "tagKeys": ["a"]}, None),
]
