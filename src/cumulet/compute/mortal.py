"""How what runs in an environment ends, and what is left then; and between invocations, freezing.

Whatever goes wrong (time, memory, an exit) ends the runtime, then all that runs in the box: at once where there are no
extensions, else after they have been told. AWS calls that a reset: the environment goes on, with the same log stream
and the same /tmp, and the next invocation begins with an init. What ends while nothing was to be done, or was started
ahead (a new one takes its place), doesn't go on.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod

from cumulet.compute import shutdown
from cumulet.compute.extensions import Extension, Extensions, ExtensionState
from cumulet.compute.failure import (
    OUT_OF_MEMORY,
    Failure,
    extension_exited,
    extension_not_launched,
    runtime_failed,
    timed_out,
)
from cumulet.compute.freezing import freeze
from cumulet.compute.function import Function, InitType
from cumulet.compute.home import Home
from cumulet.compute.log import Log, instance_name, stream_name
from cumulet.compute.memory import MemoryUse
from cumulet.compute.processes import End
from cumulet.compute.programs import Programs
from cumulet.compute.runtime_api import Runtime as RuntimeApi
from cumulet.compute.runtime_api import RuntimeConnection
from cumulet.compute.runtime_state import State
from cumulet.compute.surroundings import Surroundings
from cumulet.kernel.clock import MACHINE

PAUSE_SHARE = 20
"""After a look at the memory comes at least so many times as long without one."""


class Mortal(ABC):
    """An environment as far as it ends."""

    def __init__(self, function: Function, around: Surroundings, init_type: InitType) -> None:
        self.function = function
        self.init_type = init_type
        self.state = State.STARTED
        self.is_up = False
        """Is the init over, and was it successful?"""
        self.extensions = Extensions(around.ids.uuid)
        self._around = around
        self._loop = asyncio.get_running_loop()
        self._name = instance_name(function, around.clock.now_ms(), around.ids.uuid())
        stream = stream_name(function, self._name)
        self._log = Log(function, stream, around.sink, around.clock, self._resume_reading)
        self._credentials = around.credentials.issue(function.account, function.role_arn, function.name)
        self._home = Home(around.boxes, lambda: RuntimeConnection(self._api()), self._lose_box)
        self._waiting: RuntimeConnection | None = None
        """The connection on which the runtime waits for an event."""
        self._programs: Programs | None = None
        self._init: asyncio.Future[Failure | None] | None = None
        """What comes of the init, while there is one."""
        self._limit_seconds = 0.0
        self._limit_at = 0.0
        self._failure: Failure | None = None
        """Why the runtime is being killed, or why it has ended."""
        self._ending: asyncio.Task[None] | None = None
        self._is_clearing = False
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._free_since = 0.0
        self._memory = MemoryUse(function.memory_mb)

    @property
    @abstractmethod
    def is_working(self) -> bool:
        """Is there an invocation, maybe one that only extensions still work on?"""

    @property
    @abstractmethod
    def _has_begun(self) -> bool:
        """Is there an invocation that the runtime has got?"""

    @abstractmethod
    def _fail_invocation(self, failure: Failure) -> None:
        """The runtime has ended: so has the invocation, if there is one."""

    @abstractmethod
    def _abandon_invocation(self) -> None:
        """The environment has ended: nothing comes of an invocation any more."""

    @abstractmethod
    def _become_free(self) -> None:
        """It can take an invocation from now on."""

    @abstractmethod
    def _tell_of_change(self) -> None:
        """It has become free, or has ended."""

    def check(self, now: float) -> bool:
        """See whether what runs keeps within its limits, and freeze what is free; return whether to look again."""
        if self._init is None and not self.is_working:
            return self.state not in (State.ENDED, State.RESET) and not self._freeze(now)
        if self._failure is None and now > self._limit_at:
            self._fail_with(timed_out(self._limit_seconds))
        if self._memory.is_due(now, now - (self._limit_at - self._limit_seconds)):
            self._look_at_memory(now)
        return True

    def end(self, reason: shutdown.Reason = "spindown") -> None:
        """Shut the environment down: at once where it has no extensions, else so that they notice."""
        if self._ending is not None:
            return
        programs = self._programs
        if programs is None or not self.extensions or self._init is not None:
            self._home.kill()
            return
        self._home.thaw()
        name = f"the shutdown of an environment of {self.function.name}"
        self._ending = self._around.activity.spawn(name, self._shut_down(programs, reason))

    async def wait_until_ended(self) -> None:
        """Return when nothing of the environment runs any more."""
        await asyncio.shield(self._ended)

    @abstractmethod
    def _api(self) -> RuntimeApi:
        """Return who answers what programs ask for."""

    def _end_init(self, failure: Failure | None) -> None:
        if self._init is not None and not self._init.done():
            self._init.set_result(failure)

    # What has ended

    def extension_ended(self, programs: Programs, extension: Extension, end: End) -> None:
        """An extension has, which it should not before the shutdown."""
        if programs is not self._programs or self._ending is not None:
            return
        if end.failure is not None:
            extension.state, extension.error_type = ExtensionState.LAUNCH_ERROR, "UnknownError"
            self._fail_by_extension(programs, extension_not_launched(extension.name, end.failure))
            return
        failure = extension_exited(end, extension.failure_type)
        if extension.state not in (ExtensionState.INIT_ERROR, ExtensionState.EXIT_ERROR):
            extension.state, extension.error_type = ExtensionState.EXITED, failure.error_type
        self._fail_by_extension(programs, failure)

    def runtime_ended(self, programs: Programs, end: End) -> None:
        """The runtime has: with it goes all that is in the box, unless there are extensions to be told."""
        if programs is not self._programs:
            return
        if self.extensions:
            self._runtime_is_gone(programs, end)
        else:
            self._end_rest(programs)

    def box_ended(self, programs: Programs, end: End) -> None:
        """Nothing is left."""
        self._runtime_is_gone(programs, end)
        if programs is self._programs and self.is_up and self._ending is None:
            self._close()

    def _runtime_is_gone(self, programs: Programs, end: End) -> None:
        """Let the init or the invocation have failed, unless that was done."""
        if programs is not self._programs or self.state is State.ENDED:
            return
        programs.end_output()
        is_out_of_memory = programs.box.is_out_of_memory
        if is_out_of_memory:
            self._memory.ran_out()
        if self._failure is None:
            self._failure = OUT_OF_MEMORY if is_out_of_memory else runtime_failed(end, programs.executable)
        failure = self._failure
        if self._init is not None:
            self._end_init(failure)
            return
        goes_on = self._goes_on and self._ending is None and not programs.box.ended.done()
        self._fail_invocation(failure)
        if goes_on and not self.extensions:
            self._forget(programs)
            self._be_reset()
        elif goes_on:
            name = f"the reset of an environment of {self.function.name}"
            self._ending = self._around.activity.spawn(name, self._reset(programs, failure.reason))
        elif not programs.box.ended.done():
            self.end(failure.reason)

    def _fail_by_extension(self, programs: Programs | None, failure: Failure) -> None:
        if programs is not self._programs or self._failure is not None or self._ending is not None:
            return
        if self._init is None and not self.is_working:
            self.end("failure")
        else:
            self._fail_with(failure)

    def _fail_with(self, failure: Failure) -> None:
        """Kill the runtime; when it has ended, the init or the invocation has failed like this."""
        self._failure = failure
        programs = self._programs
        if programs is None:
            self._end_init(failure)
        elif not self.extensions:
            self._end_rest(programs)
        elif programs.is_running and programs.runtime is not None:
            programs.runtime.kill()
        else:
            self._loop.call_soon(self._runtime_is_gone, programs, End())

    @property
    def _goes_on(self) -> bool:
        """Does the environment go on when what runs in it has ended?"""
        is_ahead = self.init_type == "provisioned-concurrency"
        return self._init is not None or (self._has_begun and not is_ahead)

    def _end_rest(self, programs: Programs) -> None:
        """End what runs beside the runtime, or instead, where there is nobody to be told."""
        if not self._goes_on:
            programs.box.kill()
        elif not self._is_clearing:
            self._is_clearing = True
            name = f"the reset of an environment of {self.function.name}"
            self._around.activity.spawn(name, self._clear(programs))

    async def _clear(self, programs: Programs) -> None:
        try:
            await self._home.clear()
        finally:
            self._is_clearing = False
        runtime = programs.runtime
        is_over = runtime is not None and runtime.ended.done()
        self._runtime_is_gone(programs, runtime.ended.result() if runtime is not None and is_over else End())

    async def _reset(self, programs: Programs, reason: shutdown.Reason) -> None:
        """Prepare the environment for another init."""
        try:
            await self._clear_away(programs, reason)
        except BaseException:
            programs.box.kill()
            raise
        finally:
            self._ending = None
        self._be_reset()

    async def _clear_away(self, programs: Programs, reason: shutdown.Reason) -> None:
        """End all that runs: what is heard of it from here on is of no concern to the next init."""
        if self.extensions:
            await shutdown.shut_down(programs, self.extensions, self._log.telemetry, reason)
        await self._home.clear()
        self._forget(programs)

    def _forget(self, programs: Programs) -> None:
        """Have nothing to do any more with programs that have ended."""
        programs.close()
        self._programs = self._waiting = None
        self.extensions = Extensions(self._around.ids.uuid)
        if self._log.telemetry is not None:
            self._log.telemetry.stop()
        self._log.flush()

    def _be_reset(self) -> None:
        """Wait for an invocation, with nothing but a box."""
        if self._home.is_there:
            self.state = State.RESET
            self._become_free()
        else:
            self._close()

    def _lose_box(self) -> None:
        if self.state is State.RESET:
            self._close()

    async def _shut_down(self, programs: Programs, reason: shutdown.Reason) -> None:
        try:
            await shutdown.shut_down(programs, self.extensions, self._log.telemetry, reason)
        finally:
            programs.box.kill()
        await asyncio.shield(programs.box.ended)
        self._close()

    def _close(self) -> None:
        if self._ended.done():
            return
        self.state = State.ENDED
        if self._programs is not None:
            self._programs.close()
        self._abandon_invocation()
        if self._log.telemetry is not None:
            self._log.telemetry.stop()
        self._log.flush()
        self._home.close()
        self._around.credentials.revoke(self._credentials.access_key_id)
        self._ended.set_result(None)
        self._tell_of_change()

    # Between invocations

    def _freeze(self, now: float) -> bool:
        """Freeze the environment if it has been free long enough; return whether it is frozen."""
        if self._programs is None or not self.is_up or self.state is not State.READY or self._ending is not None:
            return False
        return freeze(self._programs.box, self._log.telemetry, now - self._free_since)

    def _look_at_memory(self, now: float) -> None:
        """Look how much memory is used, and end the runtime if that is too much."""
        if self._programs is None:
            return
        began_at = MACHINE.monotonic()
        used_bytes = self._programs.box.used_bytes()
        # Many processes take long: others need the time more.
        self._memory.look(used_bytes, now + (MACHINE.monotonic() - began_at) * PAUSE_SHARE)
        if self._memory.is_too_much and self._failure is None:
            self._fail_with(OUT_OF_MEMORY)

    def _resume_reading(self) -> None:
        if self._programs is not None:
            self._programs.resume_reading()
