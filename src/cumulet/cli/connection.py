"""How commands reach a running server: as any AWS client would."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import orjson
import typer

if TYPE_CHECKING:
    from urllib.error import HTTPError

EXIT_REFUSED = 1
EXIT_USAGE = 2
EXIT_DOWN = 3
DEFAULT_URL = "http://127.0.0.1:4566"
DEFAULT_REGION = "us-east-1"
DEFAULT_ACCOUNT = "000000000000"
SOURCES_ON_AWS = ("container-role", "iam-role")
"""Credentials that machines of AWS give to what runs on them: elsewhere it takes a second to see that none do."""
UNKNOWN_KEY = ("UnrecognizedClientException", "InvalidClientTokenId")
ROOT_KEY = (
    " Let AWS_SHARED_CREDENTIALS_FILE name the file root-credentials in the server's data folder,"
    " and unset AWS_ACCESS_KEY_ID."
)

Url = Annotated[str, typer.Option(help="Where Cumulet listens.", envvar="AWS_ENDPOINT_URL", metavar="URL")]
Region = Annotated[
    str, typer.Option(help="Region of the resources.", envvar=["AWS_REGION", "AWS_DEFAULT_REGION"], metavar="NAME")
]


def client(service: str, url: str, region: str) -> Any:
    """Return a client with the user's credentials (variables or files); without any it is account 000000000000's."""
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    session = Session()
    credentials = session.get_component("credential_provider")
    for source in SOURCES_ON_AWS:
        credentials.remove(source)
    given: dict[str, str] = {}
    if "AWS_ACCESS_KEY_ID" not in os.environ and session.get_credentials() is None:
        given = {"aws_access_key_id": DEFAULT_ACCOUNT, "aws_secret_access_key": "any"}
    # A function may run for 15 minutes, and is not to be run twice because its answer takes long.
    config = Config(read_timeout=905, retries={"max_attempts": 0})
    try:
        return session.create_client(service, endpoint_url=url, region_name=region, config=config, **given)
    except BotoCoreError:
        raise
    except ValueError as error:
        _fail_to_reach(url, error)


@contextmanager
def reaching(url: str) -> Iterator[None]:
    """Say in one line why a request to the server failed, and leave."""
    from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

    try:
        yield
    except ClientError as error:
        message = error.response["Error"].get("Message") or str(error)
        if reason := error.response.get("Reason"):
            message = f"{message} ({reason})"
        fail(message + (ROOT_KEY if error.response["Error"]["Code"] in UNKNOWN_KEY else ""))
    except (ConnectionError, HTTPClientError):
        _fail_to_reach(url)
    except BotoCoreError as error:
        fail(str(error))


def ask(url: str, path: str, *, proof: str) -> dict[str, Any]:
    """Return what an endpoint of the platform itself says: an object that has the member `proof`."""
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import urlopen

    try:
        with urlopen(url.rstrip("/") + path, timeout=5) as response:
            answer = orjson.loads(response.read())
    except HTTPError as error:
        with error:
            if refusal := _refusal(error):
                fail(refusal)
        _fail_to_reach(url, error.reason)
    except (OSError, ValueError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        _fail_to_reach(url, getattr(reason, "strerror", None) or reason)
    if not isinstance(answer, dict) or proof not in answer:
        fail(f"what answers at {url} is no Cumulet", EXIT_DOWN)
    return answer


def _refusal(response: HTTPError) -> str:
    """Return why the platform refuses a request; empty where something else has answered."""
    from http.client import HTTPException

    try:
        answer = orjson.loads(response.read())
    except (OSError, ValueError, HTTPException):
        return ""
    reason = answer.get("error") if isinstance(answer, dict) else None
    return reason if isinstance(reason, str) else ""


def _fail_to_reach(url: str, why: object = "") -> NoReturn:
    reason = f" ({why})" if why else ""
    fail(f"no Cumulet answers at {url}{reason}. Start one: cumulet start; or name another: --url URL", EXIT_DOWN)


def fail(message: str, code: int = EXIT_REFUSED) -> NoReturn:
    """Say what went wrong in one line, and leave."""
    typer.echo(f"cumulet: {' '.join(message.split())}", err=True)
    raise typer.Exit(code)
