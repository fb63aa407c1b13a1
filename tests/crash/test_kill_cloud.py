"""What was done to functions, layers, event source mappings, roles, policies and log groups holds after SIGKILL."""

from __future__ import annotations

import base64
import random
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from administered import Resource
from clients import Recorder
from function_resource import FunctionResource, code
from group_resource import GroupResource
from history import History, Outcome
from layer_resource import LayerResource
from mapping_resource import MappingResource
from pipeline import ROLE
from policy_resource import PolicyResource
from role_resource import RoleResource
from rounds import INTERRUPTED_STARTS, Advancer, Worker, at_work, told
from transports import CloudTransport, RawTransport
from version_resource import VersionResource
from victim import Victim, running

from rows import rows_left

SHARES = {"virtual": 0.04, "real": 0.02}
"""Of the kills, by clock."""
LOAD_SECONDS = (0.3, 1.2)
PACKAGES_REST_MS = 15 * 60 * 1000
"""How long a package stays that no function refers to any more."""
OF_PACKAGES = (
    *("lambda:CreateFunction", "lambda:UpdateFunctionCode", "lambda:DeleteFunction"),
    *("lambda:PublishLayerVersion", "lambda:DeleteLayerVersion"),
)
KEPT_TABLES = {"lambda_layers"}
"""The number that a layer's version had last is never used again."""
KINDS: list[tuple[type[Resource[Any]], list[str]]] = [
    (FunctionResource, ["red", "green"]),
    (VersionResource, ["blue", "grey"]),
    (LayerResource, ["tools"]),
    (MappingResource, ["orders"]),
    (RoleResource, ["reader", "writer"]),
    (PolicyResource, ["reading"]),
    (GroupResource, ["audit", "access"]),
]


@pytest.mark.parametrize("clock", list(SHARES))
def test_history_of_cloud_holds(
    clock: str, kills: int, crash_seed: int, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    chance = random.Random(f"{crash_seed} cloud {clock}")
    count = max(1, round(kills * SHARES[clock]))
    history = History()
    found: list[str] = []
    with ExitStack() as opened:
        victim = opened.enter_context(running(Victim(tmp_path / "data", clock=clock, chance=chance)))
        cloud = opened.enter_context(closing(CloudTransport(victim, ["lambda", "iam", "logs"])))
        prepare(victim, cloud)
        resources = [
            kind(Recorder(victim, history, cloud), name, random.Random(chance.random()))
            for kind, names in KINDS
            for name in names
        ]
        for _ in range(count):
            workers: list[Worker] = [*resources]
            if victim.time.is_virtual:
                workers.append(Advancer(victim, random.Random(chance.random()), (PACKAGES_REST_MS,), 0.1))
            with at_work(workers) as over:
                threading.Event().wait(chance.uniform(*LOAD_SECONDS))
                victim.kill()
                over.set()
                before = len(history.operations)
                found += victim.flaws_of_store(tmp_path / "copy")
                if chance.random() < INTERRUPTED_STARTS:
                    victim.start_and_kill(chance)
                found += victim.start()
            if not any(operation.kind in OF_PACKAGES for operation in history.operations[before:]):
                found += flaws_of_packages(victim, cloud)
            for resource in resources:
                resource.look()
                if isinstance(resource, FunctionResource):
                    resource.invoke()
        for resource in resources:
            resource.finish()
        clean_up(cloud)
        if victim.time.is_virtual:
            victim.advance(2 * PACKAGES_REST_MS)
        else:
            victim.stop()
            found += victim.start()
        packages = packages_of(victim)
        victim.stop()

    found += [*history.flaws, *(flaw for resource in resources for flaw in resource.flaws(history))]
    assert found == [], told(found, crash_seed)
    assert packages == set()
    assert rows_left(tmp_path / "data", "lambda_", "iam_", "logs_").keys() <= KEPT_TABLES
    record_property("kills", count)
    record_property("operations", len(history.operations))
    record_property("without answer", sum(operation.outcome is Outcome.UNKNOWN for operation in history.operations))


def prepare(victim: Victim, cloud: CloudTransport) -> None:
    """Make what event source mappings need."""
    with closing(RawTransport(victim)) as queues:
        queues.call("CreateQueue", {"QueueName": "orders", "Attributes": {"VisibilityTimeout": "30"}})
    settings: dict[str, Any] = {"Runtime": "python3.11", "Role": ROLE, "Handler": "app.handler"}
    cloud.call("lambda:CreateFunction", {"FunctionName": "base", "Code": {"ZipFile": code(0)}, **settings})


def clean_up(cloud: CloudTransport) -> None:
    """Delete what administrators don't know of: what `prepare` has made, and the logs of functions."""
    cloud.call("lambda:DeleteFunction", {"FunctionName": "base"})
    for group in cloud.call("logs:DescribeLogGroups", {})["logGroups"]:
        cloud.call("logs:DeleteLogGroup", {"logGroupName": group["logGroupName"]})


def flaws_of_packages(victim: Victim, cloud: CloudTransport) -> list[str]:
    """Return which packages are there for no reason, and which are missing, after a start; nobody works."""
    listed = cloud.call("lambda:ListFunctions", {"FunctionVersion": "ALL"})["Functions"]
    digests = [function["CodeSha256"] for function in listed]
    for layer in cloud.call("lambda:ListLayers", {})["Layers"]:
        named = {"LayerName": layer["LayerName"]}
        for version in cloud.call("lambda:ListLayerVersions", named)["LayerVersions"]:
            found = cloud.call("lambda:GetLayerVersion", {**named, "VersionNumber": version["Version"]})
            digests.append(found["Content"]["CodeSha256"])
    needed = {base64.b64decode(digest).hex() for digest in digests}
    there = packages_of(victim)
    return [f"the package {name} is there for no reason" for name in there - needed] + [
        f"the package {name} is not there" for name in needed - there
    ]


def packages_of(victim: Victim) -> set[str]:
    """Return what the folder of packages holds."""
    return {file.name.removesuffix(".zip") for file in (victim.folder / "functions").iterdir()}
