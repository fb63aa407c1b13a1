"""Deliveries as rows: what was accepted for a target outside of the store and has not come to its end."""

from __future__ import annotations

import msgspec

from cumulet.store import Tx

_COLUMNS = "id, lane, target, due_at, accepted_at, attempts, deferrals, request_id, trace_header, payload"
INSERT_DELIVERY = f"INSERT INTO deliveries ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
SELECT_DELIVERY = f"SELECT {_COLUMNS} FROM deliveries WHERE id = ?"
SELECT_DUE = "SELECT id FROM deliveries WHERE lane = ? AND due_at <= ? ORDER BY due_at, id LIMIT ?"
SELECT_NEXT_DUE = "SELECT due_at FROM deliveries WHERE lane = ? AND due_at > ? ORDER BY due_at LIMIT 1"
SELECT_LANE_AFTER = "SELECT lane FROM deliveries WHERE lane > ? ORDER BY lane LIMIT 1"
POSTPONE_DELIVERY = "UPDATE deliveries SET due_at = ?, attempts = ?, deferrals = ? WHERE id = ?"
DELETE_DELIVERY = "DELETE FROM deliveries WHERE id = ?"


class Delivery(msgspec.Struct, frozen=True):
    """One event on its way to a target."""

    id: int
    lane: str
    target: str
    """The target's ARN."""
    due_ms: int
    accepted_ms: int
    attempts: int
    """How often the target was tried and has failed."""
    deferrals: int
    """How often since then it could not be tried."""
    request_id: str
    trace_header: str | None
    payload: bytes = msgspec.field(default=b"")


def insert(tx: Tx, delivery: Delivery) -> None:
    """Write a new delivery."""
    tx.run(INSERT_DELIVERY, *msgspec.structs.astuple(delivery))


def find(tx: Tx, number: int) -> Delivery | None:
    """Return a delivery, or None when it has come to its end."""
    row = tx.one(SELECT_DELIVERY, number)
    return None if row is None else Delivery(*row)


def due(tx: Tx, lane: str, now_ms: int, limit: int) -> list[int]:
    """Return the ids of up to `limit` deliveries of a lane that are due, the earliest first."""
    return [row[0] for row in tx.all(SELECT_DUE, lane, now_ms, limit)]


def next_due_ms(tx: Tx, lane: str, after_ms: int) -> int | None:
    """Return when the next delivery of a lane is due that is not due at `after_ms`."""
    row = tx.one(SELECT_NEXT_DUE, lane, after_ms)
    return row[0] if row else None


def lane_after(tx: Tx, lane: str) -> str | None:
    """Return the next lane that has deliveries, in the order of their names."""
    row = tx.one(SELECT_LANE_AFTER, lane)
    return row[0] if row else None


def postpone(tx: Tx, delivery: Delivery, due_ms: int, attempts: int, deferrals: int) -> None:
    """Let a delivery be tried again at `due_ms`."""
    tx.run(POSTPONE_DELIVERY, due_ms, attempts, deferrals, delivery.id)


def delete(tx: Tx, delivery: Delivery) -> bool:
    """Forget a delivery that has come to its end; False when that was done before."""
    return tx.run(DELETE_DELIVERY, delivery.id) > 0
