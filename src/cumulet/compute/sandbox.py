"""What programs in boxes see of the machine: a root folder made for them.

For the spawner and what it forks, never the server; imports the standard library only. The spawner prepares the root
and moves into it; a box is a copy of the spawner's mounts with a few more. As on AWS Lambda: the code in /var/task, the
runtime's packages in /var/runtime, the interpreter in /var/lang, layers in /opt, all read-only like the machine's
system folders; a /tmp of its own. Nothing else of the machine's files exists there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from cumulet.compute.privileges import USERS
from cumulet.compute.syscalls import (
    AT_RECURSIVE,
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_REC,
    make_read_only,
    mount,
    pivot_root,
    unmount,
)

TASK, RUNTIME, INTERPRETER, LAYERS, TEMPORARY = "/var/task", "/var/runtime", "/var/lang", "/opt", "/tmp"

SYSTEM_FOLDERS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr", "etc", "nix")
DEVICES = ("null", "zero", "full", "random", "urandom")
RESOLVER = Path("/etc/resolv.conf")
"""On many machines a link to a file under /run."""
HIDDEN = "/mnt"
"""What the spawner alone sees."""
MACHINE = f"{HIDDEN}/machine"
EMPTY = f"{HIDDEN}/empty"
USER_NAME = "sbx_user1051"
"""AWS's."""
HOST_NAME = "sandbox.localdomain"
HOSTS = f"127.0.0.1 localhost\n::1 localhost ip6-localhost\n127.0.0.1 {HOST_NAME} sandbox\n"
"""AWS: extensions are reached under these names."""


def move_into_root(root: str, interpreter: str, packages: Sequence[str], first_user: int) -> None:
    """Make the empty folder `root` this process's root, the old one being `MACHINE` from now on.

    `interpreter` is the prefix of the Python installation, `packages` the paths of what /var/runtime holds. For a
    process with a mount namespace of its own (`privileges.own_mounts`). Raises OSError.
    """
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    mount("tmpfs", root, "tmpfs", MS_NOSUID, "mode=755")
    for name in SYSTEM_FOLDERS:
        _share_system_folder(root, name)
    if RESOLVER.exists() and not (inside := _inside(root, str(RESOLVER.resolve()))).exists():
        inside.parent.mkdir(parents=True, exist_ok=True)
        _bind(str(RESOLVER.resolve()), inside)
    for device in DEVICES:
        _bind(f"/dev/{device}", _inside(root, f"/dev/{device}"))
    for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        _inside(root, f"/dev/{name}").symlink_to(f"/proc/self/{target}")
    _bind(interpreter, _inside(root, INTERPRETER))
    for package in packages:
        _bind(package, _inside(root, RUNTIME) / Path(package).name)
    # The search for libraries remembers which folders it has not found.
    for folder in (f"{TASK}/lib", f"{LAYERS}/lib", TEMPORARY, "/proc", HIDDEN):
        _inside(root, folder).mkdir(parents=True)
    hidden = _inside(root, HIDDEN)
    mount("tmpfs", str(hidden), "tmpfs", MS_NOSUID, "mode=700")
    for name, text in _system_files(first_user).items():
        hidden.joinpath(name).write_text(text)
        hidden.joinpath(name).chmod(0o644)
        if (shown := _inside(root, f"/etc/{name}")).exists():
            _bind(str(hidden / name), shown)
    for folder in (MACHINE, EMPTY):
        _inside(root, folder).mkdir(mode=0o755)
    make_read_only(root, AT_RECURSIVE)
    make_read_only("/", AT_RECURSIVE)
    pivot_root(root, f"{root}{MACHINE}")
    os.chdir("/")
    # Those who own no more than a user namespace may mount a new one only where they see one.
    mount(f"{MACHINE}/proc", "/proc", None, MS_BIND)


def begin_box() -> None:
    """Hide the processes outside. For the first process of its namespaces."""
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)


def fill_box(folders: Mapping[str, str | None], tmp_mb: int) -> None:
    """Show folders of the machine, by the paths to show them at, give /tmp `tmp_mb` MiB, and hide the machine.

    None is an empty folder.
    """
    for target, source in folders.items():
        mount(EMPTY if source is None else MACHINE + source, target, None, MS_BIND)
    mount("tmpfs", TEMPORARY, "tmpfs", MS_NOSUID | MS_NODEV, f"size={tmp_mb}m,mode=1777")
    unmount(HIDDEN)
    os.chdir("/")


def _system_files(first_user: int) -> dict[str, str]:
    users = range(first_user, first_user + (USERS if first_user != os.geteuid() else 1))
    passwd = [f"{USER_NAME}:x:{user}:{user}::/home/{USER_NAME}:/sbin/nologin" for user in users]
    groups = [f"{USER_NAME}:x:{user}:" for user in users]
    if 0 not in users:
        passwd.insert(0, "root:x:0:0:root:/root:/sbin/nologin")
        groups.insert(0, "root:x:0:")
    machine = Path("/etc/hosts").read_text("utf-8", "replace") if Path("/etc/hosts").exists() else ""
    return {"passwd": "\n".join(passwd) + "\n", "group": "\n".join(groups) + "\n", "hosts": HOSTS + machine}


def _inside(root: str, path: str) -> Path:
    return Path(root + path)


def _share_system_folder(root: str, name: str) -> None:
    outside, inside = Path("/", name), _inside(root, f"/{name}")
    if outside.is_symlink():
        inside.symlink_to(outside.readlink())
    elif outside.is_dir():
        _bind(str(outside), inside)


def _bind(source: str, target: Path) -> None:
    if Path(source).is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            target.touch()
    mount(source, str(target), None, MS_BIND | MS_REC)
