"""A platform in a process of its own, with clients for it and a hand on its clock.

Everything a test needs goes over the wire, so a test proves what a user would see.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
import orjson
from botocore.config import Config as ClientConfig

from cumulet.kernel.clock import MACHINE

DEFAULT_ACCOUNT = "000000000000"
DEFAULT_REGION = "us-east-1"
START_SECONDS = 15.0
STOP_SECONDS = 10.0
READY = re.compile(r"ready at (http://\S+)")


class StartError(Exception):
    """The platform did not start; the message has what it printed."""


class Cumulet:
    """One running platform. `with Cumulet(folder) as cumulet: cumulet.client("sqs")...`

    `account` and `region` are those of its clients. Options are those of `cumulet start`, as keyword arguments;
    `variables` is the environment of its process, by default that of this one.
    """

    def __init__(
        self,
        folder: Path,
        *,
        account: str = DEFAULT_ACCOUNT,
        region: str = DEFAULT_REGION,
        clock: str = "virtual",
        durability: str = "relaxed",
        variables: Mapping[str, str] | None = None,
        **options: str | int,
    ) -> None:
        self.folder = folder
        self.account = account
        self.region = region
        self.url = ""
        self.process: subprocess.Popen[bytes] | None = None
        self._options = {"port": 0, "log": "json", "clock": clock, "durability": durability, **options}
        self._variables = variables
        self._session = boto3.Session()

    def __enter__(self) -> Cumulet:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def log(self) -> Path:
        """The file with all that the server printed."""
        return self.folder.with_name(self.folder.name + ".log")

    def start(self) -> None:
        """Start the server and return once it answers; raises StartError."""
        command = [sys.executable, "-m", "cumulet", "start", "--data", str(self.folder)]
        for name, value in self._options.items():
            flag = f"--{name.replace('_', '-')}"
            command += [flag] if value is True else [flag, str(value)]
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, env=self._variables
            )
        give_up_at = MACHINE.monotonic() + START_SECONDS
        while (found := READY.search(self.log.read_text("utf-8", "replace"))) is None:
            if self.process.poll() is not None or MACHINE.monotonic() > give_up_at:
                self.kill()
                raise StartError(self.log.read_text("utf-8", "replace"))
            MACHINE.pause(0.005)
        self.url = found[1]

    def stop(self) -> None:
        """Shut the server down in order."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        self.process = None

    def kill(self) -> None:
        """End the server at once, as a crash would (SIGKILL)."""
        if self.process is not None:
            if self.process.poll() is None:
                os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None

    def as_account(self, account: str) -> Cumulet:
        """Return the same server for the clients of another account."""
        other = object.__new__(Cumulet)
        other.__dict__.update(self.__dict__, account=account)
        return other

    def client(self, service: str, *, account: str | None = None, region: str | None = None, **config: Any) -> Any:
        """Return a boto3 client; it does not retry unless `config` (botocore's Config options) says so."""
        return self._session.client(
            service,
            endpoint_url=self.url,
            region_name=region or self.region,
            aws_access_key_id=account or self.account,
            aws_secret_access_key="secret",
            config=ClientConfig(**{"retries": {"max_attempts": 0}, **config}),
        )

    def environment(self) -> dict[str, str]:
        """Return the variables that make AWS clients of a subprocess use this server."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": self.account,
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
        }

    def now_ms(self) -> int:
        """Return the platform's time in milliseconds since 1970."""
        now: int = self._call("GET", "/_cumulet/clock")["now_ms"]
        return now

    def advance(self, **distance: float) -> None:
        """Move the clock by the sum of `days`, `hours`, `minutes`, `seconds` and `milliseconds`, and return when all
        that fell due on the way has been done."""
        self._call("POST", "/_cumulet/clock/advance", orjson.dumps(distance))

    def health(self) -> dict[str, Any]:
        """Return what the server says about itself."""
        return self._call("GET", "/_cumulet/health")

    def _call(self, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
        try:
            with urlopen(Request(self.url + path, data=body, method=method), timeout=60) as response:
                answer: dict[str, Any] = orjson.loads(response.read())
                return answer
        except HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.read().decode()}") from None
