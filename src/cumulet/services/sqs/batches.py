"""The rules that all batches share, and their two lists of results."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from cumulet.kernel.errors import AwsError
from cumulet.services.sqs.errors import (
    BatchEntryIdsNotDistinct,
    EmptyBatchRequest,
    InvalidBatchEntryId,
    TooManyEntriesInBatchRequest,
    missing,
    query_code,
)

MOST_ENTRIES = 10
ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")

Entry = Any
"""One of the model's three kinds of batch entry."""


def check_entries(entries: Sequence[Entry], kind: str) -> None:
    """Check number and ids of a batch's entries; `kind` is the model's name of an entry."""
    if not entries:
        raise EmptyBatchRequest(f"There should be at least one {kind} in the request.")
    if len(entries) > MOST_ENTRIES:
        raise TooManyEntriesInBatchRequest(
            f"Maximum number of entries per request are {MOST_ENTRIES}. You have sent {len(entries)}."
        )
    seen = set()
    for number, entry in enumerate(entries, 1):
        entry_id = entry.get("Id")
        if entry_id is None:
            raise missing(f"{kind}.{number}.Id")
        if not ENTRY_ID.fullmatch(entry_id):
            raise InvalidBatchEntryId(
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
                "It can be at most 80 letters long."
            )
        if entry_id in seen:
            raise BatchEntryIdsNotDistinct(f"Id {entry_id} repeated.")
        seen.add(entry_id)


def failed(entry: Entry, error: AwsError, message: str | None = None) -> dict[str, Any]:
    """Return the BatchResultErrorEntry of an entry."""
    return {
        "Id": entry["Id"],
        "SenderFault": error.sender_fault,
        "Code": query_code(error),
        "Message": error.message if message is None else message,
    }


def results(successful: list[dict[str, Any]], failures: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a batch's answer; AWS leaves an empty list out."""
    answer = {}
    if successful:
        answer["Successful"] = successful
    if failures:
        answer["Failed"] = failures
    return answer
