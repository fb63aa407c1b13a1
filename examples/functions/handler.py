"""The shop's function: works off a batch of orders from a queue. It would run on AWS Lambda as it is."""

import json
import os
import time

import boto3

PAYMENT_SECONDS = 0.02

sqs = boto3.client("sqs")


def handler(event, context):
    """Work off what can be worked off; tell which messages could not be, so that only they come again."""
    began = time.time()
    results, failures = [], []
    for record in event["Records"]:
        try:
            order = work_off(record["body"])
        except ValueError as error:
            print(f"failed: {error}")
            failures.append({"itemIdentifier": record["messageId"]})
        else:
            results.append({"order": order, "receives": int(record["attributes"]["ApproximateReceiveCount"])})
    facts = {"environment": context.log_stream_name, "began": began, "ended": time.time()}
    send([result | facts for result in results])
    return {"batchItemFailures": failures}


def work_off(order):
    """Do what an order asks for, and return it; raises ValueError for one that can't be read."""
    word, _, number = order.partition(" ")
    if word != "order" or not number.isdecimal():
        raise ValueError(f"nobody can read {order!r}")
    time.sleep(PAYMENT_SECONDS)  # somebody else's service
    print(f"{order} is worked off")
    return order


def send(results):
    """Tell the shop of each result; raises RuntimeError if one is refused, and the whole batch comes again."""
    if not results:
        return
    entries = [{"Id": str(number), "MessageBody": json.dumps(result)} for number, result in enumerate(results)]
    answer = sqs.send_message_batch(QueueUrl=os.environ["RESULTS"], Entries=entries)
    if answer.get("Failed"):
        raise RuntimeError(f"results were refused: {answer['Failed']}")
