"""Standard and FIFO queues against models that a reader checks at a glance, over a real store.

The models say what SQS promises: which messages may be received, and which must be. Where SQS promises nothing (the
order of a standard queue, the turns of groups) they ask only what is allowed.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqs_world import World

from cumulet.kernel.errors import AwsError
from cumulet.services.sqs.handles import HandleExpired

RETENTION_SECONDS = 600
# Few values, so that moments meet: deadlines are where queues go wrong.
TIMEOUTS = st.sampled_from([0, 10, 20, 60])
GROUPS = st.sampled_from(["g1", "g2"])


@dataclass
class Sent:
    """A message as the model sees it."""

    body: str
    sent_ms: int
    visible_ms: int
    group: str = ""
    receives: int = 0
    handle: str | None = None
    leased_ms: int = 0
    older_handles: list[str] = field(default_factory=list)


class Machine(RuleBasedStateMachine):
    """What both kinds of queue have in common."""

    attributes: ClassVar[dict[str, str]]

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="sqs-model-"))
        self.world = World(self.folder / "data")
        self.messages: list[Sent] = []
        self.sent = 0

    @initialize()
    def create(self) -> None:
        self.queue = self.world.queue(MessageRetentionPeriod=str(RETENTION_SECONDS), **self.attributes)

    def teardown(self) -> None:
        self.world.close()
        shutil.rmtree(self.folder)

    @property
    def now_ms(self) -> int:
        return self.world.now_ms

    def living(self) -> list[Sent]:
        return [m for m in self.messages if m.sent_ms > self.now_ms - RETENTION_SECONDS * 1000]

    def received(self, message: Sent, handle: str, receive_count: int, seconds: int) -> None:
        """Check and note one receive."""
        message.receives += 1
        assert receive_count == message.receives
        if message.handle:
            message.older_handles.append(message.handle)
        message.handle = handle
        message.leased_ms = self.now_ms
        message.visible_ms = self.now_ms + seconds * 1000

    def by_body(self, body: str) -> Sent:
        [message] = [m for m in self.living() if m.body == body]
        return message

    @rule(seconds=st.sampled_from([1, 10, 20, 60, 300]))
    def advance(self, seconds: int) -> None:
        self.world.now_ms += seconds * 1000

    @rule()
    def upkeep(self) -> None:
        self.world.expire(self.queue)
        self.messages = self.living()

    @invariant()
    def counts_are_exact(self) -> None:
        self.world.expire(self.queue)
        counts = self.world.count(self.queue)
        hidden = [m for m in self.living() if m.visible_ms > self.now_ms]
        assert counts.visible == len(self.living()) - len(hidden)
        assert counts.in_flight == sum(m.receives > 0 for m in hidden)
        assert counts.delayed == sum(m.receives == 0 for m in hidden)


class StandardMachine(Machine):
    """A standard queue is a bag: every visible message is received, up to the number asked for, by its due time."""

    attributes: ClassVar = {}

    @rule(delay=TIMEOUTS)
    def send(self, delay: int) -> None:
        self.sent += 1
        body = str(self.sent)
        self.world.send(self.queue, body, DelaySeconds=delay)
        self.messages.append(Sent(body, self.now_ms, self.now_ms + delay * 1000))

    @rule(most=st.integers(1, 10), seconds=TIMEOUTS)
    def receive(self, most: int, seconds: int) -> None:
        visible = [m for m in self.living() if m.visible_ms <= self.now_ms]

        received = self.world.receive(self.queue, most, seconds)

        bodies = [message.body for message, _ in received]
        assert len(set(bodies)) == len(bodies) == min(most, len(visible))
        assert set(bodies) <= {m.body for m in visible}
        for message, handle in received:
            self.received(self.by_body(message.body), handle, message.receive_count, seconds)

    @precondition(lambda self: any(m.handle for m in self.messages))
    @rule(data=st.data(), is_old=st.booleans())
    def delete(self, data: st.DataObject, is_old: bool) -> None:
        message = data.draw(st.sampled_from([m for m in self.messages if m.handle]))
        handle = message.older_handles[0] if is_old and message.older_handles else message.handle
        assert handle is not None

        self.world.delete(self.queue, handle)
        self.world.delete(self.queue, handle)

        self.messages.remove(message)

    @precondition(lambda self: any(m.handle for m in self.living()))
    @rule(data=st.data(), seconds=TIMEOUTS)
    def hide(self, data: st.DataObject, seconds: int) -> None:
        message = data.draw(st.sampled_from([m for m in self.living() if m.handle]))
        assert message.handle is not None

        self.world.hide(self.queue, message.handle, seconds)

        if message.visible_ms > self.now_ms:
            message.visible_ms = self.now_ms + seconds * 1000


class FifoMachine(Machine):
    """A FIFO queue is a list for each group: what is received of one is its head, up to the first that is hidden."""

    attributes: ClassVar = {"FifoQueue": "true"}

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, int] = {}

    @rule(group=GROUPS, count=st.integers(1, 4))
    def send_several(self, group: str, count: int) -> None:
        for _ in range(count):
            self.send(group, "", is_new=True)

    @rule(group=GROUPS, deduplication_id=st.sampled_from(["a", "b", "c"]), is_new=st.booleans())
    def send(self, group: str, deduplication_id: str, *, is_new: bool) -> None:
        self.sent += 1
        body = str(self.sent)
        token = body if is_new else deduplication_id
        self.world.send(self.queue, body, MessageGroupId=group, MessageDeduplicationId=token)
        if self.seen.get(token, -300_000) <= self.now_ms - 300_000:
            self.seen[token] = self.now_ms
            self.messages.append(Sent(body, self.now_ms, self.now_ms, group))

    def receivable(self, group: str) -> list[str]:
        bodies = []
        for message in self.living():
            if message.group == group:
                if message.visible_ms > self.now_ms:
                    break
                bodies.append(message.body)
        return bodies

    @rule(most=st.integers(1, 10), seconds=TIMEOUTS)
    def receive(self, most: int, seconds: int) -> None:
        heads = {group: self.receivable(group) for group in ("g1", "g2")}

        received = self.world.receive(self.queue, most, seconds)

        assert len(received) == min(most, sum(map(len, heads.values())))
        cut_short = []
        for group, head in heads.items():
            taken = [message.body for message, _ in received if message.group_id == group]
            assert taken == head[: len(taken)]
            if 0 < len(taken) < len(head):
                cut_short.append(group)
        assert len(cut_short) <= 1, "one group gives what it has before the next"
        for message, handle in received:
            self.received(self.by_body(message.body), handle, message.receive_count, seconds)

    def is_held(self, message: Sent) -> bool:
        return message.visible_ms > self.now_ms

    @precondition(lambda self: any(m.handle for m in self.living()))
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        message = data.draw(st.sampled_from([m for m in self.living() if m.handle]))
        assert message.handle is not None

        if not self.is_held(message):
            with pytest.raises(HandleExpired):
                self.world.delete(self.queue, message.handle)
            return
        self.world.delete(self.queue, message.handle)
        self.world.delete(self.queue, message.handle)
        self.messages.remove(message)

    @precondition(lambda self: any(m.older_handles for m in self.living()))
    @rule(data=st.data())
    def use_an_older_handle(self, data: st.DataObject) -> None:
        message = data.draw(st.sampled_from([m for m in self.living() if m.older_handles]))

        with pytest.raises(HandleExpired):
            self.world.delete(self.queue, message.older_handles[-1])

    @precondition(lambda self: any(m.handle for m in self.living()))
    @rule(data=st.data(), seconds=TIMEOUTS)
    def hide(self, data: st.DataObject, seconds: int) -> None:
        message = data.draw(st.sampled_from([m for m in self.living() if m.handle]))
        assert message.handle is not None

        if not self.is_held(message):
            with pytest.raises(HandleExpired):
                self.world.hide(self.queue, message.handle, seconds)
            return
        self.world.hide(self.queue, message.handle, seconds)
        message.visible_ms = self.now_ms + seconds * 1000

    @invariant()
    def groups_know_when_their_first_message_is_visible(self) -> None:
        first: dict[str, int] = {}
        for message in self.living():
            first.setdefault(message.group, message.visible_ms)
        rows = dict(self.world.groups())
        assert rows.keys() == first.keys()
        for group, visible_ms in first.items():
            assert (rows[group] <= self.now_ms) == (visible_ms <= self.now_ms)
            assert rows[group] == visible_ms or visible_ms <= self.now_ms


SETTINGS = settings(max_examples=150, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
TestStandardQueue = StandardMachine.TestCase
TestStandardQueue.settings = SETTINGS
TestFifoQueue = FifoMachine.TestCase
TestFifoQueue.settings = SETTINGS


def test_visibility_beyond_twelve_hours_changes_nothing(tmp_path: Path) -> None:
    world = World(tmp_path / "data")
    queue = world.queue()
    world.send(queue, "one")
    [(_, handle)] = world.receive(queue, 1, 30)
    world.now_ms += 1

    with pytest.raises(AwsError, match="beyond the limit"):
        world.hide(queue, handle, 43_200)

    assert world.count(queue).in_flight == 1
    world.now_ms += 30_000
    assert world.count(queue).visible == 1
    world.close()
