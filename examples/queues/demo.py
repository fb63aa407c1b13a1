"""Queues, end to end: orders for a shop that loses none of them, whatever happens.

Cumulet runs in a process of its own and keeps everything in a scratch folder; producers and consumers are threads
with plain boto3, over real connections. In the middle of their work the server is killed. Then a poison message, a
FIFO queue and four days that pass at once. Each line of the table at the end was checked: exit code 1 if one failed.
"""

from __future__ import annotations

import argparse
import sys
from time import perf_counter
from typing import Any

from cumulet.testing import Cumulet
from examples.report import Report
from examples.scratch import scratch_cumulet
from examples.shop import MOST_RECEIVES, POISON, VISIBILITY_SECONDS, count, create_queues, dead, patient_client
from examples.workers import Crew, Ledger, fifo_message, message

GROUPS = [f"customer-{number}" for number in range(10)]


def main() -> int:
    """Run the demo and return the exit code."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--messages", type=int, default=10_000, help="how many orders [default: 10,000]")
    messages = arguments.parse_args().messages
    report = Report()
    with scratch_cumulet() as cumulet:
        report.say(f"Cumulet runs at {cumulet.url}; its data are in {cumulet.folder}")
        sqs = patient_client(cumulet, "sqs")
        orders, dead_letters = create_queues(sqs)
        ledger = work_off_orders(cumulet, sqs, orders, messages, report)
        find_the_poison(sqs, dead_letters, ledger, report)
        keep_groups_in_order(sqs, messages // 5, report)
        let_four_days_pass(cumulet, sqs, report)
    report.show()
    return 0 if report.all_well else 1


def work_off_orders(cumulet: Cumulet, sqs: Any, queue: str, messages: int, report: Report) -> Ledger:
    """Send and handle all orders, with a kill -9 half-way, and return what the workers saw."""
    numbered = [message(f"order {number}") for number in range(messages)]
    with report.progress(messages) as bars:
        ledger = Ledger(watch=bars.update, refuse={POISON})
        crew = Crew(sqs, queue, ledger)
        report.say(f"{crew.producers} producers send {messages:,} orders, {crew.consumers} consumers work them off")
        started = perf_counter()
        with crew.consuming():
            producing = crew.send(numbered)
            ledger.wait_until_sent(messages // 2)
            kill_and_start_again(cumulet, ledger, perf_counter() - started, report)
            sqs.send_message(QueueUrl=queue, MessageBody=POISON)
            producing.result()
        # What was in flight when the server died, and the poison, come back when their visibility timeout is over.
        for _ in range(MOST_RECEIVES):
            cumulet.advance(seconds=VISIBILITY_SECONDS)
            with crew.consuming():
                pass

    lost = ledger.sent - ledger.handled.keys()
    left = count(sqs, queue)
    again = sum(ledger.handled.values()) - len(ledger.handled) - (ledger.handled[POISON] - 1)
    report.check("orders sent and acknowledged", f"{len(ledger.sent):,}", len(ledger.sent) == messages)
    report.check("acknowledged orders that were lost", len(lost), not lost)
    report.check("orders back after an acknowledged delete", len(ledger.came_back), not ledger.came_back)
    report.check("orders left in the queue", left, left == 0)
    report.note("orders received again, as standard queues may", f"{again:,}")
    return ledger


def kill_and_start_again(cumulet: Cumulet, ledger: Ledger, seconds: float, report: Report) -> None:
    """End the server after `seconds` of work, at once, as a crash would, and start it on the same folder."""
    sent, worked_off = len(ledger.sent), len(ledger.deleted)
    report.note("orders sent until the kill", f"{sent / seconds:,.0f}/s")
    report.note("orders worked off until the kill", f"{worked_off / seconds:,.0f}/s")
    started = perf_counter()
    cumulet.kill()
    cumulet.start()
    outage = f"{perf_counter() - started:.2f} s"
    report.say(f"kill -9 with {sent:,} sent and {worked_off:,} worked off; running again after {outage}")
    report.note("from kill -9 to running again", outage)


def find_the_poison(sqs: Any, dead_letters: str, ledger: Ledger, report: Report) -> None:
    """Look for the message that no consumer could handle."""
    tries = ledger.handled[POISON]
    is_there = dead(sqs, dead_letters) == [POISON]
    report.say(f"a poison message was received {tries} times; it is {'now' if is_there else 'not'} a dead letter")
    well = is_there and tries == MOST_RECEIVES
    report.check("poison message in the dead-letter queue", f"after {tries} receives", well)


def keep_groups_in_order(sqs: Any, messages: int, report: Report) -> None:
    """Send messages of ten groups to a FIFO queue and see in which order several consumers get each group."""
    queue = sqs.create_queue(QueueName="steps.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    steps = range(messages // len(GROUPS))
    with report.progress(len(steps) * len(GROUPS)) as bars:
        ledger = Ledger(watch=bars.update)
        crew = Crew(sqs, queue, ledger)
        report.say(
            f"{len(GROUPS)} groups of {len(steps):,} messages go through a FIFO queue to {crew.consumers} consumers"
        )
        started = perf_counter()
        with crew.consuming():
            # One producer a group: each sends its own steps in order, all of them at the same time.
            crew.send_side_by_side(
                [[fifo_message(group, f"{group} {step}") for step in steps] for group in GROUPS]
            ).result()
        seconds = perf_counter() - started
    arrived = {group: [body for body in ledger.in_order if body.split()[0] == group] for group in GROUPS}
    in_order = [group for group in GROUPS if arrived[group] == [f"{group} {step}" for step in steps]]
    seen = f"{len(ledger.in_order):,} in {len(in_order)} of {len(GROUPS)} groups"
    report.check("FIFO messages in order, each once", seen, in_order == GROUPS)
    report.note("FIFO messages sent and worked off", f"{len(ledger.handled) / seconds:,.0f}/s")


def let_four_days_pass(cumulet: Cumulet, sqs: Any, report: Report) -> None:
    """See a message through its whole retention period, which is four days unless a queue says otherwise."""
    queue = sqs.create_queue(QueueName="forgotten")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="is anybody there?")
    started = perf_counter()
    cumulet.advance(days=3, hours=23, minutes=59)
    before = count(sqs, queue)
    cumulet.advance(minutes=1)
    after = count(sqs, queue)
    milliseconds = (perf_counter() - started) * 1000
    report.say(f"four days passed in {milliseconds:.0f} ms")
    expired = (before, after) == (1, 0)
    seen = f"in {milliseconds:.0f} ms" if expired else f"{before} a minute before, {after} after"
    report.check("message expired after four days", seen, expired)


if __name__ == "__main__":
    sys.exit(main())
