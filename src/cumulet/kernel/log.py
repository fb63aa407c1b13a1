"""Lines in the server's log that no request and no failure writes."""

from __future__ import annotations

import asyncio


def log_line(message: str) -> None:
    """Write a line, as failures of the platform's own work are written; on the event loop's thread."""
    asyncio.get_running_loop().call_exception_handler({"message": message})
