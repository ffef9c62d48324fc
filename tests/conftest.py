"""Fixtures that several test files share: a broker for the session, and settings that point at it with a prefix of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka_brokers import chosen_broker, settings_for

from streams.settings import Settings


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The bootstrap address of a broker that lives as long as the session."""
    broker = chosen_broker(tmp_path_factory.mktemp("broker"))
    broker.start()
    yield broker.bootstrap
    broker.stop()


@pytest.fixture
def kafka_settings(kafka: str, request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings for one test: topics and groups of its own, quick rebalances, few partitions."""
    prefix = "".join(c if c.isalnum() else "-" for c in request.node.name)[:60]
    return settings_for(kafka, prefix, tmp_path)
