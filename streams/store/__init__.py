"""The store: signals and findings as rows in ClickHouse, a server or chDB embedded in the store role's process.

`rows` what is stored of a record · `migrations/`, `schema` the tables · `clickhouse` the connection and its errors · `writing` how rows
get there · `endpoint`, `guard` how others read an embedded store while it is written · `reading` what `interplay query` does.
"""

from streams.store.clickhouse import StoreAway, StoreRefused
from streams.store.opening import init_store, open_store
from streams.store.reading import query, raw
from streams.store.writing import Record, Store, Written

__all__ = ["Record", "Store", "StoreAway", "StoreRefused", "Written", "init_store", "open_store", "query", "raw"]
