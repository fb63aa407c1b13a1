"""Commands that a person types."""

from cumulet.cli.app import main

__all__ = ["main"]
