"""Functions as tests speak of them: source text in, a function out."""

from __future__ import annotations

import io
import itertools
import zipfile
from collections.abc import Mapping
from typing import Any

from cumulet.testing import Cumulet

ROLE = "arn:aws:iam::123456789012:role/role"
SOURCE = "def handler(event, context):\n    return event\n"
_names = itertools.count(1)
_FIXED_DATE = (2024, 1, 1, 0, 0, 0)


def zip_of(files: Mapping[str, str | bytes]) -> bytes:
    """Return a zip file; the same files always give the same bytes. Scripts are executable."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _FIXED_DATE)
            entry.external_attr = (0o755 if content[:2] in ("#!", b"#!") else 0o644) << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def new_name() -> str:
    """Return a name that no other function has."""
    return f"function-{next(_names)}"


def create(cumulet: Cumulet, name: str | None = None, source: str = SOURCE, **settings: Any) -> dict[str, Any]:
    """Create a Python function whose handler is `handler` of the source; return CreateFunction's answer.

    `settings` are CreateFunction's members and win over the defaults.
    """
    given = {
        "FunctionName": name or new_name(),
        "Runtime": "python3.11",
        "Role": ROLE,
        "Handler": "app.handler",
        "Code": {"ZipFile": zip_of({"app.py": source})},
        **settings,
    }
    answer: dict[str, Any] = cumulet.client("lambda").create_function(**given)
    return answer
