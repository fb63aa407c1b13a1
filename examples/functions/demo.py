"""Functions, end to end: orders run code, and none is lost when everything dies in the middle of it.

Cumulet runs in a process of its own and keeps everything in a scratch folder. A function is made with plain boto3 from
a zip file, and a queue's messages run it: ten environments at a time and no more. While they work the server is killed.
The function sends a result for each order to a second queue: which environment worked it off, and when. What is counted
here comes from those results, from the function's log and from the list of the machine's processes. Each line of the
table at the end was checked: exit code 1 if one failed.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from time import perf_counter
from typing import Any

from cumulet.testing import Cumulet
from examples.functions.processes import Watch, function_processes, wait_until_gone
from examples.functions.results import Results
from examples.report import Report
from examples.scratch import scratch_cumulet
from examples.shop import (
    MOST_RECEIVES,
    POISON,
    VISIBILITY_SECONDS,
    arn,
    count,
    create_queues,
    dead,
    patient_client,
)
from examples.workers import BATCH, Crew, Ledger, message

FUNCTION = "work-off-orders"
HANDLER = Path(__file__).with_name("handler.py")
MOST_ENVIRONMENTS = 10
TIMEOUT_SECONDS = 10
WORKED_OFF = "is worked off"
"""What the function prints of each order."""


def main() -> int:
    """Run the demo and return the exit code."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--messages", type=int, default=1_000, help="how many orders [default: 1,000]")
    messages = arguments.parse_args().messages
    report = Report()
    with scratch_cumulet() as cumulet:
        report.say(f"Cumulet runs at {cumulet.url}; its scratch folder is {cumulet.folder}")
        sqs = patient_client(cumulet, "sqs")
        orders, dead_letters = create_queues(sqs)
        results = sqs.create_queue(QueueName="results")["QueueUrl"]
        create_function(cumulet, {"RESULTS": results}, arn(sqs, orders), report)
        told = work_off_orders(cumulet, sqs, orders, results, messages, report)
        check_environments(told, report)
        find_the_poison(sqs, orders, dead_letters, report)
        show_the_log(cumulet, told, report)
    report.show()
    return 0 if report.all_well else 1


def create_function(cumulet: Cumulet, variables: dict[str, str], source: str, report: Report) -> None:
    """Create the role and the function, and let the messages of the queue with the ARN `source` run it."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam = cumulet.client("iam")
    role = iam.create_role(RoleName="shop", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    policy = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"
    iam.attach_role_policy(RoleName="shop", PolicyArn=policy)

    functions = cumulet.client("lambda")
    functions.create_function(
        FunctionName=FUNCTION,
        Runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
        Handler="handler.handler",
        Role=role,
        Code={"ZipFile": zip_of(HANDLER)},
        Timeout=TIMEOUT_SECONDS,
        MemorySize=256,
        Environment={"Variables": variables},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=FUNCTION)
    functions.put_function_concurrency(FunctionName=FUNCTION, ReservedConcurrentExecutions=MOST_ENVIRONMENTS)
    functions.create_event_source_mapping(
        FunctionName=FUNCTION,
        EventSourceArn=source,
        BatchSize=BATCH,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    report.say(f"the function {FUNCTION} is active, with {MOST_ENVIRONMENTS} environments at most")


def zip_of(path: Path) -> bytes:
    """Return a deployment package with one module."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.write(path, path.name)
    return package.getvalue()


def work_off_orders(
    cumulet: Cumulet, sqs: Any, orders: str, results: str, messages: int, report: Report
) -> Results:
    """Send all orders, kill the server when half of them are worked off, and return what the function told."""
    early, late = messages - messages // 10, messages // 10
    numbered = [message(f"order {number}") for number in range(messages)]
    with report.progress(messages) as bars:
        sent = Ledger(watch=lambda sent, _: bars.update(sent, len(told.deleted)))
        told = Ledger(watch=lambda _, worked_off: bars.update(len(sent.sent), worked_off))
        senders, readers = Crew(sqs, orders, sent), Crew(sqs, results, told)
        report.say(f"{senders.producers} producers send {messages:,} orders, which the function works off by {BATCH}")
        started = perf_counter()
        with Watch(cumulet, FUNCTION) as watch, readers.consuming():
            senders.send(numbered[:early]).result()
            told.wait_until_deleted(messages // 2)
            seconds = perf_counter() - started
            before = kill_and_start_again(cumulet, told, seconds, report)
            # The poison comes in the middle of orders that nothing is wrong with.
            senders.send([*numbered[early:-late // 2], message(POISON), *numbered[-late // 2 :]]).result()
            # What was in work when the server died, and the poison, come back when their visibility timeout is over.
            for _ in range(MOST_RECEIVES):
                cumulet.advance(seconds=VISIBILITY_SECONDS)
    ...
