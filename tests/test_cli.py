"""The program as its users run it: every command's help, its work, its exit codes, and errors as one clear line."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from clickhouse_connect.driver.exceptions import DatabaseError

from streams.broker import free_port
from streams.cli import COMMANDS, parser
from streams.cli.trouble import describe
from streams.settings import ClickHouse, Settings

ROOT = Path(__file__).parent.parent


def interplay(*arguments: str, cwd: Path, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the program in a directory of its own, without the settings of whoever runs the tests."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("INTERPLAY_")}
    return subprocess.run(
        [sys.executable, "-m", "streams.cli", *arguments],
        cwd=cwd,
        input=stdin,
        env={**clean, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def error_of(*arguments: str, cwd: Path, **environment: str) -> str:
    """The one line that a failing command says."""
    done = interplay(*arguments, cwd=cwd, **environment)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    (line,) = done.stderr.splitlines()
    return line


def test_help_names_every_command_and_each_helps_itself(tmp_path: Path) -> None:
    helped = interplay("--help", cwd=tmp_path)
    assert helped.returncode == 0
    for command in COMMANDS:
        assert f"{command.name} " in helped.stdout
        assert command.summary in " ".join(helped.stdout.split())
    assert "exit codes:" in helped.stdout


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_each_command_has_examples_and_exit_codes(command: str, tmp_path: Path) -> None:
    helped = interplay(command, "--help", cwd=tmp_path)
    assert helped.returncode == 0
    assert f"  interplay {command}" in helped.stdout
    assert "exit codes: 0 " in helped.stdout
    assert "--config FILE" in helped.stdout


@pytest.mark.parametrize("example", [example for command in COMMANDS for example in command.examples])
def test_every_example_of_the_help_is_a_command_line_that_is_understood(example: str) -> None:
    pieces = [piece for piece in re.split(r"[|<>]|&&", example) if "interplay " in piece]
    assert pieces
    for piece in pieces:
        words = shlex.split(piece)
        parsed, rest = parser().parse_known_args(words[words.index("interplay") + 1 :])
        assert hasattr(parsed, "command") and not rest


def test_version_and_bad_usage(tmp_path: Path) -> None:
    assert interplay("--version", cwd=tmp_path).stdout.startswith("interplay ")
    nothing = interplay(cwd=tmp_path)
    assert (nothing.returncode, nothing.stdout) == (2, "")
    assert "commands:" in nothing.stderr
    assert interplay("nonsense", cwd=tmp_path).returncode == 2
    assert interplay("analyze", cwd=tmp_path).returncode == 2
    assert "no role 'alarm'; choose from reduce, analyze, store, alert" in interplay("worker", "alarm", cwd=tmp_path).stderr
    wrong = interplay("analyze", "x", "--fail-on", "thrashing:grave", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "no severity 'grave'; choose from info, warning, error, critical" in wrong.stderr


def test_config_prints_what_holds_and_reads_back(tmp_path: Path) -> None:
    (tmp_path / "interplay.toml").write_text('[kafka]\nprefix = "mine"\nsasl_password = "tops3cret"\n')
    printed = interplay("config", cwd=tmp_path, INTERPLAY_ANALYSIS__WINDOW="10m")
    assert printed.returncode == 0
    assert "tops3cret" not in printed.stdout + printed.stderr
    (tmp_path / "again.toml").write_text(printed.stdout)
    (tmp_path / "interplay.toml").rename(tmp_path / "elsewhere.toml")
    again = interplay("--config", "again.toml", "config", "--changed", cwd=tmp_path)
    assert 'prefix = "mine"' in again.stdout
    (tmp_path / "elsewhere.toml").rename(tmp_path / "interplay.toml")
    changed = interplay("config", "--changed", cwd=tmp_path, INTERPLAY_ANALYSIS__WINDOW="10m")
    assert [" ".join(line.split()) for line in changed.stdout.splitlines()] == [
        "[kafka]",
        'prefix = "mine" # interplay.toml',
        'sasl_password = "******" # interplay.toml',
        "",
        "[analysis]",
        'window = "10m" # INTERPLAY_ANALYSIS__WINDOW',
    ]


def test_mistakes_in_settings_are_told_all_at_once_by_every_command_that_reads_them(tmp_path: Path) -> None:
    (tmp_path / "interplay.toml").write_text('[kafka]\nprefx = "p"\npoll_records = "many"\n')
    for arguments in (("config",), ("status",), ("init",), ("worker",), ("query", "SELECT 1"), ("analyze", "-")):
        done = interplay(*arguments, cwd=tmp_path)
        assert done.returncode == 2
        assert done.stderr.splitlines() == [
            f"interplay {arguments[0]}: interplay.toml: kafka.prefx: no such setting; did you mean kafka.prefix?",
            f"interplay {arguments[0]}: interplay.toml: kafka.poll_records: must be a whole number, not 'many'",
        ]
    (tmp_path / "interplay.toml").write_text("[kafka\n")
    assert error_of("config", cwd=tmp_path).startswith("interplay config: interplay.toml: not valid TOML: ")
    assert error_of("config", "--config", "none.toml", cwd=tmp_path) == (
        "interplay config: none.toml: cannot be read: No such file or directory"
    )


@pytest.mark.parametrize("arguments", [("status",), ("init",), ("worker", "reduce")])
def test_kafka_that_is_down_is_one_line(arguments: tuple[str, ...], tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    line = error_of(*arguments, cwd=tmp_path, INTERPLAY_KAFKA__BOOTSTRAP=address)
    advice = "is it running, and are kafka.bootstrap and kafka.security right?"
    assert line == f"interplay {' '.join(arguments)}: Kafka at {address} does not answer: {advice}"


def test_what_a_command_does_not_know_is_told_with_that_commands_usage(tmp_path: Path) -> None:
    extra = interplay("init", "extra", cwd=tmp_path)
    assert extra.returncode == 2 and extra.stderr.startswith("usage: interplay init ")
    assert extra.stderr.endswith("interplay init: error: unrecognized arguments: extra\n")
    nothing = interplay("--nothing", cwd=tmp_path)
    assert nothing.returncode == 2 and nothing.stderr.endswith("interplay: error: unrecognized arguments: --nothing\n")


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    done = interplay("--debug", "status", cwd=tmp_path, INTERPLAY_KAFKA__BOOTSTRAP=f"127.0.0.1:{free_port()}")
    assert done.returncode == 2
    assert "Traceback (most recent call last)" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("interplay status: Kafka at 127.0.0.1:")


def test_a_store_that_is_down_is_one_line(tmp_path: Path) -> None:
    port = str(free_port())
    line = error_of("query", "SELECT 1", cwd=tmp_path, INTERPLAY_CLICKHOUSE__PORT=port)
    assert f"ClickHouse at 127.0.0.1:{port} does not answer" in line


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "HTTPDriver for http://ch:8123 received ClickHouse error code 516\n Code: 516. DB::Exception: default: Authentication failed: "
            "password is incorrect, or there is no user with such name. (AUTHENTICATION_FAILED) (version 26.9.1)",
            "ClickHouse at ch:8123 refuses user 'default': check clickhouse.username and clickhouse.password",
        ),
        (
            "Code: 60. DB::Exception: Unknown table expression identifier 'findings'. (UNKNOWN_TABLE) (version 26.9.1)",
            "ClickHouse at ch:8123: Code: 60. DB::Exception: Unknown table expression identifier 'findings'. (UNKNOWN_TABLE); "
            "has interplay init been run?",
        ),
        ("Code: 62. DB::Exception: Syntax error. (version 1)", "ClickHouse at ch:8123: Code: 62. DB::Exception: Syntax error."),
    ],
)
def test_what_clickhouse_says_becomes_one_line(said: str, told: str) -> None:
    assert describe(DatabaseError(said), Settings(clickhouse=ClickHouse(host="ch"))) == told


@pytest.mark.kafka
def test_init_is_safe_to_repeat_and_refuses_what_cannot_work(kafka: str, tmp_path: Path) -> None:
    environment = {
        "INTERPLAY_KAFKA__BOOTSTRAP": kafka,
        "INTERPLAY_KAFKA__PREFIX": "cli-init",
        "INTERPLAY_CLICKHOUSE__PATH": str(tmp_path / "store"),
    }
    first = interplay("init", cwd=tmp_path, **environment)
    assert first.returncode == 0, first.stderr
    assert "topic cli-init.signals created" in first.stdout
    again = interplay("init", cwd=tmp_path, **environment)
    assert again.returncode == 0, again.stderr
    assert "topic cli-init.signals is there" in again.stdout
    asyncio.run(create_topic(kafka, "cli-wrong.findings", 1))
    wrong = interplay("init", cwd=tmp_path, **{**environment, "INTERPLAY_KAFKA__PREFIX": "cli-wrong"})
    assert wrong.returncode == 2 and "topic cli-wrong.signals created" in wrong.stdout
    first_line = wrong.stderr.splitlines()[0]  # Apache Kafka has more to find wrong with it, a line each
    assert (
        first_line == "interplay init: topic cli-wrong.findings has 1 partition and signals has 4: they must be equal; recreate it"
    )
    told = interplay("status", cwd=tmp_path, **environment)
    assert told.returncode in (0, 1)
    assert "Why it found nothing: no agent's action has arrived" in told.stdout


async def create_topic(bootstrap: str, name: str, partitions: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name, partitions, 1)])
    await admin.close()


def test_a_missing_extra_says_what_to_install() -> None:
    error = ModuleNotFoundError("No module named 'chdb'", name="chdb")
    assert (
        describe(error, Settings())
        == "this needs chdb, which is not installed: pip install '.[embedded]' in the checkout of interplay"
    )


def test_an_error_nobody_expected_is_one_line_too() -> None:
    assert describe(ZeroDivisionError("a\nb"), Settings()) == "ZeroDivisionError: a b (--debug shows where)"


def test_closed_streams_and_a_full_disk_are_no_tracebacks(tmp_path: Path) -> None:
    def shell(arguments: str) -> tuple[int, str, str]:
        command = f'exec "{sys.executable}" -m streams.cli {arguments}'
        clean = {name: value for name, value in os.environ.items() if not name.startswith("INTERPLAY_")} | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(["sh", "-c", command], cwd=tmp_path, env=clean, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    trace = ROOT / "examples" / "incident.trace"
    assert shell("analyze - <&-") == (2, "", "interplay analyze: -: there is no event to analyse\n")
    assert shell(f"analyze {trace} --fail-on any >&-") == (1, "", "")
    assert shell("analyze nothing.jsonl 2>&-") == (2, "", "")
    assert shell("config > /dev/full") == (2, "", "interplay config: cannot write: No space left on device\n")


def test_files_that_are_not_what_they_seem_say_what_would_be(tmp_path: Path) -> None:
    (tmp_path / "array.json").write_text('[{"specversion": "1.0"}]')
    (tmp_path / "text.jsonl").write_text("02:17:00 a@b#1 set r p 1 -> 2\n")
    (tmp_path / "json.trace").write_text("{}\n")
    (tmp_path / "empty.jsonl").write_text("\n")
    assert "; one object per line, no array: jq -c '.[]' FILE" in interplay("validate", "array.json", cwd=tmp_path).stdout
    assert interplay("analyze", "text.jsonl", cwd=tmp_path).stderr.endswith(
        " (text is read only from *.trace, or with --source trace)\n"
    )
    assert interplay("analyze", "json.trace", cwd=tmp_path).stderr.endswith(" (*.trace is read as text, not JSON)\n")
    assert error_of("validate", "empty.jsonl", cwd=tmp_path) == "interplay validate: empty.jsonl: there is no event to check"


def test_a_log_with_text_before_its_json_or_without_its_end_says_how_to_read_it(tmp_path: Path) -> None:
    data = {"agent": "a", "verb": "scale", "parameter": "n", "new": 1}
    event = {"specversion": "1.0", "id": "1", "source": "s", "type": "interplay.action.v1", "subject": "r", "data": data}
    line = json.dumps({**event, "time": "2026-11-24T10:00:00Z"}) + "\n"
    (tmp_path / "shipped.log").write_text(f"events.log: {line}" * 3)
    (told,) = [line for line in interplay("analyze", "shipped.log", cwd=tmp_path).stderr.splitlines() if "text before" in line]
    assert told.endswith("text before the JSON of a line: sed 's/^[^{]*//' shipped.log | interplay analyze -")
    advised = shlex.split(told.partition("of a line: ")[2].partition(" | ")[0])
    whole = subprocess.run(advised, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "0 findings in 3 events" in interplay("analyze", "-", cwd=tmp_path, stdin=whole).stdout
    (tmp_path / "cut.log.gz").write_bytes(gzip.compress(line.encode() * 999)[:-9])
    assert "to read what is whole of it: zcat cut.log.gz, piped" in error_of("analyze", "cut.log.gz", cwd=tmp_path)


def test_json_of_other_programs_says_what_would_read_it(tmp_path: Path) -> None:
    (tmp_path / "hooks.jsonl").write_text('{"name": "cart"}\n')
    wrong, counted = interplay("analyze", "hooks.jsonl", "--source", "otlp", cwd=tmp_path).stderr.splitlines()[-2:]
    assert wrong.endswith("the only line is bad; without --source otlp it is recognised by its content")
    assert counted == "interplay analyze: otlp: 0 spans, log records and metrics."
    rule = '[[map]]\nname = "a"\ntype = "ignore"\nwhen = [{ path = "nme", exists = true }]\n'
    (tmp_path / "interplay.toml").write_text(rule)
    assert interplay("analyze", "hooks.jsonl", cwd=tmp_path).stderr.endswith(
        "; no [[map]] rule of the settings applies: interplay map test says why\n"
    )
    (tmp_path / "interplay.toml").write_text(rule.replace("nme", "name"))
    for source in ((), ("--source", "json")):
        done = interplay("analyze", "hooks.jsonl", *source, cwd=tmp_path)
        assert done.returncode == 0 and "json: 0 records that became events; passed over: ignored 1." in done.stdout


def test_schemas_are_json(tmp_path: Path) -> None:
    printed = interplay("schema", cwd=tmp_path)
    assert printed.returncode == 0
    for name, schema in json.loads(printed.stdout).items():
        alone = interplay("schema", name, cwd=tmp_path)
        assert json.loads(alone.stdout) == schema
