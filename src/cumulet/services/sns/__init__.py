"""Amazon SNS: `Sns`."""

from cumulet.services.sns.api import Sns

__all__ = ["Sns"]
