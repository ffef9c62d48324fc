"""docs/patterns.md tells the truth: defaults and constants equal the code's, and the kinds are those that the detectors produce."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import msgspec
from histories import SETTINGS, history

from models import agents, graph, lifecycles, observers, references, topology, variables, verdicts, zigzag
from models.analyzer import Analyzer
from models.configuration import Analysis
from models.detectors import cascade, conflict, opposition
from models.detectors.conflict import case, destruction, guard, justification, objectives, override, stale
from models.detectors.thrashing import force, identity, ratchet, states, swings, transfer
from models.events import Event
from models.instants import format_duration
from models.notation import parse

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "patterns.md").read_text()
MODULES = {
    "force": force,
    "states": states,
    "swings": swings,
    "transfer": transfer,
    "identity": identity,
    "ratchet": ratchet,
    "agents": agents,
    "topology": topology,
    "lifecycles": lifecycles,
    "conflict": conflict,
    "opposition": opposition,
    "cascade": cascade,
    "zigzag": zigzag,
    "graph": graph,
    "variables": variables,
    "case": case,
    "destruction": destruction,
    "guard": guard,
    "objectives": objectives,
    "override": override,
    "justification": justification,
    "stale": stale,
    "observers": observers,
    "references": references,
    "verdicts": verdicts,
}
DURATIONS = {
    "window", "memory", "coalesce", "facts_age", "thrashing.half_lives",
    "thrashing.lone_half_life", "thrashing.hold", "thrashing.noise_window",
    "conflict.hold", "conflict.intent_window", "conflict.quick", "conflict.skew_limit", "cascade.hold",
}  # fmt: skip
# Of the contract, not implemented yet: when a detector names one, the page has to. (`pressure` is a metric's name as well.)
OTHER_KINDS = {
    "fault", "metastable", "headroom",
}  # fmt: skip


def table(heading: str) -> list[tuple[str, ...]]:
    """Rows of the table whose header begins so, backquotes taken off."""
    lines = TEXT[TEXT.index(f"| {heading} |") :].split("\n\n")[0].splitlines()[2:]
    return [tuple(cell.strip().strip("`") for cell in line.strip("|").split("|")) for line in lines]


def default(name: str) -> str:
    """A setting's default, as people write it."""
    value: object = Analysis()
    for part in name.split("."):
        value = getattr(value, part)
    if name not in DURATIONS:
        return str(value)
    return ", ".join(format_duration(v) for v in (value if isinstance(value, tuple) else (value,)))


def kinds() -> set[tuple[str, str]]:
    return {(row[0], row[1]) for row in table("pattern")}


def test_every_default_is_the_codes() -> None:
    rows = table("setting")
    assert len(rows) > 20
    assert [(name, value) for name, value in rows] == [(name, default(name)) for name, _ in rows]


def test_no_threshold_of_a_detector_is_left_out() -> None:
    named = {name for name, _ in table("setting")}
    for part in ("thrashing", "conflict", "cascade"):
        for field in msgspec.structs.fields(getattr(Analysis(), part)):
            assert f"{part}.{field.name}" in named


def test_every_constant_is_the_codes() -> None:
    rows = table("constant")
    assert len(rows) > 10
    for name, value in rows:
        module, constant = name.split(".")
        assert str(getattr(MODULES[module], constant)) == value, name


def test_what_the_text_names_is_in_the_tables() -> None:
    named = {name for heading in ("setting", "constant") for name, _ in table(heading)}
    parts = "|".join(sorted({"thrashing", "limits", *MODULES}))
    used = set(re.findall(rf"`((?:{parts})\.\w+)`", TEXT))
    used -= {"conflict.invariant", "lifecycles.MADE", "lifecycles.UNMADE", "intents.TRYING"}  # tables and sets of words
    used -= set(re.findall(r"`(\w+\.py)`", TEXT))
    assert used <= named, used - named


def test_the_kinds_are_those_that_the_detectors_produce() -> None:
    seen: set[tuple[str, str]] = set()
    stories: list[tuple[Analysis, list[Event]]] = [(SETTINGS, history(seed)) for seed in range(24)]
    stories.append((Analysis(), list(parse((ROOT / "examples" / "incident.trace").read_text()))))
    for settings, events in stories:
        analyzer = Analyzer(settings)
        for event in events:
            analyzer.feed(event)
        seen |= {(change.finding.pattern, change.finding.kind) for change in analyzer.finish()}
    assert seen == kinds()


def test_no_detector_names_a_kind_that_the_page_does_not() -> None:
    literals = {
        node.value
        for path in (ROOT / "models" / "detectors").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert {kind for _, kind in kinds()} <= literals
    assert not literals & OTHER_KINDS


def test_files_named_in_the_page_exist() -> None:
    paths = re.findall(r"`((?:models|tests|docs)/[\w/]+\.\w+)`", TEXT)
    assert len(paths) > 5
    assert [path for path in paths if not (ROOT / path).is_file()] == []
