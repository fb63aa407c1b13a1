"""How services reach each other's resources by ARN, and how events get there: each service offers adapters here.

None imports another. `Delivery` knows the adapters; `Engine` carries what goes to targets outside of the store.
"""

from cumulet.delivery.deliveries import Delivery as QueuedDelivery
from cumulet.delivery.directory import Delivery
from cumulet.delivery.engine import Engine
from cumulet.delivery.logs import LogEvent, LogSink
from cumulet.delivery.queues import QueueFacts, QueueSource
from cumulet.delivery.retries import End, RetryPolicy, Verdict
from cumulet.delivery.roles import RoleDirectory
from cumulet.delivery.senders import check_sender
from cumulet.delivery.streams import BEGINNING, Page, Shard, Start, StreamFacts, StreamRecord, StreamSource
from cumulet.delivery.targets import Attempt, Message, Outside, Target, TooLarge, Undeliverable

__all__ = [
    "BEGINNING",
    "Attempt",
    "Delivery",
    "End",
    "Engine",
    "LogEvent",
    "LogSink",
    "Message",
    "Outside",
    "Page",
    "QueueFacts",
    "QueueSource",
    "QueuedDelivery",
    "RetryPolicy",
    "RoleDirectory",
    "Shard",
    "Start",
    "StreamFacts",
    "StreamRecord",
    "StreamSource",
    "Target",
    "TooLarge",
    "Undeliverable",
    "Verdict",
    "check_sender",
]
