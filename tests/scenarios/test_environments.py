"""Execution environments: what stays from one invocation to the next, what never does, and when they end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from deployed import Deployed

from cumulet.testing import Cumulet

SOURCE = """
import glob, time, uuid

print("initialised")
count = 0

def handler(event, context):
    global count
    count += 1
    before = sorted(glob.glob("/tmp/*.txt"))
    open(f"/tmp/{uuid.uuid4()}.txt", "w").close()
    time.sleep((event or {}).get("seconds", 0))
    return {"environment": context.log_stream_name, "count": count, "files": len(before)}
"""


def test_invocations_one_after_the_other_share_an_environment(cumulet: Cumulet) -> None:
    function = Deployed(cumulet, "counter", SOURCE)

    values = [function.invoke().value for _ in range(5)]

    assert len({value["environment"] for value in values}) == 1
    assert [value["count"] for value in values] == [1, 2, 3, 4, 5]
    assert [value["files"] for value in values] == [0, 1, 2, 3, 4]
    assert function.log().count("initialised\n") == 1


def test_invocations_at_the_same_time_have_environments_of_their_own(cumulet: Cumulet) -> None:
    function = Deployed(cumulet, "counter", SOURCE)

    with ThreadPoolExecutor(5) as pool:
        values = list(pool.map(lambda _: function.invoke({"seconds": 1}).value, range(5)))

    assert len({value["environment"] for value in values}) == 5
    assert {(value["count"], value["files"]) for value in values} == {(1, 0)}
    assert function.log().count("initialised\n") == 5


def test_functions_do_not_see_each_others_files(cumulet: Cumulet) -> None:
    first, second = Deployed(cumulet, "first", SOURCE), Deployed(cumulet, "second", SOURCE)
    first.invoke()

    value = second.invoke().value

    assert (value["count"], value["files"]) == (1, 0)


def test_an_environment_without_events_ends_after_ten_minutes(cumulet: Cumulet) -> None:
    function = Deployed(cumulet, "counter", SOURCE)
    first = function.invoke().value

    cumulet.advance(minutes=9, seconds=59)
    second = function.invoke().value
    cumulet.advance(minutes=9, seconds=59)
    third = function.invoke().value
    cumulet.advance(minutes=10)
    fourth = function.invoke().value

    assert [value["count"] for value in (first, second, third)] == [1, 2, 3]
    assert fourth["environment"] != first["environment"]
    assert (fourth["count"], fourth["files"]) == (1, 0)
    assert function.log().count("initialised\n") == 2
