"""The platform's one signing key, and the certificate that subscribers check signatures with.

The key is made when it is first needed and stays in the store, so that what was signed before a restart is still true.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cumulet.kernel.clock import Clock
from cumulet.services.sns.links import CERTIFICATES
from cumulet.store import Store, Tx
from cumulet.wire.http import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from cumulet.services.sns.signer import Signer

SELECT_KEY = "SELECT private_key, certificate FROM sns_signing_keys WHERE id = 1"
INSERT_KEY = """
INSERT INTO sns_signing_keys (id, private_key, certificate) VALUES (1, ?, ?) ON CONFLICT (id) DO NOTHING"""


class Signing:
    """Makes, keeps and shows the key."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._signer: Signer | None = None
        self._making = asyncio.Lock()

    async def signer(self) -> Signer:
        """Return what signs."""
        if self._signer is not None:
            return self._signer
        async with self._making:
            if self._signer is None:
                from cumulet.services.sns import signer  # the library of ciphers: 35 ms and 10 MB of a start

                pair = await self._store.read(_load)
                if pair is None:
                    new = await asyncio.to_thread(signer.new_pair, self._clock.now_ms())
                    pair = await self._store.transact(_keep, *new)
                self._signer = signer.Signer(*pair)
        return self._signer

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """Return the certificate, under its name."""
        signer = await self.signer()
        if request.raw_path.removeprefix(CERTIFICATES.encode()) != signer.name.encode():
            return HttpResponse(404, b"There is no such certificate.\n", [(b"content-type", b"text/plain")])
        return HttpResponse(200, signer.certificate.encode(), [(b"content-type", b"application/x-pem-file")])


def _load(tx: Tx) -> tuple[str, str] | None:
    row = tx.one(SELECT_KEY)
    return (row[0], row[1]) if row else None


def _keep(tx: Tx, private_key: str, certificate: str) -> tuple[str, str]:
    """Write a new key unless there is one, and return the one that holds."""
    tx.run(INSERT_KEY, private_key, certificate)
    return _load(tx) or (private_key, certificate)
