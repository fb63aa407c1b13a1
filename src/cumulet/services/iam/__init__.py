"""AWS IAM, stored only: `Iam`."""

from cumulet.services.iam.api import Iam

__all__ = ["Iam"]
