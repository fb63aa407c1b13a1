"""How functions come to be: a role, a package with one module, and a wait until it is active. All of it is boto3."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
ROLE = "shop"


def create_role(iam: Any) -> str:
    """Create the role that the shop's functions have, and return its ARN."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role: str = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    policy = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"
    iam.attach_role_policy(RoleName=ROLE, PolicyArn=policy)
    return role


def deploy(functions: Any, name: str, module: str, runtime: str, role: str, **settings: Any) -> None:
    """Create a function from a file of this folder that has a `handler`, and wait until it is active."""
    functions.create_function(
        FunctionName=name,
        Runtime=runtime,
        Handler=f"{Path(module).stem}.handler",
        Role=role,
        Code={"ZipFile": zip_of(Path(__file__).with_name(module))},
        Timeout=10,
        MemorySize=256,
        **settings,
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name)


def zip_of(path: Path) -> bytes:
    """Return a deployment package with one module."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.write(path, path.name)
    return package.getvalue()
