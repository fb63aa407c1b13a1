"""The demo does what it says, and says so when it doesn't."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from examples.report import Report
from examples.seen import seen, words
from examples.workers import Ledger


def test_demo_finds_everything_well() -> None:
    text = seen("examples.queues.demo", 500)

    assert "orders sent and acknowledged 500 ok" in text
    assert "acknowledged orders that were lost 0 ok" in text
    assert "poison message in the dead-letter queue after 3 receives ok" in text
    assert "FIFO messages in order, each once 100 in 10 of 10 groups ok" in text


def test_report_is_not_well_when_one_check_fails() -> None:
    output = StringIO()
    report = Report(Console(file=output))
    report.check("orders lost", 0, is_well=True)
    report.check("orders left", 3, is_well=False)

    report.show()

    assert not report.all_well
    assert "orders left 3 FAILED" in words(output.getvalue())


def test_ledger_notices_a_message_that_is_back_after_its_delete() -> None:
    ledger = Ledger(watch=lambda sent, deleted: None)
    message = {"MessageId": "1", "Body": "order"}
    ledger.handle(message)
    ledger.was_deleted(["1"])

    ledger.handle(message)

    assert ledger.came_back == ["1"]
