"""The Extensions API's answers: what it takes, and how it refuses what it doesn't."""

from __future__ import annotations

import json
from typing import Any

import pytest
from extension_rig import extension, layer, notes
from rig import ACCOUNT, Rig, SharedRig

HANDLER = "def handler(event, context):\n    return event"
UNKNOWN = "11111111-2222-3333-4444-555555555555"
TRY = """
status, headers, body = ask(*{request!r}, **{headers!r})
note(status, body, headers.get("Content-Type"))
me = register("INVOKE")
while True:
    next_event(me)
"""
REGISTER = "/2020-01-01/extension/register"
NEXT = "/2020-01-01/extension/event/next"
INIT_ERROR = "/2020-01-01/extension/init/error"
EXIT_ERROR = "/2020-01-01/extension/exit/error"
TELEMETRY = "/2022-07-01/telemetry"


def noted(shared_rig: SharedRig, code: str) -> list[list[Any]]:
    """Return what an extension with this code notes in an environment's init."""
    found = []

    async def test(rig: Rig) -> None:
        function = rig.function(HANDLER, layers=(layer(rig.folder, {"probe": extension(code)}),))
        outcome = await rig.compute.invoke(function, rig.invocation(1, wants_log_tail=True))
        assert outcome.payload == b"1"
        found.extend(notes(rig.logs.messages, "probe"))

    shared_rig.run(test)
    return found


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "error_type", "message"),
    [
        ("POST", REGISTER, '{"events": []}', {}, 403, "Extension.InvalidExtensionName", "Empty extension name"),
        (
            "POST",
            REGISTER,
            '{"events": ["WAKE"]}',
            {"Lambda_Extension_Name": "probe"},
            403,
            "Extension.InvalidEventType",
            "WAKE: ErrorInvalidEventType",
        ),
        (
            "POST",
            REGISTER,
            '{"events": ["SHUTDOWN"]}',
            {"Lambda_Extension_Name": "inner"},
            403,
            "Extension.InvalidEventType",
            "SHUTDOWN: ShutdownEventNotSupportedForInternalExtension",
        ),
        (
            "POST",
            REGISTER,
            '{"events": [], "configurationKeys": ["A"]}',
            {"Lambda_Extension_Name": "probe"},
            403,
            "InvalidRequestFormat",
            "configurationKeys are deprecated; use environment variables instead",
        ),
        ("POST", REGISTER, "{", {"Lambda_Extension_Name": "probe"}, 403, "InvalidRequestFormat", None),
        ("POST", REGISTER, '{"events": 3}', {"Lambda_Extension_Name": "probe"}, 403, "InvalidRequestFormat", None),
        (
            "GET",
            NEXT,
            None,
            {},
            403,
            "Extension.MissingExtensionIdentifier",
            "Missing Lambda-Extension-Identifier header",
        ),
        (
            "GET",
            NEXT,
            None,
            {"Lambda_Extension_Identifier": "me"},
            403,
            "Extension.InvalidExtensionIdentifier",
            "Invalid Lambda-Extension-Identifier",
        ),
        (
            "GET",
            NEXT,
            None,
            {"Lambda_Extension_Identifier": UNKNOWN},
            403,
            "Extension.UnknownExtensionIdentifier",
            f"Unknown extension {UNKNOWN}",
        ),
        (
            "PUT",
            TELEMETRY,
            "{}",
            {"Lambda_Extension_Identifier": UNKNOWN},
            403,
            "Extension.UnknownExtensionIdentifier",
            f"Unknown extension {UNKNOWN}",
        ),
        ("GET", REGISTER, None, {}, 405, "MethodNotAllowed", "Method not allowed"),
        ("POST", NEXT, "{}", {}, 405, "MethodNotAllowed", "Method not allowed"),
        ("POST", "/2020-01-01/extension/what", "{}", {}, 404, "NotFound", "404 page not found"),
        ("GET", "/2018-06-01/runtime/restore/next", None, {}, 404, "NotFound", "404 page not found"),
        ("POST", "/2018-06-01/runtime/restore/error", "{}", {}, 404, "NotFound", "404 page not found"),
    ],
)
def test_what_is_not_right_is_refused(
    shared_rig: SharedRig,
    method: str,
    path: str,
    body: str | None,
    headers: dict[str, str],
    status: int,
    error_type: str,
    message: str | None,
) -> None:
    code = TRY.format(request=(method, path, body), headers=headers)

    [[answered, error, content_type]] = noted(shared_rig, code)

    assert (answered, error["errorType"], content_type) == (status, error_type, "application/json")
    assert message in (None, error["errorMessage"])


@pytest.mark.parametrize(("path", "wanted"), [(INIT_ERROR, "InitError"), (EXIT_ERROR, "Exited")])
def test_a_report_of_an_error_needs_its_type_and_a_state_that_fits(
    shared_rig: SharedRig, path: str, wanted: str
) -> None:
    code = f"""
me = register("INVOKE")
note(*ask("POST", {path!r}, "{{}}", Lambda_Extension_Identifier=me)[::2])
def later():
    time.sleep(0.1)
    if {wanted!r} == "InitError":
        note(*ask("POST", {path!r}, "{{}}", Lambda_Extension_Identifier=me, Lambda_Extension_Function_Error_Type="A")[::2])
threading.Thread(target=later).start()
while True:
    next_event(me)
"""

    first, *later = noted(shared_rig, code)

    missing = "Lambda-Extension-Function-Error-Type not found"
    assert first == [403, {"errorType": "Extension.MissingHeader", "errorMessage": missing}]
    for status, error in later:
        assert (status, error["errorType"]) == (403, "Extension.InvalidExtensionState")
        assert "to InitError failed for extension" in error["errorMessage"]


def test_registering_answers_what_the_function_is(shared_rig: SharedRig) -> None:
    code = f"""
answers = []
for features in ("", "other, accountId"):
    body = json.dumps({{"events": ["INVOKE"]}})
    name = NAME if features else "inner"
    answers.append(ask("POST", {REGISTER!r}, body, Lambda_Extension_Name=name, Lambda_Extension_Accept_Feature=features))
again = ask("POST", {REGISTER!r}, body, Lambda_Extension_Name=NAME)
twice = ask("POST", {REGISTER!r}, body, Lambda_Extension_Name="inner")
note([status for status, _, _ in answers], [body for _, _, body in answers], again[::2], twice[::2])
for _, headers, _ in answers:
    threading.Thread(target=idle, args=(headers["Lambda-Extension-Identifier"],)).start()
"""

    [[statuses, bodies, again, twice]] = noted(shared_rig, code)

    facts = {"functionName": "f", "functionVersion": "$LATEST", "handler": "index.handler"}
    assert statuses == [200, 200]
    assert bodies == [facts, facts | {"accountId": ACCOUNT}]
    assert (again[0], again[1]["errorType"]) == (403, "Extension.InvalidExtensionState")
    message = (
        "State transition from Registered to Registered failed for extension probe."
        " Error: State transition is not allowed"
    )
    assert again[1]["errorMessage"] == message
    said = {
        "errorType": "Extension.InvalidExtensionState",
        "errorMessage": "Extension with this name already registered",
    }
    assert twice == [403, said]


def test_ten_extensions_may_register(shared_rig: SharedRig) -> None:
    code = f"""
body = json.dumps({{"events": []}})
answers = [ask("POST", {REGISTER!r}, body, Lambda_Extension_Name=name) for name in (NAME, *map(str, range(10)))]
note([status for status, _, _ in answers], answers[-1][2])
for _, headers, _ in answers[:-1]:
    threading.Thread(target=idle, args=(headers["Lambda-Extension-Identifier"],)).start()
"""

    [[statuses, refusal]] = noted(shared_rig, code)

    assert statuses == [200] * 10 + [403]
    assert refusal == {"errorType": "Extension.TooManyExtensions", "errorMessage": "Extension limit (10) reached"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"types": []}, "types should not be empty"),
        ({"types": ["platform", "all"]}, "types should be of platform, function, extension, not all"),
        ({"destination": None}, "destination is not provided"),
        ({"destination": {"protocol": "UDP"}}, "protocol should be HTTP or TCP"),
        ({"destination": {"protocol": "HTTP"}}, "URI is not provided"),
        ({"destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain/a"}}, "URI port is not provided"),
        (
            {"destination": {"protocol": "HTTP", "URI": "https://sandbox.localdomain:4000"}},
            "URI scheme should be http",
        ),
        (
            {"destination": {"protocol": "HTTP", "URI": "http://example.com:4000"}},
            "URI host should be sandbox.localdomain",
        ),
        ({"destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:9001"}}, "port 9001 is reserved"),
        ({"destination": {"protocol": "TCP", "port": 0}}, "port should be between 1 and 65535"),
        ({"buffering": {"maxItems": 999}}, "maxItems should be between 1000 and 10000"),
        ({"buffering": {"maxBytes": 1048577}}, "maxBytes should be between 262144 and 1048576"),
        ({"buffering": {"timeoutMs": 24}}, "timeoutMs should be between 25 and 30000"),
        ({"buffering": {"timeoutMs": "100"}}, "timeoutMs should be between 25 and 30000"),
        (
            {"schemaVersion": "2020-08-15"},
            "schemaVersion should be one of 2022-07-01, 2022-12-13, 2025-01-29",
        ),
        (
            {"types": [], "destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain"}},
            "URI port is not provided; types should not be empty",
        ),
    ],
)
def test_a_subscription_that_is_not_valid_is_refused(change: dict[str, Any], message: str) -> None:
    from cumulet.compute.subscriptions import TELEMETRY, InvalidSubscription, read_subscription

    valid = {
        "schemaVersion": "2022-07-01",
        "types": ["platform"],
        "destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:4000/path?a=1"},
    }
    read_subscription(TELEMETRY, json.dumps(valid).encode())

    with pytest.raises(InvalidSubscription) as raised:
        read_subscription(TELEMETRY, json.dumps(valid | change).encode())

    assert str(raised.value) == message
