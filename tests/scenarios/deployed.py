"""Functions and layers of the scenarios: files in, a function or a layer out."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

from cumulet.testing import Cumulet


def zip_of(files: Mapping[str, str]) -> bytes:
    """Return a zip file; what begins as a script does is executable."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o755 if content.startswith("#!") else 0o644) << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def publish(cumulet: Cumulet, name: str, files: Mapping[str, str]) -> str:
    """Publish a version of a layer; return its ARN."""
    arn: str = cumulet.client("lambda").publish_layer_version(LayerName=name, Content={"ZipFile": zip_of(files)})[
        "LayerVersionArn"
    ]
    return arn


class Deployed:
    """A function, `app.handler` of a source unless the settings say otherwise."""

    def __init__(self, cumulet: Cumulet, name: str, source: str, **settings: Any) -> None:
        self.cumulet = cumulet
        self.name = name
        self.client = cumulet.client("lambda", read_timeout=60)
        given = {
            "Runtime": "python3.11",
            "Role": f"arn:aws:iam::{cumulet.account}:role/any",
            "Handler": "app.handler",
            "Code": {"ZipFile": zip_of({"app.py": source})},
            "Timeout": 20,
            **settings,
        }
        self.arn: str = self.client.create_function(FunctionName=name, **given)["FunctionArn"]

    def invoke(self, event: Any = None) -> Ran:
        """Run it and wait."""
        return Ran(self.client.invoke(FunctionName=self.name, Payload=json.dumps(event), LogType="Tail"))

    def log(self) -> list[str]:
        """Return the messages of its log group."""
        pages = self.cumulet.client("logs").get_paginator("filter_log_events")
        found = pages.paginate(logGroupName=f"/aws/lambda/{self.name}")
        return [event["message"] for page in found for event in page["events"]]


class Ran:
    """What an invocation came to."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.request_id: str = answer["ResponseMetadata"]["RequestId"]
        self.error = answer.get("FunctionError")
        self.value = json.loads(answer["Payload"].read())
        self.tail = base64.b64decode(answer["LogResult"]).decode()
