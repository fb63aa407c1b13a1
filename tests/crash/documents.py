"""IAM's documents as administrators write them: each has a statement identifier that tells it from others."""

from __future__ import annotations

from typing import Any

import orjson


def trust(sid: str) -> str:
    """Return a trust policy."""
    return _document(sid, Action="sts:AssumeRole", Principal={"Service": "lambda.amazonaws.com"})


def permissions(sid: str) -> str:
    """Return a policy document."""
    return _document(sid, Action="sqs:SendMessage", Resource="*")


def sid(document: Any) -> str:
    """Return what tells a document from others; boto3 gives documents decoded."""
    decoded = orjson.loads(document) if isinstance(document, str) else document
    found: str = decoded["Statement"][0]["Sid"]
    return found


def _document(sid: str, **statement: Any) -> str:
    return orjson.dumps({"Version": "2012-10-17", "Statement": [{"Sid": sid, "Effect": "Allow", **statement}]}).decode()
