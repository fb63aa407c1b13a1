"""What the operations on functions, invocations and event source mappings share."""

from __future__ import annotations

from collections import defaultdict

from cumulet import compute
from cumulet import policies as resource_policies
from cumulet.compute import Compute, Invocation, Outcome
from cumulet.kernel.call import Call
from cumulet.kernel.errors import AwsError
from cumulet.kernel.log import log_line
from cumulet.policies import Decision
from cumulet.services.lambda_ import (
    aliases,
    event_invoke_configs,
    function_urls,
    functions,
    lineage,
    mappings,
    policies,
    provisioned,
    runtime_management,
    versions,
)
from cumulet.services.lambda_.batch_runner import BatchRunner
from cumulet.services.lambda_.concurrency import ACCOUNT_CONCURRENCY, Concurrency, machine_limit
from cumulet.services.lambda_.directory import MAIN_VERSION, Directory
from cumulet.services.lambda_.downloads import Downloads
from cumulet.services.lambda_.errors import (
    AccessDeniedException,
    RecursiveInvocationException,
    ResourceNotFoundException,
    function_not_found,
    invalid,
    not_found,
)
from cumulet.services.lambda_.event_queue import EventQueue
from cumulet.services.lambda_.function_names import LATEST, FunctionKey, Locator, parse, qualified_arn
from cumulet.services.lambda_.function_urls import FunctionUrl
from cumulet.services.lambda_.functions import Function
from cumulet.services.lambda_.mappings import Mapping
from cumulet.services.lambda_.metrics import Metrics
from cumulet.services.lambda_.package_files import PackageFiles
from cumulet.services.lambda_.package_upkeep import PackageUpkeep
from cumulet.services.lambda_.pollers import Poller, Pollers
from cumulet.services.lambda_.provisioning import Provisioning
from cumulet.services.lambda_.queue_poller import QueuePoller
from cumulet.services.lambda_.scaling import configured_rule
from cumulet.services.lambda_.stream_poller import StreamPoller
from cumulet.services.lambda_.streaming import StreamedInvocation
from cumulet.services.service import Platform, Service
from cumulet.store import Tx

MOST_CODE_BYTES = 80_530_636_800
"""Lambda: of an account's packages in a region together (75 GB)."""
ACTIONS = dict.fromkeys(("Invoke", "InvokeAsync", "InvokeWithResponseStream"), "InvokeFunction")
"""IAM: what permission an operation needs, where it is not its name."""
FUNCTIONS_ONLY = (
    "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
    "Please specify either a function name or an unqualified function ARN."
)
DERIVED_QUALIFIER = "The derived qualifier from the function name does not match the specified qualifier."


class LambdaBase(Service):
    """The functions."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform)
        self.directory = Directory(platform.store)
        self.packages = PackageFiles(
            platform.config.data / "functions", is_durable=platform.config.durability == "full"
        )
        self.package_upkeep = PackageUpkeep(platform.store, self.packages, platform.clock, platform.activity)
        self.downloads = Downloads(self.packages)
        self.is_enforcing = platform.config.auth == "enforce"
        self.account_concurrency = platform.quotas.limit("lambda:concurrent-executions", ACCOUNT_CONCURRENCY)
        self.most_code_bytes = platform.quotas.limit("lambda:code-storage-bytes", MOST_CODE_BYTES)
        self.most_environments = platform.quotas.limit("lambda:environments", machine_limit())
        self.blocks_deprecated_runtimes = platform.quotas.limit("lambda:deprecated-runtimes", 1) == 0
        self.metrics = Metrics(platform.telemetry)
        self.record = self.metrics.record
        self.concurrency = Concurrency(
            self.account_concurrency,
            self.most_environments,
            clock=platform.clock,
            rule=configured_rule(platform.quotas),
            metrics=self.metrics,
        )
        self._runnable: defaultdict[str, dict[str, tuple[Function, compute.Function]]] = defaultdict(dict)
        """What runs a function, by its ARN and version."""
        self.compute: Compute
        self.provisioning = Provisioning(
            platform.store, platform.activity, self.concurrency, self.known, self._to_compute
        )
        self.pollers = Pollers(self._poller)
        self.event_queue = EventQueue(self)
        self.url_cache: dict[str, FunctionUrl] = {}
        """Function URLs by their id; what has changed or gone is taken out after its commit."""

    async def start(self) -> None:
        """Go on with the event source mappings."""
        await self.package_upkeep.start()
        platform = self.platform
        self.compute = Compute(
            folder=platform.config.data.absolute() / "compute",
            url=platform.url,
            serve=platform.listeners.serve,
            has_own_network=platform.config.function_network == "own",
            logs=platform.delivery.logs,
            clock=platform.clock,
            ids=platform.ids,
            activity=platform.activity,
            credentials=platform.credentials,
            most_environments=self.most_environments,
        )
        for function in await self.store.read(functions.every_reserved):
            self.concurrency.reserve(function)
        if await self.store.read(functions.is_any_there):
            self.compute.begin()
        await self.provisioning.start(self.compute)
        for mapping in await self.store.read(mappings.every):
            self.pollers.keep(mapping)

    def report(self) -> dict[str, object]:
        """Return how many environments run, and how they are kept apart."""
        return {"environments": self.compute.environments(), "isolation": self.compute.isolation}

    def stop_waiting(self) -> None:
        """Take no more from queues."""
        self.pollers.close()

    async def stop(self) -> None:
        """End all environments."""
        await self.compute.stop()

    def _poller(self, mapping: Mapping) -> Poller:
        platform, runner = self.platform, BatchRunner(self)
        if mapping.settings.stream is None:
            queues = platform.delivery.queues
            return QueuePoller(mapping, queues=queues, runner=runner, clock=platform.clock, activity=platform.activity)
        return StreamPoller(
            mapping,
            source=platform.delivery.streams[mapping.source_service],
            runner=runner,
            store=platform.store,
            clock=platform.clock,
            activity=platform.activity,
            new_id=platform.ids.uuid,
            put=platform.delivery.put,
            record=self.record,
        )

    async def run(
        self,
        function: Function,
        payload: bytes,
        *,
        qualifier: str | None = None,
        request_id: str | None = None,
        client_context: str | None = None,
        trace_header: str | None = None,
        wants_log_tail: bool = False,
        stream: StreamedInvocation | None = None,
    ) -> Outcome:
        """Run a function, for which the caller holds a slot; `qualifier` is what was asked for.

        Where there is a `stream`, it takes what the function streams.

        Raises CannotRun or RecursiveInvocationException.
        """
        trace_header = self._traced(function, trace_header or self.new_trace())
        outcome = await self.compute.invoke(
            self._to_compute(function),
            Invocation(
                request_id=request_id or self.ids.uuid(),
                payload=payload,
                invoked_arn=qualified_arn(function.key, qualifier),
                client_context=client_context,
                trace_id=trace_header,
                wants_log_tail=wants_log_tail,
                on_response_start=stream.begin if stream else None,
                on_chunk=stream.take if stream else None,
            ),
        )
        is_spilled = self.concurrency.fleet(function).provisioned > 0
        self.metrics.invoked(function, qualifier, outcome, is_spilled=is_spilled)
        return outcome

    def _to_compute(self, function: Function) -> compute.Function:
        """Return what runs a function; the same for each invocation of it, as long as it doesn't change."""
        versions_of = self._runnable[function.arn]
        known = versions_of.get(function.version)
        if known is None or known[0] is not function:
            runnable = function.to_compute(self.packages.path(function.package))
            known = versions_of[function.version] = (function, runnable)
        return known[1]

    def _traced(self, function: Function, trace_header: str) -> str:
        """Return the trace header that a function runs with; raises RecursiveInvocationException."""
        if function.recursive_loop == "Allow":
            return trace_header
        if lineage.is_exhausted(trace_header, function.arn):
            self.record("RecursiveInvocationsDropped", function.arn)
            message = f"{function.arn} has invoked itself {lineage.MOST_INVOCATIONS} times; the next is not run"
            log_line(message)
            raise RecursiveInvocationException(message, Type="User")
        return lineage.counted(trace_header, function.arn)

    def new_trace(self) -> str:
        """Return the trace header of an event that came without one."""
        bits = self.ids.random.getrandbits
        root = f"1-{self.clock.now_ms() // 1000:08x}-{bits(96):024x}"
        return f"Root={root};Parent={bits(64):016x};Sampled=0"

    async def known(self, key: FunctionKey, qualifier: str | None = None) -> Function:
        """Return a function or version that was located, for an alias its main version.

        Raises ResourceNotFoundException.
        """
        return await self._resolved(key, qualifier, MAIN_VERSION)

    async def routed(self, key: FunctionKey, qualifier: str | None = None) -> Function:
        """Return what to run: as `known`, but an alias chooses between its versions by their weights."""
        return await self._resolved(key, qualifier, self.ids.random.random() if qualifier else MAIN_VERSION)

    async def _resolved(self, key: FunctionKey, qualifier: str | None, chance: float) -> Function:
        function = self.directory.cached(key) if qualifier is None else None
        function = function or await self.directory.resolve(key, qualifier, chance)
        if function is None:
            raise function_not_found(qualified_arn(key, qualifier))
        return function

    async def exists(self, key: FunctionKey, qualifier: str | None = None) -> bool:
        """Return whether there is such a function, version or alias."""
        try:
            await self.known(key, qualifier)
        except ResourceNotFoundException:
            return False
        return True

    def locate(self, call: Call, text: str, qualifier: str | None = None) -> tuple[FunctionKey, str | None]:
        """Return which function and qualifier a request names; for operations that nobody may do but the owner."""
        key, qualifier = named(call, text, qualifier)
        if self.is_enforcing and key.account != call.account:
            raise denied(call, qualified_arn(key, qualifier))
        return key, qualifier

    async def located(self, call: Call, text: str, qualifier: str | None = None) -> tuple[FunctionKey, str | None]:
        """Return which function and qualifier a request names; for operations that a policy can allow to others."""
        key, qualifier = named(call, text, qualifier)
        if self.is_enforcing:
            decision = await self._decision(call, key, qualifier)
            if decision is not Decision.ALLOWED:
                raise denied(call, qualified_arn(key, qualifier), decision)
        return key, qualifier

    async def _decision(self, call: Call, key: FunctionKey, qualifier: str | None) -> Decision:
        """Return what the policy says; of what there is not, another account learns nothing."""
        policed = None if qualifier == LATEST else qualifier
        if await self.directory.resolve(key, policed) is None:
            return Decision.ALLOWED if key.account == call.account else Decision.SILENT
        policy = await self.directory.policy(key, policed)
        asker = resource_policies.of_call(call, self.clock.now_ms())
        arn = qualified_arn(key, policed)
        return resource_policies.decide(policy, action_of(call), arn, asker, owner=key.account)

    def locate_function(self, call: Call, text: str, *qualifiers: str) -> FunctionKey:
        """Return which function a request names that is for functions as a whole, or for one of the qualifiers."""
        key, qualifier = self.locate(call, text)
        if qualifier is not None and qualifier not in qualifiers:
            raise invalid(FUNCTIONS_ONLY)
        return key

    def changed(self, function: Function) -> None:
        """Know a function that was created or changed, after its commit."""
        self.directory.keep(function)
        self.concurrency.reserve(function)
        self.compute.retire(function.arn, keep=function.deployment)
        self.compute.begin()
        self.pollers.wake(function.key)

    def deleted(self, function: Function) -> None:
        """Know a function no more, nor what it had, after its commit."""
        self.directory.forget(function.key)
        self._runnable.pop(function.arn, None)
        self.concurrency.forget(function)
        self.compute.retire(function.arn)
        self.provisioning.moved(function.key)

    def requalified(self, key: FunctionKey, qualifier: str) -> None:
        """Know that a version or alias was created, changed or deleted, after the commit."""
        self.directory.forget_qualifier(key, qualifier)
        self.provisioning.moved(key)
        self.pollers.wake(key)

    def forget_function(self, tx: Tx, key: FunctionKey) -> None:
        """Delete all that a function has, with the function."""
        for number in versions.delete_all(tx, key):
            tx.after_commit(self.compute.retire, qualified_arn(key, str(number)))
        aliases.delete_all(tx, key)
        policies.delete_all(tx, key)
        runtime_management.forget_all(tx, key)
        self._forget_urls(tx, key, None)
        event_invoke_configs.forget(tx, key)
        provisioned.forget(tx, key)

    def forget_qualifier(self, tx: Tx, key: FunctionKey, qualifier: str) -> None:
        """Delete all that a version or alias has, with it."""
        policies.delete(tx, key, qualifier)
        runtime_management.forget(tx, key, qualifier)
        self._forget_urls(tx, key, qualifier)
        event_invoke_configs.forget(tx, key, qualifier)
        provisioned.forget(tx, key, qualifier)
        tx.after_commit(self.requalified, key, qualifier)
        tx.after_commit(self.compute.retire, qualified_arn(key, qualifier))

    def _forget_urls(self, tx: Tx, key: FunctionKey, qualifier: str | None) -> None:
        for url_id in function_urls.forget(tx, key, qualifier):
            tx.after_commit(self._url_is_gone, url_id)

    def _url_is_gone(self, url_id: str) -> None:
        self.url_cache.pop(url_id, None)


def action_of(call: Call) -> str:
    """Return the permission that an operation needs."""
    return "lambda:" + ACTIONS.get(call.operation, call.operation)


def denied(call: Call, resource: str, decision: Decision = Decision.SILENT) -> AwsError:
    """Return the error for a caller who may not use what an ARN names."""
    principal = call.identity.principal
    return AccessDeniedException(resource_policies.refusal_text(principal, action_of(call), resource, decision))


def named(call: Call, text: str, qualifier: str | None) -> tuple[FunctionKey, str | None]:
    """Return which function and qualifier a request names; raises ResourceNotFoundException for another region."""
    locator = parse(text)
    if locator.region is not None and locator.region != call.region:
        raise not_found(f"Functions from '{locator.region}' are not reachable in this region ('{call.region}')")
    return FunctionKey(locator.account or call.account, call.region, locator.name), chosen_qualifier(locator, qualifier)


def chosen_qualifier(locator: Locator, qualifier: str | None) -> str | None:
    """Return the qualifier that a name or the parameter gives; they may not differ."""
    if locator.qualifier is not None and qualifier is not None and locator.qualifier != qualifier:
        raise invalid(DERIVED_QUALIFIER)
    return qualifier or locator.qualifier
