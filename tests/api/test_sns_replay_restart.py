"""Archives and replays over a kill: nothing is missing, nothing comes twice, and who was at rest stays so."""

from __future__ import annotations

from pathlib import Path

from sns_archives import ArchivedTopic, emptied, replay_policy

from cumulet.testing import Cumulet

MANY = 900
"""Three steps of a replay."""


def test_replays_go_on_after_a_kill(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data", durability="full") as cumulet:
        archived = ArchivedTopic(cumulet)
        texts = archived.publish_many(MANY)
        cumulet.advance(seconds=1)
        first_ms = archived.publish("last")
        queues = archived.topic.queues
        killed, resting = (archived.topic.listener(queues.standard(), RawMessageDelivery="true") for _ in range(2))
        archived.replay(resting, archived.began_ms, archived.began_ms)

        archived.set_policy(killed, replay_policy(archived.began_ms))
        cumulet.kill()
        cumulet.start()
        archived.reconnect(killed)
        archived.reconnect(resting)
        archived.publish("live")

        assert archived.status(killed) == "Completed"
        assert emptied(killed) == [*texts, "last", "live"]
        assert emptied(resting) == []
        archived.replay(resting, first_ms)
        assert emptied(resting) == ["last", "live"]
