"""Writes docs/coverage.md: which operations of which service work. `make coverage` runs it, a test compares.

What is there is read from the services' classes, what AWS has from the models that requests are decoded with.
"""

from __future__ import annotations

from pathlib import Path

from botocore import xform_name

from cumulet.gateway.services import ALL
from cumulet.services.service import Service
from cumulet.wire.service import load

PAGE = Path(__file__).with_name("coverage.md")
HEAD = """# What works

This page is made by `make coverage` from the code and from AWS's service models; don't edit it.
An operation that is missing is answered with HTTP 501 and an error that names it: nothing succeeds silently.

| service | protocols | operations that work |
|---|---|---|
"""


def page() -> str:
    """Return the page's text."""
    services = sorted(ALL, key=lambda service: service.name)
    rows = (
        f"| [{service.name}](#{service.name}) | {', '.join(load(service.name).facts.protocols)} "
        f"| {len(working(service))} of {len(load(service.name).operation_names)} |\n"
        for service in services
    )
    return HEAD + "".join(rows) + "".join(_section(service) for service in services)


def working(service: type[Service]) -> list[str]:
    """Return the operations that a service has a method for."""
    return [name for name in sorted(load(service.name).operation_names) if hasattr(service, xform_name(name))]


def _section(service: type[Service]) -> str:
    works = working(service)
    missing = sorted(load(service.name).operation_names - set(works))
    text = f"\n## {service.name}\n\n{load(service.name).model.metadata['serviceFullName']}\n\n"
    text += "".join(f"- [x] {name}\n" for name in works)
    return text + "".join(f"- [ ] {name}\n" for name in missing)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print(f"{PAGE.relative_to(Path.cwd()) if PAGE.is_relative_to(Path.cwd()) else PAGE} is up to date")
