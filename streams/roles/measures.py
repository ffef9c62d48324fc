"""Measures that several roles take in the same way."""

from __future__ import annotations

import time

from faust.types import TP

from models.stream_time import BEFORE_ALL
from streams.metrics import Metrics


def measure_watermark(metrics: Metrics, tp: TP, watermark: int | None) -> None:
    """How far a partition is known, and how far that lies behind our clock."""
    if watermark is not None and watermark != BEFORE_ALL:
        labels = (tp.topic, str(tp.partition))
        metrics.set("interplay_watermark_timestamp_seconds", watermark / 1e9, *labels)
        metrics.set("interplay_watermark_age_seconds", (time.time_ns() - watermark) / 1e9, *labels)
