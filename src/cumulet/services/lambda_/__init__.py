"""AWS Lambda: functions, their invocation and their event sources: `Lambda`."""

from cumulet.services.lambda_.api import Lambda

__all__ = ["Lambda"]
