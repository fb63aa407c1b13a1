"""Phone numbers whose holders have opted out of an account's text messages."""

from __future__ import annotations

from cumulet.services.sns.errors import invalid
from cumulet.store import Tx

OPT_IN_PAUSE_MS = 30 * 86_400_000
"""SNS: a number can be opted in only once every 30 days."""
TOO_RECENT = "Cannot opt in right now, latest opt in is too recent"

SELECT_OPT_OUT = (
    "SELECT is_opted_out, opted_in_at FROM sns_opt_outs WHERE account = ? AND region = ? AND phone_number = ?"
)
SELECT_OPTED_OUT = (
    "SELECT phone_number FROM sns_opt_outs WHERE account = ? AND region = ? AND is_opted_out = 1 AND phone_number > ? "
    "ORDER BY phone_number LIMIT ?"
)
UPSERT_OPT_OUT = (
    "INSERT INTO sns_opt_outs (account, region, phone_number, is_opted_out, opted_in_at) VALUES (?, ?, ?, 1, 0) "
    "ON CONFLICT (account, region, phone_number) DO UPDATE SET is_opted_out = 1"
)
UPDATE_OPTED_IN = (
    "UPDATE sns_opt_outs SET is_opted_out = 0, opted_in_at = ? WHERE account = ? AND region = ? AND phone_number = ?"
)


def is_opted_out(tx: Tx, account: str, region: str, phone_number: str) -> bool:
    """Has the holder opted out?"""
    row = tx.one(SELECT_OPT_OUT, account, region, phone_number)
    return row is not None and bool(row[0])


def listed(tx: Tx, account: str, region: str, after: str, limit: int) -> list[str]:
    """Return up to `limit` numbers that are opted out and sort behind `after`."""
    return [row[0] for row in tx.all(SELECT_OPTED_OUT, account, region, after, limit)]


def opt_out(tx: Tx, account: str, region: str, phone_number: str) -> None:
    """Write that the holder wants no more messages."""
    tx.run(UPSERT_OPT_OUT, account, region, phone_number)


def opt_in(tx: Tx, account: str, region: str, phone_number: str, now_ms: int) -> None:
    """Let the number get messages again; nothing happens to one that isn't opted out. Raises InvalidParameterException
    less than 30 days after the last time.
    """
    row = tx.one(SELECT_OPT_OUT, account, region, phone_number)
    if row is None or not row[0]:
        return
    if row[1] and now_ms - row[1] < OPT_IN_PAUSE_MS:
        raise invalid(TOO_RECENT)
    tx.run(UPDATE_OPTED_IN, now_ms, account, region, phone_number)
