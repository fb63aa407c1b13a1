"""Amazon CloudWatch Logs: all operations, in three parts."""

from __future__ import annotations

from cumulet.services.logs.event_operations import EventOperations
from cumulet.services.logs.group_operations import GroupOperations
from cumulet.services.logs.stream_operations import StreamOperations


class Logs(GroupOperations, StreamOperations, EventOperations, name="logs"):
    """The service."""
