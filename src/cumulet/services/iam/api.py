"""AWS IAM: roles and managed policies, stored for whoever asks for them.

Nothing that is stored is enforced: what a role may do is decided nowhere yet, and roles need not exist to be named.
"""

from __future__ import annotations

from cumulet.services.iam.policy_operations import PolicyOperations
from cumulet.services.iam.role_operations import RoleOperations
from cumulet.services.iam.role_policy_operations import RolePolicyOperations


class Iam(RoleOperations, RolePolicyOperations, PolicyOperations, name="iam"):
    """The service."""

    limits = frozenset({"roles-per-account", "policies-per-account", "policies-per-role"})
