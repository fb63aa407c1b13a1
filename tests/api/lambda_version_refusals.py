"""What the operations on versions, aliases and policies refuse: tables like those of `lambda_refusals`.

The function `known` has versions 1 and 2, and the alias `live` for version 1; all of them but version 2 have a policy
with the statement `first`.
"""

from __future__ import annotations

from typing import Any

from lambda_refusals import (
    ARN,
    CONFLICT,
    FUNCTIONS_ONLY,
    INVALID,
    KNOWN,
    LACKING,
    MISMATCH,
    NAME_PATTERN,
    NO_FUNCTION,
    NOT_FOUND,
    NOT_REACHABLE,
    OTHER_REGION,
    PRECONDITION,
    READ_NAME_PATTERN,
    SERIALIZATION,
    UNKNOWN,
    VALIDATION,
    WRONG_REVISION,
    Case,
    at_least,
    at_most,
    broken,
    lacking,
    null,
    one_of,
    pattern,
)

ALIAS_PATTERN = r"(?!^[0-9]+$)([a-zA-Z0-9-_]+)"
VERSION_PATTERN = r"(\$LATEST(\.PUBLISHED)?|[0-9]+)"
QUALIFIER_PATTERN = r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+"
SID_PATTERN = "([a-zA-Z0-9-_]+)"
ACTION_PATTERN = "(lambda:[*]|lambda:[a-zA-Z]+|[*])"
SOURCE_ARN_PATTERN = (
    r"arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)"
)
ALIAS: dict[str, Any] = {"FunctionName": KNOWN, "Name": "new", "FunctionVersion": "1"}
PERMISSION: dict[str, Any] = {
    "FunctionName": KNOWN,
    "StatementId": "new",
    "Action": "lambda:InvokeFunction",
    "Principal": "sns.amazonaws.com",
}
LIVE = {"FunctionName": KNOWN, "Name": "live"}


def weights(**given: Any) -> dict[str, Any]:
    """Return a routing configuration; `_2=0.5` is half for version 2."""
    return {"AdditionalVersionWeights": {name.removeprefix("_"): weight for name, weight in given.items()}}


def no_version(number: str) -> str:
    return f"Function not found: {ARN}known:{number}"


WEIGHT_RULES = (
    "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value "
    "greater than or equal to 0.0, Member must not be null]"
)
# What CreateAlias and UpdateAlias refuse alike.
ROUTES: list[tuple[dict[str, Any], int, str, str]] = [
    ({"FunctionVersion": "7"}, 404, NOT_FOUND, no_version("7")),
    ({"FunctionVersion": "01"}, 404, NOT_FOUND, no_version("01")),
    ({"FunctionVersion": "9" * 40}, 404, NOT_FOUND, no_version("9" * 40)),
    ({"FunctionVersion": "$LATEST.PUBLISHED"}, 404, NOT_FOUND, no_version("$LATEST.PUBLISHED")),
    ({"FunctionVersion": "live"}, 400, VALIDATION, pattern("live", "functionVersion", VERSION_PATTERN)),
    ({"FunctionVersion": 1}, 400, SERIALIZATION, "NUMBER_VALUE can not be converted to a String"),
    ({"Description": "d" * 257}, 400, VALIDATION, at_most("d" * 257, "description", 256, "length")),
    (
        {"RoutingConfig": weights(_1=0.5, _2=0.5)},
        400,
        INVALID,
        "Number of items in AdditionalVersionWeights cannot be greater than 1",
    ),
    (
        {"FunctionVersion": "1", "RoutingConfig": weights(_1=0.5)},
        400,
        INVALID,
        "Invalid function version 1. Function version 1 is already included in routing configuration.",
    ),
    ({"RoutingConfig": weights(_7=0.5)}, 404, NOT_FOUND, no_version("7")),
    (
        {"FunctionVersion": "$LATEST", "RoutingConfig": weights(_2=0.5)},
        400,
        INVALID,
        "$LATEST is not supported for an alias pointing to more than 1 version",
    ),
    (
        {"RoutingConfig": weights(_2=2.0)},
        400,
        VALIDATION,
        broken("{2=2.0}", "routingConfig.additionalVersionWeights", WEIGHT_RULES),
    ),
    (
        {"RoutingConfig": weights(_2=-1.0)},
        400,
        VALIDATION,
        broken("{2=-1.0}", "routingConfig.additionalVersionWeights", WEIGHT_RULES),
    ),
    (
        {"RoutingConfig": {"AdditionalVersionWeights": {"$LATEST": 0.5}}},
        400,
        VALIDATION,
        broken(
            "{$LATEST=0.5}",
            "routingConfig.additionalVersionWeights",
            "Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have "
            "length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+, "
            "Member must not be null]",
        ),
    ),
]
VERSIONS: list[Case] = [
    *[
        ("PublishVersion", {"FunctionName": KNOWN, **members}, status, code, message)
        for members, status, code, message in [
            ({"FunctionName": UNKNOWN}, 404, NOT_FOUND, NO_FUNCTION),
            ({"FunctionName": OTHER_REGION}, 404, NOT_FOUND, NOT_REACHABLE),
            ({"FunctionName": "a b"}, 400, VALIDATION, pattern("a b", "functionName", NAME_PATTERN)),
            ({"FunctionName": "known:1"}, 400, INVALID, FUNCTIONS_ONLY),
            ({"FunctionName": "known:live"}, 400, INVALID, FUNCTIONS_ONLY),
            ({"RevisionId": "other"}, 412, PRECONDITION, WRONG_REVISION),
            (
                {"CodeSha256": "other"},
                400,
                INVALID,
                "CodeSHA256 (other) is different from current CodeSHA256 in $LATEST ({sha256}). Please try again with "
                "the CodeSHA256 in $LATEST.",
            ),
            ({"Description": "d" * 257}, 400, VALIDATION, at_most("d" * 257, "description", 256, "length")),
            ({"Description": 7}, 400, SERIALIZATION, "NUMBER_VALUE can not be converted to a String"),
            (
                {"PublishTo": "LATEST_PUBLISHED"},
                501,
                LACKING,
                lacking("PublishTo", "PublishVersion"),
            ),
        ]
    ],
    *[
        ("ListVersionsByFunction", {"FunctionName": KNOWN, **members}, status, code, message)
        for members, status, code, message in [
            ({"FunctionName": UNKNOWN}, 404, NOT_FOUND, NO_FUNCTION),
            ({"FunctionName": "a b"}, 400, VALIDATION, pattern("a b", "functionName", READ_NAME_PATTERN)),
            ({"FunctionName": "known:1"}, 400, INVALID, FUNCTIONS_ONLY),
            ({"MaxItems": 0}, 400, VALIDATION, at_least(0, "maxItems", 1)),
            ({"Marker": "%"}, 400, INVALID, "Invalid Marker"),
            ({"Marker": "bGl2ZQ=="}, 400, INVALID, "Invalid Marker"),
        ]
    ],
    ("ListFunctions", {"FunctionVersion": "ALL", "Marker": "YTpi"}, 400, INVALID, "Invalid Marker"),
    *[
        (operation, {"FunctionName": KNOWN, "Qualifier": qualifier}, 404, NOT_FOUND, no_version(qualifier))
        for operation in ("GetFunction", "GetFunctionConfiguration", "Invoke")
        for qualifier in ("3", "01", "9" * 40, "nobody", "$LATEST.PUBLISHED")
    ],
    (
        "DeleteFunction",
        {"FunctionName": KNOWN, "Qualifier": "1"},
        409,
        CONFLICT,
        "Unable to delete version because the following aliases reference it: [live]",
    ),
    (
        "DeleteFunction",
        {"FunctionName": KNOWN, "Qualifier": "live"},
        400,
        INVALID,
        "Deletion of aliases is not currently supported.",
    ),
    ("UpdateFunctionCode", {"FunctionName": "known:live", "ZipFile": b""}, 400, INVALID, FUNCTIONS_ONLY),
    ("UpdateFunctionConfiguration", {"FunctionName": "known:live", "Timeout": 5}, 400, INVALID, FUNCTIONS_ONLY),
]
ALIASES: list[Case] = [
    *[
        ("CreateAlias", {**ALIAS, **members}, status, code, message)
        for members, status, code, message in [
            ({"FunctionName": UNKNOWN}, 404, NOT_FOUND, f"{NO_FUNCTION}:1"),
            ({"FunctionName": UNKNOWN, "FunctionVersion": "$LATEST"}, 404, NOT_FOUND, f"{NO_FUNCTION}:$LATEST"),
            ({"FunctionName": "known:1"}, 400, INVALID, FUNCTIONS_ONLY),
            ({"Name": None}, 400, VALIDATION, null("name")),
            ({"FunctionVersion": None}, 400, VALIDATION, null("functionVersion")),
            ({"Name": "live"}, 409, CONFLICT, f"Alias already exists: {ARN}known:live"),
            ({"Name": "7"}, 400, VALIDATION, pattern("7", "name", ALIAS_PATTERN)),
            ({"Name": "a b"}, 400, VALIDATION, pattern("a b", "name", ALIAS_PATTERN)),
            ({"Name": "a" * 129}, 400, VALIDATION, at_most("a" * 129, "name", 128, "length")),
            *ROUTES,
        ]
    ],
    *[
        ("UpdateAlias", {**LIVE, **members}, status, code, message)
        for members, status, code, message in [
            ({"Name": "nobody"}, 404, NOT_FOUND, f"Alias not found: {ARN}known:nobody"),
            ({"FunctionName": UNKNOWN}, 404, NOT_FOUND, f"Alias not found: {ARN}unknown:live"),
            ({"Name": "7"}, 400, VALIDATION, pattern("7", "name", ALIAS_PATTERN)),
            ({"RevisionId": "other"}, 412, PRECONDITION, WRONG_REVISION),
            *ROUTES,
        ]
    ],
    *[
        ("GetAlias", {**LIVE, **members}, status, code, message)
        for members, status, code, message in [
            ({"Name": "nobody"}, 404, NOT_FOUND, f"Cannot find alias arn: {ARN}known:nobody"),
            ({"FunctionName": UNKNOWN}, 404, NOT_FOUND, f"Cannot find alias arn: {ARN}unknown:live"),
            ({"FunctionName": OTHER_REGION}, 404, NOT_FOUND, NOT_REACHABLE),
            ({"Name": "7"}, 400, VALIDATION, pattern("7", "name", ALIAS_PATTERN)),
        ]
    ],
    *[
        ("ListAliases", {"FunctionName": KNOWN, **members}, status, code, message)
        for members, status, code, message in [
            ({"FunctionName": UNKNOWN}, 404, NOT_FOUND, NO_FUNCTION),
            ({"FunctionVersion": "live"}, 400, VALIDATION, pattern("live", "functionVersion", VERSION_PATTERN)),
            ({"MaxItems": 10001}, 400, VALIDATION, at_most(10001, "maxItems", 10000)),
            ({"Marker": "%"}, 400, INVALID, "Invalid Marker"),
        ]
    ],
    ("DeleteAlias", {**LIVE, "Name": "7"}, 400, VALIDATION, pattern("7", "name", ALIAS_PATTERN)),
    ("DeleteAlias", {**LIVE, "FunctionName": OTHER_REGION}, 404, NOT_FOUND, NOT_REACHABLE),
]
NOT_THERE: list[tuple[dict[str, Any], int, str, str]] = [
    ({"FunctionName": UNKNOWN}, 404, NOT_FOUND, NO_FUNCTION),
    ({"FunctionName": OTHER_REGION}, 404, NOT_FOUND, NOT_REACHABLE),
    ({"Qualifier": "7"}, 404, NOT_FOUND, no_version("7")),
    ({"Qualifier": "01"}, 404, NOT_FOUND, no_version("01")),
    ({"Qualifier": "nobody"}, 404, NOT_FOUND, f"Cannot find alias arn: {ARN}known:nobody"),
    ({"FunctionName": "known:1", "Qualifier": "2"}, 400, INVALID, MISMATCH),
    ({"Qualifier": "a b"}, 400, VALIDATION, pattern("a b", "qualifier", QUALIFIER_PATTERN)),
]
NO_PRINCIPAL = "The provided principal was invalid. Please check the principal and try again."
POLICIES: list[Case] = [
    *[
        ("AddPermission", {**PERMISSION, **members}, status, code, message)
        for members, status, code, message in [
            *NOT_THERE,
            *[({name: None}, 400, VALIDATION, null(name[0].lower() + name[1:])) for name in list(PERMISSION)[1:]],
            ({"Qualifier": "$LATEST"}, 400, INVALID, "We currently do not support adding policies for $LATEST."),
            (
                {"FunctionName": "known:$LATEST"},
                400,
                INVALID,
                "We currently do not support adding policies for $LATEST.",
            ),
            *[
                (
                    {"StatementId": "first", **qualified},
                    409,
                    CONFLICT,
                    "The statement id (first) provided already exists. Please provide a new statement id, or remove "
                    "the existing statement.",
                )
                for qualified in ({}, {"Qualifier": "1"}, {"Qualifier": "live"})
            ],
            *[
                ({"RevisionId": "other", **qualified}, 412, PRECONDITION, WRONG_REVISION)
                for qualified in ({}, {"Qualifier": "1"}, {"Qualifier": "live"})
            ],
            ({"StatementId": "a.b"}, 400, VALIDATION, pattern("a.b", "statementId", SID_PATTERN)),
            ({"StatementId": "s" * 101}, 400, VALIDATION, at_most("s" * 101, "statementId", 100, "length")),
            ({"Action": "sqs:Send"}, 400, VALIDATION, pattern("sqs:Send", "action", ACTION_PATTERN)),
            ({"Principal": "a b"}, 400, VALIDATION, pattern("a b", "principal", r"[^\s]+")),
            ({"Principal": "nobody"}, 400, INVALID, NO_PRINCIPAL),
            ({"Principal": "1234"}, 400, INVALID, NO_PRINCIPAL),
            ({"Principal": "arn:aws:s3:::bucket"}, 400, INVALID, NO_PRINCIPAL),
            ({"Principal": ["*"]}, 400, SERIALIZATION, "Start of list found where not expected"),
            ({"SourceArn": "queue"}, 400, VALIDATION, pattern("queue", "sourceArn", SOURCE_ARN_PATTERN)),
            ({"SourceAccount": "12"}, 400, VALIDATION, pattern("12", "sourceAccount", r"\d{12}")),
            (
                {"PrincipalOrgID": "o-12345678!"},
                400,
                VALIDATION,
                "2 validation errors detected: Value 'o-12345678!' at 'principalOrgID' failed to satisfy constraint: "
                "Member must have length greater than or equal to 12; Value 'o-12345678!' at 'principalOrgID' failed "
                "to satisfy constraint: Member must satisfy regular expression pattern: o-[a-z0-9]{10,32}",
            ),
            ({"EventSourceToken": "a b"}, 400, VALIDATION, pattern("a b", "eventSourceToken", r"[a-zA-Z0-9._\-]+")),
            ({"FunctionUrlAuthType": "ALL"}, 400, VALIDATION, one_of("ALL", "functionUrlAuthType", "NONE", "AWS_IAM")),
            (
                {"FunctionUrlAuthType": "NONE"},
                400,
                INVALID,
                "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action",
            ),
        ]
    ],
    *[
        ("RemovePermission", {"FunctionName": KNOWN, "StatementId": "first", **members}, status, code, message)
        for members, status, code, message in [
            *NOT_THERE,
            ({"StatementId": "other"}, 404, NOT_FOUND, "Statement other is not found in resource policy."),
            ({"Qualifier": "2"}, 404, NOT_FOUND, f"No policy is found for: {ARN}known:2"),
            ({"StatementId": "a b"}, 400, VALIDATION, pattern("a b", "statementId", "([a-zA-Z0-9-_.]+)")),
            *[
                ({"RevisionId": "other", **qualified}, 412, PRECONDITION, WRONG_REVISION)
                for qualified in ({}, {"Qualifier": "1"}, {"Qualifier": "live"})
            ],
        ]
    ],
    *[
        ("GetPolicy", {"FunctionName": KNOWN, **members}, status, code, message)
        for members, status, code, message in [
            *NOT_THERE,
            ({"Qualifier": "2"}, 404, NOT_FOUND, "The resource you requested does not exist."),
            ({"Qualifier": "$LATEST"}, 404, NOT_FOUND, "The resource you requested does not exist."),
        ]
    ],
]
MAPPING = "arn:aws:lambda:us-east-1:{account}:event-source-mapping:0123abcd-0123-0123-0123-0123456789ab"
MAPPINGS: list[Case] = [
    (operation, {**members, "Resource": resource}, 404, NOT_FOUND, "The resource you requested does not exist.")
    for operation, members in [
        ("TagResource", {"Tags": {"key": "value"}}),
        ("UntagResource", {"TagKeys": ["key"]}),
        ("ListTags", {}),
    ]
    for resource in (MAPPING, MAPPING.replace("us-east-1", "eu-west-1"))
]
CASES: list[Case] = [*VERSIONS, *ALIASES, *POLICIES, *MAPPINGS]
IDS = [f"{number}-{case[0]}-{str(case[1])[:60]}-{case[3]}" for number, case in enumerate(CASES)]
