"""The store as its role and `interplay init` open it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from streams.settings import ClickHouse, Settings
from streams.store.clickhouse import connect, telling
from streams.store.schema import migrate
from streams.store.writing import Store


@contextmanager
def open_store(settings: Settings) -> Iterator[Store]:
    """The store for one writer, and while it is open, for an embedded one, the endpoint for readers (clickhouse.serve).

    Raises StoreRefused where the endpoint cannot listen. The store itself is reached at its first use.
    """
    store = Store(settings.clickhouse)
    try:
        with _served(settings.clickhouse):
            yield store
    finally:
        store.close()


@contextmanager
def _served(settings: ClickHouse) -> Iterator[None]:
    if not (settings.path and settings.serve):
        yield
        return
    with telling(settings):
        from streams.store.endpoint import Endpoint  # only here: a server needs no chDB
    endpoint = Endpoint(settings)
    endpoint.start()
    try:
        yield
    finally:
        endpoint.stop()  # before the store closes: readers hold the engine open


def init_store(settings: Settings) -> list[str]:
    """Creates or migrates the schema, and says in lines what was done. Safe to repeat. Raises StoreAway, StoreRefused."""
    client = connect(settings.clickhouse, database=False)
    try:
        return migrate(client, settings.clickhouse)
    finally:
        client.close()
