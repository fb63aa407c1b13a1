"""Models without prose, and questions about the trees of their shapes."""

from __future__ import annotations

from pathlib import Path

import pytest

from cumulet.wire.model import (
    Reach,
    UnknownServiceError,
    _metadata_in_front,
    body_members,
    description,
    metadata,
    nests_without_bound,
    wire_name,
)
from cumulet.wire.service import load


@pytest.mark.parametrize("name", ["nothing", "", "../sqs", "SQS", "sqs/2012-11-05", "a" * 10_000])
def test_unknown_services(name: str) -> None:
    with pytest.raises(UnknownServiceError):
        description(name)


def test_documentation_is_not_kept() -> None:
    model = description("sqs")
    assert "documentation" not in model
    assert not any("documentation" in shape for shape in model["shapes"].values())


@pytest.mark.parametrize("name", ["sqs", "cloudwatch", "lambda", "s3", "dynamodb", "stepfunctions", "ses"])
def test_metadata_is_that_of_the_description(name: str) -> None:
    assert metadata(name) == description(name)["metadata"]


@pytest.mark.parametrize(
    "content", ["{}", '{"metadata":{"uid":"sqs-2012', '{"shapes":{"metadata":{}}}', '{"version":"2.0","shapes":{}}']
)
def test_a_file_that_does_not_begin_with_metadata_is_read_whole(tmp_path: Path, content: str) -> None:
    file = tmp_path / "service-2.json"
    file.write_text(content)

    assert _metadata_in_front(file) is None


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
