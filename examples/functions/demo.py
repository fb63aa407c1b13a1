"""Functions, end to end: orders run code, and none is lost when everything dies in the middle of it.

Cumulet runs in a process of its own and keeps everything in a scratch folder. A function is made with plain boto3 from
a zip file, and a queue's messages run it: ten environments at a time and no more. While they work the server is killed.
The function sends a result for each order to a second queue: which environment worked it off, and when. What is counted
comes from those results, from the function's log and from the machine's list of processes. Then a second function is
released by version and alias, fails an event, and is asked over HTTP; a third one, in Node.js, streams a page. Each
line of the table at the end was checked: exit code 1 if one failed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from time import perf_counter, time
from typing import Any

from cumulet.testing import Cumulet
from examples.functions import prices, processes
from examples.functions.deployment import PYTHON, create_role, deploy
from examples.functions.results import Result, most_environments, read, received_again, worked_off_again
from examples.report import Report
from examples.scratch import scratch_cumulet
from examples.shop import MOST_RECEIVES, POISON, VISIBILITY_SECONDS, arn, count, create_queues, dead, patient_client
from examples.workers import BATCH, Crew, Ledger, message

FUNCTION = "work-off-orders"
MOST_ENVIRONMENTS = 10
GONE_SECONDS = 2.0
"""How long to wait for processes that should be gone at once."""
LINES_SHOWN = 4


def main() -> int:
    """Run the demo and return the exit code."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--messages", type=int, default=1_000, help="how many orders [default: 1,000]")
    messages = arguments.parse_args().messages
    report = Report()
    with scratch_cumulet() as cumulet:
        report.say(f"Cumulet runs at {cumulet.url}; its data are in {cumulet.folder}")
        sqs = patient_client(cumulet, "sqs")
        orders, dead_letters = create_queues(sqs)
        results = sqs.create_queue(QueueName="results")["QueueUrl"]
        functions, role = cumulet.client("lambda"), create_role(cumulet.client("iam"))
        create_function(cumulet, role, arn(sqs, orders), results, report)
        work_off_orders(cumulet, sqs, orders, results, messages, report)
        read_the_log(cumulet, dead(sqs, dead_letters), messages, report)
        prices.release(functions, role, report)
        prices.fail_alone(cumulet, sqs, functions, report)
        prices.open_to_browsers(functions, report)
        prices.stream_a_page(functions, role, report)
    report.show()
    return 0 if report.all_well else 1


def create_function(cumulet: Cumulet, role: str, source_arn: str, results: str, report: Report) -> None:
    """Create the function, and let the messages of a queue run it."""
    functions = cumulet.client("lambda")
    deploy(functions, FUNCTION, "handler.py", PYTHON, role, Environment={"Variables": {"RESULTS": results}})
    functions.put_function_concurrency(FunctionName=FUNCTION, ReservedConcurrentExecutions=MOST_ENVIRONMENTS)
    functions.create_event_source_mapping(
        FunctionName=FUNCTION,
        EventSourceArn=source_arn,
        BatchSize=BATCH,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    report.say(f"the function {FUNCTION} is active; {MOST_ENVIRONMENTS} invocations at a time are reserved for it")


def work_off_orders(cumulet: Cumulet, sqs: Any, orders: str, results: str, messages: int, report: Report) -> None:
    """Send all orders, kill the server when half of them are worked off, and see what the function has told."""
    numbered = [message(f"order {number}") for number in range(messages)]
    # The last tenth is sent after the kill, the poison in the middle of it.
    first, last = numbered[: -messages // 10], numbered[-messages // 10 :]
    last.insert(len(last) // 2, message(POISON))
    with report.progress(messages) as bars:
        sent = Ledger(watch=lambda sent, _: bars.update(sent, len(told.deleted)))
        told = Ledger(watch=lambda _, worked_off: bars.update(len(sent.sent), worked_off))
        senders, readers = Crew(sqs, orders, sent), Crew(sqs, results, told)
        report.say(f"{senders.producers} producers send {messages:,} orders, the function works them off by {BATCH}")
        started = perf_counter()
        with readers.consuming():
            senders.send(first).result()
            told.wait_until_deleted(messages // 2)
            report.note("orders worked off until the kill", f"{len(told.deleted) / (perf_counter() - started):,.0f}/s")
            killed_at = kill_and_start_again(cumulet, len(told.deleted), report)
            senders.send(last).result()
            # What was in work when the server died, and the poison, come back when their visibility timeout is over.
            for _ in range(MOST_RECEIVES):
                cumulet.advance(seconds=VISIBILITY_SECONDS)

    done = read(told.handled)
    lost = sent.sent - {POISON} - {result.order for result in done}
    left = count(sqs, orders)
    report.check("orders sent and acknowledged", f"{len(sent.sent) - 1:,}", len(sent.sent) == messages + 1)
    report.check("acknowledged orders that were never worked off", len(lost), not lost)
    report.check("orders left in the queue", left, left == 0)
    check_what_was_done_twice(done, killed_at, report)
    at_a_time = most_environments(done)
    report.check("environments at a time, by the results", f"{at_a_time} at most", 1 < at_a_time <= MOST_ENVIRONMENTS)


def kill_and_start_again(cumulet: Cumulet, worked_off: int, report: Report) -> float:
    """End the server at once, as a crash would, and start it on the same folder and port; return when it ended."""
    assert cumulet.process is not None
    before = processes.started_by(cumulet.process.pid)
    killed_at, started = time(), perf_counter()
    cumulet.kill()
    left = processes.wait_until_gone(before, GONE_SECONDS)
    gone_ms = (perf_counter() - started) * 1000
    cumulet.start()
    outage = f"{perf_counter() - started:.2f} s"
    report.say(f"kill -9 with {worked_off:,} worked off and {len(before)} more processes; up again after {outage}")
    seen = f"{left} of {len(before)}" + ("" if left else f" after {gone_ms:.0f} ms")
    report.check("function processes left after kill -9", seen, len(before) > 1 and not left)
    report.note("from kill -9 to running again", outage)
    return killed_at


def check_what_was_done_twice(done: list[Result], killed_at: float, report: Report) -> None:
    """See that the kill alone has had orders worked off again: neither the poison nor anything else."""
    after_kill, without = worked_off_again(done, killed_at)
    report.note("orders in work at the kill, received again", f"{received_again(done):,}")
    report.note("orders worked off twice because of the kill", f"{after_kill:,}")
    report.check("orders worked off twice for another reason", without, not without)


def read_the_log(cumulet: Cumulet, dead_letters: list[str], messages: int, report: Report) -> None:
    """Look for each order, and for the poison, in what the function has printed."""
    lines = [json.loads(line)["message"].rstrip() for line in log_of(cumulet, "--json")]
    logged = {f"order {number} is worked off" for number in range(messages)}.intersection(lines)
    report.check("orders with a line in the function's log", f"{len(logged):,}", len(logged) == messages)
    tries = sum(POISON in line for line in lines)
    report.say(f"the poison message failed {tries} times; cumulet logs {FUNCTION} ends with:")
    for line in log_of(cumulet)[-LINES_SHOWN:]:
        report.quote(line)
    well = dead_letters == [POISON] and tries == MOST_RECEIVES
    report.check("poison message in the dead-letter queue", f"after {tries} receives", well)


def log_of(cumulet: Cumulet, *options: str) -> list[str]:
    """Return what `cumulet logs` prints of the function."""
    command = [sys.executable, "-m", "cumulet", "logs", FUNCTION, "--since", "1h", *options]
    environment = os.environ | cumulet.environment()
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    return answer.stdout.splitlines()


if __name__ == "__main__":
    sys.exit(main())
