"""Topics, end to end: insurance claims that reach those who subscribe, and those who do so three days late.

Cumulet runs in a process of its own and keeps everything in a scratch folder. Claims are published to a FIFO topic with
an archive; a queue gets them, and threads with plain boto3 work them off. In the middle of that the server is killed.
Three days later a second queue subscribes and has all claims replayed while more are published; the server is killed
again. Then a payment reaches two queues, and one of them gets the card's number masked. Each line of the table at the
end was checked: exit code 1 if one failed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter

from cumulet.testing import Cumulet
from examples.report import Report
from examples.scratch import scratch_cumulet
from examples.shop import VISIBILITY_SECONDS, count, patient_client
from examples.topics.insurance import (
    ARCHIVE_DAYS,
    REPORTING,
    create_claims_topic,
    create_payments_topic,
    from_the_beginning,
    replay_status,
    subscribe_queue,
)
from examples.topics.publishers import publish_by_group
from examples.workers import Crew, Ledger

CUSTOMERS = [f"customer-{number}" for number in range(10)]
PATIENCE_SECONDS = 60
CARD = "4539894458086459"
PAYMENT = f'{{"amount": 175.99, "credit_card": "{CARD}"}}'
Claims = Mapping[str, Sequence[str]]
"""What each customer claims, in order."""


def main() -> int:
    """Run the demo and return the exit code."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--messages", type=int, default=1_000, help="how many claims [default: 1,000]")
    each = arguments.parse_args().messages // len(CUSTOMERS)
    report = Report()
    with scratch_cumulet() as cumulet:
        report.say(f"Cumulet runs at {cumulet.url}; its data are in {cumulet.folder}")
        topic = create_claims_topic(cumulet.client("sns"))
        early, late = claims_of(range(each)), claims_of(range(each, each + max(each // 10, 1)))
        work_off_claims(cumulet, topic, early, report)
        replay_to_a_late_subscriber(cumulet, topic, early, late, report)
        mask_for_reporting(cumulet, report)
    report.show()
    return 0 if report.all_well else 1


def claims_of(numbers: range) -> Claims:
    """Return the claims with these numbers of every customer."""
    return {customer: [f"{customer} claim {number}" for number in numbers] for customer in CUSTOMERS}


def work_off_claims(cumulet: Cumulet, topic: str, claims: Claims, report: Report) -> None:
    """Publish claims, with a kill -9 half-way, and see what the consumers of a queue get."""
    sns, sqs = patient_client(cumulet, "sns"), patient_client(cumulet, "sqs")
    queue, _ = subscribe_queue(sns, sqs, topic, "claims-desk.fifo")
    number = sum(map(len, claims.values()))
    with report.progress(number) as bars:
        ledger = Ledger(watch=bars.update)
        crew = Crew(sqs, queue, ledger)
        report.say(f"{len(claims)} customers publish {number:,} claims, {crew.consumers} consumers work them off")
        started = perf_counter()
        with crew.consuming():
            publishing = publish_by_group(sns, topic, claims, ledger)
            ledger.wait_until_sent(number // 2)
            report.note("claims published until the kill", f"{len(ledger.sent) / (perf_counter() - started):,.0f}/s")
            kill_and_start_again(cumulet, f"{len(ledger.sent):,} published", report)
            publishing.result()
        cumulet.advance(seconds=VISIBILITY_SECONDS)  # what was in work when the server died comes back
        with crew.consuming():
            pass
    lost, left = ledger.sent - ledger.handled.keys(), count(sqs, queue)
    report.check("claims published and acknowledged", f"{len(ledger.sent):,}", len(ledger.sent) == number)
    report.check("acknowledged claims that were lost", len(lost), not lost)
    report.check("claims left in the queue", left, left == 0)
    in_order = customers_in_order(list(dict.fromkeys(ledger.in_order)), claims)
    report.check("customers whose claims came in order", f"{in_order} of {len(claims)}", in_order == len(claims))


def replay_to_a_late_subscriber(cumulet: Cumulet, topic: str, early: Claims, late: Claims, report: Report) -> None:
    """Subscribe a queue that was not there, with a kill -9 while it is replayed the archive and more is published."""
    sns, sqs = patient_client(cumulet, "sns"), patient_client(cumulet, "sqs")
    everything = {customer: [*early[customer], *late[customer]] for customer in early}
    number = sum(map(len, everything.values()))
    cumulet.advance(days=3)
    report.say(f"three days later a second queue subscribes; claims are kept for {ARCHIVE_DAYS} days and replayed")
    sent_before = sum(map(len, early.values()))
    with report.progress(number) as bars:
        ledger = Ledger(watch=lambda sent, worked_off: bars.update(sent_before + sent, worked_off))
        publishing = publish_by_group(sns, topic, late, ledger)
        queue, subscription = subscribe_queue(
            sns, sqs, topic, "fraud-check.fifo", ReplayPolicy=from_the_beginning(sns, topic)
        )
        wait_until(lambda: count(sqs, queue) > 0, "the replay has not begun")
        kill_and_start_again(cumulet, f"{count(sqs, queue):,} of {number:,} replayed", report)
        publishing.result()
        wait_until(lambda: replay_status(sns, subscription) == "Completed", "the replay has not ended")
        with Crew(sqs, queue, ledger).consuming():
            pass
    in_order = customers_in_order(ledger.in_order, everything)
    seen = f"{len(ledger.in_order):,} in {in_order} of {len(everything)} customers"
    report.check("claims replayed in order, each once", seen, in_order == len(everything))


def mask_for_reporting(cumulet: Cumulet, report: Report) -> None:
    """See what a payment looks like to its own account and to that of the reporting team."""
    sns = cumulet.client("sns")
    topic = create_payments_topic(sns)
    queues = {}
    for name, team in (("payments", cumulet), ("reports", cumulet.as_account(REPORTING))):
        sqs = team.client("sqs")
        queues[name] = sqs, subscribe_queue(team.client("sns"), sqs, topic, name)[0]
    sns.publish(TopicArn=topic, Message=PAYMENT)
    report.say("a payment is published; to the account of the reporting team the topic masks the card's number:")
    seen = []
    for name, (sqs, queue) in queues.items():
        bodies = [found["Body"] for found in sqs.receive_message(QueueUrl=queue).get("Messages", [])]
        report.quote(f"{name:8}  {' '.join(bodies)}")
        seen += bodies
    mask = "#" * len(CARD)
    report.check("card number in the reports", mask, seen == [PAYMENT, PAYMENT.replace(CARD, mask)])


def kill_and_start_again(cumulet: Cumulet, when: str, report: Report) -> None:
    """End the server at once, as a crash would, and start it on the same folder."""
    started = perf_counter()
    cumulet.kill()
    cumulet.start()
    report.say(f"kill -9 with {when}; running again after {perf_counter() - started:.2f} s")


def wait_until(happened: Callable[[], bool], otherwise: str) -> None:
    """Return once something has happened; raises TimeoutError when that takes too long."""
    started = perf_counter()
    while not happened():
        if perf_counter() - started > PATIENCE_SECONDS:
            raise TimeoutError(f"{otherwise} after {PATIENCE_SECONDS} s")


def customers_in_order(arrived: Sequence[str], claims: Claims) -> int:
    """Return of how many customers all claims have arrived, each once, in the order in which they were published."""
    return sum([body for body in arrived if body.split()[0] == name] == list(claims[name]) for name in claims)


if __name__ == "__main__":
    sys.exit(main())
