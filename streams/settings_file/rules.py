"""What must hold between settings, and of single values beyond their type and range. Every mistake is one line with what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator

from models.instants import format_duration
from streams.settings import Settings

Mistake = tuple[str, str]  # (setting, what is wrong with it)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_DATABASE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ADDRESS = re.compile(r"(\[[0-9a-fA-F:]+\]|[^\s:,/]+):(\d{1,5})")
_QUANTILE = re.compile(r"0(\.\d{1,6})?|1(\.0*)?")
_OURS = ("signals", "findings", "facts", "progress", "reduce-progress", "map", "dead-letters")


def broken_rules(settings: Settings) -> list[Mistake]:
    """Everything that does not hold, in the order of the settings."""
    return [
        *_kafka(settings),
        *_topics(settings),
        *_edges(settings),
        *_horizons(settings),
        *_thresholds(settings),
        *_quantiles(settings),
        *_mapped(settings),
    ]


def _kafka(settings: Settings) -> Iterator[Mistake]:
    kafka = settings.kafka
    if not all(_is_address(part.strip()) for part in kafka.bootstrap.split(",")):
        yield "kafka.bootstrap", f'{kafka.bootstrap!r} is not a list like "broker-1:9092,broker-2:9092"'
    if not _NAME.fullmatch(kafka.prefix):
        yield "kafka.prefix", f"{kafka.prefix!r} cannot begin a topic's name; use letters, digits, dots, dashes and underscores"
    if kafka.security.startswith("SASL") and not (kafka.sasl_username and kafka.sasl_password):
        yield "kafka.security", f"{kafka.security} needs kafka.sasl_username and kafka.sasl_password (or kafka.sasl_password_file)"
    if bool(kafka.tls_certificate) != bool(kafka.tls_key):
        yield "kafka.tls_certificate", "tls_certificate and tls_key belong together: set both or neither"
    if kafka.heartbeat * 3 > kafka.session_timeout:
        yield (
            "kafka.heartbeat",
            f"{format_duration(kafka.heartbeat)} is more than a third of kafka.session_timeout "
            f"({format_duration(kafka.session_timeout)}): one lost heartbeat would cost the worker its partitions",
        )


def _topics(settings: Settings) -> Iterator[Mistake]:
    sources = settings.topics.sources
    if not sources:
        yield "topics.sources", 'is empty; nothing would be read. Name at least one topic, such as "events"'
    for name in sources:
        if not _NAME.fullmatch(name):
            yield "topics.sources", f"{name!r} is not a topic's name; use letters, digits, dots, dashes and underscores"
        if name in _OURS:
            yield "topics.sources", f"{name!r} is the name of a topic that interplay writes itself; choose another"
    if len(set(sources)) < len(sources):
        yield "topics.sources", "names a topic twice"
    ours = {f"{settings.kafka.prefix}.{name}" for name in (*_OURS, *sources)}
    for source in settings.source:
        if source.topic in ours:
            yield "source", f"{source.topic!r} is a topic of interplay's own; [[source]] is for topics that others write"


def _edges(settings: Settings) -> Iterator[Mistake]:
    if not _DATABASE.fullmatch(settings.clickhouse.database):
        yield (
            "clickhouse.database",
            f"{settings.clickhouse.database!r} is not a database's name; use letters, digits and underscores",
        )
    if settings.clickhouse.serve and not _is_address(settings.clickhouse.serve):
        yield "clickhouse.serve", f'{settings.clickhouse.serve!r} is not an address like "127.0.0.1:8124"'
    for name, url in (("alertmanager", settings.alert.alertmanager), ("dashboard_url", settings.alert.dashboard_url)):
        if url and not url.startswith(("http://", "https://")):
            yield f"alert.{name}", f"{url!r} is not a URL that begins with http:// or https://"
    if settings.alert.password and not settings.alert.username:
        yield "alert.password", "is set without alert.username"


def _horizons(settings: Settings) -> Iterator[Mistake]:
    analysis = settings.analysis
    slack = 2 * analysis.coalesce + analysis.time.lateness
    least = 2 * analysis.window + slack
    if analysis.memory < least:
        yield (
            "analysis.memory",
            f"{format_duration(analysis.memory)} is shorter than two windows, two coalescing intervals and the lateness "
            f"together: set at least {format_duration(least)}, or a shorter analysis.window",
        )
    if analysis.time.idle_timeout < analysis.time.lateness:
        yield "analysis.time.idle_timeout", f"is shorter than analysis.time.lateness ({format_duration(analysis.time.lateness)})"
    for name in ("facts_age", "tombstone"):
        if getattr(analysis, name) < analysis.memory:
            yield f"analysis.{name}", f"is shorter than analysis.memory ({format_duration(analysis.memory)})"
    needed = max(analysis.memory, least) + slack
    if settings.topics.retention < needed:
        yield (
            "topics.retention",
            f"{format_duration(settings.topics.retention)} is less than a restarted worker reads back; "
            f"set at least {format_duration(needed)}",
        )


def _thresholds(settings: Settings) -> Iterator[Mistake]:
    thrashing = settings.analysis.thrashing
    lives = thrashing.half_lives
    if not lives or list(lives) != sorted(set(lives)):
        yield "analysis.thrashing.half_lives", 'must ascend, with at least one: such as ["2m", "15m", "60m"]'
    if lives and max(lives) > settings.analysis.memory:
        yield "analysis.thrashing.half_lives", "has one longer than analysis.memory"
    if thrashing.close >= min(thrashing.open_exact, thrashing.open_plain):
        yield (
            "analysis.thrashing.close",
            f"{thrashing.close:g} is not below open_exact and open_plain: a finding would end as it begins",
        )
    if thrashing.open_exact > thrashing.open_plain:
        yield "analysis.thrashing.open_exact", f"is above open_plain ({thrashing.open_plain:g}), though it is the stronger evidence"


def _mapped(settings: Settings) -> Iterator[Mistake]:
    known = [rule.name for rule in settings.map]
    for source in settings.source:
        if source.kind == "json" and not known:
            yield "source", f"{source.topic} is of kind json, and there is no [[map]] rule; docs/mapping.md shows one"
        if source.rules and source.kind != "json":
            yield "source", f"{source.topic}: rules are for kind json, and it is of kind {source.kind}"
        for name in source.rules if source.kind == "json" else ():
            if name not in known:
                yield "source", f"{source.topic}: rules names {name!r}, and there is no [[map]] of that name"


def _is_address(text: str) -> bool:
    match = _ADDRESS.fullmatch(text)
    return match is not None and 0 < int(match[2]) < 65536


def _quantiles(settings: Settings) -> Iterator[Mistake]:
    for text in settings.otlp.quantiles:
        if not _QUANTILE.fullmatch(text):
            yield "otlp.quantiles", f'{text!r} is no quantile; write texts between 0 and 1, such as ["0.5", "0.95"]'
