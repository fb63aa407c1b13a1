"""A process that owns environments, to be killed by tests: `owner.py FOLDER RIGHTS CODE EVENT...`.

RIGHTS is "own" for those of the caller; "user" for those of somebody who isn't root but may make user namespaces;
"none" for somebody who may make no namespaces at all. Exits with 77 where it can't have just these rights.
It invokes a function with each event and prints its answers, and what keeps environments apart, as JSON; then it waits.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import sys
from pathlib import Path

CLONE_NEWUSER = 0x10000000
NOBODY = 65534
UNABLE = 77


def give_up(rights: str) -> None:
    """Go on with fewer rights, in a user namespace."""
    user, group = os.getuid(), os.getgid()
    inside = NOBODY if rights == "user" else 0
    try:
        if ctypes.CDLL(None).unshare(CLONE_NEWUSER):
            sys.exit(UNABLE)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{inside} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{inside} {group} 1")
        if rights == "none":
            for kind in ("user", "mnt", "pid"):
                Path(f"/proc/sys/user/max_{kind}_namespaces").write_text("0")
    except OSError:
        sys.exit(UNABLE)
    folder, _, *rest = sys.argv[1:]
    os.execv(sys.executable, [sys.executable, __file__, folder, "own", *rest])


async def own(folder: Path, code: str, events: list[str]) -> None:
    from rig import Rig

    rig = Rig(folder)
    function = rig.function(code, timeout_seconds=10)
    outcomes = [await rig.invoke(function, event) for event in events]
    answers = [json.loads(outcome.payload) for outcome in outcomes]
    sys.stdout.write(json.dumps({"answers": answers, "isolation": rig.compute.isolation}) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    if sys.argv[2] != "own":
        give_up(sys.argv[2])
    asyncio.run(own(Path(sys.argv[1]), sys.argv[3], sys.argv[4:]))
