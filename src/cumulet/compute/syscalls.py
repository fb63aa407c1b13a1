"""System calls that Python has no function for. For the spawner and what it forks; standard library only."""

from __future__ import annotations

import ctypes
import errno
import os
import signal

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18
MNT_DETACH = 2
MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID = 1, 2
AT_FDCWD, AT_RECURSIVE = -100, 0x8000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 1, 4, 36, 38, 47
PR_CAP_AMBIENT_RAISE, PR_CAP_AMBIENT_CLEAR_ALL = 2, 4
CAPABILITY_VERSION = 0x20080522
NUMBERS = {
    "x86_64": {"clone": 56, "capget": 125, "capset": 126, "pivot_root": 155, "mount_setattr": 442},
    "aarch64": {"clone": 220, "capget": 90, "capset": 91, "pivot_root": 41, "mount_setattr": 442},
}
"""Of those that the C library has no function for, or another one."""

_libc = ctypes.CDLL(None, use_errno=True)


class _MountAttributes(ctypes.Structure):
    """`struct mount_attr`."""

    _fields_ = tuple((name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "user_namespace"))


def clone(namespaces: int) -> int:
    """Fork a process that is in new namespaces; for processes with a single thread.

    If one of them is a process namespace, the process is the first in it: with it ends whatever comes of it. Needs no
    rights in the namespaces that are left. Handlers of forks are not called.
    """
    zeros = (ctypes.c_long(0),) * 4
    return _check(_call("clone", ctypes.c_long(namespaces | signal.SIGCHLD), *zeros))


def unshare(namespaces: int) -> None:
    """Go into new namespaces."""
    _check(_libc.unshare(namespaces))


def mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    """mount(2)."""
    encoded = [text.encode() if text is not None else None for text in (source, target, kind, options)]
    _check(_libc.mount(*encoded[:3], ctypes.c_ulong(flags), encoded[3]), target)


def unmount(target: str) -> None:
    """Take a mount and all below it out of sight."""
    _check(_libc.umount2(target.encode(), MNT_DETACH), target)


def make_read_only(path: str, flags: int = 0) -> None:
    """Make a mount read-only, and set-user-id programs on it plain ones."""
    attributes = _MountAttributes(set=MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID)
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    reference = ctypes.byref(attributes)
    _check(_call("mount_setattr", ctypes.c_long(AT_FDCWD), path.encode(), ctypes.c_long(flags), reference, size), path)


def pivot_root(new: str, old: str) -> None:
    """Make the mount `new` the root, and put the old root onto the folder `old` below it."""
    _check(_call("pivot_root", new.encode(), old.encode()))


def prctl(option: int, *arguments: int) -> None:
    """prctl(2)."""
    numbers = [*map(ctypes.c_ulong, arguments), *[ctypes.c_ulong(0)] * (4 - len(arguments))]
    _check(_libc.prctl(option, *numbers))


def capabilities() -> int:
    """Return the process's effective capabilities, a bit for each."""
    header, sets = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)()
    _check(_call("capget", header, sets))
    return sets[0] | sets[3] << 32


def set_capabilities(kept: int, inheritable: int) -> None:
    """Set the effective and permitted capabilities, and those that may be inherited."""
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    sets: list[int] = []
    for shift in (0, 32):
        sets += [kept >> shift & 0xFFFFFFFF, kept >> shift & 0xFFFFFFFF, inheritable >> shift & 0xFFFFFFFF]
    _check(_call("capset", header, (ctypes.c_uint32 * 6)(*sets)))


def _call(name: str, *arguments: object) -> int:
    numbers = NUMBERS.get(os.uname().machine)
    if numbers is None:
        raise OSError(errno.ENOSYS, f"system calls of {os.uname().machine} are not known here")
    return int(_libc.syscall(ctypes.c_long(numbers[name]), *arguments))


def _check(result: int, about: str = "") -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), about or None)
    return result
