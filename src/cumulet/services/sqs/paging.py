"""Pages of a list: MaxResults, NextToken, and the token's tie to the list that it continues."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import msgspec

from cumulet.services.sqs.errors import InvalidParameterValueException

MAX_RESULTS = (1, 1_000)


class Page(msgspec.Struct, frozen=True):
    """One page of a list that is sorted by name."""

    listing: str
    after: str
    size: int
    is_paged: bool
    """Whether the client asked for pages: without MaxResults AWS gives no token, though more be left."""

    def next_token(self, names: Sequence[str]) -> dict[str, str]:
        """Return the NextToken member if `names` (one more than the page shows) go on behind the page."""
        if not self.is_paged or len(names) <= self.size:
            return {}
        return {"NextToken": base64.b64encode(msgspec.json.encode([self.listing, names[self.size - 1]])).decode()}


def page(max_results: int | None, token: str | None, listing: str) -> Page:
    """Return the page that a request asks for; `listing` names the list and what it was filtered by."""
    if max_results is not None and not MAX_RESULTS[0] <= max_results <= MAX_RESULTS[1]:
        raise InvalidParameterValueException(
            "Value for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and 1000."
        )
    after = ""
    if token:
        try:
            token_listing, after = msgspec.json.decode(base64.b64decode(token, validate=True), type=tuple[str, str])
        except (ValueError, msgspec.MsgspecError):
            raise InvalidParameterValueException("Invalid or expired next token.") from None
        if token_listing != listing:
            raise InvalidParameterValueException(
                "Invalid NextToken value. If you are passing in NextToken, you must not change the other "
                "request parameters."
            )
    return Page(listing, after, max_results or MAX_RESULTS[1], max_results is not None)
