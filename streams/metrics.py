"""Every metric with its meaning, in one place, and their text as Prometheus reads it.

A name that is not in the table cannot be set. Labels are few and bounded: roles, our own topics and partitions, reasons from fixed lists.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec


class Metric(msgspec.Struct, frozen=True):
    """One metric: its kind, what it tells, its labels."""

    kind: Literal["gauge", "counter"]
    meaning: str
    labels: tuple[str, ...] = ()


PARTITION = ("topic", "partition")

METRICS: dict[str, Metric] = {
    # all roles
    "interplay_info": Metric("gauge", "1; the labels tell which role and version this is.", ("role", "version")),
    "interplay_lag_records": Metric("gauge", "Records of a partition that are not yet handled.", PARTITION),
    "interplay_records_total": Metric("counter", "Records handled.", PARTITION),
    "interplay_last_handled_timestamp_seconds": Metric("gauge", "When a batch was handled last."),
    "interplay_in_hand_seconds": Metric("gauge", "How long the batch that is being handled has been in hand; 0 where none is."),
    "interplay_assigned_partitions": Metric("gauge", "Partitions that this worker owns at the moment."),
    "interplay_recovery_seconds": Metric("gauge", "How long the last rebuilding of state at an assignment took."),
    "interplay_produced_total": Metric("counter", "Records written and acknowledged.", ("topic",)),
    "interplay_write_retries_total": Metric("counter", "Writes to Kafka that failed and were repeated.", ("topic",)),
    "interplay_kafka_retries_total": Metric(
        "counter", "What a Kafka that was away interrupted, and was tried again: start, join, rebuild, follow.", ("what",)
    ),
    # reduce
    "interplay_dead_letters_total": Metric("counter", "Records, or elements of them, that could not be used.", ("reason",)),
    "interplay_samples_total": Metric("counter", "Samples taken in.", PARTITION),
    "interplay_passed_over_total": Metric(
        "counter",
        "Records of a [[source]] by what they were taken for; all but what its documentation names became no event.",
        (*PARTITION, "why"),
    ),
    "interplay_pending_events": Metric("gauge", "Events that wait for the watermark.", PARTITION),
    "interplay_held_back_partitions": Metric(
        "gauge", "Partitions that wait because they are far ahead of the slowest in event time."
    ),
    # reduce and analyze
    "interplay_late_total": Metric(
        "counter", "Events too late to be analysed; they are stored, and what a [[source]] holds is not.", PARTITION
    ),
    "interplay_duplicates_total": Metric("counter", "Repeats of an event that were left out.", PARTITION),
    "interplay_undecodable_total": Metric(
        "counter", "Records of our own topics that could not be read, and were passed over.", ("topic",)
    ),
    "interplay_remarks_total": Metric("counter", "What is right as it is and worth knowing: no findings.", (*PARTITION, "kind")),
    "interplay_dropped_total": Metric("counter", "Data left out because a limit was reached.", (*PARTITION, "what")),
    "interplay_watermark_timestamp_seconds": Metric("gauge", "Event time up to which a partition is known.", PARTITION),
    "interplay_watermark_age_seconds": Metric("gauge", "How far the watermark lies behind the worker's clock.", PARTITION),
    # analyze
    "interplay_open_findings": Metric("gauge", "Findings that are open.", PARTITION),
    "interplay_findings_total": Metric("counter", "Revisions of findings, by what happened.", ("verb",)),
    "interplay_degraded": Metric(
        "gauge", "1 where the log no longer reached back to the checkpoint at the last recovery.", PARTITION
    ),
    "interplay_refilling": Metric("gauge", "1 while indexes are being refilled from the log.", PARTITION),
    # store
    "interplay_store_rows_total": Metric("counter", "Rows stored.", ("table",)),
    "interplay_store_expired_total": Metric("counter", "Rows left out because they are older than the store keeps."),
    "interplay_store_backlog_batches": Metric("gauge", "Batches that wait for the store."),
    "interplay_store_blocked_seconds": Metric(
        "gauge", "How long the store has been refusing or silent; 0 while it takes what it gets."
    ),
    "interplay_store_failures_total": Metric("counter", "Attempts to store that failed; each is repeated."),
    # alert
    "interplay_alerts_firing": Metric("gauge", "Alerts that stand open."),
    "interplay_alerts_pending": Metric("gauge", "Notices that no target has answered to yet."),
    "interplay_alerts_total": Metric("counter", "Findings judged and notices sent, by outcome.", ("outcome",)),
}


class Metrics:
    """The values of one process. Not for use from two threads at once, but for single calls."""

    def __init__(self) -> None:
        self._values: dict[str, dict[tuple[str, ...], float]] = {name: {} for name in METRICS}

    def set(self, name: str, value: float, *labels: str) -> None:
        """Sets a gauge, or a counter that is kept elsewhere. Raises KeyError for an unknown name, ValueError for wrong labels."""
        self._values[name][self._checked(name, labels)] = value

    def add(self, name: str, count: float, *labels: str) -> None:
        """Adds to a counter. Raises as `set` does."""
        values, place = self._values[name], self._checked(name, labels)
        values[place] = values.get(place, 0.0) + count

    def value(self, name: str, *labels: str) -> float:
        """What it stands at; 0 where it was never set. Raises as `set` does."""
        return self._values[name].get(self._checked(name, labels), 0.0)

    def forget(self, *labels: str) -> None:
        """Drops the gauges that begin with these labels: a partition that another worker owns now."""
        for name, metric in METRICS.items():
            if metric.kind == "gauge" and metric.labels:
                values = self._values[name]
                for place in [place for place in values if place[: len(labels)] == labels]:
                    del values[place]

    def render(self) -> str:
        """The text of /metrics."""
        return "".join(line for name, metric in METRICS.items() for line in _lines(name, metric, self._values[name]))

    def _checked(self, name: str, labels: tuple[str, ...]) -> tuple[str, ...]:
        wanted = METRICS[name].labels
        if len(labels) != len(wanted):
            raise ValueError(f"{name} has the labels {wanted}, not {labels}")
        return labels


def _lines(name: str, metric: Metric, values: dict[tuple[str, ...], float]) -> Iterable[str]:
    if not values:
        return
    yield f"# HELP {name} {metric.meaning}\n# TYPE {name} {metric.kind}\n"
    for labels, value in sorted(values.items()):
        pairs = ",".join(f'{label}="{_escaped(text)}"' for label, text in zip(metric.labels, labels, strict=True))
        yield f"{name}{{{pairs}}} {value:.17g}\n" if pairs else f"{name} {value:.17g}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
