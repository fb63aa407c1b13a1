"""One execution environment: a runtime, the Runtime API it talks to, its log, and the invocation it works on.

After its init it has one event at a time. Whatever goes wrong (time, memory, an exit) ends the runtime and with it the
invocation. AWS resets an environment then; here a new one takes its place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from cumulet.compute.boxes import Box, Boxes, BoxSpec, Program
from cumulet.compute.event import event_head
from cumulet.compute.failure import RESPONSE_TOO_LARGE, Failure, runtime_exited, timed_out
from cumulet.compute.function import CannotRun, Function, Invocation, Outcome
from cumulet.compute.log import Log, report, stream_name
from cumulet.compute.pipe import OutputPipe
from cumulet.compute.processes import End
from cumulet.compute.runtime_api import ACCEPTED, INVALID_REQUEST_ID, TOO_LARGE, RuntimeConnection, invalid_transition
from cumulet.compute.runtimes import InvalidEntrypoint, Runtime
from cumulet.compute.variables import variables
from cumulet.delivery.logs import LogSink
from cumulet.kernel.clock import MACHINE, Clock
from cumulet.kernel.credentials import CredentialIssuer
from cumulet.kernel.ids import Ids

INIT_SECONDS = 10.0
"""AWS Lambda: the limit of the init phase. An init that fails is tried again within the invocation's own limit."""
SAMPLE_SECONDS = 0.1
"""How often memory is looked at, beside the ends of the first invocation and of those that are not short."""
SHORT_SECONDS = 0.01
MOST_CONNECTIONS = 32
MIB = 1024 * 1024
OUT_OF_MEMORY = runtime_exited("Runtime exited with error: signal: killed")


class State(Enum):
    """What the runtime does, in the words of the Runtime API's errors."""

    STARTED = "Started"
    INIT_ERROR = "InitError"
    READY = "Ready"
    """It waits for an event."""
    RUNNING = "Running"
    RESPONSE_SENT = "ResponseSent"
    """It has answered, and has not asked for the next event yet."""
    ENDED = "Ended"


class RuntimeLost(Exception):
    """The runtime has ended before it took the event."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all environments share."""

    boxes: Boxes
    sink: LogSink
    clock: Clock
    ids: Ids
    credentials: CredentialIssuer


@dataclass(frozen=True, slots=True)
class Code:
    """The folders with a function's code: its package, and its layers together where it has any."""

    task: Path
    layers: Path | None


class Environment:
    """An environment for one revision of a function. `on_change` is called when it becomes free and when it ends."""

    def __init__(
        self,
        function: Function,
        runtime: Runtime,
        code: Code,
        around: Surroundings,
        on_change: Callable[[Environment], None],
    ) -> None:
        self.function = function
        self.state = State.STARTED
        self._runtime = runtime
        self._code = code
        self._around = around
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        stream = stream_name(around.clock.now_ms(), function.version, around.ids.uuid())
        self._log = Log(function, stream, around.sink, around.clock, self._resume_reading)
        self._credentials = around.credentials.issue(function.account, function.role_arn, function.name)
        self._listener: asyncio.Server | None = None
        self._connections: set[RuntimeConnection] = set()
        self._waiting: RuntimeConnection | None = None
        """The connection on which the runtime waits for an event."""
        self._box: Box | None = None
        self._pipe: OutputPipe | None = None
        self._init: asyncio.Future[Failure | None] | None = None
        """What comes of the init, while there is one."""
        self._init_ms: float | None = None
        """How long it took, until an invocation has reported it."""
        self._invocation: Invocation | None = None
        self._event_head = b""
        self._outcome: asyncio.Future[Outcome] | None = None
        self._began_at = 0.0
        self._limit_seconds = 0.0
        self._limit_at = 0.0
        self._failure: Failure | None = None
        """Why the runtime is being killed."""
        self._sampled_at = 0.0
        self._peak_bytes = 0

    async def start(self, invocation: Invocation) -> Outcome:
        """Begin with an init, and run the invocation that it is for. Raises `CannotRun`."""
        try:
            self._announce()
            began_at = MACHINE.monotonic()
            failure = await self._initialise("init", INIT_SECONDS)
            if failure is None:
                self._init_ms = (MACHINE.monotonic() - began_at) * 1000
                return await self.run(invocation)
            began_at = MACHINE.monotonic()
            failure = await self._initialise("invoke", self.function.timeout_seconds)
            outcome = self.run(invocation, began_at)
            if failure is None:
                return await outcome
            self._log.begin(invocation.request_id)
            self._finish(failure.payload(invocation.request_id), failure)
            self._close()
            return outcome.result()
        except OSError as error:
            self._close()
            raise CannotRun(f"No execution environment can be started: {error}") from error

    def run(self, invocation: Invocation, began_at: float | None = None) -> asyncio.Future[Outcome]:
        """Run an invocation in this free environment; `RuntimeLost` if the runtime doesn't live to see it."""
        now = MACHINE.monotonic()
        self._invocation = invocation
        self._began_at = now if began_at is None else began_at
        self._limit_seconds = self.function.timeout_seconds
        self._limit_at = self._began_at + self._limit_seconds
        deadline_ms = MACHINE.now_ms() + int((self._limit_at - now) * 1000)
        self._event_head = event_head(invocation, deadline_ms, self._around.ids)
        self._outcome = self._loop.create_future()
        if self.state is State.READY:
            self._send_event()
        return self._outcome

    def check(self, now: float) -> None:
        """See whether what runs keeps within its limits."""
        if self._failure is None and now > self._limit_at:
            self._fail_with(timed_out(self._limit_seconds))
        if now - self._sampled_at > SAMPLE_SECONDS:
            self._sample(now)

    def end(self) -> None:
        """Kill everything in the environment."""
        if self._box is not None:
            self._box.kill()

    async def wait_until_ended(self) -> None:
        """Return when nothing of the environment runs any more."""
        if self._box is not None:
            await asyncio.shield(self._box.ended)

    # What the runtime asks for

    def connected(self, connection: RuntimeConnection) -> None:
        """A connection has been made."""
        self._connections.add(connection)
        if len(self._connections) > MOST_CONNECTIONS:
            connection.close()

    def disconnected(self, connection: RuntimeConnection) -> None:
        """A connection has ended; the runtime may ask for an event on another."""
        self._connections.discard(connection)
        if connection is self._waiting:
            self._waiting = None
            if self.state is State.READY:
                self.state = State.RESPONSE_SENT
                self._on_change(self)

    def next(self, connection: RuntimeConnection) -> None:
        """The runtime waits for an event on `connection`."""
        self._waiting = connection
        if self.state is State.STARTED:
            self.state = State.READY
            self._end_init(None)
        elif self.state is State.RUNNING or (self.state is State.RESPONSE_SENT and self._invocation is not None):
            self._send_event()
        elif self.state is State.RESPONSE_SENT:
            self.state = State.READY
            self._on_change(self)

    def respond(self, connection: RuntimeConnection, request_id: str, body: bytes | None) -> None:
        """The handler has returned `body`; None when that was too large."""
        if (refusal := self._refusal(request_id, "InvocationResponse")) is not None:
            connection.answer(refusal)
        elif body is not None:
            connection.answer(ACCEPTED)
            self._finish(body)
        else:
            connection.answer(TOO_LARGE)
            self._fail_with(RESPONSE_TOO_LARGE)

    def fail(self, connection: RuntimeConnection, request_id: str, body: bytes, error_type: str) -> None:
        """The handler has raised an error."""
        if (refusal := self._refusal(request_id, "InvocationErrorResponse")) is not None:
            connection.answer(refusal)
        else:
            connection.answer(ACCEPTED)
            self._finish(body, Failure(error_type=error_type, body=body))

    def fail_init(self, connection: RuntimeConnection, body: bytes, error_type: str) -> None:
        """The runtime could not load the handler."""
        if self.state is not State.STARTED:
            connection.answer(invalid_transition(self.state.value, "InitError"))
            return
        connection.answer(ACCEPTED)
        self.state = State.INIT_ERROR
        self._fail_with(Failure(error_type=error_type, body=body))

    def _refusal(self, request_id: str, wanted: str) -> bytes | None:
        if self.state is not State.RUNNING or self._failure is not None or self._invocation is None:
            return invalid_transition(self.state.value, wanted)
        if self._invocation.request_id != request_id:
            return INVALID_REQUEST_ID
        return None

    # From its first process to its last

    def _announce(self) -> None:
        runtime = self._runtime
        arn = runtime.version_arn(self.function.region)
        self._log.say(f"INIT_START Runtime Version: {runtime.version}\tRuntime Version ARN: {arn}\n")
        if runtime.warning is not None:
            self._log.say(runtime.warning)

    async def _initialise(self, phase: str, limit_seconds: float) -> Failure | None:
        """Start a runtime and wait until it is ready for an event; return why it never is."""
        began_at = MACHINE.monotonic()
        self._init = self._loop.create_future()
        self._limit_seconds = limit_seconds
        self._limit_at = began_at + limit_seconds
        self._failure = None
        self.state = State.STARTED
        init = self._init
        await self._start_runtime()
        failure = await init
        if failure is not None:
            duration_ms = (MACHINE.monotonic() - began_at) * 1000
            self._log.say(f"INIT_REPORT Init Duration: {duration_ms:.2f} ms\tPhase: {phase}\t{failure.status}\n")
        return failure

    async def _start_runtime(self) -> None:
        function, around = self.function, self._around
        spec = BoxSpec(
            task=str(self._code.task),
            layers=None if self._code.layers is None else str(self._code.layers),
            tmp_mb=function.tmp_mb,
            memory_mb=function.memory_mb,
            has_network=function.has_network,
            language=self._runtime.language,
            runtime=None if self._runtime.client is None else str(self._runtime.client),
        )
        box = await around.boxes.open(spec)
        self._stop_listening()
        self._box = box
        self._listener = await self._loop.create_server(lambda: RuntimeConnection(self), sock=box.listener)
        own_variables = variables(
            function,
            box.places,
            stream=self._log.stream,
            runtime_api=box.address,
            url=box.url,
            credentials=self._credentials,
        )
        try:
            arguments = self._runtime.command(function, box.places, self._code.task, self._code.layers)
        except InvalidEntrypoint as error:
            box.kill()
            self._end_init(Failure(error_type="Runtime.InvalidEntrypoint", message=str(error), is_crash=True))
            return
        self._pipe = OutputPipe(self._log)
        process = await box.run(Program(arguments=arguments, variables=own_variables), self._pipe.write_end)
        process.ended.add_done_callback(lambda _: box.kill())
        # What the runtime has sent before its end may reach the event loop in the same turn: it counts.
        box.ended.add_done_callback(lambda ended: self._loop.call_soon(self._runtime_ended, ended.result()))

    def _runtime_ended(self, end: End) -> None:
        if self._pipe is not None:
            self._pipe.close()
        failure = self._failure or runtime_exited(end.message)
        has_event = self.state is State.RUNNING
        self.state = State.ENDED
        if self._init is not None:
            self._end_init(failure)
            return
        if has_event and self._invocation is not None:
            self._finish(failure.payload(self._invocation.request_id), failure)
        elif self._outcome is not None and not self._outcome.done():
            self._outcome.set_exception(RuntimeLost())
        self._close()

    def _end_init(self, failure: Failure | None) -> None:
        if self._init is not None and not self._init.done():
            self._init.set_result(failure)
        self._init = None

    def _fail_with(self, failure: Failure) -> None:
        """Kill the runtime; when it has ended, the init or the invocation has failed like this."""
        self._failure = failure
        self.end()

    def _close(self) -> None:
        self.state = State.ENDED
        self._log.flush()
        self._stop_listening()
        if self._box is not None:
            self._box.kill()
        for connection in list(self._connections):
            connection.close()
        self._around.credentials.revoke(self._credentials.access_key_id)
        self._on_change(self)

    def _stop_listening(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    # An invocation

    def _send_event(self) -> None:
        invocation, connection = self._invocation, self._waiting
        assert invocation is not None and connection is not None
        self._waiting = None
        if self.state is not State.RUNNING:
            self.state = State.RUNNING
            self._log.begin(invocation.request_id)
        connection.send_event(self._event_head, invocation.payload)

    def _finish(self, payload: bytes, failure: Failure | None = None) -> None:
        """The invocation has come to its end."""
        invocation, outcome = self._invocation, self._outcome
        assert invocation is not None and outcome is not None
        now = MACHINE.monotonic()
        if self.state is State.RUNNING:
            is_first = self._init_ms is not None
            if is_first or now - self._began_at > SHORT_SECONDS or now - self._sampled_at > SAMPLE_SECONDS:
                self._sample(now)
                if self._failure is not None:
                    return  # this will end the invocation
            self.state = State.RESPONSE_SENT
            if self._pipe is not None:
                self._pipe.drain()
        duration_ms = (now - self._began_at) * 1000
        init_ms, self._init_ms = self._init_ms, None
        memory_mb = self.function.memory_mb
        used_mb = min(memory_mb, -(-self._peak_bytes // MIB))
        status = ""
        if failure is not None and failure.body is None:
            status = failure.status
            self._log.say(failure.line(invocation.request_id, self._around.clock.now_ms()))
        tail = self._log.finish(invocation.request_id, report(duration_ms, init_ms, memory_mb, used_mb, status))
        self._invocation = None
        if not outcome.done():
            outcome.set_result(
                Outcome(
                    payload=payload,
                    error="Unhandled" if failure else None,
                    log_tail=tail,
                    duration_ms=duration_ms,
                    init_ms=init_ms,
                    memory_used_mb=used_mb,
                )
            )
        if self.state is not State.ENDED:
            self._on_change(self)

    def _sample(self, now: float) -> None:
        """Look how much memory is used, and end the runtime if that is too much."""
        self._sampled_at = now
        if self._box is None:
            return
        limit_bytes = self.function.memory_mb * MIB
        self._peak_bytes = max(self._peak_bytes, self._box.used_bytes())
        if self._peak_bytes > limit_bytes and self._failure is None:
            self._fail_with(OUT_OF_MEMORY)

    def _resume_reading(self) -> None:
        if self._pipe is not None:
            self._pipe.resume()
