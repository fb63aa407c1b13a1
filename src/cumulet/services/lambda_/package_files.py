"""The zip files with functions' code, each named by the SHA-256 of what it holds."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cumulet.services.lambda_.functions import Package
from cumulet.store import folders


class PackageFiles:
    """A folder of packages. A package is on disk before a transaction refers to it."""

    def __init__(self, folder: Path, *, is_durable: bool) -> None:
        self._folder = folder
        self._is_durable = is_durable

    def path(self, package: Package) -> Path:
        """Return where a package is."""
        return self._folder / f"{package.digest}.zip"

    @asynccontextmanager
    async def added(self, content: bytes) -> AsyncIterator[Package]:
        """Keep a zip file."""
        yield await asyncio.to_thread(self._write, content)

    def _write(self, content: bytes) -> Package:
        package = Package(hashlib.sha256(content).hexdigest(), len(content))
        folders.make(self._folder)
        path = self.path(package)
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
        return package
