"""The text of /metrics, as Prometheus's own checker sees it, and the table of names."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from streams.metrics import METRICS, Metrics

STREAMS = Path(__file__).parent.parent / "streams"


def everything() -> Metrics:
    metrics = Metrics()
    for name, metric in METRICS.items():
        metrics.set(name, 1.5, *(f'a "{label}"\\\n' for label in metric.labels))
    return metrics


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed: scripts/install-system-parts.sh")
def test_promtool_finds_nothing_to_complain_about() -> None:
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=everything().render(), capture_output=True, text=True, timeout=20
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_names_say_kind_and_unit() -> None:
    for name, metric in METRICS.items():
        assert name.startswith("interplay_") and (name.endswith("_total") == (metric.kind == "counter"))
        assert metric.meaning.endswith(".")


def test_every_metric_is_set_somewhere() -> None:
    text = "".join(file.read_text() for file in STREAMS.rglob("*.py") if file.name != "metrics.py")
    assert [name for name in METRICS if f'"{name}"' not in text] == []


def test_an_unknown_name_or_label_is_an_error() -> None:
    with pytest.raises(KeyError):
        Metrics().set("interplay_nothing", 1)
    with pytest.raises(ValueError, match="has the labels"):
        Metrics().add("interplay_late_total", 1, "one")


def test_values_add_up_and_a_partition_can_be_forgotten() -> None:
    metrics = Metrics()
    metrics.add("interplay_records_total", 2, "t", "0")
    metrics.add("interplay_records_total", 3, "t", "0")
    metrics.set("interplay_lag_records", 7, "t", "0")
    metrics.set("interplay_lag_records", 8, "t", "1")
    assert metrics.value("interplay_records_total", "t", "0") == 5
    metrics.forget("t", "0")
    text = metrics.render()
    assert 'interplay_lag_records{topic="t",partition="1"} 8\n' in text and 'lag_records{topic="t",partition="0"}' not in text
    assert 'interplay_records_total{topic="t",partition="0"} 5\n' in text  # counters never go back


def test_quotes_and_line_ends_are_escaped() -> None:
    assert r'reason="a \"reason\"\\\n"' in everything().render()
