"""Functions' packages, unpacked: a zip file's content is unpacked once and shared by all environments that run it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import stat
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from cumulet.compute.function import CannotRun

MOST_UNPACKED_BYTES = 250 * 1024 * 1024
"""AWS Lambda quota: deployment package, unzipped."""


class Packages:
    """A cache of unpacked packages, by the name of the zip file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        """Belongs to this cache alone; what it holds from before is not used."""
        self._unpacked: dict[str, asyncio.Future[Path]] = {}

    async def unpack(self, package: Path) -> Path:
        """Return the folder with what `package` holds. Raises `CannotRun` where that can't be had."""
        unpacked = self._unpacked.get(package.name)
        if unpacked is None or (unpacked.done() and unpacked.exception() is not None):
            loop = asyncio.get_running_loop()
            unpacked = self._unpacked[package.name] = loop.run_in_executor(None, _unpack, package, self._folder)
        return await asyncio.shield(unpacked)


def _unpack(package: Path, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / package.name
    with tempfile.TemporaryDirectory(dir=folder, prefix="unpacking-", ignore_cleanup_errors=True) as temporary:
        content = Path(temporary) / "content"
        try:
            with zipfile.ZipFile(package) as archive:
                _extract(archive, content)
        except (OSError, EOFError, ValueError, NotImplementedError, RuntimeError, zipfile.BadZipFile) as error:
            raise CannotRun(f"The function's package can't be unpacked: {error}") from error
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(target)
        content.rename(target)
    return target


def _extract(archive: zipfile.ZipFile, target: Path) -> None:
    """Write an archive's files, with their permissions, and the links that lead to them, into a new folder."""
    target.mkdir()
    links = []
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
            while chunk := source.read(1024 * 1024):
                size_bytes += len(chunk)
                if size_bytes > MOST_UNPACKED_BYTES:
                    raise ValueError(f"it holds more than {MOST_UNPACKED_BYTES} bytes")
                file.write(chunk)
        path.chmod((mode & 0o777 or 0o644) | stat.S_IRUSR)
    for path, to in links:  # last, so that nothing is written through one
        _link(path, to, target)


def _parts(name: str) -> tuple[str, ...]:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError(f"the name {name!r} leads out of it")
    return path.parts


def _link(path: Path, to: str, root: Path) -> None:
    resolved = os.path.normpath(path.parent.resolve() / to)
    if to.startswith("/") or not Path(resolved).is_relative_to(root.resolve()):
        raise ValueError(f"the link to {to!r} leads out of it")
    path.symlink_to(to)
