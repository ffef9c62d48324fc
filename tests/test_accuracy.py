"""The accuracy benchmark counts right: metrics, baselines and mappings against cases worked out by hand. Its figures are no assertions."""

from __future__ import annotations

import lzma
import random
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from msgspec import UNSET

from benchmarks.accuracy import autoscalers, baselines, cost, open_loop, pairs, wikibots
from benchmarks.accuracy.families import FAMILIES
from benchmarks.accuracy.metrics import average_precision, found_within, middle
from models.configuration import Analysis
from models.events import Action, Sample
from models.instants import MINUTE, SECOND

ROOT = Path(__file__).parent.parent
COLUMNS = (
    "language", "page", "rev_id", "rev_parent_id", "rev_time", "rev_agent", "rev_sha1", "reverted_to_rev_id", "reverting_id",
    "reverting_parent_id", "reverting_time", "reverting_agent", "reverting_sha1", "revisions_reverted",
)  # fmt: skip


def revert(page: str, first: int, undone: str, by: str, at: int, words: str = "xy") -> dict[str, str]:
    """`undone` wrote revision `first` at second `at`, and `by` took it back to revision first - 1 ten seconds later."""
    stamps = [f"2012-01-01T00:{second // 60:02}:{second % 60:02}Z" for second in (at, at + 10)]
    before, after = words
    cells = ("en", page, first, first - 1, stamps[0], undone, after, first - 1, first + 1, first, stamps[1], by, before, 1)
    return {name: str(cell) for name, cell in zip(COLUMNS, cells, strict=True)}


# metrics


def test_average_precision_by_hand() -> None:
    scores = {"a": 4.0, "b": 3.0, "c": 2.0, "d": 1.0}
    assert average_precision(scores, {"a", "c"}) == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert average_precision(scores, set(scores)) == 1.0
    assert average_precision(scores, {"d"}) == 0.25


def test_equal_scores_share_one_threshold() -> None:
    assert average_precision({"a": 1.0, "b": 1.0, "c": 1.0, "d": 1.0}, {"a"}) == 0.25
    assert average_precision({"a": 2.0, "b": 1.0, "c": 1.0}, {"a", "b"}) == pytest.approx((1 + 2 / 3) / 2)


def test_found_within_counts_no_threshold_that_lets_in_too_many() -> None:
    scores = {"a": 5.0, "x": 4.0, "b": 3.0, "y": 3.0, "c": 2.0}
    assert [found_within(scores, {"a", "b", "c"}, allowed) for allowed in (0, 1, 2)] == [1, 1, 3]


def test_the_lower_median() -> None:
    assert (middle([4, 1, 3, 2]), middle([])) == (2, None)


# baselines


def steady(count: int, apart: int) -> tuple[list[int], list[float], float]:
    """A knob between 2 and 1, one write every `apart` ns, from 1."""
    return [i * apart for i in range(count)], [2.0 if i % 2 == 0 else 1.0 for i in range(count)], 1.0


def test_nagios_weighs_changes_by_their_age() -> None:
    assert baselines.percent_changed([0.0] * 21) == 0.0
    assert baselines.percent_changed([float(i % 2) for i in range(21)]) == pytest.approx(100.0)  # the weights' mean is 1
    assert baselines.percent_changed([0.0] * 20 + [1.0]) == pytest.approx(1.25 / 20 * 100)
    assert baselines.percent_changed([0.0] + [1.0] * 20) == pytest.approx(0.75 / 20 * 100)


def test_nagios_needs_six_changed_samples() -> None:
    assert baselines.nagios(*steady(12, MINUTE)) == 5  # the newest five weigh 5.987 of 20: 29.9 %
    assert baselines.nagios(*steady(40, 8 * MINUTE)) is None  # blind to slow swings


def test_nagios_samples_miss_what_returns_between_two() -> None:
    assert baselines.nagios(*steady(24, 30 * SECOND)) is None


def test_damping_fires_at_the_third_change_in_quick_succession() -> None:
    assert baselines.damping(*steady(5, SECOND)) == 2  # 1000, 1999, 2998
    assert baselines.damping([0, 0], [2.0, 1.0], 1.0) == 1
    assert baselines.damping(*steady(50, 15 * MINUTE)) is None  # 1000 / (1 - 1/2) is approached, never reached


def test_damping_counts_a_ramp_and_no_repeat() -> None:
    assert baselines.damping([0, 1, 2], [2.0, 3.0, 4.0], 1.0) == 2
    assert baselines.damping([0, 1, 2, 3], [2.0] * 4, 1.0) is None


def test_heat_needs_changes_less_than_thirteen_seconds_apart() -> None:
    assert round(baselines.SLOWEST_HEAT, 2) == 13.39
    assert baselines.heat([0] * 6, [2.0, 1.0, 2.0, 1.0, 2.0, 1.0], 1.0) == 4
    assert baselines.heat(*steady(200, 13 * SECOND)) is not None
    assert baselines.heat(*steady(200, 14 * SECOND)) is None


def test_reversals_are_changes_of_direction_within_half_an_hour() -> None:
    assert baselines.reversals(*steady(10, MINUTE)) == 3
    assert baselines.reversals([0, 1, 2, 3], [2.0, 3.0, 4.0, 5.0], 1.0) is None
    assert baselines.reversals(*steady(10, 16 * MINUTE)) is None  # two of them fit


# families


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_family_is_its_seeds(family) -> None:
    one, again = (family.draw(random.Random("7")) for _ in range(2))
    assert one == again != family.draw(random.Random("8"))
    writes = [event for event in one if isinstance(event, Action)]
    assert all(later.old == earlier.new for earlier, later in pairwise(writes))
    assert [event.time for event in one] == sorted(event.time for event in one)
    assert ("demand" in family.name and "no demand" not in family.name) == any(isinstance(event, Sample) for event in one)


def test_a_plain_fight_is_found_at_the_fourth_write_and_a_ramp_never() -> None:
    of = {family.name: open_loop.measure(family, 3, Analysis()) for family in FAMILIES if family.name in ("ramp", FAMILIES[0].name)}
    assert of[FAMILIES[0].name][open_loop.OURS].writes == (4, 4, 4)
    assert of["ramp"][open_loop.OURS].share == "0/3"
    assert set(of["ramp"]) == {open_loop.OURS, *baselines.BASELINES}


def test_what_is_told_as_info_is_no_flag() -> None:
    events = FAMILIES[0].draw(random.Random("7"))
    found = [finding for finding in open_loop.judge(events, Analysis()) if finding.pattern == "thrashing"]
    assert open_loop.write_of(events, found) == 4
    assert open_loop.write_of(events, [msgspec.structs.replace(finding, severity="info") for finding in found]) is None
    later = [msgspec.structs.replace(found[0], severity="info"), msgspec.structs.replace(found[1], severity="warning")]
    assert (open_loop.write_of(events, later) or 0) > 4  # the revision that rises counts, not the first sight


def test_other_seeds_are_other_histories() -> None:
    family = next(family for family in FAMILIES if family.name == "growing fight")
    parts = [open_loop.measure(family, 2, Analysis(), first)[open_loop.OURS].writes for first in (0, 2)]
    assert parts[0] + parts[1] == open_loop.measure(family, 4, Analysis())[open_loop.OURS].writes


def test_names_become_numbers_for_the_baselines() -> None:
    writes = [
        Action(time=i, source="a", id=str(i), resource="r", agent="a", verb="set", parameter="p", old=old, new=new)
        for i, (old, new) in enumerate((("u", "v"), ("v", "u")))
    ]
    assert open_loop.numbers(writes) == ([0, 1], [1.0, 0.0], 0.0)


# WikiBots


def test_every_edit_once_with_what_its_parent_held() -> None:
    rows = [revert("9", 101, "a", "b", 0), revert("9", 102, "b", "a", 10, "yx")]
    made = wikibots.actions(rows)
    assert [(e.id, e.agent, e.old, e.new, e.version) for e in made] == [
        ("101", "a", "x", "y", 101), ("102", "b", "y", "x", 102), ("103", "a", "x", "y", 103),
    ]  # fmt: skip
    assert {(e.domain, e.resource, e.parameter, e.source == e.agent) for e in made} == {("en", "page/9", "content", True)}
    unknown = revert("9", 101, "a", "b", 0) | {"rev_parent_id": "7"}
    assert wikibots.actions([unknown])[0].old is UNSET


def test_a_pair_is_scored_by_the_findings_that_name_both() -> None:
    edits = [
        Action(
            time=i * MINUTE, source=who, id=str(i), domain="en", resource="page/9", agent=who, verb="edit", parameter="content",
            old="xy"[i % 2], new="yx"[i % 2],
        )
        for i, who in enumerate("abababab")
    ]  # fmt: skip
    found = wikibots.scores(wikibots.findings(edits, Analysis()), [("en", "a", "b"), ("en", "a", "c"), ("de", "a", "b")])
    assert found["en", "a", "b"] > 0
    assert (found["en", "a", "c"], found["de", "a", "b"]) == (0.0, 0.0)


def test_floors_by_hand() -> None:
    rows = [revert("9", 101, "a", "b", 0), revert("9", 102, "b", "a", 10, "yx"), revert("8", 201, "b", "a", 0)]
    floors = list(wikibots.floors(rows, [("en", "a", "b")]).values())
    assert [floor["en", "a", "b"] for floor in floors] == [3 * 3 / 2, 3]


def test_the_settings_differ_by_durations_only() -> None:
    ours, default = (msgspec.to_builtins(settings) for settings in (pairs.settings(), Analysis()))
    changed = {
        (table, key) for table, values in ours.items() for key in (values if isinstance(values, dict) else [""])
        if (values[key] != default[table][key] if key else values != default[table])
    }  # fmt: skip
    assert changed == {
        ("window", ""), ("memory", ""), ("coalesce", ""), ("facts_age", ""), ("tombstone", ""), ("thrashing", "half_lives"),
        ("conflict", "hold"), ("conflict", "intent_window"), ("conflict", "quick"),
    }  # fmt: skip


def test_fights_that_share_an_agent_are_one_family() -> None:
    fights = [("en", "a", "b"), ("en", "c", "d"), ("de", "b", "e"), ("en", "e", "f")]
    assert [len(family) for family in pairs.families(fights)] == [3, 1]
    assert pairs.without({("en", "a", "b"): 1.0, ("en", "c", "d"): 2.0}, {("en", "c", "d")}) == {("en", "a", "b"): 1.0}


# recorded autoscalers


def test_writes_are_where_the_count_changes() -> None:
    points = [autoscalers.Point(i * MINUTE, count, 10.0) for i, count in enumerate((1, 1, 3, 2, 2, 4))]
    made = list(autoscalers.events(points))
    assert [(e.old, e.new) for e in made if isinstance(e, Action)] == [(1, 3), (3, 2), (2, 4)]
    assert sum(isinstance(e, Sample) for e in made) == 6
    assert autoscalers.turns(point.replicas for point in points) == 2


# the command lines


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_without_data_it_says_what_is_missing_and_runs_the_rest(tmp_path: Path) -> None:
    ran = run("benchmarks.accuracy", "--data", str(tmp_path), "--seeds", "1")
    assert ran.returncode == 0, ran.stderr
    assert "jitter" in ran.stdout and "reverts.tsv.xz" in ran.stdout and "short_table.md" in ran.stdout
    assert run("benchmarks.accuracy", "--data", str(tmp_path / "no")).returncode == 2


def test_the_wikibots_tables_of_a_tiny_folder(tmp_path: Path) -> None:
    (tmp_path / "wikibots").mkdir()
    rows = [
        revert(str(page), 100 * page + i, "ab"[i % 2], "ba"[i % 2], 10 * i, ("xy", "yx")[i % 2])
        for page in (1, 2)
        for i in range(8)
    ]
    rows += [revert("3", 301, "c", "d", 0)]
    lines = ["\t".join(COLUMNS), *("\t".join(row[name] for name in COLUMNS) for row in rows)]
    labels = ["language\tagent_a\tagent_b\tlabel", "en\ta\tb\tfight", "en\tc\td\tbenign"]
    for name, text in zip(wikibots.FILES, (lines, labels), strict=True):
        (tmp_path / "wikibots" / name).write_bytes(lzma.compress("\n".join(text).encode()))
    ran = run("benchmarks.accuracy", "--data", str(tmp_path), "--only", "wikibots")
    assert ran.returncode == 0, ran.stderr
    assert "WikiBots: 20 edits" in ran.stdout
    assert "| interplay, wikibots.toml | 1.000 | 1 |" in ran.stdout


def test_the_cost_of_a_part() -> None:
    ran = run("benchmarks.accuracy.cost", "--writes", "5000", "--knobs", "100", "--memory-minutes", "0.1")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("\n| ") == 12 and "5,000" in ran.stdout
    assert len({write.resource for write in cost.writes(1000, 50, 10)}) == 50
