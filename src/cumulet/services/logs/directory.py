"""The groups by name, and the places that writers append to, in memory: what every request looks up first."""

from __future__ import annotations

from typing import NamedTuple

from cumulet.services.logs import groups
from cumulet.services.logs.errors import no_such_group
from cumulet.services.logs.groups import Group, GroupKey
from cumulet.store import Store

MOST_PLACES = 10_000
"""Every function environment has a stream of its own; those that end are forgotten in the end."""

StreamKey = tuple[str, str, str, str]
"""Account, region, group and stream."""


class Place(NamedTuple):
    """A group and a stream by number. Either may have been deleted since: whoever writes there notices."""

    group_id: int
    stream_id: int


class Directory:
    """A cache of the groups on disk by account, region and name, and of places by the names of their streams too."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._groups: dict[GroupKey, Group] = {}
        self._places: dict[StreamKey, Place] = {}

    def cached(self, key: GroupKey) -> Group | None:
        """Return the group if it is in memory."""
        return self._groups.get(key)

    async def find(self, key: GroupKey) -> Group:
        """Return the group of that name; raises ResourceNotFoundException."""
        group = self._groups.get(key)
        if group is None:
            group = await self._store.read(groups.find, *key)
            if group is None:
                raise no_such_group()
            self.keep(group)
        return group

    def keep(self, group: Group) -> None:
        """Know a group that was created or changed; to be called after the commit."""
        self._groups[group.key] = group

    def forget(self, group: Group) -> None:
        """Know a group no more; to be called after the commit."""
        self._groups.pop(group.key, None)

    def place(self, key: StreamKey) -> Place | None:
        """Return where a stream's events go, if it is in memory."""
        return self._places.get(key)

    def keep_place(self, key: StreamKey, place: Place) -> None:
        """Know where a stream's events go; to be called after the commit."""
        if len(self._places) >= MOST_PLACES:
            del self._places[next(iter(self._places))]
        self._places[key] = place
