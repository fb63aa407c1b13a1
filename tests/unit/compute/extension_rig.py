"""Extensions for tests: Python programs in layers, and what they record of their lives in a file outside."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PREAMBLE = """#!/usr/bin/env python3
import http.client, json, os, signal, sys, threading, time
API = os.environ["AWS_LAMBDA_RUNTIME_API"]
NAME = os.path.basename(sys.argv[0])
def note(*what):
    print(json.dumps([NAME, *what]), flush=True)
def ask(method, path, body=None, **headers):
    connection = http.client.HTTPConnection(API)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), json.loads(answer.read() or "null")
def register(*events, name=NAME, **headers):
    status, headers, body = ask(
        "POST", "/2020-01-01/extension/register", json.dumps({"events": events}), Lambda_Extension_Name=name, **headers
    )
    assert status == 200, body
    return headers["Lambda-Extension-Identifier"]
def next_event(me):
    status, headers, event = ask("GET", "/2020-01-01/extension/event/next", Lambda_Extension_Identifier=me)
    assert status == 200, event
    return event
def idle(me):
    while True:
        next_event(me)
"""
LOOP = """
me = register("INVOKE", "SHUTDOWN")
while True:
    event = next_event(me)
    note("event", event)
    if event["eventType"] == "SHUTDOWN":
        sys.exit()
"""


def extension(code: str) -> str:
    """Return a program that knows how to speak to the Extensions API."""
    return PREAMBLE + code


def layer(folder: Path, extensions: Mapping[str, str], **others: str) -> Path:
    """Return a layer with these external extensions, and other files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, code in extensions.items():
            entry = zipfile.ZipInfo(f"extensions/{name}")
            entry.external_attr = 0o755 << 16
            archive.writestr(entry, code)
        for name, text in others.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o755 << 16
            archive.writestr(entry, text)
    package = folder / hashlib.sha256(content.getvalue()).hexdigest()
    package.write_bytes(content.getvalue())
    return package


def notes(messages: list[str], name: str | None = None) -> list[list[Any]]:
    """Return what extensions have noted, without their names."""
    found = []
    for message in messages:
        if message.startswith('["'):
            who, *what = json.loads(message)
            if name in (None, who):
                found.append(what)
    return found
