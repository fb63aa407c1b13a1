"""What must hold for every history, however often the platform was killed on the way.

Each rule is a function that yields the flaws it finds. `flaws` applies them all; it expects that the history ends
with draining the queues: what is left has been received and deleted.
"""

from __future__ import annotations

import bisect
import hashlib
import itertools
from collections import defaultdict
from collections.abc import Iterator

from facts import Change, Delete, Facts, Receipt, Send
from history import History, Outcome

DEDUPLICATION_MS = 300_000
NEVER = 2**62

NO_LONGER_VALID = {"InvalidParameterValueException", "InvalidParameterValue"}
EXPECTED_REFUSALS = {
    # The handle has expired (FIFO) or the message is gone; a receive can't be repeated any more.
    "DeleteMessage": NO_LONGER_VALID,
    "ChangeMessageVisibility": NO_LONGER_VALID,
    "ReceiveMessage": NO_LONGER_VALID,
}


def flaws(history: History, *, max_receive_count: int | None = None) -> list[str]:
    """Return what is wrong with a history.

    With `max_receive_count`, messages may go from a queue to a dead-letter queue, whose name begins with "dead-".
    """
    facts = Facts(history)
    buries = max_receive_count is not None
    found = [
        *history.flaws,
        *refused_for_no_reason(history),
        *invented(facts),
        *lost(facts),
        *returned(facts, buries=buries),
        *duplicated(facts),
        *renumbered(facts),
        *out_of_order(facts),
        *done_in_part(history, facts),
        *received_too_early(facts),
        *received_while_held(facts),
        *miscounted(facts),
    ]
    if max_receive_count is not None:
        found += wrongly_buried(facts, max_receive_count)
    return found


def refused_for_no_reason(history: History) -> Iterator[str]:
    """Nothing is refused that is right."""
    for op in history.operations:
        if op.outcome is Outcome.REFUSED and op.error not in EXPECTED_REFUSALS.get(op.kind, set()):
            yield f"{op} was refused: {op.error}"
        for failure in op.answer.get("Failed", ()):
            if failure["Code"] not in ("ReceiptHandleIsInvalid", "InvalidParameterValue"):
                yield f"an entry of {op} was refused: {failure}"


def invented(facts: Facts) -> Iterator[str]:
    """What is received was sent, to the last byte."""
    sent = {send.body for send in facts.sends}
    for receipt in facts.receipts:
        if receipt.body not in sent:
            yield f"{receipt.operation} gave a message that nobody sent: {receipt.body[:80]}"
        if receipt.body_md5 != _md5(receipt.body):
            yield f"{receipt.operation} gave {receipt.token} with the MD5 of something else"


def lost(facts: Facts) -> Iterator[str]:
    """What was acknowledged is received, and stays until it is deleted."""
    for send in facts.sends:
        if send.message_id is None:
            continue
        if send.message_id not in facts.receipts_of:
            yield f"message {send.token} of {send.operation} was never received"
        elif facts.first_delete_attempt(send.message_id) is None:
            yield f"message {send.token} of {send.operation} was received, not deleted, and gone in the end"


def returned(facts: Facts, *, buries: bool = False) -> Iterator[str]:
    """What was deleted does not come back.

    Where messages are buried, a delete counts only while the receive that it belongs to holds the message: later the
    message may be in the dead-letter queue, where this handle does not reach it.
    """
    for message_id, deletes in facts.deletes_of.items():
        for delete in deletes:
            held = delete.operation.latest_ms < delete.receipt.visible_from_ms and not facts.changes_of[message_id]
            may_be_buried = buries and not is_dead_letter_queue(delete.operation.queue) and not held
            if not delete.is_done or may_be_buried:
                continue
            for receipt in facts.receipts_of[message_id]:
                if receipt.operation.started > delete.operation.ended:
                    yield f"{receipt.operation} gave {receipt.token}, which {delete.operation} had deleted"


def duplicated(facts: Facts) -> Iterator[str]:
    """One message has one MessageId, however often it is sent within the deduplication window."""
    attempts: defaultdict[str, list[Send]] = defaultdict(list)
    bodies: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for send in facts.sends:
        attempts[send.token].append(send)
        if send.message_id:
            bodies[send.token].setdefault(send.message_id, "")
    for receipt in facts.receipts:
        known = bodies[receipt.token].setdefault(receipt.message_id, "")
        if known and known != receipt.body:
            yield f"message {receipt.token} was received with two bodies: {known[:60]} and {receipt.body[:60]}"
        bodies[receipt.token][receipt.message_id] = receipt.body
    for name, sends in attempts.items():
        spread_ms = max(s.operation.latest_ms for s in sends) - min(s.operation.earliest_ms for s in sends)
        if len(bodies[name]) > 1 and spread_ms < DEDUPLICATION_MS:
            yield f"message {name} is there {len(bodies[name])} times: {sorted(bodies[name])}"
        yield from _deduplicated_too_long(name, sends)


def _deduplicated_too_long(name: str, sends: list[Send]) -> Iterator[str]:
    acknowledged = [send for send in sends if send.message_id]
    for before, send in itertools.pairwise(acknowledged):
        same = [
            s for s in sends if s.message_id in (None, send.message_id) and s.operation.started < send.operation.started
        ]
        latest_ms = max((s.operation.latest_ms for s in same), default=send.operation.latest_ms)
        if before.message_id == send.message_id and latest_ms + DEDUPLICATION_MS <= send.operation.earliest_ms:
            yield f"{send.operation} was taken for a duplicate of {name} after the deduplication window"


def renumbered(facts: Facts) -> Iterator[str]:
    """A message keeps its sequence number in its queue, and no other has it; what is sent later has a greater one."""
    messages: dict[int, str] = {}
    sequences: dict[tuple[str, str], int] = {}
    for fact in itertools.chain[Send | Receipt](facts.sends, facts.receipts):
        if fact.message_id is None or fact.sequence is None:
            continue
        other_id = messages.setdefault(fact.sequence, fact.message_id)
        if other_id != fact.message_id:
            yield f"sequence number {fact.sequence} was given to {other_id} and to {fact.message_id}"
        other = sequences.setdefault((fact.operation.queue, fact.message_id), fact.sequence)
        if other != fact.sequence:
            yield f"message {fact.message_id} has the sequence numbers {other} and {fact.sequence}"
    by_group: defaultdict[tuple[str, str], list[Send]] = defaultdict(list)
    first_started: dict[str, int] = {}
    for send in facts.sends:
        first_started.setdefault(send.token, send.operation.started)
        if send.group is not None and send.sequence is not None:
            by_group[send.operation.queue, send.group].append(send)
    for sends in by_group.values():
        by_end = sorted(sends, key=lambda send: send.operation.ended)
        by_start = sorted(sends, key=lambda send: first_started[send.token])
        greatest, position = 0, 0
        for send in by_start:
            while by_end[position].operation.ended < first_started[send.token]:
                greatest = max(greatest, by_end[position].sequence or 0)
                position += 1
            assert send.sequence is not None
            if send.sequence <= greatest:
                yield f"{send.operation} got the sequence number {send.sequence}, after {greatest} had been given"


def out_of_order(facts: Facts) -> Iterator[str]:
    """A message of a group is not received before those ahead of it are deleted, or received with it."""
    groups: defaultdict[tuple[str, str], dict[int, str]] = defaultdict(dict)
    for send in facts.sends:
        if send.group is not None and send.sequence is not None and send.message_id is not None:
            groups[send.operation.queue, send.group][send.sequence] = send.message_id
    answers: defaultdict[tuple[str, str, int], list[Receipt]] = defaultdict(list)
    for receipt in facts.receipts:
        if receipt.group is not None and receipt.sequence is not None:
            key = receipt.operation.queue, receipt.group
            groups[key][receipt.sequence] = receipt.message_id
            answers[(*key, receipt.operation.started)].append(receipt)
    order = {key: sorted(messages) for key, messages in groups.items()}
    gone_from = {key: [_gone_from(facts, groups[key][number], key[0]) for number in order[key]] for key in groups}
    all_gone_from = {key: list(itertools.accumulate(steps, max)) for key, steps in gone_from.items()}
    for (queue, group, _), receipts in answers.items():
        key, operation = (queue, group), receipts[0].operation
        numbers = [receipt.sequence or 0 for receipt in receipts]
        if numbers != sorted(numbers):
            yield f"{operation} gave messages of group {group} in the order {numbers}"
        first, last = (bisect.bisect_left(order[key], number) for number in (min(numbers), max(numbers)))
        if first and all_gone_from[key][first - 1] > operation.ended:
            number = next(n for n, step in zip(order[key], gone_from[key], strict=True) if step > operation.ended)
            yield f"{operation} gave {numbers} of group {group} before {number}"
        for number, step in zip(order[key][first:last], gone_from[key][first:last], strict=True):
            if number not in numbers and step > operation.ended:
                yield f"{operation} gave {numbers} of group {group} without {number}"


def _gone_from(facts: Facts, message_id: str, queue: str) -> int:
    """Return the step from which on a message may have left a queue."""
    if any(receipt.operation.queue != queue for receipt in facts.receipts_of.get(message_id, ())):
        return 0  # a dead letter; when it was buried nobody saw
    step = facts.first_delete_attempt(message_id)
    return NEVER if step is None else step


def done_in_part(history: History, facts: Facts) -> Iterator[str]:
    """A batch without an answer happened wholly or not at all."""
    received = {receipt.body for receipt in facts.receipts}
    for op in history.of_kind("SendMessageBatch"):
        bodies = [entry["MessageBody"] for entry in op.entries] if op.outcome is Outcome.UNKNOWN else []
        there = [body for body in bodies if body in received]
        if there and len(there) < len(bodies):
            yield f"of {op} only {len(there)} of {len(bodies)} sends happened"
    deletes_of: defaultdict[int, list[Delete]] = defaultdict(list)
    for delete in itertools.chain.from_iterable(facts.deletes_of.values()):
        if delete.operation.kind == "DeleteMessageBatch" and delete.operation.outcome is Outcome.UNKNOWN:
            deletes_of[delete.operation.started].append(delete)
    for deletes in deletes_of.values():
        yield from _deleted_in_part(facts, deletes)


def _deleted_in_part(facts: Facts, deletes: list[Delete]) -> Iterator[str]:
    op = deletes[0].operation
    back, gone = [], []
    for receipt in (delete.receipt for delete in deletes):
        attempts = [delete for delete in facts.deletes_of[receipt.message_id] if delete.may_have_happened]
        came_back = any(later.operation.started > op.ended for later in facts.receipts_of[receipt.message_id])
        was_held = op.latest_ms < receipt.visible_from_ms and not facts.changes_of[receipt.message_id]
        # Not those whose handle may have lost its message, or that somebody else may have deleted.
        if came_back and was_held and all(delete.operation.started >= op.started for delete in attempts):
            back.append(receipt.token)
        elif not came_back and len(attempts) == 1:
            gone.append(receipt.token)
    if back and gone:
        yield f"of {op} only the deletes of {gone} happened, not those of {back}"


def received_too_early(facts: Facts) -> Iterator[str]:
    """No message is received before its delay is over."""
    due_ms: dict[str, int] = {}
    for send in facts.sends:
        moment_ms = send.operation.earliest_ms + send.delay_seconds * 1000
        due_ms[send.token] = min(moment_ms, due_ms.get(send.token, moment_ms))
    for receipt in facts.receipts:
        if receipt.operation.latest_ms < due_ms.get(receipt.token, 0):
            missing_ms = due_ms[receipt.token] - receipt.operation.latest_ms
            yield f"{receipt.operation} gave {receipt.token} {missing_ms} ms before its delay was over"


def received_while_held(facts: Facts) -> Iterator[str]:
    """No message is received while another receive holds it."""
    for message_id, receipts in facts.receipts_of.items():
        ordered = sorted(receipts, key=lambda receipt: receipt.count)
        for holder, next_receipt in itertools.pairwise(ordered):
            if holder.count == next_receipt.count:
                continue  # a matter of `miscounted`
            free_ms = _free_from(holder, next_receipt, facts.changes_of[message_id])
            if next_receipt.operation.latest_ms < free_ms:
                yield (
                    f"{next_receipt.operation} gave {holder.token} {free_ms - next_receipt.operation.latest_ms} ms "
                    f"before {holder.operation} or a change gave it free"
                )


def _free_from(holder: Receipt, next_receipt: Receipt, changes: list[Change]) -> int:
    """Return the earliest moment when a message may be free again, of all orders in which things may have happened."""
    between = [
        change
        for change in changes
        if change.operation.ended > holder.operation.started and change.operation.started < next_receipt.operation.ended
    ]
    moments = [holder.visible_from_ms, *(change.visible_from_ms for change in between)]
    # An acknowledged change made while the receive surely held the message takes effect; it is the last word when
    # nothing else was asked after it began.
    for change in between:
        is_alone = len(between) == 1 and change.receipt is holder
        in_time = change.operation.latest_ms < holder.visible_from_ms
        if is_alone and in_time and change.is_done and change.operation.ended < next_receipt.operation.started:
            return change.visible_from_ms
    return min(moments)


def miscounted(facts: Facts) -> Iterator[str]:
    """Each receive of a message counts one more."""
    for receipts in facts.receipts_of.values():
        by_count: dict[int, Receipt] = {}
        for receipt in sorted(receipts, key=lambda receipt: receipt.operation.started):
            other = by_count.setdefault(receipt.count, receipt)
            if other is not receipt:
                yield f"{other.operation} and {receipt.operation} both say receive {receipt.count} of {receipt.token}"
            for earlier in by_count.values():
                if earlier.operation.ended < receipt.operation.started and earlier.count > receipt.count:
                    yield f"{receipt.operation} counts {receipt.count} for {receipt.token}, after {earlier.count}"


def wrongly_buried(facts: Facts, max_receive_count: int) -> Iterator[str]:
    """A message goes to the dead-letter queue after `max_receive_count` receives, not before, and stays there."""
    for receipts in facts.receipts_of.values():
        for receipt in receipts:
            is_dead = is_dead_letter_queue(receipt.operation.queue)
            if not is_dead and receipt.count > max_receive_count:
                yield f"{receipt.operation} gave {receipt.token} though it had been received {receipt.count - 1} times"
            if is_dead and receipt.count <= max_receive_count:
                yield f"{receipt.token} was buried after {receipt.count - 1} receives"


def is_dead_letter_queue(queue: str) -> bool:
    """Return whether a queue takes what another has given up."""
    return queue.startswith("dead-")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
