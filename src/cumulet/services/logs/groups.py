"""Log groups as records: find, create, change, delete.

A `Group` is immutable and cached by `Directory`; a change saves a new one and the cache follows once that is on disk.
"""

from __future__ import annotations

import msgspec

from cumulet.kernel.arns import partition_of
from cumulet.services.logs import removals
from cumulet.services.logs.errors import ResourceAlreadyExistsException, ValidationException, no_such_group
from cumulet.store import Row, Tx

DAY_MS = 86_400_000
END_OF_TEXT = "\U0010ffff"

GROUP_COLUMNS = "id, account, region, name, log_class, kms_key_id, retention_days, tags, is_protected, created_at"
SELECT_GROUP = f"SELECT {GROUP_COLUMNS} FROM logs_groups WHERE account = ? AND region = ? AND name = ?"
SELECT_KEEPING = f"SELECT {GROUP_COLUMNS} FROM logs_groups WHERE retention_days IS NOT NULL"
SELECT_PAGE = f"""
SELECT {GROUP_COLUMNS}, stored_bytes FROM logs_groups
WHERE account = ? AND region = ? AND name > ? AND name >= ? AND name < ? ORDER BY name LIMIT ?"""
SELECT_STORED_BYTES = "SELECT stored_bytes FROM logs_groups WHERE id = ?"
INSERT_GROUP = """
INSERT INTO logs_groups (id, account, region, name, log_class, kms_key_id, retention_days, tags, is_protected,
                         created_at, stored_bytes)
VALUES (?, ?, ?, ?, ?, ?, NULL, ?, ?, ?, 0)"""
UPDATE_GROUP = "UPDATE logs_groups SET retention_days = ?, tags = ?, is_protected = ? WHERE id = ?"
STORE_LESS = "UPDATE logs_groups SET stored_bytes = stored_bytes - ? WHERE id = ?"
DELETE_GROUP = "DELETE FROM logs_groups WHERE id = ?"

GroupKey = tuple[str, str, str]
"""Account, region and name."""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """One log group as it is on disk."""

    id: int
    account: str
    region: str
    name: str
    log_class: str
    kms_key_id: str | None
    retention_days: int | None
    tags: dict[str, str]
    is_protected: bool
    created_ms: int

    @property
    def key(self) -> GroupKey:
        """What the group is called."""
        return self.account, self.region, self.name

    @property
    def arn(self) -> str:
        """The group's ARN, without the `:*` that stands for its streams."""
        return f"arn:{partition_of(self.region)}:logs:{self.region}:{self.account}:log-group:{self.name}"

    @property
    def retention_ms(self) -> int | None:
        """How long events are kept, None for ever."""
        return None if self.retention_days is None else self.retention_days * DAY_MS

    def oldest_kept_ms(self, now_ms: int) -> int:
        """Return the least time of an event that has not expired."""
        return 0 if self.retention_ms is None else max(0, now_ms - self.retention_ms)


def find(tx: Tx, account: str, region: str, name: str) -> Group | None:
    """Return the group of that name, or None."""
    row = tx.one(SELECT_GROUP, account, region, name)
    return _from_row(row) if row else None


def load(tx: Tx, account: str, region: str, name: str) -> Group:
    """Return the group of that name as it is in this transaction; raises ResourceNotFoundException."""
    group = find(tx, account, region, name)
    if group is None:
        raise no_such_group()
    return group


def keeping(tx: Tx) -> list[Group]:
    """Return all groups of all accounts that keep events for a limited time."""
    return [_from_row(row) for row in tx.all(SELECT_KEEPING)]


def page(tx: Tx, account: str, region: str, prefix: str, after: str, limit: int) -> list[tuple[Group, int]]:
    """Return up to `limit` groups by name, those behind `after` that begin with `prefix`, and their stored bytes."""
    rows = tx.all(SELECT_PAGE, account, region, after, prefix, prefix + END_OF_TEXT, limit)
    return [(_from_row(row), row[-1]) for row in rows]


def stored_bytes(tx: Tx, group: Group) -> int:
    """Return how many bytes a group's events have."""
    row = tx.one(SELECT_STORED_BYTES, group.id)
    return int(row[0]) if row else 0


def store_less(tx: Tx, group_id: int, less_bytes: int) -> None:
    """Note that events of so many bytes are gone."""
    tx.run(STORE_LESS, less_bytes, group_id)


def create(
    tx: Tx,
    key: GroupKey,
    now_ms: int,
    *,
    log_class: str = "STANDARD",
    kms_key_id: str | None = None,
    tags: dict[str, str] | None = None,
    is_protected: bool = False,
) -> Group:
    """Make a group; raises ResourceAlreadyExistsException."""
    if find(tx, *key) is not None:
        raise ResourceAlreadyExistsException("The specified log group already exists")
    account, region, name = key
    group = Group(
        id=tx.next_id(),
        account=account,
        region=region,
        name=name,
        log_class=log_class,
        kms_key_id=kms_key_id,
        retention_days=None,
        tags=tags or {},
        is_protected=is_protected,
        created_ms=now_ms,
    )
    tx.run(
        INSERT_GROUP, group.id, account, region, name, log_class, kms_key_id, _text(group.tags), is_protected, now_ms
    )
    return group


def save(tx: Tx, group: Group) -> Group:
    """Write a changed group and return it."""
    tx.run(UPDATE_GROUP, group.retention_days, _text(group.tags), group.is_protected, group.id)
    return group


def delete(tx: Tx, key: GroupKey) -> Group:
    """Delete a group; its streams and events are gone for everyone at once and collected later.

    Raises ResourceNotFoundException, and ValidationException for a group with deletion protection.
    """
    group = load(tx, *key)
    check_unprotected(group)
    tx.run(DELETE_GROUP, group.id)
    removals.remember(tx, group.id, None)
    return group


def check_unprotected(group: Group) -> None:
    """Raise ValidationException when nothing of the group may be deleted."""
    if group.is_protected:
        # AWS documents no text for this.
        raise ValidationException(f"Deletion protection is enabled for log group {group.name}.")


def _from_row(row: Row) -> Group:
    return Group(
        id=row[0],
        account=row[1],
        region=row[2],
        name=row[3],
        log_class=row[4],
        kms_key_id=row[5],
        retention_days=row[6],
        tags=msgspec.json.decode(row[7], type=dict[str, str]),
        is_protected=bool(row[8]),
        created_ms=row[9],
    )


def _text(tags: dict[str, str]) -> str:
    return msgspec.json.encode(tags).decode()
