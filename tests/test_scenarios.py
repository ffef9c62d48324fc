"""Every scenario holds, however its events arrive; each kind has one that fires and a near miss; the sentences are the golden ones.

Also the reading of scenarios, the words of expectations, and the loops of the notation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from golden_explanations import FOLDER, prose
from msgspec.structs import replace
from test_cli import interplay

from models.configuration import Analysis
from models.events import Action, Intent
from models.findings import KINDS, Change
from models.instants import parse_time
from models.notation import parse, parse_lines
from models.rejection import Rejection
from models.scenarios import ARRANGEMENTS, Scenario, final, judge, play, read_scenario
from models.scenarios.expecting import known_at, read_expectation
from models.scenarios.playing import SPLIT
from models.scenarios.reading import KEYS, NEEDED
from streams import library

NAMES = library.names()
LATER = {"cascade/fault", "cascade/metastable", "convergence/headroom", "convergence/pressure"}  # kinds of later versions


@dataclass
class Library:
    """Each scenario is read and run once."""

    scenarios: dict[str, Scenario]
    played: dict[str, library.Played]

    def run(self, name: str) -> library.Played:
        if name not in self.played:
            self.played[name] = library.run(self.scenarios[name])
        return self.played[name]


@pytest.fixture(scope="module")
def shelf() -> Iterator[Library]:
    yield Library({name: library.scenario(name) for name in NAMES}, {})


def marked() -> list[object]:
    """The names; pending ones must fail, so that the mark goes when it can."""
    return [
        pytest.param(name, marks=pytest.mark.xfail(strict=True, reason=pending))
        if (pending := library.scenario(name).pending)
        else name
        for name in NAMES
    ]


@pytest.mark.parametrize("name", marked())
def test_it_holds(name: str, shelf: Library) -> None:
    played = shelf.run(name)
    assert [f"{outcome.expectation.text}: {outcome.sentence}" for outcome in played.outcomes if not outcome.holds] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_arrangement_of_its_events_gives_the_same_revisions(name: str, shelf: Library) -> None:
    assert shelf.run(name).differing == ()


@pytest.mark.parametrize("name", NAMES)
def test_the_sentences_are_the_golden_ones(name: str, shelf: Library) -> None:
    scenario, file = shelf.scenarios[name], FOLDER / f"{name}.txt"
    if scenario.fires and not scenario.pending:
        assert file.is_file() and prose(shelf.run(name)) == file.read_text(), "make golden, then read the diff as prose"
    else:
        assert not file.exists()


def test_no_golden_file_is_left_over() -> None:
    assert {file.relative_to(FOLDER).with_suffix("").as_posix() for file in FOLDER.rglob("*.txt")} <= set(NAMES)


def test_each_kind_has_a_scenario_that_fires_and_a_near_miss(shelf: Library) -> None:
    kinds = {f"{pattern}/{kind}" for pattern, names in KINDS.items() for kind in names} - LATER
    short = {name.rpartition("/")[2]: scenario for name, scenario in shelf.scenarios.items()}
    assert len(short) == len(NAMES), "names are unique without their folders"
    fired = {kind for scenario in short.values() for kind in scenario.kinds}
    missed = {kind for scenario in short.values() for other in scenario.near for kind in short[other].kinds}
    assert kinds <= fired, kinds - fired
    assert kinds <= missed, kinds - missed


def test_a_near_miss_says_that_it_is_none(shelf: Library) -> None:
    short = {name.rpartition("/")[2]: scenario for name, scenario in shelf.scenarios.items()}
    for scenario in short.values():
        kinds = {kind for other in scenario.near for kind in short[other].kinds if kind not in scenario.kinds}
        assert not scenario.near or kinds
        for kind in kinds:
            assert {"nothing", kind, kind.partition("/")[0]} & set(scenario.spared), f"{scenario.name} does not rule out {kind}"


def test_each_can_be_read_in_a_minute_and_says_where_it_comes_from(shelf: Library) -> None:
    for scenario in shelf.scenarios.values():
        lines = scenario.text.splitlines()
        assert len(lines) <= 35 and sum(map(len, lines)) < 5000, scenario.name
        assert scenario.source.startswith(("https://", "made up", "none", "a textbook")), scenario.name
        assert not scenario.title.endswith("."), scenario.name


def test_scenarios_that_share_an_analyzer_do_not_see_each_other(shelf: Library) -> None:
    """All of them at once, from 2010 to 2026, each in a domain of its own: what opens in each is what opens when it is alone."""
    plain = {name: scenario for name, scenario in shelf.scenarios.items() if not scenario.settings}
    events = [replace(event, domain=name) for name, scenario in plain.items() for event in scenario.events]
    opened = {name: Counter[str]() for name in plain}
    for change in play(events, Analysis(), "batch"):
        if change.verb == "opened":
            opened[change.finding.domain][f"{change.finding.detected_at} {change.finding.title}"] += 1
    for name in plain:
        alone = (change.finding for change in shelf.run(name).changes if change.verb == "opened")
        assert opened[name] == Counter(f"{finding.detected_at} {finding.title}" for finding in alone), name


# The rest is about the tools themselves.

HEAD = "# A title\n# source: https://example.org\n# documented: this\n# reconstructed: that,\n#   and more\n# look: here\n\n"
DAY = "on 2026-11-24\n"
FIGHT = "every 1m x 4\n02:00:00 a@a/1#a{n} set k p 1 -> 2\n02:00:30 b@b/1#b{n} set k p 2 -> 1\nend\n"


def changes_of(text: str) -> list[Change]:
    return play(parse(text), Analysis())


def outcome(line: str, text: str = DAY + FIGHT) -> tuple[bool, str]:
    (judged,) = judge([read_expectation(line, "2026-11-24")], changes_of(text))
    return judged.holds, judged.sentence


def test_a_scenario_is_read_with_its_head() -> None:
    scenario = read_scenario("x", HEAD + DAY + FIGHT + "expect thrashing on k by 02:01:30\nexpect no cascade\n")
    assert (scenario.title, scenario.documented, scenario.reconstructed, scenario.look) == (
        "A title",
        "this",
        "that, and more",
        "here",
    )
    assert (len(scenario.events), scenario.kinds, scenario.spared, scenario.near) == (8, ("thrashing",), ("cascade",), ())


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        (DAY + "expect nothing\n", "the head lacks `# source: ...`, `# documented: ...`, `# reconstructed: ...`, `# look: ...`"),
        (HEAD + DAY + FIGHT, "no line `expect"),
        (HEAD.replace("# look", "# lok") + DAY, "line 6: the head has"),
        (HEAD + DAY + "expect thrash by 02:00:00\n", "line 9: 'thrash' is no pattern"),
        (HEAD + DAY + "expect thrashing/decision by 02:00:00\n", "line 9: 'thrashing/decision' is no pattern"),
        (HEAD + DAY + "expect thrashing on k\n", "line 9: what must be found needs `by TIME`"),
        (HEAD + DAY + "expect no thrashing by 02:00:00\n", "line 9: what must be found needs `by TIME`"),
        (HEAD + DAY + "expect thrashing by\n", "line 9: after `by` something is missing"),
        (HEAD + DAY + "expect thrashing soon by 02:00:00\n", "line 9: 'soon' is not understood"),
        (HEAD + DAY + "expect thrashing on a b c by 02:00:00\n", "line 9: after `on` come"),
        (HEAD + DAY + "expect thrashing by 02:00:00 by 02:00:00\n", "line 9: `by` is given twice"),
        (HEAD + DAY + FIGHT.replace("a{n}", "a") + "expect nothing\n", "'a/1 a' names two events"),
        (HEAD + DAY + FIGHT.replace("1m x", "1q x") + "expect nothing\n", "line 9: a loop is `every PERIOD x ROUNDS`"),
        (HEAD + DAY + FIGHT.replace("end", "") + "expect nothing\n", "line 9: a loop is `every PERIOD x ROUNDS`"),
        (HEAD + DAY + "02:00:00 a@a/1#a set\nexpect nothing\n", "line 9: column"),
    ],
)
def test_mistakes_are_told_by_line(text: str, trouble: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_scenario("x", text)
    assert str(caught.value).startswith(trouble)


def test_expectations_hold_and_fail_for_what_they_say() -> None:
    assert outcome("expect thrashing/sustained on k p agents a b root a2 by 02:02:00")[0] is False
    assert outcome("expect thrashing/sustained on k p agents a b root b1 by 02:01:30") == (True, "known at 02:01:30, to the second")
    assert outcome("expect thrashing by 02:01:00") == (False, "known at 02:01:30, 30 s too late")
    assert outcome("expect thrashing by 02:02:00") == (True, "known at 02:01:30, 30 s before it must be")
    for wrong in ("on j", "on k q", "agents a c", "root b2"):
        assert outcome(f"expect thrashing {wrong} by 02:09:00") == (False, "not found; found instead: thrashing/sustained")
    assert outcome("expect cascade by 02:09:00", DAY + "02:00:00 a@a/1#a set k p 1 -> 2\n") == (
        False,
        "not found, nor was anything",
    )
    assert outcome("expect no cascade")[0] and not outcome("expect no thrashing on k")[0] and outcome("expect no thrashing on j")[0]
    assert outcome("expect nothing") == (False, "found thrashing/sustained at 02:01:30: a and b fight over k p")


def test_nothing_else_leaves_what_is_expected_aside() -> None:
    lines = [read_expectation(line, "2026-11-24") for line in ("expect thrashing on k by 02:03:00", "expect nothing else")]
    assert [each.holds for each in judge(lines, changes_of(DAY + FIGHT))] == [True, True]
    second = FIGHT.replace(" k ", " j ").replace("#a", "#c").replace("#b", "#d")
    assert [each.holds for each in judge(lines, changes_of(DAY + FIGHT + second))] == [True, False]


def test_what_must_be_over_has_to_be_over() -> None:
    line = "expect thrashing by 02:02:00 over by 02:30:00"
    assert outcome(line)[1] == "known at 02:01:30, 30 s before it must be; it is not over when the events end"
    later = DAY + FIGHT + "04:00:00 m#m transition x y a -> b\n"
    assert outcome(line, later)[0] is True
    assert outcome(line.replace("02:30", "02:04"), later)[0] is False


def test_a_loop_shifts_every_moment_and_numbers_its_rounds() -> None:
    text = (
        f"{DAY}every 4m x 3\n"
        "  02:00:00 a@a/1#a{n} set node/{n+1} p 1 -> 2 reads q:m=3@01:59:50 holds until 02:01:00 after z{n-1}\n"
        "  02:00:01 a@a/1#i{n} intent node/{n} until 02:03:00\n"
        "end\n02:30:00 a@a/1#z set k p 1\n"
    )
    events = parse(text.replace("set k p 1", "set k p 1 -> 2"))
    assert [event.id for event in events] == ["a1", "i1", "a2", "i2", "a3", "i3", "z"]
    third, word = events[4], events[5]
    assert isinstance(third, Action) and isinstance(word, Intent) and third.intent is not None

    def at(clock: str) -> int:
        return parse_time(f"2026-11-24T{clock}Z")

    assert (third.time, third.reads[0].time, third.intent.until, word.until) == tuple(
        map(at, ("02:08:00", "02:07:50", "02:09:00", "02:11:00"))
    )
    assert (third.resource, third.causes) == ("node/4", ("z2",))


def test_mistakes_in_a_loop_carry_the_line_of_the_loop() -> None:
    lines = [DAY, "every 1m x 2", "02:00:00 a@a/1#a{n} set", "end", "02:05:00 a@a/1#b set k"]
    found = list(parse_lines(lines))
    assert [(number, isinstance(event, Rejection)) for number, event in found] == [(3, True), (3, True), (5, False)]
    too_many = list(parse_lines([DAY, "every 1m x 10001", "02:00:00 a@a/1#a{n} set k", "end"]))
    assert [number for number, _ in too_many] == [2] and isinstance(too_many[0][1], Rejection)


def test_arrangements_do_what_they_say() -> None:
    events = parse(DAY + FIGHT.replace("1m", "4s").replace("02:00:30", "02:00:02"))
    arrived = {name: arrange(events, Analysis().time.lateness) for name, arrange in ARRANGEMENTS.items()}
    assert arrived["batch"] == arrived["streamed"] == [(0, event) for event in events]
    times = [event.time for _, event in arrived["shuffled"]]
    assert sorted(times) == [event.time for event in events] and times != sorted(times)
    assert max(earlier - later for i, earlier in enumerate(times) for later in times[i:]) <= Analysis().time.lateness
    assert {number for number, _ in arrived["split"]} == set(range(SPLIT))
    assert sorted(event.id for _, event in arrived["split"]) == sorted(event.id for event in events for _ in range(2))
    assert final(play(events, Analysis(), "split")) != []


def test_known_at_is_when_the_evidence_of_a_revision_sufficed() -> None:
    opened, *others = changes_of(DAY + FIGHT)
    assert known_at(opened.finding) == parse_time("2026-11-24T02:01:30Z")
    assert [known_at(change.finding) for change in others] == sorted(known_at(change.finding) for change in others)


def test_settings_of_a_scenario_count(tmp_path: Path) -> None:
    file = tmp_path / "mine.trace"
    text = HEAD.replace("# look", "# settings: [analysis.thrashing]\n#   deadband = 0.8\n# look") + DAY + FIGHT + "expect nothing\n"
    file.write_text(text)
    assert library.run(library.scenario(str(file))).holds
    file.write_text(text.replace("deadband", "daedband"))
    with pytest.raises(library.Unreadable, match=r"mine: its settings: analysis\.thrashing\.daedband: no such setting"):
        library.run(library.scenario(str(file)))


def test_the_page_names_every_key_and_clause() -> None:
    page = (Path(__file__).parent.parent / "docs" / "scenarios.md").read_text()
    assert set(NEEDED) <= set(KEYS)
    for word in (
        *(f"`{key}`" for key in KEYS),
        *(f"`{name}`" for name in ARRANGEMENTS),
        "expect nothing else",
        "over by",
        "every 4m x 10",
    ):
        assert word in page, word


def test_the_command_lists_shows_and_runs(tmp_path: Path) -> None:
    listed = interplay("scenario", "list", cwd=tmp_path)
    assert listed.returncode == 0 and [line.split("\t")[0] for line in listed.stdout.splitlines()] == sorted(NAMES)
    shown = interplay("scenario", "show", "reddit-2016", cwd=tmp_path)
    assert shown.stdout.startswith("# A package manager turns the autoscaler back on")
    assert "autoscaler/app enabled: true ─[21:40:00 operator]→ false ─[22:23:00 package-manager]→ true" in shown.stdout
    ran = interplay("scenario", "run", "reddit-2016", "controls/cme-pause", cwd=tmp_path)
    assert ran.returncode == 0 and ran.stdout.endswith("2 of 2 scenarios hold (3 expectations).\n")
    assert "known at 22:23:00, to the second" in ran.stdout
    everything = interplay("scenario", "run", "--all", cwd=tmp_path)
    assert everything.returncode == 0 and f"{len(NAMES)} of {len(NAMES)} scenarios hold" in everything.stdout


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    mine = tmp_path / "mine.trace"
    mine.write_text(HEAD + DAY + FIGHT + "expect nothing\n")
    ran = interplay("scenario", "run", "mine.trace", cwd=tmp_path)
    assert ran.returncode == 1 and "fails expect nothing: found thrashing/sustained" in ran.stdout and "Broken: mine." in ran.stdout
    mine.write_text(HEAD + DAY + FIGHT)
    for arguments, words in [
        (("run", "mine.trace"), "mine.trace: no line `expect"),
        (("run",), "say which scenarios to run"),
        (("show", "nowhere"), "there is no scenario 'nowhere'"),
        (("run", "nowhere.trace"), "nowhere.trace: No such file"),
    ]:
        failed = interplay("scenario", *arguments, cwd=tmp_path)
        assert failed.returncode == 2 and failed.stderr.startswith(f"interplay scenario: {words}"), failed.stderr
