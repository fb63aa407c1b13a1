"""Message move tasks: a dead-letter queue's messages go back to their sources, or elsewhere.

A task is a row with a cursor; each step moves a bounded number of messages in one transaction, so a task goes on
after a restart where it was. What is in flight when the cursor passes stays where it is.
"""

from __future__ import annotations

import base64

import msgspec

from cumulet.kernel.arns import Arn, parse_arn
from cumulet.services.sqs import fifo, queues
from cumulet.services.sqs.backlog import INSERT_GROUP
from cumulet.services.sqs.errors import InvalidParameterValueException, ResourceNotFoundException
from cumulet.services.sqs.queues import Queue
from cumulet.store import Row, Tx

RATE_PER_SECOND = (1, 500)
MOST_LISTED = 10
STEP_MESSAGES = 100

RUNNING, COMPLETED, CANCELLED, FAILED = "RUNNING", "COMPLETED", "CANCELLED", "FAILED"

TASK_COLUMNS = """id, task_id, source_arn, destination_arn, rate_per_second, status, started_at, last_id,
    cursor_sent_at, cursor_id, moved, to_move, failure"""
INSERT_TASK = f"""
INSERT INTO sqs_move_tasks ({TASK_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, ?, NULL)"""
SELECT_TASK = f"SELECT {TASK_COLUMNS} FROM sqs_move_tasks WHERE id = ?"
SELECT_TASK_BY_TASK_ID = f"SELECT {TASK_COLUMNS} FROM sqs_move_tasks WHERE task_id = ?"
SELECT_TASKS_OF_SOURCE = f"""
SELECT {TASK_COLUMNS} FROM sqs_move_tasks WHERE source_arn = ? ORDER BY id DESC LIMIT ?"""
SELECT_RUNNING = f"SELECT {TASK_COLUMNS} FROM sqs_move_tasks WHERE status = 'RUNNING' ORDER BY id"
UPDATE_TASK = """
UPDATE sqs_move_tasks SET status = ?, cursor_sent_at = ?, cursor_id = ?, moved = ?, failure = ? WHERE id = ?"""
DELETE_OLD_TASKS = "DELETE FROM sqs_move_tasks WHERE source_arn = ? AND id < ?"
COUNT_MESSAGES = "SELECT COUNT(*) FROM sqs_messages WHERE backlog_id = ?"
SELECT_NEXT_MESSAGES = """
SELECT id, sent_at, visible_at, source_arn, group_id FROM sqs_messages
WHERE backlog_id = ? AND (sent_at, id) > (?, ?) AND sent_at <= ? ORDER BY sent_at, id LIMIT ?"""
MOVE_MESSAGE = """
UPDATE sqs_messages SET id = ?, backlog_id = ?, message_id = ?, sent_at = ?, visible_at = ?, in_flight = 0,
    receive_count = 0, receipt = NULL, received_at = NULL, first_received_at = NULL, source_arn = NULL
WHERE id = ?"""


class MoveTask(msgspec.Struct, kw_only=False):
    """One task as it is on disk."""

    id: int
    task_id: str
    source_arn: str
    destination_arn: str | None
    rate_per_second: int | None
    status: str
    started_ms: int
    last_id: int
    cursor_sent_ms: int
    cursor_id: int
    moved: int
    to_move: int
    failure: str | None

    @property
    def handle(self) -> str:
        """The TaskHandle: what AWS's are, base64 of a JSON object."""
        return base64.b64encode(msgspec.json.encode({"taskId": self.task_id, "sourceArn": self.source_arn})).decode()


class Step(msgspec.Struct):
    """What one step did."""

    task: MoveTask
    moved_to: dict[int, tuple[Queue, int, int]]
    """By queue id: to which queue, how many messages came, and when the last of them is visible."""


def queue_of_arn(tx: Tx, arn: Arn, parameter: str) -> Queue:
    """Return the queue with that ARN; raises ResourceNotFoundException naming the parameter."""
    queue = queues.find(tx, arn.account, arn.region, arn.resource) if arn.service == "sqs" else None
    if queue is None:
        raise ResourceNotFoundException(f"The resource that you specified for the {parameter} parameter doesn't exist.")
    return queue


def parse_queue_arn(text: str, parameter: str) -> Arn:
    """Return the parts of a parameter that must be an ARN."""
    arn = parse_arn(text)
    if arn is None:
        raise InvalidParameterValueException(
            f"You must use this format to specify the {parameter}: "
            "arn:<partition>:<service>:<region>:<account-id>:<resource-id>"
        )
    return arn


def start(
    tx: Tx, source_arn: Arn, destination_arn: Arn | None, rate_per_second: int | None, task_id: str, now_ms: int
) -> MoveTask:
    """Begin a task.

    SQS: the source must be some queue's dead-letter queue and can have one active task; source and destination are
    of the same type.
    """
    source = queue_of_arn(tx, source_arn, "SourceArn")
    if destination_arn is not None:
        if destination_arn == source_arn:
            raise InvalidParameterValueException("Source queue arn and destination queue arn cannot be the same.")
        destination = queue_of_arn(tx, destination_arn, "DestinationArn")
        if destination.is_fifo != source.is_fifo:
            raise InvalidParameterValueException(
                "The source queue and destination queue must be of the same queue type."
            )
    if not queues.dead_letter_sources(tx, source.arn, "", 1):
        raise InvalidParameterValueException("Source queue must be configured as a Dead Letter Queue.")
    earlier = tasks_of(tx, source.arn, MOST_LISTED)
    if any(task.status == RUNNING for task in earlier):
        raise InvalidParameterValueException(
            "There is already a task running. Only one active task is allowed for a source queue arn at a given time."
        )
    if len(earlier) == MOST_LISTED:
        tx.run(DELETE_OLD_TASKS, source.arn, earlier[-1].id)
    number = tx.next_id()
    counted = tx.one(COUNT_MESSAGES, source.backlog_id)
    assert counted is not None
    tx.run(
        INSERT_TASK,
        number,
        task_id,
        source.arn,
        str(destination_arn) if destination_arn else None,
        rate_per_second,
        RUNNING,
        now_ms,
        number,
        counted[0],
    )
    return _load(tx, number)


def step(tx: Tx, number: int, message_ids: list[str], now_ms: int) -> Step:
    """Move up to as many messages as there are `message_ids` for; the task's status says whether to go on.

    What the task passes over costs it none of its rate.
    """
    task = _load(tx, number)
    done = Step(task, {})
    source_arn = parse_arn(task.source_arn)
    assert source_arn is not None
    if task.status != RUNNING:
        return done
    source = queues.find(tx, source_arn.account, source_arn.region, source_arn.resource)
    if source is None:
        _end(tx, task, FAILED, "AWS.SimpleQueueService.NonExistentQueue")
        return done
    rows = tx.all(
        SELECT_NEXT_MESSAGES, source.backlog_id, task.cursor_sent_ms, task.cursor_id, task.started_ms, STEP_MESSAGES
    )
    expired_before = now_ms - source.settings.retention_ms
    unused_ids = list(message_ids)
    for number, sent_ms, visible_ms, message_source_arn, group_id in rows:
        if number <= task.last_id and visible_ms <= now_ms and sent_ms > expired_before:
            destination_arn = task.destination_arn or message_source_arn
            if destination_arn is None:
                _end(tx, task, FAILED, "CouldNotDetermineMessageSource")
                return done
            arn = parse_queue_arn(destination_arn, "DestinationArn")
            destination = queues.find(tx, arn.account, arn.region, arn.resource)
            if destination is None:
                _end(tx, task, FAILED, "AWS.SimpleQueueService.NonExistentQueue")
                return done
            due_ms = _move(tx, source, destination, number, group_id, unused_ids.pop(), now_ms)
            _, count, _ = done.moved_to.get(destination.id, (destination, 0, 0))
            done.moved_to[destination.id] = destination, count + 1, due_ms
            task.moved += 1
        task.cursor_sent_ms, task.cursor_id = sent_ms, number
        if not unused_ids:
            break
    _end(tx, task, COMPLETED if unused_ids and len(rows) < STEP_MESSAGES else RUNNING, None)
    return done


def parse_handle(handle: str) -> tuple[str, Arn]:
    """Return the task id and the source that a TaskHandle names."""
    try:
        content = msgspec.json.decode(base64.b64decode(handle, validate=True), type=dict[str, str])
        task_id, source_arn = content["taskId"], parse_arn(content["sourceArn"])
    except (KeyError, ValueError, msgspec.MsgspecError):
        source_arn = None
    if source_arn is None:
        raise InvalidParameterValueException("Value for parameter TaskHandle is invalid.")
    return task_id, source_arn


def cancel(tx: Tx, task_id: str, source_arn: Arn) -> MoveTask:
    """Stop a running task; what it has moved stays moved."""
    source = queue_of_arn(tx, source_arn, "SourceArn")
    row = tx.one(SELECT_TASK_BY_TASK_ID, task_id)
    task = MoveTask(*row) if row else None
    if task is None or task.source_arn != source.arn or task.status != RUNNING:
        raise ResourceNotFoundException("Task does not exist.")
    _end(tx, task, CANCELLED, None)
    return task


def check_rate(rate_per_second: int | None) -> None:
    """Check MaxNumberOfMessagesPerSecond."""
    if rate_per_second is not None and not RATE_PER_SECOND[0] <= rate_per_second <= RATE_PER_SECOND[1]:
        raise InvalidParameterValueException(
            "Value for parameter MaxNumberOfMessagesPerSecond is invalid. "
            "Reason: You must enter a number that's between 1 and 500."
        )


def checked_list_size(max_results: int | None) -> int:
    """Return how many tasks to list: 1 unless asked for up to 10."""
    if max_results is None:
        return 1
    if not 1 <= max_results <= MOST_LISTED:
        # AWS documents the range, not the text.
        raise InvalidParameterValueException(
            "Value for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and 10."
        )
    return max_results


def tasks_of(tx: Tx, source_arn: str, most: int) -> list[MoveTask]:
    """Return a source's tasks, newest first."""
    return [MoveTask(*row) for row in tx.all(SELECT_TASKS_OF_SOURCE, source_arn, most)]


def running(tx: Tx) -> list[MoveTask]:
    """Return the tasks that have not ended."""
    return [MoveTask(*row) for row in tx.all(SELECT_RUNNING)]


def _load(tx: Tx, number: int) -> MoveTask:
    row: Row | None = tx.one(SELECT_TASK, number)
    assert row is not None
    return MoveTask(*row)


def _end(tx: Tx, task: MoveTask, status: str, failure: str | None) -> None:
    task.status, task.failure = status, failure
    tx.run(UPDATE_TASK, status, task.cursor_sent_ms, task.cursor_id, task.moved, failure, task.id)


def _move(
    tx: Tx, source: Queue, destination: Queue, number: int, group_id: str | None, message_id: str, now_ms: int
) -> int:
    """Move one message as if it had just been sent; return when it becomes visible."""
    visible_ms = now_ms + destination.settings.delay_seconds * 1000
    new_number = tx.next_id()
    tx.run(MOVE_MESSAGE, new_number, destination.backlog_id, message_id, now_ms, visible_ms, number)
    if source.is_fifo and group_id is not None:
        fifo.refresh_group(tx, source.backlog_id, group_id, now_ms)
        tx.run(INSERT_GROUP, destination.backlog_id, group_id, visible_ms, new_number)
    return visible_ms
