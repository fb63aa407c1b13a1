"""What a start costs, in modules and models: both grow with every service unless somebody looks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

UNTIL_READY = """
import json, os, signal, sys
from pathlib import Path

from cumulet.cli import app
from cumulet.gateway.server import bind, run
from cumulet.kernel.config import load_config
from cumulet.wire.service import load


def tell(url):
    print(json.dumps({"modules": sorted(sys.modules), "models": load.cache_info().currsize}))
    os.kill(os.getpid(), signal.SIGTERM)


config = load_config({"data": Path(sys.argv[1]), "port": "0"})
run(config, bind(config), tell)
"""
NOT_AT_START = (
    "boto3",
    "botocore.model",
    "botocore.session",
    "cryptography",
    "email.message",
    "http.client",
    "importlib.metadata",
    "multiprocessing",
    "rich",
    "urllib3",
    "urllib.request",
    "xml",
)
"""Modules that take long to import, and that a server needs only for some requests: import them there."""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a server has loaded when it is ready for its first request."""
    command = [sys.executable, "-c", UNTIL_READY, str(tmp_path_factory.mktemp("start") / "data")]
    said = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ).stdout
    found: dict[str, Any] = json.loads(said)
    return found


def test_no_model_is_loaded_before_its_service_is_called(started: dict[str, Any]) -> None:
    assert started["models"] == 0


def test_heavy_modules_are_imported_when_they_are_needed(started: dict[str, Any]) -> None:
    heavy = [name for name in started["modules"] if any(f"{name}.".startswith(f"{it}.") for it in NOT_AT_START)]

    assert "cumulet.services.sqs.api" in started["modules"]
    assert heavy == []
