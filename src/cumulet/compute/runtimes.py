"""The runtime identifiers of AWS Lambda, and what runs them here.

Python functions run on the one interpreter that is there (`interpreter`), whatever version they ask for. Nothing else
runs yet.
"""

from __future__ import annotations

import hashlib
import re
import sys

from cumulet.compute.function import CannotRun
from cumulet.compute.interpreter import VERSION

INTERPRETERS = {
    "python": "Python",
    "nodejs": "Node.js",
    "java": "a Java virtual machine",
    "dotnet": ".NET",
    "dotnetcore": ".NET Core",
    "ruby": "Ruby",
    "go": "the Go runtime",
    "provided": "the operating system of AWS's provided runtimes",
}
_IDENTIFIER = re.compile(r"([a-z]+)(.*)")


def check_runtime(runtime: str) -> None:
    """Raise `CannotRun` where functions of a runtime can't be run here."""
    family = _family(runtime)
    if family != "python":
        needed = INTERPRETERS.get(family, runtime)
        raise CannotRun(f"The runtime {runtime} needs {needed}, which is not available here.")


def warning(runtime: str) -> str | None:
    """Return what to say in a function's log where its runtime is not quite what it asked for."""
    if runtime == f"python{VERSION}":
        return None
    return f"[WARN] {runtime} is not available here: this function runs on python{VERSION}\n"


def runtime_version() -> str:
    """Return the version that INIT_START names."""
    return f"python:{VERSION}.v{sys.version_info.micro}"


def runtime_version_arn(region: str) -> str:
    """Return the ARN of the runtime's version."""
    return f"arn:aws:lambda:{region}::runtime:{hashlib.sha256(runtime_version().encode()).hexdigest()}"


def _family(runtime: str) -> str:
    match = _IDENTIFIER.match(runtime)
    return match.group(1) if match else runtime
