"""The adapters that services offer, by the kind of resource."""

from __future__ import annotations

from cumulet.delivery.logs import LogSink
from cumulet.delivery.queues import QueueSource
from cumulet.delivery.roles import RoleDirectory


class Delivery:
    """What the platform can take events from and write to. Services offer their adapters when they are made."""

    queues: QueueSource
    logs: LogSink
    roles: RoleDirectory
