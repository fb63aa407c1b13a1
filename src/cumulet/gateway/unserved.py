"""The services of AWS that this platform lacks, as far as it takes to refuse their requests by name.

What the path of a REST request means stands in botocore's model of the service. Of a model only the paths are kept:
a client that asks for many services must not fill the memory.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl

from cumulet.wire.http import HttpRequest
from cumulet.wire.model import UnknownServiceError, description, metadata
from cumulet.wire.uri import Router, split

FOLDERS = {
    "elasticfilesystem": "efs",
    "email": "sesv2",
    "monitoring": "cloudwatch",
    "states": "stepfunctions",
}
"""botocore's folder of services that sign with another name."""
LONGEST_PATH_BYTES = 2048
REST = ("rest-json", "rest-xml")


class RestService(NamedTuple):
    """A service that tells operations apart by their paths."""

    protocol: str
    paths: Router


def named(request: HttpRequest, signing_name: str) -> tuple[str, str]:
    """Return the protocol of a REST request to a service that we lack, and its operation, else method and path."""
    service = _rest_service(FOLDERS.get(signing_name, signing_name))
    path = request.raw_path[:LONGEST_PATH_BYTES]
    fallback = f"{request.method} {path.decode('latin-1')}"
    if service is None:
        is_json = b"json" in request.headers.get(b"content-type", b"")
        return "rest-json" if is_json else "rest-xml", fallback
    query = dict(parse_qsl(request.query.decode("latin-1"), keep_blank_values=True))
    found = service.paths.match(request.method, split(path), query)
    return "s3" if signing_name == "s3" else service.protocol, found[0] if found else fallback


@lru_cache(maxsize=64)
def _rest_service(folder: str) -> RestService | None:
    try:
        protocol = metadata(folder)["protocol"]
    except UnknownServiceError:
        return None
    if protocol not in REST:
        return None
    https = [(name, operation["http"]) for name, operation in description(folder)["operations"].items()]
    return RestService(protocol, Router((name, http["method"], http["requestUri"]) for name, http in https))
