"""The embedded broker as a process: it answers, it ends, and says in one line why it cannot."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from streams import broker
from streams.broker import BrokerError, EmbeddedBroker


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.kafka
def test_it_answers_while_it_runs_and_not_after(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path / "logs" / "broker.log") as embedded:
        assert embedded.running and listening(embedded.port)
        assert embedded.log_file.exists()
    assert not embedded.running and not listening(embedded.port)
    embedded.stop()  # a second stop is nothing


@pytest.mark.kafka
def test_a_taken_port_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "_answers", lambda port: False)  # the port answers, but it is not ours
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(BrokerError) as caught:
            EmbeddedBroker(tmp_path / "broker.log", port=taken.getsockname()[1]).start()
    assert "ended at its start" in str(caught.value) and "\n" not in str(caught.value)
