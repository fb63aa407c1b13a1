"""How services reach each other's resources by ARN: each offers adapters here, none imports another."""

from cumulet.delivery.directory import Delivery
from cumulet.delivery.logs import LogEvent, LogSink
from cumulet.delivery.queues import QueueFacts, QueueSource
from cumulet.delivery.roles import RoleDirectory

__all__ = ["Delivery", "LogEvent", "LogSink", "QueueFacts", "QueueSource", "RoleDirectory"]
