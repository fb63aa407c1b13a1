from __future__ import annotations

from notes import Run

from cumulet.store import settings
from cumulet.store.sqlite import SqliteStore


def test_a_setting_is_none_until_it_is_set_and_keeps_its_last_value(run: Run) -> None:
    async def scenario(store: SqliteStore) -> None:
        assert await store.read(settings.get, "key") is None
        await store.transact(settings.put, "key", "first")
        await store.transact(settings.put, "key", "second")

    run(scenario)

    assert run(lambda store: store.read(settings.get, "key")) == "second"
