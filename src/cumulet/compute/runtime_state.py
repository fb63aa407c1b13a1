"""What a runtime does."""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """What the runtime does, in the words of the Runtime API's errors."""

    STARTED = "Started"
    INIT_ERROR = "InitError"
    READY = "Ready"
    """It waits for an event."""
    RUNNING = "Running"
    RESPONSE_SENT = "ResponseSent"
    """It has answered, and has not asked for the next event yet."""
    RESET = "Reset"
    """Nothing runs: the next invocation begins with an init."""
    ENDED = "Ended"
