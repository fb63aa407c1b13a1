"""Event source mappings as they are on disk."""

from __future__ import annotations

import msgspec
import orjson

from cumulet.delivery import Start
from cumulet.kernel.arns import partition_of
from cumulet.services.lambda_.function_names import FunctionKey
from cumulet.store import Row, Tx

_COLUMNS = """id, uuid, account, region, function_name, source_arn, is_enabled, settings, tags, modified_at"""
INSERT = f"INSERT INTO lambda_event_source_mappings ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
UPDATE = """
UPDATE lambda_event_source_mappings SET function_name = ?, is_enabled = ?, settings = ?, tags = ?, modified_at = ?
WHERE uuid = ?"""
DELETE = "DELETE FROM lambda_event_source_mappings WHERE uuid = ?"
SELECT = f"SELECT {_COLUMNS} FROM lambda_event_source_mappings"
SELECT_ONE = f"{SELECT} WHERE uuid = ?"
SELECT_EXISTENCE = "SELECT 1 FROM lambda_event_source_mappings WHERE uuid = ?"
SELECT_SAME = f"{SELECT} WHERE account = ? AND region = ? AND function_name = ? AND source_arn = ?"
SELECT_EVERY = f"{SELECT} ORDER BY id"
SELECT_OF_REGION = f"{SELECT} WHERE account = ? AND region = ? AND id > ? ORDER BY id LIMIT ?"
SELECT_OF_FUNCTION = f"""
{SELECT} WHERE account = ? AND region = ? AND function_name = ? AND id > ? ORDER BY id LIMIT ?"""
SELECT_OF_SOURCE = f"{SELECT} WHERE account = ? AND region = ? AND source_arn = ? AND id > ? ORDER BY id LIMIT ?"


FOREVER = -1
"""Of a stream's records: their age and their retries are not limited."""


class Provisioned(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Pollers that are kept ready for a queue."""

    least: int | None = None
    most: int | None = None
    group: str | None = None


class Streaming(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a stream is read."""

    starting_position: Start
    starting_ms: int | None = None
    """With AT_TIMESTAMP."""
    lanes: int = 1
    """ParallelizationFactor: so many batches of a shard are processed at a time."""
    bisects: bool = False
    most_age_seconds: int = FOREVER
    most_retries: int = FOREVER
    tumbling_seconds: int = 0
    on_failure: str | None = None
    """The ARN of the destination of what is given up."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How batches are made and what their answers mean."""

    batch_size: int = 10
    window_seconds: int = 0
    max_concurrency: int | None = None
    response_types: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    """Patterns, of which a message or record must match one, if there are any."""
    key_arn: str | None = None
    """KMSKeyArn: stored and shown; nothing is encrypted with it."""
    metrics: tuple[str, ...] = ()
    provisioned: Provisioned | None = None
    stream: Streaming | None = None
    """Set when the source is a stream."""

    @property
    def reports_failures(self) -> bool:
        """Whether the function's answer names the messages that failed."""
        return "ReportBatchItemFailures" in self.response_types


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """A source whose events go to a function of `account`."""

    id: int
    uuid: str
    account: str
    region: str
    function_name: str
    """With the qualifier of a version or alias: `name:qualifier`."""
    source_arn: str
    is_enabled: bool
    settings: Settings
    tags: dict[str, str]
    modified_ms: int

    @property
    def arn(self) -> str:
        """The mapping's ARN."""
        partition = partition_of(self.region)
        return f"arn:{partition}:lambda:{self.region}:{self.account}:event-source-mapping:{self.uuid}"

    @property
    def source_service(self) -> str:
        """The service whose queue or stream it reads."""
        return self.source_arn.split(":")[2]

    @property
    def function_key(self) -> FunctionKey:
        """Which function it is."""
        return FunctionKey(self.account, self.region, self.function_name.partition(":")[0])

    @property
    def qualifier(self) -> str | None:
        """Which version or alias of the function, where it is one."""
        return self.function_name.partition(":")[2] or None

    @property
    def function_arn(self) -> str:
        """The function's ARN, with the qualifier."""
        partition = partition_of(self.region)
        return f"arn:{partition}:lambda:{self.region}:{self.account}:function:{self.function_name}"


def put(tx: Tx, mapping: Mapping) -> None:
    """Write a new mapping."""
    tx.run(
        INSERT,
        mapping.id,
        mapping.uuid,
        mapping.account,
        mapping.region,
        mapping.function_name,
        mapping.source_arn,
        mapping.is_enabled,
        msgspec.json.encode(mapping.settings).decode(),
        orjson.dumps(mapping.tags).decode(),
        mapping.modified_ms,
    )


def change(tx: Tx, mapping: Mapping) -> None:
    """Write what has changed of a mapping."""
    tx.run(
        UPDATE,
        mapping.function_name,
        mapping.is_enabled,
        msgspec.json.encode(mapping.settings).decode(),
        orjson.dumps(mapping.tags).decode(),
        mapping.modified_ms,
        mapping.uuid,
    )


def find(tx: Tx, account: str, region: str, uuid: str) -> Mapping | None:
    """Return a mapping of an account in a region."""
    row = tx.one(SELECT_ONE, uuid)
    mapping = None if row is None else _mapping(row)
    return mapping if mapping and (mapping.account, mapping.region) == (account, region) else None


def exists(tx: Tx, uuid: str) -> bool:
    """Return whether a mapping was not deleted."""
    return tx.one(SELECT_EXISTENCE, uuid) is not None


def find_same(tx: Tx, account: str, region: str, function_name: str, source_arn: str) -> Mapping | None:
    """Return the mapping of a source to a function."""
    row = tx.one(SELECT_SAME, account, region, function_name, source_arn)
    return None if row is None else _mapping(row)


def delete(tx: Tx, mapping: Mapping) -> None:
    """Delete a mapping."""
    tx.run(DELETE, mapping.uuid)


def every(tx: Tx) -> list[Mapping]:
    """Return all mappings."""
    return [_mapping(row) for row in tx.all(SELECT_EVERY)]


def page(
    tx: Tx, account: str, region: str, after_id: int, limit: int, *, function_name: str | None, source_arn: str | None
) -> list[Mapping]:
    """Return up to `limit` mappings behind `after_id`, those of one function or source where it is named."""
    if function_name is not None and source_arn is not None:
        same = find_same(tx, account, region, function_name, source_arn)
        return [same] if same and same.id > after_id else []
    if function_name is not None:
        rows = tx.all(SELECT_OF_FUNCTION, account, region, function_name, after_id, limit)
    elif source_arn is not None:
        rows = tx.all(SELECT_OF_SOURCE, account, region, source_arn, after_id, limit)
    else:
        rows = tx.all(SELECT_OF_REGION, account, region, after_id, limit)
    return [_mapping(row) for row in rows]


def _mapping(row: Row) -> Mapping:
    number, uuid, account, region, function_name, source_arn, is_enabled, settings, tags, modified_ms = row
    return Mapping(
        id=number,
        uuid=uuid,
        account=account,
        region=region,
        function_name=function_name,
        source_arn=source_arn,
        is_enabled=bool(is_enabled),
        settings=msgspec.json.decode(settings, type=Settings),
        tags=orjson.loads(tags),
        modified_ms=modified_ms,
    )
