"""What runs in an environment's box from one init on: the external extensions and the runtime, and what they write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from cumulet.compute.boxes import Box, Process, Program
from cumulet.compute.extensions import Extension
from cumulet.compute.failure import Failure, runtime_exited
from cumulet.compute.function import Function
from cumulet.compute.log import Log
from cumulet.compute.pipe import OutputPipe
from cumulet.compute.processes import End
from cumulet.compute.runtimes import InvalidEntrypoint, Runtime
from cumulet.compute.surroundings import Code
from cumulet.compute.variables import extension_variables


class Watcher(Protocol):
    """Who wants to know of ends. What programs have sent before them has been seen when it is called."""

    def extension_ended(self, programs: Programs, extension: Extension, end: End) -> None:
        """An external extension has."""

    def runtime_ended(self, programs: Programs, end: End) -> None:
        """The runtime has; what it has started may go on."""

    def box_ended(self, programs: Programs, end: End) -> None:
        """Nothing is left."""


class Programs:
    """The programs of one box."""

    def __init__(self, box: Box, log: Log, variables: Mapping[str, str], watcher: Watcher) -> None:
        self.box = box
        self.runtime: Process | None = None
        self.executable = ""
        """What the runtime was started with."""
        self._log = log
        self._variables = variables
        self._watcher = watcher
        self._loop = asyncio.get_running_loop()
        self._pipe: OutputPipe | None = None
        """The runtime's."""
        self._pipes: list[OutputPipe] = []
        box.ended.add_done_callback(self._when_box_ended)

    async def start_extension(self, name: str) -> Extension:
        """Start an external extension. Raises OSError."""
        pipe = OutputPipe(self._log, "extension")
        self._pipes.append(pipe)
        program = Program(
            arguments=[f"{self.box.places.layers}/extensions/{name}"],
            variables=extension_variables(self._variables),
            name=f"extension {name}",
        )
        process = await self.box.run(program, pipe.write_end)
        extension = Extension(name, process)
        process.ended.add_done_callback(self._when_ended(extension, pipe))
        return extension

    async def start_runtime(self, function: Function, runtime: Runtime, code: Code) -> Failure | None:
        """Start the runtime; return why it can't be."""
        self._pipe = OutputPipe(self._log)
        try:
            arguments = runtime.command(function, self.box.places, code.task, code.layers)
            self.executable = arguments[0] if arguments else self.box.places.executable
            program = Program(arguments=arguments, variables=self._variables)
            self.runtime = await self.box.run(program, self._pipe.write_end)
        except InvalidEntrypoint as error:
            return Failure(error_type="Runtime.InvalidEntrypoint", message=str(error), is_crash=True)
        except OSError as error:
            return runtime_exited(f"Runtime failed to start: {error}")
        self.runtime.ended.add_done_callback(
            lambda ended: self._loop.call_soon(self._watcher.runtime_ended, self, ended.result())
        )
        return None

    @property
    def is_running(self) -> bool:
        """Does the runtime run?"""
        return self.runtime is not None and not self.runtime.ended.done()

    def cut(self) -> None:
        """Have logged what the runtime has written so far."""
        if self._pipe is not None:
            self._pipe.cut()

    def end_output(self) -> None:
        """Have logged what the runtime has written; there is no more."""
        if self._pipe is not None:
            self._pipe.close()

    def resume_reading(self) -> None:
        """The log takes more."""
        for pipe in (self._pipe, *self._pipes):
            if pipe is not None:
                pipe.resume()

    def close(self) -> None:
        """Read nothing any more."""
        self.end_output()
        for pipe in self._pipes:
            pipe.close()
        self.box.ended.remove_done_callback(self._when_box_ended)

    def _when_ended(self, extension: Extension, pipe: OutputPipe) -> Callable[[asyncio.Future[End]], None]:
        def ended(end: asyncio.Future[End]) -> None:
            pipe.close()
            self._watcher.extension_ended(self, extension, end.result())

        return ended

    def _when_box_ended(self, ended: asyncio.Future[End]) -> None:
        self._loop.call_soon(self._box_ended, ended.result())

    def _box_ended(self, end: End) -> None:
        for pipe in self._pipes:
            pipe.close()
        if self.runtime is not None and self.runtime.ended.done():
            end = self.runtime.ended.result()
        self._watcher.box_ended(self, end)
