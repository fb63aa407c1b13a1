"""Where a request says that a function's code is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.kernel.errors import RequestEntityTooLargeException
from cumulet.services.lambda_.errors import invalid

MOST_REQUEST_BYTES = 70_167_211
"""Lambda: of a request with a zip file."""
MOST_ZIPPED_BYTES = 52_428_800
"""Lambda: of a zip file that is part of a request."""
IN_BUCKETS = ("S3Bucket", "S3Key", "S3ObjectVersion", "S3ObjectStorageMode")


def zip_file(operation: str, code: Mapping[str, Any]) -> bytes:
    """Return the zip file in a request.

    Raises InvalidParameterValueException where there is none, or code is somewhere else: there are no buckets yet.
    """
    content: bytes | None = code.get("ZipFile")
    in_buckets = [name for name in IN_BUCKETS if code.get(name)]
    if content is None:
        if "S3Bucket" in in_buckets and "S3Key" in in_buckets:
            raise invalid(
                "Error occurred while GetObject. S3 Error Code: NoSuchBucket. "
                "S3 Error Message: The specified bucket does not exist"
            )
        raise invalid("Please provide a source for function code.")
    if in_buckets:
        raise invalid("Please do not provide other FunctionCode parameters when providing a ZipFile.")
    if len(content) > MOST_ZIPPED_BYTES:
        raise RequestEntityTooLargeException(MOST_REQUEST_BYTES, operation)
    return content
