"""Lambda: event source mappings have tags of their own."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambda_functions import create
from test_lambda_event_source_mappings import queue_arn

from cumulet.testing import Cumulet


def mapping(cumulet: Cumulet, **settings: Any) -> dict[str, Any]:
    """Return a mapping that is just made."""
    create(cumulet, "hello")
    answer: dict[str, Any] = cumulet.client("lambda").create_event_source_mapping(
        EventSourceArn=queue_arn(cumulet), FunctionName="hello", **settings
    )
    return answer


def test_the_tags_of_a_mapping_are_set_overwritten_and_removed(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    arn = mapping(cumulet, Tags={"team": "blue", "stage": "test"})["EventSourceMappingArn"]
    first = client.list_tags(Resource=arn)["Tags"]

    client.tag_resource(Resource=arn, Tags={"stage": "live", "cost": "7"})
    client.untag_resource(Resource=arn, TagKeys=["team", "nothing"])

    assert first == {"team": "blue", "stage": "test"}
    assert client.list_tags(Resource=arn)["Tags"] == {"stage": "live", "cost": "7"}
    assert (
        client.list_tags(Resource=client.get_function(FunctionName="hello")["Configuration"]["FunctionArn"])["Tags"]
        == {}
    )


def test_tags_stay_when_a_mapping_changes_and_go_with_it(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    made = mapping(cumulet, Tags={"team": "blue"})
    arn = made["EventSourceMappingArn"]

    client.update_event_source_mapping(UUID=made["UUID"], BatchSize=3)
    client.tag_resource(Resource=arn, Tags={"stage": "live"})
    shown = client.get_event_source_mapping(UUID=made["UUID"])
    tags = client.list_tags(Resource=arn)["Tags"]
    client.delete_event_source_mapping(UUID=made["UUID"])

    assert (shown["BatchSize"], tags) == (3, {"team": "blue", "stage": "live"})
    with pytest.raises(ClientError) as gone:
        client.list_tags(Resource=arn)
    assert gone.value.response["Error"]["Code"] == "ResourceNotFoundException"


BAD_TAGS: list[tuple[dict[str, str], str]] = [
    ({f"key-{n}": "" for n in range(51)}, "Number of tags exceeds resource tag limit."),
    ({"aws:key": ""}, "aws: prefixed tag key names are not allowed for external use."),
]


@pytest.mark.parametrize(("tags", "message"), BAD_TAGS)
def test_a_mapping_with_bad_tags_is_not_made(cumulet: Cumulet, tags: dict[str, str], message: str) -> None:
    for _ in range(2):
        with pytest.raises(ClientError) as refused:
            mapping(cumulet, Tags=tags)
        cumulet.client("lambda").delete_function(FunctionName="hello")

        assert refused.value.response["Error"] == {"Code": "InvalidParameterValueException", "Message": message}
    assert cumulet.client("lambda").list_event_source_mappings()["EventSourceMappings"] == []


@pytest.mark.parametrize(
    ("tags", "message"), [({}, "An error occurred and the request cannot be processed."), *BAD_TAGS]
)
def test_bad_tags_are_refused_twice_and_change_nothing(cumulet: Cumulet, tags: dict[str, str], message: str) -> None:
    client = cumulet.client("lambda")
    arn = mapping(cumulet, Tags={"team": "blue"})["EventSourceMappingArn"]

    for _ in range(2):
        with pytest.raises(ClientError) as refused:
            client.tag_resource(Resource=arn, Tags=tags)

    assert refused.value.response["Error"] == {"Code": "InvalidParameterValueException", "Message": message}
    assert client.list_tags(Resource=arn)["Tags"] == {"team": "blue"}
