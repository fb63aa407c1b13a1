"""Cross-origin requests to function URLs, answered for the function."""

from __future__ import annotations

from cumulet.services.lambda_.function_urls import Cors
from cumulet.wire.http import HttpRequest

ANY = "*"


def is_preflight(request: HttpRequest) -> bool:
    """Does a browser ask whether it may send a request?"""
    return request.method == "OPTIONS" and b"access-control-request-method" in request.headers


def allowances(cors: Cors, request: HttpRequest) -> list[tuple[bytes, bytes]]:
    """Return the headers that tell a browser what it may do; none where the page's origin is not allowed."""
    origin = request.headers.get(b"origin", b"").decode("latin-1")
    if not origin or not (ANY in cors.AllowOrigins or origin in cors.AllowOrigins):
        return []
    is_open = ANY in cors.AllowOrigins and not cors.AllowCredentials
    headers = {"access-control-allow-origin": ANY if is_open else origin}
    if not is_open:
        headers["vary"] = "Origin"
    if cors.AllowCredentials:
        headers["access-control-allow-credentials"] = "true"
    if cors.ExposeHeaders:
        headers["access-control-expose-headers"] = ",".join(cors.ExposeHeaders)
    if is_preflight(request):
        if cors.AllowMethods:
            headers["access-control-allow-methods"] = ",".join(cors.AllowMethods)
        if cors.AllowHeaders:
            headers["access-control-allow-headers"] = ",".join(cors.AllowHeaders)
        if cors.MaxAge is not None:
            headers["access-control-max-age"] = str(cors.MaxAge)
    return [(name.encode(), value.encode()) for name, value in headers.items()]
