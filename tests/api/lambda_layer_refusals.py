"""What each operation on layers refuses: a table of (operation, members, status, code, message).

`{account}` in members and messages stands for that of the test, which has version 1 of the layer `tools` with the
permission `s1`.
"""

from __future__ import annotations

from typing import Any

from lambda_layers import TOOLS
from lambda_refusals import (
    BROKEN,
    CONFLICT,
    DENIED,
    EMPTY,
    INVALID,
    LAYER_PATTERN,
    NO_BUCKET,
    NO_SOURCE,
    NOT_FOUND,
    PRECONDITION,
    REGION_PATTERN,
    SERIALIZATION,
    VALIDATION,
    Case,
    at_least,
    at_most,
    bomb,
    broken,
    null,
    one_of,
    pattern,
)

from cumulet.wire.model import description

LAYER = "arn:aws:lambda:us-east-1:{account}:layer:"
OTHER_REGION = "arn:aws:lambda:eu-west-1:{account}:layer:tools"
NOT_REACHABLE = "Layers from 'eu-west-1' are not reachable in this region ('us-east-1')"
GONE = "The resource you requested does not exist."
TOO_SMALL = "Layer Version Cannot be less than 1"
WRONG_REVISION = (
    "The Revision Id provided does not match the latest Revision Id. "
    "Call the GetLayerPolicy API to retrieve the latest Revision Id"
)
NAME_PATTERN = (
    rf"(arn:(aws[a-zA-Z-]*)?:lambda:{REGION_PATTERN}:\d{{12}}:layer:[a-zA-Z0-9-_]{{1,140}}|[a-zA-Z0-9-_]{{1,140}})"
)
RUNTIMES = tuple(description("lambda")["shapes"]["Runtime"]["enum"])
ARCHITECTURES = "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64]]"
RUNTIMES_ONLY = f"Member must satisfy enum value set: [{', '.join(RUNTIMES)}]"
PUBLISH: dict[str, Any] = {"LayerName": "tools", "Content": {"ZipFile": TOOLS}}
PERMIT: dict[str, Any] = {
    "LayerName": "tools",
    "VersionNumber": 1,
    "StatementId": "s2",
    "Action": "lambda:GetLayerVersion",
    "Principal": "*",
}

PUBLISHES: list[Case] = [
    ("PublishLayerVersion", {**PUBLISH, **members}, status, code, message)
    for members, status, code, message in [
        ({"Content": None}, 400, VALIDATION, null("content")),
        ({"LayerName": "a b"}, 400, VALIDATION, pattern("a b", "layerName", NAME_PATTERN)),
        ({"LayerName": "a" * 141}, 400, VALIDATION, pattern("a" * 141, "layerName", NAME_PATTERN)),
        ({"LayerName": f"{LAYER}tools:1"}, 400, VALIDATION, pattern(f"{LAYER}tools:1", "layerName", NAME_PATTERN)),
        # AWS documents neither.
        ({"LayerName": OTHER_REGION}, 404, NOT_FOUND, NOT_REACHABLE),
        ({"Description": "d" * 257}, 400, VALIDATION, at_most("d" * 257, "description", 256, "length")),
        ({"Description": 7}, 400, SERIALIZATION, "NUMBER_VALUE can not be converted to a String"),
        ({"LicenseInfo": "l" * 513}, 400, VALIDATION, at_most("l" * 513, "licenseInfo", 512, "length")),
        (
            {"CompatibleRuntimes": ["invalidruntime"]},
            400,
            VALIDATION,
            broken("[invalidruntime]", "compatibleRuntimes", RUNTIMES_ONLY),
        ),
        (
            {"CompatibleArchitectures": ["invalidarch", "x86_64"]},
            400,
            VALIDATION,
            broken("[invalidarch, x86_64]", "compatibleArchitectures", ARCHITECTURES),
        ),
        (
            {"CompatibleRuntimes": ["invalidruntime"], "CompatibleArchitectures": ["invalidarch"]},
            400,
            VALIDATION,
            f"2 validation errors detected: Value '[invalidruntime]' at 'compatibleRuntimes' failed to satisfy "
            f"constraint: {RUNTIMES_ONLY}; Value '[invalidarch]' at 'compatibleArchitectures' failed to satisfy "
            f"constraint: {ARCHITECTURES}",
        ),
        (
            {"CompatibleRuntimes": 16 * ["python3.11"]},
            400,
            VALIDATION,
            at_most(f"[{', '.join(16 * ['python3.11'])}]", "compatibleRuntimes", 15, "length"),
        ),
        ({"Content": {}}, 400, INVALID, NO_SOURCE),
        ({"Content": {"S3Bucket": "bucket", "S3Key": "key.zip"}}, 400, INVALID, NO_BUCKET),
        (
            {"Content": {"ZipFile": TOOLS, "S3Bucket": "bucket", "S3Key": "key.zip"}},
            400,
            INVALID,
            "Please do not provide other FunctionCode parameters when providing a ZipFile.",
        ),
        ({"Content": {"ZipFile": b""}}, 400, INVALID, EMPTY),
        ({"Content": {"ZipFile": b"this is not a zip file"}}, 400, INVALID, BROKEN),
        ({"Content": {"ZipFile": TOOLS[:-30]}}, 400, INVALID, BROKEN),
        ({"Content": {"ZipFile": bomb()}}, 400, INVALID, "Unzipped size must be smaller than 262144000 bytes"),
    ]
]
READS: list[Case] = [
    *[
        (operation, {"LayerName": "tools", "VersionNumber": 1, **members}, status, code, message)
        for operation in ("GetLayerVersion", "DeleteLayerVersion", "GetLayerVersionPolicy")
        for members, status, code, message in [
            ({"VersionNumber": 0}, 400, INVALID, TOO_SMALL),
            ({"VersionNumber": -1}, 400, INVALID, TOO_SMALL),
            ({"LayerName": "a b"}, 400, VALIDATION, pattern("a b", "layerName", NAME_PATTERN)),
            ({"LayerName": OTHER_REGION}, 404, NOT_FOUND, NOT_REACHABLE),
        ]
    ],
    ("GetLayerVersion", {"LayerName": "unknown", "VersionNumber": 1}, 404, NOT_FOUND, GONE),
    ("GetLayerVersion", {"LayerName": "tools", "VersionNumber": 2}, 404, NOT_FOUND, GONE),
    ("GetLayerVersion", {"LayerName": "tools", "VersionNumber": 2**63 - 1}, 404, NOT_FOUND, GONE),
    ("GetLayerVersionByArn", {"Arn": f"{LAYER}tools:2"}, 404, NOT_FOUND, GONE),
    ("GetLayerVersionByArn", {"Arn": f"{LAYER}unknown:1"}, 404, NOT_FOUND, GONE),
    ("GetLayerVersionByArn", {"Arn": f"{LAYER}tools:0"}, 400, INVALID, TOO_SMALL),
    ("GetLayerVersionByArn", {"Arn": f"{OTHER_REGION}:1"}, 404, NOT_FOUND, NOT_REACHABLE),
    ("GetLayerVersionByArn", {"Arn": f"{LAYER}tools"}, 400, VALIDATION, pattern(f"{LAYER}tools", "arn", LAYER_PATTERN)),
    (
        "GetLayerVersionByArn",
        {"Arn": "arn:aws:lambda:::awslayer:AmazonLinux1703"},
        403,
        DENIED,
        "User: arn:aws:iam::{account}:root is not authorized to perform: lambda:GetLayerVersion on resource: "
        "arn:aws:lambda:::awslayer:AmazonLinux1703 because no resource-based policy allows the "
        "lambda:GetLayerVersion action",
    ),
]
LISTS: list[Case] = [
    (operation, {**needed, **members}, status, code, message)
    for operation, needed in (("ListLayers", {}), ("ListLayerVersions", {"LayerName": "tools"}))
    for members, status, code, message in [
        ({"MaxItems": 0}, 400, VALIDATION, at_least(0, "maxItems", 1)),
        ({"MaxItems": 51}, 400, VALIDATION, at_most(51, "maxItems", 50)),
        ({"Marker": "%"}, 400, INVALID, "Invalid Marker"),
        (
            {"CompatibleRuntime": "runtimedoesnotexist"},
            400,
            VALIDATION,
            one_of("runtimedoesnotexist", "compatibleRuntime", *RUNTIMES),
        ),
        (
            {"CompatibleArchitecture": "archdoesnotexist"},
            400,
            VALIDATION,
            one_of("archdoesnotexist", "compatibleArchitecture", "x86_64", "arm64"),
        ),
    ]
] + [
    ("ListLayerVersions", {"LayerName": "tools", "Marker": "YQ=="}, 400, INVALID, "Invalid Marker"),
    ("ListLayerVersions", {"LayerName": "a b"}, 400, VALIDATION, pattern("a b", "layerName", NAME_PATTERN)),
]
PERMISSIONS: list[Case] = [
    *[
        (operation, {**needed, **members}, 404, NOT_FOUND, f"Layer version {arn} does not exist.")
        for operation, needed in (
            ("AddLayerVersionPermission", PERMIT),
            ("GetLayerVersionPolicy", {"LayerName": "tools", "VersionNumber": 1}),
            ("RemoveLayerVersionPermission", {"LayerName": "tools", "VersionNumber": 1, "StatementId": "s1"}),
        )
        for members, arn in (
            ({"LayerName": "unknown"}, f"{LAYER}unknown:1"),
            ({"VersionNumber": 2}, f"{LAYER}tools:2"),
        )
    ],
    *[
        ("AddLayerVersionPermission", {**PERMIT, **members}, status, code, message)
        for members, status, code, message in [
            ({"Action": None}, 400, VALIDATION, null("action")),
            ({"Principal": None}, 400, VALIDATION, null("principal")),
            ({"StatementId": None}, 400, VALIDATION, null("statementId")),
            ({"Action": "*"}, 400, VALIDATION, pattern("*", "action", "lambda:GetLayerVersion")),
            (
                {"Principal": "everyone"},
                400,
                VALIDATION,
                pattern("everyone", "principal", r"\d{12}|\*|arn:(aws[a-zA-Z-]*):iam::\d{12}:root"),
            ),
            ({"StatementId": "s 1"}, 400, VALIDATION, pattern("s 1", "statementId", "([a-zA-Z0-9-_]+)")),
            ({"StatementId": "s" * 101}, 400, VALIDATION, at_most("s" * 101, "statementId", 100, "length")),
            ({"OrganizationId": "o-1"}, 400, VALIDATION, pattern("o-1", "organizationId", "o-[a-z0-9]{10,32}")),
            (
                {"StatementId": "s1"},
                409,
                CONFLICT,
                "The statement id (s1) provided already exists. Please provide a new statement id, or remove the "
                "existing statement.",
            ),
            ({"RevisionId": "wrong"}, 412, PRECONDITION, WRONG_REVISION),
            ({"VersionNumber": 0}, 400, INVALID, TOO_SMALL),
        ]
    ],
    *[
        (
            "RemoveLayerVersionPermission",
            {"LayerName": "tools", "VersionNumber": 1, "StatementId": "s1", **members},
            status,
            code,
            message,
        )
        for members, status, code, message in [
            ({"StatementId": "unknown"}, 404, NOT_FOUND, "Statement unknown is not found in resource policy."),
            ({"RevisionId": "wrong"}, 412, PRECONDITION, WRONG_REVISION),
            ({"VersionNumber": 0}, 400, INVALID, TOO_SMALL),
        ]
    ],
]

CASES: list[Case] = [*PUBLISHES, *READS, *LISTS, *PERMISSIONS]
IDS = [f"{operation}-{number}" for number, (operation, *_) in enumerate(CASES)]
