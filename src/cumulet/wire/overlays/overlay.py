"""What an overlay may say about a service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from cumulet.wire.violations import Writer, common_writer

Description = dict[str, Any]


def _unchanged(description: Description) -> Description:
    return description


class Overlay(msgspec.Struct, frozen=True):
    """Corrections of one service; functions take a model description and return the corrected one.

    `descriptions` has an entry for each protocol that the model has lost or describes otherwise. `coral_errors`
    are modeled errors that AWS answers under Coral's namespace instead of `error_namespace`. `query_messages`
    replaces error texts that the query protocol words differently. `content_types` are of answers that AWS sends with
    another one than what the payload's type stands for, by operation. `has_error_detail` says that errors of the query
    protocol have an empty member `Detail` at the end.
    """

    correct: Callable[[Description], Description] = _unchanged
    descriptions: Mapping[str, Callable[[Description], Description]] = msgspec.field(default_factory=dict)
    refuse: Writer = common_writer
    error_namespace: str = ""
    coral_errors: frozenset[str] = frozenset()
    query_messages: Mapping[str, str] = msgspec.field(default_factory=dict)
    content_types: Mapping[str, bytes] = msgspec.field(default_factory=dict)
    has_error_detail: bool = False
