"""What Lambda says of layers that can't be used. None can yet: there is no way to publish one."""

from __future__ import annotations

from collections.abc import Sequence

from cumulet.kernel.arns import parse_arn
from cumulet.kernel.call import Call
from cumulet.services.lambda_.errors import AccessDeniedException, invalid

MOST_LAYERS = 5


def check(call: Call, arns: Sequence[str]) -> None:
    """Raise Lambda's error for the layers of a function."""
    if len(arns) > MOST_LAYERS:
        raise invalid(f"Cannot reference more than {MOST_LAYERS} layers.")
    for text in arns:
        arn = parse_arn(text)
        if arn is None or arn.account != call.account:
            raise AccessDeniedException(
                f"User: {call.identity.principal} is not authorized to perform: lambda:GetLayerVersion on resource: "
                f"{text} because no resource-based policy allows the lambda:GetLayerVersion action"
            )
        if arn.region != call.region:
            raise invalid(
                f"Layers are not in the same region as the function. Layers are expected to be in region {call.region}."
            )
        raise invalid(f"Layer version {text} does not exist.")
