"""`cumulet invoke` and `cumulet logs` as a person uses them."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from lambda_functions import create
from test_cli import CUMULET, assert_one_line, run

from cumulet.testing import Cumulet

TELLER = """
import sys
def handler(event, context):
    print("told", event.get("word"))
    if event.get("fails"):
        raise ValueError("as it was told to")
    return {"heard": event}
"""
EVENT = re.compile(r"(\S+Z) (?:(\S+) +)?told (\S+)")


class Shell:
    """A terminal of one account's user, in a folder of its own."""

    def __init__(self, cumulet: Cumulet, folder: Path) -> None:
        self.cumulet = cumulet
        self.folder = folder
        self.variables = cumulet.environment() | {"HOME": str(folder)}

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return run(*arguments, folder=self.folder, **{**self.variables, **variables})

    def told(self, *arguments: str) -> list[str]:
        """Return the words that `cumulet logs` shows."""
        done = self.run("logs", *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        return [word for _, _, word in EVENT.findall(done.stdout)]

    @contextmanager
    def following(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Follow the log; the process is interrupted at the end, as by Ctrl-C."""
        heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a shell's background jobs ignore it
        with subprocess.Popen(
            [str(CUMULET), "logs", "-f", *arguments],
            cwd=self.folder,
            env=os.environ | self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=heed,
        ) as process:
            give_up = threading.Timer(60, process.kill)
            give_up.start()
            try:
                yield process
            finally:
                give_up.cancel()
                process.kill()

    def on_terminal(self, *arguments: str) -> str:
        """Return what a command shows on a terminal, in colours."""
        ours, its = pty.openpty()
        variables = {**os.environ, **self.variables, "TERM": "xterm-256color", "COLUMNS": "500"}
        with subprocess.Popen(
            [str(CUMULET), *arguments], cwd=self.folder, env=variables, stdin=its, stdout=its, stderr=its
        ):
            os.close(its)
            shown = b"".join(iter(partial(_read, ours), b""))
        os.close(ours)
        return shown.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # nobody has the other side open any more
        return b""


def next_words(process: subprocess.Popen[str], count: int) -> list[str]:
    """Wait until a followed log has shown so many words."""
    assert process.stdout is not None
    words: list[str] = []
    while len(words) < count:
        line = process.stdout.readline()
        assert line, words
        words += [word for _, _, word in EVENT.findall(line)]
    return words


def interrupt(process: subprocess.Popen[str]) -> tuple[int, list[str], str]:
    """Press Ctrl-C; return the exit code, the words that were still shown, and what was said beside."""
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=20)
    return process.returncode, [word for _, _, word in EVENT.findall(rest)], errors


@pytest.fixture
def shell(cumulet: Cumulet, tmp_path: Path) -> Shell:
    return Shell(cumulet, tmp_path)


@pytest.fixture
def teller(shell: Shell) -> str:
    return create(shell.cumulet, "teller", source=TELLER)["FunctionName"]


def tell(shell: Shell, *words: str, function: str = "teller", **event: Any) -> None:
    client = shell.cumulet.client("lambda")
    for word in words:
        client.invoke(FunctionName=function, Payload=json.dumps({"word": word, **event}))


# cumulet invoke


def test_invoke_prints_the_answer_and_the_log_beside_it(shell: Shell, teller: str) -> None:
    done = shell.run("invoke", teller, "--event", '{"word": "ä"}')

    assert (done.returncode, json.loads(done.stdout)) == (0, {"heard": {"word": "ä"}})
    assert re.fullmatch(r"START RequestId: [^\n]+\ntold ä\nEND [^\n]+\nREPORT [^\n]+\n", done.stderr)


def test_invoke_without_an_event_sends_an_empty_one(shell: Shell, teller: str) -> None:
    assert json.loads(shell.run("invoke", teller).stdout) == {"heard": {}}


@pytest.mark.parametrize("flag", ["-q", "--quiet"])
def test_invoke_can_be_quiet(shell: Shell, teller: str, flag: str) -> None:
    done = shell.run("invoke", teller, flag)

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"heard": {}}


def test_invoke_does_not_wait_for_an_asynchronous_event(shell: Shell, teller: str) -> None:
    done = shell.run("invoke", teller, "--async", "--event", '{"word": "later"}')
    shell.cumulet.advance(seconds=0)

    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"accepted as [0-9a-f-]{36}\n", done.stdout)
    assert shell.told(teller) == ["later"]


def test_invoke_takes_an_arn(shell: Shell) -> None:
    arn = create(shell.cumulet, source=TELLER)["FunctionArn"]

    assert json.loads(shell.run("invoke", arn, "-q").stdout) == {"heard": {}}


def test_invoke_of_a_function_that_fails_is_exit_code_1(shell: Shell, teller: str) -> None:
    done = shell.run("invoke", teller, "--event", '{"fails": true}')

    assert (done.returncode, json.loads(done.stdout)["errorMessage"]) == (1, "as it was told to")
    assert "[ERROR] ValueError: as it was told to\nTraceback (most recent call last):\n" in done.stderr


def test_invoke_reads_the_event_from_a_file(shell: Shell, teller: str) -> None:
    (shell.folder / "event.json").write_text('{"from": "a file"}\n')

    done = shell.run("invoke", teller, "-q", "--event", "@event.json")

    assert json.loads(done.stdout) == {"heard": {"from": "a file"}}


def test_invoke_reads_the_event_from_its_input(shell: Shell, teller: str) -> None:
    done = subprocess.run(
        [str(CUMULET), "invoke", teller, "-q", "--event", "-"],
        input=b'{"from": "a pipe"}',
        env=os.environ | shell.variables,
        capture_output=True,
        timeout=20,
        check=True,
    )

    assert json.loads(done.stdout) == {"heard": {"from": "a pipe"}}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nobody",), 1, ("Function not found: arn:aws:lambda:", ":function:nobody")),
        (("no/function",), 1, ("no/function",)),
        (("teller", "--event", "{word"), 2, ("event is no JSON", "line 1 column 2")),
        (("teller", "--event", "@none.json"), 1, ("can't read the event from none.json", "No such file")),
        (("teller", "--event", "@."), 1, ("can't read the event from .", "directory")),
        (("teller", "--url", "http://127.0.0.1:1"), 3, ("no Cumulet answers at http://127.0.0.1:1",)),
        (("teller", "--url", "nonsense"), 3, ("no Cumulet answers at nonsense",)),
        (("teller", "--region", "no region"), 1, ("no region",)),
    ],
)
def test_what_invoke_can_not_do_is_one_line(
    shell: Shell, teller: str, arguments: tuple[str, ...], code: int, words: tuple[str, ...]
) -> None:
    assert_one_line(shell.run("invoke", *arguments), code, *words)


def test_invoke_says_why_a_function_is_throttled(shell: Shell, teller: str) -> None:
    shell.cumulet.client("lambda").put_function_concurrency(FunctionName=teller, ReservedConcurrentExecutions=0)

    done = shell.run("invoke", teller)

    assert_one_line(done, 1, "Rate Exceeded. (ReservedFunctionConcurrentInvocationLimitExceeded)")


def test_commands_without_credentials_are_the_default_accounts(cumulet: Cumulet, tmp_path: Path) -> None:
    default = cumulet.as_account("000000000000")
    name = create(default, f"teller-{cumulet.account}", source=TELLER)["FunctionName"]

    done = run("invoke", name, "-q", "--url", cumulet.url, folder=tmp_path, HOME=str(tmp_path))

    assert json.loads(done.stdout) == {"heard": {}}


def test_credentials_of_the_users_files_are_used(shell: Shell, teller: str) -> None:
    (shell.folder / "credentials").write_text(
        f"[shop]\naws_access_key_id = {shell.cumulet.account}\naws_secret_access_key = x\n"
    )
    files = {"AWS_SHARED_CREDENTIALS_FILE": str(shell.folder / "credentials"), "AWS_PROFILE": "shop"}

    done = run("invoke", teller, "-q", "--url", shell.cumulet.url, folder=shell.folder, **files)

    assert json.loads(done.stdout) == {"heard": {}}


def test_a_profile_that_does_not_exist_is_one_line(shell: Shell, teller: str) -> None:
    assert_one_line(shell.run("invoke", teller, AWS_PROFILE="none"), 1, "profile", "none")


def test_invoke_is_laid_out_for_a_terminal(shell: Shell, teller: str) -> None:
    shown = shell.on_terminal("invoke", teller, "--event", '{"word": "x"}')

    assert "\x1b[2mSTART RequestId: " in shown  # dim
    assert re.sub(r"\x1b\[[0-9;]*m", "", shown).endswith('{\n  "heard": {\n    "word": "x"\n  }\n}\n')


def test_the_platforms_own_json_lines_stand_back_unless_they_tell_of_a_failure(shell: Shell) -> None:
    create(shell.cumulet, "teller", source=TELLER, LoggingConfig={"LogFormat": "JSON", "SystemLogLevel": "INFO"})

    well = shell.on_terminal("invoke", "teller")
    failed = shell.on_terminal("invoke", "teller", "--event", '{"fails": true}')

    assert re.search(r'\x1b\[2m{"time":"[^"]*","type":"platform.report"', well)  # dim
    assert re.search(r'\x1b\[31m{"time":"[^"]*","type":"platform.report"', failed)  # red


# cumulet logs


BYTES = """
def handler(event, context):
    return b"\\xff no JSON"
"""


def test_invoke_prints_an_answer_that_is_no_text_as_it_is(shell: Shell) -> None:
    create(shell.cumulet, "bytes", BYTES)

    result = subprocess.run(
        [str(CUMULET), "invoke", "bytes", "--quiet"], env=os.environ | shell.variables, capture_output=True, check=False
    )

    assert (result.returncode, result.stdout, result.stderr) == (0, b"\xff no JSON\n", b"")


def test_invoke_shows_an_answer_that_is_no_json_on_a_terminal(shell: Shell) -> None:
    create(shell.cumulet, "text", BYTES.replace("\\xff ", ""))

    assert shell.on_terminal("invoke", "text", "--quiet") == "no JSON\n"


def test_invoke_takes_all_that_json_allows(shell: Shell, teller: str) -> None:
    result = shell.run("invoke", "--quiet", teller, "--event", r'{"words": [], "half": "\ud83d"}')

    assert result.returncode == 0, result.stderr


def test_logs_show_one_function(shell: Shell, teller: str) -> None:
    create(shell.cumulet, "other", source=TELLER)
    tell(shell, "one", "two")
    tell(shell, "three", function="other")

    assert shell.told("teller") == ["one", "two"]


def test_logs_show_all_functions_by_name(shell: Shell, teller: str) -> None:
    create(shell.cumulet, "other", source=TELLER)
    tell(shell, "one")
    tell(shell, "two", function="other")
    tell(shell, "three")

    shown = EVENT.findall(shell.run("logs").stdout)

    assert [(name, word) for _, name, word in shown] == [("teller", "one"), ("other", "two"), ("teller", "three")]


@pytest.mark.parametrize("form", ["/aws/lambda/teller", "{arn}", "{arn}:$LATEST"])
def test_logs_can_be_named_in_other_ways(shell: Shell, teller: str, form: str) -> None:
    tell(shell, "one")
    arn = f"arn:aws:lambda:us-east-1:{shell.cumulet.account}:function:teller"

    assert shell.told(form.format(arn=arn)) == ["one"]


def test_logs_of_a_function_with_a_group_of_its_choice(shell: Shell) -> None:
    create(shell.cumulet, "teller", source=TELLER, LoggingConfig={"LogGroup": "shop/production"})
    tell(shell, "one")

    assert shell.told("teller") == ["one"]
    assert shell.told("shop/production") == ["one"]


def test_logs_outlive_their_function(shell: Shell, teller: str) -> None:
    tell(shell, "one")
    shell.cumulet.client("lambda").delete_function(FunctionName="teller")

    assert shell.told("teller") == ["one"]


def test_logs_of_any_group(shell: Shell) -> None:
    logs = shell.cumulet.client("logs")
    logs.create_log_group(logGroupName="/shop/audit")
    logs.create_log_stream(logGroupName="/shop/audit", logStreamName="s")
    event = {"timestamp": shell.cumulet.now_ms(), "message": "told one\nand more"}
    logs.put_log_events(logGroupName="/shop/audit", logStreamName="s", logEvents=[event])

    done = shell.run("logs", "/shop/audit")

    assert re.fullmatch(r"(\S+Z )told one\n( +)and more\n", done.stdout)
    assert len({line.index(word) for line, word in zip(done.stdout.splitlines(), ("told", "and"), strict=True)}) == 1


def test_logs_begin_where_they_are_told_to(shell: Shell, teller: str) -> None:
    tell(shell, "old")
    shell.cumulet.advance(minutes=11)
    tell(shell, "new")

    assert shell.told("teller") == ["new"]
    assert shell.told("teller", "--since", "1h") == ["old", "new"]


def test_logs_are_filtered(shell: Shell, teller: str) -> None:
    tell(shell, "one", "two", "three")

    assert shell.told("teller", "--filter", "?one ?three") == ["one", "three"]


def test_logs_are_printed_as_they_are_for_programs(shell: Shell, teller: str) -> None:
    tell(shell, "one")

    [line] = [json.loads(line) for line in shell.run("logs", "--json", "--filter", "told").stdout.splitlines()]

    stream = line.pop("logStreamName")
    event_id = line.pop("eventId")
    now_ms = shell.cumulet.now_ms()
    assert line == {
        "logGroupName": "/aws/lambda/teller",
        "timestamp": now_ms,
        "ingestionTime": now_ms,
        "message": "told one\n",
    }
    assert stream
    assert re.fullmatch("[0-9]{56}", event_id)


@pytest.mark.parametrize("arguments", [(), ("teller",), ("teller", "--since", "1d")])
def test_nothing_logged_is_said(shell: Shell, teller: str, arguments: tuple[str, ...]) -> None:
    done = shell.run("logs", *arguments)

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"cumulet: nothing logged in the last {'1d' if '1d' in arguments else '10m'}\n"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nobody",), 1, ("there is no function or log group nobody in us-east-1",)),
        (("nobody", "-f"), 1, ("there is no function or log group nobody",)),
        (("/aws/lambda/nobody",), 1, ("there is no function or log group /aws/lambda/nobody",)),
        (("--since", "yesterday"), 2, ("--since", "30s, 10m, 2h or 1d", "yesterday")),
        (("--since", "10"), 2, ("--since", "10")),
        (("--since", "-1m"), 2, ("--since", "-1m")),
        (("teller", "--filter", "{"), 1, ("filter pattern",)),
        (("--url", "http://127.0.0.1:1"), 3, ("no Cumulet answers at http://127.0.0.1:1",)),
        (("--url", "nonsense"), 3, ("no Cumulet answers at nonsense",)),
    ],
)
def test_what_logs_can_not_do_is_one_line(
    shell: Shell, teller: str, arguments: tuple[str, ...], code: int, words: tuple[str, ...]
) -> None:
    tell(shell, "one")

    assert_one_line(shell.run("logs", *arguments), code, *words)


def test_following_shows_what_comes_until_ctrl_c(shell: Shell, teller: str) -> None:
    tell(shell, "before")

    with shell.following("teller") as process:
        first = next_words(process, 1)
        tell(shell, "one", "two")
        later = next_words(process, 2)
        code, rest, errors = interrupt(process)

    assert (first, later, rest) == (["before"], ["one", "two"], [])
    assert (code, errors) == (130, "")


def test_following_waits_for_the_first_line_of_a_function(shell: Shell, teller: str) -> None:
    with shell.following("teller") as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        tell(shell, "one")
        words = next_words(process, 1)
        code, _, errors = interrupt(process)

    assert said == "cumulet: nothing logged in the last 10m, waiting\n"
    assert (words, code, errors) == (["one"], 130, "")


def test_following_all_functions_shows_those_that_are_made_later(shell: Shell, teller: str) -> None:
    tell(shell, "one")

    with shell.following() as process:
        first = next_words(process, 1)
        create(shell.cumulet, "other", source=TELLER)
        tell(shell, "two", function="other")
        second = next_words(process, 1)
        interrupt(process)

    assert (first, second) == (["one"], ["two"])


def test_following_shows_each_line_once_while_the_clock_stands_still(shell: Shell, teller: str) -> None:
    with shell.following("teller") as process:
        expected = [str(number) for number in range(12)]
        shown: list[str] = []
        for first in range(0, 12, 3):
            tell(shell, *expected[first : first + 3])
            shown += next_words(process, 3)
        shell.cumulet.advance(days=1)
        tell(shell, "last")
        shown += next_words(process, 1)
        _, rest, _ = interrupt(process)

    assert Counter(shown + rest) == dict.fromkeys([*expected, "last"], 1)


def test_following_ends_with_the_server(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data") as server:
        create(server, "teller", source=TELLER)
        shell = Shell(server, tmp_path)
        tell(shell, "one")
        with shell.following() as process:
            next_words(process, 1)
            server.kill()
            _, errors = process.communicate(timeout=20)

    assert (process.returncode, errors) == (
        3,
        f"cumulet: no Cumulet answers at {shell.variables['AWS_ENDPOINT_URL']}. "
        "Start one: cumulet start; or name another: --url URL\n",
    )


def test_a_pipe_that_ends_early_is_no_error(shell: Shell, teller: str) -> None:
    tell(shell, *"abcdefgh")

    done = subprocess.run(
        ["bash", "-c", f"{CUMULET} logs | head -1"],
        env=os.environ | shell.variables,
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )

    assert (done.stdout.count("\n"), done.stderr) == (1, "")


def test_logs_are_laid_out_for_a_terminal(shell: Shell, teller: str) -> None:
    create(shell.cumulet, "other-function", source=TELLER)
    tell(shell, "one")
    tell(shell, "two", function="other-function", fails=True)

    shown = shell.on_terminal("logs")

    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
    assert re.fullmatch(r"\w+day, \d{4}-\d\d-\d\d \(UTC\)", plain[0])
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} teller INIT_START .*", plain[1])
    begin = next(line for line in plain if line.endswith("other-function told two"))
    traceback = plain[plain.index(begin) + 1 : plain.index(begin) + 3]
    assert traceback[0].endswith(" other-function [ERROR] ValueError: as it was told to")
    assert traceback[1].index("Traceback") == traceback[0].index("[ERROR]")
    assert "\x1b[31m[ERROR]" in shown  # red
    assert "\x1b[2mEND RequestId" in shown  # dim
