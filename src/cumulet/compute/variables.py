"""The environment variables of a runtime: those that AWS documents, and the function's own. None of the server's."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from cumulet.compute.function import Function
from cumulet.compute.identifiers import Version, parse
from cumulet.compute.interpreter import VERSION
from cumulet.kernel.credentials import TemporaryCredentials

TELEMETRY_DESCRIPTOR = 3
"""See `init`."""
LAYERS = "/opt"
LANGUAGE = "en_US.UTF-8"
TIME_ZONE = ":UTC"
HIDDEN_FROM_EXTENSIONS = frozenset(
    {
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_XRAY_CONTEXT_MISSING",
        "AWS_XRAY_DAEMON_ADDRESS",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
        "_HANDLER",
        "_LAMBDA_TELEMETRY_LOG_FD",
    }
)
"""AWS: variables that only runtimes have."""


class Places(msgspec.Struct, frozen=True):
    """Where a runtime finds its parts, inside of its environment."""

    interpreter: str
    """The folder of the Python installation."""
    executable: str
    runtime: str
    task: str
    temporary: str | None
    """Where /tmp is, None where it is /tmp."""
    layers: str = LAYERS
    """Where the layers are."""


def variables(
    function: Function,
    places: Places,
    *,
    stream: str,
    runtime_api: str,
    url: str,
    credentials: TemporaryCredentials,
    initialization_type: str = "on-demand",
) -> dict[str, str]:
    """Return the variables of a runtime; the function's own may replace what AWS doesn't reserve."""
    task, runtime = places.task, places.runtime
    family, version = parse(function.runtime)
    unreserved = _search_paths(family, version, places) | {
        "LANG": LANGUAGE,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
        "AWS_ENDPOINT_URL": url,
        "TZ": TIME_ZONE,
    }
    if places.temporary is not None:
        unreserved["TMPDIR"] = places.temporary
    reserved = {
        "_HANDLER": function.handler,
        "_LAMBDA_TELEMETRY_LOG_FD": str(TELEMETRY_DESCRIPTOR),
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": initialization_type,
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_SESSION_TOKEN": credentials.session_token,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "LAMBDA_TASK_ROOT": task,
        "LAMBDA_RUNTIME_DIR": runtime,
    }
    if family != "provided":
        reserved["AWS_EXECUTION_ENV"] = f"AWS_Lambda_{function.runtime}"
    if function.log_format == "JSON":
        reserved["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
        reserved["AWS_LAMBDA_LOG_LEVEL"] = function.application_log_level or "INFO"
    return unreserved | dict(function.variables) | reserved


def extension_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """Return what an external extension sees of a runtime's variables."""
    return {name: value for name, value in variables.items() if name not in HIDDEN_FROM_EXTENSIONS}


def interpreter_variables(places: Places) -> dict[str, str]:
    """Return what a runtime on the server's own version of Python finds when its process starts."""
    return {"LANG": LANGUAGE, "TZ": TIME_ZONE} | _search_paths("python", parse(f"python{VERSION}")[1], places)


def _search_paths(family: str, version: Version, places: Places) -> dict[str, str]:
    """Return where programs, libraries and modules are looked for: in the code, the layers and the runtime."""
    task, runtime, language, layers = places.task, places.runtime, places.interpreter, places.layers
    path = f"/usr/local/bin:/usr/bin/:/bin:{layers}/bin"
    libraries = f"/lib64:/usr/lib64:{runtime}:{runtime}/lib:{task}:{task}/lib:{layers}/lib"
    if family not in ("python", "nodejs"):
        return {"PATH": path, "LD_LIBRARY_PATH": libraries}
    paths = {"PATH": f"{language}/bin:{path}", "LD_LIBRARY_PATH": f"{language}/lib:{libraries}"}
    if family == "nodejs":
        own = f"{layers}/nodejs/node{version[0]}/node_modules:" if version else ""
        modules = f"{own}{layers}/nodejs/node_modules:{runtime}/node_modules:{runtime}:{task}"
        return paths | {"NODE_PATH": modules}
    if layers == LAYERS:
        return paths | {"PYTHONPATH": runtime}
    # `bootstrap` knows the layers' place inside of a box only.
    site = f"{layers}/python/lib/python{'.'.join(map(str, version))}/site-packages"
    return paths | {"PYTHONPATH": f"{site}:{layers}/python:{runtime}"}
