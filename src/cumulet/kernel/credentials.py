"""Temporary credentials for what runs on somebody's behalf, such as a function."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class TemporaryCredentials(NamedTuple):
    """What an AWS client needs to sign its requests."""

    access_key_id: str
    secret_access_key: str
    session_token: str


class CredentialIssuer(Protocol):
    """Makes credentials that the gateway will know. They last as long as the process and are not on disk."""

    def issue(self, account: str, role_arn: str, session_name: str) -> TemporaryCredentials:
        """Return new credentials of a session of a role (`arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`)."""

    def revoke(self, access_key_id: str) -> None:
        """Let credentials be refused from now on."""
