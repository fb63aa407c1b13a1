"""Functions, end to end: orders run code, and none is lost when everything dies in the middle of it.

Cumulet runs in a process of its own and keeps everything in a scratch folder. A function is made with plain boto3 from
a zip file, and a queue's messages run it: ten environments at a time and no more. While they work the server is killed.
The function sends a result for each order to a second queue: which environment worked it off, and when. What is counted
comes from those results, from the function's log and from the machine's list of processes. Each line of the table at
the end was checked: exit code 1 if one failed.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from time import perf_counter, time
from typing import Any

from cumulet.testing import Cumulet
from examples.functions import processes
from examples.functions.results import Result, most_environments, read, received_again, worked_off_again
from examples.report import Report
from examples.scratch import scratch_cumulet
from examples.shop import MOST_RECEIVES, POISON, VISIBILITY_SECONDS, arn, count, create_queues, dead, patient_client
from examples.workers import BATCH, Crew, Ledger, message

FUNCTION = "work-off-orders"
HANDLER = Path(__file__).with_name("handler.py")
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
        create_function(cumulet, arn(sqs, orders), results, report)
        work_off_orders(cumulet, sqs, orders, results, messages, report)
        read_the_log(cumulet, dead(sqs, dead_letters), messages, report)
    report.show()
    return 0 if report.all_well else 1


def create_function(cumulet: Cumulet, source_arn: str, results: str, report: Report) -> None:
    """Create a role and the function, and let the messages of a queue run it."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam, functions = cumulet.client("iam"), cumulet.client("lambda")
    role = iam.create_role(RoleName="shop", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    policy = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"
    iam.attach_role_policy(RoleName="shop", PolicyArn=policy)

    functions.create_function(
        FunctionName=FUNCTION,
        Runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
        Handler="handler.handler",
        Role=role,
        Code={"ZipFile": zip_of(HANDLER)},
        Timeout=10,
        MemorySize=256,
        Environment={"Variables": {"RESULTS": results}},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=FUNCTION)
    functions.put_function_concurrency(FunctionName=FUNCTION, ReservedConcurrentExecutions=MOST_ENVIRONMENTS)
    functions.create_event_source_mapping(
        FunctionName=FUNCTION,
        EventSourceArn=source_arn,
        BatchSize=BATCH,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    report.say(f"the function {FUNCTION} is active; {MOST_ENVIRONMENTS} invocations at a time are reserved for it")


def zip_of(path: Path) -> bytes:
    """Return a deployment package with one module."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.write(path, path.name)
    return package.getvalue()


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
        with processes.Watch("RESULTS", results) as watch, readers.consuming():
            senders.send(first).result()
            told.wait_until_deleted(messages // 2)
            report.note("orders worked off until the kill", f"{len(told.deleted) / (perf_counter() - started):,.0f}/s")
            killed_at = kill_and_start_again(cumulet, len(told.deleted), results, report)
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
    check_environments(done, watch, report)


def kill_and_start_again(cumulet: Cumulet, worked_off: int, results: str, report: Report) -> float:
    """End the server at once, as a crash would, and start it on the same folder and port; return when it ended."""
    before = len(processes.having("RESULTS", results))
    killed_at, started = time(), perf_counter()
    cumulet.kill()
    left = processes.wait_until_none("RESULTS", results, GONE_SECONDS)
    gone_ms = (perf_counter() - started) * 1000
    cumulet.start()
    outage = f"{perf_counter() - started:.2f} s"
    report.say(
        f"kill -9 with {worked_off:,} worked off and {before} function processes at work; running again after {outage}"
    )
    seen = f"{left} of {before}" + ("" if left else f" after {gone_ms:.0f} ms")
    report.check("function processes left after kill -9", seen, before > 0 and not left)
    report.note("from kill -9 to running again", outage)
    return killed_at


def check_what_was_done_twice(done: list[Result], killed_at: float, report: Report) -> None:
    """See that the kill alone has had orders worked off again: neither the poison nor anything else."""
    after_kill, without = worked_off_again(done, killed_at)
    report.note("orders in work at the kill, received again", f"{received_again(done):,}")
    report.note("orders worked off twice because of the kill", f"{after_kill:,}")
    report.check("orders worked off twice for another reason", without, not without)


def check_environments(done: list[Result], watch: processes.Watch, report: Report) -> None:
    """See that there were several environments at a time, and no more than are reserved."""
    told, seen = most_environments(done), watch.most
    report.check("environments at a time, by the results", f"{told} at most", 1 < told <= MOST_ENVIRONMENTS)
    what = f"function processes at a time, in {watch.looks} looks"
    report.check(what, f"{seen} at most", 1 < seen <= MOST_ENVIRONMENTS)


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
