"""The lock on a data folder: one process at a time.

`flock` belongs to the open file, so the kernel frees it the moment the process dies, however it dies; the file
itself stays. Its descriptor is closed on exec, so programs that the process starts don't keep the folder locked.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from cumulet.store.errors import StoreError


class FolderLock:
    """Holds `folder` until `release`; the file `lock` in it names the process."""

    def __init__(self, folder: Path) -> None:
        """Take the lock. Raises StoreError naming the process that has it."""
        self._descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._descriptor)
            raise StoreError(
                f"the data folder {folder} is in use by process {holder}; stop it, or choose another folder"
            ) from None
        self._name_this_process()

    def _name_this_process(self) -> None:
        # On a full disk the lock still holds; only the name is missing.
        try:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)
        except OSError:
            pass

    def release(self) -> None:
        """Let others have the folder."""
        # Closing alone would leave it to a child that has not come to its exec yet.
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        os.close(self._descriptor)
