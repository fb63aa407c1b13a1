"""What botocore's models omit, one module per service that needs it, found by the service's name.

An overlay changes the model (`correct` for all protocols, `descriptions` for one of them), so that codecs need no
special case for any service.
"""

from __future__ import annotations

from importlib import import_module

from cumulet.wire.overlays.overlay import Overlay

OVERLAYS = {
    "iam": "cumulet.wire.overlays.iam",
    "lambda": "cumulet.wire.overlays.lambda_",
    "logs": "cumulet.wire.overlays.logs",
    "sqs": "cumulet.wire.overlays.sqs",
}


def overlay(service: str) -> Overlay:
    """Return the overlay of a service; most have an empty one."""
    name = OVERLAYS.get(service)
    if name is None:
        return Overlay()
    found: Overlay = import_module(name).OVERLAY
    return found


__all__ = ["OVERLAYS", "Overlay", "overlay"]
