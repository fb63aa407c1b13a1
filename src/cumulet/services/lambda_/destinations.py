"""Whether what asynchronous invocations come to can be sent where a request says: destinations, dead-letter queues.

Whether there is such a topic is found out when a record is sent. What no service here offers yet (event buses, buckets)
is taken as AWS takes it. A record that can't be sent is counted and logged when it comes to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.kernel.arns import Arn, parse_arn
from cumulet.kernel.call import Call
from cumulet.services.lambda_.base import LambdaBase
from cumulet.services.lambda_.errors import invalid
from cumulet.services.lambda_.function_names import FunctionKey, parse

ACTIONS = {"events": "PutEvents", "lambda": "InvokeFunction", "s3": "PutObject", "sns": "Publish", "sqs": "SendMessage"}
"""What the function's role must be allowed to do, by the kind of destination."""
DEAD_LETTER_KINDS = {"sns": "SNS", "sqs": "SQS"}


class Destinations(LambdaBase):
    """What operations that name destinations share."""

    async def check_destinations(self, call: Call, key: FunctionKey, given: Mapping[str, Any]) -> None:
        """Check a DestinationConfig of a function; raises InvalidParameterValueException."""
        named = {name: given.get(name, {}).get("Destination") for name in ("OnSuccess", "OnFailure")}
        for name, text in named.items():
            arn = parse_arn(text) if text else None
            if text and (arn is None or arn.service not in ACTIONS or (arn.service == "s3" and name == "OnSuccess")):
                success, failure = (f"{name}(destination={text})" if text else "null" for name, text in named.items())
                raise invalid(
                    f"The provided destination config DestinationConfig(onSuccess={success}, onFailure={failure}) "
                    "is invalid."
                )
            if arn is not None:
                await self._check_destination(call, key, arn)

    async def check_dead_letter_target(self, call: Call, members: Mapping[str, Any]) -> None:
        """Check the DeadLetterConfig of a request, if it has one; raises InvalidParameterValueException.

        AWS documents the rules; its words for the first two are not known.
        """
        text = members.get("DeadLetterConfig", {}).get("TargetArn")
        if not text:
            return
        arn = parse_arn(text)
        if arn is None or arn.service not in DEAD_LETTER_KINDS or arn.resource.endswith(".fifo"):
            raise invalid(f"Invalid dead letter ARN: {text} is neither a standard SQS queue nor a standard SNS topic.")
        if not await self._exists(call, arn):
            raise invalid(f"Invalid dead letter ARN: {text} does not exist.")
        if not self._may_send(call, arn):
            raise invalid(
                f"The provided execution role does not have permissions to call {ACTIONS[arn.service]} on "
                f"{DEAD_LETTER_KINDS[arn.service]}"
            )

    async def _check_destination(self, call: Call, key: FunctionKey, arn: Arn) -> None:
        function = _function_of(arn)
        if function is not None and function[0] == key:
            raise invalid("You can't specify the function as a destination for itself.")
        if arn.resource.endswith(".fifo") or not await self._exists(call, arn):
            raise invalid(f"The destination ARN {arn} is invalid.")
        if not self._may_send(call, arn):
            raise invalid(
                f"The function's execution role does not have permissions to call {ACTIONS[arn.service]} on {arn}"
            )

    async def _exists(self, call: Call, arn: Arn) -> bool:
        """Return whether there is such a queue or function in the region; of others it is not asked."""
        if arn.service == "sqs":
            queues = self.platform.delivery.queues
            return arn.region == call.region and await queues.describe(arn) is not None
        if arn.service != "lambda":
            return True
        function = _function_of(arn)
        return arn.region == call.region and function is not None and await self.exists(*function)

    def _may_send(self, call: Call, arn: Arn) -> bool:
        """Return whether a function's role may send there: in enforce mode what is another account's is out of bounds,
        until policies of roles are evaluated. What a policy denies is found out when a record is sent."""
        return not self.is_enforcing or arn.account in ("", call.account)


def _function_of(arn: Arn) -> tuple[FunctionKey, str | None] | None:
    """Return which function and qualifier an ARN names."""
    try:
        locator = parse(str(arn))
    except ValueError:
        return None
    return FunctionKey(arn.account, arn.region, locator.name), locator.qualifier
