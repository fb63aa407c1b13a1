"""The queue of asynchronous invocations: what was accepted, tried again, and told of at its end.

An event is accepted when it is on disk. Until the function has handled it, or its retries or its time are over, it is a
delivery of the platform's engine. Its lane is what was invoked, the function, a version or an alias: each may have
places of its own, by provisioned concurrency.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import orjson

from cumulet.compute import CannotRun
from cumulet.delivery import (
    Attempt,
    End,
    Message,
    QueuedDelivery,
    RetryPolicy,
    TooLarge,
    Undeliverable,
    Verdict,
)
from cumulet.kernel.arns import Arn
from cumulet.kernel.log import log_line
from cumulet.services.lambda_ import (
    aliases,
    event_invoke_configs,
    functions,
    invocation_records,
    lineage,
    policies,
    versions,
)
from cumulet.services.lambda_.configuration import Configuration
from cumulet.services.lambda_.errors import (
    RATE_EXCEEDED,
    RecursiveInvocationException,
    ResourceNotFoundException,
    function_not_found,
)
from cumulet.services.lambda_.function_names import (
    LATEST,
    FunctionKey,
    function_arn,
    parse,
    qualified_arn,
    version_number,
)
from cumulet.services.lambda_.functions import Function
from cumulet.services.lambda_.invocation_records import Response
from cumulet.store import Tx

if TYPE_CHECKING:
    from cumulet.services.lambda_.base import LambdaBase

TOO_MANY_REQUESTS = 429
MOST_EVENT_BYTES = 1_048_576
"""Lambda: of an event that is invoked asynchronously (1 MB)."""


class EventQueue:
    """The adapter that Lambda offers to deliveries: functions as targets."""

    def __init__(self, service: LambdaBase) -> None:
        self._service = service
        self._delivery = service.platform.delivery
        self._chosen: dict[int, Function] = {}
        """By delivery: the version that has taken a slot, on its way to its attempt."""
        self._delivery.targets["lambda"] = self
        self._delivery.engine.register("lambda", self)

    async def accept(
        self,
        function: Function,
        qualifier: str | None,
        payload: bytes,
        *,
        request_id: str,
        trace_header: str | None = None,
    ) -> None:
        """Return once an event is on disk."""
        target = qualified_arn(function.key, qualifier)
        await self._service.store.transact(
            self._delivery.engine.accept,
            lane=target,
            target=target,
            request_id=request_id,
            payload=payload,
            now_ms=self._service.clock.now_ms(),
            trace_header=trace_header or self._service.new_trace(),
        )
        self._service.record("AsyncEventsReceived", function.arn)

    def put(self, tx: Tx, arn: Arn, message: Message, now_ms: int) -> None:
        """Let a function be invoked with a message whose body is JSON; raises Undeliverable."""
        key, qualifier = _addressed(str(arn))
        if functions.find(tx, *key) is None:
            raise Undeliverable(f"there is no function {arn}")
        if self._service.is_enforcing:
            policies.check_sender(tx, key, qualifier, message, now_ms)
        payload = message.body.encode()
        if len(payload) > MOST_EVENT_BYTES:
            raise TooLarge(f"{len(payload)} bytes are too many for an event of {arn}")
        self._delivery.engine.accept(
            tx,
            lane=str(arn),
            target=str(arn),
            request_id=message.id,
            payload=payload,
            now_ms=now_ms,
            trace_header=message.trace_header,
        )
        tx.after_commit(self._service.record, "AsyncEventsReceived", function_arn(*key))

    async def slot(self, delivery: QueuedDelivery, wake: Callable[[], None]) -> Callable[[], None] | None:
        """Take one of the slots of what is to run, chosen anew for each attempt; what can't be run needs none."""
        key, qualifier = _addressed(delivery.target)
        try:
            function = await self._service.routed(key, qualifier)
        except ResourceNotFoundException:
            return _nothing
        concurrency, give_back = self._service.concurrency, _nothing
        if function.reserved_concurrency != 0:
            if concurrency.free(function) <= 0:
                concurrency.when_free(wake)
                return None
            give_back = concurrency.take(function, qualifier)
        self._chosen[delivery.id] = function
        return give_back

    async def attempt(self, delivery: QueuedDelivery) -> Attempt:
        """Run the function.

        Lambda: while nothing may run (reserved concurrency 0), and for an event in a recursive loop, there are no
        retries; nor are there when what was invoked is gone.
        """
        function = self._chosen.pop(delivery.id, None)
        if function is None:
            gone = function_not_found(delivery.target)
            return Attempt(Verdict.REFUSED, _refusal(gone.status, "ResourceNotFoundException", gone.message))
        if function.reserved_concurrency == 0:
            return Attempt(Verdict.REFUSED, _refusal(TOO_MANY_REQUESTS, "TooManyRequestsException", RATE_EXCEEDED))
        age_ms = self._service.clock.now_ms() - delivery.accepted_ms
        self._service.record("AsyncEventAge", function.arn, age_ms)
        try:
            outcome = await self._service.run(
                function,
                delivery.payload,
                qualifier=_addressed(delivery.target)[1],
                request_id=delivery.request_id,
                trace_header=delivery.trace_header,
            )
        except RecursiveInvocationException as error:
            return Attempt(Verdict.REFUSED, _refusal(error.status, "RecursiveInvocationException", error.message))
        except CannotRun as error:
            log_line(f"{function.arn} can't run, its event is tried again later: {error}")
            return Attempt(Verdict.DEFERRED)
        trace_header = delivery.trace_header and lineage.counted(delivery.trace_header, function.arn)
        response = Response(200, function.version, outcome.error, outcome.payload, trace_header)
        return Attempt(Verdict.DELIVERED if outcome.error is None else Verdict.FAILED, response)

    def policy(self, tx: Tx, delivery: QueuedDelivery) -> RetryPolicy:
        """Return what is set for the function, version or alias."""
        key, qualifier = _addressed(delivery.target)
        return event_invoke_configs.settings(tx, key, qualifier or LATEST).policy

    def conclude(
        self,
        tx: Tx,
        delivery: QueuedDelivery,
        end: End,
        answer: Response | None,
        *,
        now_ms: int,
        new_ids: tuple[str, str],
    ) -> None:
        """Send the record to a destination, and a dead letter of what has failed.

        Where a version or alias is gone, with all its settings, those of the function hold.
        """
        key, qualifier = _addressed(delivery.target)
        heir = qualifier if qualifier is None or _configuration(tx, key, qualifier) is not None else None
        settings = event_invoke_configs.settings(tx, key, heir or LATEST)
        destination = (settings.on_success if end is End.DELIVERED else settings.on_failure) or ""
        if end is End.DELIVERED and not destination:
            return
        configuration = _configuration(tx, key, heir)
        role_arn = configuration.role_arn if configuration else None
        trace_header = answer.trace_header if answer is not None else delivery.trace_header

        def message(
            number: str, body: str, attributes: Mapping[str, tuple[str, str]] = MappingProxyType({})
        ) -> Message:
            return Message(
                id=number,
                sender_id=key.account,
                body=body,
                attributes=attributes,
                trace_header=trace_header,
                role_arn=role_arn,
            )

        def send(*, is_whole: bool) -> None:
            arn = qualified_arn(key, qualifier or LATEST)
            text = invocation_records.record(delivery, arn, end, answer, now_ms, is_whole=is_whole)
            self._delivery.put(tx, destination, message(new_ids[0], text), now_ms)

        if destination:
            try:
                try:
                    send(is_whole=True)
                except TooLarge:
                    if end is End.DELIVERED:
                        raise
                    send(is_whole=False)  # Lambda: the payloads are dropped
            except Undeliverable as reason:
                tx.after_commit(self._lost, "DestinationDeliveryFailures", delivery, str(reason))
        if end is End.DELIVERED:
            return
        tx.after_commit(self._service.record, "AsyncEventsDropped", function_arn(*key))
        if configuration is None:
            tx.after_commit(log_line, f"an event for {delivery.target} is dropped: there is no such function any more")
        elif target := configuration.dead_letter_arn:
            attributes = invocation_records.attributes(delivery, answer)
            letter = message(new_ids[1], invocation_records.sendable(delivery.payload.decode()), attributes)
            try:
                self._delivery.put(tx, target, letter, now_ms)
            except Undeliverable as reason:
                tx.after_commit(self._lost, "DeadLetterErrors", delivery, str(reason))

    def _lost(self, metric: str, delivery: QueuedDelivery, reason: str) -> None:
        """Count, and tell, that nothing was sent of an event's end."""
        self._service.record(metric, function_arn(*_addressed(delivery.target)[0]))
        log_line(f"what became of event {delivery.request_id} of {delivery.target} could not be sent: {reason}")


def _addressed(target: str) -> tuple[FunctionKey, str | None]:
    """Return which function and qualifier an ARN names."""
    locator = parse(target)
    return FunctionKey(locator.account or "", locator.region or "", locator.name), locator.qualifier


def _configuration(tx: Tx, key: FunctionKey, qualifier: str | None) -> Configuration | None:
    """Return the configuration that a qualifier means, None where it means nothing any more."""
    if qualifier not in (None, LATEST) and version_number(qualifier) is None:
        alias = aliases.find(tx, key, qualifier)
        if alias is None:
            return None
        qualifier = alias.version
    if qualifier in (None, LATEST):
        function = functions.find(tx, *key)
        return function.configuration if function else None
    number = version_number(qualifier)
    version = versions.find(tx, key, number) if number else None
    return version.source if version else None


def _refusal(status: int, error_type: str, message: str) -> Response:
    return Response(status, LATEST, None, orjson.dumps({"errorMessage": message, "errorType": error_type}))


def _nothing() -> None:
    """Give back no slot."""
