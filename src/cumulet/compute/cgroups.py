"""Control groups: the kernel's limits for memory and processes of a box, and its way to freeze one.

Both versions, and both at once, as far as this process may make groups. Below a folder `cumulet` each server has one,
named so that the next one knows what a killed one has left. Functions here block, for less than a millisecond mostly.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

NAME = "cumulet"
MOST_PROCESSES = 1024
"""AWS Lambda quota: processes and threads of an execution environment."""
PROCESSES = "cgroup.procs"
NEEDED = ("memory", "pids")
TRIES = 10


class Kind(msgspec.Struct, frozen=True):
    """What the files of a version are called."""

    memory_limits: tuple[str, ...]
    """Their order matters: the later ones may not be less."""
    kills: str
    """The file with the line `oom_kill`."""
    anonymous: str
    """The line of memory.stat with what isn't in files, not even in those of a tmpfs."""


KINDS = {
    1: Kind(("memory.limit_in_bytes", "memory.memsw.limit_in_bytes"), "memory.oom_control", "total_rss"),
    2: Kind(("memory.max",), "memory.events", "anon"),
}


_numbers = itertools.count(1)
"""Of platforms in this process."""


class Group:
    """The groups of one box, one in each hierarchy that is used."""

    def __init__(self, folders: Mapping[str, Path], version: int) -> None:
        self._folders = folders
        self._kind = KINDS[version]
        for folder in set(folders.values()):
            folder.mkdir()
        self._freezer: int | None = None
        if "freezer" in folders:
            self._freezer = os.open(folders["freezer"] / "cgroup.freeze", os.O_WRONLY)

    def doors(self) -> list[int]:
        """Return descriptors of files; a process that writes 0 to each is in the group. The caller closes them."""
        return [os.open(folder / PROCESSES, os.O_WRONLY) for folder in set(self._folders.values())]

    def limit(self, memory_bytes: int) -> None:
        """Limit memory, and the number of processes."""
        if "memory" not in self._folders:
            return
        memory, pids = self._folders["memory"], self._folders["pids"]
        (pids / "pids.max").write_text(str(MOST_PROCESSES))
        for name in self._kind.memory_limits:
            if (memory / name).exists():
                (memory / name).write_text(str(memory_bytes))
        if (memory / "memory.swap.max").exists():
            (memory / "memory.swap.max").write_text("0")

    @property
    def can_freeze(self) -> bool:
        """Does `freeze` do anything?"""
        return self._freezer is not None

    def freeze(self, is_frozen: bool) -> None:
        """Stop all processes, or let them go on."""
        if self._freezer is not None:
            os.pwrite(self._freezer, b"1" if is_frozen else b"0", 0)

    def kills(self) -> int:
        """Return how many processes the kernel has killed because the memory was used up."""
        if "memory" not in self._folders:
            return 0
        lines = _read(self._folders["memory"] / self._kind.kills).splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))

    def processes(self) -> int:
        """Return how many processes and threads there are; 0 where that isn't known."""
        return int(_read(self._folders["pids"] / "pids.current") or 0) if "pids" in self._folders else 0

    def used_bytes(self) -> int:
        """Return how much memory is used, as far as it isn't in files."""
        lines = _read(self._folders["memory"] / "memory.stat").splitlines() if "memory" in self._folders else []
        return sum(int(line.split()[1]) for line in lines if line.startswith(f"{self._kind.anonymous} "))

    def remove(self) -> bool:
        """Remove the group, all of whose processes have ended; return whether that could be done."""
        if self._freezer is not None:
            os.close(self._freezer)
            self._freezer = None
        return all(_remove(folder) for folder in set(self._folders.values()))


class Groups:
    """Where this server may make groups."""

    def __init__(self) -> None:
        """Look for it, and remove what killed servers have left."""
        self._folders: dict[str, Path] = {}
        self._version = 1
        self._left: list[Group] = []
        self.lacks: str | None = None
        """Why there are no limits, None if there are."""
        own = f"{os.getpid()}.{_started_at(os.getpid())}.{next(_numbers)}"
        try:
            for controller, folder in self._find().items():
                _remove_left(folder)
                self._folders[controller] = _make(folder / own, NEEDED if self._version == 2 else ())
            self._try()
        except OSError as error:
            self.lacks = f"control groups can't be made: {error}"
            self.remove()
            self._folders.clear()
        else:
            if "memory" not in self._folders:
                self.lacks = "control groups for memory can't be made"

    def make(self, number: int) -> Group | None:
        """Make a group for a box; None where that can't be."""
        if not self._folders:
            return None
        try:
            return Group({name: folder / f"box-{number}" for name, folder in self._folders.items()}, self._version)
        except OSError:
            return None

    def give_back(self, group: Group) -> None:
        """Remove a group whose processes have ended; the kernel may need a moment for that."""
        self._left.append(group)
        self._left = [left for left in self._left if not left.remove()]

    def remove(self) -> None:
        """Remove all groups."""
        for folder in set(self._folders.values()):
            _remove_tree(folder)

    def _find(self) -> dict[str, Path]:
        """Return folders to make groups in, by what for."""
        mounts, own = _mounts(), _own_groups()
        found: dict[str, Path] = {}
        for name in NEEDED:
            if name in mounts and name in own:
                found[name] = mounts[name] / own[name].lstrip("/") / NAME
        if "" in mounts:
            unified, ours = mounts[""], mounts[""] / own.get("", "/").lstrip("/")
            candidates = [folder for folder in (ours.parent, unified) if folder.is_relative_to(unified)]
            for folder in candidates:
                if not found and set(NEEDED) <= set(_read(folder / "cgroup.subtree_control").split()):
                    self._version = 2
                    found = dict.fromkeys((*NEEDED, "freezer"), folder / NAME)
            if found and self._version == 1:
                found["freezer"] = unified / NAME
        usable = {name: folder for name, folder in found.items() if os.access(folder.parent, os.W_OK)}
        return usable if set(NEEDED) <= usable.keys() else {}

    def _try(self) -> None:
        """Move a process into a group. Raises OSError where that isn't permitted."""
        if (group := self.make(0)) is None:
            return
        with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
            try:
                for door in group.doors():
                    with os.fdopen(door, "wb", buffering=0) as file:
                        file.write(str(process.pid).encode())
                group.limit(1 << 30)
            finally:
                process.kill()
        self.give_back(group)


def _make(folder: Path, controllers: Iterable[str]) -> Path:
    """Make a folder and the one above it, whose groups have these controllers."""
    for _ in range(TRIES):
        try:
            for each in (folder.parent, folder):
                each.mkdir(exist_ok=True)
                if enabled := " ".join(f"+{controller}" for controller in controllers):
                    (each / "cgroup.subtree_control").write_text(enabled)
        except FileNotFoundError:
            continue  # another server has removed the upper one, as it thinks that it was the last
        return folder
    raise FileNotFoundError(folder)


def _remove_left(folder: Path) -> None:
    """Remove the folders of servers that don't run any more, with what still runs in them."""
    for left in folder.glob("*.*"):
        pid, started_at, *_ = left.name.split(".")
        if left.is_dir() and pid.isdigit() and _started_at(int(pid)) != started_at:
            _remove_tree(left)


def _remove_tree(folder: Path) -> None:
    for group in folder.glob("box-*"):
        if group.is_dir():
            for pid in _read(group / PROCESSES).split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            _remove(group)
    _remove(folder)
    _remove(folder.parent)  # the last one


def _remove(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _mounts() -> dict[str, Path]:
    """Return where hierarchies are mounted, by controller; "" for the one of version 2."""
    found: dict[str, Path] = {}
    for line in _read(Path("/proc/self/mounts")).splitlines():
        _, folder, kind, options, *_ = line.split()
        if kind == "cgroup2":
            found.setdefault("", Path(folder))
        elif kind == "cgroup":
            for option in options.split(","):
                found.setdefault(option, Path(folder))
    return found


def _own_groups() -> dict[str, str]:
    """Return the groups that this process is in, by controller; "" for that of version 2."""
    found: dict[str, str] = {}
    for line in _read(Path("/proc/self/cgroup")).splitlines():
        _, controllers, path = line.split(":", 2)
        found |= dict.fromkeys(controllers.split(","), path)
    return found


def _started_at(pid: int) -> str:
    """Return when a process was started, "" if there is none: nobody else has both this and its id."""
    fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return fields[19] if len(fields) > 19 else ""


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
