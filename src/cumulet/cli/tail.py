"""What functions have logged since the last look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

FUNCTION_GROUPS = "/aws/lambda/"
OVERLAP_MS = 5_000
"""How far a look goes back: events are written up to a second after they happened, clients' own later."""
NOT_FOUND = "ResourceNotFoundException"
NO_NAME = "ValidationException"
"""What no function can be called."""
Event = dict[str, Any]


def log_group_of(function: str, logs: Any, functions: Any) -> str | None:
    """Return the log group that a function's name or ARN, or its own name means; None when there is neither.

    The group of a function is made with the first line that it logs. It outlives the function.
    """
    from botocore.exceptions import ClientError

    candidates = [FUNCTION_GROUPS + function, function]
    if function.startswith("/"):
        candidates = [function]
    else:
        try:
            group: str = functions.get_function_configuration(FunctionName=function)["LoggingConfig"]["LogGroup"]
        except ClientError as error:
            if error.response["Error"]["Code"] not in (NOT_FOUND, NO_NAME):
                raise
        else:
            return group
    return next((name for name in candidates if name in group_names(logs, name)), None)


def group_names(logs: Any, prefix: str) -> list[str]:
    """Return the names of all log groups that begin with `prefix`."""
    pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
    return [group["logGroupName"] for page in pages for group in page["logGroups"]]


class Tail:
    """The events of a log group, or of all functions' (None), that have not been shown yet."""

    def __init__(self, logs: Any, group: str | None, pattern: str, start_ms: int) -> None:
        self._logs = logs
        self._group = group
        self._pattern = {"filterPattern": pattern} if pattern else {}
        self._start_ms = start_ms
        self._shown: dict[tuple[str, str], int] = {}
        """When the events that were shown happened, by their groups and ids."""

    def news(self) -> Iterator[tuple[str, Event]]:
        """Yield new events with their groups, in the order of their time."""
        groups = [self._group] if self._group is not None else group_names(self._logs, FUNCTION_GROUPS)
        found = [(group, event) for group in groups for event in self._events(group)]
        # Ids of one moment are in the order in which the events were written, whatever their group.
        for group, event in sorted(found, key=lambda pair: (pair[1]["timestamp"], pair[1]["eventId"])):
            key, timestamp_ms = (group, event["eventId"]), event["timestamp"]
            if key not in self._shown:
                self._shown[key] = timestamp_ms
                self._start_ms = max(self._start_ms, timestamp_ms - OVERLAP_MS)
                yield group, event
        self._shown = {key: at_ms for key, at_ms in self._shown.items() if at_ms >= self._start_ms}

    def _events(self, group: str) -> Iterator[Event]:
        from botocore.exceptions import ClientError

        pages = self._logs.get_paginator("filter_log_events")
        try:
            for page in pages.paginate(logGroupName=group, startTime=self._start_ms, **self._pattern):
                yield from page["events"]
        except ClientError as error:
            if error.response["Error"]["Code"] != NOT_FOUND:
                raise
