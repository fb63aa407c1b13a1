"""What each operation on functions refuses: tables of (operation, members, status, code, message).

`{account}`, `{arn}` and `{role}` in members and messages stand for those of the test. CREATE has what a new function
needs; a member that is None is left out.
"""

from __future__ import annotations

import zlib
from typing import Any

from lambda_functions import ROLE, SOURCE, zip_of

Case = tuple[str, dict[str, Any], int, str, str]

INVALID = "InvalidParameterValueException"
VALIDATION = "ValidationException"
NOT_FOUND = "ResourceNotFoundException"
CONFLICT = "ResourceConflictException"
DENIED = "AccessDeniedException"
PRECONDITION = "PreconditionFailedException"
SERIALIZATION = "SerializationException"
TOO_LARGE = "RequestEntityTooLargeException"
LACKING = "InternalFailure"

KNOWN, UNKNOWN = "known", "unknown"
ARN = "arn:aws:lambda:us-east-1:{account}:function:"
OTHER_REGION = "arn:aws:lambda:eu-west-1:{account}:function:known"
NO_FUNCTION = f"Function not found: {ARN}unknown"
NOT_REACHABLE = "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"
FUNCTIONS_ONLY = (
    "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
    "Please specify either a function name or an unqualified function ARN."
)
MISMATCH = "The derived qualifier from the function name does not match the specified qualifier."
NO_HANDLER = "Runtime and Handler are mandatory parameters for functions created with deployment packages."
BROKEN = "Could not unzip uploaded file. Please check your file, then try to upload again."
EMPTY = "Uploaded file must be a non-empty zip"
NO_SOURCE = "Please provide a source for function code."
NO_BUCKET = (
    "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket does not exist"
)
UNABLE = "Lambda was unable to configure your environment variables because the environment variables you have provided"
TOO_MANY_TAGS = "Number of tags exceeds resource tag limit."
WRONG_REVISION = (
    "The Revision Id provided does not match the latest Revision Id. "
    "Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
)
NO_VPC = "SubnetIds and SecurityIds must coexist or be both empty list."

REGION_PATTERN = r"(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}"
NAME_PATTERN = (
    rf"(arn:(aws[a-zA-Z-]*)?:lambda:)?({REGION_PATTERN}:)?(\d{{12}}:)?(function:)?([a-zA-Z0-9-_]+)"
    r"(:(\$LATEST|[a-zA-Z0-9-_]+))?"
)
READ_NAME_PATTERN = (
    rf"(arn:(aws[a-zA-Z-]*)?:lambda:)?({REGION_PATTERN}:)?(\d{{12}}:)?(function:)?([a-zA-Z0-9-_\.]+)"
    r"(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"
)
TAGGABLE_PATTERN = (
    rf"arn:(aws[a-zA-Z-]*):lambda:{REGION_PATTERN}:\d{{12}}:(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|"
    r"code-signing-config:csc-[a-z0-9]{17}|"
    r"event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|"
    r"(capacity-provider|network-connector):[a-zA-Z0-9-_]{1,64})"
)
ROLE_PATTERN = r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"
TAG_PATTERN = r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)"
LAYER_PATTERN = (
    rf"((arn:(aws[a-zA-Z-]*)?:lambda:{REGION_PATTERN}:\d{{12}}:layer:[a-zA-Z0-9-_]+:[0-9]+)|"
    r"(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+))"
)
ARN_OR_EMPTY_PATTERN = r"(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()"

PACKAGE = zip_of({"app.py": SOURCE})
CREATE: dict[str, Any] = {
    "FunctionName": "new",
    "Runtime": "python3.11",
    "Role": ROLE,
    "Handler": "app.handler",
    "Code": {"ZipFile": PACKAGE},
}


def broken(value: object, path: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{value}'"
    return f"1 validation error detected: Value {shown} at '{path}' failed to satisfy constraint: {constraint}"


def pattern(value: str, path: str, expression: str) -> str:
    return broken(value, path, f"Member must satisfy regular expression pattern: {expression}")


def null(path: str) -> str:
    return broken(None, path, "Member must not be null")


def at_most(value: object, path: str, limit: int, unit: str = "value") -> str:
    return broken(value, path, f"Member must have {unit} less than or equal to {limit}")


def at_least(value: object, path: str, limit: int, unit: str = "value") -> str:
    return broken(value, path, f"Member must have {unit} greater than or equal to {limit}")


def one_of(value: str, path: str, *values: str) -> str:
    return broken(value, path, f"Member must satisfy enum value set: [{', '.join(values)}]")


def lacking(name: str, operation: str) -> str:
    return f"Cumulet does not implement {name} of {operation} of lambda yet."


def damaged(package: bytes) -> bytes:
    """Return a zip file of which one byte of the packed content is another."""
    position = len("PK..") + 26 + len("app.py") + 4
    return package[:position] + bytes([package[position] ^ 0xFF]) + package[position + 1 :]


def bomb() -> bytes:
    """Return a small zip file that unpacks to more than Lambda allows."""
    return zip_of({"zeros": bytes(262_144_001)})


def lying(package: bytes) -> bytes:
    """Return a zip file whose directory says that its file has one byte less."""
    size = len(SOURCE).to_bytes(4, "little")
    smaller = (len(SOURCE) - 1).to_bytes(4, "little")
    assert zlib.crc32(SOURCE.encode()).to_bytes(4, "little") in package
    return package.replace(size, smaller)


# Settings that CreateFunction and UpdateFunctionConfiguration refuse alike.
SETTINGS: list[tuple[dict[str, Any], int, str, str]] = [
    ({"Role": "r1"}, 400, VALIDATION, pattern("r1", "role", ROLE_PATTERN)),
    ({"Handler": "app handler"}, 400, VALIDATION, pattern("app handler", "handler", r"[^\s]+")),
    ({"Handler": "h" * 129}, 400, VALIDATION, at_most("h" * 129, "handler", 128, "length")),
    ({"Description": "d" * 257}, 400, VALIDATION, at_most("d" * 257, "description", 256, "length")),
    ({"Timeout": 0}, 400, VALIDATION, at_least(0, "timeout", 1)),
    ({"Timeout": 901}, 400, VALIDATION, at_most(901, "timeout", 900)),
    ({"Timeout": "soon"}, 400, SERIALIZATION, "STRING_VALUE can not be converted to an Integer"),
    ({"MemorySize": 127}, 400, VALIDATION, at_least(127, "memorySize", 128)),
    ({"MemorySize": 10241}, 400, VALIDATION, at_most(10241, "memorySize", 10240)),
    ({"MemorySize": 128.5}, 400, SERIALIZATION, "DECIMAL_VALUE can not be converted to an Integer"),
    ({"EphemeralStorage": {}}, 400, VALIDATION, null("ephemeralStorage.size")),
    ({"EphemeralStorage": {"Size": 511}}, 400, VALIDATION, at_least(511, "ephemeralStorage.size", 512)),
    ({"EphemeralStorage": {"Size": 10241}}, 400, VALIDATION, at_most(10241, "ephemeralStorage.size", 10240)),
    (
        {"TracingConfig": {"Mode": "On"}},
        400,
        VALIDATION,
        one_of("On", "tracingConfig.mode", "Active", "PassThrough"),
    ),
    (
        {"Environment": {"Variables": {"1st": "x"}}},
        400,
        VALIDATION,
        "1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: Map keys must "
        "satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]",
    ),
    (
        {"Environment": {"Variables": {"PLACE": "x", "AWS_REGION": "x", "AWS_SESSION_TOKEN": "x"}}},
        400,
        INVALID,
        f"{UNABLE} contains reserved keys that are currently not supported for modification. "
        "Reserved keys used in this request: AWS_REGION, AWS_SESSION_TOKEN",
    ),
    (
        {"Environment": {"Variables": {"LARGE": "x" * 4085}}},
        400,
        INVALID,
        f'{UNABLE} exceeded the 4KB limit. String measured: {{"LARGE":"{"x" * 4085}"}}',
    ),
    (
        {"Environment": {"Variables": {"NUMBER": 1}}},
        400,
        SERIALIZATION,
        "NUMBER_VALUE can not be converted to a String",
    ),
    (
        {"DeadLetterConfig": {"TargetArn": "queue"}},
        400,
        VALIDATION,
        pattern("queue", "deadLetterConfig.targetArn", ARN_OR_EMPTY_PATTERN),
    ),
    ({"KMSKeyArn": "key"}, 400, VALIDATION, pattern("key", "kMSKeyArn", ARN_OR_EMPTY_PATTERN)),
    ({"VpcConfig": {"SubnetIds": ["subnet-1"]}}, 400, INVALID, NO_VPC),
    ({"VpcConfig": {"SecurityGroupIds": ["sg-1"]}}, 400, INVALID, NO_VPC),
    (
        {"LoggingConfig": {"LogFormat": "XML"}},
        400,
        VALIDATION,
        one_of("XML", "loggingConfig.logFormat", "JSON", "Text"),
    ),
    (
        {"LoggingConfig": {"LogGroup": "a b"}},
        400,
        VALIDATION,
        pattern("a b", "loggingConfig.logGroup", r"[\.\-_/#A-Za-z0-9]+"),
    ),
    # AWS documents that levels need the format JSON, not its text.
    (
        {"LoggingConfig": {"LogFormat": "Text", "ApplicationLogLevel": "INFO"}},
        400,
        INVALID,
        "ApplicationLogLevel can be set only when LogFormat is JSON.",
    ),
    (
        {"LoggingConfig": {"SystemLogLevel": "INFO"}},
        400,
        INVALID,
        "SystemLogLevel can be set only when LogFormat is JSON.",
    ),
    (
        {"SnapStart": {"ApplyOn": "Always"}},
        400,
        VALIDATION,
        one_of("Always", "snapStart.applyOn", "PublishedVersions", "None"),
    ),
    (
        {"SnapStart": {"ApplyOn": "PublishedVersions"}},
        400,
        INVALID,
        "python3.11 is not supported for SnapStart enabled functions.",
    ),
    (
        {"Runtime": "python3.13", "SnapStart": {"ApplyOn": "PublishedVersions"}},
        501,
        LACKING,
        "Cumulet does not implement snapshots (SnapStart) of lambda functions yet.",
    ),
    (
        {"Layers": ["arn:aws:lambda:us-east-1:{account}:layer:tools:1"]},
        400,
        INVALID,
        "Layer version arn:aws:lambda:us-east-1:{account}:layer:tools:1 does not exist.",
    ),
    (
        {"Layers": ["arn:aws:lambda:eu-west-1:{account}:layer:tools:1"]},
        400,
        INVALID,
        "Layers are not in the same region as the function. Layers are expected to be in region us-east-1.",
    ),
    (
        {"Layers": [f"arn:aws:lambda:us-east-1:{{account}}:layer:tools:{n}" for n in range(6)]},
        400,
        INVALID,
        "Cannot reference more than 5 layers.",
    ),
    (
        {"Layers": ["arn:aws:lambda:us-east-1:017000801446:layer:tools:1"]},
        403,
        DENIED,
        "User: arn:aws:iam::{account}:root is not authorized to perform: lambda:GetLayerVersion on resource: "
        "arn:aws:lambda:us-east-1:017000801446:layer:tools:1 because no resource-based policy allows the "
        "lambda:GetLayerVersion action",
    ),
    (
        {"Layers": ["tools"]},
        400,
        VALIDATION,
        broken(
            "[tools]",
            "layers",
            "Member must satisfy constraint: [Member must have length less than or equal to 2048, Member must have "
            "length greater than or equal to 1, Member must satisfy regular expression pattern: "
            f"{LAYER_PATTERN}, Member must not be null]",
        ),
    ),
]
CAPACITY = "arn:aws:lambda:us-east-1:123456789012:capacity-provider:large"
LACKING_SETTINGS: list[dict[str, Any]] = [
    {
        "FileSystemConfigs": [
            {
                "Arn": "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0",
                "LocalMountPath": "/mnt/files",
            }
        ]
    },
    {"ImageConfig": {"Command": ["app"]}},
    {"CapacityProviderConfig": {"LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": CAPACITY}}},
    {"DurableConfig": {"ExecutionTimeout": 60}},
]
# Packages that CreateFunction (in Code) and UpdateFunctionCode refuse alike.
PACKAGES: list[tuple[dict[str, Any], int, str, str]] = [
    ({}, 400, INVALID, NO_SOURCE),
    ({"S3Bucket": "bucket"}, 400, INVALID, NO_SOURCE),
    ({"S3Bucket": "bucket", "S3Key": "key.zip"}, 400, INVALID, NO_BUCKET),
    (
        {"ZipFile": PACKAGE, "S3Bucket": "bucket", "S3Key": "key.zip"},
        400,
        INVALID,
        "Please do not provide other FunctionCode parameters when providing a ZipFile.",
    ),
    ({"ZipFile": b""}, 400, INVALID, EMPTY),
    ({"ZipFile": zip_of({})}, 400, INVALID, EMPTY),
    ({"ZipFile": b"this is not a zip file"}, 400, INVALID, BROKEN),
    ({"ZipFile": PACKAGE[:-30]}, 400, INVALID, BROKEN),
    ({"ZipFile": damaged(PACKAGE)}, 400, INVALID, BROKEN),
    ({"ZipFile": lying(PACKAGE)}, 400, INVALID, BROKEN),
]

CREATES: list[Case] = [
    ("CreateFunction", {**CREATE, **members}, status, code, message)
    for members, status, code, message in [
        ({"FunctionName": None}, 400, VALIDATION, null("functionName")),
        ({"Role": None}, 400, VALIDATION, null("role")),
        ({"Code": None}, 400, VALIDATION, null("code")),
        ({"Runtime": None}, 400, INVALID, NO_HANDLER),
        ({"Handler": None}, 400, INVALID, NO_HANDLER),
        ({"FunctionName": "a b"}, 400, VALIDATION, pattern("a b", "functionName", NAME_PATTERN)),
        ({"FunctionName": "a.b"}, 400, VALIDATION, pattern("a.b", "functionName", NAME_PATTERN)),
        ({"FunctionName": "a:b:c"}, 400, VALIDATION, pattern("a:b:c", "functionName", NAME_PATTERN)),
        ({"FunctionName": "a" * 65}, 400, VALIDATION, at_most("a" * 65, "functionName", 64, "length")),
        ({"FunctionName": "a" * 141}, 400, VALIDATION, at_most("a" * 141, "functionName", 140, "length")),
        ({"FunctionName": 7}, 400, SERIALIZATION, "NUMBER_VALUE can not be converted to a String"),
        ({"FunctionName": "new:live"}, 400, INVALID, FUNCTIONS_ONLY),
        ({"FunctionName": OTHER_REGION}, 404, NOT_FOUND, NOT_REACHABLE),
        ({"FunctionName": KNOWN}, 409, CONFLICT, "Function already exist: known"),
        ({"FunctionName": f"{ARN}known"}, 409, CONFLICT, "Function already exist: known"),
        ({"PackageType": "Tar"}, 400, VALIDATION, one_of("Tar", "packageType", "Zip", "Image")),
        (
            {"PackageType": "Image", "Code": {"ImageUri": "image"}},
            501,
            LACKING,
            "Cumulet does not implement functions from container images yet.",
        ),
        ({"Code": {"S3Bucket": "b"}}, 400, VALIDATION, at_least("b", "code.s3Bucket", 3, "length")),
        ({"Architectures": []}, 400, VALIDATION, at_least("[]", "architectures", 1, "length")),
        (
            {"Architectures": ["x86_64", "arm64"]},
            400,
            VALIDATION,
            at_most("[x86_64, arm64]", "architectures", 1, "length"),
        ),
        (
            {"Architectures": ["X86_64"]},
            400,
            VALIDATION,
            broken(
                "[X86_64]",
                "architectures",
                "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], "
                "Member must not be null]",
            ),
        ),
        ({"Tags": {f"key-{n}": "" for n in range(51)}}, 400, INVALID, TOO_MANY_TAGS),
        # AWS documents that the prefix is reserved, not its text.
        ({"Tags": {"aws:key": ""}}, 400, INVALID, "aws: prefixed tag key names are not allowed for external use."),
        (
            {"Tags": {"a*": "b"}},
            400,
            VALIDATION,
            broken(
                "{a*=b}",
                "tags",
                "Map keys must satisfy constraint: [Member must have length less than or equal to 128, Member must "
                "have length greater than or equal to 1, "
                f"Member must satisfy regular expression pattern: {TAG_PATTERN}]",
            ),
        ),
        *SETTINGS,
        *[
            (members, 501, LACKING, lacking(next(iter(members)), "CreateFunction"))
            for members in [*LACKING_SETTINGS, {"TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}}]
        ],
        *[({"Code": members}, status, code, text) for members, status, code, text in PACKAGES],
    ]
]
READS: list[Case] = [
    (operation, members, status, code, message)
    for operation in ("GetFunction", "GetFunctionConfiguration")
    for members, status, code, message in [
        ({"FunctionName": UNKNOWN}, 404, NOT_FOUND, NO_FUNCTION),
        ({"FunctionName": "unknown:$LATEST"}, 404, NOT_FOUND, f"{NO_FUNCTION}:$LATEST"),
        ({"FunctionName": f"{ARN}unknown"}, 404, NOT_FOUND, NO_FUNCTION),
        ({"FunctionName": KNOWN, "Qualifier": "7"}, 404, NOT_FOUND, f"Function not found: {ARN}known:7"),
        ({"FunctionName": "known:live"}, 404, NOT_FOUND, f"Function not found: {ARN}known:live"),
        ({"FunctionName": "known:1", "Qualifier": "2"}, 400, INVALID, MISMATCH),
        ({"FunctionName": OTHER_REGION}, 404, NOT_FOUND, NOT_REACHABLE),
        ({"FunctionName": "a b"}, 400, VALIDATION, pattern("a b", "functionName", READ_NAME_PATTERN)),
        (
            {"FunctionName": KNOWN, "Qualifier": "a b"},
            400,
            VALIDATION,
            pattern("a b", "qualifier", r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+"),
        ),
    ]
]
LISTS: list[Case] = [
    ("ListFunctions", {"MaxItems": 0}, 400, VALIDATION, at_least(0, "maxItems", 1)),
    ("ListFunctions", {"MaxItems": 10001}, 400, VALIDATION, at_most(10001, "maxItems", 10000)),
    ("ListFunctions", {"FunctionVersion": "1"}, 400, VALIDATION, one_of("1", "functionVersion", "ALL")),
    # AWS documents that one needs the other, and that markers are opaque; not its texts.
    (
        "ListFunctions",
        {"MasterRegion": "us-east-1"},
        400,
        INVALID,
        "FunctionVersion must be ALL when MasterRegion is set.",
    ),
    ("ListFunctions", {"Marker": "%"}, 400, INVALID, "Invalid Marker"),
]
# Operations on functions as a whole, with what else they need.
ON_A_FUNCTION: list[tuple[str, dict[str, Any]]] = [
    ("DeleteFunction", {}),
    ("UpdateFunctionCode", {"ZipFile": PACKAGE}),
    ("UpdateFunctionConfiguration", {"Timeout": 5}),
    ("PutFunctionConcurrency", {"ReservedConcurrentExecutions": 1}),
    ("GetFunctionConcurrency", {}),
    ("DeleteFunctionConcurrency", {}),
]
ON_FUNCTIONS: list[Case] = [
    (operation, {**members, "FunctionName": name}, status, code, message)
    for operation, members in ON_A_FUNCTION
    for name, status, code, message in [
        (UNKNOWN, 404, NOT_FOUND, NO_FUNCTION),
        (f"{ARN}unknown", 404, NOT_FOUND, NO_FUNCTION),
        (OTHER_REGION, 404, NOT_FOUND, NOT_REACHABLE),
    ]
]
DELETES: list[Case] = [
    ("DeleteFunction", {"FunctionName": "a b"}, 400, VALIDATION, pattern("a b", "functionName", READ_NAME_PATTERN)),
    (
        "DeleteFunction",
        {"FunctionName": KNOWN, "Qualifier": "$LATEST"},
        400,
        INVALID,
        "$LATEST version cannot be deleted without deleting the function.",
    ),
    ("DeleteFunction", {"FunctionName": "known:1", "Qualifier": "2"}, 400, INVALID, MISMATCH),
    ("DeleteFunction", {"FunctionName": UNKNOWN, "Qualifier": "1"}, 404, NOT_FOUND, NO_FUNCTION),
]
UPDATES: list[Case] = [
    *[
        ("UpdateFunctionCode", {"FunctionName": KNOWN, **members}, status, code, message)
        for members, status, code, message in [
            *PACKAGES,
            ({"S3Bucket": "b"}, 400, VALIDATION, at_least("b", "s3Bucket", 3, "length")),
            ({"ZipFile": PACKAGE, "RevisionId": "other"}, 412, PRECONDITION, WRONG_REVISION),
            ({"ZipFile": b"", "RevisionId": "other"}, 412, PRECONDITION, WRONG_REVISION),
            ({"ZipFile": b"", "DryRun": True}, 400, INVALID, EMPTY),
            (
                {"ImageUri": "image"},
                400,
                INVALID,
                "Please don't provide ImageUri when updating a function with packageType Zip.",
            ),
            (
                {"ZipFile": PACKAGE, "Architectures": ["x86_64", "arm64"]},
                400,
                VALIDATION,
                at_most("[x86_64, arm64]", "architectures", 1, "length"),
            ),
        ]
    ],
    ("UpdateFunctionCode", {"FunctionName": "known:1", "ZipFile": PACKAGE}, 400, INVALID, FUNCTIONS_ONLY),
    *[
        ("UpdateFunctionConfiguration", {"FunctionName": KNOWN, **members}, status, code, message)
        for members, status, code, message in [
            *SETTINGS,
            ({"Timeout": 5, "RevisionId": "other"}, 412, PRECONDITION, WRONG_REVISION),
            *[
                (members, 501, LACKING, lacking(next(iter(members)), "UpdateFunctionConfiguration"))
                for members in LACKING_SETTINGS
            ],
        ]
    ],
    ("UpdateFunctionConfiguration", {"FunctionName": "known:1", "Timeout": 5}, 400, INVALID, FUNCTIONS_ONLY),
]
BELOW_MINIMUM = (
    "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its "
    "minimum value of [100]."
)
CONCURRENCY: list[Case] = [
    *[
        (operation, {**members, "FunctionName": name}, 400, INVALID, FUNCTIONS_ONLY)
        for operation, members in ON_A_FUNCTION
        if operation.endswith("Concurrency")
        for name in ("known:1", "known:$LATEST")
    ],
    *[
        ("PutFunctionConcurrency", {"FunctionName": KNOWN, "ReservedConcurrentExecutions": value}, 400, code, message)
        for value, code, message in [
            (None, VALIDATION, null("reservedConcurrentExecutions")),
            (-1, VALIDATION, at_least(-1, "reservedConcurrentExecutions", 0)),
            ("many", SERIALIZATION, "STRING_VALUE can not be converted to an Integer"),
            (901, INVALID, BELOW_MINIMUM),
        ]
    ],
]
ONE_TAG = {"key": "value"}
TAGS: list[Case] = [
    *[
        (operation, {**members, "Resource": resource}, status, code, message)
        for operation, members in [
            ("TagResource", {"Tags": ONE_TAG}),
            ("UntagResource", {"TagKeys": ["key"]}),
            ("ListTags", {}),
        ]
        for resource, status, code, message in [
            (f"{ARN}unknown", 404, NOT_FOUND, NO_FUNCTION),
            (OTHER_REGION, 404, NOT_FOUND, NOT_REACHABLE),
            (KNOWN, 400, VALIDATION, pattern(KNOWN, "resource", TAGGABLE_PATTERN)),
            (
                f"{ARN}known:1",
                400,
                INVALID,
                "Tags on function aliases and versions are not supported. Please specify a function ARN.",
            ),
        ]
    ],
    ("TagResource", {"Resource": f"{ARN}known"}, 400, VALIDATION, null("tags")),
    (
        "TagResource",
        {"Resource": f"{ARN}known", "Tags": {}},
        400,
        INVALID,
        "An error occurred and the request cannot be processed.",
    ),
    (
        "TagResource",
        {"Resource": f"{ARN}known", "Tags": {f"key-{n}": "" for n in range(51)}},
        400,
        INVALID,
        TOO_MANY_TAGS,
    ),
    (
        "TagResource",
        {"Resource": f"{ARN}known", "Tags": {"key": "v" * 257}},
        400,
        VALIDATION,
        broken(
            f"{{key={'v' * 257}}}",
            "tags",
            "Map value must satisfy constraint: [Member must have length less than or equal to 256, Member must have "
            f"length greater than or equal to 0, Member must satisfy regular expression pattern: {TAG_PATTERN}]",
        ),
    ),
    ("UntagResource", {"Resource": f"{ARN}known"}, 400, VALIDATION, null("tagKeys")),
]
NAMES: list[Case] = [
    (operation, {**members, "FunctionName": "a b"}, 400, VALIDATION, pattern("a b", "functionName", NAME_PATTERN))
    for operation, members in ON_A_FUNCTION
    if operation != "DeleteFunction"
]
CASES: list[Case] = [*CREATES, *READS, *LISTS, *ON_FUNCTIONS, *NAMES, *DELETES, *UPDATES, *CONCURRENCY, *TAGS]


def name_of(case: Case) -> str:
    """Return a short name for a test with a case."""
    operation, members, _, code, _ = case
    differing = {name: value for name, value in members.items() if CREATE.get(name) != value}
    return f"{operation}-{str(differing)[:60]}-{code}"


IDS = [f"{number}-{name_of(case)}" for number, case in enumerate(CASES)]
