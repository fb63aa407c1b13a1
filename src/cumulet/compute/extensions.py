"""The extensions of an environment: who has registered, for which events, and what each of them does now.

AWS: external extensions are programs that run beside the runtime; their name is their file's. Internal ones are part
of the runtime's process. An extension asks for its next event when it has done with the last; it is idle then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import Enum

import orjson

from cumulet.compute.boxes import Process
from cumulet.compute.runtime_api import RuntimeConnection

MOST_EXTENSIONS = 10
"""AWS Lambda quota: extensions of a function."""
INVOKE, SHUTDOWN = "INVOKE", "SHUTDOWN"


class ExtensionState(Enum):
    """What an extension does, in the words of the Extensions API's errors."""

    STARTED = "Started"
    REGISTERED = "Registered"
    READY = "Ready"
    """It waits for an event."""
    RUNNING = "Running"
    INIT_ERROR = "InitError"
    EXIT_ERROR = "ExitError"
    LAUNCH_ERROR = "LaunchError"
    EXITED = "Exited"


class Extension:
    """One extension. `process` is None for an internal one."""

    def __init__(self, name: str, process: Process | None) -> None:
        self.name = name
        self.process = process
        self.identifier = ""
        """Known once it has registered."""
        self.events: Sequence[str] = ()
        self.state = ExtensionState.STARTED
        self.error_type: str | None = None
        self._waiting: RuntimeConnection | None = None
        self._to_send: tuple[bytes, bytes] | None = None
        """An event that it has not asked for yet."""

    @property
    def is_external(self) -> bool:
        """Does it run as a program of its own?"""
        return self.process is not None

    @property
    def failure_type(self) -> str:
        """Return AWS's name for its end."""
        kinds = {ExtensionState.INIT_ERROR: "Extension.InitError", ExtensionState.EXIT_ERROR: "Extension.ExitError"}
        return kinds.get(self.state, "Extension.Crash")

    def wait(self, connection: RuntimeConnection) -> None:
        """It asks for its next event."""
        if self._to_send is not None:
            self.state = ExtensionState.RUNNING
            head, body = self._to_send
            self._to_send = None
            connection.send_event(head, body)
        else:
            self.state = ExtensionState.READY
            self._waiting = connection

    def send(self, head: bytes, body: bytes) -> None:
        """Give it an event, as soon as it asks."""
        if self._waiting is None:
            self._to_send = head, body
        else:
            connection, self._waiting = self._waiting, None
            self.state = ExtensionState.RUNNING
            connection.send_event(head, body)

    def disconnected(self, connection: RuntimeConnection) -> None:
        """Forget a connection that has ended; it may have waited there."""
        if self._waiting is connection:
            self._waiting = None
            self.state = ExtensionState.RUNNING


class Extensions:
    """All extensions of an environment since its init."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._by_name: dict[str, Extension] = {}
        self._by_id: dict[str, Extension] = {}
        self.is_open = True
        """May extensions register? Only in the init."""

    def __bool__(self) -> bool:
        return bool(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __iter__(self) -> Iterator[Extension]:
        return iter(self._by_name.values())

    @property
    def external(self) -> list[Extension]:
        """Those that are programs of their own."""
        return [extension for extension in self if extension.is_external]

    @property
    def have_registered(self) -> bool:
        """Have all external ones registered?"""
        return all(extension.identifier for extension in self)

    @property
    def are_idle(self) -> bool:
        """Does none of them work?"""
        return all(extension.state is ExtensionState.READY for extension in self)

    def named(self, name: str) -> Extension | None:
        """Return an extension, registered or only started."""
        return self._by_name.get(name)

    def identified(self, identifier: str) -> Extension | None:
        """Return a registered extension."""
        return self._by_id.get(identifier)

    def add(self, extension: Extension) -> None:
        """Remember one that was started, or that is about to register."""
        self._by_name[extension.name] = extension

    def register(self, extension: Extension, events: Sequence[str]) -> None:
        """Let it be registered for `events`."""
        extension.identifier = self._new_id()
        extension.events = events
        extension.state = ExtensionState.REGISTERED
        self._by_id[extension.identifier] = extension

    def invoke(self, event: dict[str, object]) -> None:
        """Tell those of an invocation who want to know."""
        body = orjson.dumps({"eventType": INVOKE, **event})
        for extension in self:
            if INVOKE in extension.events:
                extension.send(self._head(), body)

    def shut_down(self, extension: Extension, reason: str, deadline_ms: int) -> None:
        """Tell one that the environment ends."""
        event = {"eventType": SHUTDOWN, "deadlineMs": deadline_ms, "shutdownReason": reason}
        extension.send(self._head(), orjson.dumps(event))

    def disconnected(self, connection: RuntimeConnection) -> None:
        """A connection has ended; an extension may have waited there."""
        for extension in self:
            extension.disconnected(connection)

    def _head(self) -> bytes:
        return b"Lambda-Extension-Event-Identifier: %b\r\n" % self._new_id().encode()
