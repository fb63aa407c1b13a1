"""The pytest plugin in a project of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

USERS_TEST = """
def test_a_queue_is_made(cumulet):
    sqs = cumulet.client("sqs")
    assert "QueueUrls" not in sqs.list_queues()
    sqs.create_queue(QueueName="orders")
"""


def test_settings_of_the_users_own_server_are_not_those_of_the_fixture(tmp_path: Path) -> None:
    (tmp_path / "cumulet.toml").write_text('port = 4566\nauth = "enforce"\n[quotas]\n"sqs:CreateQueue" = 0\n')
    (tmp_path / "test_users.py").write_text(USERS_TEST)

    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_users.py"],
        cwd=tmp_path,
        env=os.environ | {"CUMULET_DATA": "elsewhere", "CUMULET_CLOCK": "real"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 passed" in result.stdout
    assert not (tmp_path / "elsewhere").exists()
