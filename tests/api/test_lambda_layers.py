"""Lambda: versions of layers are published, listed and deleted, and functions use them."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError
from lambda_functions import SOURCE, create, zip_of
from lambda_layers import TOOLS, arn_of, publish, without_metadata
from quotas import with_quotas

from cumulet.testing import Cumulet

USES_TOOLS = "import tools\n\ndef handler(event, context):\n    return tools.NAME\n"


def invoked(cumulet: Cumulet, name: str, **members: Any) -> Any:
    answer = cumulet.client("lambda").invoke(FunctionName=name, **members)
    return json.loads(answer["Payload"].read())


def layers_of(cumulet: Cumulet, name: str, **members: Any) -> list[str]:
    found = cumulet.client("lambda").get_function_configuration(FunctionName=name, **members)
    return [layer["Arn"] for layer in found.get("Layers", [])]


def files(server: Cumulet) -> set[str]:
    return {path.name for path in (server.folder / "functions").iterdir()}


def file_of(package: bytes) -> str:
    return f"{hashlib.sha256(package).hexdigest()}.zip"


# Publishing


def test_a_version_is_shown_as_it_was_published(cumulet: Cumulet) -> None:
    given = {
        "Description": "what all need",
        "LicenseInfo": "MIT",
        "CompatibleRuntimes": ["python3.11", "python3.12"],
        "CompatibleArchitectures": ["x86_64", "arm64"],
    }

    published = publish(cumulet, **given)

    location = published["Content"].pop("Location")
    assert published.pop("CreatedDate").endswith("+0000")
    assert published == given | {
        "Content": {
            "CodeSha256": base64.b64encode(hashlib.sha256(TOOLS).digest()).decode(),
            "CodeSize": len(TOOLS),
        },
        "LayerArn": arn_of(cumulet).removesuffix(":1"),
        "LayerVersionArn": arn_of(cumulet),
        "Version": 1,
    }
    with urlopen(location, timeout=30) as response:
        assert response.read() == TOOLS


def test_what_was_not_given_is_not_shown(cumulet: Cumulet) -> None:
    published = publish(cumulet)
    empty = publish(cumulet, CompatibleRuntimes=[], CompatibleArchitectures=[])

    assert published["Description"] == ""
    assert not {"LicenseInfo", "CompatibleRuntimes", "CompatibleArchitectures"} & published.keys()
    assert (empty["CompatibleRuntimes"], empty["CompatibleArchitectures"]) == ([], [])


def test_a_version_is_found_by_number_and_by_arn(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    published = publish(cumulet, Description="first")
    layer = published["LayerArn"]

    found = [
        client.get_layer_version(LayerName="tools", VersionNumber=1),
        client.get_layer_version(LayerName=layer, VersionNumber=1),
        client.get_layer_version_by_arn(Arn=arn_of(cumulet)),
    ]

    for answer in found:
        answer["Content"].pop("Location")
    published["Content"].pop("Location")
    assert [without_metadata(answer) for answer in found] == 3 * [published]


def test_numbers_go_on_and_are_never_used_again(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    numbers = [publish(cumulet)["Version"] for _ in range(3)]

    for number in numbers:
        client.delete_layer_version(LayerName="tools", VersionNumber=number)
    after = publish(cumulet)["Version"]

    assert numbers == [1, 2, 3]
    assert after == 4
    assert publish(cumulet, "others")["Version"] == 1


def test_regions_and_accounts_have_their_own_layers(cumulet: Cumulet) -> None:
    publish(cumulet)

    elsewhere = cumulet.client("lambda", region="eu-west-1").list_layers()["Layers"]
    of_others = cumulet.client("lambda", account="111122223333").list_layers()["Layers"]

    assert elsewhere == []
    assert "tools" not in [layer["LayerName"] for layer in of_others]


# Listing


def test_layers_are_listed_with_their_newest_version(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    for name in ("b", "a", "b", "gone"):
        publish(cumulet, name)
    client.delete_layer_version(LayerName="gone", VersionNumber=1)

    listed = client.list_layers()["Layers"]

    assert [(layer["LayerName"], layer["LatestMatchingVersion"]["Version"]) for layer in listed] == [("a", 1), ("b", 2)]
    assert listed[1]["LayerArn"] == arn_of(cumulet, "b").removesuffix(":1")
    assert listed[1]["LatestMatchingVersion"]["LayerVersionArn"] == arn_of(cumulet, "b", 2)
    assert "Content" not in listed[1]["LatestMatchingVersion"]


def test_versions_are_listed_newest_first(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    published = [publish(cumulet, Description=str(number)) for number in range(3)]

    listed = client.list_layer_versions(LayerName="tools")["LayerVersions"]

    shown = [
        {name: value for name, value in version.items() if name not in ("Content", "LayerArn")} for version in published
    ]
    assert listed == shown[::-1]
    assert client.list_layer_versions(LayerName="nothing")["LayerVersions"] == []


def test_lists_can_be_narrowed_to_what_is_compatible(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    publish(cumulet, "a", CompatibleRuntimes=["python3.11"], CompatibleArchitectures=["arm64"])
    publish(cumulet, "a", CompatibleRuntimes=["nodejs20.x"])
    publish(cumulet, "b")

    def found(**members: str) -> list[tuple[str, int]]:
        listed = client.list_layers(**members)["Layers"]
        return [(layer["LayerName"], layer["LatestMatchingVersion"]["Version"]) for layer in listed]

    versions = client.list_layer_versions(LayerName="a", CompatibleRuntime="python3.11")["LayerVersions"]

    assert found() == [("a", 2), ("b", 1)]
    assert found(CompatibleRuntime="python3.11") == [("a", 1)]
    assert found(CompatibleRuntime="nodejs20.x") == [("a", 2)]
    assert found(CompatibleArchitecture="arm64") == [("a", 1)]
    assert found(CompatibleArchitecture="x86_64", CompatibleRuntime="python3.11") == []
    assert [version["Version"] for version in versions] == [1]


def test_lists_come_in_pages(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    for name in ("a", "b", "c", "c", "c"):
        publish(cumulet, name)

    first = client.list_layers(MaxItems=2)
    second = client.list_layers(MaxItems=2, Marker=first["NextMarker"])
    newest = client.list_layer_versions(LayerName="c", MaxItems=2)
    oldest = client.list_layer_versions(LayerName="c", MaxItems=2, Marker=newest["NextMarker"])

    assert [layer["LayerName"] for layer in first["Layers"] + second["Layers"]] == ["a", "b", "c"]
    assert [version["Version"] for version in newest["LayerVersions"] + oldest["LayerVersions"]] == [3, 2, 1]
    assert "NextMarker" not in second
    assert "NextMarker" not in oldest


# In functions


def test_a_function_imports_a_module_of_its_layer(cumulet: Cumulet) -> None:
    layer = publish(cumulet)["LayerVersionArn"]

    created = create(cumulet, "user", USES_TOOLS, Layers=[layer])

    assert created["Layers"] == [{"Arn": layer, "CodeSize": len(TOOLS)}]
    assert invoked(cumulet, "user") == "tools"


def test_layers_are_merged_in_their_order(cumulet: Cumulet) -> None:
    first = publish(cumulet, "first", zip_of({"python/tools.py": "NAME = 'first'\n", "only-first": "1"}))
    second = publish(cumulet, "second", zip_of({"python/tools.py": "NAME = 'second'\n"}))
    arns = [first["LayerVersionArn"], second["LayerVersionArn"]]
    source = (
        "import os, tools\n\ndef handler(event, context):\n    return tools.NAME, os.path.exists('/opt/only-first')\n"
    )

    create(cumulet, "one", source, Layers=arns)
    create(cumulet, "two", source, Layers=arns[::-1])

    assert layers_of(cumulet, "one") == arns
    assert layers_of(cumulet, "two") == arns[::-1]
    assert invoked(cumulet, "one") == ["second", True]
    assert invoked(cumulet, "two") == ["first", True]


def test_layers_are_changed_with_the_configuration(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    arns = [publish(cumulet, content=zip_of({"python/tools.py": f"NAME = {n}\n"}))["LayerVersionArn"] for n in (1, 2)]
    create(cumulet, "user", USES_TOOLS, Layers=arns[:1])
    before = invoked(cumulet, "user")

    client.update_function_configuration(FunctionName="user", Layers=arns[1:])
    changed = invoked(cumulet, "user")
    client.update_function_configuration(FunctionName="user", Timeout=9)
    client.update_function_code(FunctionName="user", ZipFile=zip_of({"app.py": USES_TOOLS + "\n"}))
    kept = layers_of(cumulet, "user")
    client.update_function_configuration(FunctionName="user", Layers=[])

    assert (before, changed) == (1, 2)
    assert kept == arns[1:]
    assert "Layers" not in client.get_function_configuration(FunctionName="user")
    assert "No module named 'tools'" in invoked(cumulet, "user")["errorMessage"]


def test_a_published_version_keeps_its_layers(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    layer = publish(cumulet)["LayerVersionArn"]
    create(cumulet, "user", USES_TOOLS, Layers=[layer], Publish=True)

    client.update_function_configuration(FunctionName="user", Layers=[])

    assert layers_of(cumulet, "user", Qualifier="1") == [layer]
    assert layers_of(cumulet, "user") == []
    assert invoked(cumulet, "user", Qualifier="1") == "tools"


def test_another_accounts_layer_can_be_used_where_nothing_is_enforced(cumulet: Cumulet) -> None:
    owner = cumulet.as_account("111122223333")
    layer = publish(owner, "shared")["LayerVersionArn"]

    create(cumulet, "user", USES_TOOLS, Layers=[layer])

    assert invoked(cumulet, "user") == "tools"
    assert cumulet.client("lambda").get_layer_version_by_arn(Arn=layer)["LayerVersionArn"] == layer


# Deleting


def test_a_deleted_version_is_gone_and_functions_go_on(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data") as server:
        client = server.client("lambda")
        layer = publish(server)["LayerVersionArn"]
        create(server, "user", USES_TOOLS, Layers=[layer])

        answers = [client.delete_layer_version(LayerName="tools", VersionNumber=1) for _ in range(2)]
        server.advance(minutes=20)
        client.update_function_configuration(FunctionName="user", Timeout=9)

        assert [answer["ResponseMetadata"]["HTTPStatusCode"] for answer in answers] == [204, 204]
        assert client.list_layers()["Layers"] == []
        assert layers_of(server, "user") == [layer]
        assert invoked(server, "user") == "tools"
        assert file_of(TOOLS) in files(server)
        with pytest.raises(ClientError, match="does not exist"):
            create(server, Layers=[layer])


def test_its_file_goes_with_the_last_that_used_it(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data") as server:
        client = server.client("lambda")
        layer = publish(server)["LayerVersionArn"]
        create(server, "latest", Layers=[layer])
        create(server, "published", Layers=[layer], Publish=True)
        client.update_function_configuration(FunctionName="published", Layers=[])
        client.delete_layer_version(LayerName="tools", VersionNumber=1)

        client.update_function_configuration(FunctionName="latest", Layers=[])
        server.advance(minutes=20)
        of_a_version = files(server)
        client.delete_function(FunctionName="published", Qualifier="1")
        server.advance(minutes=20)

        assert file_of(TOOLS) in of_a_version
        assert files(server) == {file_of(zip_of({"app.py": SOURCE}))}


def test_layers_count_as_code_storage(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    before = client.get_account_settings()["AccountUsage"]["TotalCodeSize"]

    publish(cumulet)
    publish(cumulet)

    assert client.get_account_settings()["AccountUsage"]["TotalCodeSize"] == before + 2 * len(TOOLS)


def test_layers_are_limited_by_the_code_storage_of_an_account(tmp_path: Path) -> None:
    with with_quotas(tmp_path, {"lambda:code-storage-bytes": 2 * len(TOOLS)}) as server:
        publish(server)
        publish(server)

        for _ in range(2):
            with pytest.raises(ClientError, match="Code storage limit exceeded"):
                publish(server)

        assert len(server.client("lambda").list_layer_versions(LayerName="tools")["LayerVersions"]) == 2


# Limits


def test_code_and_layers_together_have_a_limit(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    half = zip_of({"zeros": bytes(131_072_000)})
    arns = [publish(cumulet, name, half)["LayerVersionArn"] for name in ("a", "b")]
    too_large = (
        "Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. "
        f"The actual size is {262_144_000 + len(SOURCE)} bytes."
    )
    create(cumulet, "user", Layers=arns[:1])

    def message(operation: Any, **members: Any) -> str:
        with pytest.raises(ClientError) as refused:
            operation(**members)
        assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"
        return str(refused.value.response["Error"]["Message"])

    with pytest.raises(ClientError, match="Function code combined with layers"):
        create(cumulet, "new", Layers=arns)
    configured = message(client.update_function_configuration, FunctionName="user", Layers=arns)
    recoded = message(client.update_function_code, FunctionName="user", ZipFile=zip_of({"a": bytes(131_072_001)}))

    assert configured == too_large
    assert recoded.endswith("The actual size is 262144001 bytes.")
    assert layers_of(cumulet, "user") == arns[:1]
    assert [function["FunctionName"] for function in client.list_functions()["Functions"]] == ["user"]


def test_a_layer_of_50_mb_is_published(cumulet: Cumulet) -> None:
    noise = os.urandom(50_000_000)

    published = publish(cumulet, "large", zip_of({"noise": noise}))

    assert published["Content"]["CodeSize"] > 50_000_000


# Permissions


def statement(sid: str, resource: str, principal: object = "*", **more: object) -> dict[str, Any]:
    made = {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": "lambda:GetLayerVersion"}
    return {**made, "Resource": resource, **more}


def permit(cumulet: Cumulet, sid: str, principal: str = "*", **members: Any) -> dict[str, Any]:
    """Let accounts use version 1 of the layer `tools`."""
    answer: dict[str, Any] = cumulet.client("lambda").add_layer_version_permission(
        LayerName="tools",
        VersionNumber=1,
        StatementId=sid,
        Action="lambda:GetLayerVersion",
        Principal=principal,
        **members,
    )
    return answer


def test_permissions_are_added_and_removed(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    resource = publish(cumulet)["LayerVersionArn"]

    first = permit(cumulet, "s1")
    permit(cumulet, "s2", "111122223333", RevisionId=first["RevisionId"])
    third = permit(cumulet, "s3", "arn:aws:iam::111122223333:root")
    fourth = permit(cumulet, "s4", OrganizationId="o-abcdefghij")
    both = client.get_layer_version_policy(LayerName="tools", VersionNumber=1)
    client.remove_layer_version_permission(
        LayerName="tools", VersionNumber=1, StatementId="s1", RevisionId=fourth["RevisionId"]
    )
    left = client.get_layer_version_policy(LayerName="tools", VersionNumber=1)

    other = {"AWS": "arn:aws:iam::111122223333:root"}
    statements = [
        statement("s1", resource),
        statement("s2", resource, other),
        statement("s3", resource, other),
        statement("s4", resource, Condition={"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}),
    ]
    assert json.loads(first["Statement"]) == statements[0]
    assert json.loads(third["Statement"]) == statements[2]
    assert json.loads(both["Policy"]) == {"Version": "2012-10-17", "Id": "default", "Statement": statements}
    assert both["RevisionId"] == fourth["RevisionId"]
    assert json.loads(left["Policy"])["Statement"] == statements[1:]
    assert len({first["RevisionId"], third["RevisionId"], fourth["RevisionId"], left["RevisionId"]}) == 4


def test_each_version_has_its_own_permissions_and_loses_them_when_it_is_deleted(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    publish(cumulet)
    publish(cumulet)
    permit(cumulet, "s1")

    with pytest.raises(client.exceptions.ResourceNotFoundException, match="No policy is associated"):
        client.get_layer_version_policy(LayerName="tools", VersionNumber=2)
    client.delete_layer_version(LayerName="tools", VersionNumber=1)

    with pytest.raises(client.exceptions.ResourceNotFoundException, match="does not exist"):
        client.get_layer_version_policy(LayerName="tools", VersionNumber=1)


def test_a_policy_has_a_limit(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    publish(cumulet)

    def fill() -> None:
        for number in range(200):
            permit(cumulet, f"{number:0100}")

    with pytest.raises(client.exceptions.PolicyLengthExceededException, match="is bigger than the limit"):
        fill()

    policy = client.get_layer_version_policy(LayerName="tools", VersionNumber=1)["Policy"]
    assert 20_000 < len(policy) <= 20_480


def test_an_empty_policy_is_none(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    publish(cumulet)
    permit(cumulet, "s1")

    client.remove_layer_version_permission(LayerName="tools", VersionNumber=1, StatementId="s1")

    with pytest.raises(client.exceptions.ResourceNotFoundException, match="No policy is associated"):
        client.get_layer_version_policy(LayerName="tools", VersionNumber=1)
