"""What `/_cumulet/outbox` says: the newest items; and how the holder of a phone opts out, as by the answer STOP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from cumulet.services.sns import opt_outs, outbox
from cumulet.services.sns.outbox import Item
from cumulet.services.sns.phone_numbers import is_phone_number
from cumulet.services.sns.principals import ACCOUNT
from cumulet.store import Store, Tx

MOST_ITEMS = 1000
USUAL_ITEMS = 100


class Question(msgspec.Struct, forbid_unknown_fields=True):
    """Which items are wanted."""

    account: str | None = None
    to: str | None = None
    """A phone number, the ARN of an endpoint, or a mail address."""
    after: int = 0
    """Only items with larger ids."""
    limit: int = USUAL_ITEMS


class OptOut(msgspec.Struct, forbid_unknown_fields=True):
    """Who wants no more text messages, and from whom."""

    phone_number: str
    account: str = "000000000000"
    region: str = "us-east-1"


async def items(store: Store, query: bytes) -> list[dict[str, Any]]:
    """Return what is asked for, oldest first. Raises ValueError for a question that is none."""
    question = msgspec.convert(dict(parse_qsl(query.decode("ascii"), True, True)), Question, strict=False)
    if not 1 <= question.limit <= MOST_ITEMS:
        raise ValueError(f"limit must be between 1 and {MOST_ITEMS}")
    if not 0 <= question.after < 2**63:
        raise ValueError("after must be an item's id")
    found = await store.read(_newest, question)
    return [_shown(item) for item in found]


async def opt_out(store: Store, body: bytes) -> None:
    """Let the holder of a phone opt out. Raises ValueError for a body that is no such wish."""
    wish = msgspec.json.decode(body, type=OptOut)
    if not is_phone_number(wish.phone_number):
        raise ValueError(f"{wish.phone_number} is no phone number, as +15555550100")
    if not ACCOUNT.fullmatch(wish.account):
        raise ValueError(f"{wish.account} is no account, as 000000000000")
    await store.transact(opt_outs.opt_out, wish.account, wish.region, wish.phone_number)


def _newest(tx: Tx, question: Question) -> list[Item]:
    return outbox.newest(
        tx, after=question.after, limit=question.limit, account=question.account, destination=question.to
    )


def _shown(item: Item) -> dict[str, Any]:
    at = datetime.fromtimestamp(item.sent_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "id": item.id,
        "kind": item.kind,
        "to": item.destination,
        "body": item.body,
        "delivered": not item.failure,
        **({"failure": item.failure} if item.failure else {}),
        "message_id": item.message_id,
        "account": item.account,
        "region": item.region,
        "sent_at": at,
        "details": item.details,
    }
