"""Models without prose, and questions about the trees of their shapes."""

from __future__ import annotations

import pytest

from cumulet.wire.model import Reach, UnknownServiceError, body_members, description, nests_without_bound, wire_name
from cumulet.wire.service import load


@pytest.mark.parametrize("name", ["nothing", "", "../sqs", "SQS", "sqs/2012-11-05", "a" * 10_000])
def test_unknown_services(name: str) -> None:
    with pytest.raises(UnknownServiceError):
        description(name)


def test_documentation_is_not_kept() -> None:
    model = load("sqs").model
    assert model.documentation == ""
    assert all(model.shape_for(name).documentation == "" for name in model.shape_names)


def test_reach() -> None:
    model = load("dynamodb").model
    has_blob = Reach(lambda shape: shape.type_name == "blob")
    assert has_blob(model.shape_for("PutItemInput"))
    assert has_blob(model.shape_for("AttributeValue"))
    assert not has_blob(model.shape_for("DescribeTableInput"))
    assert not has_blob(model.shape_for("DescribeTableInput"))


def test_nesting() -> None:
    assert nests_without_bound(load("dynamodb").model.shape_for("PutItemInput"))
    assert not nests_without_bound(load("sqs").model.shape_for("SendMessageBatchRequest"))


def test_names_and_places() -> None:
    shape = load("lambda").model.shape_for("InvocationRequest")
    assert wire_name(shape.members["InvocationType"], "InvocationType") == "X-Amz-Invocation-Type"
    assert list(body_members(shape)) == ["Payload"]
    assert body_members(None) == {}
