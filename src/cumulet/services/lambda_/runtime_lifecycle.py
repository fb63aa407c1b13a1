"""When AWS stops to support a runtime: from which day on no function can be created with it, or changed.

Days are UTC; both are days from which it is so. A function that has such a runtime can be invoked for ever.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import NamedTuple

from cumulet.services.lambda_.errors import invalid


class Lifecycle(NamedTuple):
    """The end of one runtime; None where AWS has set no day."""

    deprecated: date
    block_create: date | None
    block_update: date | None
    successor: str | None
    """The newest of its family."""


def _lifecycle(deprecated: str, create: str | None, update: str | None, successor: str | None = None) -> Lifecycle:
    days = [date.fromisoformat(day) if day else None for day in (create, update)]
    return Lifecycle(date.fromisoformat(deprecated), days[0], days[1], successor)


LIFECYCLES = {
    "dotnet10": _lifecycle("2028-11-14", "2028-12-14", "2029-01-15"),
    "dotnet6": _lifecycle("2024-12-20", "2027-02-01", "2027-03-03", "dotnet10"),
    "dotnet8": _lifecycle("2026-11-10", "2027-02-01", "2027-03-03", "dotnet10"),
    "dotnetcore1.0": _lifecycle("2019-06-27", "2019-06-30", "2019-07-30", "dotnet10"),
    "dotnetcore2.0": _lifecycle("2019-05-30", "2019-04-30", "2019-05-30", "dotnet10"),
    "dotnetcore2.1": _lifecycle("2022-01-05", "2022-01-05", "2022-04-13", "dotnet10"),
    "dotnetcore3.1": _lifecycle("2023-04-03", "2023-04-03", "2023-05-03", "dotnet10"),
    "go1.x": _lifecycle("2024-01-08", "2024-02-08", "2027-03-03", "provided.al2023"),
    "java8": _lifecycle("2024-01-08", "2024-02-08", "2027-03-03", "java25"),
    "java8.al2": _lifecycle("2027-06-30", "2027-07-31", "2027-08-31", "java25"),
    "java11": _lifecycle("2027-06-30", "2027-07-31", "2027-08-31", "java25"),
    "java17": _lifecycle("2027-06-30", "2027-07-31", "2027-08-31", "java25"),
    "java21": _lifecycle("2029-06-30", "2029-07-31", "2029-08-31", "java25"),
    "java25": _lifecycle("2029-06-30", "2029-07-31", "2029-08-31"),
    "nodejs": _lifecycle("2016-08-30", "2016-09-30", "2016-10-31", "nodejs24.x"),
    "nodejs4.3": _lifecycle("2020-03-05", "2020-02-03", "2020-03-05", "nodejs24.x"),
    "nodejs4.3-edge": _lifecycle("2020-03-05", "2019-03-31", "2019-04-30", "nodejs24.x"),
    "nodejs6.10": _lifecycle("2019-08-12", "2019-07-12", "2019-08-12", "nodejs24.x"),
    "nodejs8.10": _lifecycle("2020-03-06", "2020-02-04", "2020-03-06", "nodejs24.x"),
    # As AWS announced with Node.js 14; it put both days off later, to 2021-07-30 and 2022-02-14.
    "nodejs10.x": _lifecycle("2021-04-30", "2021-03-30", "2021-05-28", "nodejs24.x"),
    "nodejs12.x": _lifecycle("2023-03-31", "2023-03-31", "2023-04-30", "nodejs24.x"),
    "nodejs14.x": _lifecycle("2023-12-04", "2024-01-09", "2027-03-03", "nodejs24.x"),
    "nodejs16.x": _lifecycle("2024-06-12", "2027-02-01", "2027-03-03", "nodejs24.x"),
    "nodejs18.x": _lifecycle("2025-09-01", "2027-02-01", "2027-03-03", "nodejs24.x"),
    "nodejs20.x": _lifecycle("2026-04-30", "2027-02-01", "2027-03-03", "nodejs24.x"),
    "nodejs22.x": _lifecycle("2027-04-30", "2027-06-01", "2027-07-01", "nodejs24.x"),
    "nodejs24.x": _lifecycle("2028-04-30", "2028-06-01", "2028-07-01"),
    "provided": _lifecycle("2024-01-08", "2024-02-08", "2027-03-03", "provided.al2023"),
    "provided.al2": _lifecycle("2026-07-31", "2027-02-01", "2027-03-03", "provided.al2023"),
    "provided.al2023": _lifecycle("2029-06-30", "2029-07-31", "2029-08-31"),
    "python2.7": _lifecycle("2021-07-15", "2021-07-15", "2022-05-30", "python3.14"),
    "python3.6": _lifecycle("2022-07-18", "2022-07-18", "2022-08-29", "python3.14"),
    "python3.7": _lifecycle("2023-12-04", "2024-01-09", "2027-03-03", "python3.14"),
    "python3.8": _lifecycle("2024-10-14", "2027-02-01", "2027-03-03", "python3.14"),
    "python3.9": _lifecycle("2025-12-15", "2027-02-01", "2027-03-03", "python3.14"),
    "python3.10": _lifecycle("2026-10-31", "2027-02-01", "2027-03-03", "python3.14"),
    "python3.11": _lifecycle("2027-06-30", "2027-07-31", "2027-08-31", "python3.14"),
    "python3.12": _lifecycle("2028-10-31", "2028-11-30", "2029-01-10", "python3.14"),
    "python3.13": _lifecycle("2029-06-30", "2029-07-31", "2029-08-31", "python3.14"),
    "python3.14": _lifecycle("2029-06-30", "2029-07-31", "2029-08-31"),
    "ruby2.5": _lifecycle("2021-07-30", "2021-07-30", "2022-03-31", "ruby4.0"),
    "ruby2.7": _lifecycle("2023-12-07", "2024-01-09", "2027-03-03", "ruby4.0"),
    "ruby3.2": _lifecycle("2026-03-31", "2027-02-01", "2027-03-03", "ruby4.0"),
    "ruby3.3": _lifecycle("2027-03-31", "2027-04-30", "2027-05-31", "ruby4.0"),
    "ruby3.4": _lifecycle("2028-03-31", "2028-04-30", "2028-05-31", "ruby4.0"),
    "ruby4.0": _lifecycle("2029-03-31", "2029-04-30", "2029-05-31"),
}
"""AWS's table of October 2026. A runtime that isn't here is blocked on no day."""


def check_create(runtime: str, now_ms: int) -> None:
    """Raise InvalidParameterValueException where no function can be created with a runtime any more."""
    lifecycle = LIFECYCLES.get(runtime)
    if lifecycle is not None and _is_past(lifecycle.block_create, now_ms):
        raise _blocked(runtime, lifecycle)


def check_update(runtime: str, now_ms: int) -> None:
    """Raise InvalidParameterValueException where no function can be changed that has, or is to have, a runtime."""
    lifecycle = LIFECYCLES.get(runtime)
    if lifecycle is not None and _is_past(lifecycle.block_update, now_ms):
        raise _blocked(runtime, lifecycle)


def _is_past(day: date | None, now_ms: int) -> bool:
    return day is not None and datetime.fromtimestamp(now_ms / 1000, UTC).date() >= day


def _blocked(runtime: str, lifecycle: Lifecycle) -> Exception:
    use = f"the new runtime ({lifecycle.successor})" if lifecycle.successor else "a supported runtime"
    return invalid(
        f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. "
        f"We recommend you use {use} while creating or updating functions."
    )
