"""Amazon SQS: `Sqs`."""

from cumulet.services.sqs.api import Sqs

__all__ = ["Sqs"]
