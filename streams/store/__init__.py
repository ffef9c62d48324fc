"""The store: signals and findings as rows in ClickHouse, a server or chDB embedded in the store role's process.

`rows` what is stored of a record · `migrations/` the tables · `clickhouse` how they get there · `endpoint` how others read an
embedded store while it is written · `reading` what `interplay query` does.
"""
