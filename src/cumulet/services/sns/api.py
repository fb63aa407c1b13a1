"""Amazon SNS: topics and who subscribes to them."""

from __future__ import annotations

from cumulet.services.sns.base import SnsBase


class Sns(SnsBase, name="sns"):
    """The service."""
