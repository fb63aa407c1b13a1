"""One execution environment: a runtime, the Runtime API it talks to, its log, and the invocation it works on.

It begins with an init, then has one event at a time. Whatever goes wrong (a time limit, too much memory, an exit) ends
the runtime, and with that the invocation; the environment is not used again.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import NamedTuple

import orjson

from cumulet.compute import runtime_api, runtimes
from cumulet.compute.function import Function, Invocation, Outcome
from cumulet.compute.log import Log, report, stream_name
from cumulet.compute.memory import used_bytes
from cumulet.compute.processes import End, Process, Processes
from cumulet.compute.runtime_api import ACCEPTED, INVALID_REQUEST_ID, TOO_LARGE, RuntimeConnection, invalid_transition
from cumulet.compute.variables import Places, variables
from cumulet.delivery.logs import LogSink
from cumulet.kernel.clock import MACHINE, Clock
from cumulet.kernel.credentials import CredentialIssuer
from cumulet.kernel.ids import Ids

INIT_SECONDS = 10.0
"""AWS Lambda: the init phase is limited to 10 seconds."""
READ_BYTES = 65536
"""All that a pipe holds."""
MIB = 1024 * 1024
SAMPLE_SECONDS = 0.1
"""How often memory is looked at."""


class State(Enum):
    """What the runtime does; the words are those of the Runtime API's errors."""

    STARTED = "Started"
    READY = "Ready"
    RUNNING = "Running"
    RESPONSE_SENT = "ResponseSent"
    INIT_ERROR = "InitError"
    ENDED = "Ended"


class Failure(NamedTuple):
    """Why an init or an invocation has failed, as AWS says it."""

    error_type: str
    payload: bytes
    status: str
    """Of the REPORT line."""
    line: str = ""
    """For the log."""


class RuntimeLost(Exception):
    """The runtime has ended before it took the event."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all environments share."""

    processes: Processes
    places: Callable[[Path], Places]
    sink: LogSink
    clock: Clock
    ids: Ids
    credentials: CredentialIssuer
    url: str
