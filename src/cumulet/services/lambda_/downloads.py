"""The links under which functions' code and layers can be downloaded, as AWS does with presigned URLs.

A link holds a signature and the time until which it works; both are worth nothing after a restart.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from pathlib import Path
from urllib.parse import parse_qs, urlencode

import orjson

from cumulet.kernel.call import Call
from cumulet.kernel.clock import MACHINE
from cumulet.kernel.ids import secret
from cumulet.services.lambda_.functions import Package
from cumulet.services.lambda_.package_files import PackageFiles
from cumulet.wire.http import HttpRequest, HttpResponse

FOLDER = b"/_cumulet/functions/"
LIFETIME_MS = 10 * 60 * 1000
"""Lambda: the link is valid for 10 minutes."""


class Downloads:
    """Makes links to packages, and answers them."""

    def __init__(self, packages: PackageFiles) -> None:
        self._packages = packages
        self._key = secret(32)

    def url(self, call: Call, package: Package) -> str:
        """Return a link to a package."""
        name = self._packages.path(package).name
        expires = str(MACHINE.now_ms() + LIFETIME_MS)
        query = urlencode({"expires": expires, "signature": self._signature(name, expires)})
        return f"{call.base_url}{FOLDER.decode()}{name}?{query}"

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """Return the package that a link means; 403 for a link that is expired or not ours, 404 for a package gone."""
        name = request.raw_path.removeprefix(FOLDER).decode("latin-1")
        query = parse_qs(request.query.decode("latin-1"))
        expires, signature = (query.get(part, [""])[0] for part in ("expires", "signature"))
        if not hmac.compare_digest(self._signature(name, expires).encode(), signature.encode()):
            return _refusal(403, "The link's signature is wrong, or older than the last start: ask for a new one.")
        if MACHINE.now_ms() > int(expires):
            return _refusal(403, "The link has expired: ask for a new one.")
        content = await asyncio.to_thread(_read, self._packages.folder / name)
        if content is None:
            return _refusal(404, "The code was replaced or deleted.")
        return HttpResponse(200, content, [(b"content-type", b"application/zip")])

    def _signature(self, name: str, expires: str) -> str:
        return hmac.new(self._key, f"{name} {expires}".encode(), hashlib.sha256).hexdigest()


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _refusal(status: int, reason: str) -> HttpResponse:
    return HttpResponse(status, orjson.dumps({"error": reason}), [(b"content-type", b"application/json")])
