"""Which requests to endpoints may be under way, so that those that answer never wait for those that don't.

An endpoint begins with one request at a time and gets more with each answer, up to ten. One that fails has fewer
again; after some failures in a row it is sick: it has one at a time, all sick ones share a part of the places, and one
of them is tried every twenty milliseconds, in turn. So what waits for dead endpoints costs the others next to nothing,
however much that is; an answer ends it. Waits go by the platform's clock.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import islice

from cumulet.kernel.clock import Clock

AT_ONCE = 10
"""Requests under way to one endpoint that is well."""
AT_ONCE_IN_ALL = 200
"""Requests under way to all: each is a connection, of which a process may have a thousand or so."""
AT_ONCE_TO_SICK = 100
"""Requests under way to all endpoints that are sick."""
FAILURES = 5
"""In a row: then an endpoint is sick."""
PAUSE_MS = 20
"""Between two requests to sick endpoints."""
MOST_KNOWN = 10_000
"""So many endpoints are known when nothing is under way to them; then the oldest is forgotten."""

Wake = Callable[[], None]


class Endpoint:
    """What is known of one endpoint."""

    __slots__ = ("failures", "has_timer", "has_turn", "most", "next_ms", "running", "wake")

    def __init__(self) -> None:
        self.running = 0
        self.most = 1
        """So many may be under way."""
        self.failures = 0
        """In a row."""
        self.next_ms = 0.0
        """When the next request may go, where its pace is limited."""
        self.has_timer = False
        """Whether a timer waits for `next_ms`."""
        self.has_turn = False
        """Whether it may be tried though it is sick."""
        self.wake: Wake | None = None
        """What to call when a request has ended."""

    @property
    def is_sick(self) -> bool:
        """Has it failed again and again?"""
        return self.failures >= FAILURES


class Places:
    """The places for requests, and who waits for one. Lanes stand for endpoints."""

    def __init__(self, clock: Clock, at_once: int = AT_ONCE) -> None:
        """`at_once` requests may be under way to one endpoint."""
        self._clock = clock
        self._at_once = at_once
        self._known: dict[str, Endpoint] = {}
        self._running = 0
        self._running_to_sick = 0
        self._waiting: dict[str, Wake] = {}
        """Who waits for any request to end, the longest waiting first."""
        self._sick: dict[str, Wake] = {}
        """Sick ones that wait for their turn, the longest waiting first."""
        self._next_sick_ms = 0
        self._has_timer = False

    def take(self, lane: str, wake: Wake) -> Callable[[], None] | None:
        """Take a place and return what gives it back; None where there is none, then `wake` is called in time."""
        endpoint = self._known.get(lane)
        if endpoint is None:
            endpoint = self._known[lane] = Endpoint()
            self._forget()
        if endpoint.running >= endpoint.most:
            endpoint.wake = wake
            return None
        is_sick = endpoint.is_sick
        if is_sick and not endpoint.has_turn:
            self._sick[lane] = wake
            self._call_sick()
            return None
        if self._running >= AT_ONCE_IN_ALL:
            self._waiting[lane] = wake
            return None
        endpoint.has_turn = False
        endpoint.running += 1
        self._running += 1
        self._running_to_sick += is_sick
        return lambda: self._give_back(endpoint, is_sick=is_sick)

    def keep_pace(self, lane: str, most_per_second: int | None, wake: Wake) -> bool:
        """Return whether a request may go now; if not, `wake` is called when one may."""
        endpoint = self._known.get(lane)
        if most_per_second is None or endpoint is None:
            return True
        now_ms = self._clock.now_ms()
        if endpoint.next_ms > now_ms:
            if not endpoint.has_timer:
                endpoint.has_timer = True
                self._clock.call_at(int(endpoint.next_ms) + 1, partial(self._go_on, endpoint, wake))
            return False
        endpoint.next_ms = now_ms + 1000 / most_per_second
        return True

    def tell(self, lane: str, *, is_well: bool) -> None:
        """Know whether an endpoint has answered as one does that works."""
        endpoint = self._known.get(lane)
        if endpoint is None:
            return
        if is_well:
            endpoint.failures = 0
            endpoint.most = min(endpoint.most + 1, self._at_once)
        else:
            endpoint.failures += 1
            endpoint.most = 1 if endpoint.is_sick else max(1, endpoint.most // 2)

    def sick(self) -> list[str]:
        """Return the endpoints that are known to be sick."""
        return [lane for lane, endpoint in self._known.items() if endpoint.is_sick]

    def _give_back(self, endpoint: Endpoint, *, is_sick: bool) -> None:
        self._running -= 1
        self._running_to_sick -= is_sick
        endpoint.running -= 1
        for lane in list(islice(self._waiting, AT_ONCE_IN_ALL - self._running)):
            self._waiting.pop(lane)()
        wake, endpoint.wake = endpoint.wake, None
        if wake is not None:
            wake()  # behind the others
        self._call_sick()

    @staticmethod
    def _go_on(endpoint: Endpoint, wake: Wake) -> None:
        endpoint.has_timer = False
        wake()

    def _call_sick(self) -> None:
        """Let the next sick one be tried, in its time."""
        if self._sick and not self._has_timer and self._running_to_sick < AT_ONCE_TO_SICK:
            self._has_timer = True
            self._clock.call_at(self._next_sick_ms, self._ring)

    def _ring(self) -> None:
        self._has_timer = False
        if self._sick and self._running_to_sick < AT_ONCE_TO_SICK:
            lane = next(iter(self._sick))
            wake = self._sick.pop(lane)
            if (endpoint := self._known.get(lane)) is not None:
                endpoint.has_turn = True
            self._next_sick_ms = self._clock.now_ms() + PAUSE_MS
            wake()
            self._call_sick()

    def _forget(self) -> None:
        if len(self._known) > MOST_KNOWN:
            for lane, endpoint in self._known.items():
                if not endpoint.running:
                    del self._known[lane]
                    return
