"""The data files of botocore that most functions need, parsed ahead by the spawner.

A client of boto3 takes 40 ms in a fresh process, most of it for reading these. Each document is given to the first that
loads it in a process, so that nobody sees what another has done to it; the second one parses the file as ever. For
forks of the spawner; imports nothing at its own import.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SERVICES = ("sqs", "dynamodb", "s3", "sns", "lambda", "events", "logs", "sts", "stepfunctions", "ssm", "secretsmanager")
COMMON = ("endpoints", "partitions", "sdk-default-configuration", "_retry")
KINDS = ("service-2", "endpoint-rule-set-1")


def parse_ahead() -> Iterator[None]:
    """Parse one document after the other, as far as botocore is there."""
    try:
        from botocore.loaders import JSONFileLoader, Loader
    except ImportError:
        return
    documents: dict[str, Any] = {}
    listings: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    load_file, list_services = JSONFileLoader.load_file, Loader.list_available_services

    def load_parsed(self: Any, path: str) -> Any:
        document = documents.pop(path, None)
        return load_file(self, path) if document is None else document

    def list_listed(self: Any, type_name: str) -> Any:
        folders = tuple(folder for folder in self.search_paths if Path(folder).is_dir())
        known = listings.get((type_name, folders))
        return list_services(self, type_name=type_name) if known is None else list(known)

    JSONFileLoader.load_file = load_parsed
    Loader.list_available_services = list_listed
    data = Path(Loader.BUILTIN_DATA_PATH)
    paths = [data / name for name in COMMON]
    for folder in map(data.joinpath, SERVICES):
        if folder.is_dir():
            paths += [max(folder.iterdir()) / kind for kind in KINDS]
    for path in paths:
        documents[str(path)] = load_file(JSONFileLoader(), str(path))
        yield
    loader = Loader(include_default_search_paths=False, extra_search_paths=[str(data)])
    for kind in KINDS:
        listed = list_services(loader, type_name=kind)
        for folders in [(str(data),), (str(data), str(Path(sys.modules["boto3"].__file__ or "").parent / "data"))]:
            listings[kind, folders] = listed
        yield
