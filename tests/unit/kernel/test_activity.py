"""What the platform is busy with."""

from __future__ import annotations

import asyncio
from typing import Any

from cumulet.kernel.activity import Activity


async def forever() -> None:
    """Never end."""
    await asyncio.Event().wait()


def test_settling_waits_for_work_and_for_what_it_starts() -> None:
    async def test() -> None:
        activity, done = Activity(), []

        async def work(generation: int) -> None:
            await asyncio.sleep(0)
            if generation:
                activity.spawn(f"generation {generation}", work(generation - 1))
            done.append(generation)

        activity.spawn("first", work(5))

        assert await activity.settle(1) == []
        assert done == [5, 4, 3, 2, 1, 0]
        assert activity.busy_with() == []

    asyncio.run(test())


def test_settling_gives_up_in_time_and_names_each_kind_of_work_once() -> None:
    async def test() -> None:
        activity = Activity()
        for name in ("moving", "expiring", "moving"):
            activity.spawn(name, forever())
        started = asyncio.get_running_loop().time()

        assert await activity.settle(0.05) == ["expiring", "moving"]
        assert await activity.settle(-1) == ["expiring", "moving"]

        assert asyncio.get_running_loop().time() - started < 1
        await activity.stop()
        assert activity.busy_with() == []

    asyncio.run(test())


def test_settling_waits_for_awaited_work_that_runs_already_and_for_no_later_one() -> None:
    async def test() -> None:
        activity = Activity()
        done: list[str] = []

        async def client() -> None:
            while True:
                await activity.spawn("an invocation", work(), is_awaited=True)

        async def work() -> None:
            await asyncio.sleep(0.01)
            done.append("one")

        clients = [asyncio.create_task(client()) for _ in range(3)]
        await asyncio.sleep(0.005)

        assert await activity.settle(5) == []

        assert len(done) == 3
        for task in clients:
            task.cancel()
        await activity.stop()

    asyncio.run(test())


def test_work_that_fails_is_over_and_reported() -> None:
    async def test() -> None:
        reported: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
        activity = Activity()

        async def fail() -> None:
            raise ValueError("why")

        activity.spawn("collecting", fail())

        assert await activity.settle(1) == []
        assert [(it["message"], str(it["exception"])) for it in reported] == [("collecting failed", "why")]

    asyncio.run(test())


def test_stopping_cancels_what_runs_and_reports_nothing() -> None:
    async def test() -> None:
        reported: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
        activity = Activity()
        task = activity.spawn("waiting", forever())
        await asyncio.sleep(0)

        await activity.stop()

        assert task.cancelled()
        assert reported == []

    asyncio.run(test())
