"""The Python installation that functions run on, and the packages that AWS's runtime has beside the standard library.

That is the server's own base interpreter where a function asks for no other version that is installed.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import msgspec

RUNTIME_PACKAGES = ("awslambdaric", "boto3")
BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
CLIENT = Path(__file__).parent / "python" / "runtime_client.py"
"""Stands in for the native part of `awslambdaric`."""
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Interpreter(msgspec.Struct, frozen=True):
    """Where the interpreter and its packages are on this machine."""

    prefix: Path
    """The folder of the installation."""
    executable: Path
    """Below `prefix`."""
    packages: tuple[Path, ...]
    """What AWS has in /var/runtime."""


def find_interpreter() -> Interpreter:
    """Return the server's base interpreter; raises LookupError where a package of the runtime isn't installed."""
    executable = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    packages = [path for path in _installed(RUNTIME_PACKAGES) if not path.name.startswith(f"{CLIENT.stem}.")]
    return Interpreter(Path(sys.base_prefix).resolve(), executable, (BOOTSTRAP, CLIENT, *packages))


def _installed(names: tuple[str, ...]) -> list[Path]:
    """Return the files and folders of distributions and of all that they require."""
    from importlib.metadata import PackageNotFoundError, distribution

    found: dict[str, list[Path]] = {}
    to_find = list(names)
    while to_find:
        name = to_find.pop().lower().replace("_", "-")
        if name in found:
            continue
        try:
            known = distribution(name)
        except PackageNotFoundError:
            raise LookupError(f"the Python package {name} is not installed") from None
        tops = {file.parts[0] for file in known.files or () if file.parts[0] not in ("..", "__pycache__")}
        found[name] = [Path(str(known.locate_file(top))).resolve() for top in sorted(tops)]
        for requirement in known.requires or ():
            if "extra ==" not in requirement and (match := _NAME.match(requirement)):
                to_find.append(match.group())
    return [path for paths in found.values() for path in paths]
