"""AWS IAM: roles and managed policies, stored for whoever asks for them.

What a role may do is decided nowhere yet. Who may assume it is asked in enforce mode alone, when a function names it.
"""

from __future__ import annotations

from cumulet.services.iam.policy_operations import PolicyOperations
from cumulet.services.iam.role_operations import RoleOperations
from cumulet.services.iam.role_policy_operations import RolePolicyOperations
from cumulet.services.iam.trust import Trust
from cumulet.services.service import Platform


class Iam(RoleOperations, RolePolicyOperations, PolicyOperations, name="iam"):
    """The service."""

    limits = frozenset({"roles-per-account", "policies-per-account", "policies-per-role"})

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform)
        platform.delivery.roles = Trust(platform.store)
