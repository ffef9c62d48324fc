"""What can be known about an installation from Kafka, as values. Times and spans are ns; `trouble` says in words what could not be read."""

from __future__ import annotations

import msgspec


class RoleLag(msgspec.Struct, frozen=True, kw_only=True):
    """How far one role is behind its topics. `oldest` is the age of the oldest record that it has not handled; None where there is none."""

    role: str
    partitions: int
    begun: int  # partitions with a committed offset
    lag: int  # records not yet handled
    oldest: int | None = None
    members: int | None = None  # workers in the group; None where the broker does not tell


class Watermark(msgspec.Struct, frozen=True, kw_only=True):
    """How far one signals partition is known. `held` None: nothing is known yet. `written` is the append time of the progress record."""

    partition: int
    held: int | None
    holding: str
    written: int


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """The newest tick of one source partition: see `models.stream_time` for the modes."""

    partition: str
    mode: str
    watermark: int
    delay: int
    told: int  # the reducing worker's clock


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """What the newest events on the signals topic carry."""

    signals: int = 0
    events: int = 0
    actions: int = 0
    with_old: int = 0
    with_reads: int = 0
    with_causes: int = 0
    late: int = 0
    agents: int = 0
    newest: int | None = None  # event time


class DeadLetters(msgspec.Struct, frozen=True, kw_only=True):
    """Records that could not be used."""

    kept: int = 0
    recent: int = 0  # within the last quarter of an hour
    reasons: dict[str, int] = {}  # of the newest


class OpenFindings(msgspec.Struct, frozen=True, kw_only=True):
    """Findings on the topic: open ones by pattern and kind, the titles of the newest, and how many are resolved."""

    open: dict[str, int] = {}
    titles: tuple[str, ...] = ()
    resolved: int = 0
    gone: int = 0  # tombstones that compaction has left: resolved for longer than the memory, in the store only


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that could be read, and what could not."""

    now: int
    lags: tuple[RoleLag, ...] = ()
    watermarks: tuple[Watermark, ...] = ()
    sources: tuple[Source, ...] = ()
    coverage: Coverage | None = None
    dead_letters: DeadLetters | None = None
    findings: OpenFindings | None = None
    store: str = "the store"  # how sentences name it
    troubles: tuple[str, ...] = ()
