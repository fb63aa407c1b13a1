"""Answers that are passed on while the function writes them: InvokeWithResponseStream and streaming URLs."""

from __future__ import annotations

import base64
import http.client
import json
import shutil
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from lambda_functions import create, zip_of

from cumulet.testing import Cumulet

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="streams are written by Node.js functions")

STREAMER = """
export const handler = awslambda.streamifyResponse(async (event, stream, context) => {
  const request = event.body ? JSON.parse(event.body) : event;
  if (request.http) {
    stream = awslambda.HttpResponseStream.from(stream, request.http);
  } else if (request.type) {
    stream.setContentType(request.type);
  }
  for (const piece of request.pieces ?? []) {
    stream.write(piece);
    await new Promise((done) => setTimeout(done, request.pause ?? 0));
  }
  if (request.fail) throw new Error('half way');
  stream.end();
});
"""


def streamer(cumulet: Cumulet) -> str:
    """Create a function that streams what its event says."""
    code = {"ZipFile": zip_of({"index.mjs": STREAMER})}
    name: str = create(cumulet, Runtime="nodejs20.x", Handler="index.handler", Code=code, Timeout=20)["FunctionName"]
    return name


def invoked(cumulet: Cumulet, name: str, event: Any, **members: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the answer and its events."""
    answer = cumulet.client("lambda").invoke_with_response_stream(
        FunctionName=name, Payload=json.dumps(event), **members
    )
    return answer, list(answer["EventStream"])


def payload(events: list[dict[str, Any]]) -> bytes:
    return b"".join(event["PayloadChunk"]["Payload"] for event in events if "PayloadChunk" in event)


@needs_node
def test_pieces_arrive_as_events_and_the_last_one_says_how_it_ended(cumulet: Cumulet) -> None:
    name = streamer(cumulet)

    event = {"type": "text/plain", "pieces": ["one", "two"], "pause": 30}
    answer, events = invoked(cumulet, name, event, LogType="Tail")

    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert answer["ResponseStreamContentType"] == "text/plain"
    assert payload(events) == b"onetwo"
    assert len(events) >= 3
    complete = events[-1]["InvokeComplete"]
    assert complete.keys() == {"LogResult"}
    assert "REPORT RequestId" in base64.b64decode(complete["LogResult"]).decode()


@needs_node
def test_the_first_piece_arrives_before_the_last_is_written(cumulet: Cumulet) -> None:
    name = streamer(cumulet)
    invoked(cumulet, name, {"pieces": []})
    answer = cumulet.client("lambda").invoke_with_response_stream(
        FunctionName=name, Payload=json.dumps({"pieces": ["first", "second"], "pause": 400})
    )

    first = next(iter(answer["EventStream"]))
    answer["EventStream"].close()

    assert first["PayloadChunk"]["Payload"] == b"first"


@needs_node
def test_a_failure_half_way_is_told_at_the_end(cumulet: Cumulet) -> None:
    _, events = invoked(cumulet, streamer(cumulet), {"pieces": ["some"], "fail": True, "pause": 50})

    assert payload(events) == b"some"
    complete = events[-1]["InvokeComplete"]
    assert complete["ErrorCode"] == "Unhandled"
    assert "half way" in complete["ErrorDetails"]


def test_what_a_function_returns_that_does_not_stream_is_one_piece(cumulet: Cumulet) -> None:
    name = create(cumulet)["FunctionName"]

    _, events = invoked(cumulet, name, {"a": 1})

    assert json.loads(payload(events)) == {"a": 1}
    assert events[-1] == {"InvokeComplete": {}}


def test_a_failed_function_that_does_not_stream_is_told(cumulet: Cumulet) -> None:
    name = create(cumulet, source="def handler(event, context): raise ValueError('no')\n")["FunctionName"]

    _, events = invoked(cumulet, name, {})

    assert payload(events) == b""
    assert json.loads(events[-1]["InvokeComplete"]["ErrorDetails"])["errorMessage"] == "no"


def test_a_dry_run_runs_nothing(cumulet: Cumulet) -> None:
    name = create(cumulet, source="raise ValueError('at import')\n")["FunctionName"]

    answer, events = invoked(cumulet, name, {}, InvocationType="DryRun")

    assert (answer["StatusCode"], events) == (204, [])


@pytest.mark.parametrize(
    ("members", "code", "status"),
    [
        ({"FunctionName": "missing"}, "ResourceNotFoundException", 404),
        ({"Qualifier": "7"}, "ResourceNotFoundException", 404),
        ({"Payload": b"{"}, "InvalidRequestContentException", 400),
        ({"Payload": b'"' + b"x" * 6_291_456 + b'"'}, "RequestTooLargeException", 413),
        ({"ClientContext": "x"}, "InvalidRequestContentException", 400),
        ({"ClientContext": "e30=" * 896}, "InvalidRequestContentException", 400),
        ({"InvocationType": "Event"}, "ValidationException", 400),
        ({"LogType": "Head"}, "ValidationException", 400),
    ],
)
def test_bad_input_is_refused(cumulet: Cumulet, members: dict[str, Any], code: str, status: int) -> None:
    name = create(cumulet)["FunctionName"]
    client = cumulet.client("lambda", parameter_validation=False)

    with pytest.raises(ClientError) as refused:
        client.invoke_with_response_stream(**{"FunctionName": name, **members})

    response = refused.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)


def test_a_function_without_a_free_slot_is_throttled(cumulet: Cumulet) -> None:
    name = create(cumulet)["FunctionName"]
    client = cumulet.client("lambda")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)

    for _ in range(2):
        with pytest.raises(client.exceptions.TooManyRequestsException):
            client.invoke_with_response_stream(FunctionName=name)


# URLs


def asked(cumulet: Cumulet, name: str, request: Any) -> tuple[http.client.HTTPResponse, bytes]:
    """Send a request to a new streaming URL of a function; return the answer and as much of its body as came."""
    config = cumulet.client("lambda").create_function_url_config(
        FunctionName=name, AuthType="NONE", InvokeMode="RESPONSE_STREAM"
    )
    url = urlsplit(config["FunctionUrl"])
    connection = http.client.HTTPConnection(url.netloc, timeout=20)
    connection.request("POST", url.path, json.dumps(request), {"Content-Type": "application/json"})
    response = connection.getresponse()
    try:
        body = response.read()
    except http.client.IncompleteRead as cut:
        body = cut.partial
        response.reason = "incomplete"
    connection.close()
    return response, body


@needs_node
def test_a_streaming_url_passes_pieces_on(cumulet: Cumulet) -> None:
    response, body = asked(cumulet, streamer(cumulet), {"type": "text/event-stream", "pieces": ["a", "b"], "pause": 20})

    assert (response.status, response.headers["Content-Type"], body) == (200, "text/event-stream", b"ab")
    assert response.headers["Transfer-Encoding"] == "chunked"


@needs_node
def test_status_and_headers_stand_before_a_streamed_http_answer(cumulet: Cumulet) -> None:
    told = {"statusCode": 201, "headers": {"X-Own": "yes", "Content-Type": "text/html"}, "cookies": ["a=1"]}

    response, body = asked(cumulet, streamer(cumulet), {"http": told, "pieces": ["<p>", "</p>"]})

    assert (response.status, response.headers["X-Own"], body) == (201, "yes", b"<p></p>")
    assert (response.headers["Content-Type"], response.headers["Set-Cookie"]) == ("text/html", "a=1")


@needs_node
def test_an_answer_that_breaks_off_breaks_the_connection(cumulet: Cumulet) -> None:
    response, body = asked(cumulet, streamer(cumulet), {"pieces": ["half"], "fail": True, "pause": 50})

    assert (response.reason, body) == ("incomplete", b"half")


def test_a_streaming_url_shows_what_a_function_returns_that_does_not_stream(cumulet: Cumulet) -> None:
    name = create(cumulet, source="def handler(event, context): return {'statusCode': 418}\n")["FunctionName"]

    response, body = asked(cumulet, name, {})

    assert (response.status, json.loads(body)) == (200, {"statusCode": 418})
