"""Functions' packages and layers, unpacked once and shared by all environments that use them.

The zip files of layers are unpacked together into one folder: where two hold the same path, the later one wins.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import stat
import zipfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from cumulet.compute.function import CannotRun

MOST_UNPACKED_BYTES = 250 * 1024 * 1024
"""AWS Lambda quota: deployment package, unzipped; likewise its layers."""
KEPT_BYTES = 1024 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024
FOLDER_MODE = 0o755
INSIDE = (PurePosixPath("/opt"), PurePosixPath("/var/task"))
"""Where an absolute link may lead: what it finds there belongs to the function."""
UNREADABLE = (EOFError, NotImplementedError, OSError, RuntimeError, ValueError, zipfile.BadZipFile)

Names = tuple[str, ...]


class Unpacked:
    """What zip files hold together."""

    def __init__(self, folder: Path, size_bytes: int) -> None:
        self.folder = folder
        self.size_bytes = size_bytes
        self.users = 0


class Packages:
    """A cache of what was unpacked, by the names of the zip files."""

    def __init__(self, folder: Path, kept_bytes: int = KEPT_BYTES) -> None:
        self._folder = folder
        """An empty folder, or none yet."""
        self._kept_bytes = kept_bytes
        """So much is kept of what nobody uses."""
        self._unpacked: dict[Names, asyncio.Future[Unpacked]] = {}
        self._unused: dict[Names, Unpacked] = {}
        """The one used last is the last."""
        self._numbers = itertools.count()

    async def take(self, *archives: Path) -> Path:
        """Return the folder with what the zip files hold, until `release`. Raises `CannotRun` where it can't be had."""
        names = _names(archives)
        unpacking = self._unpacked.get(names)
        if unpacking is None:
            unpacking = asyncio.get_running_loop().run_in_executor(None, self._unpack, archives, next(self._numbers))
            self._unpacked[names] = unpacking
        try:
            unpacked = await asyncio.shield(unpacking)
        except CannotRun:
            if self._unpacked.get(names) is unpacking:
                del self._unpacked[names]
            raise
        unpacked.users += 1
        self._unused.pop(names, None)
        return unpacked.folder

    def release(self, *archives: Path) -> None:
        """Say that one who has taken these zip files needs them no longer."""
        names = _names(archives)
        unpacked = self._unpacked[names].result()
        unpacked.users -= 1
        if unpacked.users:
            return
        self._unused[names] = unpacked
        while sum(each.size_bytes for each in self._unused.values()) > self._kept_bytes:
            oldest = next(iter(self._unused))
            del self._unpacked[oldest]
            folder = self._unused.pop(oldest).folder
            asyncio.get_running_loop().run_in_executor(None, shutil.rmtree, folder, True)

    def _unpack(self, archives: Sequence[Path], number: int) -> Unpacked:
        folder = self._folder / f"{number}-{archives[0].name[:16]}"
        try:
            folder.mkdir(parents=True)
            with ExitStack() as opened:
                merged = _merged([opened.enter_context(zipfile.ZipFile(archive)) for archive in archives])
                return Unpacked(folder, _extract(merged, folder))
        except UNREADABLE as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise CannotRun(f"The function's package or layers can't be unpacked: {error}") from error


class _Entry(NamedTuple):
    archive: zipfile.ZipFile
    info: zipfile.ZipInfo

    @property
    def mode(self) -> int:
        return self.info.external_attr >> 16

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.mode) and not self.info.is_dir()


def _names(archives: Sequence[Path]) -> Names:
    return tuple(archive.name for archive in archives)


def _merged(archives: Sequence[zipfile.ZipFile]) -> dict[PurePosixPath, _Entry]:
    """Return which entry each path comes from. What was a file before and has entries below it later is a folder."""
    merged: dict[PurePosixPath, _Entry] = {}
    for archive in archives:
        own: dict[PurePosixPath, _Entry] = {}
        for info in archive.infolist():
            path, entry = _path(info.filename), _Entry(archive, info)
            if (before := own.get(path)) is not None and (before.is_link or entry.is_link):
                raise ValueError(f"it has {str(path)!r} twice, once as a link")
            own[path] = entry
        folders = {folder for path in own for folder in path.parents}
        files = {path for path, entry in own.items() if not entry.info.is_dir()}
        for path in [path for path in merged if path in folders or not files.isdisjoint(path.parents)]:
            if not merged[path].info.is_dir() or path not in folders:
                del merged[path]
        merged |= own
    return merged


def _extract(entries: dict[PurePosixPath, _Entry], target: Path) -> int:
    """Write files and links; return the size of it all in bytes.

    Anyone may read them, and run them if their owner may: who has packed them is not who runs them here.
    """
    links: list[tuple[Path, str]] = []
    size_bytes = 0
    for name, (archive, info) in entries.items():
        path, mode = target / name, info.external_attr >> 16
        if info.is_dir():
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if stat.S_ISLNK(mode):
            links.append((path, os.fsdecode(archive.read(info))))
            continue
        with archive.open(info) as source, path.open("wb") as file:
            while chunk := source.read(CHUNK_BYTES):
                size_bytes += len(chunk)
                if size_bytes > MOST_UNPACKED_BYTES:
                    raise ValueError(f"it holds more than {MOST_UNPACKED_BYTES} bytes")
                file.write(chunk)
        path.chmod(mode & 0o777 | (0o555 if mode & stat.S_IXUSR else 0o444) | stat.S_IWUSR)
    for folder, _, _ in os.walk(target):
        Path(folder).chmod(FOLDER_MODE)
    for path, to in links:  # last, so that nothing is written through one
        _link(path, to, target)
    return size_bytes


def _path(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError(f"{name!r} would be outside of it")
    return path


def _link(path: Path, to: str, root: Path) -> None:
    """Make a link; with those made before it, it may lead to nothing outside of `root`, or into `INSIDE`."""
    if to.startswith("/"):
        is_inside = any(PurePosixPath(os.path.normpath(to)).is_relative_to(folder) for folder in INSIDE)
    else:
        is_inside = Path(os.path.realpath(path.parent / to)).is_relative_to(root.resolve())
    if not is_inside:
        raise ValueError(f"its link to {to!r} leads out of it")
    path.symlink_to(to)
