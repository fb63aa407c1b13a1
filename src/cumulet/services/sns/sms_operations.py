"""Operations on text messages: settings, numbers that have opted out, the sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulet.kernel.call import Call
from cumulet.kernel.errors import AwsError
from cumulet.services import list_tokens
from cumulet.services.sns import opt_outs, sandbox, sms
from cumulet.services.sns.base import SnsBase
from cumulet.services.sns.errors import invalid
from cumulet.services.sns.phone_numbers import is_phone_number

if TYPE_CHECKING:
    from types_boto3_sns import type_defs as t

OPTED_OUT_A_PAGE = 100
SANDBOX_NUMBERS_A_PAGE = 100
"""SNS: unless MaxResults says less."""
PASSWORD_DIGITS = 6


class SmsOperations(SnsBase):
    """Settings, opt-outs and sandbox."""

    async def set_sms_attributes(self, call: Call, request: t.SetSMSAttributesInputTypeDef) -> None:
        """Change the account's settings for text messages."""
        changes = request["attributes"]
        sms.check_attributes(changes)
        await self.store.transact(sms.set_attributes, call.account, call.region, changes)

    async def get_sms_attributes(self, call: Call, request: t.GetSMSAttributesInputTypeDef) -> dict[str, Any]:
        """Return the settings, or those that are named and set."""
        names = request.get("attributes") or ()
        for name in names:
            if name not in sms.NAMES:
                raise invalid(f"{name} is not a valid attribute")
        found = await self.store.read(sms.attributes, call.account, call.region)
        return {"attributes": {name: value for name, value in found.items() if not names or name in names}}

    async def check_if_phone_number_is_opted_out(
        self, call: Call, request: t.CheckIfPhoneNumberIsOptedOutInputTypeDef
    ) -> dict[str, Any]:
        """Tell whether the holder of a phone wants no messages."""
        number = _checked(request["phoneNumber"])
        return {"isOptedOut": await self.store.read(opt_outs.is_opted_out, call.account, call.region, number)}

    async def list_phone_numbers_opted_out(
        self, call: Call, request: t.ListPhoneNumbersOptedOutInputTypeDef
    ) -> dict[str, Any]:
        """Return a page of the numbers that are opted out."""
        after = _after(call, request.get("nextToken"))
        found = await self.store.read(opt_outs.listed, call.account, call.region, after, OPTED_OUT_A_PAGE + 1)
        shown = found[:OPTED_OUT_A_PAGE]
        rest = {"nextToken": list_tokens.token(call.operation, shown[-1])} if len(found) > len(shown) else {}
        return {"phoneNumbers": shown, **rest}

    async def opt_in_phone_number(self, call: Call, request: t.OptInPhoneNumberInputTypeDef) -> dict[str, Any]:
        """Let a number that is opted out get messages again."""
        number = _checked(request["phoneNumber"])
        await self.store.transact(opt_outs.opt_in, call.account, call.region, number, self.clock.now_ms())
        return {}

    async def get_sms_sandbox_account_status(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        """Say that the account has left the sandbox."""
        return {"IsInSandbox": False}

    async def create_sms_sandbox_phone_number(
        self, call: Call, request: t.CreateSMSSandboxPhoneNumberInputTypeDef
    ) -> dict[str, Any]:
        """Enter a number and send it a one-time password."""
        number = _checked(request["PhoneNumber"])
        await self.store.transact(
            sandbox.add,
            call.account,
            call.region,
            number,
            password=f"{self.ids.random.randrange(10**PASSWORD_DIGITS):0{PASSWORD_DIGITS}}",
            message_id=self.ids.uuid(),
            now_ms=self.clock.now_ms(),
        )
        return {}

    async def verify_sms_sandbox_phone_number(
        self, call: Call, request: t.VerifySMSSandboxPhoneNumberInputTypeDef
    ) -> dict[str, Any]:
        """Verify a number by the password that it got."""
        number = _checked(request["PhoneNumber"])
        await self.store.transact(sandbox.verify, call.account, call.region, number, request["OneTimePassword"])
        return {}

    async def delete_sms_sandbox_phone_number(
        self, call: Call, request: t.DeleteSMSSandboxPhoneNumberInputTypeDef
    ) -> dict[str, Any]:
        """Forget a number of the sandbox."""
        number = _checked(request["PhoneNumber"])
        await self.store.transact(sandbox.delete, call.account, call.region, number)
        return {}

    async def list_sms_sandbox_phone_numbers(
        self, call: Call, request: t.ListSMSSandboxPhoneNumbersInputTypeDef
    ) -> dict[str, Any]:
        """Return a page of the sandbox's numbers."""
        size = request.get("MaxResults", SANDBOX_NUMBERS_A_PAGE)
        after = _after(call, request.get("NextToken"))
        found = await self.store.read(sandbox.listed, call.account, call.region, after, size + 1)
        shown = found[:size]
        rest = {"NextToken": list_tokens.token(call.operation, shown[-1][0])} if len(found) > size else {}
        numbers = [
            {"PhoneNumber": number, "Status": "Verified" if is_verified else "Pending"} for number, is_verified in shown
        ]
        return {"PhoneNumbers": numbers, **rest}

    async def list_origination_numbers(
        self, call: Call, request: t.ListOriginationNumbersRequestTypeDef
    ) -> dict[str, Any]:
        """Say that the account has none: they are leased from another service."""
        _after(call, request.get("NextToken"))
        return {"PhoneNumbers": []}


def _checked(phone_number: str) -> str:
    if not is_phone_number(phone_number):
        raise invalid("PhoneNumber Reason: input incorrectly formatted")
    return phone_number


def _after(call: Call, token: str | None) -> str:
    return list_tokens.position(token, call.operation, str, _bad_token) or ""


def _bad_token() -> AwsError:
    return invalid("NextToken")
