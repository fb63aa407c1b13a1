"""Lambda: functions are created, shown, listed, changed and deleted as AWS does it."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError
from lambda_functions import ROLE, SOURCE, create, new_name, zip_of

from cumulet.testing import Cumulet

PACKAGE = zip_of({"app.py": SOURCE})
OTHER_PACKAGE = zip_of({"app.py": "def handler(event, context):\n    return 'other'\n"})


def sha256(package: bytes) -> str:
    return base64.b64encode(hashlib.sha256(package).digest()).decode()


def shown_time(cumulet: Cumulet) -> str:
    """Return the platform's time as Lambda writes it."""
    now = datetime.fromtimestamp(cumulet.now_ms() / 1000, UTC)
    return now.isoformat(timespec="milliseconds").replace("+00:00", "+0000")


def without_metadata(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def configuration(cumulet: Cumulet, name: str) -> dict[str, Any]:
    return without_metadata(cumulet.client("lambda").get_function_configuration(FunctionName=name))


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_new_function_is_shown_with_all_defaults(cumulet: Cumulet) -> None:
    now = shown_time(cumulet)

    answer = create(cumulet, "hello", SOURCE)

    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert len(answer["RevisionId"]) == 36
    assert answer["RuntimeVersionConfig"]["RuntimeVersionArn"].startswith("arn:aws:lambda:us-east-1::runtime:")
    assert without_metadata(answer) == {
        "FunctionName": "hello",
        "FunctionArn": f"arn:aws:lambda:us-east-1:{cumulet.account}:function:hello",
        "Runtime": "python3.11",
        "Role": ROLE,
        "Handler": "app.handler",
        "CodeSize": len(PACKAGE),
        "Description": "",
        "Timeout": 3,
        "MemorySize": 128,
        "LastModified": now,
        "CodeSha256": sha256(PACKAGE),
        "Version": "$LATEST",
        "TracingConfig": {"Mode": "PassThrough"},
        "RevisionId": answer["RevisionId"],
        "State": "Pending",
        "StateReason": "The function is being created.",
        "StateReasonCode": "Creating",
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "RuntimeVersionConfig": answer["RuntimeVersionConfig"],
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/hello"},
    }


def test_a_created_function_is_active_for_whoever_asks_next(cumulet: Cumulet) -> None:
    created = without_metadata(create(cumulet, "hello"))

    found = configuration(cumulet, "hello")

    pending = {"State", "StateReason", "StateReasonCode"}
    ready = {"State": "Active", "LastUpdateStatus": "Successful"}
    assert found == {name: value for name, value in created.items() if name not in pending} | ready


def test_all_settings_are_shown_as_they_were_given(cumulet: Cumulet) -> None:
    settings = {
        "Runtime": "python3.12",
        "Handler": "app.other",
        "Description": "Grüße",
        "Timeout": 900,
        "MemorySize": 10240,
        "EphemeralStorage": {"Size": 10240},
        "Architectures": ["arm64"],
        "Environment": {"Variables": {"PLACE": "here", "EMPTY": ""}},
        "TracingConfig": {"Mode": "Active"},
        "DeadLetterConfig": {"TargetArn": "arn:aws:sns:us-east-1:123456789012:dead"},
        "KMSKeyArn": "arn:aws:kms:us-east-1:123456789012:key/key",
        "LoggingConfig": {"LogFormat": "JSON", "LogGroup": "/my/group", "SystemLogLevel": "WARN"},
    }

    create(
        cumulet,
        "hello",
        VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
        SnapStart={"ApplyOn": "None"},
        **settings,
    )

    found = configuration(cumulet, "hello")
    settings["LoggingConfig"] = {**settings["LoggingConfig"], "ApplicationLogLevel": "INFO"}  # type: ignore[dict-item]
    assert {name: found[name] for name in settings} == settings
    assert found["VpcConfig"] == {
        "SubnetIds": ["subnet-1"],
        "SecurityGroupIds": ["sg-1"],
        "VpcId": "",
        "Ipv6AllowedForDualStack": False,
    }
    assert found["SnapStart"] == {"ApplyOn": "None", "OptimizationStatus": "Off"}


@pytest.mark.parametrize("given", [{}, {"Variables": {}}])
def test_an_empty_environment_is_shown_where_none_is_not(cumulet: Cumulet, given: dict[str, Any]) -> None:
    create(cumulet, "with", Environment=given)
    create(cumulet, "without")

    assert configuration(cumulet, "with")["Environment"] == {"Variables": {}}
    assert "Environment" not in configuration(cumulet, "without")


def test_every_runtime_that_the_model_lists_is_accepted(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    runtimes = client.meta.service_model.shape_for("Runtime").enum
    assert len(runtimes) > 40

    for number, runtime in enumerate(runtimes):
        create(cumulet, f"f{number}", Runtime=runtime)

    found = {
        function["Runtime"]
        for page in client.get_paginator("list_functions").paginate()
        for function in page["Functions"]
    }
    assert found == set(runtimes)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("Timeout", 1),
        ("MemorySize", 128),
        ("Description", "d" * 256),
        ("Handler", "h" * 128),
        ("Environment", {"Variables": {"LARGE": "x" * 4084}}),
        ("Tags", {f"key-{n}": "v" * 256 for n in range(50)}),
    ],
)
def test_what_is_at_a_limit_is_accepted(cumulet: Cumulet, member: str, value: Any) -> None:
    create(cumulet, "a" * 64, **{member: value})

    answer = cumulet.client("lambda").get_function(FunctionName="a" * 64)
    assert (answer["Configuration"] | answer)[member] == value


NAMES = ["{name}", "{account}:function:{name}", "function:{name}", "arn:aws:lambda:us-east-1:{account}:function:{name}"]


@pytest.mark.parametrize("written", NAMES)
def test_a_function_is_named_by_its_name_a_partial_arn_or_its_arn(cumulet: Cumulet, written: str) -> None:
    name = written.format(name="hello", account=cumulet.account)
    client = cumulet.client("lambda")

    created = create(cumulet, name)

    assert created["FunctionName"] == "hello"
    assert client.get_function(FunctionName=name)["Configuration"]["FunctionName"] == "hello"
    client.update_function_configuration(FunctionName=name, Timeout=4)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    client.delete_function(FunctionName=name)
    assert client.list_functions()["Functions"] == []


@pytest.mark.parametrize("asked", [{"Qualifier": "$LATEST"}, {"FunctionName": "hello:$LATEST"}])
def test_the_arn_has_the_qualifier_that_was_asked_for(cumulet: Cumulet, asked: dict[str, str]) -> None:
    arn = create(cumulet, "hello")["FunctionArn"]
    client = cumulet.client("lambda")

    whole = client.get_function(**{"FunctionName": "hello", **asked})
    alone = client.get_function_configuration(**{"FunctionName": "hello", **asked})

    assert whole["Configuration"]["FunctionArn"] == alone["FunctionArn"] == f"{arn}:$LATEST"


def test_get_function_shows_tags_and_concurrency_only_where_there_are_any(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    create(cumulet, "plain")
    create(cumulet, "tagged", Tags={"team": "blue"})
    client.put_function_concurrency(FunctionName="tagged", ReservedConcurrentExecutions=0)

    plain, tagged = client.get_function(FunctionName="plain"), client.get_function(FunctionName="tagged")

    assert plain.keys() == {"Configuration", "Code", "ResponseMetadata"}
    assert tagged["Tags"] == {"team": "blue"}
    assert tagged["Concurrency"] == {"ReservedConcurrentExecutions": 0}


@pytest.mark.parametrize(
    "waiter", ["function_exists", "function_active", "function_active_v2", "function_updated", "function_updated_v2"]
)
def test_waiters_pass_at_once_although_the_clock_stands_still(cumulet: Cumulet, waiter: str) -> None:
    create(cumulet, "hello")
    client = cumulet.client("lambda")
    client.update_function_code(FunctionName="hello", ZipFile=OTHER_PACKAGE)

    client.get_waiter(waiter).wait(FunctionName="hello", WaiterConfig={"Delay": 0, "MaxAttempts": 1})


def test_functions_of_accounts_and_regions_are_apart(cumulet: Cumulet) -> None:
    create(cumulet, "hello", Description="here")
    elsewhere = cumulet.client("lambda", region="eu-west-1")
    stranger = cumulet.client("lambda", account="999999999999")

    assert elsewhere.list_functions()["Functions"] == []
    with pytest.raises(ClientError) as unknown:
        elsewhere.get_function(FunctionName="hello")
    with pytest.raises(ClientError):
        stranger.get_function(FunctionName="hello")

    arn = f"arn:aws:lambda:eu-west-1:{cumulet.account}:function:hello"
    assert unknown.value.response["Error"]["Message"] == f"Function not found: {arn}"


# Listing


def test_functions_are_listed_by_name_without_their_state(cumulet: Cumulet) -> None:
    for name in ("b", "a", "C"):
        create(cumulet, name, Environment={"Variables": {"NAME": name}})

    listed = cumulet.client("lambda").list_functions()["Functions"]

    assert [function["FunctionName"] for function in listed] == ["C", "a", "b"]
    shown = configuration(cumulet, "a")
    hidden = {"State", "LastUpdateStatus", "RuntimeVersionConfig"}
    assert listed[1] == {name: value for name, value in shown.items() if name not in hidden}


@pytest.mark.parametrize(("count", "size"), [(4, 1), (4, 2), (4, 3), (4, 4), (4, 5)])
def test_pages_together_are_the_list(cumulet: Cumulet, count: int, size: int) -> None:
    names = [create(cumulet, f"f{number}")["FunctionName"] for number in range(count)]
    pages = cumulet.client("lambda").get_paginator("list_functions").paginate(PaginationConfig={"PageSize": size})

    found = [[function["FunctionName"] for function in page["Functions"]] for page in pages]

    assert found == [names[start : start + size] for start in range(0, count, size)]


def test_a_page_has_50_functions_at_most(cumulet: Cumulet) -> None:
    for number in range(51):
        create(cumulet, f"f{number:02}")
    client = cumulet.client("lambda")

    first = client.list_functions(MaxItems=10_000)
    second = client.list_functions(Marker=first["NextMarker"])

    assert len(first["Functions"]) == 50
    assert [function["FunctionName"] for function in second["Functions"]] == ["f50"]
    assert "NextMarker" not in second


def test_a_page_goes_on_behind_a_function_that_was_deleted_meanwhile(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    for name in ("a", "b", "c"):
        create(cumulet, name)
    marker = client.list_functions(MaxItems=2)["NextMarker"]
    client.delete_function(FunctionName="b")

    rest = client.list_functions(Marker=marker)["Functions"]

    assert [function["FunctionName"] for function in rest] == ["c"]


def test_all_versions_are_listed_with_qualified_arns(cumulet: Cumulet) -> None:
    arn = create(cumulet, "hello")["FunctionArn"]
    client = cumulet.client("lambda")

    [listed] = client.list_functions(FunctionVersion="ALL")["Functions"]

    assert listed["FunctionArn"] == f"{arn}:$LATEST"
    assert client.list_functions(FunctionVersion="ALL", MasterRegion="us-east-1")["Functions"] == []


# Changing


def test_new_code_is_shown_and_everything_else_stays(cumulet: Cumulet) -> None:
    create(cumulet, "hello", Timeout=7, Tags={"team": "blue"})
    client = cumulet.client("lambda")
    before = configuration(cumulet, "hello")
    cumulet.advance(seconds=1)

    answer = without_metadata(client.update_function_code(FunctionName="hello", ZipFile=OTHER_PACKAGE))

    after = configuration(cumulet, "hello")
    in_progress = {
        "LastUpdateStatus": "InProgress",
        "LastUpdateStatusReason": "The function is being created.",
        "LastUpdateStatusReasonCode": "Creating",
    }
    changed = {
        "CodeSha256": sha256(OTHER_PACKAGE),
        "CodeSize": len(OTHER_PACKAGE),
        "LastModified": shown_time(cumulet),
        "RevisionId": answer["RevisionId"],
    }
    assert after == before | changed
    assert answer == after | in_progress
    assert after["RevisionId"] != before["RevisionId"]
    assert client.get_function(FunctionName="hello")["Tags"] == {"team": "blue"}


def test_the_same_code_again_is_a_new_revision(cumulet: Cumulet) -> None:
    created = create(cumulet, "hello")
    client = cumulet.client("lambda")

    answers = [client.update_function_code(FunctionName="hello", ZipFile=PACKAGE) for _ in range(2)]

    assert len({created["RevisionId"], *(answer["RevisionId"] for answer in answers)}) == 3
    assert {answer["CodeSha256"] for answer in answers} == {sha256(PACKAGE)}


def test_new_code_can_change_the_architecture(cumulet: Cumulet) -> None:
    create(cumulet, "hello")

    cumulet.client("lambda").update_function_code(FunctionName="hello", ZipFile=PACKAGE, Architectures=["arm64"])

    assert configuration(cumulet, "hello")["Architectures"] == ["arm64"]


def test_a_dry_run_answers_what_would_be_and_changes_nothing(cumulet: Cumulet) -> None:
    create(cumulet, "hello")
    before = configuration(cumulet, "hello")

    answer = cumulet.client("lambda").update_function_code(FunctionName="hello", ZipFile=OTHER_PACKAGE, DryRun=True)

    assert answer["CodeSha256"] == sha256(OTHER_PACKAGE)
    assert configuration(cumulet, "hello") == before


CHANGES: list[tuple[str, Any]] = [
    ("Role", "arn:aws:iam::123456789012:role/path/other"),
    ("Handler", "other.handler"),
    ("Runtime", "nodejs22.x"),
    ("Description", ""),
    ("Timeout", 900),
    ("MemorySize", 1024),
    ("EphemeralStorage", {"Size": 1024}),
    ("TracingConfig", {"Mode": "PassThrough"}),
    ("Environment", {"Variables": {"OTHER": "x"}}),
    ("Environment", {"Variables": {}}),
    ("DeadLetterConfig", {"TargetArn": "arn:aws:sns:us-east-1:123456789012:other"}),
    ("KMSKeyArn", "arn:aws:kms:us-east-1:123456789012:key/other"),
    ("LoggingConfig", {"LogFormat": "Text", "LogGroup": "/other"}),
]
SETTINGS: dict[str, Any] = {
    "Description": "first",
    "TracingConfig": {"Mode": "Active"},
    "Environment": {"Variables": {"PLACE": "here"}},
    "DeadLetterConfig": {"TargetArn": "arn:aws:sns:us-east-1:123456789012:dead"},
    "KMSKeyArn": "arn:aws:kms:us-east-1:123456789012:key/key",
    "LoggingConfig": {"LogFormat": "JSON"},
    "VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
}


@pytest.mark.parametrize(("member", "value"), CHANGES)
def test_a_setting_is_changed_and_the_others_stay(cumulet: Cumulet, member: str, value: Any) -> None:
    create(cumulet, "hello", **SETTINGS)
    before = configuration(cumulet, "hello")

    answer = cumulet.client("lambda").update_function_configuration(FunctionName="hello", **{member: value})

    after = configuration(cumulet, "hello")
    follows = {"RevisionId": answer["RevisionId"], "RuntimeVersionConfig": after["RuntimeVersionConfig"]}
    assert after == before | {member: value} | follows
    assert answer["LastUpdateStatus"] == "InProgress"
    assert after["RevisionId"] != before["RevisionId"]


@pytest.mark.parametrize(
    ("member", "value"), [("DeadLetterConfig", {"TargetArn": ""}), ("DeadLetterConfig", {}), ("KMSKeyArn", "")]
)
def test_a_setting_is_taken_away_by_an_empty_one(cumulet: Cumulet, member: str, value: Any) -> None:
    create(cumulet, "hello", **SETTINGS)

    cumulet.client("lambda").update_function_configuration(FunctionName="hello", **{member: value})

    assert member not in configuration(cumulet, "hello")


def test_a_function_leaves_its_vpc_by_empty_lists(cumulet: Cumulet) -> None:
    create(cumulet, "hello", **SETTINGS)

    cumulet.client("lambda").update_function_configuration(
        FunctionName="hello", VpcConfig={"SubnetIds": [], "SecurityGroupIds": []}
    )

    vpc = configuration(cumulet, "hello")["VpcConfig"]
    assert (vpc["SubnetIds"], vpc["SecurityGroupIds"]) == ([], [])


def test_log_levels_are_set_one_by_one_and_lost_with_the_format(cumulet: Cumulet) -> None:
    create(cumulet, "hello", LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "DEBUG"})
    client = cumulet.client("lambda")

    client.update_function_configuration(FunctionName="hello", LoggingConfig={"SystemLogLevel": "WARN"})
    as_json = configuration(cumulet, "hello")["LoggingConfig"]
    client.update_function_configuration(FunctionName="hello", LoggingConfig={"LogFormat": "Text"})
    as_text = configuration(cumulet, "hello")["LoggingConfig"]

    group = {"LogGroup": "/aws/lambda/hello"}
    assert as_json == {"LogFormat": "JSON", "ApplicationLogLevel": "DEBUG", "SystemLogLevel": "WARN", **group}
    assert as_text == {"LogFormat": "Text", **group}


def test_an_update_that_says_nothing_is_a_new_revision(cumulet: Cumulet) -> None:
    create(cumulet, "hello")
    before = configuration(cumulet, "hello")

    answer = cumulet.client("lambda").update_function_configuration(FunctionName="hello", Layers=[])

    assert configuration(cumulet, "hello") == before | {"RevisionId": answer["RevisionId"]}
    assert answer["RevisionId"] != before["RevisionId"]


def test_the_revision_that_a_client_knows_lets_only_one_of_two_changes_through(cumulet: Cumulet) -> None:
    revision = create(cumulet, "hello")["RevisionId"]
    client = cumulet.client("lambda")

    client.update_function_configuration(FunctionName="hello", Description="one", RevisionId=revision)
    with pytest.raises(ClientError) as refused:
        client.update_function_code(FunctionName="hello", ZipFile=OTHER_PACKAGE, RevisionId=revision)

    assert code_of(refused) == "PreconditionFailedException"
    found = configuration(cumulet, "hello")
    assert (found["Description"], found["CodeSha256"]) == ("one", sha256(PACKAGE))


# Deleting


def test_a_deleted_function_is_gone_and_its_name_free(cumulet: Cumulet) -> None:
    create(cumulet, "hello", Description="first", Tags={"team": "blue"})
    client = cumulet.client("lambda")
    client.put_function_concurrency(FunctionName="hello", ReservedConcurrentExecutions=900)

    answer = client.delete_function(FunctionName="hello")

    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    with pytest.raises(ClientError) as gone:
        client.get_function(FunctionName="hello")
    with pytest.raises(ClientError) as gone_again:
        client.delete_function(FunctionName="hello")
    assert code_of(gone) == code_of(gone_again) == "ResourceNotFoundException"
    create(cumulet, "hello")
    found = client.get_function(FunctionName="hello")
    assert found["Configuration"]["Description"] == ""
    assert found.keys().isdisjoint({"Tags", "Concurrency"})
    assert client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == 1000


def test_deleting_a_version_that_is_not_there_leaves_the_function(cumulet: Cumulet) -> None:
    create(cumulet, "hello")
    client = cumulet.client("lambda")

    for name in ("hello:7", "hello"):
        client.delete_function(FunctionName=name, Qualifier="7")

    assert configuration(cumulet, "hello")["State"] == "Active"


# Concurrency, limits, tags


def test_concurrency_is_reserved_changed_and_given_back(cumulet: Cumulet) -> None:
    create(cumulet, "hello")
    client = cumulet.client("lambda")
    revision = configuration(cumulet, "hello")["RevisionId"]

    answers = []
    for wanted in (5, 0, 0, 900):
        answers.append(client.put_function_concurrency(FunctionName="hello", ReservedConcurrentExecutions=wanted))
        assert client.get_function_concurrency(FunctionName="hello")["ReservedConcurrentExecutions"] == wanted
    for _ in range(2):
        deleted = client.delete_function_concurrency(FunctionName="hello")
        assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204

    assert [answer["ReservedConcurrentExecutions"] for answer in answers] == [5, 0, 0, 900]
    assert "ReservedConcurrentExecutions" not in client.get_function_concurrency(FunctionName="hello")
    assert configuration(cumulet, "hello")["RevisionId"] == revision


def test_100_of_the_regions_1000_stay_unreserved(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    for name in ("a", "b"):
        create(cumulet, name)
    client.put_function_concurrency(FunctionName="a", ReservedConcurrentExecutions=600)

    with pytest.raises(ClientError) as refused:
        client.put_function_concurrency(FunctionName="b", ReservedConcurrentExecutions=301)
    client.put_function_concurrency(FunctionName="b", ReservedConcurrentExecutions=300)
    client.put_function_concurrency(FunctionName="a", ReservedConcurrentExecutions=1)
    client.put_function_concurrency(FunctionName="b", ReservedConcurrentExecutions=899)

    assert code_of(refused) == "InvalidParameterValueException"
    assert client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == 100


def test_the_account_settings_count_the_regions_functions(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    empty = client.get_account_settings()
    create(cumulet, "a")
    create(cumulet, "b", Code={"ZipFile": OTHER_PACKAGE})

    found = client.get_account_settings()

    assert empty["AccountUsage"] == {"TotalCodeSize": 0, "FunctionCount": 0}
    assert found["AccountUsage"] == {"TotalCodeSize": len(PACKAGE) + len(OTHER_PACKAGE), "FunctionCount": 2}
    assert found["AccountLimit"] == {
        "TotalCodeSize": 80_530_636_800,
        "CodeSizeUnzipped": 262_144_000,
        "CodeSizeZipped": 52_428_800,
        "ConcurrentExecutions": 1000,
        "UnreservedConcurrentExecutions": 1000,
    }


def test_tags_are_set_overwritten_and_removed(cumulet: Cumulet) -> None:
    arn = create(cumulet, "hello", Tags={"team": "blue", "stage": "test"})["FunctionArn"]
    client = cumulet.client("lambda")
    revision = configuration(cumulet, "hello")["RevisionId"]

    for _ in range(2):
        client.tag_resource(Resource=arn, Tags={"team": "red", "größe": "XL"})
    for _ in range(2):
        client.untag_resource(Resource=arn, TagKeys=["stage", "unknown"])

    assert client.list_tags(Resource=arn)["Tags"] == {"team": "red", "größe": "XL"}
    assert client.get_function(FunctionName="hello")["Tags"] == {"team": "red", "größe": "XL"}
    assert configuration(cumulet, "hello")["RevisionId"] == revision


def test_a_function_without_tags_has_an_empty_list_of_them(cumulet: Cumulet) -> None:
    arn = create(cumulet, new_name())["FunctionArn"]

    assert cumulet.client("lambda").list_tags(Resource=arn)["Tags"] == {}


REACHER = """
import socket

def handler(event, context):
    try:
        socket.create_connection(("192.0.2.1", 80), timeout=0.5).close()
    except OSError as error:
        return str(error)
"""


def test_a_tag_takes_the_way_to_other_machines_away(cumulet: Cumulet) -> None:
    name = create(cumulet, source=REACHER, Timeout=20, Tags={"cumulet:network": "none"})["FunctionName"]

    said = json.loads(cumulet.client("lambda").invoke(FunctionName=name)["Payload"].read())

    if "shared" in isolation(cumulet):
        pytest.skip("functions share the machine's network here")
    assert "unreachable" in said


def isolation(cumulet: Cumulet) -> str:
    """Return what the health page says keeps functions apart."""
    with urlopen(cumulet.url + "/_cumulet/health", timeout=20) as answer:
        said: str = json.load(answer)["lambda"]["isolation"]
    return said
