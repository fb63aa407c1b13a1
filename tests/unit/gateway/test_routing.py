"""Which operation a request means; and that no request whatever makes the router fail."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.gateway.refusals import encode_refusal
from cumulet.gateway.routing import LONGEST_NAME, Route, Router, Unroutable
from cumulet.gateway.services import ALL, Registry
from cumulet.kernel.errors import NotImplementedFailure
from cumulet.services.service import Service
from cumulet.wire.http import HttpRequest, HttpResponse

FORM = {b"content-type": b"application/x-www-form-urlencoded; charset=utf-8"}


class Nothing(Service):
    """A service by its name alone."""

    def __init__(self, name: str) -> None:
        self.name = name  # type: ignore[misc]


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry([Nothing(service.name) for service in ALL])


@pytest.fixture(scope="module")
def router(registry: Registry) -> Router:
    return Router(registry)


def request(
    method: str = "POST", path: bytes = b"/", query: bytes = b"", body: bytes = b"", **headers: bytes
) -> HttpRequest:
    return HttpRequest(method, path, query, {name.replace("_", "-").encode(): it for name, it in headers.items()}, body)


def signed_for(service: str) -> bytes:
    return f"AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/{service}/aws4_request, Signature=0".encode()


def test_a_target_is_json(router: Router) -> None:
    assert router.route(request(x_amz_target=b"AmazonSQS.SendMessage")) == Route("sqs", "SendMessage", "json")


@pytest.mark.parametrize(
    ("query", "body"),
    [
        (b"Action=ListQueues&Version=2012-11-05", b""),
        (b"Version=2012-11-05&Action=ListQueues", b""),
        (b"", b"Action=ListQueues&Version=2012-11-05"),
        (b"Version=2012-11-05", b"QueueNamePrefix=Action%3DCreateQueue&Action=List%51ueues"),
        (b"Action=ListQueues", b"Action=CreateQueue&Version=2012-11-05"),
    ],
)
def test_an_action_is_query_wherever_it_stands(router: Router, query: bytes, body: bytes) -> None:
    found = router.route(request(query=query, body=body, content_type=FORM[b"content-type"]))

    assert found == Route("sqs", "ListQueues", "query")


def test_an_action_goes_to_the_service_that_the_request_is_signed_for(router: Router) -> None:
    asked = request(query=b"Action=GetCallerIdentity", authorization=signed_for("sts"))

    assert router.route(asked) == Route("sts", "GetCallerIdentity", "query")


@pytest.mark.parametrize("signature", [{}, {"authorization": signed_for("lambda")}])
@pytest.mark.parametrize(
    ("method", "path", "query", "operation", "labels"),
    [
        ("GET", b"/2015-03-31/functions", b"", "ListFunctions", {}),
        ("GET", b"/2015-03-31/functions/", b"MaxItems=3", "ListFunctions", {}),
        ("GET", b"/2015-03-31/functions/orders", b"", "GetFunction", {"FunctionName": "orders"}),
        ("DELETE", b"/2015-03-31/functions/orders", b"Qualifier=1", "DeleteFunction", {"FunctionName": "orders"}),
        (
            "POST",
            b"/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Aorders/invocations",
            b"",
            "Invoke",
            {"FunctionName": "arn:aws:lambda:us-east-1:000000000000:function:orders"},
        ),
    ],
)
def test_a_path_and_its_method_name_a_rest_operation(
    router: Router,
    signature: dict[str, bytes],
    method: str,
    path: bytes,
    query: bytes,
    operation: str,
    labels: dict[str, str],
) -> None:
    assert router.route(request(method, path, query, **signature)) == Route("lambda", operation, "rest-json", labels)


def test_a_path_is_looked_for_in_the_service_that_the_request_is_signed_for(router: Router) -> None:
    with pytest.raises(Unroutable) as refusal:
        router.route(request("GET", b"/2015-03-31/functions", authorization=signed_for("sqs")))

    assert (refusal.value.service, refusal.value.error.code) == ("sqs", "UnknownOperationException")


def test_an_unknown_path_is_refused_in_the_protocol_of_its_service(router: Router) -> None:
    with pytest.raises(Unroutable) as refusal:
        router.route(request("PATCH", b"/2015-03-31/functions", authorization=signed_for("lambda")))

    found = refusal.value
    assert (found.service, found.protocol, found.error.code) == ("lambda", "rest-json", "UnknownOperationException")


@pytest.mark.parametrize("path", [b"/queue/us-east-1/000000000000/orders", b"/000000000000/orders"])
def test_an_action_on_a_queue_is_the_queues(router: Router, path: bytes) -> None:
    assert router.route(request(path=path, query=b"Action=SendMessage")) == Route("sqs", "SendMessage", "query")


@pytest.mark.parametrize(
    ("asked", "protocol", "service", "operation"),
    [
        (request(x_amz_target=b"DynamoDB_20120810.ListTables"), "json", "DynamoDB_20120810", "ListTables"),
        (
            request(query=b"Action=ListStacks", authorization=signed_for("cloudformation")),
            "query",
            "cloudformation",
            "ListStacks",
        ),
        (request(query=b"Action=RunInstances", authorization=signed_for("ec2")), "ec2", "ec2", "RunInstances"),
        (request("GET", authorization=signed_for("s3")), "s3", "s3", "ListBuckets"),
        (request("GET", b"/b/k%2Fl//m", authorization=signed_for("s3")), "s3", "s3", "GetObject"),
        (request("GET", b"/b", b"policy", authorization=signed_for("s3")), "s3", "s3", "GetBucketPolicy"),
        (
            request("GET", b"/restapis/an%2Fid", authorization=signed_for("apigateway")),
            "rest-json",
            "apigateway",
            "GetRestApi",
        ),
        (request("BREW", b"/x", authorization=signed_for("apigateway")), "rest-json", "apigateway", "BREW /x"),
        (request("GET", b"/x", authorization=signed_for("no-such")), "rest-xml", "no-such", "GET /x"),
        (
            request(path=b"/service/Granite/operation/ListMetrics", smithy_protocol=b"rpc-v2-cbor"),
            "smithy-rpc-v2-cbor",
            "Granite",
            "ListMetrics",
        ),
    ],
)
def test_what_we_lack_is_named(router: Router, asked: HttpRequest, protocol: str, service: str, operation: str) -> None:
    with pytest.raises(Unroutable) as refused:
        router.route(asked)

    assert isinstance(refused.value.error, NotImplementedFailure)
    assert (refused.value.protocol, refused.value.service, refused.value.operation) == (protocol, service, operation)
    assert operation in refused.value.error.message
    assert service in refused.value.error.message


TOKENS = st.sampled_from(
    [
        *(
            b"Action=",
            b"&",
            b"Version=2012-11-05",
            b"SendMessage",
            b"ListQueues",
            b"%",
            b"%ff",
            b"%00",
            b"+",
            b"=",
            b";",
        ),
        *(b"/", b"//", b"queue", b"000000000000", b"us-east-1", b"service/X/operation/Y", b"..", b"X-Amz-Credential="),
        *(b"A/20260101/us-east-1/s3/aws4_request", b"AmazonSQS.", b"\xff", b"\xc3\xa4", b"{}", b"AWS4-HMAC-SHA256 "),
        *(b"Credential=A/20260101/us-east-1/lambda/x", b"Credential=A/b/c/sqs/d", b",", b"\x0b", b"rpc-v2-cbor"),
    ]
)
TEXT = st.lists(TOKENS | st.binary(max_size=6), max_size=6).map(b"".join)
HEADERS = st.dictionaries(
    st.sampled_from([b"x-amz-target", b"content-type", b"authorization", b"smithy-protocol", b"host"]),
    TEXT | st.sampled_from([FORM[b"content-type"], b"application/x-amz-json-1.0"]),
)
METHODS = st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "BREW"])


def assert_readable(protocol: str, response: HttpResponse) -> None:
    """Fail unless a client of the protocol can parse the body."""
    if protocol in ("json", "rest-json"):
        assert isinstance(orjson.loads(response.body), dict)
    elif protocol == "smithy-rpc-v2-cbor":
        assert response.body.startswith(b"\xa2\x79\x00\x06__type")
    else:
        ElementTree.fromstring(response.body)


@settings(max_examples=500, deadline=None)
@given(METHODS, TEXT.map(lambda path: b"/" + path), TEXT, HEADERS, TEXT)
def test_every_request_has_a_route_or_a_refusal_that_its_client_can_read(
    registry: Registry,
    router: Router,
    method: str,
    path: bytes,
    query: bytes,
    headers: dict[bytes, bytes],
    body: bytes,
) -> None:
    try:
        found = router.route(HttpRequest(method, path, query, headers, body))
    except Unroutable as refused:
        response = encode_refusal(
            registry.wire(refused.service) if refused.service in registry.services else None,
            refused.protocol,
            refused.error,
            "id",
        )
        assert response.status in (400, 404, 501)
        assert_readable(refused.protocol, response)
        for name in (refused.service, refused.operation):
            assert name.isascii()
            assert name.isprintable()
            assert '"' not in name
            assert len(name) <= LONGEST_NAME
    else:
        assert found.operation in registry.wire(found.service).operation_names


def test_models_of_other_services_stay_out_of_memory(router: Router) -> None:
    from cumulet.gateway import unserved

    with pytest.raises(Unroutable):
        router.route(request("GET", b"/restapis", authorization=signed_for("apigateway")))
    info = unserved._rest_service.cache_info()
    with pytest.raises(Unroutable):
        router.route(request("GET", b"/restapis", authorization=signed_for("apigateway")))

    assert unserved._rest_service.cache_info().hits == info.hits + 1
    assert info.maxsize is not None
    assert info.maxsize <= 64


def test_the_folders_of_other_signing_names_exist() -> None:
    import botocore

    from cumulet.gateway.unserved import FOLDERS

    data = Path(botocore.__file__).parent / "data"
    assert all((data / folder).is_dir() for folder in FOLDERS.values())
