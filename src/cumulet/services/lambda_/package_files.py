"""The zip files with functions' code, each named by the SHA-256 of what it holds.

A package is on disk before a transaction refers to it, and held for as long as one may: what no function refers to
and nobody holds is removed (`package_upkeep`). Reading, hashing and writing happen in threads.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from cumulet.kernel.errors import ServiceUnavailable
from cumulet.services.lambda_ import zip_files
from cumulet.services.lambda_.configuration import Layer
from cumulet.services.lambda_.functions import Package
from cumulet.store import folders

SUFFIX = ".zip"
UNFINISHED = ".new"


class PackageFiles:
    """A folder of packages."""

    def __init__(self, folder: Path, *, is_durable: bool) -> None:
        self.folder = folder
        self._is_durable = is_durable
        self._held: Counter[str] = Counter()
        self._held_since: set[str] = set()
        """The digests that were held at any time since the last removal began."""

    def path(self, package: Package) -> Path:
        """Return where a package is."""
        return self.path_of(package.digest)

    def path_of(self, digest: str) -> Path:
        """Return where the package with a digest is."""
        return self.folder / f"{digest}{SUFFIX}"

    async def inspect(self, content: bytes) -> Package:
        """Return what a zip file will be called; raises InvalidParameterValueException where it can't be unpacked."""
        return await asyncio.to_thread(inspect, content)

    @asynccontextmanager
    async def kept(self, package: Package, content: bytes) -> AsyncIterator[None]:
        """Put a package on disk and hold it; raises ServiceUnavailable where the disk refuses."""
        with self.held([package]):
            try:
                await asyncio.to_thread(self._write, package, content)
            except OSError as error:
                raise ServiceUnavailable(
                    f"the package could not be written to {self.folder} ({error.strerror}); nothing was changed."
                ) from error
            yield

    @contextmanager
    def held(self, packages: Collection[Package | Layer]) -> Iterator[None]:
        """Hold packages that are on disk."""
        digests = [package.digest for package in packages]
        self._held.update(digests)
        self._held_since.update(digests)
        try:
            yield
        finally:
            self._held -= Counter(digests)

    def begin_removal(self) -> None:
        """Watch from now on which packages are held, so that `remove` spares them."""
        self._held_since = set(self._held)

    async def all(self) -> set[str]:
        """Return the digests of all packages on disk."""
        return {path.name.removesuffix(SUFFIX) for path in await asyncio.to_thread(self._files, SUFFIX)}

    def remove(self, digests: Collection[str]) -> None:
        """Remove packages that were held at no time since the removal began."""
        for digest in digests:
            if digest not in self._held_since:
                self.path_of(digest).unlink(missing_ok=True)

    def remove_unfinished(self) -> None:
        """Remove what a crash left half written; to be called before anything is written."""
        for path in self._files(UNFINISHED):
            path.unlink(missing_ok=True)

    def _files(self, suffix: str) -> list[Path]:
        return list(self.folder.glob(f"*{suffix}"))

    def _write(self, package: Package, content: bytes) -> None:
        folders.make(self.folder)
        path = self.path(package)
        if path.is_file() and path.stat().st_size == package.size_bytes:
            if self._is_durable:
                _sync(path)  # whoever wrote it may not have done so yet
        else:
            self._write_new(path, content)
        if self._is_durable:
            folders.sync(self.folder)

    def _write_new(self, path: Path, content: bytes) -> None:
        descriptor, unfinished = tempfile.mkstemp(UNFINISHED, dir=self.folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                if self._is_durable:
                    os.fsync(descriptor)
            Path(unfinished).replace(path)
        except BaseException:
            Path(unfinished).unlink(missing_ok=True)
            raise


def inspect(content: bytes) -> Package:
    """Check a zip file and return its name and size."""
    zip_files.check(content)
    return Package(hashlib.sha256(content).hexdigest(), len(content))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
