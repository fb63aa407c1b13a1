"""What must hold for messages that a function has processed, however often the platform was killed on the way.

Each rule yields the flaws it finds; `flaws` applies them all. It expects that the queue has come to rest: what was sent
has been processed, or is in the dead-letter queue.
"""

from __future__ import annotations

import bisect
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SURELY_MS = 1000
"""With the machine's clock: a batch that is done so long before its visibility timeout was deleted in time."""


@dataclass(frozen=True, slots=True)
class Processing:
    """One message in one invocation that came to its end. Moments are seconds of the machine's monotonic clock."""

    body: str
    count: int
    """Of its receives."""
    has_failed: bool
    environment: str
    began: float
    ended: float
    place: int = 0
    """In the batch."""
    held_ms: int = 0
    """For how long it had been received by the machine's clock, the first time that it was."""

    @property
    def kind(self) -> str:
        """How the function behaves with it."""
        return self.body.partition("-")[0]

    @property
    def order(self) -> tuple[float, int]:
        """When it was its turn."""
        return self.began, self.place


@dataclass(slots=True)
class Story:
    """What was sent and what became of it."""

    attempted: set[str] = field(default_factory=set)
    acknowledged: list[str] = field(default_factory=list)
    groups: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """What was acknowledged of each message group, in the order in which it was sent."""
    processings: list[Processing] = field(default_factory=list)
    buried: list[tuple[str, int]] = field(default_factory=list)
    """What is in the dead-letter queue, and how often it was received."""
    lines: set[tuple[str, str]] = field(default_factory=set)
    """What the function has printed: log stream and line."""
    ends: list[float] = field(default_factory=list)
    """When servers ended."""

    def generation(self, processing: Processing) -> int:
        """Return which server has run it, counted from 0."""
        return bisect.bisect_left(self.ends, processing.ended)

    @property
    def of(self) -> dict[str, list[Processing]]:
        """The processings of each message, in their order."""
        found: defaultdict[str, list[Processing]] = defaultdict(list)
        for processing in sorted(self.processings, key=lambda one: one.order):
            found[processing.body].append(processing)
        return dict(found)

    def repeated(self) -> Counter[int]:
        """Return by generation how many messages it has processed well that a later one has processed again."""
        again: Counter[int] = Counter()
        for processings in self.of.values():
            for one, later in itertools.pairwise(processings):
                if not one.has_failed and self.generation(later) > self.generation(one):
                    again[self.generation(one)] += 1
        return again


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What the queue and its event source mapping allow."""

    most_in_flight: int
    """Messages that are with the function at a time: invocations times batch size."""
    max_receive_count: int
    visibility_ms: int | None
    """None where no visibility timeout can pass while the function runs: with a virtual clock."""


def report(message: Mapping[str, Any]) -> Iterator[Processing]:
    """Return what one message of the function's says."""
    for place, entry in enumerate(message["messages"]):
        yield Processing(
            entry["body"],
            entry["count"],
            entry["has_failed"],
            message["environment"],
            message["began"],
            message["ended"],
            place,
            entry["now_ms"] - entry["first_received_ms"],
        )


def flaws(story: Story, limits: Limits) -> list[str]:
    """Return what is wrong."""
    return [
        *invented(story),
        *lost(story, limits),
        *wrongly_buried(story, limits),
        *returned(story, limits),
        *too_often_repeated(story, limits),
        *out_of_order(story),
        *beside_each_other(story, limits),
        *without_lines(story),
    ]


def invented(story: Story) -> Iterator[str]:
    """What is processed or buried was sent."""
    for body in {one.body for one in story.processings} | {body for body, _ in story.buried}:
        if body not in story.attempted:
            yield f"nobody sent {body}"


def lost(story: Story, limits: Limits) -> Iterator[str]:
    """What was acknowledged is processed well, or buried."""
    done = {one.body for one in story.processings if not one.has_failed}
    buried = {body for body, _ in story.buried}
    for body in story.acknowledged:
        if body not in done | buried:
            yield f"{body} was acknowledged, and is neither processed nor buried"
        elif body.startswith("poison") and body not in buried:
            yield f"{body} is not buried"
    for body, processings in story.of.items():
        if all(one.has_failed for one in processings) and body not in buried:
            yield f"{body} was given to the function and is gone, though it never succeeded"


def wrongly_buried(story: Story, limits: Limits) -> Iterator[str]:
    """A message is buried once, after the last receive that it may have, and not when it was processed well in time."""
    for body, times in Counter(body for body, _ in story.buried).items():
        if times > 1:
            yield f"{body} is buried {times} times"
    for body, count in story.buried:
        if count <= limits.max_receive_count:
            yield f"{body} was buried after {count - 1} receives"
    for one in story.processings:
        if one.count > limits.max_receive_count:
            yield f"{one.body} was given to the function at receive {one.count}"


def returned(story: Story, limits: Limits) -> Iterator[str]:
    """What one server has processed well it has deleted: it does not process it again."""
    for body, processings in story.of.items():
        for one, later in itertools.pairwise(processings):
            in_time = limits.visibility_ms is None or (
                one.count == 1 and one.held_ms + SURELY_MS < limits.visibility_ms
            )
            if not one.has_failed and in_time and story.generation(one) == story.generation(later):
                yield f"{body} was processed at {one.ended:.3f} and again at {later.began:.3f} by the same server"


def too_often_repeated(story: Story, limits: Limits) -> Iterator[str]:
    """After a kill only what was in flight comes back."""
    for generation, count in story.repeated().items():
        if count > limits.most_in_flight:
            yield f"after end {generation} {count} messages were processed again, more than were in flight"


def out_of_order(story: Story) -> Iterator[str]:
    """The messages of a group are first processed well in the order in which they were sent."""
    first: dict[str, Processing] = {}
    for one in sorted(story.processings, key=lambda one: one.order):
        if not one.has_failed:
            first.setdefault(one.body, one)
    for group, bodies in story.groups.items():
        for before, after in itertools.pairwise(body for body in bodies if body in first):
            if first[after].order < first[before].order:
                yield f"{after} of group {group} was processed before {before}"


def beside_each_other(story: Story, limits: Limits) -> Iterator[str]:
    """No two invocations work on one group at a time."""
    group_of = {body: group for group, bodies in story.groups.items() for body in bodies}
    turns: defaultdict[str, set[tuple[float, float, str]]] = defaultdict(set)
    for one in story.processings:
        if one.body in group_of and limits.visibility_ms is None:
            turns[group_of[one.body]].add((one.began, one.ended, one.environment))
    for group, found in turns.items():
        for (_, ended, environment), (began, _, later) in itertools.pairwise(sorted(found)):
            if began < ended:
                yield f"group {group} was with {environment} until {ended:.3f}, with {later} from {began:.3f} on"


def without_lines(story: Story) -> Iterator[str]:
    """A message that is deleted has left its lines in the log: they were written before."""
    for body, processings in story.of.items():
        last = processings[-1]
        if not last.has_failed and (last.environment, f"given {body}") not in story.lines:
            yield f"{body} was processed by {last.environment}, whose log does not say so"


def gathered(stories: Sequence[Story]) -> dict[str, int]:
    """Return what a test tells of its run."""
    return {
        "messages": sum(len(story.acknowledged) for story in stories),
        "repeated": sum(story.repeated().total() for story in stories),
    }
