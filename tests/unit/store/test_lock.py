from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from notes import Run, put

from cumulet.store.errors import StoreError
from cumulet.store.lock import FolderLock

HOLD = """
import subprocess
import sys
from pathlib import Path
from cumulet.store.lock import FolderLock
lock = FolderLock(Path(sys.argv[1]))
subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], close_fds=False)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_folder_in_use_is_refused_with_the_process_that_holds_it(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    with holder:
        with pytest.raises(StoreError, match=f"{tmp_path} is in use by process {holder.pid};"):
            FolderLock(tmp_path)
        holder.communicate()

    FolderLock(tmp_path).release()


def test_a_killed_process_holds_nothing_though_a_program_that_it_started_lives(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    with holder:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()

        FolderLock(tmp_path).release()


def test_two_stores_of_one_process_do_not_share_a_folder(run: Run) -> None:
    async def scenario(store: object) -> None:
        with pytest.raises(StoreError, match=f"process {os.getpid()};"):
            FolderLock(run.folder)

    run(scenario)


def test_a_closed_store_leaves_the_folder_to_others(run: Run) -> None:
    run(lambda store: store.transact(put, "a"))

    FolderLock(run.folder).release()
