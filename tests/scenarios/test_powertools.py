"""Powertools for AWS Lambda (Python), unmodified, in functions that a shop could have."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from powertools import App, QueueApp

from cumulet.testing import Cumulet

LOGGER = """
from aws_lambda_powertools import Logger

logger = Logger()

@logger.inject_lambda_context(correlation_id_path="id", log_event=True, clear_state=True)
def handler(event, context):
    logger.append_keys(order_id=event["order"])
    logger.debug("looking", extra={"shelf": 3})
    logger.info("packed", extra={"items": ["tea", "cups"]})
    try:
        return 100 / event["count"]
    except ZeroDivisionError:
        logger.exception("nothing to pack")
        return 0
"""


@pytest.fixture
def logger_app(cumulet: Cumulet) -> App:
    return App(cumulet, LOGGER)


def test_logger_tells_of_its_function_and_request(logger_app: App) -> None:
    _, request_id = logger_app.invoke({"id": "c-1", "order": 7, "count": 2})

    [line] = logger_app.logged('{ $.message = "packed" }')

    expected = {
        "level": "INFO",
        "service": "orders",
        "order_id": 7,
        "items": ["tea", "cups"],
        "correlation_id": "c-1",
        "cold_start": True,
        "function_name": "shop",
        "function_memory_size": "128",
        "function_arn": logger_app.arn,
        "function_request_id": request_id,
    }
    assert line.items() >= expected.items()
    assert line["xray_trace_id"].startswith("1-")


def test_logger_sees_one_cold_start(logger_app: App) -> None:
    requests = [logger_app.invoke({"id": f"c-{number}", "order": number, "count": 1})[1] for number in range(3)]

    cold, warm = logger_app.logged("{ $.cold_start IS TRUE }"), logger_app.logged("{ $.cold_start IS FALSE }")

    assert {line["function_request_id"] for line in cold} == {requests[0]}
    assert {line["function_request_id"] for line in warm} == set(requests[1:])


def test_a_pattern_finds_the_line_of_one_order_among_others(logger_app: App) -> None:
    for order, count in ((6, 0), (7, 0), (7, 1), (8, 0)):
        logger_app.invoke({"id": f"c-{order}-{count}", "order": order, "count": count})

    [line] = logger_app.logged('{ $.level = "ERROR" && $.order_id = 7 }')

    assert (line["message"], line["correlation_id"]) == ("nothing to pack", "c-7-0")
    assert line["exception_name"] == "ZeroDivisionError"
    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert line["stack_trace"]["frames"][-1]["file"] == "/var/task/app.py"


def test_logger_keeps_the_event_and_forgets_the_keys_of_the_request_before(logger_app: App) -> None:
    logger_app.invoke({"id": "c-1", "order": 7, "count": 1})
    logger_app.invoke({"id": "c-2", "order": 8, "count": 1})

    lines = logger_app.logged("{ $.message.count = * }")

    assert [line["message"] for line in lines] == [
        {"id": "c-1", "order": 7, "count": 1},
        {"id": "c-2", "order": 8, "count": 1},
    ]
    assert [line.get("order_id") for line in lines] == [None, None]


@pytest.mark.parametrize(("level", "expected"), [("DEBUG", ["looking", "packed"]), ("WARNING", [])])
def test_logger_has_the_level_of_the_functions_variables(cumulet: Cumulet, level: str, expected: list[str]) -> None:
    app = App(cumulet, LOGGER, POWERTOOLS_LOG_LEVEL=level)

    app.invoke({"id": "c-1", "order": 7, "count": 1})

    assert [line["message"] for line in app.logged("{ $.order_id = 7 }")] == expected


def test_powertools_may_come_from_a_layer(cumulet: Cumulet) -> None:
    app = App(cumulet, LOGGER, is_in_layer=True)

    _, request_id = app.invoke({"id": "c-1", "order": 7, "count": 2})

    [line] = app.logged('{ $.message = "packed" }')
    assert (line["function_request_id"], line["order_id"]) == (request_id, 7)


METRICS = """
from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

metrics = Metrics(namespace="Shop")

@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event, context):
    metrics.add_dimension(name="country", value=event["country"])
    metrics.add_metric(name="Orders", unit=MetricUnit.Count, value=event["orders"])
    metrics.add_metadata(key="order", value=7)
"""


def test_metrics_are_lines_of_the_log_in_the_embedded_metric_format(cumulet: Cumulet) -> None:
    app = App(cumulet, METRICS)

    app.invoke({"country": "NZ", "orders": 3})

    [line] = app.logged('{ $._aws.CloudWatchMetrics[0].Namespace = "Shop" && $.Orders[0] = 3 }')
    [cold] = app.logged("{ $.ColdStart[0] = 1 }")
    [described] = line["_aws"]["CloudWatchMetrics"]
    assert [sorted(names) for names in described["Dimensions"]] == [["country", "service"]]
    assert described["Metrics"] == [{"Name": "Orders", "Unit": "Count"}]
    assert (line["service"], line["country"], line["order"], line["Orders"]) == ("orders", "NZ", 7, [3.0])
    assert cold["function_name"] == "shop"


TRACER = """
import os
import socket
from aws_lambda_powertools import Tracer

tracer = Tracer()
daemon = socket.socket(type=socket.SOCK_DGRAM)

@tracer.capture_method
def pack(order):
    tracer.put_annotation(key="order", value=order)

def handler(event, context):
    if event == "listen":
        daemon.bind(("127.0.0.1", 2000))
        daemon.setblocking(False)
    elif event == "sent":
        return received()
    else:
        return traced(event, context)

@tracer.capture_lambda_handler
def traced(event, context):
    pack(event["order"])
    return os.environ["_X_AMZN_TRACE_ID"]

def received():
    found = []
    try:
        while True:
            found.append(daemon.recv(65_536).decode())
    except BlockingIOError:
        return found
"""
TRACE = "1-5759e988-bd862e3fe1be46a994272793"


def test_tracer_sends_what_is_sampled_to_the_daemons_address(cumulet: Cumulet) -> None:
    app = App(cumulet, TRACER)
    trace_everything(app.client)

    app.invoke("listen")
    answer, _ = app.invoke({"order": 7})
    datagrams, _ = app.invoke("sent")

    pack, handler = (json.loads(datagram.partition("\n")[2]) for datagram in datagrams)
    assert answer.startswith(f"Root={TRACE}")
    assert (pack["name"], pack["annotations"], pack["parent_id"]) == ("## app.pack", {"order": 7}, handler["id"])
    assert (handler["name"], handler["annotations"]["ColdStart"]) == ("## traced", True)
    assert (pack["trace_id"], handler["trace_id"]) == (TRACE, TRACE)


def test_tracer_bears_that_there_is_no_daemon(cumulet: Cumulet) -> None:
    app = App(cumulet, TRACER)
    trace_everything(app.client)

    answers = [app.invoke({"order": number})[0] for number in range(3)]

    assert all(answer.startswith(f"Root={TRACE}") for answer in answers)


def test_tracer_can_be_disabled(cumulet: Cumulet) -> None:
    app = App(cumulet, TRACER, POWERTOOLS_TRACE_DISABLED="true")
    trace_everything(app.client)

    app.invoke("listen")
    answer, _ = app.invoke({"order": 7})

    assert answer.startswith(f"Root={TRACE}")
    assert app.invoke("sent")[0] == []


def trace_everything(client: Any) -> None:
    """Let the requests of a client be parts of a sampled trace."""

    def add_header(request: Any, **_: Any) -> None:
        request.headers["X-Amzn-Trace-Id"] = f"Root={TRACE};Parent=53995c3f42cd8ad8;Sampled=1"

    client.meta.events.register("before-sign.lambda.Invoke", add_header)


BATCH = """
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

logger = Logger()
processor = BatchProcessor(event_type=EventType.SQS)

def pack(record):
    order = record.json_body
    if order.get("unreadable"):
        raise ValueError("nobody can read this")
    logger.info("packed", extra={"order": order["order"]})

@logger.inject_lambda_context
def handler(event, context):
    return process_partial_response(event, record_handler=pack, processor=processor, context=context)
"""


def packed(app: App) -> list[int]:
    """Return which orders have been packed, in the order of the log."""
    return [line["order"] for line in app.logged('{ $.message = "packed" }')]


def test_batch_processor_fails_alone_what_it_can_not_process(cumulet: Cumulet) -> None:
    app = QueueApp(cumulet, BATCH)
    unreadable = [{"order": number, "unreadable": True} for number in (3, 5)]
    readable = [{"order": number} for number in (0, 1, 2, 4, 6, 7)]

    app.process(*readable[:4], *unreadable, *readable[4:], rounds=4)

    assert Counter(packed(app)) == dict.fromkeys((0, 1, 2, 4, 6, 7), 1)
    assert sorted(order["order"] for order in app.dead()) == [3, 5]
    assert app.left() == 0


def test_a_batch_that_fails_as_a_whole_is_an_error_of_the_function(cumulet: Cumulet) -> None:
    app = QueueApp(cumulet, BATCH, most_receives=2)

    app.process({"order": 1, "unreadable": True}, {"order": 2, "unreadable": True})

    assert (app.left(), app.dead()) == (2, [])
    pages = cumulet.client("logs").filter_log_events(
        logGroupName="/aws/lambda/shop", filterPattern='"[ERROR] BatchProcessingError"'
    )
    [error] = pages["events"]
    assert "All records failed processing. 2 individual errors logged separately below." in error["message"]
    assert "ValueError: nobody can read this" in error["message"]


def test_the_messages_of_a_batch_that_always_fails_become_dead_letters(cumulet: Cumulet) -> None:
    app = QueueApp(cumulet, BATCH, most_receives=2)

    app.process({"order": 1, "unreadable": True}, {"order": 2, "unreadable": True}, rounds=3)

    assert (app.left(), packed(app)) == (0, [])
    assert sorted(order["order"] for order in app.dead()) == [1, 2]


FIFO = """
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor, process_partial_response

logger = Logger()
processor = SqsFifoPartialProcessor({options})

def pack(record):
    order = record.json_body
    receives = int(record.attributes.approximate_receive_count)
    if receives <= order.get("fails", 0):
        raise ValueError("not now")
    logger.info("packed", extra={{"order": order["order"], "customer": order["customer"], "receives": receives}})

@logger.inject_lambda_context
def handler(event, context):
    return process_partial_response(event, record_handler=pack, processor=processor, context=context)
"""


def fifo_app(cumulet: Cumulet, options: str = "", **settings: Any) -> QueueApp:
    return QueueApp(cumulet, FIFO.format(options=options), is_fifo=True, **settings)


def orders(customer: str, *numbers: int, **members: Any) -> list[dict[str, Any]]:
    return [{"customer": customer, "order": number, **members} for number in numbers]


def test_fifo_processor_stops_at_the_first_failure_and_keeps_the_order(cumulet: Cumulet) -> None:
    app = fifo_app(cumulet)

    app.process(*orders("ann", 1), *orders("ann", 2, fails=1), *orders("ann", 3, 4))
    first = packed(app)
    cumulet.advance(seconds=30)

    assert (first, packed(app)) == ([1], [1, 2, 3, 4])
    assert app.left() == 0


def test_fifo_processor_holds_back_only_the_group_of_a_failure_when_told_so(cumulet: Cumulet) -> None:
    app = fifo_app(cumulet, "skip_group_on_error=True")

    app.process(*orders("ann", 1), *orders("ann", 2, fails=1), *orders("ann", 3), *orders("bob", 4, 5))
    first = packed(app)
    cumulet.advance(seconds=30)

    assert Counter(first) == {1: 1, 4: 1, 5: 1}
    assert packed(app)[3:] == [2, 3]
    assert app.left() == 0


def test_fifo_processor_sees_its_failures_become_dead_letters(cumulet: Cumulet) -> None:
    app = fifo_app(cumulet, "skip_group_on_error=True", most_receives=2)

    app.process(*orders("ann", 1), *orders("ann", 2, fails=9), *orders("bob", 3, 4), rounds=3)

    assert Counter(packed(app)) == {1: 1, 3: 1, 4: 1}
    assert [order["order"] for order in app.dead()] == [2]
    assert app.left() == 0


DATA_CLASS = """
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes import SQSEvent, event_source

logger = Logger()

@event_source(data_class=SQSEvent)
def handler(event: SQSEvent, context):
    for record in event.records:
        logger.info("record", extra={
            "order": record.json_body["order"],
            "message_id": record.message_id,
            "colour": record.message_attributes["colour"].string_value,
            "receives": record.attributes.approximate_receive_count,
            "sender": record.attributes.sender_id,
            "queue": record.queue_url,
            "source": record.event_source_arn,
            "region": record.aws_region,
        })
    return {"batchItemFailures": []}
"""


def test_data_classes_understand_the_event(cumulet: Cumulet) -> None:
    app = QueueApp(cumulet, DATA_CLASS)
    colour = {"colour": {"DataType": "String", "StringValue": "grey"}}

    app.process({"order": 7}, MessageAttributes=colour)

    [line] = app.logged("{ $.order = 7 }")
    arn = f"arn:aws:sqs:us-east-1:{cumulet.account}:orders"
    assert (line["colour"], line["receives"], line["source"], line["region"]) == ("grey", "1", arn, "us-east-1")
    assert line["queue"] == f"https://sqs.us-east-1.amazonaws.com/{cumulet.account}/orders"
    assert line["sender"]
    assert app.left() == 0
