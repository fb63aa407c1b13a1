"""What the tests of compute share: packages made of source text, a log sink that collects, and a running Compute."""

from __future__ import annotations

import asyncio
import hashlib
import io
import itertools
import json
import os
import signal
import zipfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import uvloop
from msgspec.structs import replace

from cumulet.compute import Compute, Function, Invocation, Outcome
from cumulet.delivery.logs import LogEvent
from cumulet.kernel.activity import Activity
from cumulet.kernel.clock import MACHINE, Clock
from cumulet.kernel.credentials import TemporaryCredentials
from cumulet.kernel.ids import Ids

ACCOUNT, REGION = "111122223333", "eu-west-1"
ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"
URL = "http://127.0.0.1:4566"


class Collector:
    """A log sink that keeps what is written."""

    def __init__(self) -> None:
        self.writes: list[tuple[str, str, str, str, list[LogEvent]]] = []

    def write(
        self, account: str, region: str, group: str, stream: str, events: Sequence[LogEvent]
    ) -> asyncio.Future[None]:
        self.writes.append((account, region, group, stream, list(events)))
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        written.set_result(None)
        return written

    @property
    def messages(self) -> list[str]:
        return [event.message for *_, events in self.writes for event in events]

    @property
    def text(self) -> str:
        return "".join(self.messages)


class Issuer:
    """Makes credentials and remembers which are valid."""

    def __init__(self) -> None:
        self.numbers = itertools.count()
        self.valid: dict[str, tuple[str, str, str]] = {}

    def issue(self, account: str, role_arn: str, session_name: str) -> TemporaryCredentials:
        key = f"ASIA{next(self.numbers):016}"
        self.valid[key] = (account, role_arn, session_name)
        return TemporaryCredentials(key, "secret", "token")

    def revoke(self, access_key_id: str) -> None:
        del self.valid[access_key_id]


MOST_SECONDS = 120.0
"""How long a test may take before it has failed."""


class Rig:
    """A Compute with what it needs."""

    def __init__(self, folder: Path, clock: Clock = MACHINE, activity: Activity | None = None) -> None:
        self.folder = folder
        self.logs = Collector()
        self.credentials = Issuer()
        self.ids = Ids()
        self.activity = activity or Activity()
        self.arns: set[str] = set()
        """Of the functions that there have been."""
        self.compute = Compute(
            folder=folder / "compute",
            url=URL,
            logs=self.logs,
            clock=clock,
            ids=self.ids,
            activity=self.activity,
            credentials=self.credentials,
        )

    def function(self, code: str | Mapping[str, str], **settings: Any) -> Function:
        """Return a function whose package holds `index.py` with this text, or these files."""
        package = make_package(self.folder, {"index.py": code} if isinstance(code, str) else code)
        made = Function(
            arn=ARN,
            account=ACCOUNT,
            region=REGION,
            name="f",
            revision=package.name,
            runtime="python3.11",
            handler="index.handler",
            role_arn=f"arn:aws:iam::{ACCOUNT}:role/worker",
            package=package,
            log_group="/aws/lambda/f",
        )
        function = replace(made, **settings)
        self.arns.add(function.version_arn)
        return function

    def invocation(self, payload: Any = None, **more: Any) -> Invocation:
        return Invocation(request_id=self.ids.uuid(), payload=json.dumps(payload).encode(), invoked_arn=ARN, **more)

    async def invoke(self, function: Function, payload: Any = None) -> Outcome:
        return await self.compute.invoke(function, self.invocation(payload))

    async def stop(self) -> None:
        await self.activity.stop()
        await self.compute.stop()

    async def result(self, function: Function, payload: Any = None) -> Any:
        """Return what the handler has returned."""
        outcome = await self.invoke(function, payload)
        assert outcome.error is None, outcome
        return json.loads(outcome.payload)


Test = Callable[[Rig], Awaitable[None]]


def make_package(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Return a zip file named by what it holds; scripts are executable."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o755 if data[:2] in ("#!", b"#!") else 0o644) << 16
            archive.writestr(entry, data)
    package = folder / hashlib.sha256(content.getvalue()).hexdigest()
    package.write_bytes(content.getvalue())
    return package


def run(folder: Path, test: Test) -> None:
    """Run a test with a rig of its own, and end what it has started."""

    async def with_rig() -> None:
        rig = Rig(folder)
        try:
            async with asyncio.timeout(MOST_SECONDS):
                await test(rig)
        except TimeoutError:
            print("after the time was over:", rig.activity.busy_with(), rig.logs.text[-10_000:], sep="\n")
            raise
        finally:
            await rig.stop()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(with_rig())


class SharedRig:
    """A rig for one test after the other, of which each finds no environment and an empty log: a third of the time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._rig: Rig | None = None

    def run(self, test: Test) -> None:
        """Run a test; a new rig follows one that a test has failed with."""
        self._runner.run(self._run(test))

    async def _run(self, test: Test) -> None:
        rig, self._rig = self._rig or Rig(self._folder), None
        try:
            async with asyncio.timeout(MOST_SECONDS):
                await test(rig)
            for arn in rig.arns:
                rig.compute.retire(arn)
            await until(lambda: rig.compute.environments() == 0, 20)
            assert await rig.activity.settle(5) == []
        except BaseException:
            await rig.stop()
            raise
        rig.logs.writes.clear()
        self._rig = rig

    def close(self) -> None:
        """End what it has started."""
        if self._rig is not None:
            self._runner.run(self._rig.stop())
        self._runner.close()


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait until something that no event tells of is so."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def processes_with(marker: str) -> set[int]:
    """Return the processes in whose environment or command line `marker` is."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if marker.encode() in (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes():
                found.add(int(folder.name))
        except OSError:
            continue
    return found - {os.getpid()}


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
