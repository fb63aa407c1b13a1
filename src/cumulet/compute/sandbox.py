"""What an execution environment can see of the machine: its own processes and a root folder made for it.

Runs in the spawner and in what it forks, never in the server; imports the standard library only. `prepare` is called
once, `enter` in each environment. Inside, as on AWS Lambda: the code in /var/task, the runtime's packages in
/var/runtime, the interpreter in /var/lang, all read-only like the machine's system folders; an empty /opt; a /tmp of
its own. Nothing else of the machine's files exists there. Where the kernel permits none of this, `prepare` says why.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
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
SYSCALLS = {
    "x86_64": {"clone": 56, "pivot_root": 155, "mount_setattr": 442},
    "aarch64": {"clone": 220, "pivot_root": 41, "mount_setattr": 442},
}
"""Their numbers, for those that the C library has no function for, or another one."""

_libc = ctypes.CDLL(None, use_errno=True)


class _Attributes(ctypes.Structure):
    """`struct mount_attr`."""

    _fields_ = tuple((name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "user_namespace"))


class Sandbox:
    """Makes the root folder that all environments start from, and puts processes into copies of it."""

    def __init__(self, root: str) -> None:
        self._root = root
        """An empty folder to mount on."""

    def prepare(self, interpreter: str, packages: Sequence[str]) -> None:
        """Leave the machine's mounts alone from now on, and mount what all environments share.

        `interpreter` is the prefix of the Python installation, `packages` the paths of what /var/runtime holds.
        Raises OSError where the kernel permits no namespaces, also inside of a user namespace.
        """
        try:
            _check(_libc.unshare(CLONE_NEWNS))
        except PermissionError:
            _become_owner_of_namespaces()
        _try_clone()
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

    def enter(self, task: str, tmp_mb: int) -> None:
        """Make a copy of the prepared folder this process's root, `task` its /var/task, `tmp_mb` MiB its /tmp.

        For the first process of its namespaces (`clone`).
        """
        _bind(task, self._inside(TASK))
        _make_read_only(str(self._inside(TASK)), 0)
        _mount("tmpfs", str(self._inside(TEMPORARY)), "tmpfs", MS_NOSUID | MS_NODEV, f"size={tmp_mb}m,mode=1777")
        _mount("proc", str(self._inside("/proc")), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
        os.chdir(self._root)
        _check(_syscall("pivot_root", b".", b"."))
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


def clone() -> int:
    """Fork a process that is the first of new process and mount namespaces: with it ends whatever comes of it.

    For processes with a single thread. It needs no rights in the namespaces that are left.
    """
    zeros = (ctypes.c_long(0),) * 4
    return _check(_syscall("clone", ctypes.c_long(CLONE_NEWPID | CLONE_NEWNS | signal.SIGCHLD), *zeros))


def die_with_parent(signal: int) -> None:
    """Let the kernel send this process `signal` when the thread that forked it ends."""
    _check(_libc.prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0))


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends."""
    _check(_libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))


def _try_clone() -> None:
    if (pid := clone()) == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def _become_owner_of_namespaces() -> None:
    """In a user namespace anyone may mount, where the system allows user namespaces."""
    user, group = os.geteuid(), os.getegid()
    _check(_libc.unshare(CLONE_NEWUSER | CLONE_NEWNS))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _bind(source: str, target: Path) -> None:
    if Path(source).is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    _mount(source, str(target), None, MS_BIND | MS_REC)


def _make_read_only(path: str, flags: int) -> None:
    attributes = _Attributes(set=MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID)
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    reference = ctypes.byref(attributes)
    _check(_syscall("mount_setattr", ctypes.c_long(AT_FDCWD), path.encode(), ctypes.c_long(flags), reference, size))


def _mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    encoded = [text.encode() if text is not None else None for text in (source, target, kind, options)]
    _check(_libc.mount(*encoded[:3], ctypes.c_ulong(flags), encoded[3]), target)


def _syscall(name: str, *arguments: object) -> int:
    numbers = SYSCALLS.get(os.uname().machine)
    if numbers is None:
        raise OSError(errno.ENOSYS, f"system calls of {os.uname().machine} are not known here")
    return int(_libc.syscall(ctypes.c_long(numbers[name]), *arguments))


def _check(result: int, about: str = "") -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), about or None)
    return result
