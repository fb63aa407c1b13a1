"""One execution environment: its life from init to shutdown, and the invocation it works on.

Init: external extensions register, then the runtime starts; it is over when all have asked for their next event.
Invoke: the caller has the answer when the runtime has given it; the environment is free when the extensions have done
with it too. Whatever goes wrong (time, memory, an exit) ends the runtime, and with it the invocation and the
environment: AWS resets one then, here a new one takes its place.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from cumulet.compute import extensions_api, platform_events, shutdown
from cumulet.compute.boxes import Box, Boxes, BoxSpec, Process, Program
from cumulet.compute.event import event_head
from cumulet.compute.extensions import MOST_EXTENSIONS, Extension, Extensions, ExtensionState
from cumulet.compute.failure import (
    OUT_OF_MEMORY,
    RESPONSE_TOO_LARGE,
    Failure,
    extension_exited,
    extension_not_launched,
    response_too_large,
    runtime_exited,
    timed_out,
)
from cumulet.compute.function import CannotRun, Function, InitType, Invocation, Outcome
from cumulet.compute.log import Log, stream_name
from cumulet.compute.pipe import OutputPipe
from cumulet.compute.platform_events import Phase
from cumulet.compute.processes import End
from cumulet.compute.response_stream import TRUNCATED, ResponseStream
from cumulet.compute.runtime_api import ACCEPTED, INVALID_REQUEST_ID, TOO_LARGE, RuntimeConnection, invalid_transition
from cumulet.compute.runtimes import InvalidEntrypoint, Runtime
from cumulet.compute.subscriptions import Subscription
from cumulet.compute.telemetry import Telemetry
from cumulet.compute.turn import Turn
from cumulet.compute.variables import extension_variables, variables
from cumulet.delivery.logs import LogSink
from cumulet.kernel.activity import Activity
from cumulet.kernel.clock import MACHINE, Clock
from cumulet.kernel.credentials import CredentialIssuer
from cumulet.kernel.ids import Ids

INIT_SECONDS = 10.0
"""AWS Lambda: the limit of the init phase. An init that fails is tried again within the invocation's own limit."""
PROVISIONED_INIT_SECONDS = 130.0
"""AWS Lambda: the same for provisioned concurrency, or the function's timeout where that is longer."""
SAMPLE_SECONDS = 0.1
"""How often memory is looked at, beside the ends of the first invocation and of those that are not short."""
SHORT_SECONDS = 0.01
FREEZE_SECONDS = 0.1
"""So long an environment must have been free before it is frozen: invocations one after the other cost nothing."""
THAWED_FOR_TELEMETRY_SECONDS = 1.0
GOODBYE_SECONDS = 1.0
"""How long an extension that has reported an error may take to exit."""
FAREWELL_SECONDS = 0.3
"""How long after an answer has broken off the runtime is looked for."""
MOST_CONNECTIONS = 48
MIB = 1024 * 1024


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
    activity: Activity
    credentials: CredentialIssuer


@dataclass(frozen=True, slots=True)
class Code:
    """The folders with a function's code: its package, and its layers together where it has any."""

    task: Path
    layers: Path | None

    def extensions(self) -> list[Path]:
        """Return the external extensions: AWS starts every file of /opt/extensions."""
        folder = self.layers / "extensions" if self.layers is not None else None
        if folder is None or not folder.is_dir():
            return []
        return sorted(path for path in folder.iterdir() if path.is_file())


class Environment:
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
        self.function = function
        self.init_type = init_type
        self.state = State.STARTED
        self.is_up = False
        """Is the init over, and was it successful?"""
        self.extensions = Extensions(around.ids.uuid)
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
        self._variables: Mapping[str, str] = {}
        self._process: Process | None = None
        """The runtime."""
        self._pipe: OutputPipe | None = None
        self._pipes: list[OutputPipe] = []
        """Of extensions."""
        self._phase: Phase = "init"
        self._init: asyncio.Future[Failure | None] | None = None
        """What comes of the init, while there is one."""
        self._init_ms: float | None = None
        """How long it took, until an invocation has reported it."""
        self._turn: Turn | None = None
        self._limit_seconds = 0.0
        self._limit_at = 0.0
        self._failure: Failure | None = None
        """Why the runtime is being killed."""
        self._executable = ""
        """What the runtime was started with."""
        self._end_of_runtime: asyncio.Future[End] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._is_frozen = False
        self._free_since = 0.0
        self._sampled_at = 0.0
        self._peak_bytes = 0

    async def start(self, invocation: Invocation) -> Outcome:
        """Begin with an init, and run the invocation that it is for. Raises `CannotRun`."""
        try:
            began_at = MACHINE.monotonic()
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
            self._close()
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

    def run(self, invocation: Invocation, began_at: float | None = None) -> asyncio.Future[Outcome]:
        """Run an invocation in this free environment; `RuntimeLost` if the runtime doesn't live to see it."""
        turn = self._begin_turn(invocation, began_at)
        if self._is_frozen:
            self._thaw()
        if self.state is State.READY:
            self._send_event(turn)
        elif self.state is State.ENDED:
            turn.outcome.set_exception(RuntimeLost())
        return turn.outcome

    def check(self, now: float) -> bool:
        """See whether what runs keeps within its limits, and freeze what is free; return whether to look again."""
        if self._turn is None and self._init is None:
            return self.state is not State.ENDED and not self._freeze(now)
        if self._failure is None and now > self._limit_at:
            self._fail_with(timed_out(self._limit_seconds))
        if now - self._sampled_at > SAMPLE_SECONDS:
            self._sample(now)
        return True

    def end(self, reason: shutdown.Reason = "spindown") -> None:
        """Shut the environment down: at once where it has no extensions, else so that they notice."""
        box = self._box
        if box is None or self._ending is not None:
            return
        if not self.extensions or self._init is not None:
            box.kill()
            return
        if self._is_frozen:
            self._thaw()
        name = f"the shutdown of an environment of {self.function.name}"
        self._ending = self._around.activity.spawn(name, self._shut_down(box, reason))

    async def wait_until_ended(self) -> None:
        """Return when nothing of the environment runs any more."""
        await asyncio.shield(self._ended)

    async def wait_until_free(self) -> None:
        """Return when the extensions have done with the invocation too."""
        turn = self._turn
        if turn is not None:
            await turn.wait_until_over()

    @property
    def is_working(self) -> bool:
        """Is there an invocation, maybe one that only extensions still work on?"""
        return self._turn is not None

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
                if self._turn is None and self._init is None:
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
            connection.answer(refusal)
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
            elif failure is TRUNCATED and self._process is not None and self._process.ended.done():
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
            connection.answer(refusal or INVALID_REQUEST_ID)
        else:
            connection.answer(ACCEPTED)
            self._answer(turn, body, Failure(error_type=error_type, body=body))

    def fail_init(self, connection: RuntimeConnection, body: bytes, error_type: str) -> None:
        """The runtime could not load the handler."""
        if self.state is not State.STARTED:
            connection.answer(invalid_transition(self.state.value, "InitError"))
            return
        connection.answer(ACCEPTED)
        self.state = State.INIT_ERROR
        self._fail_with(Failure(error_type=error_type, body=body))

    def serve(
        self, connection: RuntimeConnection, method: bytes, path: bytes, headers: Mapping[bytes, bytes], body: bytes
    ) -> None:
        """An extension asks for something."""
        extensions_api.serve(self, connection, extensions_api.Request(method, path, headers, body))

    def _refusal(self, request_id: str, wanted: str) -> bytes | None:
        turn = self._turn
        if self.state is not State.RUNNING or self._failure is not None or turn is None:
            return invalid_transition(self.state.value, wanted)
        if turn.stream is not None:
            return invalid_transition("InvocationResponse", wanted)
        if turn.invocation.request_id != request_id:
            return INVALID_REQUEST_ID
        return None

    # What extensions ask for

    def extension_registered(self) -> None:
        """One more has registered; the runtime starts after the last external one."""
        if self._log.telemetry is None:
            self._log.telemetry = Telemetry(self._connect)
        if self._process is None and self._end_of_runtime is None and self.extensions.have_registered:
            self._start_runtime_soon()

    def extension_waits(self) -> None:
        """One has asked for its next event."""
        if self._init is not None:
            self._end_init_if_ready()
        else:
            self._complete_if_done()

    def extension_failed(self, extension: Extension) -> None:
        """One has reported an error: it is about to exit."""
        kind = "Extension.InitError" if extension.state is ExtensionState.INIT_ERROR else "Extension.ExitError"
        self._loop.call_later(GOODBYE_SECONDS, self._fail_by_extension, extension_exited(End(0), kind))

    def subscribe(self, extension: Extension, subscription: Subscription) -> bool:
        """One wants to have telemetry; False if it has it by the other API."""
        telemetry = self._log.telemetry
        if telemetry is None or telemetry.has_other_api(extension.name, subscription):
            return False
        if telemetry.subscribe(extension.name, subscription):
            is_logs_api = subscription.api.name == "Logs"
            self._log.tell(platform_events.subscription(extension.name, subscription.types, is_logs_api=is_logs_api))
        return True

    def _extension_ended(self, extension: Extension, pipe: OutputPipe, end: End) -> None:
        pipe.close()
        is_gone = self.extensions.named(extension.name) is not extension or self._ending is not None
        if is_gone or self.state is State.ENDED:
            return
        if end.failure is not None:
            extension.state, extension.error_type = ExtensionState.LAUNCH_ERROR, "UnknownError"
            self._fail_by_extension(extension_not_launched(extension.name, end.failure))
        elif extension.state is ExtensionState.INIT_ERROR:
            self._fail_by_extension(extension_exited(end, "Extension.InitError"))
        elif extension.state is ExtensionState.EXIT_ERROR:
            self._fail_by_extension(extension_exited(end, "Extension.ExitError"))
        else:
            extension.state, extension.error_type = ExtensionState.EXITED, "Extension.Crash"
            self._fail_by_extension(extension_exited(end))

    def _fail_by_extension(self, failure: Failure) -> None:
        if self._failure is not None or self._ending is not None or self.state is State.ENDED:
            return
        if self._turn is None and self._init is None:
            self.end("failure")
        else:
            self._fail_with(failure)

    # From its first process to its last

    async def _initialise(self, phase: Phase, limit_seconds: float) -> Failure | None:
        """Start everything and wait until it is ready for an event; return why it never is."""
        began_at = MACHINE.monotonic()
        self._phase = phase
        self._limit_seconds = limit_seconds
        self._limit_at = began_at + limit_seconds
        self._failure = None
        self._process = self._end_of_runtime = None
        self.is_up = False
        self.state = State.STARTED
        self.extensions = Extensions(self._around.ids.uuid)
        extensions = self._code.extensions()
        self._log.telemetry = Telemetry(self._connect) if extensions else None
        self._announce(phase)
        init = self._init = self._loop.create_future()
        try:
            await self._open_box()
            if extensions:
                await self._start_extensions(extensions)
            else:
                await self._start_runtime()
            failure: Failure | None = await init
        finally:
            self._init = None
        self.is_up = failure is None
        self._report_init(phase, began_at, failure)
        if failure is not None and self._box is not None:
            if self.extensions:
                await self._shut_down(self._box, "timeout" if failure.is_timeout else "failure")
            else:
                self._box.kill()
            await asyncio.shield(self._box.ended)
        return failure

    def _announce(self, phase: Phase) -> None:
        runtime = self._runtime
        arn = runtime.version_arn(self.function.region)
        self._log.tell(platform_events.init_start(self.init_type, phase, runtime.version, arn))
        if runtime.warning is not None and phase == "init":
            self._log.say(runtime.warning)

    def _report_init(self, phase: Phase, began_at: float, failure: Failure | None) -> None:
        duration_ms = (MACHINE.monotonic() - began_at) * 1000
        log, init_type = self._log, self.init_type
        status, error_type = "success", None
        if failure is not None:
            status, error_type = ("timeout", None) if failure.is_timeout else ("error", failure.error_type)
            if self.state is not State.READY:
                log.tell(platform_events.init_runtime_done(init_type, phase, status, error_type))
        for extension in self.extensions:
            log.tell(
                platform_events.extension(extension.name, extension.state.value, extension.events, extension.error_type)
            )
        log.tell(platform_events.init_report(init_type, phase, duration_ms, status, error_type))
        self.extensions.is_open = False
        if log.telemetry is not None:
            log.telemetry.close_init()

    async def _open_box(self) -> None:
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
        # What the runtime has sent before its end may reach the event loop in the same turn: it counts.
        box.ended.add_done_callback(lambda ended: self._loop.call_soon(self._box_ended, box, ended.result()))
        self._listener = await self._loop.create_server(lambda: RuntimeConnection(self), sock=box.listener)
        self._variables = variables(
            function,
            box.places,
            stream=self._log.stream,
            runtime_api=box.address,
            url=box.url,
            credentials=self._credentials,
            initialization_type=self.init_type,
        )

    async def _start_extensions(self, paths: list[Path]) -> None:
        box = self._box
        assert box is not None
        if len(paths) > MOST_EXTENSIONS:
            self._end_init(Failure(error_type="Extension.LaunchError", message="ErrTooManyExtensions", is_crash=True))
            return
        own_variables = extension_variables(self._variables)
        for path in paths:
            name = path.name
            pipe = OutputPipe(self._log, "extension")
            self._pipes.append(pipe)
            program = Program(
                arguments=[f"{box.places.layers}/extensions/{name}"], variables=own_variables, name=f"extension {name}"
            )
            process = await box.run(program, pipe.write_end)
            extension = Extension(name, process)
            self.extensions.add(extension)
            process.ended.add_done_callback(self._when_extension_ends(extension, pipe))

    def _when_extension_ends(self, extension: Extension, pipe: OutputPipe) -> Callable[[asyncio.Future[End]], None]:
        return lambda ended: self._extension_ended(extension, pipe, ended.result())

    def _start_runtime_soon(self) -> None:
        self._end_of_runtime = self._loop.create_future()

        async def start() -> None:
            try:
                await self._start_runtime()
            except OSError as error:
                self._end_init(runtime_exited(f"Runtime failed to start: {error}"))

        self._around.activity.spawn(f"the start of {self.function.name}'s runtime", start(), is_awaited=True)

    async def _start_runtime(self) -> None:
        box = self._box
        assert box is not None
        try:
            arguments = self._runtime.command(self.function, box.places, self._code.task, self._code.layers)
        except InvalidEntrypoint as error:
            self._end_init(Failure(error_type="Runtime.InvalidEntrypoint", message=str(error), is_crash=True))
            return
        self._pipe = OutputPipe(self._log)
        self._executable = arguments[0] if arguments else box.places.executable
        program = Program(arguments=arguments, variables=self._variables)
        process = self._process = await box.run(program, self._pipe.write_end)
        process.ended.add_done_callback(lambda ended: self._process_ended(box, ended))
        if self._failure is not None:
            process.kill()

    def _process_ended(self, box: Box, ended: asyncio.Future[End]) -> None:
        """The runtime has: with it goes all that is in the box, unless there are extensions to be told."""
        self._end_of_runtime = ended
        if self.extensions:
            self._loop.call_soon(self._runtime_ended, box, ended.result())
        else:
            box.kill()

    def _box_ended(self, box: Box, end: End) -> None:
        if box is not self._box:
            return
        for pipe in self._pipes:
            pipe.close()
        if self._end_of_runtime is not None and self._end_of_runtime.done():
            end = self._end_of_runtime.result()
        self._runtime_ended(box, end)
        if self.is_up and self._ending is None:
            self._close()

    def _exit(self, end: End) -> Failure:
        """Return why the runtime has ended by itself."""
        if end.failure is None:
            return runtime_exited(end.message)
        return runtime_exited(f"Runtime failed to start: fork/exec {self._executable}: {end.failure}")

    def _runtime_ended(self, box: Box, end: End) -> None:
        """Let the init or the invocation have failed, unless that was done."""
        if box is not self._box or self.state is State.ENDED:
            return
        if self._pipe is not None:
            self._pipe.close()
        if box.is_out_of_memory:
            self._peak_bytes = max(self._peak_bytes, self.function.memory_mb * MIB)
        failure = self._failure or (OUT_OF_MEMORY if box.is_out_of_memory else self._exit(end))
        turn = self._turn
        if self._init is not None:
            self._end_init(failure)
            return
        if turn is not None:
            if not turn.has_begun:
                self._turn = None
                if not turn.outcome.done():
                    turn.outcome.set_exception(RuntimeLost())
            elif turn.is_answered:
                turn.failure = failure
                self._complete(turn)
            else:
                self._answer(turn, failure.payload(turn.invocation.request_id), failure)
        if self.extensions and self._ending is None and not box.ended.done():
            self.end("timeout" if failure.is_timeout else "failure")

    def _end_init_if_ready(self) -> None:
        if self._init is not None and self.state is State.READY and self.extensions.are_idle:
            self._end_init(None)

    def _end_init(self, failure: Failure | None) -> None:
        if self._init is not None and not self._init.done():
            self._init.set_result(failure)

    def _fail_with(self, failure: Failure) -> None:
        """Kill the runtime; when it has ended, the init or the invocation has failed like this."""
        self._failure = failure
        box = self._box
        if self._turn is not None and self._turn.stream is not None:
            self._turn.stream.abort()
        if self.extensions and self._process is not None and not self._process.ended.done():
            self._process.kill()
        elif self.extensions and self._init is not None:
            self._end_init(failure)
        elif self.extensions and box is not None:
            self._loop.call_soon(self._runtime_ended, box, End())
        elif box is not None:
            box.kill()

    async def _shut_down(self, box: Box, reason: shutdown.Reason) -> None:
        try:
            await shutdown.shut_down(box, self._process, self.extensions, self._log.telemetry, reason)
        finally:
            box.kill()
        await asyncio.shield(box.ended)
        if self.is_up:
            self._close()

    def _close(self) -> None:
        if self._ended.done():
            return
        self.state = State.ENDED
        for pipe in (self._pipe, *self._pipes):
            if pipe is not None:
                pipe.close()
        if self._turn is not None:
            turn, self._turn = self._turn, None
            if not turn.outcome.done():
                turn.outcome.set_exception(RuntimeLost())
        if self._log.telemetry is not None:
            self._log.telemetry.stop()
        self._log.flush()
        self._stop_listening()
        if self._box is not None:
            self._box.kill()
        for connection in list(self._connections):
            connection.close()
        self._around.credentials.revoke(self._credentials.access_key_id)
        self._ended.set_result(None)
        self._on_change(self)

    def _stop_listening(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

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
            if is_first or now - turn.began_at > SHORT_SECONDS or now - self._sampled_at > SAMPLE_SECONDS:
                self._sample(now)
                if self._failure is not None:
                    return  # this will end the invocation
            self.state = State.RESPONSE_SENT
        if self._pipe is not None:
            self._pipe.cut()
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
                self._log.tell(turn.runtime_done(self.function, MACHINE.monotonic()))

    def _complete(self, turn: Turn) -> None:
        """The invocation has come to its end."""
        now = MACHINE.monotonic()
        log, failure = self._log, turn.failure
        if failure is not None and failure.body is None:
            line = failure.line(turn.invocation.request_id, self._around.clock.now_ms())
            if line:
                log.tell(platform_events.fault(line))
        self._tell_of_runtime(turn)
        duration_ms = (now - turn.began_at) * 1000
        report = turn.report(self.function, duration_ms, self._init_ms, self._used_mb, is_plain=log.is_plain)
        tail = log.finish(turn.invocation.request_id, report)
        turn.end(self._outcome(turn, now, tail))
        self._init_ms = None
        self._turn = None
        if self.state is State.READY:
            self._become_free()
        elif self.state is not State.ENDED and self._failure is None and self._init is None:
            self._on_change(self)

    def _outcome(self, turn: Turn, now: float, tail: bytes = b"") -> Outcome:
        return Outcome(
            payload=turn.payload,
            error="Unhandled" if turn.failure else None,
            log_tail=tail,
            duration_ms=(now - turn.began_at) * 1000,
            init_ms=self._init_ms,
            memory_used_mb=self._used_mb,
            initialization_type=self.init_type,
        )

    @property
    def _used_mb(self) -> int:
        return min(self.function.memory_mb, -(-self._peak_bytes // MIB))

    # Between invocations

    def _become_free(self) -> None:
        self._free_since = MACHINE.monotonic()
        self._on_change(self)

    def _freeze(self, now: float) -> bool:
        """Freeze the environment if it has been free long enough; return whether it is frozen."""
        if self._is_frozen or self._box is None or self.state is not State.READY or self._ending is not None:
            return self._is_frozen
        free_seconds = now - self._free_since
        if free_seconds < FREEZE_SECONDS:
            return False
        telemetry = self._log.telemetry
        if telemetry is not None and not telemetry.is_idle and free_seconds < THAWED_FOR_TELEMETRY_SECONDS:
            telemetry.flush()
            return False
        self._is_frozen = True
        self._box.freeze()
        return True

    def _thaw(self) -> None:
        self._is_frozen = False
        if self._box is not None:
            self._box.thaw()

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
        for pipe in (self._pipe, *self._pipes):
            if pipe is not None:
                pipe.resume()

    async def _connect(self, port: int) -> socket.socket:
        """Open a connection to a port inside of the environment."""
        box = self._box
        if box is None or box.ended.done():
            raise ConnectionError("the environment has ended")
        connection = await box.new_socket()
        connection.setblocking(False)
        try:
            await self._loop.sock_connect(connection, ("127.0.0.1", port))
        except BaseException:
            connection.close()
            raise
        return connection
