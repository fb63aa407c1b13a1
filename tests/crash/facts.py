"""A history, message by message: who sent it, received it, deleted it, changed its visibility."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from history import History, Operation, Outcome, token


@dataclass(frozen=True, slots=True)
class Send:
    """One attempt to send a message; `message_id` is None where it was not acknowledged."""

    operation: Operation
    body: str
    group: str | None
    delay_seconds: int
    message_id: str | None
    sequence: int | None

    @property
    def token(self) -> str:
        """What names the message."""
        return token(self.body)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A message in the answer of one receive."""

    operation: Operation
    body: str
    body_md5: str
    message_id: str
    handle: str
    count: int
    group: str | None
    sequence: int | None
    visible_from_ms: int
    """The earliest moment when it may be received again, unless its visibility is changed."""

    @property
    def token(self) -> str:
        """What names the message."""
        return token(self.body)


@dataclass(frozen=True, slots=True)
class Delete:
    """An attempt to delete a message that was received."""

    operation: Operation
    receipt: Receipt
    is_done: bool

    @property
    def may_have_happened(self) -> bool:
        """Whether it was not refused."""
        return self.is_done or self.operation.outcome is Outcome.UNKNOWN


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the visibility of a message that was received; it may have happened."""

    operation: Operation
    receipt: Receipt
    is_done: bool
    visible_from_ms: int


class Facts:
    """What a history says about messages."""

    def __init__(self, history: History, default_visibility_seconds: int = 30) -> None:
        self.sends = [send for op in history.of_kind("SendMessage", "SendMessageBatch") for send in _sends(op)]
        self.receipts = [
            _receipt(op, message, default_visibility_seconds)
            for op in history.of_kind("ReceiveMessage")
            for message in op.answer.get("Messages", ())
        ]
        self.receipts_of: defaultdict[str, list[Receipt]] = defaultdict(list)
        by_handle: dict[str, Receipt] = {}
        for receipt in self.receipts:
            self.receipts_of[receipt.message_id].append(receipt)
            by_handle[receipt.handle] = receipt
        self.deletes_of: defaultdict[str, list[Delete]] = defaultdict(list)
        for op in history.of_kind("DeleteMessage", "DeleteMessageBatch"):
            for entry in op.entries:
                delete = _delete(op, entry, by_handle)
                self.deletes_of[delete.receipt.message_id].append(delete)
        self.changes_of: defaultdict[str, list[Change]] = defaultdict(list)
        for op in history.of_kind("ChangeMessageVisibility", "ChangeMessageVisibilityBatch"):
            for entry in op.entries:
                receipt = by_handle[entry["ReceiptHandle"]]
                is_done = op.entry_answer(entry) is not None
                if not is_done and op.outcome is not Outcome.UNKNOWN:
                    continue
                visible_ms = op.earliest_ms + entry["VisibilityTimeout"] * 1000
                self.changes_of[receipt.message_id].append(Change(op, receipt, is_done, visible_ms))

    def first_delete_attempt(self, message_id: str) -> int | None:
        """Return the step from which on a message may have been deleted; None while nobody has tried."""
        return min(
            (delete.operation.started for delete in self.deletes_of[message_id] if delete.may_have_happened),
            default=None,
        )


def _sends(op: Operation) -> list[Send]:
    sends = []
    for entry in op.entries:
        answer = op.entry_answer(entry) or {}
        sequence = answer.get("SequenceNumber")
        sends.append(
            Send(
                op,
                entry["MessageBody"],
                entry.get("MessageGroupId"),
                entry.get("DelaySeconds", 0),
                answer.get("MessageId"),
                int(sequence) if sequence else None,
            )
        )
    return sends


def _receipt(op: Operation, message: dict[str, Any], default_visibility_seconds: int) -> Receipt:
    attributes = message.get("Attributes", {})
    sequence = attributes.get("SequenceNumber")
    timeout_seconds = op.request.get("VisibilityTimeout", default_visibility_seconds)
    return Receipt(
        op,
        message["Body"],
        message["MD5OfBody"],
        message["MessageId"],
        message["ReceiptHandle"],
        int(attributes["ApproximateReceiveCount"]),
        attributes.get("MessageGroupId"),
        int(sequence) if sequence else None,
        op.earliest_ms + timeout_seconds * 1000,
    )


def _delete(op: Operation, entry: dict[str, Any], by_handle: dict[str, Receipt]) -> Delete:
    receipt = by_handle[entry["ReceiptHandle"]]
    return Delete(op, receipt, op.entry_answer(entry) is not None)
