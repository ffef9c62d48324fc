"""Brings a store to the schema of this version: `migrations/NNNN_name.sql`, applied in order, each once, recorded with its checksum."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from importlib.resources import files

import msgspec
from clickhouse_connect.driver.client import Client

from streams.settings import ClickHouse
from streams.store.clickhouse import StoreRefused, telling, where

_RECORD = """CREATE TABLE IF NOT EXISTS {database}.schema_migrations (
  version UInt32, name String, checksum String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = ReplacingMergeTree(applied_at) ORDER BY version"""
_TTL = re.compile(r" TTL (.*?toIntervalDay\()(\d+)(\).*?)(?: SETTINGS|$)")


class Migration(msgspec.Struct, frozen=True):
    """One file. Published ones never change: the checksum would no longer match."""

    version: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """Of the file as it is, before anything is filled in."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def statements(self, settings: ClickHouse) -> list[str]:
        """With the database and the retention filled in."""
        text = self.text.replace("{database}", settings.database).replace("{days}", str(settings.retention_days))
        parts = re.split(r";[ \t]*(?:\n|$)", text)
        return [part.strip() for part in parts if re.sub(r"--[^\n]*", "", part).strip()]


def known() -> list[Migration]:
    """All migrations of this version, oldest first."""
    folder = files("streams.store") / "migrations"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [Migration(int(name[:4]), name.removesuffix(".sql"), (folder / name).read_text("utf-8")) for name in names]


def migrate(client: Client, settings: ClickHouse) -> list[str]:
    """Applies what is missing, and says in lines what was done. Safe to repeat, and to repeat after it was broken off.

    Raises StoreRefused where the store is newer than this program or a migration was changed after it was applied, StoreAway.
    """
    with telling(settings):
        client.command(f"CREATE DATABASE IF NOT EXISTS {settings.database}")
        client.command(_RECORD.replace("{database}", settings.database))
        applied = _checked(client, settings)
        lines = []
        for migration in known():
            if migration.version in applied:
                continue
            for statement in migration.statements(settings):
                client.command(statement)
            client.insert(
                "schema_migrations",
                [[migration.version, migration.name, migration.checksum]],
                column_names=["version", "name", "checksum"],
                database=settings.database,
            )
            lines.append(f"{where(settings)}: {settings.database}: applied migration {migration.name}")
        lines += _keep(client, settings)
    return lines or [f"{where(settings)}: {settings.database}: schema {known()[-1].version} is there"]


def check(client: Client, settings: ClickHouse) -> None:
    """Raises StoreRefused where the schema is not this program's, StoreAway."""
    with telling(settings):
        exists = client.command(f"EXISTS TABLE {settings.database}.schema_migrations")
        applied = _checked(client, settings) if exists else set()
    if missing := [migration.name for migration in known() if migration.version not in applied]:
        raise StoreRefused(f"{where(settings)}: {settings.database} lacks {missing[0]}: run `interplay init`")


def _checked(client: Client, settings: ClickHouse) -> set[int]:
    rows = client.query(f"SELECT version, name, checksum FROM {settings.database}.schema_migrations FINAL").result_rows
    ours = {migration.version: migration for migration in known()}
    for version, name, checksum in sorted(rows):
        if version not in ours:
            raise StoreRefused(
                f"{where(settings)}: {settings.database} has schema {version}, this program knows {max(ours)}: use a newer interplay"
            )
        if checksum != ours[version].checksum:
            raise StoreRefused(
                f"{where(settings)}: {settings.database}: {name} is not the file that was applied: use a released interplay"
            )
    return {version for version, _, _ in rows}


def _keep(client: Client, settings: ClickHouse) -> Iterator[str]:
    """The retention may have been changed since the tables were made."""
    tables = client.query(
        "SELECT name, engine_full FROM system.tables WHERE database = {database:String} ORDER BY name",
        parameters={"database": settings.database},
    ).result_rows
    for table, engine in tables:
        kept = _TTL.search(engine)
        if kept and int(kept[2]) != settings.retention_days:
            client.command(f"ALTER TABLE {settings.database}.{table} MODIFY TTL {kept[1]}{settings.retention_days}{kept[3]}")
            yield f"{where(settings)}: {settings.database}.{table}: kept {settings.retention_days} days, was {kept[2]}"
