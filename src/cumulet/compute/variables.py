"""The environment variables of a runtime: those that AWS documents, and the function's own. None of the server's."""

from __future__ import annotations

from dataclasses import dataclass

from cumulet.compute.function import Function
from cumulet.kernel.credentials import TemporaryCredentials

TELEMETRY_DESCRIPTOR = 3
"""See `init`."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where a runtime finds its parts, inside of its environment."""

    interpreter: str
    """The folder of the Python installation."""
    executable: str
    runtime: str
    task: str
    temporary: str | None
    """Where /tmp is, None where it is /tmp."""


def variables(
    function: Function, places: Places, *, stream: str, runtime_api: str, url: str, credentials: TemporaryCredentials
) -> dict[str, str]:
    """Return the variables of a runtime; the function's own may replace what AWS doesn't reserve."""
    task, runtime, interpreter = places.task, places.runtime, places.interpreter
    unreserved = {
        "LANG": "en_US.UTF-8",
        "PATH": f"{interpreter}/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "LD_LIBRARY_PATH": f"{interpreter}/lib:/lib64:/usr/lib64:{runtime}:{runtime}/lib:{task}:{task}/lib:/opt/lib",
        "PYTHONPATH": runtime,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
        "AWS_ENDPOINT_URL": url,
        "TZ": ":UTC",
    }
    if places.temporary is not None:
        unreserved["TMPDIR"] = places.temporary
    reserved = {
        "_HANDLER": function.handler,
        "_LAMBDA_TELEMETRY_LOG_FD": str(TELEMETRY_DESCRIPTOR),
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_SESSION_TOKEN": credentials.session_token,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "LAMBDA_TASK_ROOT": task,
        "LAMBDA_RUNTIME_DIR": runtime,
    }
    return unreserved | dict(function.variables) | reserved
