"""What is checked when a function gets code or layers: size, signatures, and that its layers are still there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from cumulet.kernel.call import Call
from cumulet.services.lambda_ import code_signing, layer_versions, layers, zip_files
from cumulet.services.lambda_.base import LambdaBase
from cumulet.services.lambda_.configuration import Layer
from cumulet.services.lambda_.errors import invalid
from cumulet.services.lambda_.function_names import FunctionKey
from cumulet.services.lambda_.functions import Function, Package
from cumulet.services.lambda_.layer_names import parse_version
from cumulet.store import Tx


class Deployments(LambdaBase):
    """The rules of deployment."""

    async def chosen_layers(self, call: Call, arns: Sequence[str]) -> tuple[Layer, ...]:
        """Return the layers that a request names; raises Lambda's error for those that a function can't use."""
        return await self.store.read(layers.resolve, layers.asker(call, is_enforcing=self.is_enforcing), arns)

    async def chosen_signing(self, key: FunctionKey, arn: str | None) -> str | None:
        """Return the id of the code signing configuration of a new function.

        Raises CodeSigningConfigNotFoundException.
        """
        if not arn:
            return None
        return (await self.store.read(code_signing.load_for_function, key.account, key.region, arn)).id

    async def check_size(self, code: Package | bytes, chosen: Sequence[Layer]) -> None:
        """Raise InvalidParameterValueException where code and layers together are too large unpacked."""
        if chosen:
            source = code if isinstance(code, bytes) else self.packages.path(code)
            paths = [self.packages.path_of(layer.digest) for layer in chosen]
            with suppress(FileNotFoundError):  # deleted meanwhile: the transaction will refuse it
                await asyncio.to_thread(zip_files.check_together, source, paths)

    async def check_signature(self, function: Function) -> None:
        """Raise CodeVerificationFailedException where a function lets no code without a trusted signature pass."""
        await self.store.read(
            code_signing.check_deployment, function.account, function.region, function.code_signing, function.name
        )

    def check_deployment(self, tx: Tx, before: Function | None, after: Function) -> None:
        """Check in the transaction that deploys `after` that its layers exist, and signatures.

        Layers that a function has already may have been deleted since.
        """
        known = before.configuration.layers if before else ()
        added = [layer for layer in after.configuration.layers if layer not in known]
        for layer in added:
            named = parse_version(layer.arn)
            assert named is not None
            if layer_versions.find(tx, *named) is None:
                raise invalid(f"Layer version {layer.arn} does not exist.")
        if after.code_signing is None:
            return
        if before is None:
            arn = code_signing.config_arn(after.account, after.region, after.code_signing)
            code_signing.load_for_function(tx, after.account, after.region, arn)
        artifacts = [layer.arn for layer in added]
        if before is None or before.package != after.package:
            artifacts.insert(0, after.name)
        for artifact in artifacts:
            code_signing.check_deployment(tx, after.account, after.region, after.code_signing, artifact)
