"""Amazon CloudWatch Logs: `Logs`."""

from cumulet.services.logs.api import Logs

__all__ = ["Logs"]
