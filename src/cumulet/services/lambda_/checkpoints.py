"""How far a mapping has come in a shard, as it is on disk.

A shard is read in lanes, one for each batch that may be processed at a time; each lane has the records of its partition
keys, and a checkpoint of its own.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from cumulet.store import Tx

_COLUMNS = "mapping, shard, lane, lanes, position, is_finished, window_start, window_state"
SELECT_CHECKPOINTS = f"SELECT {_COLUMNS} FROM lambda_stream_checkpoints WHERE mapping = ?"
PUT_CHECKPOINT = f"""
INSERT INTO lambda_stream_checkpoints ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (mapping, shard, lane) DO UPDATE SET
    lanes = excluded.lanes, position = excluded.position, is_finished = excluded.is_finished,
    window_start = excluded.window_start, window_state = excluded.window_state"""
DELETE_SHARD = "DELETE FROM lambda_stream_checkpoints WHERE mapping = ? AND shard = ?"
DELETE_MAPPING = "DELETE FROM lambda_stream_checkpoints WHERE mapping = ?"


class Checkpoint(msgspec.Struct, frozen=True):
    """Everything of a lane up to `position` is done."""

    mapping: str
    shard: str
    lane: int
    lanes: int
    """How many lanes the shard had; with another number the keys are dealt otherwise."""
    position: str
    is_finished: bool = False
    """The shard is closed, and nothing of it is left."""
    window_start_ms: int | None = None
    """Of the tumbling window that is open."""
    window_state: str | None = None
    """What the function has answered last for this window: JSON."""


def of_mapping(tx: Tx, mapping: str) -> list[Checkpoint]:
    """Return all checkpoints of a mapping."""
    return [
        Checkpoint(uuid, shard, lane, lanes, position, bool(is_finished), window_start, window_state)
        for uuid, shard, lane, lanes, position, is_finished, window_start, window_state in tx.all(
            SELECT_CHECKPOINTS, mapping
        )
    ]


def put(tx: Tx, checkpoint: Checkpoint) -> None:
    """Write a checkpoint."""
    tx.run(PUT_CHECKPOINT, *msgspec.structs.astuple(checkpoint))


def replace(tx: Tx, checkpoints: Iterable[Checkpoint]) -> None:
    """Write all checkpoints of a shard, in place of those that it had."""
    for number, checkpoint in enumerate(checkpoints):
        if not number:
            tx.run(DELETE_SHARD, checkpoint.mapping, checkpoint.shard)
        put(tx, checkpoint)


def delete_all(tx: Tx, mapping: str) -> None:
    """Forget how far a mapping has come."""
    tx.run(DELETE_MAPPING, mapping)
