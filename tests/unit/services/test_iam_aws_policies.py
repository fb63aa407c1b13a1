"""The managed policies of AWS that come with the platform."""

from __future__ import annotations

import re

import pytest

from cumulet.kernel.errors import AwsError
from cumulet.services.iam import aws_policies, documents
from cumulet.services.iam.names import parse_policy_arn, policy_arn

EVERY = aws_policies.every()


def test_each_has_an_arn_an_id_and_a_time_of_its_own() -> None:
    policies = [found.policy for found in EVERY.values()]

    assert len(policies) > 60
    assert len({policy.policy_id for policy in policies}) == len(policies)
    assert all(re.fullmatch(r"ANPA[A-Z2-7]{17}", policy.policy_id) for policy in policies)
    assert all(parse_policy_arn(policy_arn("aws", key), "aws").key == key for key in EVERY)
    assert [policy.created_ms for policy in policies] == sorted(policy.created_ms for policy in policies)
    assert all(policy.created_ms <= policy.updated_ms for policy in policies)


@pytest.mark.parametrize("key", EVERY)
def test_each_document_would_be_accepted_from_a_client(key: str) -> None:
    try:
        documents.check_permissions(EVERY[key].only_version.document)
    except AwsError as refused:
        pytest.fail(refused.message)
