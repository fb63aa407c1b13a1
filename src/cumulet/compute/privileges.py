"""What the spawner may do, and what is left of it for the programs in boxes: nothing.

For the spawner and what it forks; imports the standard library only.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from cumulet.compute.syscalls import (
    CLONE_NEWNS,
    CLONE_NEWUSER,
    PR_CAP_AMBIENT,
    PR_CAP_AMBIENT_CLEAR_ALL,
    PR_CAP_AMBIENT_RAISE,
    PR_SET_CHILD_SUBREAPER,
    PR_SET_DUMPABLE,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_PDEATHSIG,
    capabilities,
    prctl,
    set_capabilities,
    unshare,
)

USERS = 1024
"""Boxes have different users as long as they are not more than these: what a kernel keeps for a user is not shared."""
FIRST_USERS = (1_900_000_000, 61_184)
"""Where no system has users, and where systemd has those it makes on the fly, for containers with few of them."""


def own_mounts() -> None:
    """Go into a mount namespace, in a user namespace where nothing else helps: there anyone may mount.

    Raises OSError where the system permits neither.
    """
    try:
        unshare(CLONE_NEWNS)
    except PermissionError:
        user, group = os.geteuid(), os.getegid()
        unshare(CLONE_NEWUSER | CLONE_NEWNS)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def keep_capabilities() -> None:
    """Keep the capabilities when this process executes a program, whoever it belongs to."""
    kept = capabilities()
    set_capabilities(kept, kept)
    for number in range(kept.bit_length()):
        if kept >> number & 1:
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number)


def first_user() -> int:
    """Return the first of `USERS` ids for users of boxes; this process's own where it can't become another."""
    for line in Path("/proc/self/uid_map").read_text().splitlines():
        inside, _, count = map(int, line.split())
        for first in FIRST_USERS:
            if inside <= first and first + USERS <= inside + count and os.geteuid() == 0:
                return first
    return os.geteuid()


def give_up(user: int) -> None:
    """Become `user`, without any rights but those of everyone, and without a way to get some. Not for readers of /proc.

    Forgets `die_with_parent`.
    """
    if user != os.geteuid():
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    set_capabilities(0, 0)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_SET_DUMPABLE, 0)


def be_open() -> None:
    """Let this process be seen by those of the same user, as programs are."""
    prctl(PR_SET_DUMPABLE, 1)


def die_with_parent(number: int = signal.SIGKILL) -> None:
    """Let the kernel send this process a signal when the thread that forked it ends."""
    prctl(PR_SET_PDEATHSIG, number)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)
