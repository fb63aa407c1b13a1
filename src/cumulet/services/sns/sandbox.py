"""Phone numbers of the SMS sandbox: entered, verified by the password that the phone gets, deleted.

The platform's accounts are as those that have left the sandbox: text messages reach any number.
"""

from __future__ import annotations

from cumulet.kernel.errors import AwsError
from cumulet.services.sns import opt_outs, outbox
from cumulet.services.sns.errors import (
    OptedOutException,
    ResourceNotFoundException,
    VerificationException,
)
from cumulet.services.sns.sms import OPTED_OUT
from cumulet.store import Tx

SELECT_SANDBOX_NUMBER = (
    "SELECT password, is_verified FROM sns_sandbox_numbers WHERE account = ? AND region = ? AND phone_number = ?"
)
SELECT_SANDBOX_NUMBERS = (
    "SELECT phone_number, is_verified FROM sns_sandbox_numbers WHERE account = ? AND region = ? AND phone_number > ? "
    "ORDER BY phone_number LIMIT ?"
)
UPSERT_SANDBOX_NUMBER = (
    "INSERT INTO sns_sandbox_numbers (account, region, phone_number, password, is_verified) VALUES (?, ?, ?, ?, 0) "
    "ON CONFLICT (account, region, phone_number) DO UPDATE SET password = excluded.password"
)
UPDATE_VERIFIED = "UPDATE sns_sandbox_numbers SET is_verified = 1 WHERE account = ? AND region = ? AND phone_number = ?"
DELETE_SANDBOX_NUMBER = "DELETE FROM sns_sandbox_numbers WHERE account = ? AND region = ? AND phone_number = ?"


def add(tx: Tx, account: str, region: str, phone_number: str, *, password: str, message_id: str, now_ms: int) -> None:
    """Enter a number and send it a password; a number that is there gets a new one. Raises OptedOutException."""
    if opt_outs.is_opted_out(tx, account, region, phone_number):
        raise OptedOutException(OPTED_OUT)
    tx.run(UPSERT_SANDBOX_NUMBER, account, region, phone_number, password)
    outbox.put(
        tx,
        account=account,
        region=region,
        kind="sms",
        destination=phone_number,
        message_id=message_id,
        body=f"Your verification code is {password}",
        details={"one_time_password": password},
        now_ms=now_ms,
    )


def verify(tx: Tx, account: str, region: str, phone_number: str, password: str) -> None:
    """Compare the password; raises VerificationException or ResourceNotFoundException."""
    row = tx.one(SELECT_SANDBOX_NUMBER, account, region, phone_number)
    if row is None:
        raise _not_found(phone_number)
    if row[0] != password:
        raise VerificationException("The one-time password is not the one that was sent.", Status="FAILED")
    tx.run(UPDATE_VERIFIED, account, region, phone_number)


def delete(tx: Tx, account: str, region: str, phone_number: str) -> None:
    """Forget a number; raises ResourceNotFoundException."""
    if not tx.run(DELETE_SANDBOX_NUMBER, account, region, phone_number):
        raise _not_found(phone_number)


def listed(tx: Tx, account: str, region: str, after: str, limit: int) -> list[tuple[str, bool]]:
    """Return up to `limit` numbers that sort behind `after`, and whether they are verified."""
    rows = tx.all(SELECT_SANDBOX_NUMBERS, account, region, after, limit)
    return [(row[0], bool(row[1])) for row in rows]


def _not_found(phone_number: str) -> AwsError:
    return ResourceNotFoundException(f"Phone number {phone_number} is not in the SMS sandbox.")
