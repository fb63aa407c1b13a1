"""The life of an environment, from its init on.

Init: external extensions register, then the runtime starts; it is over when all have asked for their next event.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

from cumulet.compute import extensions_api, platform_events
from cumulet.compute.extensions import MOST_EXTENSIONS, Extension, Extensions
from cumulet.compute.failure import Failure, extension_exited
from cumulet.compute.function import Function, InitType
from cumulet.compute.init_report import init_events
from cumulet.compute.memory import MemoryUse
from cumulet.compute.mortal import Mortal
from cumulet.compute.platform_events import Phase
from cumulet.compute.processes import End
from cumulet.compute.programs import Programs
from cumulet.compute.runtime_api import RuntimeConnection
from cumulet.compute.runtime_state import State
from cumulet.compute.runtimes import Runtime
from cumulet.compute.subscriptions import Subscription
from cumulet.compute.surroundings import Code, Surroundings
from cumulet.compute.telemetry import Telemetry
from cumulet.compute.variables import variables
from cumulet.kernel.clock import MACHINE

GOODBYE_SECONDS = 1.0
"""How long an extension that has reported an error may take to exit."""
TOO_MANY_EXTENSIONS = Failure(error_type="Extension.LaunchError", message="ErrTooManyExtensions", is_crash=True)


class Lifecycle(Mortal):
    """An environment without its invocations."""

    def __init__(
        self, function: Function, runtime: Runtime, code: Code, around: Surroundings, init_type: InitType
    ) -> None:
        super().__init__(function, around, init_type)
        self._runtime = runtime
        self._code = code
        self._phase: Phase = "init"
        self._are_extensions_started = False
        self._is_runtime_started = False

    @abstractmethod
    def _complete_if_done(self) -> None:
        """End the invocation if the runtime and all extensions have."""

    # Init

    async def _initialise(self, phase: Phase, limit_seconds: float) -> Failure | None:
        """Start everything and wait until it is ready for an event; return why it never is. Raises OSError."""
        began_at = MACHINE.monotonic()
        self._phase = phase
        self._limit_seconds = limit_seconds
        self._limit_at = began_at + limit_seconds
        self._failure = None
        self._memory = MemoryUse(self.function.memory_mb)
        self._is_runtime_started = self.is_up = False
        self.state = State.STARTED
        self.extensions = Extensions(self._around.ids.uuid)
        names = self._code.extensions()
        self._are_extensions_started = not names
        self._log.telemetry = Telemetry(self._home.connect) if names else None
        runtime = self._runtime
        arn = runtime.version_arn(self.function.region)
        self._log.tell(
            platform_events.init_start(self.init_type, phase, runtime.version, arn, self.function, self._name)
        )
        if runtime.warning is not None and phase == "init":
            self._log.say(runtime.warning)
        init = self._init = self._loop.create_future()
        try:
            programs = await self._open_box()
            if names:
                await self._start_extensions(programs, names)
            else:
                await self._start_runtime(programs)
            failure: Failure | None = await init
        finally:
            self._init = None
        self.is_up = failure is None
        self._tell_of_init(phase, began_at, failure)
        if failure is not None:
            self._failure = failure
            await self._clear_away(programs, failure.reason)
        return failure

    async def _open_box(self) -> Programs:
        box = await self._home.open(self._code.box(self.function, self._runtime))
        own_variables = variables(
            self.function,
            box.places,
            stream=self._log.stream,
            runtime_api=box.address,
            url=box.url,
            credentials=self._credentials,
            initialization_type=self.init_type,
        )
        self._programs = Programs(box, self._log, own_variables, self)
        return self._programs

    async def _start_extensions(self, programs: Programs, names: list[str]) -> None:
        if len(names) > MOST_EXTENSIONS:
            self._end_init(TOO_MANY_EXTENSIONS)
            return
        for name in names:
            self.extensions.add(await programs.start_extension(name))
        self._are_extensions_started = True
        self.extension_registered()

    async def _start_runtime(self, programs: Programs) -> None:
        self._is_runtime_started = True
        failure = await programs.start_runtime(self.function, self._runtime, self._code)
        if programs is not self._programs:
            return
        if failure is not None:
            self._end_init(failure)
        elif self._failure is not None and programs.runtime is not None:
            programs.runtime.kill()

    def _tell_of_init(self, phase: Phase, began_at: float, failure: Failure | None) -> None:
        duration_ms = (MACHINE.monotonic() - began_at) * 1000
        is_runtime_done = self.state is State.READY
        for event in init_events(self.init_type, phase, duration_ms, failure, self.extensions, is_runtime_done):
            self._log.tell(event)
        self.extensions.is_open = False
        if self._log.telemetry is not None:
            self._log.telemetry.close_init()

    def _end_init_if_ready(self) -> None:
        if self.state is State.READY and self.extensions.are_idle:
            self._end_init(None)

    # What extensions ask for

    def extension_registered(self) -> None:
        """One more has registered; the runtime starts after the last external one."""
        if self._log.telemetry is None:
            self._log.telemetry = Telemetry(self._home.connect)
        are_all_here = self._are_extensions_started and self.extensions.have_registered
        if are_all_here and not self._is_runtime_started and self._programs is not None:
            self._is_runtime_started = True
            name = f"the start of {self.function.name}'s runtime"
            self._around.activity.spawn(name, self._start_runtime(self._programs), is_awaited=True)

    def extension_waits(self) -> None:
        """One has asked for its next event."""
        if self._init is not None:
            self._end_init_if_ready()
        else:
            self._complete_if_done()

    def extension_failed(self, extension: Extension) -> None:
        """One has reported an error: it is about to exit."""
        failure = extension_exited(End(0), extension.failure_type)
        self._loop.call_later(GOODBYE_SECONDS, self._fail_by_extension, self._programs, failure)

    def subscribe(self, extension: Extension, subscription: Subscription) -> bool:
        """One wants to have telemetry; False if it has it by the other API."""
        telemetry = self._log.telemetry
        if telemetry is None or telemetry.has_other_api(extension.name, subscription):
            return False
        if telemetry.subscribe(extension.name, subscription):
            is_logs_api = subscription.api.name == "Logs"
            self._log.tell(platform_events.subscription(extension.name, subscription.types, is_logs_api=is_logs_api))
        return True

    def serve(
        self, connection: RuntimeConnection, method: bytes, path: bytes, headers: Mapping[bytes, bytes], body: bytes
    ) -> None:
        """An extension asks for something."""
        extensions_api.serve(self, connection, extensions_api.Request(method, path, headers, body))
