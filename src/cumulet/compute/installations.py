"""Interpreters on the machine beside the server's own: found on PATH, and asked what they are.

An installation counts only when it answers: a shim of a version manager that leads nowhere doesn't.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec

from cumulet.compute.identifiers import Version

PATIENCE_SECONDS = 10.0
NODE_NAME = re.compile(r"node(js)?-?\d*")
PYTHON_NAME = re.compile(r"python3\.\d+")
ASK_NODE = ("-p", "process.version.slice(1) + ' ' + process.execPath")
ASK_PYTHON = (
    *("-I", "-S", "-c"),
    "import os, sys; print('.'.join(map(str, sys.version_info[:3])), os.path.realpath(sys.executable))",
)
OLDEST_PYTHON = (3, 10)
"""AWS's runtime interface client needs it."""


class Installation(msgspec.Struct, frozen=True):
    """An interpreter in a folder that has all of it."""

    version: Version
    prefix: Path
    executable: Path
    """Below `prefix`."""

    @property
    def place(self) -> str:
        """Return where the interpreter is in its folder."""
        return str(self.executable.relative_to(self.prefix))


def node_installations(path: str | None = None) -> list[Installation]:
    """Return the Node.js installations of PATH, or `path`."""
    return _ask_all(NODE_NAME, ASK_NODE, path)


def python_installations(path: str | None = None) -> list[Installation]:
    """Return the Python installations of PATH, or `path`, that can serve."""
    found = _ask_all(PYTHON_NAME, ASK_PYTHON, path)
    return [installation for installation in found if installation.version >= OLDEST_PYTHON]


def nearest(installations: list[Installation], wanted: Version) -> Installation | None:
    """Return the installation with the version, or the nearest: the newer one of two that are as near."""

    def distance(installation: Installation) -> tuple[int, ...]:
        difference = [theirs - ours for theirs, ours in zip(installation.version, wanted, strict=False)]
        return (*map(abs, difference), *(-each for each in difference))

    return min(installations, key=distance, default=None)


def _ask_all(name: re.Pattern[str], question: tuple[str, ...], path: str | None) -> list[Installation]:
    found: dict[Path, Installation] = {}
    for executable in _executables(name, os.environ.get("PATH", os.defpath) if path is None else path):
        if (installation := _ask(executable, question)) is not None:
            found.setdefault(installation.executable, installation)
    return list(found.values())


def _executables(name: re.Pattern[str], path: str) -> Iterator[Path]:
    """Yield the files of PATH with such a name, each once although there are links to it."""
    seen = set()
    for folder in filter(None, path.split(os.pathsep)):
        try:
            executables = sorted(entry for entry in Path(folder).iterdir() if name.fullmatch(entry.name))
        except OSError:
            continue
        for executable in executables:
            real = executable.resolve()
            if real not in seen and os.access(executable, os.X_OK):
                seen.add(real)
                yield executable


def _ask(executable: Path, question: tuple[str, ...]) -> Installation | None:
    """Return what an executable says it is; None where it says nothing that can be understood."""
    try:
        answer = subprocess.run(
            [executable, *question], stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_SECONDS, check=True
        )
        version, _, place = answer.stdout.decode().strip().partition(" ")
        found = Path(place).resolve(strict=True)
        return Installation(tuple(map(int, version.split("."))), found.parent.parent, found)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
