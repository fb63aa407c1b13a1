"""What the demo tells a person: a line for each step, bars while it works, and a table of what was checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text


class Bars:
    """How far producers and consumers are."""

    def __init__(self, progress: Progress, messages: int) -> None:
        self._progress = progress
        self._sent = progress.add_task("sent", total=messages)
        self._worked_off = progress.add_task("worked off", total=messages)

    def update(self, sent: int, worked_off: int) -> None:
        """Show these numbers."""
        self._progress.update(self._sent, completed=sent)
        self._progress.update(self._worked_off, completed=worked_off)


class Report:
    """Collects what was checked. Plain text where the output is no terminal."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        box = SIMPLE_HEAD if self._console.is_terminal else None
        self._table = Table(box=box, pad_edge=False, padding=(0, 2, 0, 0))
        self._table.add_column("what was checked", no_wrap=True)
        self._table.add_column("seen", no_wrap=True, justify="right")
        self._table.add_column("", no_wrap=True)
        self._started = perf_counter()
        self.all_well = True

    def say(self, text: str) -> None:
        """Tell what happens now."""
        self._console.print(f"[dim]{perf_counter() - self._started:5.1f} s[/dim]  {text}", soft_wrap=True)

    def quote(self, line: str) -> None:
        """Show a line that another program has printed; one that is too long for the terminal goes on below."""
        margin = "         │ "
        parts = (
            Text(line).wrap(self._console, self._console.width - len(margin)) if self._console.is_terminal else [line]
        )
        for part in parts:
            self._console.print(Text.assemble(margin, part), soft_wrap=True)

    @contextmanager
    def progress(self, messages: int) -> Iterator[Bars]:
        """Show bars as long as the block runs; none where the output is no terminal."""
        columns = (TextColumn("         {task.description:<10}"), BarColumn(), MofNCompleteColumn())
        disable = not self._console.is_terminal
        with Progress(*columns, console=self._console, transient=True, disable=disable) as progress:
            yield Bars(progress, messages)

    def check(self, what: str, seen: object, is_well: bool) -> None:
        """Add a line that must hold."""
        self.all_well &= is_well
        self._table.add_row(what, str(seen), "[green]ok[/green]" if is_well else "[bold red]FAILED[/bold red]")

    def note(self, what: str, seen: object) -> None:
        """Add a line that only tells."""
        self._table.add_row(f"[dim]{what}[/dim]", f"[dim]{seen}[/dim]", "")

    def show(self) -> None:
        """Print the table and the verdict."""
        self._console.print()
        self._console.print(self._table)
        if not self._console.is_terminal:
            self._console.print()
        verdict = "[green]All of it holds.[/green]" if self.all_well else "[bold red]Not all of it holds.[/bold red]"
        self._console.print(f"{verdict} {perf_counter() - self._started:.0f} s in all.")
