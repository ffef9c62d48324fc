"""The tables [[analysis.conflict.invariant]]: what they say, how they are written, and every mistake as one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.configuration import Invariant
from streams.settings_file import SettingsError, load
from streams.settings_file.invariants import read_invariants, written_invariant

TEXT = """
[[analysis.conflict.invariant]]
name = "one serves"
knobs = ["db/a serving", "db/b serving"]
bound = 1
"""
ONE = Invariant(name="one serves", knobs=(("db/a", "serving"), ("db/b", "serving")), bound=1)


def loaded(text: str, folder: Path) -> tuple[Invariant, ...]:
    file = folder / "x.toml"
    file.write_text(text)
    return load(str(file), {}).settings.analysis.conflict.invariant


def test_an_invariant_is_read_beside_other_settings_and_reads_back(tmp_path: Path) -> None:
    assert loaded(TEXT + "[analysis.cascade]\nedges = 4\n", tmp_path) == (ONE,)
    assert loaded(written_invariant(ONE), tmp_path) == (ONE,)
    assert loaded("", tmp_path) == ()


@pytest.mark.parametrize(
    ("field", "value", "trouble"),
    [
        ("name", "", "name must say what holds"),
        ("knobs", ["db/a serving"], "knobs must be 2 to 16"),
        ("knobs", ["db/a serving", "db/a serving"], "knobs must be 2 to 16"),
        ("knobs", ["db/a serving", "serving"], "knobs must be 2 to 16"),
        ("knobs", "db/a serving", "knobs must be 2 to 16"),
        ("function", "mean", "function must be one of sum, min, max"),
        ("op", "=", "op must be one of >, >=, <, <="),
        ("bound", True, "bound must be a number"),
        ("margin", -1, "margin must be a number of at least 0"),
        ("margin", True, "margin must be a number of at least 0"),
        ("margin", float("inf"), "margin must be a number of at least 0"),
        ("slack", 1, "slack: no such field"),
    ],
)
def test_a_mistake_names_the_table_and_the_field(field: str, value: object, trouble: str) -> None:
    table: dict[str, object] = {"name": "n", "knobs": ["a x", "b x"], "bound": 1}
    assert len(read_invariants([table])[0]) == 1
    found, (mistake,) = read_invariants([{**table, field: value}])
    assert found == () and mistake.startswith("analysis.conflict.invariant 1: ") and trouble in mistake


def test_a_missing_bound_a_repeated_name_and_no_table_are_mistakes(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="bound must be a number, not None"):
        loaded(TEXT.replace("bound = 1", ""), tmp_path)
    with pytest.raises(SettingsError, match="'one serves' is given twice"):
        loaded(TEXT + TEXT, tmp_path)
    with pytest.raises(SettingsError, match="must be tables"):
        loaded("[analysis.conflict]\ninvariant = 1\n", tmp_path)
