"""Between HTTP and functions: the event of a request to a function URL (payload format 2.0), and what an answer means.

The format: AWS Lambda Developer Guide, "Invoking Lambda function URLs".
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import orjson

from cumulet.kernel.call import Identity
from cumulet.services.lambda_.function_urls import FunctionUrl
from cumulet.services.service import Visit
from cumulet.wire.http import HttpRequest, HttpResponse

TEXTS = (b"text/", b"application/json", b"application/xml", b"application/javascript", b"application/graphql")
"""The types of bodies that come as text; all others come in base64."""
PRELUDE_END = b"\0" * 8
"""Ends the JSON object with status and headers that begins a streamed HTTP answer."""
HTTP_STREAM = "application/vnd.awslambda.http-integration-response"
NOT_PASSED_ON = (b"connection", b"content-length", b"date", b"transfer-encoding", b"x-amzn-requestid")
"""Headers that a function can't set."""
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
Headers = list[tuple[bytes, bytes]]


def event(url: FunctionUrl, visit: Visit, now_ms: int, trace_header: str, identity: Identity | None) -> bytes:
    """Return the event for a request; `identity` is the caller's where the URL asks for a signature."""
    request = visit.request
    path = request.raw_path.decode("latin-1")  # as it came: other than an HTTP API, a function URL decodes nothing
    domain = f"{url.url_id}.lambda-url.{url.region}.on.aws"
    headers = _headers(visit, domain, trace_header)
    query = request.query.decode("latin-1")
    context: dict[str, Any] = {
        "accountId": "anonymous" if identity is None else identity.account,
        "apiId": url.url_id,
        "domainName": domain,
        "domainPrefix": url.url_id,
        "http": {
            "method": request.method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": visit.client,
            "userAgent": headers.get("user-agent"),
        },
        "requestId": visit.request_id,
        "routeKey": "$default",
        "stage": "$default",
        "time": datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": now_ms,
    }
    if identity is not None:
        context["authorizer"] = {"iam": _authorizer(identity)}
    found: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": context,
        "isBase64Encoded": False,
    }
    if cookies := request.headers.get(b"cookie"):
        found["cookies"] = [cookie.strip() for cookie in cookies.decode("latin-1").split(";")]
    if query:
        found["queryStringParameters"] = _joined(parse_qsl(query, keep_blank_values=True))
    if request.body:
        found |= _body(request)
    return orjson.dumps(found)


def _headers(visit: Visit, domain: str, trace_header: str) -> dict[str, str]:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in visit.request.headers.items()}
    headers |= {
        "host": domain,
        "x-amzn-trace-id": trace_header,
        "x-forwarded-for": visit.client,
        "x-forwarded-port": visit.host.partition(":")[2] or "80",
        "x-forwarded-proto": visit.scheme,
    }
    headers.pop("cookie", None)
    return headers


def _authorizer(identity: Identity) -> dict[str, Any]:
    return {
        "accessKey": identity.access_key_id,
        "accountId": identity.account,
        "callerId": identity.user_id,
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": identity.principal,
        "userId": identity.user_id,
    }


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def _body(request: HttpRequest) -> dict[str, Any]:
    if request.headers.get(b"content-type", b"application/json").lower().startswith(TEXTS):
        try:
            return {"body": request.body.decode()}
        except UnicodeDecodeError:
            pass  # it is not what it says
    return {"body": base64.b64encode(request.body).decode(), "isBase64Encoded": True}


class BadAnswer(Exception):
    """A function has returned what is no HTTP answer."""


def response(payload: bytes) -> HttpResponse:
    """Return what a function's result means: an object with `statusCode` is the whole answer, all else its body.

    Raises BadAnswer.
    """
    try:
        result = orjson.loads(payload)
    except ValueError:
        raise BadAnswer from None
    if not isinstance(result, dict) or "statusCode" not in result:
        body = result.encode() if isinstance(result, str) else payload
        return HttpResponse(200, body, [(b"content-type", b"application/json")])
    status, headers = head(result)
    return HttpResponse(status, _content(result), headers)


def head(result: Mapping[str, Any]) -> tuple[int, Headers]:
    """Return status and headers of a function's answer; raises BadAnswer."""
    try:
        status = int(result.get("statusCode", 200))
    except (TypeError, ValueError):
        raise BadAnswer from None
    given, cookies = result.get("headers") or {}, result.get("cookies") or []
    if not (200 <= status <= 599 and isinstance(given, dict) and isinstance(cookies, list)):
        raise BadAnswer
    if not all(HEADER_NAME.fullmatch(name) for name in given):
        raise BadAnswer
    headers = [(name.lower().encode(), _text(value).encode()) for name, value in given.items()]
    headers = [(name, value) for name, value in headers if name not in NOT_PASSED_ON]
    if not any(name == b"content-type" for name, _ in headers):
        headers.append((b"content-type", b"application/json"))
    return status, headers + [(b"set-cookie", str(cookie).encode()) for cookie in cookies]


def _content(result: Mapping[str, Any]) -> bytes:
    body = result.get("body")
    if body is None:
        return b""
    text = body if isinstance(body, str) else orjson.dumps(body).decode()
    if not _is_true(result.get("isBase64Encoded")):
        return text.encode()
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        raise BadAnswer from None


def _is_true(value: Any) -> bool:
    """Whether a function says yes; libraries write booleans as text now and then."""
    return value.lower() == "true" if isinstance(value, str) else bool(value)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None:
        return orjson.dumps(value).decode()
    if isinstance(value, int | float):
        return str(value)
    raise BadAnswer
