"""Amazon CloudWatch metrics: `CloudWatch`."""

from cumulet.services.cloudwatch.api import CloudWatch

__all__ = ["CloudWatch"]
