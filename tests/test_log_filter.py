"""A client's complaints are told once a minute, each kind by itself; others' lines are left alone."""

from __future__ import annotations

import logging

import pytest

from streams.log_filter import AGAIN_S, OncePerMinute


def line(name: str, number: int) -> logging.LogRecord:
    return logging.LogRecord(name, logging.ERROR, "client.py", number, "Unable connect to node with id 1", None, None)


def test_each_kind_is_told_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    thinned = OncePerMinute("aiokafka")
    assert [thinned.filter(line("aiokafka.client", number)) for number in (1, 1, 2, 1)] == [True, False, True, False]
    assert [thinned.filter(line("streams.retry", 1)) for _ in range(2)] == [True, True]
    now += AGAIN_S
    assert thinned.filter(line("aiokafka", 1))
