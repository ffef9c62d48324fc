"""The dashboards: the committed JSON is what the generator writes, keeps the house rules, and every query runs on rows of the real store.

Findings come from the real core, rows from the real store code, in chDB. Unproved here: Grafana itself and its ClickHouse plugin.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from clickhouse_connect.driver.client import Client
from dashboard_rows import END, START, records
from grafana_macros import expand

from streams.settings import ClickHouse, Settings
from streams.store import init_store, open_store

FOLDER = Path(__file__).parent.parent / "dashboards"
DASHBOARD = json.loads((FOLDER / "overview.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
VARIABLES = DASHBOARD["templating"]["list"]
EVERYTHING = {"domain": ["$__all"], "agent": ["$__all"], "finding": [""]}
SELECTED = {"domain": ["prod-eu"], "agent": ["perf-scaler", "cost-optimizer"], "finding": [""]}
NOTHING = {"domain": ["it's nowhere"], "agent": ["nobody"], "finding": [""]}
SQL = [(f"{panel['title']} {target['refId']}", target["rawSql"]) for panel in PANELS for target in panel["targets"]]
SQL += [(f"variable {variable['name']}", variable["query"]) for variable in VARIABLES if variable["type"] == "query"]


class Frame(NamedTuple):
    """What a query answers, by column."""

    columns: dict[str, str]  # name -> ClickHouse type
    rows: list[dict]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    settings = Settings(clickhouse=ClickHouse(path=str(tmp_path_factory.mktemp("store")), serve=""))
    init_store(settings)
    with open_store(settings) as opened:
        written = opened.write(records())
        assert written.expired == 0 and all(written.rows.values()), written
        yield opened.client


def ask(store, sql: str, variables: dict[str, list[str]], start: datetime = START, end: datetime = END) -> Frame:
    result = store.query(expand(sql, start, end, variables))
    columns = {name: kind.name for name, kind in zip(result.column_names, result.column_types, strict=True)}
    return Frame(columns, [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows])


def shown(store, title: str, ref: str = "A", variables: dict[str, list[str]] = EVERYTHING) -> Frame:
    panel = next(p for p in PANELS if p["title"] == title and any(t["refId"] == ref for t in p["targets"]))
    return ask(store, next(t["rawSql"] for t in panel["targets"] if t["refId"] == ref), variables)


# The file


def test_the_committed_json_is_what_the_generator_writes() -> None:
    code = "import generate, sys; sys.stdout.write(generate.render())"
    done = subprocess.run([sys.executable, "-c", code], cwd=FOLDER, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (FOLDER / "overview.json").read_text(), "run: make dashboards"


def test_identity_is_stable() -> None:
    assert (DASHBOARD["uid"], DASHBOARD["schemaVersion"], DASHBOARD["editable"]) == ("interplay-overview", 42, False)
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert numbers == list(range(1, len(numbers) + 1))
    titles = [panel["title"] for panel in PANELS]
    assert len(titles) == len(set(titles))


def test_every_panel_says_what_it_is_and_what_no_data_means() -> None:
    for panel in PANELS:
        assert panel["title"] and panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] and panel["fieldConfig"]["defaults"]["noValue"], panel["title"]


def test_every_query_goes_to_the_chosen_data_source() -> None:
    chosen = {"type": "grafana-clickhouse-datasource", "uid": "${datasource}"}
    sources = [variable for variable in VARIABLES if variable["type"] == "datasource"]
    assert [(v["name"], v["label"]) for v in sources] == [("datasource", "Data source")]
    assert all(p["datasource"] == chosen and all(t["datasource"] == chosen for t in p["targets"]) for p in PANELS)
    assert all(v["datasource"] == chosen and v["refresh"] == 2 for v in VARIABLES if v["type"] == "query")


def test_panels_fill_the_grid_without_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        grid = panel["gridPos"]
        cells = {(x, y) for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])}
        assert not cells & taken and max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells
    assert len(taken) == 24 * (max(y for _, y in taken) + 1)


@pytest.mark.parametrize(("title", "sql"), SQL, ids=[title for title, _ in SQL])
def test_a_query_keeps_the_rules(title: str, sql: str) -> None:
    assert re.search(r"\bLIMIT \d+$", sql), "no LIMIT"
    assert "ORDER BY" in sql or sql.endswith("LIMIT 1"), "rows in no order"
    assert not re.search(r"\$\{\w+\}|\bquantile\(", sql), "a bare variable, or a sampled quantile"
    assert not re.search(r"SELECT \*(?!, )", sql)
    if "FROM findings" in sql:
        assert "findings FINAL" in sql, "superseded revisions would count"
    if not title.startswith("variable") and "FROM watermarks" not in sql:  # those are of partitions, which domains share
        assert "$__conditionalAll(domain IN (${domain:singlequote}), $domain)" in sql


# On the engine


@pytest.mark.parametrize("variables", [EVERYTHING, SELECTED, NOTHING], ids=["all", "selected", "nothing"])
@pytest.mark.parametrize(("title", "sql"), SQL, ids=[title for title, _ in SQL])
def test_a_query_runs(store, title: str, sql: str, variables: dict[str, list[str]]) -> None:
    frame = ask(store, sql, variables)
    assert not [kind for kind in frame.columns.values() if re.search(r"Enum|Array|Map|Tuple|AggregateFunction", kind)]
    if variables is NOTHING and "$domain" in sql:
        assert [row for row in frame.rows if set(row.values()) != {0}] == []  # counts are 0, the rest is empty
    if variables is EVERYTHING:
        assert frame.rows, "the rows of this test must show in every panel"


@pytest.mark.parametrize(("title", "sql"), SQL, ids=[title for title, _ in SQL])
def test_a_query_answers_the_same_twice(store, title: str, sql: str) -> None:
    if "now()" not in sql:
        assert ask(store, sql, EVERYTHING).rows == ask(store, sql, EVERYTHING).rows


TIME_SERIES = [(panel["title"], panel["type"]) for panel in PANELS if panel["targets"][0]["format"] == 0]


@pytest.mark.parametrize(("title", "kind"), TIME_SERIES, ids=[title for title, _ in TIME_SERIES])
def test_a_time_series_is_time_labels_numbers_in_order(store, title: str, kind: str) -> None:
    frame = shown(store, title)
    names, types = list(frame.columns), list(frame.columns.values())
    assert names[0] == "time" and types[0].startswith("DateTime")
    texts = [name for name, of in frame.columns.items() if "String" in of]
    assert len(texts) <= 1 and all(
        re.search(r"U?Int|Float", of) for name, of in frame.columns.items() if name not in {"time", *texts}
    )
    points = [(row["time"], *(row[name] for name in texts)) for row in frame.rows]
    assert points == sorted(set(points)), "times go forward, one point per series"


@pytest.mark.parametrize("panel", [p for p in PANELS if p["type"] == "stat"], ids=lambda panel: panel["title"])
def test_a_stat_is_one_number(store, panel: dict) -> None:
    frame = ask(store, panel["targets"][0]["rawSql"], EVERYTHING)
    assert len(frame.rows) == 1 and len(frame.columns) == 1 and isinstance(next(iter(frame.rows[0].values())), int | float)


@pytest.mark.parametrize("variables", [EVERYTHING, SELECTED], ids=["all", "selected"])
def test_the_graph_of_fights_has_no_dangling_edge(store, variables: dict[str, list[str]]) -> None:
    nodes, edges = (shown(store, "Agents that fight", ref, variables) for ref in ("nodes", "edges"))
    assert {"id", "title", "mainstat"} <= set(nodes.columns) and {"id", "source", "target"} <= set(edges.columns)
    known = [row["id"] for row in nodes.rows]
    ends = {row[end] for row in edges.rows for end in ("source", "target")}
    assert edges.rows and ends == set(known) and len(known) == len(set(known))
    assert ("cost-optimizer", "perf-scaler") in {(row["source"], row["target"]) for row in edges.rows}


def test_overrides_name_columns_that_exist(store) -> None:
    for panel in PANELS:
        columns = {name for target in panel["targets"] for name in ask(store, target["rawSql"], EVERYTHING).columns}
        named = {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]}
        labels = {"thrashing", "intent_conflict", "cascade", "convergence"} if "pattern" in columns else set()
        assert named <= columns | labels, panel["title"]


def test_mappings_cover_what_the_lanes_hold(store) -> None:
    panel = next(p for p in PANELS if p["title"] == "The lane of actions")
    codes = set(panel["fieldConfig"]["defaults"]["mappings"][0]["options"])
    moves = {str(row["move"]) for row in shown(store, "The lane of actions").rows}
    assert {"1", "2"} <= moves <= codes


def test_the_fight_is_told_in_sentences_with_both_fighters(store) -> None:
    row = next(row for row in shown(store, "Open findings").rows if row["Pattern"] == "thrashing")
    assert "perf-scaler" in row["What"] and "cost-optimizer" in row["What"]
    assert "raised db/orders replicas" in row["In sentences"] and "lowered db/orders replicas" in row["In sentences"]


def test_a_link_from_an_alert_shows_its_finding_alone(store) -> None:
    wanted = shown(store, "Open findings").rows[0]["Finding"]
    linked = shown(store, "Open findings", variables={**EVERYTHING, "finding": [wanted]})
    assert [row["Finding"] for row in linked.rows] == [wanted]


def test_coverage_tells_who_says_too_little(store) -> None:
    shares = {row["Agent"]: (row["With old"], row["With reads"]) for row in shown(store, "Coverage").rows}
    assert shares["perf-scaler"] == (1, 1) and shares["silent-one"] == (0, 0)


def test_late_events_are_counted_once_and_only_those(store) -> None:
    assert sum(row["late"] for row in shown(store, "Late events").rows) == 1


def test_a_finding_open_for_an_hour_counts_in_every_interval(store) -> None:
    rows = [row for row in shown(store, "Open findings over time by pattern").rows if row["pattern"] == "thrashing"]
    gaps = {later["time"] - earlier["time"] for earlier, later in pairwise(rows)}
    assert len(rows) > 5 and gaps == {timedelta(seconds=60)}
