"""Grafana's classic JSON model in plain dicts: queries, panels, overrides, variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | dict[str, Json] | None"
Dict: TypeAlias = "dict[str, Json]"

SOURCE: Dict = {"type": "grafana-clickhouse-datasource", "uid": "${datasource}"}
TIME_SERIES, TABLE = 0, 1


def query(sql: str, form: int, ref: str = "A") -> Dict:
    """One query of a panel. `form` is TIME_SERIES or TABLE."""
    return {
        "refId": ref,
        "datasource": SOURCE,
        "editorType": "sql",
        "format": form,
        "queryType": "timeseries" if form == TIME_SERIES else "table",
        "rawSql": " ".join(sql.split()),
    }


def thresholds(*steps: tuple[float | None, str]) -> Dict:
    """Colours from each value up; the first step has no value."""
    return {"mode": "absolute", "steps": [{"value": value, "color": color} for value, color in steps]}


def mapped(texts: dict[str, tuple[str, str]]) -> list[Json]:
    """Value -> text and colour."""
    return [
        {
            "type": "value",
            "options": {
                value: {"text": text, "color": color, "index": i} for i, (value, (text, color)) in enumerate(texts.items())
            },
        }
    ]


def column(name: str, **properties: Json) -> Dict:
    """An override for one field. Double underscores stand for dots: `custom__width=90`."""
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()],
    }


def panel(
    kind: str,
    title: str,
    description: str,
    at: tuple[int, int, int, int],
    queries: list[Dict],
    *,
    unit: str = "short",
    none: str,
    options: Dict | None = None,
    overrides: Sequence[Json] = (),
    **defaults: Json,
) -> Dict:
    """One panel. `at` is (x, y, width, height) in Grafana's grid of 24 columns, `none` what it says without data."""
    x, y, width, height = at
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": SOURCE,
        "targets": queries,
        "gridPos": {"x": x, "y": y, "w": width, "h": height},
        "options": options or {},
        "fieldConfig": {"defaults": {"unit": unit, "noValue": none, **defaults}, "overrides": list(overrides)},
    }


def stat(title: str, description: str, x: int, sql: str, unit: str, none: str, steps: Dict) -> Dict:
    """One number, coloured by thresholds."""
    options: Dict = {
        "colorMode": "value",
        "graphMode": "none",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }
    return panel(
        "stat", title, description, (x, 0, 6, 4), [query(sql, TABLE)], unit=unit, none=none, options=options, thresholds=steps
    )


def row(title: str, y: int) -> Dict:
    """A heading."""
    return {"type": "row", "title": title, "collapsed": False, "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}, "panels": []}


def lines(
    title: str,
    description: str,
    at: tuple[int, int, int, int],
    sql: str,
    unit: str,
    none: str,
    *,
    bars: bool = False,
    overrides: Sequence[Json] = (),
    **defaults: Json,
) -> Dict:
    """Values over time; stacked bars for counts."""
    custom: Dict = {
        "drawStyle": "bars" if bars else "line",
        "fillOpacity": 70 if bars else 10,
        "stacking": {"mode": "normal" if bars else "none", "group": "A"},
    }
    options: Dict = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return panel(
        "timeseries",
        title,
        description,
        at,
        [query(sql, TIME_SERIES)],
        unit=unit,
        none=none,
        options=options,
        overrides=overrides,
        custom=custom,
        min=0,
        **defaults,
    )


def choice(name: str, label: str, sql: str) -> Dict:
    """A variable filled by a query: several values or all."""
    return {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": SOURCE,
        "query": sql,
        "definition": sql,
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "current": {"text": ["All"], "value": ["$__all"]},
        "options": [],
    }
