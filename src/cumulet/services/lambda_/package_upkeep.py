"""Removes packages that no function refers to: at every start, and a while after a function was changed or deleted."""

from __future__ import annotations

from cumulet.kernel.activity import Activity
from cumulet.kernel.clock import Clock, Timer
from cumulet.services.lambda_ import package_use
from cumulet.services.lambda_.package_files import PackageFiles
from cumulet.store import Store

REST_MS = 15 * 60 * 1000
"""An invocation that began before a change may still unpack the old package: none lasts longer than 15 minutes."""


class PackageUpkeep:
    """Keeps the folder of packages as small as the functions need it."""

    def __init__(self, store: Store, packages: PackageFiles, clock: Clock, activity: Activity) -> None:
        self._store = store
        self._packages = packages
        self._clock = clock
        self._activity = activity
        self._timer: Timer | None = None

    async def start(self) -> None:
        """Remove what was left behind; nothing runs yet that could need it."""
        self._packages.remove_unfinished()
        await self._remove()

    def look_later(self) -> None:
        """Remove, when nothing can need it any more, what a change has left behind."""
        if self._timer is None:
            self._timer = self._clock.call_at(self._clock.now_ms() + REST_MS, self._fire)

    def _fire(self) -> None:
        self._timer = None
        self._activity.spawn("removing packages", self._remove())

    async def _remove(self) -> None:
        self._packages.begin_removal()
        found = await self._packages.all()
        used = await self._store.read(package_use.packages)
        self._packages.remove(found - used)
