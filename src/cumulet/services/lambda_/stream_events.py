"""What a function gets of a stream's records, what its answer says about them, and what is told of those given up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import orjson

from cumulet.delivery import StreamRecord
from cumulet.kernel.arns import Arn

MOST_STATE_BYTES = 1024 * 1024
"""Lambda: a tumbling window whose state is larger ends early."""
EXHAUSTED, TOO_OLD = "RetryAttemptsExhausted", "RecordAgeExceeded"
"""Why a batch is given up."""
_BATCH_INFOS = {"kinesis": "KinesisBatchInfo", "dynamodb": "DDBStreamBatchInfo"}


class Window(msgspec.Struct, frozen=True):
    """A tumbling window of a lane, open or about to end."""

    start_ms: int
    end_ms: int
    state: str = "{}"
    """JSON."""

    @property
    def is_overfull(self) -> bool:
        """Whether its state is larger than Lambda takes: it ends early."""
        return len(self.state.encode()) > MOST_STATE_BYTES


def entry(record: StreamRecord, source: Arn, role_arn: str) -> dict[str, Any]:
    """Return the entry in an event for a record."""
    shown = dict(record.entry)
    if source.service == "kinesis":
        shown["invokeIdentityArn"] = role_arn
    return {**shown, "awsRegion": source.region, "eventSourceARN": str(source)}


def event(
    entries: Sequence[bytes], source: Arn, shard_id: str, window: Window | None = None, *, is_final: bool = False
) -> bytes:
    """Return the event that a function is invoked with; `entries` are JSON."""
    records = b'{"Records":[' + b",".join(entries) + b"]"
    if window is None:
        return records + b"}"
    members = {
        "window": {"start": _time(window.start_ms), "end": _time(window.end_ms)},
        "state": orjson.Fragment(window.state),
        "shardId": shard_id,
        "eventSourceARN": str(source),
        "isFinalInvokeForWindow": is_final,
        "isWindowTerminatedEarly": is_final and window.is_overfull,
    }
    return records + b"," + orjson.dumps(members)[1:]


def first_failed(records: Sequence[StreamRecord], answer: bytes) -> int:
    """Return the place of the first record that failed, by an answer with `batchItemFailures`; their number if none.

    Lambda: no failures are reported by an empty or null list, an empty answer or null; an answer that can't be read, an
    identifier that is empty, null or of no record of the batch makes all of them fail. What is behind the first failed
    record comes again, too.
    """
    places = {record.sequence_number: place for place, record in enumerate(records)}
    try:
        said = orjson.loads(answer or b"null")
        failures = (said.get("batchItemFailures") if said is not None else None) or []
        return min((places[failure["itemIdentifier"]] for failure in failures), default=len(records))
    except (AttributeError, KeyError, TypeError, ValueError):
        return 0


def new_state(answer: bytes) -> str | None:
    """Return the state of a tumbling window that an answer has, as JSON; None when it has none."""
    try:
        said = orjson.loads(answer)
    except ValueError:
        return None
    if not isinstance(said, dict) or "state" not in said:
        return None
    return orjson.dumps(said["state"]).decode()


class GivenUp(msgspec.Struct, frozen=True, kw_only=True):
    """Records that are not tried any more."""

    request_id: str
    function_arn: str
    condition: str
    invocations: int
    version: str
    has_failed: bool
    """Whether the last invocation has ended with an error of the function."""
    shard_id: str
    records: Sequence[StreamRecord]

    def message(self, source: Arn, now_ms: int) -> str:
        """Return what is sent to the destination: the records themselves are not in it."""
        first, last = self.records[0], self.records[-1]
        told: dict[str, Any] = {
            "requestContext": {
                "requestId": self.request_id,
                "functionArn": self.function_arn,
                "condition": self.condition,
                "approximateInvokeCount": self.invocations,
            }
        }
        if self.invocations:
            response: dict[str, Any] = {"statusCode": 200, "executedVersion": self.version}
            told["responseContext"] = response | ({"functionError": "Unhandled"} if self.has_failed else {})
        told["version"] = "1.0"
        told["timestamp"] = _moment(now_ms)
        told[_BATCH_INFOS[source.service]] = {
            "shardId": self.shard_id,
            "startSequenceNumber": first.sequence_number,
            "endSequenceNumber": last.sequence_number,
            "approximateArrivalOfFirstRecord": _moment(first.arrived_ms),
            "approximateArrivalOfLastRecord": _moment(last.arrived_ms),
            "batchSize": len(self.records),
            "streamArn": str(source),
        }
        return orjson.dumps(told).decode()


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(milliseconds: int) -> str:
    """Return a time as Java writes it: without a fraction where it has none."""
    time = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return time.isoformat(timespec="milliseconds" if milliseconds % 1000 else "seconds").replace("+00:00", "Z")
