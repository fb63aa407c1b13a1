"""What each operation of IAM refuses: (operation, members, code, message), and the status that a code has.

The world has a role `worker` and a policy `own` with versions 1 (default) and 2. `{own}` stands for the policy's ARN,
`{gone}` for the ARN of one that isn't there.
"""

from __future__ import annotations

import json
from typing import Any

from iam_entities import LAMBDA_LOGS, PERMISSIONS, TRUST, permissions

STATUSES = {
    "AccessDenied": 403,
    "DeleteConflict": 409,
    "EntityAlreadyExists": 409,
    "InvalidInput": 400,
    "LimitExceeded": 409,
    "MalformedInput": 400,
    "MalformedPolicyDocument": 400,
    "NoSuchEntity": 404,
    "ValidationError": 400,
}
VALIDATION = "ValidationError"
MALFORMED = "MalformedPolicyDocument"
NOT_FOUND = "NoSuchEntity"
NULL = "Member must not be null"
EMPTY = "Member must have length greater than or equal to 1"
SHORT_ARN = "Member must have length greater than or equal to 20"
TOO_FEW = "Member must have value greater than or equal to 1"
MARKER_PATTERN = r"Member must satisfy regular expression pattern: [\u0020-\u00FF]+"
NAME_PATTERN = r"Member must satisfy regular expression pattern: [\w+=,.@-]+"
KEY_PATTERN = r"Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+"
VERSION_PATTERN = r"Member must satisfy regular expression pattern: v[1-9][0-9]*(\.[A-Za-z0-9-]*)?"
PATH_PATTERN = r"Member must satisfy regular expression pattern: (\u002F)|(\u002F[\u0021-\u007E]+\u002F)"
POLICY_PATH_PATTERN = r"Member must satisfy regular expression pattern: ((/[A-Za-z0-9\.,\+@=_-]+)*)/"
DOCUMENT_PATTERN = r"Member must satisfy regular expression pattern: [\u0009\u000A\u000D\u0020-\u00FF]+"
TAG_KEYS = (
    "Member must satisfy constraint: [Member must have length less than or equal to 128, "
    f"Member must have length greater than or equal to 1, {KEY_PATTERN}, {NULL}]"
)
NO_ROLE = "The role with name gone cannot be found."
T, P = json.dumps(TRUST), json.dumps(PERMISSIONS)
TOO_BIG_TRUST = json.dumps({**TRUST, "Id": "x" * 2048})
BAD_JSON = '{"Version": '
NEW_ROLE = {"RoleName": "new", "AssumeRolePolicyDocument": T}
NEW_POLICY = {"PolicyName": "new", "PolicyDocument": P}
ROLE, OWN, GONE = {"RoleName": "worker"}, {"PolicyArn": "{own}"}, {"PolicyArn": "{gone}"}
MANY_TAGS = [{"Key": f"k{number}", "Value": ""} for number in range(51)]


def invalid(*found: str) -> str:
    """Return the message for broken constraints, each given as `member: text`."""
    texts = []
    for one in found:
        member, _, text = one.partition(": ")
        texts.append(f"Value at '{member}' failed to satisfy constraint: {text}")
    return f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: {'; '.join(texts)}"


def longest(member: str, length: int) -> str:
    return invalid(f"{member}: Member must have length less than or equal to {length}")


def tag(key: str, value: str = "") -> dict[str, str]:
    return {"Key": key, "Value": value}


Case = tuple[str, dict[str, Any], str, str]

ROLES: list[Case] = [
    ("create_role", {}, VALIDATION, invalid(f"roleName: {NULL}", f"assumeRolePolicyDocument: {NULL}")),
    (
        "create_role",
        {**NEW_ROLE, "RoleName": ""},
        VALIDATION,
        invalid(f"roleName: {EMPTY}", f"roleName: {NAME_PATTERN}"),
    ),
    ("create_role", {**NEW_ROLE, "RoleName": "a b"}, VALIDATION, invalid(f"roleName: {NAME_PATTERN}")),
    ("create_role", {**NEW_ROLE, "RoleName": "é"}, VALIDATION, invalid(f"roleName: {NAME_PATTERN}")),
    ("create_role", {**NEW_ROLE, "RoleName": "x" * 65}, VALIDATION, longest("roleName", 64)),
    ("create_role", {**NEW_ROLE, "Path": "team/"}, VALIDATION, invalid(f"path: {PATH_PATTERN}")),
    ("create_role", {**NEW_ROLE, "Path": "/team"}, VALIDATION, invalid(f"path: {PATH_PATTERN}")),
    ("create_role", {**NEW_ROLE, "Path": f"/{'x' * 511}/"}, VALIDATION, longest("path", 512)),
    ("create_role", {**NEW_ROLE, "Description": "x" * 1001}, VALIDATION, longest("description", 1000)),
    (
        "create_role",
        {**NEW_ROLE, "MaxSessionDuration": 3599},
        VALIDATION,
        invalid("maxSessionDuration: Member must have value greater than or equal to 3600"),
    ),
    (
        "create_role",
        {**NEW_ROLE, "MaxSessionDuration": 43201},
        VALIDATION,
        invalid("maxSessionDuration: Member must have value less than or equal to 43200"),
    ),
    ("create_role", {**NEW_ROLE, "AssumeRolePolicyDocument": BAD_JSON}, MALFORMED, "This policy contains invalid Json"),
    ("create_role", {**NEW_ROLE, "AssumeRolePolicyDocument": P}, MALFORMED, "Has prohibited field Resource"),
    (
        "create_role",
        {**NEW_ROLE, "AssumeRolePolicyDocument": "日"},
        VALIDATION,
        invalid(f"assumeRolePolicyDocument: {DOCUMENT_PATTERN}"),
    ),
    (
        "create_role",
        {**NEW_ROLE, "AssumeRolePolicyDocument": TOO_BIG_TRUST},
        "LimitExceeded",
        "Cannot exceed quota for ACLSizePerRole: 2048",
    ),
    ("create_role", {**NEW_ROLE, "RoleName": "WORKER"}, "EntityAlreadyExists", "Role with name WORKER already exists."),
    (
        "create_role",
        {**NEW_ROLE, "PermissionsBoundary": "arn:aws:iam::1:role/not-a-policy"},
        "InvalidInput",
        "ARN arn:aws:iam::1:role/not-a-policy is not valid.",
    ),
    (
        "create_role",
        {**NEW_ROLE, "PermissionsBoundary": "{gone}"},
        NOT_FOUND,
        "Scope ARN: {gone} does not exist or is not attachable.",
    ),
    ("create_role", {**NEW_ROLE, "Tags": MANY_TAGS}, VALIDATION, longest("tags", 50)),
    ("create_role", {**NEW_ROLE, "Tags": [{"Key": "a"}]}, VALIDATION, invalid(f"tags.1.member.value: {NULL}")),
    ("create_role", {**NEW_ROLE, "Tags": [tag("x" * 129)]}, VALIDATION, longest("tags.1.member.key", 128)),
    ("create_role", {**NEW_ROLE, "Tags": [tag("a", "x" * 257)]}, VALIDATION, longest("tags.1.member.value", 256)),
    (
        "create_role",
        {**NEW_ROLE, "Tags": [tag("a"), tag("A")]},
        "InvalidInput",
        "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
    ),
    (
        "create_role",
        {**NEW_ROLE, "Tags": [tag("AWS:x")]},
        "InvalidInput",
        "Tag keys that start with aws: are reserved and can't be added.",
    ),
    ("get_role", {}, VALIDATION, invalid(f"roleName: {NULL}")),
    ("get_role", {"RoleName": "gone"}, NOT_FOUND, NO_ROLE),
    ("list_roles", {"MaxItems": 0}, VALIDATION, invalid(f"maxItems: {TOO_FEW}")),
    (
        "list_roles",
        {"MaxItems": 1001},
        VALIDATION,
        invalid("maxItems: Member must have value less than or equal to 1000"),
    ),
    ("list_roles", {"MaxItems": "many"}, "MalformedInput", "STRING_VALUE can not be converted to an Integer"),
    (
        "list_roles",
        {"PathPrefix": "team"},
        VALIDATION,
        invalid(r"pathPrefix: Member must satisfy regular expression pattern: \u002F[\u0021-\u007F]*"),
    ),
    ("list_roles", {"Marker": "x"}, VALIDATION, "Invalid Marker."),
    ("list_roles", {"Marker": ""}, VALIDATION, invalid(f"marker: {EMPTY}", f"marker: {MARKER_PATTERN}")),
    ("update_role", {}, VALIDATION, invalid(f"roleName: {NULL}")),
    ("update_role", {"RoleName": "gone", "Description": "x"}, NOT_FOUND, NO_ROLE),
    (
        "update_role",
        {**ROLE, "Description": "x", "MaxSessionDuration": 1},
        VALIDATION,
        invalid("maxSessionDuration: Member must have value greater than or equal to 3600"),
    ),
    ("update_role_description", ROLE, VALIDATION, invalid(f"description: {NULL}")),
    ("update_role_description", {"RoleName": "gone", "Description": "x"}, NOT_FOUND, NO_ROLE),
    ("update_assume_role_policy", ROLE, VALIDATION, invalid(f"policyDocument: {NULL}")),
    ("update_assume_role_policy", {"RoleName": "gone", "PolicyDocument": T}, NOT_FOUND, NO_ROLE),
    ("update_assume_role_policy", {**ROLE, "PolicyDocument": P}, MALFORMED, "Has prohibited field Resource"),
    (
        "update_assume_role_policy",
        {**ROLE, "PolicyDocument": TOO_BIG_TRUST},
        "LimitExceeded",
        "Cannot exceed quota for ACLSizePerRole: 2048",
    ),
    ("put_role_permissions_boundary", {"RoleName": "gone", "PermissionsBoundary": LAMBDA_LOGS}, NOT_FOUND, NO_ROLE),
    (
        "put_role_permissions_boundary",
        {**ROLE, "PermissionsBoundary": "{gone}"},
        NOT_FOUND,
        "Scope ARN: {gone} does not exist or is not attachable.",
    ),
    ("delete_role_permissions_boundary", {"RoleName": "gone"}, NOT_FOUND, NO_ROLE),
    ("delete_role", {}, VALIDATION, invalid(f"roleName: {NULL}")),
    ("delete_role", {"RoleName": "gone"}, NOT_FOUND, NO_ROLE),
    ("delete_role", ROLE, "DeleteConflict", "Cannot delete entity, must detach all policies first."),
    ("tag_role", ROLE, VALIDATION, invalid(f"tags: {NULL}")),
    ("tag_role", {"RoleName": "gone", "Tags": []}, NOT_FOUND, NO_ROLE),
    ("tag_role", {**ROLE, "Tags": [tag("a?")]}, VALIDATION, invalid(f"tags.1.member.key: {KEY_PATTERN}")),
    ("tag_role", {**ROLE, "Tags": MANY_TAGS}, VALIDATION, longest("tags", 50)),
    ("untag_role", ROLE, VALIDATION, invalid(f"tagKeys: {NULL}")),
    ("untag_role", {"RoleName": "gone", "TagKeys": ["a"]}, NOT_FOUND, NO_ROLE),
    ("untag_role", {**ROLE, "TagKeys": ["x" * 129]}, VALIDATION, invalid(f"tagKeys: {TAG_KEYS}")),
    ("untag_role", {**ROLE, "TagKeys": ["k"] * 51}, VALIDATION, longest("tagKeys", 50)),
    ("list_role_tags", {"RoleName": "gone"}, NOT_FOUND, NO_ROLE),
    ("list_role_tags", {**ROLE, "Marker": "WyJMaXN0Um9sZVRhZ3MiLCJ4Il0="}, VALIDATION, "Invalid Marker."),
]
ROLE_POLICIES: list[Case] = [
    ("put_role_policy", ROLE, VALIDATION, invalid(f"policyName: {NULL}", f"policyDocument: {NULL}")),
    ("put_role_policy", {"RoleName": "gone", "PolicyName": "p", "PolicyDocument": P}, NOT_FOUND, NO_ROLE),
    (
        "put_role_policy",
        {**ROLE, "PolicyName": "a/b", "PolicyDocument": P},
        VALIDATION,
        invalid(f"policyName: {NAME_PATTERN}"),
    ),
    ("put_role_policy", {**ROLE, "PolicyName": "x" * 129, "PolicyDocument": P}, VALIDATION, longest("policyName", 128)),
    (
        "put_role_policy",
        {**ROLE, "PolicyName": "p", "PolicyDocument": BAD_JSON},
        MALFORMED,
        "Syntax errors in policy.",
    ),
    (
        "put_role_policy",
        {**ROLE, "PolicyName": "p", "PolicyDocument": T},
        MALFORMED,
        "Policy document should not specify a principal.",
    ),
    ("get_role_policy", ROLE, VALIDATION, invalid(f"policyName: {NULL}")),
    ("get_role_policy", {"RoleName": "gone", "PolicyName": "p"}, NOT_FOUND, NO_ROLE),
    ("get_role_policy", {**ROLE, "PolicyName": "p"}, NOT_FOUND, "The role policy with name p cannot be found."),
    ("list_role_policies", {"RoleName": "gone"}, NOT_FOUND, NO_ROLE),
    ("delete_role_policy", {"RoleName": "gone", "PolicyName": "p"}, NOT_FOUND, NO_ROLE),
    ("delete_role_policy", {**ROLE, "PolicyName": "p"}, NOT_FOUND, "The role policy with name p cannot be found."),
    ("attach_role_policy", ROLE, VALIDATION, invalid(f"policyArn: {NULL}")),
    ("attach_role_policy", {"RoleName": "gone", "PolicyArn": LAMBDA_LOGS}, NOT_FOUND, NO_ROLE),
    ("attach_role_policy", {**ROLE, "PolicyArn": "short"}, VALIDATION, invalid(f"policyArn: {SHORT_ARN}")),
    (
        "attach_role_policy",
        {**ROLE, "PolicyArn": "a-name-and-not-an-arn"},
        VALIDATION,
        "ARN a-name-and-not-an-arn is not valid.",
    ),
    (
        "attach_role_policy",
        {**ROLE, "PolicyArn": "arn:aws-cn:iam::aws:policy/AdministratorAccess"},
        VALIDATION,
        "ARN arn:aws-cn:iam::aws:policy/AdministratorAccess is not valid.",
    ),
    (
        "attach_role_policy",
        {**ROLE, "PolicyArn": "arn:aws:sqs:us-east-1:1:policy/x"},
        "InvalidInput",
        "ARN arn:aws:sqs:us-east-1:1:policy/x is not valid.",
    ),
    ("attach_role_policy", {**ROLE, **GONE}, NOT_FOUND, "Policy {gone} does not exist or is not attachable."),
    (
        "attach_role_policy",
        {**ROLE, "PolicyArn": "arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole"},
        NOT_FOUND,
        "Policy arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole does not exist or is not attachable.",
    ),
    ("detach_role_policy", {"RoleName": "gone", "PolicyArn": LAMBDA_LOGS}, NOT_FOUND, NO_ROLE),
    ("detach_role_policy", {**ROLE, **OWN}, NOT_FOUND, "Policy {own} was not found."),
    ("list_attached_role_policies", {"RoleName": "gone"}, NOT_FOUND, NO_ROLE),
    (
        "list_attached_role_policies",
        {**ROLE, "PathPrefix": "/no-slash"},
        VALIDATION,
        invalid(f"pathPrefix: {POLICY_PATH_PATTERN}"),
    ),
]
POLICIES: list[Case] = [
    ("create_policy", {}, VALIDATION, invalid(f"policyName: {NULL}", f"policyDocument: {NULL}")),
    ("create_policy", {**NEW_POLICY, "PolicyName": "a b"}, VALIDATION, invalid(f"policyName: {NAME_PATTERN}")),
    ("create_policy", {**NEW_POLICY, "PolicyName": "x" * 129}, VALIDATION, longest("policyName", 128)),
    ("create_policy", {**NEW_POLICY, "Path": "/a b/"}, VALIDATION, invalid(f"path: {POLICY_PATH_PATTERN}")),
    ("create_policy", {**NEW_POLICY, "Description": "x" * 1001}, VALIDATION, longest("description", 1000)),
    ("create_policy", {**NEW_POLICY, "PolicyDocument": "x" * 131073}, VALIDATION, longest("policyDocument", 131072)),
    ("create_policy", {**NEW_POLICY, "PolicyDocument": BAD_JSON}, MALFORMED, "Syntax errors in policy."),
    (
        "create_policy",
        {**NEW_POLICY, "PolicyDocument": json.dumps(permissions(Resource=None))},
        MALFORMED,
        "Policy statement must contain resources.",
    ),
    (
        "create_policy",
        {**NEW_POLICY, "PolicyName": "OWN"},
        "EntityAlreadyExists",
        "A policy called OWN already exists. Duplicate names are not allowed.",
    ),
    (
        "create_policy",
        {**NEW_POLICY, "Tags": [tag("a"), tag("a", "x")]},
        "InvalidInput",
        "Duplicate tag keys found.",
    ),
    ("get_policy", {}, VALIDATION, invalid(f"policyArn: {NULL}")),
    ("get_policy", GONE, NOT_FOUND, "Policy {gone} was not found."),
    ("get_policy", {"PolicyArn": "x" * 2049}, VALIDATION, longest("policyArn", 2048)),
    (
        "get_policy",
        {"PolicyArn": "arn:aws:iam::aws:policy/"},
        "InvalidInput",
        "ARN arn:aws:iam::aws:policy/ is not valid.",
    ),
    (
        "list_policies",
        {"Scope": "Mine"},
        VALIDATION,
        invalid("scope: Member must satisfy enum value set: [All, AWS, Local]"),
    ),
    ("list_policies", {"PathPrefix": "x"}, VALIDATION, invalid(f"pathPrefix: {POLICY_PATH_PATTERN}")),
    ("list_policies", {"Marker": "eyJhIjoxfQ=="}, VALIDATION, "Invalid Marker."),
    ("list_policies", {"Marker": "WyJMaXN0Um9sZXMiLCJhIl0="}, VALIDATION, "Invalid Marker."),
    ("delete_policy", GONE, NOT_FOUND, "Policy {gone} was not found."),
    ("create_policy_version", OWN, VALIDATION, invalid(f"policyDocument: {NULL}")),
    ("create_policy_version", {**GONE, "PolicyDocument": P}, NOT_FOUND, "Policy {gone} was not found."),
    ("create_policy_version", {**OWN, "PolicyDocument": "{}"}, MALFORMED, "Syntax errors in policy."),
    ("get_policy_version", OWN, VALIDATION, invalid(f"versionId: {NULL}")),
    ("get_policy_version", {**OWN, "VersionId": "1"}, VALIDATION, invalid(f"versionId: {VERSION_PATTERN}")),
    (
        "get_policy_version",
        {**GONE, "VersionId": "v1"},
        NOT_FOUND,
        "Policy {gone} version v1 does not exist or is not attachable.",
    ),
    *(
        (
            operation,
            {**OWN, "VersionId": version},
            NOT_FOUND,
            f"Policy {{own}} version {version} does not exist or is not attachable.",
        )
        for operation in ("get_policy_version", "delete_policy_version", "set_default_policy_version")
        for version in ("v9", "v1.x", "v99999999999999999999")
    ),
    (
        "get_policy_version",
        {"PolicyArn": LAMBDA_LOGS, "VersionId": "v2"},
        NOT_FOUND,
        f"Policy {LAMBDA_LOGS} version v2 does not exist or is not attachable.",
    ),
    (
        "delete_policy_version",
        {**OWN, "VersionId": "v1"},
        "DeleteConflict",
        "Cannot delete the default version of a policy.",
    ),
    ("list_policy_versions", GONE, NOT_FOUND, "Policy {gone} was not found."),
    ("list_policy_versions", {**OWN, "MaxItems": 0}, VALIDATION, invalid(f"maxItems: {TOO_FEW}")),
    ("tag_policy", {**GONE, "Tags": [tag("a")]}, NOT_FOUND, "Policy {gone} was not found."),
    ("tag_policy", {**OWN, "Tags": MANY_TAGS}, VALIDATION, longest("tags", 50)),
    ("untag_policy", {**GONE, "TagKeys": ["a"]}, NOT_FOUND, "Policy {gone} was not found."),
    ("untag_policy", {**OWN, "TagKeys": ["a?"]}, VALIDATION, invalid(f"tagKeys: {TAG_KEYS}")),
    ("list_policy_tags", GONE, NOT_FOUND, "Policy {gone} was not found."),
    ("list_entities_for_policy", GONE, NOT_FOUND, "Policy {gone} does not exist or is not attachable."),
    (
        "list_entities_for_policy",
        {**OWN, "PolicyUsageFilter": "x"},
        VALIDATION,
        invalid("policyUsageFilter: Member must satisfy enum value set: [PermissionsPolicy, PermissionsBoundary]"),
    ),
]
CASES = ROLES + ROLE_POLICIES + POLICIES
