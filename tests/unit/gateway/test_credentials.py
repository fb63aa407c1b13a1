"""Access keys: what the store keeps, what memory may believe, and the file of the root key."""

from __future__ import annotations

import asyncio
import configparser
import os
import re
import stat
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cumulet.gateway import credentials as module
from cumulet.gateway.credentials import Credential, Credentials, ensure_root_key, find, of_principal, root_credential
from cumulet.store import Store, Tx
from cumulet.store.schema import Schema
from cumulet.store.sqlite import SqliteStore

SESSION = Credential(
    id="ASIAEXAMPLE",
    secret="secret",
    account="111111111111",
    principal="arn:aws:sts::111111111111:assumed-role/worker/session",
    user_id="AROAEXAMPLE:session",
    session_token="token",
    expires_at=1_767_268_800_000,
)


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[tuple[Store, Credentials]]:
    store = SqliteStore.open(folder, schemas=[Schema.of_package("cumulet.gateway")], durability="relaxed")
    try:
        yield store, Credentials(store)
    finally:
        await store.close()


def run(folder: Path, test: Callable[[Store, Credentials], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        async with opened(folder) as (store, credentials):
            await test(store, credentials)

    asyncio.run(main())


@pytest.mark.parametrize(
    "credential", [SESSION, replace(SESSION, session_token=None, expires_at=None, is_active=False)]
)
def test_what_is_put_is_found(tmp_path: Path, credential: Credential) -> None:
    async def test(store: Store, credentials: Credentials) -> None:
        await store.transact(credentials.put, SESSION)
        await store.transact(credentials.put, credential)

        assert await store.read(find, SESSION.id) == credential
        assert await store.read(of_principal, SESSION.principal) == [credential]
        assert await store.read(find, "other") is None

    run(tmp_path, test)


def test_a_key_is_loaded_once_and_a_missing_one_too(tmp_path: Path) -> None:
    async def test(store: Store, credentials: Credentials) -> None:
        await store.transact(Credentials(store).put, SESSION)
        assert credentials.cached(SESSION.id) == (False, None)

        assert await credentials.load(SESSION.id) == SESSION
        assert await credentials.load("nobody's") is None

        assert credentials.cached(SESSION.id) == (True, SESSION)
        assert credentials.cached("nobody's") == (True, None)

    run(tmp_path, test)


def test_a_change_is_seen_with_its_commit(tmp_path: Path) -> None:
    async def test(store: Store, credentials: Credentials) -> None:
        await credentials.load(SESSION.id)

        await store.transact(credentials.put, SESSION)
        assert credentials.cached(SESSION.id) == (True, SESSION)

        await store.transact(credentials.put, replace(SESSION, is_active=False))
        assert credentials.cached(SESSION.id) == (True, replace(SESSION, is_active=False))

    run(tmp_path, test)


def test_an_undone_change_is_never_seen(tmp_path: Path) -> None:
    async def test(store: Store, credentials: Credentials) -> None:
        def put_and_fail(tx: Tx) -> None:
            credentials.put(tx, SESSION)
            raise RuntimeError

        with pytest.raises(RuntimeError):
            await store.transact(put_and_fail)

        assert credentials.cached(SESSION.id) == (False, None)
        assert await store.read(find, SESSION.id) is None

    run(tmp_path, test)


def test_a_read_that_a_commit_overtook_is_not_kept(tmp_path: Path) -> None:
    async def test(store: Store, _: Credentials) -> None:
        class SlowReads:
            """The store, but a commit comes between a read and its arrival."""

            async def read(self, fn: Any, *args: Any) -> Any:
                result = await store.read(fn, *args)
                await store.transact(credentials.put, SESSION)
                return result

        credentials = Credentials(SlowReads())  # type: ignore[arg-type]

        assert await credentials.load(SESSION.id) is None

        assert credentials.cached(SESSION.id) == (True, SESSION)

    run(tmp_path, test)


def test_id_that_is_too_long_for_one_is_not_remembered(tmp_path: Path) -> None:
    async def test(_: Store, credentials: Credentials) -> None:
        assert credentials.cached("A" * 129) == (True, None)

    run(tmp_path, test)


def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_CACHE", 3)

    async def test(_: Store, credentials: Credentials) -> None:
        for number in range(5):
            await credentials.load(str(number))

        assert [number for number in range(5) if credentials.cached(str(number))[0]] == [2, 3, 4]

    run(tmp_path, test)


def test_lookups_use_an_index(tmp_path: Path) -> None:
    def plan_of(tx: Tx, sql: str) -> str:
        return str(tx.all(f"EXPLAIN QUERY PLAN {sql}", "x"))

    async def test(store: Store, _: Credentials) -> None:
        for sql in (module._FIND, module._FIND_OF_PRINCIPAL):
            plan = await store.read(plan_of, sql)
            assert "SEARCH gateway_access_keys USING INDEX" in plan

    run(tmp_path, test)


def test_a_secret_is_not_shown() -> None:
    assert repr(SESSION) == "Credential(ASIAEXAMPLE of arn:aws:sts::111111111111:assumed-role/worker/session)"


class TestRootKey:
    def test_looks_like_one_of_aws(self) -> None:
        credential = root_credential()

        assert re.fullmatch("AKIA[A-Z2-7]{16}", credential.id)
        assert re.fullmatch("[A-Za-z0-9+/]{40}", credential.secret)
        assert (credential.account, credential.user_id) == ("000000000000", "000000000000")
        assert credential.principal == "arn:aws:iam::000000000000:root"
        assert root_credential().id != credential.id

    def test_is_written_for_its_owner_alone(self, tmp_path: Path) -> None:
        async def test(store: Store, credentials: Credentials) -> None:
            umask = os.umask(0)
            try:
                path = await ensure_root_key(store, credentials, tmp_path)
            finally:
                os.umask(umask)

            assert path == tmp_path / "root-credentials"
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            key_id, secret = read_file(path)
            found = await store.read(find, key_id)
            assert found is not None and found.secret == secret
            assert credentials.cached(key_id) == (True, found)

        run(tmp_path, test)

    def test_no_moment_shows_it_to_others(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        modes = []
        replace_file = Path.replace

        def spy(self: Path, target: Path) -> Path:
            modes.append((stat.S_IMODE(self.stat().st_mode), target.exists()))
            return replace_file(self, target)

        opened_with = []
        open_file = os.open

        def spy_open(path: Any, flags: int, mode: int = 0o777, **more: Any) -> int:
            if str(path).endswith("root-credentials.new"):
                opened_with.append((bool(flags & os.O_EXCL), mode))
            return open_file(path, flags, mode, **more)

        async def test(store: Store, credentials: Credentials) -> None:
            monkeypatch.setattr(Path, "replace", spy)
            monkeypatch.setattr(os, "open", spy_open)
            await ensure_root_key(store, credentials, tmp_path)

        run(tmp_path, test)

        assert opened_with == [(True, 0o600)]
        assert modes == [(0o600, False)]

    def test_stays_the_same_on_the_next_start(self, tmp_path: Path) -> None:
        texts = []
        writes = []

        async def start(store: Store, credentials: Credentials) -> None:
            path = await ensure_root_key(store, credentials, tmp_path)
            texts.append(path.read_text())
            writes.append(path.stat().st_ino)

        run(tmp_path, start)
        run(tmp_path, start)

        assert texts[0] == texts[1]
        assert writes[0] == writes[1]

    @pytest.mark.parametrize(
        "harm", [Path.unlink, lambda path: path.write_text("[default]\n"), lambda path: path.chmod(0o644)]
    )
    def test_its_file_is_made_good(self, tmp_path: Path, harm: Callable[[Path], Any]) -> None:
        async def test(store: Store, credentials: Credentials) -> None:
            path = await ensure_root_key(store, credentials, tmp_path)
            before = path.read_text()
            harm(path)
            (tmp_path / "root-credentials.new").write_text("left by a crash")

            await ensure_root_key(store, credentials, tmp_path)

            assert path.read_text() == before
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert not (tmp_path / "root-credentials.new").exists()

        run(tmp_path, test)

    def test_is_new_when_the_old_one_was_deactivated(self, tmp_path: Path) -> None:
        async def test(store: Store, credentials: Credentials) -> None:
            old_id, _ = read_file(await ensure_root_key(store, credentials, tmp_path))
            old = await store.read(find, old_id)
            assert old is not None
            await store.transact(credentials.put, replace(old, is_active=False))

            new_id, _ = read_file(await ensure_root_key(store, credentials, tmp_path))

            assert new_id != old_id

        run(tmp_path, test)


def read_file(path: Path) -> tuple[str, str]:
    parser = configparser.RawConfigParser()
    parser.read(path)
    return parser["default"]["aws_access_key_id"], parser["default"]["aws_secret_access_key"]
