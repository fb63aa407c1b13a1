"""One execution environment: what its runtime asks for, and the invocation it works on.

The caller has the answer when the runtime has given it; the environment is free when the extensions have done with it
too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cumulet.compute import platform_events
from cumulet.compute.event import event_head
from cumulet.compute.failure import RESPONSE_TOO_LARGE, Failure, response_too_large
from cumulet.compute.function import CannotRun, Function, InitType, Invocation, Outcome
from cumulet.compute.lifecycle import Lifecycle
from cumulet.compute.response_stream import TRUNCATED, ResponseStream
from cumulet.compute.runtime_api import ACCEPTED, INVALID_REQUEST_ID, TOO_LARGE, RuntimeConnection, invalid_transition
from cumulet.compute.runtime_state import State
from cumulet.compute.runtimes import Runtime
from cumulet.compute.surroundings import Code, Surroundings
from cumulet.compute.turn import Turn
from cumulet.kernel.clock import MACHINE

INIT_SECONDS = 10.0
"""AWS Lambda: the limit of the init phase. An init that fails is tried again within the invocation's own limit."""
PROVISIONED_INIT_SECONDS = 130.0
"""AWS Lambda: the same for provisioned concurrency, or the function's timeout where that is longer."""
SHORT_SECONDS = 0.01
FAREWELL_SECONDS = 0.3
"""How long after an answer has broken off the runtime is looked for."""
MOST_CONNECTIONS = 48


class Environment(Lifecycle):
    """An environment for one revision of a function. `on_change` is called when it becomes free and when it ends."""

    def __init__(
        self,
        function: Function,
        runtime: Runtime,
        code: Code,
        around: Surroundings,
        on_change: Callable[[Environment], None],
        init_type: InitType = "on-demand",
    ) -> None:
        super().__init__(function, runtime, code, around, init_type)
        self._on_change = on_change
        self._init_ms: float | None = None
        """How long the init took, until an invocation has reported it."""
        self._turn: Turn | None = None

    async def start(self, invocation: Invocation) -> Outcome | None:
        """Begin with an init, and run the invocation that it is for. Raises `CannotRun`.

        AWS: an init that has failed is tried again as part of the invocation, as it is done in any case after a reset.
        """
        try:
            began_at = MACHINE.monotonic()
            failure = None
            if self.state is not State.RESET:
                failure = await self._initialise("init", INIT_SECONDS)
                if failure is None:
                    self._init_ms = (MACHINE.monotonic() - began_at) * 1000
                    return await self.run(invocation)
            began_at = MACHINE.monotonic()
            failure = await self._initialise("invoke", self.function.timeout_seconds)
            if failure is None:
                return await self.run(invocation, began_at)
            turn = self._begin_turn(invocation, began_at)
            turn.is_for_nothing = True
            self._tell_of_begin(turn)
            self._answer(turn, failure.payload(invocation.request_id), failure)
            self._be_reset()
            return turn.outcome.result()
        except OSError as error:
            self._close()
            raise CannotRun(f"No execution environment can be started: {error}") from error

    async def prepare(self) -> Failure | None:
        """Begin with an init that is for no invocation; return why there can't be one. Raises `CannotRun`."""
        limit_seconds = max(PROVISIONED_INIT_SECONDS, self.function.timeout_seconds)
        try:
            failure = await self._initialise("init", limit_seconds)
        except OSError as error:
            self._close()
            raise CannotRun(f"No execution environment can be started: {error}") from error
        if failure is not None:
            self._close()
        else:
            self._become_free()
        return failure

    def run(self, invocation: Invocation, began_at: float | None = None) -> asyncio.Future[Outcome | None]:
        """Run an invocation in this free environment; None comes of it if the runtime doesn't live to see it."""
        turn = self._begin_turn(invocation, began_at)
        self._home.thaw()
        if self.state is State.READY:
            self._send_event(turn)
        elif self.state is State.ENDED:
            self._abandon_invocation()
        return turn.outcome

    async def wait_until_free(self) -> None:
        """Return when the extensions have done with the invocation too."""
        turn = self._turn
        if turn is not None:
            await turn.wait_until_over()

    @property
    def is_alive(self) -> bool:
        """Is the box there? It may have gone before its end is noticed."""
        return self._home.is_running

    @property
    def is_working(self) -> bool:
        """Is there an invocation, maybe one that only extensions still work on?"""
        return self._turn is not None

    @property
    def _has_begun(self) -> bool:
        return self._turn is not None and self._turn.has_begun

    # What the runtime asks for

    def connected(self, connection: RuntimeConnection) -> None:
        """A connection has been made."""
        self._home.connections.add(connection)
        if len(self._home.connections) > MOST_CONNECTIONS:
            connection.close()

    def disconnected(self, connection: RuntimeConnection) -> None:
        """A connection has ended; the runtime may ask for an event on another."""
        self._home.connections.discard(connection)
        if connection is self._waiting:
            self._waiting = None
            if self.state is State.READY:
                self.state = State.RESPONSE_SENT
                if self._turn is None and self._init is None and self.is_up and self._ending is None:
                    self._on_change(self)
        elif self.extensions:
            self.extensions.disconnected(connection)

    def next(self, connection: RuntimeConnection) -> None:
        """The runtime waits for an event on `connection`."""
        self._waiting = connection
        turn = self._turn
        if self.state is State.RESPONSE_SENT:
            self.state = State.READY
            if turn is None:
                self._become_free()
            elif not turn.is_answered:
                self._send_event(turn)
            else:
                self._tell_of_runtime(turn)
                self._complete_if_done()
        elif self.state is State.STARTED:
            self.state = State.READY
            self._log.tell(platform_events.init_runtime_done(self.init_type, self._phase, "success", None))
            self._end_init_if_ready()
        elif self.state is State.RUNNING and turn is not None:
            self._send_event(turn)

    def respond(self, connection: RuntimeConnection, request_id: str, body: bytes | None) -> None:
        """The handler has returned `body`; None when that was too large."""
        turn = self._turn
        if (refusal := self._refusal(request_id, "InvocationResponse")) is not None:
            connection.refuse(refusal)
        elif turn is not None and body is not None:
            connection.answer(ACCEPTED)
            self._answer(turn, body, None)
        else:
            connection.answer(TOO_LARGE)
            self._fail_with(RESPONSE_TOO_LARGE)

    def stream(self, connection: RuntimeConnection, request_id: str, content_type: str) -> ResponseStream | bytes:
        """The handler begins to answer in pieces."""
        turn = self._turn
        if (refusal := self._refusal(request_id, "InvocationResponse")) is not None or turn is None:
            return refusal or INVALID_REQUEST_ID

        def ended(stream: ResponseStream, failure: Failure | None) -> None:
            if failure is TRUNCATED and not stream.is_given_up:
                # Its end may be the end of the runtime, which tells more.
                stream.is_given_up = True
                self._loop.call_later(FAREWELL_SECONDS, ended, stream, failure)
            elif failure is TRUNCATED and self._programs is not None and not self._programs.is_running:
                return
            elif self._turn is turn and not turn.is_answered:
                connection.answer(ACCEPTED)
                turn.produced_bytes = stream.size_bytes
                payload = stream.payload if failure is None else failure.payload(request_id)
                self._answer(turn, payload, failure)

        def too_large(most_bytes: int) -> None:
            connection.answer(TOO_LARGE)
            self._fail_with(response_too_large(most_bytes))

        turn.stream = ResponseStream(connection, turn.invocation, content_type, ended, too_large)
        turn.stream_at = MACHINE.monotonic()
        return turn.stream

    def fail(self, connection: RuntimeConnection, request_id: str, body: bytes, error_type: str) -> None:
        """The handler has raised an error."""
        turn = self._turn
        if (refusal := self._refusal(request_id, "InvocationErrorResponse")) is not None or turn is None:
            connection.refuse(refusal or INVALID_REQUEST_ID)
        else:
            connection.answer(ACCEPTED)
            self._answer(turn, body, Failure(error_type=error_type, body=body))

    def fail_init(self, connection: RuntimeConnection, body: bytes, error_type: str) -> None:
        """The runtime could not load the handler."""
        if self.state is not State.STARTED:
            connection.refuse(invalid_transition(self.state.value, "InitError"))
            return
        connection.answer(ACCEPTED)
        self.state = State.INIT_ERROR
        self._fail_with(Failure(error_type=error_type, body=body))

    def _refusal(self, request_id: str, wanted: str) -> bytes | None:
        turn = self._turn
        if self.state is not State.RUNNING or self._failure is not None or turn is None:
            return invalid_transition(self.state.value, wanted)
        if turn.stream is not None:
            return invalid_transition("InvocationResponse", wanted)
        if turn.invocation.request_id != request_id:
            return INVALID_REQUEST_ID
        return None

    # An invocation

    def _begin_turn(self, invocation: Invocation, began_at: float | None) -> Turn:
        now = MACHINE.monotonic()
        turn = Turn(invocation, self.function, now if began_at is None else began_at, now, self._around.ids)
        self._turn = turn
        self._limit_seconds = turn.limit_seconds
        self._limit_at = turn.limit_at
        return turn

    def _send_event(self, turn: Turn) -> None:
        connection = self._waiting
        assert connection is not None
        self._waiting = None
        self.state = State.RUNNING
        if not turn.has_begun:
            self._tell_of_begin(turn)
            if self.extensions:
                self.extensions.invoke(turn.event())
        connection.send_event(event_head(turn.invocation, turn.deadline_ms, turn.trace), turn.invocation.payload)

    def _tell_of_begin(self, turn: Turn) -> None:
        turn.has_begun = True
        log = self._log
        log.begin(turn.invocation.request_id, None if log.is_plain else turn.told_trace(self.function))

    def _answer(self, turn: Turn, payload: bytes, failure: Failure | None) -> None:
        """It is decided what the caller gets."""
        now = MACHINE.monotonic()
        if self.state is State.RUNNING and self._failure is None:
            is_first = self._init_ms is not None
            seconds = now - turn.began_at
            if is_first or seconds > SHORT_SECONDS or self._memory.is_due(now, seconds):
                self._look_at_memory(now)
                if self._failure is not None:
                    return  # this will end the invocation
            self.state = State.RESPONSE_SENT
        if self._programs is not None:
            self._programs.cut()
        turn.answer(payload, failure, now)
        if not self.extensions or self._failure is not None or self._init_has_failed:
            self._complete(turn)
            return
        if not turn.invocation.wants_log_tail:
            turn.resolve(self._outcome(turn, now))
        self._complete_if_done()

    @property
    def _init_has_failed(self) -> bool:
        return self.state not in (State.READY, State.RUNNING, State.RESPONSE_SENT)

    def _complete_if_done(self) -> None:
        """End the invocation if the runtime and all extensions have."""
        turn = self._turn
        if turn is not None and turn.is_answered and self.state is State.READY and self.extensions.are_idle:
            self._complete(turn)

    def _tell_of_runtime(self, turn: Turn) -> None:
        if not turn.is_runtime_done:
            turn.is_runtime_done = True
            if not self._log.is_plain:
                now_ms = self._around.clock.now_ms()
                self._log.tell(turn.runtime_done(self.function, MACHINE.monotonic(), now_ms))

    def _complete(self, turn: Turn) -> None:
        """The invocation has come to its end."""
        now = MACHINE.monotonic()
        log, failure = self._log, turn.failure
        if failure is not None and failure.body is None:
            line = failure.line(turn.invocation.request_id, self._around.clock.now_ms())
            if line:
                log.tell(platform_events.fault(line))
        self._tell_of_runtime(turn)
        report = turn.report(
            self.function, turn.duration_ms(now), self._init_ms, self._memory.peak_mb, is_plain=log.is_plain
        )
        tail = log.finish(turn.invocation.request_id, report)
        turn.end(self._outcome(turn, now, tail))
        self._init_ms = None
        self._turn = None
        if self._failure is not None:
            return
        if self.state is State.READY:
            self._become_free()
        elif self.state is State.RESPONSE_SENT:
            self._on_change(self)

    def _outcome(self, turn: Turn, now: float, tail: bytes = b"") -> Outcome:
        return Outcome(
            payload=turn.payload,
            error="Unhandled" if turn.failure else None,
            log_tail=tail,
            duration_ms=turn.duration_ms(now),
            init_ms=self._init_ms,
            memory_used_mb=self._memory.peak_mb,
            initialization_type=self.init_type,
        )

    def _fail_invocation(self, failure: Failure) -> None:
        turn = self._turn
        if turn is None:
            return
        if turn.stream is not None:
            turn.stream.abort()
        if failure.is_timeout and not turn.has_begun:
            self._tell_of_begin(turn)
        if not turn.has_begun:
            self._abandon_invocation()
        elif turn.is_answered:
            turn.failure = failure
            self._complete(turn)
        else:
            self._answer(turn, failure.payload(turn.invocation.request_id), failure)

    def _abandon_invocation(self) -> None:
        turn, self._turn = self._turn, None
        if turn is not None:
            turn.abandon()

    def _become_free(self) -> None:
        self._free_since = MACHINE.monotonic()
        self._on_change(self)

    def _tell_of_change(self) -> None:
        self._on_change(self)

    def _api(self) -> Environment:
        return self
