"""A disk that loses power: an SQLite VFS that knows what was synced and what was not.

`PowerCutVfs` passes everything on to real files and records it. At chosen moments it takes an `Image`: per file the
content at its last sync and the writes since. `Image.restore` builds a folder as a disk may hold it afterwards: each
write that was not synced is there, missing or torn at a sector, in any order; files made or deleted since the
folder's last sync may be so or not.

What the model promises SQLite is what SQLite assumes of a disk: a sector is written whole or not at all, and a write
leaves its neighbours alone. SQLite's own VFS syncs the folder with the first sync of a new log or journal; so does
the model.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

import apsw

SECTOR_BYTES = 512

_SYNCS_FOLDER = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL


@dataclass
class Inode:
    """A file as the disk has it, and what was done to it since its last sync."""

    synced: bytes = b""
    since: list[tuple[int, bytes | None]] = field(default_factory=list)
    """Writes `(offset, data)` and truncations `(size, None)`."""

    def write(self, offset: int, data: bytes | None) -> None:
        """Record a write or a truncation that no sync has confirmed."""
        self.since.append((offset, data))

    def sync(self) -> None:
        """Move all that was done to the disk."""
        self.synced = _applied(self.synced, self.since)
        self.since = []

    def copy(self) -> Inode:
        """Return this state; later writes don't change it."""
        return Inode(self.synced, self.since[:])

    def after_power_cut(self, chance: random.Random) -> bytes:
        """Return what a disk may hold of the file."""
        kept_share = chance.choice((0.0, 0.5, 0.9, 1.0))
        kept: list[tuple[int, bytes | None]] = []
        for offset, data in self.since:
            if data is None or chance.random() < 0.8:
                if chance.random() < kept_share:
                    kept.append((offset, data))
            else:
                kept += _torn(offset, data, chance)
        return _applied(self.synced, kept)


def _torn(offset: int, data: bytes, chance: random.Random) -> list[tuple[int, bytes | None]]:
    """Return the sectors of a write that reached the disk: all up to one, or any."""
    first = SECTOR_BYTES - offset % SECTOR_BYTES
    edges = [0, *range(first, len(data), SECTOR_BYTES), len(data)]
    pieces = [(offset + start, data[start:end]) for start, end in itertools.pairwise(edges)]
    if chance.random() < 0.5:
        return list(pieces[: chance.randrange(len(pieces) + 1)])
    return [piece for piece in pieces if chance.random() < 0.5]


def _applied(content: bytes, changes: Collection[tuple[int, bytes | None]]) -> bytes:
    if not changes:
        return content
    result = bytearray(content)
    for offset, data in changes:
        end = offset + len(data or b"")
        if len(result) < end:
            result.extend(bytes(end - len(result)))
        if data is None:
            del result[offset:]
        else:
            result[offset:end] = data
    return bytes(result)


@dataclass
class Disk:
    """The files of a folder: as programs see them, and as the folder's last sync left them."""

    entries: dict[str, Inode] = field(default_factory=dict)
    synced_entries: dict[str, Inode] = field(default_factory=dict)

    def sync_folder(self) -> None:
        """Put the folder's entries on the disk."""
        self.synced_entries = dict(self.entries)

    def copy(self) -> Disk:
        """Return this state; later changes don't show in it."""
        inodes = {id(inode): inode.copy() for inode in (*self.entries.values(), *self.synced_entries.values())}
        return Disk(
            {name: inodes[id(inode)] for name, inode in self.entries.items()},
            {name: inodes[id(inode)] for name, inode in self.synced_entries.items()},
        )

    def restore(self, folder: Path, chance: random.Random) -> None:
        """Write the files of one possible state after a power cut into `folder`, which is empty."""
        for name in sorted(self.entries.keys() | self.synced_entries.keys()):
            before, now = self.synced_entries.get(name), self.entries.get(name)
            inode = chance.choice((before, now))
            if inode is not None:
                (folder / name).write_bytes(inode.after_power_cut(chance))


@dataclass(frozen=True)
class Image:
    """The disk at one moment, and whatever the test noted about that moment."""

    event: int
    disk: Disk
    noted: object


class PowerCutVfs(apsw.VFS):
    """Records one folder's files.

    `cut_at` holds the numbers of the events (writes, syncs, truncations, creations, deletions) before which an image
    is taken; `note` is called with each. `ignored_syncs` breaks the disk on purpose: a sync of a file with such an
    ending does nothing; "folder" stands for the folder's own.
    """

    def __init__(
        self, name: str, *, cut_at: Collection[int], note: Callable[[], object], ignored_syncs: Collection[str] = ()
    ) -> None:
        super().__init__(name, base="")
        self.name = name
        self.images: list[Image] = []
        self.events = 0
        self._disk = Disk()
        self._cut_at = frozenset(cut_at)
        self._note = note
        self._ignored_syncs = tuple(ignored_syncs)

    def happens(self) -> Disk:
        """Count an event that is about to change the disk, and return the disk."""
        self.events += 1
        if self.events in self._cut_at:
            self.images.append(Image(self.events, self._disk.copy(), self._note()))
        return self._disk

    def knows(self, name: str) -> bool:
        """Return whether the folder has a file `name`."""
        return name in self._disk.entries

    def ignores_sync(self, name: str) -> bool:
        """Return whether a sync of `name` does nothing."""
        return name.endswith(self._ignored_syncs)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        return RecordedFile(self, path, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        disk = self.happens()
        super().xDelete(filename, syncdir)
        disk.entries.pop(Path(filename).name, None)
        if syncdir and not self.ignores_sync("folder"):
            disk.sync_folder()


class RecordedFile(apsw.VFSFile):
    """A real file whose writes and syncs are recorded."""

    def __init__(self, vfs: PowerCutVfs, path: str, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._vfs = vfs
        self._name = Path(path).name
        is_new = not vfs.knows(self._name)
        self._syncs_folder = is_new and bool(flags[0] & _SYNCS_FOLDER)
        if is_new:
            vfs.happens().entries[self._name] = Inode()

    @property
    def _inode(self) -> Inode:
        return self._vfs.happens().entries[self._name]

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._inode.write(offset, bytes(data))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        self._inode.write(newsize, None)
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802
        inode = self._inode
        super().xSync(flags)
        if not self._vfs.ignores_sync(self._name):
            inode.sync()
        if self._syncs_folder and not self._vfs.ignores_sync("folder"):
            self._vfs.happens().sync_folder()
            self._syncs_folder = False
