"""IAM through the real AWS CLI; each invocation starts a process, so a few have to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from iam_entities import LAMBDA_LOGS, TRUST
from test_sqs_aws_cli import aws

from cumulet.testing import Cumulet


def test_role_of_a_function_is_made_by_the_command_line(cumulet: Cumulet, tmp_path: Path) -> None:
    trust = tmp_path / "trust.json"
    trust.write_text(json.dumps(TRUST, indent=2))
    document, role = ("--assume-role-policy-document", f"file://{trust}"), ("--role-name", "worker")

    made = aws(cumulet, "iam", "create-role", *role, *document, "--region", "eu-central-1")
    aws(cumulet, "iam", "attach-role-policy", *role, "--policy-arn", LAMBDA_LOGS, "--region", "ap-south-1")
    found = aws(cumulet, "iam", "get-role", *role)
    attached = aws(cumulet, "iam", "list-attached-role-policies", *role)

    assert found["Role"].items() >= made["Role"].items()
    assert found["Role"]["AssumeRolePolicyDocument"] == TRUST
    assert [policy["PolicyArn"] for policy in attached["AttachedPolicies"]] == [LAMBDA_LOGS]


def test_waiter_and_error_of_the_command_line(cumulet: Cumulet) -> None:
    aws(cumulet, "iam", "wait", "policy-exists", "--policy-arn", LAMBDA_LOGS)

    with pytest.raises(RuntimeError, match=r"\(NoSuchEntity\).*The role with name none cannot be found"):
        aws(cumulet, "iam", "get-role", "--role-name", "none")
