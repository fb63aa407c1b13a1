"""Functions' packages, unpacked: what a zip file holds is unpacked once and shared by all environments that run it."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import stat
import zipfile
from pathlib import Path, PurePosixPath

from cumulet.compute.function import CannotRun

MOST_UNPACKED_BYTES = 250 * 1024 * 1024
"""AWS Lambda quota: deployment package, unzipped."""
KEPT_BYTES = 1024 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024


class Unpacked:
    """What one zip file holds."""

    def __init__(self, folder: Path, size_bytes: int) -> None:
        self.folder = folder
        self.size_bytes = size_bytes
        self.users = 0


class Packages:
    """A cache of unpacked packages, by the names of the zip files."""

    def __init__(self, folder: Path, kept_bytes: int = KEPT_BYTES) -> None:
        self._folder = folder
        """An empty folder, or none yet."""
        self._kept_bytes = kept_bytes
        """So much is kept of what nobody uses."""
        self._unpacked: dict[str, asyncio.Future[Unpacked]] = {}
        self._unused: dict[str, Unpacked] = {}
        """The one used last is the last."""
        self._numbers = itertools.count()

    async def take(self, package: Path) -> Path:
        """Return the folder with what `package` holds, until `release`. Raises `CannotRun` where it can't be had."""
        unpacking = self._unpacked.get(package.name)
        if unpacking is None:
            unpacking = asyncio.get_running_loop().run_in_executor(None, self._unpack, package, next(self._numbers))
            self._unpacked[package.name] = unpacking
        try:
            unpacked = await asyncio.shield(unpacking)
        except CannotRun:
            if self._unpacked.get(package.name) is unpacking:
                del self._unpacked[package.name]
            raise
        unpacked.users += 1
        self._unused.pop(package.name, None)
        return unpacked.folder

    def release(self, package: Path) -> None:
        """Say that one who has taken a package needs it no longer."""
        unpacked = self._unpacked[package.name].result()
        unpacked.users -= 1
        if unpacked.users:
            return
        self._unused[package.name] = unpacked
        while sum(each.size_bytes for each in self._unused.values()) > self._kept_bytes:
            name = next(iter(self._unused))
            del self._unpacked[name]
            folder = self._unused.pop(name).folder
            asyncio.get_running_loop().run_in_executor(None, shutil.rmtree, folder, True)

    def _unpack(self, package: Path, number: int) -> Unpacked:
        folder = self._folder / f"{number}-{package.name[:16]}"
        try:
            folder.mkdir(parents=True)
            with zipfile.ZipFile(package) as archive:
                return Unpacked(folder, _extract(archive, folder))
        except (EOFError, NotImplementedError, OSError, RuntimeError, ValueError, zipfile.BadZipFile) as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise CannotRun(f"The function's package can't be unpacked: {error}") from error


def _extract(archive: zipfile.ZipFile, target: Path) -> int:
    """Write an archive's files with their permissions, and its links within itself; return the size of it all."""
    links: list[tuple[Path, str]] = []
    size_bytes = 0
    for entry in archive.infolist():
        path = target.joinpath(*_parts(entry.filename))
        mode = entry.external_attr >> 16
        if entry.is_dir():
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if stat.S_ISLNK(mode):
            links.append((path, os.fsdecode(archive.read(entry))))
            continue
        with archive.open(entry) as source, path.open("wb") as file:
            while chunk := source.read(CHUNK_BYTES):
                size_bytes += len(chunk)
                if size_bytes > MOST_UNPACKED_BYTES:
                    raise ValueError(f"it holds more than {MOST_UNPACKED_BYTES} bytes")
                file.write(chunk)
        path.chmod((mode & 0o777 or 0o644) | stat.S_IRUSR)
    for path, to in links:  # last, so that nothing is written through one
        _link(path, to, target)
    return size_bytes


def _parts(name: str) -> tuple[str, ...]:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError(f"{name!r} would be outside of it")
    return path.parts


def _link(path: Path, to: str, root: Path) -> None:
    """Make a link; with those made before it, it may lead to nothing outside of `root`."""
    end = os.path.realpath(path.parent / to)
    if to.startswith("/") or not Path(end).is_relative_to(root.resolve()):
        raise ValueError(f"its link to {to!r} leads out of it")
    path.symlink_to(to)
