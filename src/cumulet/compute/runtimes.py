"""The runtime identifiers of AWS Lambda, and what runs their functions here.

Python functions run on the server's own interpreter, unless PATH has one that is nearer to what they ask for; Node.js
functions on the nearest Node.js of PATH, with a runtime interface client of our own; those that bring an executable
speak to the Runtime API themselves. The log says where the version isn't the one that was asked for.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from cumulet.compute import sandbox
from cumulet.compute.function import CannotRun, Function
from cumulet.compute.identifiers import Version, parse
from cumulet.compute.installations import Installation, nearest, node_installations, python_installations
from cumulet.compute.interpreter import VERSION
from cumulet.compute.variables import Places

NEEDED = {
    "java": "a Java virtual machine",
    "dotnet": ".NET",
    "dotnetcore": ".NET Core",
    "ruby": "Ruby",
}
"""By the family of an identifier: what is not supported yet."""
NODE_CLIENT = Path(__file__).with_name("node")
EXEC_WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
HEAP_SHARE = 0.9
"""How much of its memory a Node.js function's heap may have before V8 itself gives up."""
MODULE_FEATURES = ("experimental-require-module", "experimental-detect-module")
"""AWS: off in the runtimes before nodejs24.x, unless NODE_OPTIONS says otherwise."""
FIRST_WITH_MODULE_FEATURES = (24,)
MODULE_FEATURES_SINCE, KNOWN_UNTIL = (20, 19), (26,)
"""The versions of Node.js that have switches for them."""


class InvalidEntrypoint(Exception):
    """What a function brings to be run can't be, in AWS's words."""


class Runtime(msgspec.Struct, frozen=True, kw_only=True):
    """What runs the functions with one runtime identifier."""

    identifier: str
    family: str
    version: str
    """As INIT_START names it."""
    warning: str | None = None
    """What to say in a function's log where it runs on something else than it asked for."""
    installation: Installation | None = None
    """Shown as /var/lang; None for the server's own Python."""
    client: Path | None = None
    """The folder shown as /var/runtime; None for what AWS's Python runtime has."""

    @property
    def language(self) -> str | None:
        """Return the folder to show as /var/lang."""
        return None if self.installation is None else str(self.installation.prefix)

    def version_arn(self, region: str) -> str:
        """Return the ARN of the runtime's version."""
        return f"arn:aws:lambda:{region}::runtime:{hashlib.sha256(self.version.encode()).hexdigest()}"

    def command(self, function: Function, places: Places, task: Path, layers: Path | None) -> list[str] | None:
        """Return the runtime's command line inside of its box, None for the server's Python forked.

        `task` and `layers` are the folders outside. Raises `InvalidEntrypoint`.
        """
        if self.family in ("provided", "go"):
            return [_entrypoint(self.family, function, places, task, layers)]
        wrapper = dict(function.variables).get(EXEC_WRAPPER)
        if self.installation is None and not wrapper:
            return None
        executable = places.executable
        if self.installation is not None:
            executable = f"{places.interpreter}/{self.installation.place}"
        if self.family == "python":
            arguments = [executable, "-S", f"{places.runtime}/bootstrap.py"]
        else:
            arguments = [executable, *self._node_options(function), f"{places.runtime}/index.mjs"]
        return [_placed(wrapper, places), *arguments] if wrapper else arguments

    def _node_options(self, function: Function) -> Iterator[str]:
        yield f"--max-old-space-size={int(function.memory_mb * HEAP_SHARE)}"
        assert self.installation is not None
        wanted = parse(self.identifier)[1]
        if wanted < FIRST_WITH_MODULE_FEATURES and MODULE_FEATURES_SINCE <= self.installation.version < KNOWN_UNTIL:
            own = dict(function.variables).get("NODE_OPTIONS", "")
            yield from (f"--no-{feature}" for feature in MODULE_FEATURES if feature not in own)


class Runtimes:
    """The runtimes of this machine; what isn't there is looked for again when it is next asked for."""

    def __init__(self, path: str | None = None) -> None:
        """`path` is used instead of PATH."""
        self._path = path
        self._found: dict[str, Runtime] = {}
        self._looks: dict[str, asyncio.Task[Runtime]] = {}

    async def find(self, identifier: str) -> Runtime:
        """Return what runs functions with this identifier; raises `CannotRun`, which says what is missing."""
        runtime = self._found.get(identifier)
        if runtime is None:
            if identifier == f"python{VERSION}":
                runtime = _own_python(identifier)
            else:
                runtime = await self._look_once(identifier)
            self._found[identifier] = runtime
        return runtime

    async def _look_once(self, identifier: str) -> Runtime:
        """Look for a runtime, which takes seconds where interpreters are slow to answer, once for all who ask."""
        look = self._looks.get(identifier)
        if look is None:
            look = self._looks[identifier] = asyncio.create_task(asyncio.to_thread(self._look_for, identifier))
            look.add_done_callback(lambda _: self._looks.pop(identifier))
        return await asyncio.shield(look)

    def _look_for(self, identifier: str) -> Runtime:
        family, version = parse(identifier)
        look: Callable[[str, Version], Runtime] | None = {
            "python": self._python,
            "nodejs": self._node,
            "provided": _provided,
            "go": _provided,
        }.get(family)
        if look is None:
            raise CannotRun(
                f"The runtime {identifier} needs {NEEDED.get(family, identifier)}, which is not available here."
            )
        return look(identifier, version)

    def _python(self, identifier: str, version: Version) -> Runtime:
        if version[:1] != (3,):
            raise CannotRun(f"The runtime {identifier} needs Python 2, which is not available here.")
        own = Installation(sys.version_info[:3], Path(), Path())
        found = nearest([own, *python_installations(self._path)], version)
        if found is None or found.version[:2] == own.version[:2]:
            return _own_python(identifier)
        minor = f"{found.version[0]}.{found.version[1]}"
        return Runtime(
            identifier=identifier,
            family="python",
            version=f"python:{minor}.v{found.version[2]}",
            warning=_warning(identifier, f"python{minor}"),
            installation=found,
        )

    def _node(self, identifier: str, version: Version) -> Runtime:
        found = nearest(node_installations(self._path), version)
        if found is None:
            raise CannotRun(
                f"The runtime {identifier} needs Node.js, which is not available here: there is no node on PATH."
            )
        major, minor, _ = found.version
        return Runtime(
            identifier=identifier,
            family="nodejs",
            version=f"nodejs:{major}.v{minor}",
            warning=_warning(identifier, f"nodejs{major}.x"),
            installation=found,
            client=NODE_CLIENT,
        )


def _own_python(identifier: str) -> Runtime:
    return Runtime(
        identifier=identifier,
        family="python",
        version=f"python:{VERSION}.v{sys.version_info.micro}",
        warning=_warning(identifier, f"python{VERSION}"),
    )


def _provided(identifier: str, _version: Version) -> Runtime:
    """Return what runs a function's own executable, on this machine's system."""
    family, _ = parse(identifier)
    name = identifier.removeprefix(family).strip(".x") or "al1"
    return Runtime(identifier=identifier, family=family, version=f"{family}:{name}.v1")


def _warning(wanted: str, found: str) -> str | None:
    if wanted == found:
        return None
    return f"[WARN] {wanted} is not available here: this function runs on {found}\n"


def _placed(path: str, places: Places) -> str:
    """Return where a path of AWS's is: also where there is no box, and so no /opt and /var/task."""
    for folder, place in ((sandbox.LAYERS, places.layers), (sandbox.TASK, places.task)):
        if path.startswith(f"{folder}/"):
            return place + path.removeprefix(folder)
    return path


def _entrypoint(family: str, function: Function, places: Places, task: Path, layers: Path | None) -> str:
    """Return the path of what a function brings. AWS: `bootstrap` of its package, or else of a layer.

    A function of go1.x brings the executable that its handler names.
    """
    if family == "go":
        candidates = [(task / function.handler, f"{places.task}/{function.handler}")]
    else:
        candidates = [(task / "bootstrap", f"{places.task}/bootstrap")]
        if layers is not None:
            candidates.append((layers / "bootstrap", f"{places.layers}/bootstrap"))
    for outside, inside in candidates:
        if outside.is_symlink() or outside.is_file():
            if outside.is_file() and not os.access(outside, os.X_OK):
                raise InvalidEntrypoint(f"fork/exec {inside}: permission denied")
            return inside
    if family == "go":
        raise InvalidEntrypoint(f"fork/exec {candidates[0][1]}: no such file or directory")
    raise InvalidEntrypoint(f"Couldn't find valid bootstrap(s): [{places.task}/bootstrap {places.layers}/bootstrap]")
