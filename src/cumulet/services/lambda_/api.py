"""AWS Lambda: all operations, by what they are about."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cumulet.services.lambda_ import downloads
from cumulet.services.lambda_.alias_operations import AliasOperations
from cumulet.services.lambda_.code_signing_operations import CodeSigningOperations
from cumulet.services.lambda_.concurrency_operations import ConcurrencyOperations
from cumulet.services.lambda_.event_source_operations import EventSourceOperations
from cumulet.services.lambda_.function_code import MOST_REQUEST_BYTES
from cumulet.services.lambda_.function_operations import FunctionOperations
from cumulet.services.lambda_.layer_operations import LayerOperations
from cumulet.services.lambda_.policy_operations import PolicyOperations
from cumulet.services.lambda_.provisioned_operations import ProvisionedOperations
from cumulet.services.lambda_.runtime_operations import RuntimeOperations
from cumulet.services.lambda_.tag_operations import TagOperations
from cumulet.services.lambda_.url_operations import UrlOperations
from cumulet.services.service import Download


class Lambda(
    FunctionOperations,
    ConcurrencyOperations,
    ProvisionedOperations,
    AliasOperations,
    LayerOperations,
    CodeSigningOperations,
    RuntimeOperations,
    PolicyOperations,
    TagOperations,
    UrlOperations,
    EventSourceOperations,
    name="lambda",
):
    """The service."""

    limits = frozenset(
        {
            "burst-concurrency",
            "burst-concurrency-per-minute",
            "code-storage-bytes",
            "concurrent-executions",
            "deprecated-runtimes",
            "environments",
            "filters-per-mapping",
        }
    )
    largest_requests = MappingProxyType(
        dict.fromkeys(("CreateFunction", "UpdateFunctionCode", "PublishLayerVersion"), MOST_REQUEST_BYTES)
    )

    def folders(self) -> Mapping[bytes, Download]:
        """Let the links that are answered lead to functions' code and layers."""
        return {downloads.FOLDER: self.downloads.answer}
