"""Whatever was acknowledged is there after a power cut, and nothing is there in part.

A random history runs through the store on a disk that records what was synced. At random moments of it the power is
cut, and the store opens what the disk may hold then. Rounds: CUMULET_POWER_CUT_ROUNDS; the seed of a failure is in
its message and repeats it: CUMULET_POWER_CUT_SEED.
"""

from __future__ import annotations

import asyncio
import os
import random
from dataclasses import dataclass, field
from pathlib import Path

import apsw
import pytest
from powercut import Image, PowerCutVfs

from cumulet.store import Row, Tx
from cumulet.store.errors import StoreError
from cumulet.store.schema import Schema
from cumulet.store.sqlite import SqliteStore

ROUNDS = int(os.environ.get("CUMULET_POWER_CUT_ROUNDS", "30"))
FIRST_SEED = int(os.environ.get("CUMULET_POWER_CUT_SEED", "1"))
CLIENTS = 8
OPERATIONS = 240
CUTS = 12
# Small, so that the log is copied and starts again several times in a short history.
LOG_PAGES = 60

SCHEMA = Schema(
    "history",
    """
-- 1: what was done, and its effect
CREATE TABLE done (id BIGINT PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE pairs (key BIGINT PRIMARY KEY, value BYTEA NOT NULL);
""",
)


class RefusedOnPurpose(Exception):
    """Raised by an operation after it has written."""


@dataclass(frozen=True)
class Change:
    """One transaction: sets some keys and removes others."""

    name: str
    sets: dict[int, bytes]
    removes: tuple[int, ...]
    fails: bool


@dataclass
class Acknowledged:
    """What the clients were told so far."""

    names: list[str] = field(default_factory=list)


def apply_change(tx: Tx, change: Change) -> None:
    tx.run("INSERT INTO done (id, name) VALUES (?, ?)", tx.next_id(), change.name)
    for key, value in change.sets.items():
        tx.run(
            "INSERT INTO pairs (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            key,
            value,
        )
    for key in change.removes:
        tx.run("DELETE FROM pairs WHERE key = ?", key)
    if change.fails:
        raise RefusedOnPurpose


def random_change(name: str, chance: random.Random) -> Change:
    sets = {chance.randrange(60): chance.randbytes(chance.choice((10, 900, 6000))) for _ in range(chance.randrange(4))}
    removes = tuple(chance.randrange(60) for _ in range(chance.randrange(2)))
    return Change(name, sets, removes, fails=chance.random() < 0.1)


def state_after(done: list[str], changes: dict[str, Change]) -> dict[int, bytes]:
    """Return the pairs after the changes `done`, in this order."""
    pairs: dict[int, bytes] = {}
    for name in done:
        pairs.update(changes[name].sets)
        for key in changes[name].removes:
            pairs.pop(key, None)
    return pairs


async def run_history(folder: Path, vfs: str, changes: list[Change], acknowledged: Acknowledged) -> None:
    """Run all changes with several clients, closing and opening the store in between."""
    waiting = iter(changes)

    async def client(store: SqliteStore) -> None:
        for change in waiting:
            try:
                await store.transact(apply_change, change)
            except RefusedOnPurpose:
                continue
            acknowledged.names.append(change.name)
            if len(acknowledged.names) % 80 == 0:
                return

    while len(acknowledged.names) < OPERATIONS / 2:
        store = SqliteStore.open(folder, schemas=[SCHEMA], vfs=vfs, log_pages=LOG_PAGES)
        await asyncio.gather(*(client(store) for _ in range(CLIENTS)))
        await store.close()


async def flaws(folder: Path, changes: dict[str, Change], acknowledged: list[str]) -> list[str]:
    """Return what is wrong with the store in `folder`, of which `acknowledged` is known to have happened."""
    try:
        store = SqliteStore.open(folder, schemas=[SCHEMA])
        done, pairs, next_id = await store.transact(read_everything)
        await store.close()
    except (StoreError, apsw.Error) as error:
        return [f"it does not open: {error}"]
    names = [str(name) for _, name in done]
    integrity = apsw.Connection(str(folder / "cumulet.db")).pragma("integrity_check")
    found = [f"integrity check: {integrity}"] if integrity != "ok" else []
    if lost := set(acknowledged) - set(names):
        found.append(f"{len(lost)} acknowledged changes are lost, {min(lost)} is one")
    if refused := [name for name in names if changes[name].fails]:
        found.append(f"changes that were undone are there: {refused}")
    if dict(pairs) != state_after(names, changes):
        found.append("the pairs are not those that the changes leave")
    if done and next_id <= done[-1][0]:
        found.append(f"id {next_id} was used before the cut")
    return found


def read_everything(tx: Tx) -> tuple[list[Row], list[Row], int]:
    done = tx.all("SELECT id, name FROM done ORDER BY id")
    return done, tx.all("SELECT key, value FROM pairs"), tx.next_id()


def cut_power(seed: int, tmp_path: Path, *, ignored_syncs: tuple[str, ...] = ()) -> list[str]:
    """Run one history, cut it at several moments, and return the flaws of what the disk held."""
    chance = random.Random(seed)
    acknowledged = Acknowledged()
    vfs = PowerCutVfs(
        f"power-cut-{seed}",
        cut_at=chance.sample(range(1, 1500), CUTS),
        note=lambda: acknowledged.names[:],
        ignored_syncs=ignored_syncs,
    )
    changes = [random_change(f"{seed}-{number}", chance) for number in range(OPERATIONS)]
    asyncio.run(run_history(tmp_path / f"live-{seed}", vfs.name, changes, acknowledged))
    vfs.unregister()
    by_name = {change.name: change for change in changes}
    return [flaw for image in vfs.images for flaw in image_flaws(image, tmp_path, by_name, seed)]


def image_flaws(image: Image, tmp_path: Path, changes: dict[str, Change], seed: int) -> list[str]:
    folder = tmp_path / f"cut-{seed}-{image.event}"
    folder.mkdir()
    image.disk.restore(folder, random.Random(seed * 1_000_000 + image.event))
    assert isinstance(image.noted, list)
    found = asyncio.run(flaws(folder, changes, image.noted))
    return [f"seed {seed}, cut at event {image.event}: {flaw}" for flaw in found]


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + ROUNDS))
def test_acknowledged_changes_survive_a_power_cut_whole(seed: int, tmp_path: Path) -> None:
    found = cut_power(seed, tmp_path)

    assert found == []


@pytest.mark.parametrize("missing", [("-wal",), (".db",), ("folder",)], ids=["log", "database", "folder"])
def test_a_missing_fsync_is_caught(missing: tuple[str, ...], tmp_path: Path) -> None:
    found = [flaw for seed in range(3) for flaw in cut_power(seed, tmp_path, ignored_syncs=missing)]

    assert found != []
