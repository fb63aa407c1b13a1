"""AWS STS, as far as every client needs it: `Sts`."""

from cumulet.services.sts.api import Sts

__all__ = ["Sts"]
