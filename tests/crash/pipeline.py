"""A queue whose messages a function processes: what is made for it, who sends to it, and what it has come to."""

from __future__ import annotations

import io
import itertools
import random
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest
from clients import Recorder
from history import Operation, Outcome
from processing import Limits, Story, report
from transports import CloudTransport, RawTransport
from victim import Victim

FUNCTIONS = Path(__file__).with_name("functions")
ROLE = "arn:aws:iam::000000000000:role/consumer"
ARN = "arn:aws:sqs:us-east-1:000000000000:"
BATCH = 10
INVOCATIONS = 4
VISIBILITY_SECONDS = {"virtual": 10, "real": 4}
PAUSE_SECONDS = (0.0, 0.04)
"""Between two sends of a producer."""
KINDS: Mapping[str, int] = {"plain": 86, "slow": 4, "flaky": 4, "fork": 3, "poison": 1}
"""What messages do to the function, and their shares."""
SOUND_KINDS: Mapping[str, int] = {"plain": 92, "slow": 4, "flaky": 1, "fork": 3}
"""For FIFO queues, where a poison message buries what is behind it, and where time can't be moved."""
MOST_ROUNDS = 200
"""Until a queue is empty, each as long as a visibility timeout, or with a real clock this:"""
REAL_ROUND_SECONDS = 0.2


def package(source: str) -> bytes:
    """Return a zip file with a module `app`; the same source gives the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("app.py"), source)
    return buffer.getvalue()


class Pipeline:
    """A queue, its dead-letter queue, the function, and the queue that it tells what it has done."""

    def __init__(
        self, victim: Victim, marker: str, *, is_fifo: bool = False, most_kills: int, slow_seconds: float = 0.3
    ) -> None:
        self._victim = victim
        self._marker = marker
        suffix = ".fifo" if is_fifo else ""
        self._is_fifo = is_fifo
        self.source, self.dead, self.results = f"orders{suffix}", f"dead-orders{suffix}", "results"
        self.visibility_seconds = VISIBILITY_SECONDS["virtual" if victim.time.is_virtual else "real"]
        self._slow_seconds = slow_seconds
        self.kinds = SOUND_KINDS if is_fifo or not victim.time.is_virtual else KINDS
        self.limits = Limits(
            most_in_flight=BATCH * INVOCATIONS,
            # A kill costs a message one receive, to be flaky another.
            max_receive_count=most_kills + 3,
            visibility_ms=None if victim.time.is_virtual else self.visibility_seconds * 1000,
        )

    def prepare(self) -> None:
        """Make queues, function and event source mapping; skip the test where it can't be without namespaces."""
        attributes = {"FifoQueue": "true"} if self._is_fifo else {}
        redrive = {"deadLetterTargetArn": ARN + self.dead, "maxReceiveCount": self.limits.max_receive_count}
        source_attributes = {
            "VisibilityTimeout": str(self.visibility_seconds),
            "RedrivePolicy": orjson.dumps(redrive).decode(),
        }
        with closing(RawTransport(self._victim)) as queues:
            queues.call("CreateQueue", {"QueueName": self.results})
            queues.call("CreateQueue", {"QueueName": self.dead, "Attributes": attributes})
            queues.call("CreateQueue", {"QueueName": self.source, "Attributes": attributes | source_attributes})
        with closing(CloudTransport(self._victim, ["lambda"])) as cloud:
            cloud.call(
                "lambda:CreateFunction",
                {
                    "FunctionName": "consumer",
                    "Runtime": "python3.11",
                    "Role": ROLE,
                    "Handler": "app.handler",
                    "Timeout": self.visibility_seconds,
                    "Code": {"ZipFile": package((FUNCTIONS / "consumer.py").read_text())},
                    "Environment": {
                        "Variables": {
                            "MARKER": self._marker,
                            "RESULTS": self.results,
                            "SLOW_SECONDS": str(self._slow_seconds),
                        }
                    },
                },
            )
            cloud.call("lambda:Invoke", {"FunctionName": "consumer", "Payload": b'{"Records": []}'})
            isolation = self._victim.server.health()["lambda"]["isolation"]
            if not self._victim.has_namespaces and isolation == "namespaces":
                pytest.skip("the server can't be kept from making process namespaces here")
            cloud.call(
                "lambda:CreateEventSourceMapping",
                {
                    "FunctionName": "consumer",
                    "EventSourceArn": ARN + self.source,
                    "BatchSize": BATCH,
                    "FunctionResponseTypes": ["ReportBatchItemFailures"],
                    "ScalingConfig": {"MaximumConcurrency": INVOCATIONS},
                },
            )

    def come_to_rest(self, story: Story) -> list[str]:
        """Wait until the queue is empty, and add to the story what became of its messages; return what stays."""
        with closing(RawTransport(self._victim)) as queues:
            left = self._wait_until_empty(queues)
            for body, _ in self._taken(queues, self.results):
                story.processings += report(orjson.loads(body))
            story.buried += self._taken(queues, self.dead)
        story.lines |= set(self._printed())
        return [f"messages stay in the queue: {left}"] if left else []

    def _wait_until_empty(self, queues: RawTransport) -> dict[str, str]:
        for _ in range(MOST_ROUNDS):
            counts = self._counts(queues)
            if not counts:
                break
            if self._victim.time.is_virtual:
                self._victim.advance(self.visibility_seconds * 1000)
            else:
                threading.Event().wait(REAL_ROUND_SECONDS)
        return counts

    def _counts(self, queues: RawTransport) -> dict[str, str]:
        answer = queues.call("GetQueueAttributes", {"QueueUrl": self.source, "AttributeNames": ["All"]})
        counts = {name: value for name, value in answer["Attributes"].items() if name.startswith("ApproximateNumber")}
        return counts if any(int(value) for value in counts.values()) else {}

    def _taken(self, queues: RawTransport, queue: str) -> list[tuple[str, int]]:
        """Receive and delete all that is in a queue; return the bodies and how often they were received."""
        found = []
        request = {"QueueUrl": queue, "MaxNumberOfMessages": 10, "MessageSystemAttributeNames": ["All"]}
        while messages := queues.call("ReceiveMessage", request).get("Messages"):
            entries = [{"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(messages)]
            queues.call("DeleteMessageBatch", {"QueueUrl": queue, "Entries": entries})
            found += [(message["Body"], int(message["Attributes"]["ApproximateReceiveCount"])) for message in messages]
        return found

    def _printed(self) -> Iterator[tuple[str, str]]:
        with closing(CloudTransport(self._victim, ["logs"])) as cloud:
            request: dict[str, Any] = {"logGroupName": "/aws/lambda/consumer", "filterPattern": "given"}
            while True:
                answer = cloud.call("logs:FilterLogEvents", request)
                for event in answer["events"]:
                    yield event["logStreamName"], event["message"].strip()
                if "nextToken" not in answer:
                    return
                request["nextToken"] = answer["nextToken"]


class Producer:
    """Sends messages to a queue, in batches; to a FIFO queue each again until it is known to be there."""

    _numbers = itertools.count(1)

    def __init__(
        self,
        recorder: Recorder,
        story: Story,
        queue: str,
        chance: random.Random,
        *,
        kinds: Mapping[str, int],
        pause_seconds: tuple[float, float] = PAUSE_SECONDS,
    ) -> None:
        self._recorder = recorder
        self._story = story
        self._queue = queue
        self._chance = chance
        self._kinds = kinds
        self._pause_seconds = pause_seconds
        self._is_fifo = queue.endswith(".fifo")
        self._name = f"p{next(self._numbers)}"
        self._messages = itertools.count(1)

    def run(self, over: threading.Event) -> None:
        """Send until it is over."""
        while not over.wait(self._chance.uniform(*self._pause_seconds)):
            self.send(self._chance.randint(1, BATCH))

    def send(self, count: int, kind: str | None = None) -> None:
        """Send one batch."""
        bodies = [f"{kind or self._kind()}-{self._name}-{next(self._messages)}" for _ in range(count)]
        self._story.attempted.update(bodies)
        entries = [self._entry(str(number), body) for number, body in enumerate(bodies)]
        while not self._is_known(operation := self._recorder.perform("SendMessageBatch", self._queue, Entries=entries)):
            pass
        if operation.is_done:
            assert len(operation.answer["Successful"]) == count, operation.answer
            self._story.acknowledged += bodies
            for entry in entries if self._is_fifo else ():
                self._story.groups[entry["MessageGroupId"]].append(entry["MessageBody"])

    def _is_known(self, operation: Operation) -> bool:
        return operation.outcome is not Outcome.UNKNOWN or not self._is_fifo

    def _kind(self) -> str:
        return self._chance.choices(list(self._kinds), list(self._kinds.values()))[0]

    def _entry(self, number: str, body: str) -> dict[str, Any]:
        entry = {"Id": number, "MessageBody": body}
        if self._is_fifo:
            entry["MessageGroupId"] = f"{self._name}-{self._chance.randrange(4)}"
            entry["MessageDeduplicationId"] = body
        return entry


def producers(
    recorders: Sequence[Recorder], story: Story, queue: str, chance: random.Random, **habits: Any
) -> list[Producer]:
    """Return a producer for each recorder."""
    return [Producer(recorder, story, queue, random.Random(chance.random()), **habits) for recorder in recorders]
