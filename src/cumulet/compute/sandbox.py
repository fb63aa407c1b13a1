"""What an execution environment can see of the machine: its own processes and a root folder made for it.

Runs in the spawner and in what it forks, never in the server; imports the standard library only. `prepare` is called
once, `enter` in each environment. Inside, as on AWS Lambda: the code in /var/task, the runtime's packages in
/var/runtime, the interpreter in /var/lang, all read-only like the machine's system folders; an empty /opt; a /tmp of
its own. Nothing else of the machine's files exists there. Where the kernel permits none of this, `prepare` says why.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Sequence
from pathlib import Path

TASK, RUNTIME, INTERPRETER, LAYERS, TEMPORARY = "/var/task", "/var/runtime", "/var/lang", "/opt", "/tmp"

SYSTEM_FOLDERS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr", "etc", "nix")
DEVICES = ("null", "zero", "full", "random", "urandom")
RESOLVER = Path("/etc/resolv.conf")
"""On many machines a link to a file under /run."""

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID = 0x20000, 0x10000000, 0x20000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18
MNT_DETACH = 2
MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID = 1, 2
AT_FDCWD, AT_RECURSIVE = -100, 0x8000
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
SYS_MOUNT_SETATTR = 442

_libc = ctypes.CDLL(None, use_errno=True)


class _Attributes(ctypes.Structure):
    """`struct mount_attr`."""

    _fields_ = (("set", ctypes.c_uint64), ("clear", ctypes.c_uint64), ("propagation", ctypes.c_uint64), ("ns", ctypes.c_uint64))


class Sandbox:
    """Makes the root folder that all environments start from, and puts processes into copies of it."""

    def __init__(self, root: str) -> None:
        self._root = root
        """An empty folder to mount on."""
        self._own_processes = -1

    def prepare(self, interpreter: str, packages: Sequence[str]) -> None:
        """Leave the machine's mounts alone from now on, and mount what all environments share.

        `interpreter` is the prefix of the Python installation, `packages` the paths of what /var/runtime holds.
        Raises OSError where the kernel permits no namespaces, also inside of a user namespace.
        """
        self._own_processes = os.open("/proc/self/ns/pid", os.O_RDONLY)
        try:
            unshare(CLONE_NEWNS | CLONE_NEWPID)
        except PermissionError:
            _become_owner_of_namespaces()
        _mount("none", "/", None, MS_REC | MS_PRIVATE)
        _mount("tmpfs", self._root, "tmpfs", MS_NOSUID, "mode=755")
        for name in SYSTEM_FOLDERS:
            self._share_system_folder(name)
        if RESOLVER.exists() and not (inside := self._inside(str(RESOLVER.resolve()))).exists():
            inside.parent.mkdir(parents=True, exist_ok=True)
            _bind(str(RESOLVER.resolve()), inside)
        for device in DEVICES:
            _bind(f"/dev/{device}", self._inside(f"/dev/{device}"))
        for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
            self._inside(f"/dev/{name}").symlink_to(f"/proc/self/{target}")
        _bind(interpreter, self._inside(INTERPRETER))
        for package in packages:
            _bind(package, self._inside(RUNTIME) / Path(package).name)
        for folder in (TASK, LAYERS, TEMPORARY, "/proc"):
            self._inside(folder).mkdir(parents=True)
        _make_read_only(self._root, AT_RECURSIVE)

    def fork(self) -> int:
        """Fork a process that is the first of a new process namespace: when it ends, all in there are killed."""
        try:
            unshare(CLONE_NEWPID)
        except OSError:  # `prepare` has left one that nobody was born into
            pass
        pid = os.fork()
        if pid:
            _check(_libc.setns(self._own_processes, CLONE_NEWPID))
        return pid

    def enter(self, task: str, tmp_mb: int) -> None:
        """Make the prepared folder this process's root, with `task` as /var/task and a /tmp of `tmp_mb` MiB."""
        unshare(CLONE_NEWNS)
        _bind(task, self._inside(TASK))
        _make_read_only(str(self._inside(TASK)), 0)
        _mount("tmpfs", str(self._inside(TEMPORARY)), "tmpfs", MS_NOSUID | MS_NODEV, f"size={tmp_mb}m,mode=1777")
        _mount("proc", str(self._inside("/proc")), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
        os.chdir(self._root)
        _check(_libc.syscall(SYS_PIVOT_ROOT[os.uname().machine], b".", b"."))
        _check(_libc.umount2(b".", MNT_DETACH))
        os.chdir("/")

    def _inside(self, path: str) -> Path:
        return Path(self._root + path)

    def _share_system_folder(self, name: str) -> None:
        outside, inside = Path("/", name), self._inside(f"/{name}")
        if outside.is_symlink():
            inside.symlink_to(outside.readlink())
        elif outside.is_dir():
            _bind(str(outside), inside)


def die_with_parent(signal: int) -> None:
    """Let the kernel send this process `signal` when the thread that forked it ends."""
    _check(_libc.prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0))


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends."""
    _check(_libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))


def unshare(flags: int) -> None:
    """Leave namespaces that are shared with the parent."""
    _check(_libc.unshare(flags))


def _become_owner_of_namespaces() -> None:
    """In a user namespace anyone may mount, where the system allows user namespaces."""
    user, group = os.geteuid(), os.getegid()
    unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _bind(source: str, target: Path) -> None:
    if stat.S_ISDIR(os.stat(source).st_mode):
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    _mount(source, str(target), None, MS_BIND | MS_REC)


def _make_read_only(path: str, flags: int) -> None:
    attributes = _Attributes(set=MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID)
    size = ctypes.sizeof(attributes)
    _check(_libc.syscall(SYS_MOUNT_SETATTR, AT_FDCWD, path.encode(), flags, ctypes.byref(attributes), size))


def _mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    encoded = [text.encode() if text is not None else None for text in (source, target, kind, options)]
    _check(_libc.mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), encoded[3]), target)


def _check(result: int, about: str = "") -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), about or None)
