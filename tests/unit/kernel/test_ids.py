"""Ids: their form, and that a seed repeats them."""

from __future__ import annotations

import uuid

from cumulet.kernel.ids import Ids, secret


def test_a_uuid_is_of_version_4() -> None:
    ids = Ids()
    for _ in range(1000):
        text = ids.uuid()
        parsed = uuid.UUID(text)
        assert (str(parsed), parsed.version, parsed.variant) == (text, 4, uuid.RFC_4122)


def test_uuids_differ() -> None:
    ids = Ids(1)

    assert len({ids.uuid() for _ in range(10_000)}) == 10_000


def test_a_seed_repeats_ids_and_tokens() -> None:
    first, second = Ids(7), Ids(7)

    assert [(first.uuid(), first.token()) for _ in range(10)] == [(second.uuid(), second.token()) for _ in range(10)]
    assert Ids(7).uuid() != Ids(8).uuid()
    assert Ids().uuid() != Ids().uuid()


def test_tokens_fit_a_bigint() -> None:
    ids = Ids(3)

    assert all(0 <= ids.token() < 2**63 for _ in range(1000))


def test_secrets_do_not_follow_the_seed() -> None:
    assert len(secret(30)) == 30
    assert secret(30) != secret(30)
