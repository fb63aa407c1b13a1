"""Event source mappings as Lambda shows them."""

from __future__ import annotations

from typing import Any

from cumulet.services.lambda_.mappings import Mapping, Settings, Streaming


def shown(mapping: Mapping, state: str | None = None) -> dict[str, Any]:
    """Return a mapping as AWS shows it, in the given state of change or at rest."""
    wanted = mapping.settings
    answer = {
        "UUID": mapping.uuid,
        "EventSourceMappingArn": mapping.arn,
        "EventSourceArn": mapping.source_arn,
        "FunctionArn": mapping.function_arn,
        "BatchSize": wanted.batch_size,
        "MaximumBatchingWindowInSeconds": wanted.window_seconds,
        "FunctionResponseTypes": list(wanted.response_types),
        "LastModified": mapping.modified_ms / 1000,
        "State": state or ("Enabled" if mapping.is_enabled else "Disabled"),
        "StateTransitionReason": "USER_INITIATED" if wanted.stream is None else "User action",
        **_options(wanted),
    }
    return answer if wanted.stream is None else answer | _streaming(wanted.stream)


def _options(wanted: Settings) -> dict[str, Any]:
    """Return what is shown only where it was asked for."""
    shown: dict[str, Any] = {}
    if wanted.max_concurrency:
        shown["ScalingConfig"] = {"MaximumConcurrency": wanted.max_concurrency}
    if wanted.filters:
        shown["FilterCriteria"] = {"Filters": [{"Pattern": text} for text in wanted.filters]}
    if wanted.key_arn:
        shown["KMSKeyArn"] = wanted.key_arn
    if wanted.metrics:
        shown["MetricsConfig"] = {"Metrics": list(wanted.metrics)}
    if (provisioned := wanted.provisioned) is not None:
        members = {
            "MinimumPollers": provisioned.least,
            "MaximumPollers": provisioned.most,
            "PollerGroupName": provisioned.group,
        }
        shown["ProvisionedPollerConfig"] = {name: value for name, value in members.items() if value is not None}
    return shown


def _streaming(stream: Streaming) -> dict[str, Any]:
    return {
        "StartingPosition": stream.starting_position,
        "StartingPositionTimestamp": None if stream.starting_ms is None else stream.starting_ms / 1000,
        "ParallelizationFactor": stream.lanes,
        "BisectBatchOnFunctionError": stream.bisects,
        "MaximumRecordAgeInSeconds": stream.most_age_seconds,
        "MaximumRetryAttempts": stream.most_retries,
        "TumblingWindowInSeconds": stream.tumbling_seconds,
        "DestinationConfig": {"OnFailure": {"Destination": stream.on_failure} if stream.on_failure else {}},
        "LastProcessingResult": "No records processed",
    }
