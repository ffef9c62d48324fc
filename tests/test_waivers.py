"""Waivers: read from the settings with every mistake told, matched to findings, and judged in event time."""

from __future__ import annotations

from pathlib import Path

import pytest
from fights import NOW, finding
from msgspec.structs import replace

from models.findings import KINDS
from models.instants import HOUR, parse_time
from streams.settings import Waiver
from streams.settings_file import SettingsError, load
from streams.settings_file.waivers import read_waivers, written_waiver
from streams.waivers import account, ruling, sentence

# The standing example: two HPAs on one deployment, one of which may only scale up and the other only down.
HPAS = """
[[waiver]]
pattern = "thrashing"
agents = ["hpa-up", "hpa-down"]
resource = "k8s/prod/*"
owner = "team-cart"
reason = "one scales up only, the other down only."
expires = 2027-01-31
"""
FIGHT = finding(agents=("hpa-down", "hpa-up"), resources=("k8s/prod/shop/deployment/cart",))
UNTIL = parse_time("2027-01-31T00:00:00Z")


def waivers(text: str, tmp_path: Path) -> tuple[Waiver, ...]:
    file = tmp_path / "w.toml"
    file.write_text(text)
    return load(str(file), {}).settings.waiver


def mistakes(text: str, tmp_path: Path) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        waivers(text, tmp_path)
    return [line.removeprefix(f"{tmp_path}/w.toml: ") for line in caught.value.mistakes]


def test_the_standing_example_is_read_and_covers_the_fight(tmp_path: Path) -> None:
    (waiver,) = waivers(HPAS, tmp_path)
    assert waiver.expires == UNTIL
    given = ruling(FIGHT, [waiver])
    assert given is not None and not given.expired
    assert sentence(given) == "Waived by team-cart until 2027-01-31T00:00:00Z: one scales up only, the other down only."


def test_what_is_printed_reads_back_and_the_page_has_an_example_that_does(tmp_path: Path) -> None:
    (waiver,) = waivers(HPAS, tmp_path)
    assert waivers(written_waiver(waiver), tmp_path) == (waiver,)
    page = (Path(__file__).parent.parent / "docs" / "configuration.md").read_text()
    (example,) = waivers(page.split("```toml\n[[waiver]]")[1].split("```")[0].join(["[[waiver]]", ""]), tmp_path)
    assert ruling(FIGHT, [example]) is not None


@pytest.mark.parametrize(
    "other",
    [
        {"agents": ("hpa-down", "hpa-up", "cost")},  # a third agent has joined
        {"agents": ("hpa-up",)},  # one alone is hunting: not the intended pair
        {"resources": ("k8s/test/cart",)},
        {"resources": ("k8s/prod/cart", "db/orders")},
        {"pattern": "cascade", "kind": "decision"},
    ],
)
def test_anything_else_is_not_waived(other: dict[str, object], tmp_path: Path) -> None:
    assert ruling(replace(FIGHT, **other), waivers(HPAS, tmp_path)) is None


def test_a_kind_and_globs_of_agents(tmp_path: Path) -> None:
    text = HPAS.replace('"thrashing"', '"thrashing/growing"').replace('["hpa-up", "hpa-down"]', '["hpa-*"]')
    waiver = waivers(text, tmp_path)
    assert ruling(FIGHT, waiver) is None
    assert ruling(replace(FIGHT, kind="growing"), waiver) is not None


def test_expiry_is_judged_by_the_newest_evidence_and_not_by_any_clock(tmp_path: Path) -> None:
    (waiver,) = waivers(HPAS, tmp_path)
    at_the_end = [replace(FIGHT, updated_at=f"2027-01-{time}Z") for time in ("30T23:59:59.999999999", "31T00:00:00")]
    assert [given.expired for each in at_the_end if (given := ruling(each, [waiver]))] == [False, True]
    later = replace(waiver, expires=UNTIL + HOUR, owner="renewed")
    renewed = ruling(at_the_end[1], [waiver, later])
    assert renewed is not None and (renewed.waiver.owner, renewed.expired) == ("renewed", False)
    expired = ruling(at_the_end[1], [waiver])
    assert expired is not None
    assert sentence(expired) == (
        "No longer waived: the waiver of team-cart expired at 2027-01-31T00:00:00Z. "
        "Its reason was: one scales up only, the other down only."
    )


def test_the_account_names_what_has_expired_and_what_is_not_needed(tmp_path: Path) -> None:
    (waiver,) = waivers(HPAS, tmp_path)
    name = "Waiver 1 (thrashing, hpa-up + hpa-down, k8s/prod/*; team-cart)"
    expired = ruling(replace(FIGHT, updated_at="2027-02-01T00:00:00Z"), [waiver])
    assert account([waiver], [ruling(FIGHT, [waiver]), None], NOW) == []
    assert account([waiver], [expired], UNTIL + HOUR) == [
        f"{name} expired at 2027-01-31T00:00:00Z and no longer covers 1 finding: renew it, or end the fight."
    ]
    assert account([waiver], [None], UNTIL) == [f"{name} expired at 2027-01-31T00:00:00Z and matches nothing: delete it."]
    assert account([waiver], [], NOW) == [f"{name} matches nothing here."]


def test_every_mistake_is_told_with_its_place(tmp_path: Path) -> None:
    text = HPAS.replace('"thrashing"', '"trashing"').replace("reason", "reasons").replace("2027-01-31", "2027-01-31T08:00:00")
    assert mistakes(HPAS + text.replace("k8s/prod/*", "k8s/[prod"), tmp_path) == [
        "waiver 2: reasons: no such field; did you mean reason?",
        "waiver 2: pattern: no pattern 'trashing'; choose from thrashing, intent_conflict, cascade, convergence",
        'waiver 2: resource: \'k8s/[prod\' opens a "[" and never closes it; write "[[]" for the bracket itself',
        "waiver 2: reason is missing: why it is intended",
        "waiver 2: expires: 2027-01-31T08:00:00 names no zone; write 2027-01-31T08:00:00Z for UTC",
    ]
    assert mistakes("[waiver]\npattern = 'thrashing'\n", tmp_path) == ["waiver: must be tables, each under its own [[waiver]]"]
    assert mistakes("[[waivers]]\n", tmp_path) == ["waivers: no such setting; did you mean waiver?"]


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("pattern", "thrashing/decision", "thrashing has no kind 'decision'; choose from sustained, growing, "),
        ("agents", [], "is empty"),
        ("agents", "hpa", "must be a list of names"),
        ("owner", " ", "is empty; it says who answers for it"),
        ("reason", 3, "must be a text in quotes, not 3"),
        ("expires", "soon", "must be a date such as 2027-01-31"),
        ("expires", "9999-01-01", "time outside 1970-2262"),
        ("expires", 3, "must be a date such as 2027-01-31"),
    ],
)
def test_each_field_is_checked(field: str, value: object, told: str) -> None:
    table = {
        "pattern": "thrashing",
        "agents": ["a"],
        "resource": "*",
        "owner": "me",
        "reason": "so",
        "expires": "2027-01-31T01:00:00+01:00",
    }
    (waiver,), wrong = read_waivers([table])
    assert (waiver.expires, wrong) == (UNTIL, [])
    none, (mistake,) = read_waivers([{**table, field: value}])
    assert none == () and mistake.startswith(f"waiver 1: {field}: ") and told in mistake


def test_the_kinds_are_those_that_the_page_on_patterns_names() -> None:
    page = (Path(__file__).parent.parent / "docs" / "patterns.md").read_text()
    rows = [line.split("`") for line in page.splitlines() if line.startswith("| `") and line.count("`") >= 4]
    named = {(row[1], row[3]) for row in rows if row[1] in KINDS}
    assert len(named) >= 7
    assert {(pattern, kind) for pattern, kind in named if kind not in KINDS[pattern]} == set()
