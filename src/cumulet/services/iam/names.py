"""What IAM's things are called: ids, ARNs of roles, and ARNs of managed policies, which requests name them by."""

from __future__ import annotations

import re
from typing import NamedTuple

from cumulet.kernel.arns import parse_arn
from cumulet.kernel.ids import Ids
from cumulet.services.iam.errors import InvalidInput, ValidationError

ROLE_ID = "AROA"
POLICY_ID = "ANPA"
ID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
ID_LENGTH = 21
AWS = "aws"
"""Whose policies AWS's own are, in place of an account."""

_POLICY = re.compile(r"policy(/(?:[!-~]+/)?)([\w+=,.@-]+)", re.ASCII)


class PolicyArn(NamedTuple):
    """The ARN of a managed policy. `path` begins and ends with a slash; `owner` is an account or `aws`."""

    partition: str
    owner: str
    path: str
    name: str

    @property
    def key(self) -> str:
        """What the store calls the policy: the ARN without its partition."""
        return f"{self.owner}:policy{self.path}{self.name}"

    def __str__(self) -> str:
        return policy_arn(self.partition, self.key)


def policy_arn(partition: str, policy_key: str) -> str:
    """Return the ARN of the policy that the store calls `policy_key`."""
    return f"arn:{partition}:iam::{policy_key}"


def policy_name(policy_key: str) -> str:
    """Return the name of the policy that the store calls `policy_key`."""
    return policy_key.rpartition("/")[2]


def role_arn(partition: str, account: str, path: str, name: str) -> str:
    """Return the ARN of a role."""
    return f"arn:{partition}:iam::{account}:role{path}{name}"


def parse_policy_arn(text: str, partition: str) -> PolicyArn:
    """Return what a PolicyArn names.

    IAM: text that is no ARN is a ValidationError, an ARN of something else InvalidInput.
    """
    arn = parse_arn(text)
    if arn is None or arn.partition != partition:
        raise ValidationError(f"ARN {text} is not valid.")
    policy = _POLICY.fullmatch(arn.resource)
    if arn.service != "iam" or arn.region or policy is None:
        raise InvalidInput(f"ARN {text} is not valid.")
    return PolicyArn(partition, arn.account, policy[1], policy[2])


def new_id(prefix: str, ids: Ids) -> str:
    """Return an id as IAM gives them: 21 characters that begin with the kind of thing."""
    return prefix + "".join(ids.random.choices(ID_ALPHABET, k=ID_LENGTH - len(prefix)))
