"""The demo end to end, as a newcomer runs it: findings on the screen, rows in the store, and nothing left running, however it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

pytestmark = [pytest.mark.faults, pytest.mark.kafka]
WITHIN_S = 90.0


def interplay(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "streams.cli", *arguments]


@contextmanager
def running(directory: Path) -> Iterator[subprocess.Popen[str]]:
    """The demo as a process; killed with the test if it does not end."""
    environment = {**os.environ, "NO_COLOR": "1"}
    command = interplay("demo", "--directory", str(directory))
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def ports(directory: Path) -> list[int]:
    """Every port that the demo was given."""
    settings = tomllib.loads((directory / "demo.toml").read_text())
    first = settings["worker"]["http_port"]
    addresses = (settings["kafka"]["bootstrap"], settings["clickhouse"]["serve"])
    return [*(int(address.rsplit(":", 1)[1]) for address in addresses), *range(first, first + 4)]


def open_ports(directory: Path) -> list[int]:
    def taken(port: int) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    return [port for port in ports(directory) if taken(port)]


def left_running(directory: Path) -> list[str]:
    """Command lines of processes that name the demo's directory."""
    return [line for _, line in processes() if str(directory) in line]


def wait_for_port(directory: Path, process: subprocess.Popen[str]) -> None:
    """Until the first part listens."""
    deadline = time.monotonic() + 20
    while not (directory / "demo.toml").exists() or not open_ports(directory):
        assert process.poll() is None and time.monotonic() < deadline, "the demo did not come to start its broker"
        time.sleep(0.05)


def test_the_demo_tells_what_happens_and_leaves_the_rows(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    began = time.monotonic()
    with running(directory) as process:
        out, errors = process.communicate(timeout=WITHIN_S + 30)
    assert process.returncode == 0, errors + out[-2000:]
    assert time.monotonic() - began < WITHIN_S
    assert "\033[" not in out
    assert "times faster" in out or "Accelerated" in out
    for marker in (">>> FOUND: thrashing", ">>> FOUND: intent_conflict", ">>> RESOLVED: "):
        assert marker in out
    assert re.search(r"^>>> (GROWS|EASES|CHANGES): ", out, re.MULTILINE)
    assert "router-r1 and router-r2 fight over route/orders share_a" in out

    sql = "SELECT pattern, argMax(status, revision) AS state FROM findings GROUP BY finding_id, pattern"
    command = interplay("query", "--config", str(directory / "demo.toml"), "--format", "json", sql)
    asked = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    rows = [json.loads(line) for line in asked.stdout.splitlines()]
    assert {"thrashing", "intent_conflict"} <= {row["pattern"] for row in rows}
    assert {row["state"] for row in rows} == {"resolved"}
    assert not open_ports(directory)
    assert not left_running(directory)


@pytest.mark.parametrize("after_s", [0.0, 6.0])
def test_ctrl_c_ends_all_parts(tmp_path: Path, after_s: float) -> None:
    directory = tmp_path / "demo"
    with running(directory) as process:
        wait_for_port(directory, process)
        time.sleep(after_s)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors.strip().splitlines() == ["interplay demo: interrupted; everything it started has ended"]
    assert not open_ports(directory)
    assert not left_running(directory)


def test_a_part_that_dies_is_one_clear_line_with_its_log(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    with running(directory) as process:
        wait_for_port(directory, process)
        broker = next(pid for pid, line in processes() if "tansu" in line and f":{ports(directory)[0]}" in line)
        os.kill(broker, signal.SIGKILL)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    lines = errors.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("interplay demo: ") and ".log" in lines[0]
    assert not open_ports(directory)
    assert not left_running(directory)


def processes() -> list[tuple[int, str]]:
    """Process ids and command lines."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended meanwhile
            found.append((int(entry.parent.name), entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")))
    return found
