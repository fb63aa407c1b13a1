"""What an event source mapping does with a stream's records: batches, order, failures, windows, checkpoints."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lambda_streams import (
    DEAD_LETTERS,
    NOW_MS,
    ROLE,
    STREAM,
    TABLE_STREAM,
    StreamWorld,
    failing,
    numbers,
    value_of,
    values,
)

from cumulet.delivery import Shard, StreamRecord
from cumulet.kernel.arns import parse_arn
from cumulet.services.lambda_ import checkpoints, mappings
from cumulet.services.lambda_.mapping_answers import shown
from cumulet.services.lambda_.mapping_settings import new_settings
from cumulet.services.lambda_.mapping_settings import settings as settings_of
from cumulet.services.lambda_.mappings import Settings, Streaming
from cumulet.services.lambda_.stream_events import MOST_STATE_BYTES, first_failed

MINUTE = 60
REPORTING = {"response_types": ("ReportBatchItemFailures",)}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[StreamWorld]:
    world = StreamWorld(tmp_path / "data")
    yield world
    world.close()


def test_records_come_in_batches_in_their_order(world: StreamWorld) -> None:
    world.begin(batch_size=4)
    world.put(*range(10))
    world.put(10)

    assert world.batches() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9], [10]]


def test_an_event_is_as_lambda_documents_it(world: StreamWorld) -> None:
    world.begin()
    [number] = world.put({"a": 1}, key="customer")

    assert world.function.events == [
        {
            "Records": [
                {
                    "kinesis": {
                        "kinesisSchemaVersion": "1.0",
                        "partitionKey": "customer",
                        "sequenceNumber": number,
                        "data": "eyJhIjoxfQ==",
                        "approximateArrivalTimestamp": NOW_MS / 1000,
                    },
                    "eventSource": "aws:kinesis",
                    "eventVersion": "1.0",
                    "eventID": f"shard-0:{number}",
                    "eventName": "aws:kinesis:record",
                    "invokeIdentityArn": ROLE,
                    "awsRegion": "eu-west-1",
                    "eventSourceARN": STREAM,
                }
            ]
        }
    ]


def test_a_batch_ends_before_six_megabytes(world: StreamWorld) -> None:
    world.begin()
    world.put(*["x" * 900_000 + str(number) for number in range(7)], key="k")

    assert [len(batch) for batch in world.batches()] == [5, 2]


@pytest.mark.parametrize(
    ("start", "start_ms", "seen"),
    [
        ("TRIM_HORIZON", None, ["old", "older than now", "new"]),
        ("LATEST", None, ["new"]),
        ("AT_TIMESTAMP", NOW_MS + 5_000, ["older than now", "new"]),
    ],
)
def test_where_reading_begins(world: StreamWorld, start: Any, start_ms: int | None, seen: list[str]) -> None:
    world.arrive("old")
    world.advance(10)
    world.arrive("older than now")
    world.begin(start=start, start_ms=start_ms)
    world.put("new")

    assert [value for batch in world.batches() for value in batch] == seen


def test_latest_is_where_the_mapping_began_also_after_a_restart(world: StreamWorld) -> None:
    world.arrive("old")
    world.function.is_there = False
    world.begin(start="LATEST")
    world.arrive("new")
    world.function.is_there = True
    world.restart()

    assert world.batches() == [["new"]]


def test_what_is_done_is_not_read_again_after_a_restart(world: StreamWorld) -> None:
    world.begin(batch_size=2)
    world.put(1, 2, 3)
    world.restart()
    world.put(4)

    assert world.batches() == [[1, 2], [3], [4]]
    assert world.checkpoints()[0].position == "4"


def test_a_window_gathers_records_until_the_batch_is_full_or_it_has_passed(world: StreamWorld) -> None:
    world.begin(batch_size=3, window_seconds=20)
    world.put(1)
    world.advance(19)
    before = world.batches()
    world.put(2)
    world.advance(1)
    passed = world.batches()
    world.put(3, 4, 5, 6)

    assert (before, passed) == ([], [[1, 2]])
    assert world.batches() == [[1, 2], [3, 4, 5]]
    world.advance(20)
    assert world.batches()[2:] == [[6]]


def test_one_batch_of_a_shard_runs_at_a_time(world: StreamWorld) -> None:
    world.begin(batch_size=1)
    world.put(*range(5))

    assert world.function.most_at_once == 1


def test_shards_run_side_by_side(world: StreamWorld) -> None:
    world.stream.shards = [Shard("a"), Shard("b")]
    world.begin(batch_size=1)
    world.function.holds = asyncio.Event()
    world.arrive(1, 2, shard="a")
    world.arrive(3, 4, shard="b")
    world.call(lambda: None)
    world.call(world.function.holds.set)
    world.advance()

    assert world.function.most_at_once == 2
    order = [value for batch in world.batches() for value in batch]
    assert (order.index(1) < order.index(2), order.index(3) < order.index(4)) == (True, True)


def test_lanes_run_side_by_side_and_keep_the_order_of_each_partition_key(world: StreamWorld) -> None:
    world.begin(batch_size=1, lanes=3)
    for round_ in range(4):
        for key in "abcdefgh":
            world.arrive(f"{key}{round_}", key=key)
    world.advance()

    order = [value for batch in world.batches() for value in batch]
    assert sorted(order) == sorted(f"{key}{round_}" for key in "abcdefgh" for round_ in range(4))
    assert all(
        [value for value in order if value[0] == key] == [f"{key}{round_}" for round_ in range(4)] for key in "abcdefgh"
    )
    assert len(world.checkpoints()) == 3


def test_a_failing_lane_does_not_hold_up_others(world: StreamWorld) -> None:
    world.begin(batch_size=10, lanes=2)
    world.function.handler = failing("a1")
    for key in "abcdefgh":
        world.arrive(f"{key}1", key=key)
    world.advance()

    done = [value for batch in world.batches() if "a1" not in batch for value in batch]
    assert done
    assert "a1" not in done


def test_another_number_of_lanes_loses_nothing(world: StreamWorld) -> None:
    world.begin(batch_size=2, lanes=2)
    world.function.handler = failing("c1")
    for key in "abcdefgh":
        world.arrive(f"{key}1", key=key)
    world.advance()
    world.function.handler = lambda event: None
    stream = world.mapping.settings.stream
    assert stream is not None
    more = msgspec.structs.replace(world.mapping.settings, stream=msgspec.structs.replace(stream, lanes=3))

    world.change(msgspec.structs.replace(world.mapping, settings=more))

    assert {value for batch in world.batches() for value in batch} == {f"{key}1" for key in "abcdefgh"}
    assert [one.lanes for one in world.checkpoints()] == [3, 3, 3]
    assert {one.position for one in world.checkpoints()} == {"8"}


def test_children_of_a_shard_are_read_when_it_has_been_read_to_its_end(world: StreamWorld) -> None:
    world.begin(start="LATEST", batch_size=10)
    world.function.handler = failing("last")
    world.put("last")
    world.stream.shards += [Shard("left", ("shard-0",)), Shard("right", ("shard-0",))]
    world.stream.closed.add("shard-0")
    world.put("child", shard="left")
    before = world.batches()
    world.function.handler = lambda event: None
    world.advance(5)

    assert before == [["last"]]
    assert world.batches() == [["last"], ["last"], ["child"]]
    assert [(one.shard, one.is_finished) for one in world.checkpoints()] == [
        ("left", False),
        ("right", False),
        ("shard-0", True),
    ]


def test_a_disabled_mapping_reads_nothing_and_goes_on_where_it_was(world: StreamWorld) -> None:
    world.begin()
    world.put(1)
    world.change(msgspec.structs.replace(world.mapping, is_enabled=False))
    world.put(2)
    before = world.batches()
    world.change(msgspec.structs.replace(world.mapping, is_enabled=True))

    assert (before, world.batches()) == ([[1]], [[1], [2]])


def test_a_stream_that_comes_later_is_read(world: StreamWorld) -> None:
    world.stream.is_there = False
    world.begin()
    world.stream.is_there = True
    world.put(1)

    assert world.batches() == [[1]]


def test_nothing_runs_without_a_slot_and_no_retry_is_counted(world: StreamWorld) -> None:
    world.begin(retries=0)
    world.function.slots = 0
    world.put(1)
    before = world.batches()
    world.function.slots = 1
    world.call(world.function.more_slots)
    world.advance()

    assert (before, world.batches(), world.letters) == ([], [[1]], [])


@pytest.mark.parametrize(
    ("pattern", "seen"),
    [
        ({"data": {"kind": ["order"]}}, [{"kind": "order"}]),
        ({"data": {"kind": [{"prefix": "or"}]}}, [{"kind": "order"}]),
        ({"data": {"kind": [{"exists": False}]}}, []),
        ({"partitionKey": ["special"]}, ["of the special key"]),
        ({"eventName": ["aws:kinesis:record"], "data": {"kind": [{"anything-but": "order"}]}}, [{"kind": "visit"}]),
        ({"data": ["text"]}, []),
    ],
)
def test_only_records_that_match_the_filter_come(world: StreamWorld, pattern: dict[str, Any], seen: list[Any]) -> None:
    world.begin(filters=(json.dumps(pattern),))
    world.arrive({"kind": "order"}, {"kind": "visit"}, b"no JSON", 7)
    world.put("of the special key", key="special")

    assert [value for batch in world.batches() for value in batch] == seen
    assert world.checkpoints()[0].position == "5"


def test_a_batch_that_fails_is_tried_again_later_and_later_and_holds_up_the_others(world: StreamWorld) -> None:
    world.begin(batch_size=1)
    world.function.handler = failing(1)
    world.put(1, 2)
    world.advance(10)
    tries = [(time_ms - NOW_MS) // 1000 for time_ms in world.function.times_ms]
    world.function.handler = lambda event: None
    world.advance(MINUTE)

    assert tries == [0, 1, 3, 7]
    assert world.batches() == [[1]] * 5 + [[2]]


def test_ten_records_one_of_them_poison_with_bisecting(world: StreamWorld) -> None:
    world.begin(bisects=True, retries=2)
    world.function.handler = failing(7)
    sent = world.put(*range(10))
    world.advance(MINUTE)
    world.put("next")

    succeeded = [value for batch in world.batches() if 7 not in batch for value in batch]
    assert succeeded == [0, 1, 2, 3, 4, 5, 6, 8, 9, "next"]
    assert world.batches().count([7]) == 3
    [letter] = world.letters
    assert letter["KinesisBatchInfo"]["startSequenceNumber"] == sent[7]
    assert letter["KinesisBatchInfo"]["batchSize"] == 1


def test_ten_records_one_of_them_poison_without_bisecting_until_their_age(world: StreamWorld) -> None:
    world.begin(age=300)
    world.function.handler = failing(7)
    world.put(*range(10))
    world.advance(300)
    before = list(world.letters)
    world.put("next")
    world.advance(MINUTE)

    assert before == []
    assert set(map(tuple, world.batches()[:-1])) == {tuple(range(10))}
    assert world.batches()[-1] == ["next"]
    [letter] = world.letters
    assert (letter["requestContext"]["condition"], letter["KinesisBatchInfo"]["batchSize"]) == ("RecordAgeExceeded", 10)


def test_what_is_sent_to_the_destination(world: StreamWorld) -> None:
    world.begin(retries=1)
    world.function.handler = failing("a")
    world.advance(0.25)
    sent = world.put("a", "b")
    world.advance(MINUTE)

    [letter] = world.letters
    request_id = letter["requestContext"].pop("requestId")
    assert len(request_id) == 36
    assert letter == {
        "requestContext": {
            "functionArn": world.mapping.function_arn,
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 2,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": "2027-01-15T08:00:01.250Z",
        "KinesisBatchInfo": {
            "shardId": "shard-0",
            "startSequenceNumber": sent[0],
            "endSequenceNumber": sent[1],
            "approximateArrivalOfFirstRecord": "2027-01-15T08:00:00.250Z",
            "approximateArrivalOfLastRecord": "2027-01-15T08:00:00.250Z",
            "batchSize": 2,
            "streamArn": STREAM,
        },
    }


@pytest.mark.parametrize("on_failure", [None, DEAD_LETTERS.replace("dead", "nobodys")])
def test_without_a_destination_what_is_given_up_is_gone(world: StreamWorld, on_failure: str | None) -> None:
    world.begin(retries=0, on_failure=on_failure)
    world.function.handler = failing(1)
    world.put(1)
    world.put(2)

    assert (world.batches(), world.letters) == ([[1], [2]], [])


def test_a_function_that_could_not_be_run_is_tried_again(world: StreamWorld) -> None:
    world.begin()

    def missing(event: dict[str, Any]) -> None:
        raise LookupError

    world.function.handler = missing
    world.put(1)
    world.function.handler = lambda event: None
    world.advance(1)
    world.put(2)

    assert world.batches() == [[1], [1], [2]]


def test_records_that_were_too_old_before_they_were_read_are_not_run(world: StreamWorld) -> None:
    world.arrive("old")
    world.advance(61)
    world.arrive("new")
    world.begin(age=60)

    assert world.batches() == [["new"]]
    [letter] = world.letters
    assert letter["requestContext"]["approximateInvokeCount"] == 0
    assert "responseContext" not in letter


def test_a_batch_ends_with_the_retention_of_its_stream(world: StreamWorld) -> None:
    world.stream.retention_seconds = 3600
    world.begin()
    world.function.handler = failing(1)
    world.put(1)
    world.advance(3600 + MINUTE)
    world.put(2)

    assert world.batches()[-1] == [2]


def test_only_what_is_behind_the_first_reported_failure_comes_again(world: StreamWorld) -> None:
    world.begin(**REPORTING)

    def handler(event: dict[str, Any]) -> dict[str, Any]:
        failed = [record for record in event["Records"] if value_of(record) in (3, 5)]
        return {"batchItemFailures": [{"itemIdentifier": number} for number in numbers(failed)]}

    world.function.handler = handler
    world.put(*range(7))
    position = world.checkpoints()[0].position
    world.function.handler = lambda event: None
    world.advance(1)

    assert position == "3"
    assert world.batches() == [list(range(7)), [3, 4, 5, 6]]


def test_a_reported_failure_that_stays_is_given_up_with_what_is_behind_it(world: StreamWorld) -> None:
    world.begin(retries=1, **REPORTING)
    world.function.handler = lambda event: {
        "batchItemFailures": [
            {"itemIdentifier": number}
            for number in numbers([record for record in event["Records"] if value_of(record) == 1])
        ]
    }
    sent = world.put(0, 1, 2)
    world.advance(MINUTE)

    assert world.batches() == [[0, 1, 2], [1, 2]]
    assert world.letters[0]["KinesisBatchInfo"]["startSequenceNumber"] == sent[1]


def test_with_bisecting_a_batch_is_split_where_the_answer_says(world: StreamWorld) -> None:
    world.begin(bisects=True, retries=1, **REPORTING)
    world.function.handler = lambda event: {
        "batchItemFailures": [
            {"itemIdentifier": number}
            for number in numbers([record for record in event["Records"] if value_of(record) == 2])
        ]
    }
    world.put(*range(5))
    world.advance(MINUTE)

    assert world.batches() == [[0, 1, 2, 3, 4], [2, 3, 4], [2], [2], [3, 4]]
    assert world.letters[0]["KinesisBatchInfo"]["batchSize"] == 1


@pytest.mark.parametrize(
    ("answer", "place"),
    [
        (b"", 3),
        (b"null", 3),
        (b"{}", 3),
        (b'{"batchItemFailures": []}', 3),
        (b'{"batchItemFailures": null}', 3),
        (b'{"batchItemFailures": [{"itemIdentifier": "3"}, {"itemIdentifier": "2"}]}', 1),
        (b'{"batchItemFailures": [{"itemIdentifier": "9"}]}', 0),
        (b'{"batchItemFailures": [{"itemIdentifier": ""}]}', 0),
        (b'{"batchItemFailures": [{"itemIdentifier": null}]}', 0),
        (b'{"batchItemFailures": [{"other": "2"}]}', 0),
        (b'{"batchItemFailures": "2"}', 0),
        (b"[]", 0),
        (b'"text"', 0),
        (b"no JSON", 0),
    ],
)
def test_what_an_answer_says_of_failures(world: StreamWorld, answer: bytes, place: int) -> None:
    world.begin()
    world.put("a", "b", "c")

    assert first_failed(world.stream.records["shard-0"], answer) == place


def counting(event: dict[str, Any]) -> dict[str, Any]:
    """Count the records of a window in its state."""
    return {"state": {"count": event["state"].get("count", 0) + len(event["Records"])}}


def shown_windows(world: StreamWorld) -> list[tuple[list[Any], str, Any, bool, bool]]:
    return [
        (
            values(event),
            event["window"]["start"][11:19] + "-" + event["window"]["end"][11:19],
            event["state"].get("count", 0),
            event["isFinalInvokeForWindow"],
            event["isWindowTerminatedEarly"],
        )
        for event in world.function.events
    ]


def test_a_tumbling_window_carries_its_state_to_its_end(world: StreamWorld) -> None:
    world.begin(batch_size=2, tumbling=30)
    world.function.handler = counting
    world.put(1, 2, 3)
    world.advance(10)
    world.put(4)
    world.advance(20)
    world.put(5)

    assert shown_windows(world) == [
        ([1, 2], "08:00:00-08:00:30", 0, False, False),
        ([3], "08:00:00-08:00:30", 2, False, False),
        ([4], "08:00:00-08:00:30", 3, False, False),
        ([], "08:00:00-08:00:30", 4, True, False),
        ([5], "08:00:30-08:01:00", 0, False, False),
    ]
    event = world.function.events[0]
    assert (event["shardId"], event["eventSourceARN"]) == ("shard-0", STREAM)


def test_a_window_ends_when_a_record_of_a_later_one_is_next(world: StreamWorld) -> None:
    world.function.is_there = False
    world.begin(tumbling=30)
    world.arrive(1)
    world.advance(40)
    world.arrive(2)
    world.function.is_there = True
    world.function.handler = counting
    world.call(world.stream.news)
    world.advance()

    assert [(one[0], one[3]) for one in shown_windows(world)] == [([1], False), ([], True), ([2], False)]


def test_the_state_of_a_window_outlives_a_restart(world: StreamWorld) -> None:
    world.begin(tumbling=30)
    world.function.handler = counting
    world.put(1, 2)
    world.restart()
    world.advance(30)

    assert shown_windows(world)[-1] == ([], "08:00:00-08:00:30", 2, True, False)


def test_an_answer_without_state_is_a_failure(world: StreamWorld) -> None:
    world.begin(tumbling=30, retries=1)
    world.put(1)
    world.advance(1)

    assert world.batches() == [[1], [1]]
    assert world.letters[0]["requestContext"]["condition"] == "RetryAttemptsExhausted"


def test_the_end_of_a_window_is_tried_again_when_it_fails(world: StreamWorld) -> None:
    world.begin(tumbling=30)
    world.function.handler = counting
    world.put(1)
    world.function.handler = failing_always
    world.advance(30)
    world.function.handler = counting
    world.advance(1)
    world.advance(MINUTE)

    assert [one[3] for one in shown_windows(world)] == [False, True, True]


def test_a_window_whose_state_is_too_large_ends_early(world: StreamWorld) -> None:
    world.begin(batch_size=1, tumbling=30)
    world.function.handler = lambda event: {"state": {"text": "x" * MOST_STATE_BYTES}}
    world.put(1, 2)

    assert [(one[0], one[3], one[4]) for one in shown_windows(world)] == [
        ([1], False, False),
        ([], True, True),
        ([2], False, False),
        ([], True, True),
    ]


def test_the_age_of_the_last_record_is_measured(world: StreamWorld) -> None:
    world.function.is_there = False
    world.begin()
    world.arrive(1)
    world.advance(7)
    world.function.is_there = True
    world.call(world.stream.news)
    world.advance()

    assert world.metrics == [("IteratorAge", 7000)]


def test_a_mapping_that_was_deleted_meanwhile_leaves_no_checkpoint(world: StreamWorld) -> None:
    world.begin()
    world.function.holds = asyncio.Event()
    world.arrive(1)
    world.call(lambda: None)
    world.transact(mappings.delete, world.mapping)
    world.transact(checkpoints.delete_all, world.mapping.uuid)
    world.call(world.poller.close)
    world.call(world.function.holds.set)
    world.advance()

    assert world.checkpoints() == []


@settings(max_examples=40, deadline=None)
@given(
    poison=st.sets(st.integers(0, 19)),
    batch_size=st.integers(1, 12),
    lanes=st.integers(1, 3),
    retries=st.integers(0, 2),
    restart_at=st.integers(0, 19),
)
def test_with_bisecting_all_but_the_poison_is_done_and_the_poison_alone_is_given_up(
    tmp_path_factory: pytest.TempPathFactory,
    poison: set[int],
    batch_size: int,
    lanes: int,
    retries: int,
    restart_at: int,
) -> None:
    world = StreamWorld(tmp_path_factory.mktemp("streams") / "data")
    world.begin(batch_size=batch_size, lanes=lanes, bisects=True, retries=retries)
    world.function.handler = failing(*poison)
    for value in range(20):
        world.put(value, key=str(value % 5))
        if value == restart_at:
            world.restart()
    world.advance(10 * MINUTE)

    done = [value for batch in world.batches() if not poison & set(batch) for value in batch]
    given_up = [letter["KinesisBatchInfo"]["startSequenceNumber"] for letter in world.letters]
    world.close()

    assert set(done) == set(range(20)) - poison
    assert sorted(map(int, given_up)) == sorted(value + 1 for value in poison)
    assert {letter["KinesisBatchInfo"]["batchSize"] for letter in world.letters} <= {1}


def test_records_of_a_table_are_shown_filtered_and_given_up_as_such(world: StreamWorld) -> None:
    world.begin(source=TABLE_STREAM, retries=0, filters=('{"dynamodb": {"Keys": {"id": {"S": ["a"]}}}}',))
    world.function.handler = failing_always
    for key in ("a", "b"):
        entry = {"eventID": key, "eventName": "INSERT", "dynamodb": {"Keys": {"id": {"S": key}}}}
        number = str(int(key, 16))
        world.stream.records.setdefault("shard-0", []).append(StreamRecord(number, key, NOW_MS, entry))
    world.call(world.stream.news)
    world.advance()

    assert world.function.events == [
        {
            "Records": [
                {
                    "eventID": "a",
                    "eventName": "INSERT",
                    "dynamodb": {"Keys": {"id": {"S": "a"}}},
                    "awsRegion": "eu-west-1",
                    "eventSourceARN": TABLE_STREAM,
                }
            ]
        }
    ]
    assert world.letters[0]["DDBStreamBatchInfo"] == {
        "shardId": "shard-0",
        "startSequenceNumber": "10",
        "endSequenceNumber": "10",
        "approximateArrivalOfFirstRecord": "2027-01-15T08:00:00Z",
        "approximateArrivalOfLastRecord": "2027-01-15T08:00:00Z",
        "batchSize": 1,
        "streamArn": TABLE_STREAM,
    }
    assert world.checkpoints()[0].position == "11"


def failing_always(event: dict[str, Any]) -> None:
    raise ValueError("no")


def test_a_mapping_of_a_stream_is_kept_and_shown_as_lambda_shows_it(world: StreamWorld) -> None:
    world.begin(start="LATEST", on_failure=None)
    kept = world.transact(mappings.every)

    assert kept == [world.mapping]
    uuid, arn = world.mapping.uuid, world.mapping.arn
    assert shown(world.mapping, "Creating") == {
        "UUID": uuid,
        "EventSourceMappingArn": arn,
        "EventSourceArn": STREAM,
        "FunctionArn": world.mapping.function_arn,
        "BatchSize": 100,
        "BisectBatchOnFunctionError": False,
        "DestinationConfig": {"OnFailure": {}},
        "FunctionResponseTypes": [],
        "LastModified": NOW_MS / 1000,
        "LastProcessingResult": "No records processed",
        "MaximumBatchingWindowInSeconds": 0,
        "MaximumRecordAgeInSeconds": -1,
        "MaximumRetryAttempts": -1,
        "ParallelizationFactor": 1,
        "StartingPosition": "LATEST",
        "StartingPositionTimestamp": None,
        "State": "Creating",
        "StateTransitionReason": "User action",
        "TumblingWindowInSeconds": 0,
    }


@pytest.mark.parametrize(
    ("request_", "settings_"),
    [
        ({"BatchSize": 500, "MaximumBatchingWindowInSeconds": 5}, {"batch_size": 500, "window_seconds": 5}),
        ({"FunctionResponseTypes": ["ReportBatchItemFailures"]}, REPORTING),
        ({"FilterCriteria": {"Filters": [{"Pattern": '{"data": ["a"]}'}]}}, {"filters": ('{"data": ["a"]}',)}),
    ],
)
def test_a_new_mapping_of_a_stream_has_the_defaults_and_what_is_asked_for(
    request_: dict[str, Any], settings_: dict[str, Any]
) -> None:
    source = parse_arn(STREAM)
    assert source is not None

    new = new_settings({"StartingPosition": "TRIM_HORIZON", **request_}, source, 5)

    stream = Streaming(starting_position="TRIM_HORIZON")
    assert new == Settings(**{"batch_size": 100, "stream": stream, **settings_})


def test_an_update_changes_what_it_names_and_nothing_else() -> None:
    source = parse_arn(STREAM)
    assert source is not None
    first = {
        "StartingPosition": "AT_TIMESTAMP",
        "StartingPositionTimestamp": datetime.fromtimestamp(NOW_MS / 1000, UTC),
        "ParallelizationFactor": 3,
        "BisectBatchOnFunctionError": True,
        "MaximumRecordAgeInSeconds": 60,
        "MaximumRetryAttempts": 7,
        "TumblingWindowInSeconds": 30,
        "DestinationConfig": {"OnFailure": {"Destination": DEAD_LETTERS}},
    }

    before = new_settings(first, source, 5)
    after = settings_of({"MaximumRetryAttempts": -1, "DestinationConfig": {"OnFailure": {}}}, source, before, 5)

    assert before.stream == Streaming(
        starting_position="AT_TIMESTAMP",
        starting_ms=NOW_MS,
        lanes=3,
        bisects=True,
        most_age_seconds=60,
        most_retries=7,
        tumbling_seconds=30,
        on_failure=DEAD_LETTERS,
    )
    assert after.stream == msgspec.structs.replace(before.stream, most_retries=-1, on_failure=None)
