"""Subscriptions that have ended, for as long as their endpoint may still say that it was a mistake.

SNS: the address that tells an endpoint of its end restores the subscription. Here it does so for two days, as long as
tokens confirm.
"""

from __future__ import annotations

import hmac

import msgspec

from cumulet.services.sns.subscriptions import Subscription
from cumulet.store import Tx

LIFE_MS = 2 * 24 * 3_600_000
AGED_AT_ONCE = 2
"""So many old ones go with each new one: twice as many as come."""

SELECT_ENDED = "SELECT subscription, ended_at FROM sns_ended_subscriptions WHERE uuid = ?"
SELECT_AGED = "SELECT uuid FROM sns_ended_subscriptions WHERE ended_at < ? ORDER BY ended_at LIMIT ?"
INSERT_ENDED = "INSERT INTO sns_ended_subscriptions (uuid, subscription, ended_at) VALUES (?, ?, ?)"
DELETE_ENDED = "DELETE FROM sns_ended_subscriptions WHERE uuid = ?"


def put(tx: Tx, subscription: Subscription, now_ms: int) -> None:
    """Keep a subscription that ends now, and whose endpoint is told so; and forget some that are too old."""
    for row in tx.all(SELECT_AGED, now_ms - LIFE_MS, AGED_AT_ONCE):
        tx.run(DELETE_ENDED, row[0])
    tx.run(INSERT_ENDED, subscription.uuid, msgspec.json.encode(subscription).decode(), now_ms)


def take(tx: Tx, uuid: str, token: str, now_ms: int) -> Subscription | None:
    """Return the subscription that a token restores, and keep it no more; None where there is none."""
    row = tx.one(SELECT_ENDED, uuid)
    if row is None or now_ms - row[1] > LIFE_MS:
        return None
    subscription = msgspec.json.decode(row[0], type=Subscription)
    if not hmac.compare_digest(subscription.token, token):
        return None
    tx.run(DELETE_ENDED, uuid)
    return subscription
