"""What happens when somebody opens an address that a message holds: subscriptions are confirmed, or end."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from cumulet.kernel.errors import AwsError
from cumulet.services.sns.errors import AuthorizationErrorException, invalid
from cumulet.services.sns.subscription_operations import SubscriptionOperations
from cumulet.wire.http import HttpRequest, HttpResponse
from cumulet.wire.service import encode_error, load

PROTOCOL = "query"
SAFE_METHOD = "HEAD"


class OpenedLinks(SubscriptionOperations):
    """Answers as the operations of the same names do, to clients that sign nothing."""

    async def open_link(self, request: HttpRequest) -> HttpResponse:
        """Do what the address says. Some programs look at addresses before people do: HEAD changes nothing."""
        request_id = self.ids.uuid()
        service = load(self.name)
        given = {name: values[0] for name, values in parse_qs(request.query.decode("latin-1")).items()}
        action = given.get("Action", "")
        try:
            if action not in ("ConfirmSubscription", "Unsubscribe"):
                raise invalid("Action")
            result: dict[str, Any] | None = None
            if request.method != SAFE_METHOD:
                result = await self._do(action, given)
            return service.operation(action).encode(PROTOCOL, result, request_id)
        except AwsError as error:
            return encode_error(service, PROTOCOL, error, request_id)

    async def _do(self, action: str, given: dict[str, str]) -> dict[str, Any] | None:
        if action == "ConfirmSubscription":
            if given.get("AuthenticateOnUnsubscribe", "").lower() == "true":
                raise AuthorizationErrorException(
                    "To disallow anonymous unsubscription, subscriber and confirmer IDs must match"
                )
            subscription = await self.confirm(given.get("TopicArn", ""), given.get("Token", ""), is_authenticated=False)
            return {"SubscriptionArn": subscription.arn}
        await self.end(given.get("SubscriptionArn", ""))
        return None
