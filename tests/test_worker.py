"""Workers as processes: how they start, end, and say why they cannot. Roles themselves: tests/test_end_to_end.py, test_faults.py."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from live_path import LivePath, clean_environment, until, write_settings
from msgspec.structs import replace

from streams.broker import free_port
from streams.settings import ROLES, Settings
from streams.worker import AWAY, run_role, run_roles

pytestmark = pytest.mark.kafka


def children(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout
    return [int(line) for line in found.split()]


class Several:
    """`interplay worker ROLE ROLE`: one process that starts others."""

    def __init__(self, path: LivePath, *roles: str) -> None:
        self.log = path.directory / "several.log"
        config = path.directory / "several.toml"
        placed = replace(path.settings.worker, http_port=20_000 + os.getpid() % 20_000, data_dir=str(path.directory / "several"))
        self.settings = replace(path.settings, worker=placed)
        write_settings(self.settings, config)
        command = [sys.executable, "-m", "streams.cli", "worker", *roles, "--config", str(config)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=clean_environment(path.settings))

    def ready(self) -> bool:
        return self.log.read_text().count("/metrics and /health on") == 2


def roles_of(several: Several) -> list[int]:
    """The processes of the roles: multiprocessing has one of its own beside them."""
    return [pid for pid in children(several.process.pid) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_sigterm_ends_all_roles_and_one_that_dies_ends_the_others(kafka_settings: Settings, tmp_path: Path) -> None:
    with LivePath(kafka_settings, tmp_path) as path:
        several = Several(path, "reduce", "analyze")
        until(several.ready, "both roles run", 60)
        several.process.send_signal(signal.SIGTERM)
        assert several.process.wait(60) == 0, several.log.read_text()
        several = Several(path, "reduce", "analyze")
        until(several.ready, "both roles run", 60)
        pids = roles_of(several)
        assert len(pids) == 2
        os.kill(pids[0], signal.SIGKILL)
        assert several.process.wait(30) == 1
        assert "has ended with exit code -9; ending the others" in several.log.read_text()
        assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_roles_end_when_the_process_that_started_them_is_killed(kafka_settings: Settings, tmp_path: Path) -> None:
    with LivePath(kafka_settings, tmp_path) as path:
        several = Several(path, "reduce", "analyze")
        until(several.ready, "both roles run", 60)
        pids = roles_of(several)
        several.process.kill()
        several.process.wait()
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "the roles end", 60)


def refused(settings: Settings, capfd: pytest.CaptureFixture[str]) -> str:
    """The line of a worker that cannot start."""
    assert run_role(settings, "reduce") == AWAY
    told = capfd.readouterr().err.strip().splitlines()
    assert len(told) == 1
    return told[0]


def test_what_is_wrong_at_the_start_is_one_line(
    kafka_settings: Settings, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    away = replace(kafka_settings, kafka=replace(kafka_settings.kafka, bootstrap=f"127.0.0.1:{free_port()}"))
    assert "does not answer: is it running" in refused(away, capfd)
    assert "run interplay init" in refused(kafka_settings, capfd)
    with LivePath(kafka_settings, tmp_path) as path, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = replace(path.settings.worker, http_port=taken.getsockname()[1])
        assert "cannot listen on 127.0.0.1" in refused(replace(path.settings, worker=port), capfd)


def test_what_keeps_all_roles_from_starting_is_told_once(kafka_settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    away = replace(kafka_settings, kafka=replace(kafka_settings.kafka, bootstrap=f"127.0.0.1:{free_port()}"))
    for settings, reason in ((away, "does not answer: is it running"), (kafka_settings, "run interplay init")):
        assert run_roles(settings, ROLES) == AWAY
        (line,) = capfd.readouterr().err.strip().splitlines()
        assert line.startswith("interplay worker: not started: reduce, analyze, store, alert: ") and reason in line


def test_metrics_and_health_tell_of_a_worker_at_work(kafka_settings: Settings, tmp_path: Path) -> None:
    with LivePath(kafka_settings, tmp_path) as path:
        (reduce,) = path.start("reduce")
        path.write([(0, None, b"not json", [])])
        letter = 'interplay_dead_letters_total{reason="not_json"} 1'
        until(lambda: letter in reduce.get("metrics"), "the dead letter is counted", 10)
        handled = f'interplay_records_total{{topic="{path.settings.kafka.prefix}.events",partition="0"}} 1'
        until(lambda: handled in reduce.get("metrics"), "the record is counted", 10)
        assert reduce.get("health") == "reduce: ok\n"
