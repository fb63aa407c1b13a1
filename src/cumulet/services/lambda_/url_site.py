"""Requests to function URLs: who may send them, what browsers may, what the function answers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any

import orjson

from cumulet import policies
from cumulet.compute import CannotRun, Outcome
from cumulet.kernel.call import Identity
from cumulet.kernel.errors import AwsError
from cumulet.policies import Asker, Decision
from cumulet.services.lambda_ import function_urls, url_messages
from cumulet.services.lambda_.cors import allowances, is_preflight
from cumulet.services.lambda_.function_names import qualified_arn
from cumulet.services.lambda_.function_urls import FunctionUrl
from cumulet.services.lambda_.invoke_operations import MOST_PAYLOAD_BYTES
from cumulet.services.lambda_.policies import INVOKE_URL
from cumulet.services.lambda_.stream_operations import StreamOperations
from cumulet.services.lambda_.streaming import StreamedInvocation
from cumulet.services.lambda_.url_messages import BadAnswer
from cumulet.services.service import Site, Visit
from cumulet.wire import sigv4
from cumulet.wire.http import HttpResponse

SITE = b"lambda-url"
FORBIDDEN = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)
MOST_PRELUDE_BYTES = 64 * 1024


class Refused(Exception):
    """A request that reaches no function."""

    def __init__(self, status: int, message: str | None, error_type: str) -> None:
        super().__init__(message)
        headers = [(b"content-type", b"application/json"), (b"x-amzn-errortype", error_type.encode())]
        self.response = HttpResponse(status, orjson.dumps({"Message": message}), headers)


class UrlSite(StreamOperations):
    """Answers at the functions' addresses."""

    def sites(self) -> Mapping[bytes, Site]:
        """Let requests to function URLs run functions."""
        return {SITE: self._visited}

    async def _visited(self, visit: Visit) -> HttpResponse:
        try:
            url = await self._url(visit.name)
            if url.cors is not None and is_preflight(visit.request):
                return HttpResponse(200, b"", allowances(url.cors, visit.request))
            identity = await self._caller(url, visit)
            response = await self._run_for(url, visit, identity)
        except Refused as refusal:
            response, url = refusal.response, None
        if url is not None and url.cors is not None:
            own = allowances(url.cors, visit.request)
            names = {name for name, _ in own}
            response.headers = [header for header in response.headers if header[0] not in names] + own
        return response

    async def _url(self, url_id: str) -> FunctionUrl:
        url = self.url_cache.get(url_id) or await self.store.read(function_urls.find, url_id)
        if url is None or not await self.exists(url.key, url.qualifier or None):
            raise Refused(403, None, "AccessDeniedException")
        self.url_cache[url_id] = url
        return url

    async def _caller(self, url: FunctionUrl, visit: Visit) -> Identity | None:
        """Return who calls, None for a URL that anybody may call; raises Refused."""
        if url.auth_type == "NONE":
            if self.is_enforcing and await self._decision_of_url(url, visit, None) is not Decision.ALLOWED:
                raise Refused(403, FORBIDDEN, "AccessDeniedException")
            return None
        if sigv4.scope(visit.request) is None:
            raise Refused(403, FORBIDDEN, "AccessDeniedException")
        try:
            identity = await visit.authenticate("lambda")
        except AwsError as error:
            raise Refused(403, error.message, type(error).__name__) from None
        if self.is_enforcing and await self._decision_of_url(url, visit, identity) is not Decision.ALLOWED:
            raise Refused(403, FORBIDDEN, "AccessDeniedException")
        return identity

    async def _decision_of_url(self, url: FunctionUrl, visit: Visit, identity: Identity | None) -> Decision:
        facts = {
            **policies.request_facts(
                url.key.region, scheme=visit.scheme, client=visit.client, now_ms=self.clock.now_ms()
            ),
            "lambda:functionurlauthtype": url.auth_type,
            "lambda:invokedviafunctionurl": "true",
        }
        policy, arn = (
            await self.directory.policy(url.key, url.qualifier or None),
            qualified_arn(url.key, url.qualifier or None),
        )
        asker = Asker(facts=facts) if identity is None else policies.of_identity(identity, facts)
        return policies.decide(policy, INVOKE_URL, arn, asker, owner=url.account)

    async def _run_for(self, url: FunctionUrl, visit: Visit, identity: Identity | None) -> HttpResponse:
        trace_header = visit.request.headers.get(b"x-amzn-trace-id", b"").decode("latin-1") or self.new_trace()
        payload = url_messages.event(url, visit, self.clock.now_ms(), trace_header, identity)
        if len(payload) > MOST_PAYLOAD_BYTES:
            raise Refused(413, "Request Too Long", "RequestEntityTooLargeException")
        settings = {
            "qualifier": url.qualifier or None,
            "request_id": visit.request_id,
            "trace_header": trace_header,
        }
        try:
            function = await self.routed(url.key, url.qualifier or None)
            if url.invoke_mode == "BUFFERED":
                return _buffered(await self.invoked(function, payload, **settings))
            invocation = self.streamed(function, payload, **settings)
            await invocation.begun()
        except CannotRun:
            return _failed()
        except AwsError as error:
            raise Refused(error.status, error.message, type(error).__name__) from None
        return await _streamed(invocation)


def _buffered(outcome: Outcome) -> HttpResponse:
    if outcome.error is not None:
        return _failed()
    try:
        return url_messages.response(outcome.payload)
    except BadAnswer:
        return _failed()


async def _streamed(invocation: StreamedInvocation) -> HttpResponse:
    """Return an answer that goes on as the function writes it; status and headers stand before its first piece.

    What a function returns that doesn't stream is the body as it is.
    """
    if not invocation.is_streaming:
        outcome = await invocation.outcome()
        headers = [(b"content-type", invocation.content_type.encode())]
        return _failed() if outcome.error is not None else HttpResponse(200, outcome.payload, headers)
    pieces = invocation.pieces()
    if invocation.content_type != url_messages.HTTP_STREAM:
        content_type = invocation.content_type.encode()
        return HttpResponse(200, b"", [(b"content-type", content_type)], stream=_to_the_end(invocation, b"", pieces))
    begin = b""
    async for piece in pieces:
        begin += piece
        if url_messages.PRELUDE_END in begin or len(begin) > MOST_PRELUDE_BYTES:
            break
    prelude, _, rest = begin.partition(url_messages.PRELUDE_END)
    try:
        told: Any = orjson.loads(prelude)
        status, headers = url_messages.head(told)
    except (ValueError, AttributeError, BadAnswer):
        await pieces.aclose()
        return _failed()
    return HttpResponse(status, b"", headers, stream=_to_the_end(invocation, rest, pieces))


async def _to_the_end(
    invocation: StreamedInvocation, first: bytes, pieces: AsyncGenerator[bytes, None]
) -> AsyncGenerator[bytes, None]:
    """Return the pieces; an answer that the function does not finish ends with an error, as a broken connection."""
    try:
        if first:
            yield first
        async for piece in pieces:
            yield piece
    finally:
        await pieces.aclose()
    if (await invocation.outcome()).error is not None:
        raise ConnectionResetError("the function has failed while it was answering")


def _failed() -> HttpResponse:
    return HttpResponse(502, b"Internal Server Error", [(b"content-type", b"application/json")])
