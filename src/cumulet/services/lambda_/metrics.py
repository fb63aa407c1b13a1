"""What AWS/Lambda tells CloudWatch.

Lambda: a function's metrics have the dimension FunctionName (all versions and aliases together); FunctionName and
Resource (a version or alias, or the function as it is named without one); these and ExecutedVersion (an alias's
version); and none (all functions of a region). An invocation adds to a few numbers in memory, which become metrics when
telemetry is drained or the minute ends.
"""

from __future__ import annotations

from collections.abc import Iterator

from cumulet.compute import Outcome
from cumulet.kernel.telemetry import Metric, Sample, Telemetry
from cumulet.services.lambda_.function_names import LATEST, FunctionKey, parse
from cumulet.services.lambda_.functions import Function

NAMESPACE = "AWS/Lambda"
MILLISECONDS = frozenset({"AsyncEventAge", "Duration", "IteratorAge"})
PROVISIONED = "provisioned-concurrency"
Region = tuple[str, str]


class Tally:
    """Observations of one minute."""

    __slots__ = ("highest", "lowest", "observations", "total")

    def __init__(self) -> None:
        self.observations = 0
        self.total = 0.0
        self.lowest = 0.0
        self.highest = 0.0

    def add(self, value: float) -> None:
        """Add one observation."""
        if not self.observations:
            self.lowest = self.highest = value
        elif value < self.lowest:
            self.lowest = value
        elif value > self.highest:
            self.highest = value
        self.observations += 1
        self.total += value

    def sample(self, metric: Metric, minute_ms: int) -> Sample:
        """Return what came together."""
        return Sample(metric, minute_ms, self.observations, self.total, self.lowest, self.highest)

    def reset(self) -> None:
        """Begin a new minute."""
        self.observations = 0
        self.total = 0.0


class Gauge(Tally):
    """A metric whose observations are added again and again by whoever holds it."""

    __slots__ = ("_used", "metric")

    def __init__(self, metric: Metric, used: list[Gauge]) -> None:
        super().__init__()
        self.metric = metric
        self._used = used
        """The gauges that have observations of this minute."""

    def add(self, value: float) -> None:
        """Add one observation of the minute that `Metrics.keep_minute` has seen last."""
        if not self.observations:
            self._used.append(self)
        super().add(value)


class Invocations:
    """The invocations of one minute that had the same function, qualifier and version."""

    __slots__ = ("duration", "errors", "provisioned", "spilled")

    def __init__(self) -> None:
        self.duration = Tally()
        self.errors = Tally()
        self.provisioned = Tally()
        self.spilled = Tally()


class Metrics:
    """The metrics of all functions."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._minute_ms = telemetry.minute_ms
        self._invocations: dict[tuple[str, str, str, str | None, str], Invocations] = {}
        """By account, region, name, qualifier and version."""
        self._gauges: list[Gauge] = []
        telemetry.collect_from(self._collect)

    def invoked(self, function: Function, qualifier: str | None, outcome: Outcome, *, is_spilled: bool = False) -> None:
        """Count an invocation that has ended. `is_spilled`: it ran beside the provisioned environments, all busy."""
        self.keep_minute()
        key = (function.account, function.region, function.name, qualifier, function.version)
        found = self._invocations.get(key)
        if found is None:
            found = self._invocations[key] = Invocations()
        found.duration.add(outcome.duration_ms)
        found.errors.add(0 if outcome.error is None else 1)
        if outcome.initialization_type == PROVISIONED:
            found.provisioned.add(1)
        elif is_spilled:
            found.spilled.add(1)

    def record(self, name: str, function_arn: str, value: float = 1, qualifier: str | None = None) -> None:
        """Add one observation of a function's metric; times are in milliseconds."""
        locator = parse(function_arn)
        assert locator.account is not None
        assert locator.region is not None
        key = FunctionKey(locator.account, locator.region, locator.name)
        for dimensions in _dimensions(key, qualifier, None):
            self._telemetry.record(_metric(key, name, dimensions), value)

    def throttled(self, function: Function, qualifier: str | None) -> None:
        """Count an invocation that was refused."""
        for dimensions in _dimensions(function.key, qualifier, function.version):
            self._telemetry.record(_metric(function.key, "Throttles", dimensions))

    def gauge(self, metric: Metric) -> Gauge:
        """Return where observations of a metric are added, each after `keep_minute`."""
        return Gauge(metric, self._gauges)

    def keep_minute(self) -> None:
        """Hand over what was counted when its minute has ended."""
        if self._telemetry.minute_ms != self._minute_ms:
            self._telemetry.add(self._collect())

    def _collect(self) -> list[Sample]:
        samples = list(self._samples())
        self._invocations = {}
        for gauge in self._gauges:
            gauge.reset()
        self._gauges.clear()
        self._minute_ms = self._telemetry.minute_ms
        return samples

    def _samples(self) -> Iterator[Sample]:
        for (account, region, function_name, qualifier, version), found in self._invocations.items():
            key = FunctionKey(account, region, function_name)
            count = found.duration.observations
            for dimensions in _dimensions(key, qualifier, version):
                yield Sample(_metric(key, "Invocations", dimensions), self._minute_ms, count, count, 1, 1)
                yield found.duration.sample(_metric(key, "Duration", dimensions), self._minute_ms)
                yield found.errors.sample(_metric(key, "Errors", dimensions), self._minute_ms)
                for name, tally in (
                    ("ProvisionedConcurrencyInvocations", found.provisioned),
                    ("ProvisionedConcurrencySpilloverInvocations", found.spilled),
                ):
                    if tally.observations:
                        yield tally.sample(_metric(key, name, dimensions), self._minute_ms)
        for gauge in self._gauges:
            yield gauge.sample(gauge.metric, self._minute_ms)


def region_metric(region: Region, name: str) -> Metric:
    """Return a metric of all functions of an account in a region."""
    return Metric(*region, NAMESPACE, name, (), "Count")


def function_metric(function: Function, name: str) -> Metric:
    """Return a metric of a function as a whole."""
    return _metric(function.key, name, (("FunctionName", function.name),))


def resource_metric(function: Function, qualifier: str, name: str) -> Metric:
    """Return a metric of a version or an alias."""
    resource = f"{function.name}:{qualifier}"
    return _metric(function.key, name, (("FunctionName", function.name), ("Resource", resource)))


def _metric(key: FunctionKey, name: str, dimensions: tuple[tuple[str, str], ...]) -> Metric:
    unit = "Milliseconds" if name in MILLISECONDS else "Count"
    return Metric(key.account, key.region, NAMESPACE, name, dimensions, unit)


def _dimensions(
    key: FunctionKey, qualifier: str | None, version: str | None
) -> tuple[tuple[tuple[str, str], ...], ...]:
    """Return the sets of dimensions that what happens to a function counts for."""
    by_function = ("FunctionName", key.name)
    by_resource = ("Resource", f"{key.name}:{qualifier}" if qualifier else key.name)
    sets: tuple[tuple[tuple[str, str], ...], ...] = ((), (by_function,), (by_function, by_resource))
    if version is not None and qualifier not in (None, LATEST, version):
        sets += ((("ExecutedVersion", version), by_function, by_resource),)
    return sets
