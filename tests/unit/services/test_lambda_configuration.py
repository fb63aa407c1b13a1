"""Lambda's configuration of functions: nothing that a request asks for is passed over in silence."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cumulet.kernel.errors import NotImplementedFailure
from cumulet.services.lambda_.configuration import IMPLEMENTED, refuse_unsupported
from cumulet.wire.model import description

OPERATIONS = {
    "CreateFunction": ("CreateFunctionRequest", "FunctionCode"),
    "UpdateFunctionCode": ("UpdateFunctionCodeRequest",),
    "PublishVersion": ("PublishVersionRequest",),
    "UpdateFunctionConfiguration": ("UpdateFunctionConfigurationRequest",),
}


def members() -> Iterator[tuple[str, str]]:
    """Yield the members of the operations' requests by operation."""
    for operation, names in OPERATIONS.items():
        for name in names:
            for member in description("lambda")["shapes"][name]["members"]:
                yield operation, member


LACKING = [(operation, member) for operation, member in members() if member not in IMPLEMENTED]


@pytest.mark.parametrize(("operation", "member"), LACKING)
def test_what_is_not_implemented_is_refused_by_name(operation: str, member: str) -> None:
    with pytest.raises(NotImplementedFailure, match=f"{member} of {operation}"):
        refuse_unsupported(operation, {"FunctionName": "hello", member: {"some": "thing"}})


@pytest.mark.parametrize(("operation", "member"), LACKING)
def test_a_member_without_a_value_asks_for_nothing(operation: str, member: str) -> None:
    refuse_unsupported(operation, {"FunctionName": "hello", member: {}})


def test_no_name_is_made_up() -> None:
    assert {member for _, member in members()} >= IMPLEMENTED
    assert len(LACKING) > 5
