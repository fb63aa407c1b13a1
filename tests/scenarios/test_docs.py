"""The pages that users read: what they tell to type works, and gives what they show; their links lead somewhere.

A block whose first line is ```` ```console run ````, ```` ```python run ```` or ```` ```python test ```` is run. The
commands of a page share one shell, in a folder where a server's `cumulet-data` lies; after each, what it set off has
been done. `...` in what they print stands for anything. What a block that begins with ```` ```python file app.py ````
shows is in that folder too, as `app.py`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cumulet.testing import Cumulet

ROOT = Path(__file__).parents[2]
PAGES = {
    path.relative_to(ROOT).as_posix(): path for path in [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md"))]
}
BLOCK = re.compile(r"^```(console|python) (run|test)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^```\w+ file (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")
URL_IN_DOCS = "http://127.0.0.1:4566"
END = "-- end of command, exit code "


def blocks(kind: str, page: str) -> list[str]:
    """Return the blocks of a kind (`console run`) in a page."""
    found = BLOCK.findall(PAGES[page].read_text("utf-8"))
    return [text for language, purpose, text in found if f"{language} {purpose}" == kind]


def pages_with(kind: str) -> list[str]:
    return [page for page in PAGES if blocks(kind, page)]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Cumulet]:
    with Cumulet(tmp_path / "cumulet-data") as server:
        yield server


def run(command: list[str], server: Cumulet, folder: Path, text: str = "") -> subprocess.CompletedProcess[str]:
    environment = os.environ | server.environment()
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    return subprocess.run(
        command,
        input=text,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.parametrize("page", pages_with("console run"))
def test_commands_print_what_the_page_shows(page: str, server: Cumulet, tmp_path: Path) -> None:
    text = "".join(blocks("console run", page)).replace(URL_IN_DOCS, server.url)
    commands = COMMAND.findall(text)
    if any(command.startswith("curl ") for command, _ in commands) and shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    for name, content in FILE.findall(PAGES[page].read_text("utf-8")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, "utf-8")
    advance = f'from urllib.request import urlopen; urlopen("{server.url}/_cumulet/clock/advance", b"{{}}")'
    settle = f"'{sys.executable}' -c '{advance}'"
    script = "".join(f'{command}\ncode=$?\n{settle}\necho "{END}$code"\n' for command, _ in commands)

    answer = run(["bash"], server, tmp_path, script)

    printed = re.split(rf"^{END}(\d+)\n", answer.stdout, flags=re.MULTILINE)
    assert len(printed) == 2 * len(commands) + 1, answer.stdout
    for (command, shown), output, exit_code in zip(commands, printed[0::2], printed[1::2], strict=False):
        assert exit_code == "0", f"{command}\n{output}"
        assert matches(shown, output), f"{command}\nthe page shows:\n{shown}\nprinted:\n{output}"


def matches(shown: str, output: str) -> bool:
    """Is `output` what a page shows, where `...` stands for anything? A page may show nothing."""
    pattern = re.escape(shown.strip()).replace(re.escape("..."), ".*")
    return re.fullmatch(pattern, output.strip(), re.DOTALL) is not None


@pytest.mark.parametrize("page", pages_with("python run"))
def test_programs_run(page: str, server: Cumulet, tmp_path: Path) -> None:
    for program in blocks("python run", page):
        answer = run([sys.executable, "-W", "error", "-"], server, tmp_path, program.replace(URL_IN_DOCS, server.url))

        assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize("page", pages_with("python test"))
def test_tests_pass(page: str, server: Cumulet, tmp_path: Path) -> None:
    files = []
    for number, module in enumerate(blocks("python test", page)):
        files.append(tmp_path / f"test_block_{number}.py")
        files[-1].write_text(module, "utf-8")

    answer = run([sys.executable, "-m", "pytest", "-q", "-W", "error", *map(str, files)], server, tmp_path)

    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for target, anchor in LINK.findall(PAGES[page].read_text("utf-8")):
        path = PAGES[page].parent / target if target else PAGES[page]
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(path), f"{target}#{anchor}"


def anchors(path: Path) -> set[str]:
    """Return the anchors that a page's headings have."""
    headings = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def test_the_pages_are_seen() -> None:
    assert {
        "README.md",
        "docs/functions.md",
        "docs/functions-reference.md",
        "docs/operations.md",
        "docs/testing.md",
    } <= set(pages_with("console run"))
    assert not matches("one\n", "two\n")
    assert matches("up ...\n", "up 3 s\n")
