"""What the operations on functions, invocations and event source mappings share."""

from __future__ import annotations

from cumulet.compute import Compute, Invocation, Outcome
from cumulet.kernel.call import Call
from cumulet.services.lambda_ import functions, mappings
from cumulet.services.lambda_.concurrency import ACCOUNT_CONCURRENCY, Concurrency, machine_limit
from cumulet.services.lambda_.directory import Directory
from cumulet.services.lambda_.downloads import Downloads
from cumulet.services.lambda_.errors import AccessDeniedException, function_not_found, invalid, not_found
from cumulet.services.lambda_.function_names import LATEST, FunctionKey, Locator, function_arn, parse
from cumulet.services.lambda_.functions import Function
from cumulet.services.lambda_.mappings import Mapping
from cumulet.services.lambda_.package_files import PackageFiles
from cumulet.services.lambda_.package_upkeep import PackageUpkeep
from cumulet.services.lambda_.pollers import Pollers
from cumulet.services.lambda_.queue_poller import QueuePoller
from cumulet.services.service import Platform, Service

MOST_CODE_BYTES = 80_530_636_800
"""Lambda: of an account's packages in a region together (75 GB)."""
ACTIONS = {"Invoke": "InvokeFunction"}
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
        self.concurrency = Concurrency(self.account_concurrency, self.most_environments)
        self.compute: Compute
        self.pollers = Pollers(self._poller)

    async def start(self) -> None:
        """Go on with the event source mappings."""
        await self.package_upkeep.start()
        platform = self.platform
        self.compute = Compute(
            folder=platform.config.data.absolute() / "compute",
            url=platform.url,
            logs=platform.delivery.logs,
            clock=platform.clock,
            ids=platform.ids,
            activity=platform.activity,
            credentials=platform.credentials,
            most_environments=self.most_environments,
        )
        for function in await self.store.read(functions.every_reserved):
            self.concurrency.reserve(function)
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

    def _poller(self, mapping: Mapping) -> QueuePoller:
        return QueuePoller(
            mapping,
            queues=self.platform.delivery.queues,
            find=self._function_of,
            invoke=self.run,
            concurrency=self.concurrency,
            clock=self.clock,
            activity=self.platform.activity,
        )

    async def _function_of(self, mapping: Mapping) -> Function | None:
        return await self.directory.find(FunctionKey(mapping.account, mapping.region, mapping.function_name))

    async def run(
        self,
        function: Function,
        payload: bytes,
        *,
        request_id: str | None = None,
        client_context: str | None = None,
        trace_header: str | None = None,
    ) -> Outcome:
        """Run a function, for which the caller holds a slot; raises CannotRun."""
        return await self.compute.invoke(
            function.to_compute(self.packages.path(function.package)),
            Invocation(
                request_id=request_id or self.ids.uuid(),
                payload=payload,
                invoked_arn=function.arn,
                client_context=client_context,
                trace_id=trace_header or self._new_trace(),
            ),
        )

    def _new_trace(self) -> str:
        bits = self.ids.random.getrandbits
        root = f"1-{self.clock.now_ms() // 1000:08x}-{bits(96):024x}"
        return f"Root={root};Parent={bits(64):016x};Sampled=0"

    async def function(self, call: Call, text: str, qualifier: str | None = None) -> Function:
        """Return the function that a name, partial ARN or ARN means, with the qualifier in it or beside it.

        Raises ResourceNotFoundException for one that does not exist, AccessDeniedException for another account's in
        enforce mode.
        """
        key, qualifier = self.locate(call, text, qualifier)
        return await self.known(key, qualifier)

    async def known(self, key: FunctionKey, qualifier: str | None = None) -> Function:
        """Return a function that was located; raises ResourceNotFoundException."""
        function = self.directory.cached(key) or await self.directory.find(key)
        if function is None or qualifier not in (None, LATEST):
            raise function_not_found(qualified_arn(key, qualifier))
        return function

    def locate(self, call: Call, text: str, qualifier: str | None = None) -> tuple[FunctionKey, str | None]:
        """Return which function and qualifier a request names, if the caller may use it."""
        locator = parse(text)
        assert locator is not None
        if locator.region is not None and locator.region != call.region:
            raise not_found(f"Functions from '{locator.region}' are not reachable in this region ('{call.region}')")
        key = FunctionKey(locator.account or call.account, call.region, locator.name)
        if self.is_enforcing and key.account != call.account:
            action = "lambda:" + ACTIONS.get(call.operation, call.operation)
            raise AccessDeniedException(
                f"User: {call.identity.principal} is not authorized to perform: {action} on "
                f"resource: {function_arn(*key)} because no resource-based policy allows the {action} action"
            )
        return key, chosen_qualifier(locator, qualifier)

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
        self.pollers.wake(function.arn)

    def deleted(self, function: Function) -> None:
        """Know a function no more, after its commit."""
        self.directory.forget(function.key)
        self.concurrency.forget(function)
        self.compute.retire(function.arn)


def chosen_qualifier(locator: Locator, qualifier: str | None) -> str | None:
    """Return the qualifier that a name or the parameter gives; they may not differ."""
    if locator.qualifier is not None and qualifier is not None and locator.qualifier != qualifier:
        raise invalid(DERIVED_QUALIFIER)
    return qualifier or locator.qualifier


def qualified_arn(key: FunctionKey, qualifier: str | None) -> str:
    """Return the ARN of a function with a qualifier, where there is one."""
    return function_arn(*key) + (f":{qualifier}" if qualifier else "")
