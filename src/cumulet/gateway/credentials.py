"""The access keys that the store issued: who holds them, until when.

`Credentials` keeps the keys that requests use in memory, and remembers ids that nobody holds; it is filled on the
first use of an id, and a change reaches it with its commit. Both sides are bounded: an id comes from outside.
The root key is made on the first start and lies in a file that only its owner can read.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from cumulet.kernel.credentials import TemporaryCredentials
from cumulet.kernel.ids import secret
from cumulet.store import Row, Store, Tx

DEFAULT_ACCOUNT = "000000000000"
ROOT_FILE = "root-credentials"
LARGEST_CACHE = 10_000
LONGEST_ID = 128
"""IAM: an access key id has at most 128 characters. What is longer is known to be none, and is not remembered."""

_COLUMNS = "id, secret, account, principal, user_id, session_token, expires_at, is_active"
_FIND = f"SELECT {_COLUMNS} FROM gateway_access_keys WHERE id = ?"
_FIND_OF_PRINCIPAL = f"SELECT {_COLUMNS} FROM gateway_access_keys WHERE principal = ? ORDER BY id"
_PUT = f"""
INSERT INTO gateway_access_keys ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET secret = excluded.secret, account = excluded.account, principal = excluded.principal,
    user_id = excluded.user_id, session_token = excluded.session_token, expires_at = excluded.expires_at,
    is_active = excluded.is_active
"""


class Credential(msgspec.Struct, frozen=True):
    """An access key and whose it is. A temporary one has a session token and an end."""

    id: str
    secret: str
    account: str
    principal: str
    """The holder's ARN."""
    user_id: str
    """What STS GetCallerIdentity answers as UserId: the account's number for its root."""
    session_token: str | None = None
    expires_at: int | None = None
    """Milliseconds since 1970 by the machine's clock."""
    is_active: bool = True

    def __repr__(self) -> str:
        return f"Credential({self.id} of {self.principal})"


def find(tx: Tx, access_key_id: str) -> Credential | None:
    """Return the access key of this id."""
    row = tx.one(_FIND, access_key_id)
    return None if row is None else _credential(row)


def of_principal(tx: Tx, principal: str) -> list[Credential]:
    """Return all access keys of a principal, ordered by id."""
    return [_credential(row) for row in tx.all(_FIND_OF_PRINCIPAL, principal)]


class Credentials:
    """The access keys in use, in front of those in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, Credential | None] = {}
        self._issued: dict[str, Credential] = {}
        """Those of the platform's own functions, which end with it."""
        self._changes = 0

    def cached(self, access_key_id: str) -> tuple[bool, Credential | None]:
        """Return whether memory knows about this id, and the access key if one has it."""
        if len(access_key_id) > LONGEST_ID:
            return True, None
        credential = self._known.get(access_key_id) or self._issued.get(access_key_id)
        return credential is not None or access_key_id in self._known, credential

    async def load(self, access_key_id: str) -> Credential | None:
        """Return the access key of this id from the store and keep it in memory, also when there is none."""
        changes = self._changes
        credential = await self._store.read(find, access_key_id)
        if changes == self._changes:
            self._keep(access_key_id, credential)
        return credential

    def put(self, tx: Tx, credential: Credential) -> None:
        """Write an access key, new or changed. It holds for requests that arrive after the commit."""
        values = (credential.id, credential.secret, credential.account, credential.principal, credential.user_id)
        tx.run(_PUT, *values, credential.session_token, credential.expires_at, credential.is_active)
        tx.after_commit(self._changed, credential)

    def issue(self, account: str, role_arn: str, session_name: str) -> TemporaryCredentials:
        """Return new credentials of a session of a role, known until they are revoked or the process ends."""
        key, token = secret(30), secret(90)
        role = role_arn.rpartition("/")[2]
        # IAM: a role's id is AROA and 16 characters; the same role has the same.
        role_id = "AROA" + base64.b32encode(hashlib.sha256(role_arn.encode()).digest()).decode()[:16]
        credential = Credential(
            id="ASIA" + base64.b32encode(secret(10)).decode(),
            secret=base64.b64encode(key).decode(),
            account=account,
            principal=f"arn:aws:sts::{account}:assumed-role/{role}/{session_name}",
            user_id=f"{role_id}:{session_name}",
            session_token=base64.b64encode(token).decode(),
        )
        self._issued[credential.id] = credential
        assert credential.session_token is not None
        return TemporaryCredentials(credential.id, credential.secret, credential.session_token)

    def revoke(self, access_key_id: str) -> None:
        """Refuse issued credentials from now on; harmless when they are unknown."""
        self._issued.pop(access_key_id, None)

    def _changed(self, credential: Credential) -> None:
        # A read that is under way may not have seen this commit: its result isn't kept.
        self._changes += 1
        self._keep(credential.id, credential)

    def _keep(self, access_key_id: str, credential: Credential | None) -> None:
        self._known.pop(access_key_id, None)
        if len(self._known) >= LARGEST_CACHE:
            del self._known[next(iter(self._known))]
        self._known[access_key_id] = credential


def root_credential(random_bytes: Callable[[int], bytes] = secret, account: str = DEFAULT_ACCOUNT) -> Credential:
    """Return a new access key of an account's root, shaped like AWS's: `AKIA` and 16 characters, secret of 40."""
    return Credential(
        id="AKIA" + base64.b32encode(random_bytes(10)).decode(),
        secret=base64.b64encode(random_bytes(30)).decode(),
        account=account,
        principal=f"arn:aws:iam::{account}:root",
        user_id=account,
    )


async def ensure_root_key(store: Store, credentials: Credentials, folder: Path) -> Path:
    """Return the file that holds the root key, making key and file where they are missing.

    `FOLDER/root-credentials` is what the AWS SDKs read as AWS_SHARED_CREDENTIALS_FILE.
    """
    credential = await store.transact(_root_or, credentials, root_credential())
    path = folder / ROOT_FILE
    _write_private(
        path,
        f"[default]\naws_access_key_id = {credential.id}\naws_secret_access_key = {credential.secret}\n",
    )
    return path


def _root_or(tx: Tx, credentials: Credentials, new: Credential) -> Credential:
    active = [held for held in of_principal(tx, new.principal) if held.is_active and held.session_token is None]
    if active:
        return active[0]
    credentials.put(tx, new)
    return new


def _write_private(path: Path, text: str) -> None:
    """Leave a file with this text that only its owner can read; at no moment can anybody else, nor is it half there."""
    with suppress(FileNotFoundError):
        if path.read_text() == text and path.stat().st_mode & 0o777 == 0o600:
            return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(descriptor, 0o600)
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    draft.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _credential(row: Row) -> Credential:
    id_, secret_, account, principal, user_id, session_token, expires_at, is_active = row
    return Credential(id_, secret_, account, principal, user_id, session_token, expires_at, bool(is_active))
