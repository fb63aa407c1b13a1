"""Which zip files are needed: the code of functions and their versions, layers, and layers that functions still use."""

from __future__ import annotations

import msgspec

from cumulet.services.lambda_.configuration import Configuration
from cumulet.store import Tx

SELECT_PACKAGES = """
SELECT package FROM lambda_functions
UNION SELECT package FROM lambda_versions
UNION SELECT package FROM lambda_layer_versions"""
SELECT_WITH_LAYERS = """
SELECT configuration FROM lambda_functions WHERE configuration LIKE '%"layers":%'
UNION SELECT configuration FROM lambda_versions WHERE configuration LIKE '%"layers":%'"""


def packages(tx: Tx) -> set[str]:
    """Return the digests of all packages that are needed."""
    used = {row[0] for row in tx.all(SELECT_PACKAGES)}
    for row in tx.all(SELECT_WITH_LAYERS):
        used |= {layer.digest for layer in msgspec.json.decode(row[0], type=Configuration).layers}
    return used
