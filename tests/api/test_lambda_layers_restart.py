"""Lambda: layers, code signing and what functions have of them are there after the server was killed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lambda_functions import create, zip_of
from lambda_layers import publish, without_metadata

from cumulet.testing import Cumulet

PUBLISHERS = {"SigningProfileVersionArns": ["arn:aws:signer:us-east-1:123456789012:/signing-profiles/test"]}
USER = "import tools\n\ndef handler(event, context):\n    return tools.NAME\n"


def everything(server: Cumulet, config: str) -> list[Any]:
    """Return all that a client of the server sees."""
    client = server.client("lambda")
    function = client.get_function(FunctionName="user", Qualifier="1")
    version = client.get_layer_version(LayerName="tools", VersionNumber=2)
    version["Content"].pop("Location")
    answers = [
        version,
        client.list_layers(),
        client.list_layer_versions(LayerName="tools"),
        client.get_layer_version_policy(LayerName="tools", VersionNumber=2),
        client.list_code_signing_configs(),
        client.list_functions_by_code_signing_config(CodeSigningConfigArn=config),
        client.list_tags(Resource=config),
        client.get_function_code_signing_config(FunctionName="user"),
        client.get_runtime_management_config(FunctionName="user", Qualifier="1"),
        client.get_function_recursion_config(FunctionName="user"),
        client.get_account_settings(),
    ]
    return [function["Configuration"], *(without_metadata(answer) for answer in answers)]


def test_everything_survives_a_kill(tmp_path: Path) -> None:
    server = Cumulet(tmp_path / "data", durability="full")
    server.start()
    try:
        client = server.client("lambda")
        first = publish(server, content=zip_of({"python/tools.py": "NAME = 'first'\n"}))
        publish(server, CompatibleRuntimes=["python3.11"], CompatibleArchitectures=[], LicenseInfo="MIT")
        client.add_layer_version_permission(
            LayerName="tools", VersionNumber=2, StatementId="s1", Action="lambda:GetLayerVersion", Principal="*"
        )
        policy = {"UntrustedArtifactOnDeployment": "Warn"}
        config: str = client.create_code_signing_config(
            AllowedPublishers=PUBLISHERS, CodeSigningPolicies=policy, Tags={"team": "blue"}
        )["CodeSigningConfig"]["CodeSigningConfigArn"]
        layers = [first["LayerVersionArn"]]
        create(server, "user", USER, Layers=layers, CodeSigningConfigArn=config, Publish=True)
        client.put_runtime_management_config(FunctionName="user", Qualifier="1", UpdateRuntimeOn="FunctionUpdate")
        client.put_function_recursion_config(FunctionName="user", RecursiveLoop="Allow")
        client.delete_layer_version(LayerName="tools", VersionNumber=1)
        before = everything(server, config)

        server.kill()
        server.start()

        assert everything(server, config) == before
        assert json.loads(server.client("lambda").invoke(FunctionName="user")["Payload"].read()) == "first"
        assert publish(server)["Version"] == 3
    finally:
        server.kill()
