"""The rules for a function's environment variables; the pattern of their names is in the service's model."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from cumulet.services.lambda_.errors import invalid

MOST_BYTES = 4096
"""Lambda: of all names and values, as JSON without spaces."""
RESERVED = frozenset(
    {
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)
"""Lambda: names of the runtime's own variables that a function can't set."""
UNABLE = "Lambda was unable to configure your environment variables because the environment variables you have provided"


def checked(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables; raises InvalidParameterValueException for reserved names and for more than 4 KB."""
    reserved = [name for name in variables if name in RESERVED]
    if reserved:
        raise invalid(
            f"{UNABLE} contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(reserved)}"
        )
    text = orjson.dumps(variables)
    if len(text) > MOST_BYTES:
        raise invalid(f"{UNABLE} exceeded the 4KB limit. String measured: {text.decode()}")
    return dict(variables)
