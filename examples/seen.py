"""What the demos' own tests look at: what a demo has printed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def words(text: str) -> str:
    """Return a text with single spaces for all white space."""
    return " ".join(text.split())


def seen(demo: str, messages: int) -> str:
    """Run a demo, which must end well and print nothing for terminals alone; return its words."""
    answer = subprocess.run(
        [sys.executable, "-m", demo, "--messages", str(messages)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "\x1b" not in answer.stdout
    return words(answer.stdout)
