"""Lambda: runtimes that AWS has stopped to support, where the platform is told to be as strict."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw
import pytest
from botocore.exceptions import ClientError
from lambda_functions import SOURCE, create, zip_of
from quotas import with_quotas

from cumulet.testing import Cumulet


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Cumulet]:
    """Return a server that lets no deprecated runtimes in; its clock stands in March 2021."""
    server = with_quotas(tmp_path, {"lambda:deprecated-runtimes": 0})
    with server:
        pass
    march_29 = int(datetime(2021, 3, 29, 12, tzinfo=UTC).timestamp() * 1000)
    with closing(apsw.Connection(str(server.folder / "cumulet.db"))) as database:
        database.execute("UPDATE settings SET value = ? WHERE key = 'virtual-time'", (str(march_29),))
    with server:
        assert server.now_ms() == march_29
        yield server


def refusal(error: pytest.ExceptionInfo[ClientError]) -> tuple[int, str, str]:
    response: Any = error.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"], response["Error"]["Message"]


def test_node_10_is_created_changed_and_run_as_long_as_it_was_on_aws(strict: Cumulet) -> None:
    client = strict.client("lambda")
    old = {"Runtime": "nodejs10.x", "Handler": "app.handler"}
    code = zip_of({"app.js": "exports.handler = async () => 10;"})
    refused: dict[str, list[str]] = {"create": [], "update": [], "code": []}

    def attempt(what: str, day: str, call: Any) -> None:
        try:
            call()
        except ClientError as error:
            assert error.response["Error"]["Code"] == "InvalidParameterValueException"
            assert "The runtime parameter of nodejs10.x is no longer supported" in error.response["Error"]["Message"]
            refused[what].append(day)

    create(strict, "old", Code={"ZipFile": code}, **old)
    for day, days in (("03-29", 0), ("03-31", 2), ("05-29", 59)):
        strict.advance(days=days)
        attempt("create", day, lambda day=day: create(strict, f"of-{day}", Code={"ZipFile": code}, **old))
        attempt("update", day, lambda: client.update_function_configuration(FunctionName="old", Timeout=20))
        attempt("code", day, lambda: client.update_function_code(FunctionName="old", ZipFile=code))
        assert json.loads(client.invoke(FunctionName="old")["Payload"].read()) == 10

    assert refused == {"create": ["03-31", "05-29"], "update": ["05-29"], "code": ["05-29"]}
    moved = client.update_function_configuration(FunctionName="old", Runtime="nodejs24.x")
    assert moved["Runtime"] == "nodejs24.x"
    with pytest.raises(ClientError) as back:
        client.update_function_configuration(FunctionName="old", Runtime="nodejs10.x")
    assert refusal(back)[0] == 400


def test_a_refusal_changes_nothing(strict: Cumulet) -> None:
    strict.advance(days=10_000)
    client = strict.client("lambda")

    for _ in range(2):
        with pytest.raises(ClientError):
            create(strict, "function", SOURCE)

    assert client.list_functions()["Functions"] == []


def test_old_runtimes_are_let_in_by_default_and_say_what_they_run_on(cumulet: Cumulet) -> None:
    name = create(cumulet, Runtime="python3.6", Timeout=20)["FunctionName"]
    client = cumulet.client("lambda")
    client.update_function_configuration(FunctionName=name, Description="changed")

    answer = client.invoke(FunctionName=name, Payload=b"6", LogType="Tail")

    assert answer["Payload"].read() == b"6"
    cumulet.advance(seconds=0)
    events = cumulet.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}", filterPattern="WARN")[
        "events"
    ]
    assert ["python3.6 is not available here" in event["message"] for event in events] == [True]
