"""A function with a price: released by version and alias, asked over HTTP, and failing where nobody waits for it."""

from __future__ import annotations

import json
import shutil
from time import perf_counter
from typing import Any
from urllib.request import urlopen

from cumulet.testing import Cumulet
from examples.functions.deployment import PYTHON, deploy
from examples.report import Report
from examples.shop import arn

QUOTE = "quote"
PAGE = "page"
LIVE = "live"
OLD_PRICE, NEW_PRICE = 10, 12
BAD_ORDER = {"pigeons": "two"}
ATTEMPTS = 3
"""AWS: an event whose function fails is tried again twice, after one minute and after two more."""


def release(functions: Any, role: str, report: Report) -> None:
    """Publish two versions of a function, and move the alias that callers use from one to the other."""
    deploy(functions, QUOTE, "quote.py", PYTHON, role, Environment={"Variables": {"PRICE": str(OLD_PRICE)}})
    first = functions.publish_version(FunctionName=QUOTE)["Version"]
    functions.create_alias(FunctionName=QUOTE, Name=LIVE, FunctionVersion=first)

    functions.update_function_configuration(FunctionName=QUOTE, Environment={"Variables": {"PRICE": str(NEW_PRICE)}})
    second = functions.publish_version(FunctionName=QUOTE)["Version"]
    before = ask(functions, f"{QUOTE}:{LIVE}")
    functions.update_alias(FunctionName=QUOTE, Name=LIVE, FunctionVersion=second)
    after = ask(functions, f"{QUOTE}:{LIVE}")

    report.say(f"{QUOTE}:{LIVE} asks {before['price']} for a pigeon, and {after['price']} once it is version {second}")
    well = (before, after) == ({"price": OLD_PRICE, "version": first}, {"price": NEW_PRICE, "version": second})
    report.check("alias moved from one version to the next", f"{before['price']}, then {after['price']}", well)


def ask(functions: Any, name: str) -> dict[str, Any]:
    """Invoke a function and return its answer."""
    answer: dict[str, Any] = json.load(functions.invoke(FunctionName=name, Payload=b'{"pigeons": 1}')["Payload"])
    return answer


def fail_alone(cumulet: Cumulet, sqs: Any, functions: Any, report: Report) -> None:
    """Hand over an event that its function can't work off, and let the time of all retries pass."""
    queue = sqs.create_queue(QueueName="quotes-dead")["QueueUrl"]
    functions.update_function_configuration(FunctionName=QUOTE, DeadLetterConfig={"TargetArn": arn(sqs, queue)})
    accepted = functions.invoke(FunctionName=QUOTE, InvocationType="Event", Payload=json.dumps(BAD_ORDER))
    request_id = accepted["ResponseMetadata"]["RequestId"]
    started = perf_counter()
    cumulet.advance(minutes=3)
    milliseconds = (perf_counter() - started) * 1000

    found = sqs.receive_message(QueueUrl=queue, MessageAttributeNames=["All"]).get("Messages", [])
    letters = [
        (json.loads(letter["Body"]), letter["MessageAttributes"]["RequestID"]["StringValue"]) for letter in found
    ]
    attempts = cumulet.client("logs").filter_log_events(
        logGroupName=f"/aws/lambda/{QUOTE}", filterPattern=f'"START RequestId: {request_id}"'
    )["events"]
    report.say(f"an event failed {len(attempts)} times in three minutes, which passed in {milliseconds:.0f} ms")
    for letter in found:
        report.quote(f"{letter['Body']}  {letter['MessageAttributes']['ErrorMessage']['StringValue']}")
    well = letters == [(BAD_ORDER, request_id)] and len(attempts) == ATTEMPTS
    report.check("event in its dead-letter queue", f"after {len(attempts)} attempts", well)


def open_to_browsers(functions: Any, report: Report) -> None:
    """Give the function a URL and ask it over HTTP."""
    url = functions.create_function_url_config(FunctionName=QUOTE, Qualifier=LIVE, AuthType="NONE")["FunctionUrl"]
    with urlopen(f"{url}?pigeons=3") as answer:
        status, price = answer.status, json.load(answer)["price"]
    report.say(f"what three pigeons cost, {price}, can be asked with a browser too:")
    report.quote(f"{url}?pigeons=3")
    report.check("function URL", f"{status}, {price}", (status, price) == (200, 3 * NEW_PRICE))


def stream_a_page(functions: Any, role: str, report: Report) -> None:
    """Let a Node.js function write a page that arrives line by line; nothing where there is no Node.js."""
    if shutil.which("node") is None:
        report.note("Node.js function", "no node here")
        return
    deploy(functions, PAGE, "page.mjs", "nodejs22.x", role)
    url = functions.create_function_url_config(FunctionName=PAGE, AuthType="NONE", InvokeMode="RESPONSE_STREAM")[
        "FunctionUrl"
    ]
    report.say("a page by a Node.js function is read while the function writes it:")
    arrivals = []
    with urlopen(url) as page:
        for line in page:
            arrivals.append(perf_counter())
            report.quote(line.decode().rstrip())
    milliseconds = (arrivals[-1] - arrivals[0]) * 1000
    well = len(arrivals) == 3 and milliseconds > 100
    report.check("page that a Node.js function streams", f"{len(arrivals)} lines in {milliseconds:.0f} ms", well)
