"""Archives and replays over restarts: nothing is missing, nothing comes twice."""

from __future__ import annotations

from pathlib import Path

from sns_archives import ArchivedTopic, emptied, replay_policy

from cumulet.testing import Cumulet

MANY = 1500
"""Five steps of a replay."""


def test_a_killed_replay_goes_on_and_ends_with_every_message_once(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data", durability="full") as cumulet:
        archived = ArchivedTopic(cumulet)
        texts = archived.publish_many(MANY)
        queue = archived.topic.queues.standard()
        listener = archived.topic.listener(queue, RawMessageDelivery="true")

        archived.set_policy(listener, replay_policy(archived.began_ms))
        cumulet.kill()
        cumulet.start()
        archived.reconnect(listener)

        assert archived.status(listener) == "Completed"
        assert emptied(listener) == texts


def test_a_subscription_at_rest_stays_so_and_is_woken(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data", durability="full") as cumulet:
        archived = ArchivedTopic(cumulet)
        listener = archived.topic.raw_listener()
        first_ms = archived.publish("first", "second")
        archived.replay(listener, first_ms, first_ms + 1000)
        emptied(listener)
        cumulet.stop()
        cumulet.start()
        archived.reconnect(listener)

        archived.publish("third")
        at_rest = emptied(listener)
        archived.replay(listener, first_ms + 1000)
        archived.publish("fourth")

        assert at_rest == []
        assert emptied(listener) == ["second", "third", "fourth"]
