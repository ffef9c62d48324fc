"""Every format of `interplay analyze`: the same findings, waivers and failures in each, safe against what agents write, and valid."""

from __future__ import annotations

import html
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from fights import NOW, finding
from msgspec.structs import replace

from models.events import Action, Event, Transition
from models.findings import Evidence, Finding, decode_finding, encode_finding
from models.instants import HOUR, MINUTE, SECOND
from streams.report import FORMATS
from streams.report.album import Album
from streams.report.judged import Judged, Report, judge, parse_rule
from streams.report.lanes import COLOURS, colours, picture
from streams.settings import Waiver
from streams.terminal import Terminal

PLAIN = Terminal(io.StringIO(), {})
SARIF = json.loads((Path(__file__).parent / "sarif" / "sarif-schema-2.1.0.json").read_text())
HOSTILE = "</text><script>alert(1)</script>\x1b[2J\x00 \u202e]](http://evil) ]]> {0} & \"'"
WAIVER = Waiver(
    pattern="thrashing", agents=("hpa-*",), resource="*", owner="team-cart", reason="up-only, down-only", expires=NOW + HOUR
)

BAD = finding(finding_id="f_bad", kind="growing", severity="error", title="perf and cost fight over db/orders replicas")
MEANT = finding(finding_id="f_meant", agents=("hpa-down", "hpa-up"), title="hpa-down and hpa-up fight over cart replicas")
OVERDUE = replace(MEANT, finding_id="f_overdue", updated_at="2030-01-01T00:00:00Z")
CALM = finding(finding_id="f_calm", pattern="cascade", kind="decision", severity="info", title="a set off b")


def report(*findings: Finding, rules: tuple[str, ...] = ("thrashing:warning",), **more: object) -> Report:
    judged = judge(findings, [WAIVER], [parse_rule(rule) for rule in rules])
    return Report(judged, ("4 findings.", "Fails: 2."), ("events.jsonl",), version="0.1.0", **more)  # type: ignore[arg-type]


def rendered(name: str, *findings: Finding) -> str:
    return FORMATS[name](report(*(findings or (BAD, MEANT, OVERDUE, CALM))), PLAIN)


@pytest.mark.parametrize(
    ("text", "matching"),
    [
        ("any", {"f_bad", "f_meant", "f_calm"}),
        ("any:error", {"f_bad"}),
        ("thrashing", {"f_bad", "f_meant"}),
        ("thrashing:warning", {"f_bad", "f_meant"}),
        ("thrashing/growing", {"f_bad"}),
        ("thrashing/growing:critical", set()),
        ("growing", {"f_bad"}),
        ("decision:info", {"f_calm"}),
    ],
)
def test_a_rule_matches_pattern_kind_and_severity(text: str, matching: set[str]) -> None:
    rule = parse_rule(text)
    assert {f.finding_id for f in (BAD, MEANT, CALM) if rule.matches(f)} == matching
    assert parse_rule(str(rule)) == rule


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("trashing", "no pattern 'trashing'; choose from any, thrashing, intent_conflict, cascade, convergence"),
        ("thrashing/decision", "thrashing has no kind 'decision'; choose from sustained, growing, "),
        ("any/growing", "any has no kind 'growing'"),
        ("thrashing:severe", "no severity 'severe'; choose from info, warning, error, critical"),
        ("thrashing:", "no severity ''"),
        ("", "no pattern ''"),
    ],
)
def test_a_rule_that_is_none_names_the_choices(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        parse_rule(text)


def test_waivers_and_rules_decide_together() -> None:
    judged = {each.finding.finding_id: (each.waived, each.broken) for each in report(BAD, MEANT, OVERDUE, CALM).judged}
    assert judged == {
        "f_bad": (False, "thrashing:warning"),
        "f_meant": (True, ""),
        "f_overdue": (False, "thrashing:warning"),
        "f_calm": (False, ""),
    }


def test_text_tells_what_needs_somebody_first_and_what_is_waived_in_short() -> None:
    bad, calm, overdue, meant, summary = rendered("text", MEANT, BAD, CALM, OVERDUE).split("\n\n")
    assert bad.startswith("error thrashing/growing: perf and cost fight")
    assert calm.startswith("info cascade/decision: ")
    assert overdue.splitlines()[-2] == (
        "  No longer waived: the waiver of team-cart expired at 2025-11-25T03:00:00Z. Its reason was: up-only, down-only."
    )
    assert meant.splitlines() == [
        "waived warning thrashing/sustained: hpa-down and hpa-up fight over cart replicas",
        "  Waived by team-cart until 2025-11-25T03:00:00Z: up-only, down-only.",
        "  f_meant",
    ]
    assert summary.splitlines() == ["4 findings.", "Fails: 2."]


def test_json_lines_are_the_findings_and_say_what_is_waived() -> None:
    lines = rendered("json").splitlines()
    assert lines[0].encode() == encode_finding(BAD)
    assert [decode_finding(line.encode()).finding_id for line in lines] == ["f_bad", "f_calm", "f_meant", "f_overdue"]
    told = {"owner": "team-cart", "reason": "up-only, down-only", "expires": "2025-11-25T03:00:00Z"}
    assert [json.loads(line).get("waiver") for line in lines] == [None, None, {**told, "expired": False}, {**told, "expired": True}]
    assert json.loads(lines[2]) == {**json.loads(encode_finding(MEANT)), "waiver": {**told, "expired": False}}
    assert FORMATS["json"](Report(()), PLAIN) == ""


def test_junit_fails_what_the_rules_match_skips_what_is_waived_and_passes_the_rest() -> None:
    root = ElementTree.fromstring(rendered("junit"))
    (suite,) = root
    cases = {case.get("name", "").rsplit("[")[-1].rstrip("]"): case for case in suite.findall("testcase")}
    outcome = {name: next((child.tag for child in case if child.tag != "system-out"), "passed") for name, case in cases.items()}
    assert outcome == {
        "f_bad": "failure",
        "f_calm": "passed",
        "f_meant": "skipped",
        "f_overdue": "failure",
        "nothing found": "passed",
    }
    counted = [len(suite.findall("testcase")), len(suite.findall("*/failure")), 0, len(suite.findall("*/skipped"))]
    assert [int(suite.get(name, "")) for name in ("tests", "failures", "errors", "skipped")] == counted == [6, 2, 0, 1]
    assert cases["f_bad"].get("classname") == "interplay.thrashing.growing"
    assert "perf and cost fight" in cases["f_bad"].find("failure").get("message")  # type: ignore[union-attr]
    assert cases["f_meant"].find("skipped").get("message", "").startswith("Waived by team-cart")  # type: ignore[union-attr]
    nothing = ElementTree.fromstring(FORMATS["junit"](Report(()), PLAIN))
    assert [int(nothing.get(name, "")) for name in ("tests", "failures")] == [4, 0]


@pytest.mark.parametrize("findings", [(BAD, MEANT, OVERDUE, CALM), (), (finding(title=HOSTILE, resources=(HOSTILE,)),)])
def test_sarif_is_valid_against_the_schema_of_the_standard(findings: tuple[Finding, ...]) -> None:
    document = json.loads(FORMATS["sarif"](report(*findings), PLAIN))
    jsonschema.Draft7Validator(SARIF, format_checker=jsonschema.FormatChecker()).validate(document)
    assert len(document["runs"][0]["results"]) == len(findings)
    broken = {**document, "runs": [{**document["runs"][0], "results": [{"ruleId": 3}]}]}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(SARIF).validate(broken)


def test_sarif_names_rules_resources_fingerprints_and_suppressions() -> None:
    (run,) = json.loads(rendered("sarif"))["runs"]
    rules = run["tool"]["driver"]["rules"]
    by_id = {result["fingerprints"]["findingId/v1"]: result for result in run["results"]}
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    bad = by_id["f_bad"]
    assert (bad["ruleId"], bad["level"]) == ("thrashing/growing", "error")
    assert bad["locations"][0]["logicalLocations"] == [{"fullyQualifiedName": "db/orders", "kind": "resource"}]
    assert bad["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "events.jsonl"
    assert [name for name, result in by_id.items() if "suppressions" in result] == ["f_meant"]
    assert by_id["f_meant"]["suppressions"][0]["justification"].startswith("Waived by team-cart until ")
    assert "expired" in by_id["f_overdue"]["properties"]["waiverExpired"]
    assert by_id["f_calm"]["level"] == "note"
    assert [note["message"]["text"] for note in run["invocations"][0]["toolExecutionNotifications"]] == ["4 findings.", "Fails: 2."]


WRITES: dict[str, Event] = {
    f"agents/cost/1 a{n}": Action(
        id=f"a{n}", source="agents/cost/1", time=NOW + n * MINUTE, resource="db/orders", agent=("cost", "perf")[n % 2],
        verb="scale", parameter="replicas", old=8, new=16 if n % 2 else 8,
    )
    for n in range(9)
}  # fmt: skip


class Tags(HTMLParser):
    """The tags of a page, the text outside of styles, and whether they nest."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in ("meta", "line", "circle", "path") or tag == "circle":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html_is_one_page_that_needs_nothing_and_runs_nothing() -> None:
    page = FORMATS["html"](report(BAD, MEANT, CALM, events=WRITES), PLAIN)
    tags = Tags(page)
    assert tags.open == []
    assert not tags.seen & {"script", "link", "img", "iframe", "object", "a", "base", "form"}
    assert not {name for name in tags.attributes if name.startswith("on")} | (tags.attributes & {"src", "href"})
    assert "url(" not in page and "@import" not in page and "http" not in page.replace("http-equiv", "")
    first, second, third = re.findall(r"<h2>(.*?)</h2>", page)
    assert first.startswith("error thrashing/growing") and second.startswith("info") and "hpa-up" in third
    assert "Fails: --fail-on thrashing:warning" in page and "Waived by team-cart until" in page
    assert page.count("<svg") == 3
    assert "3 findings, 1 of them failing" in page


def test_a_picture_has_a_lane_for_each_knob_and_a_colour_for_each_agent() -> None:
    shown = finding(agents=("cost", "perf"))
    health = Transition(
        id="t", source="m", time=NOW + 90 * SECOND, resource="db/orders", metric="health", before="up", after="down"
    )
    evidence = (*shown.evidence, Evidence(event="m t", time="", role="effect"), Evidence(event="gone x", time="", role="effect"))
    drawn = picture(replace(shown, evidence=evidence), {**WRITES, "m t": health}, colours([shown]))
    root = ElementTree.fromstring(drawn)
    names = [text.text for text in root.findall("text[@class='name']")]
    assert names == ["db/orders replicas", "db/orders health"]
    dots = root.findall("circle")
    assert len(dots) == 10
    assert [dot.get("fill") for dot in dots] == [COLOURS[n % 2] for n in range(9)] + ["#808080"]
    across = [float(dot.get("cx", "")) for dot in dots[:9]]
    assert across == sorted(across) and across[0] > 0 and across[-1] < 960
    assert {dot.get("cy") for dot in dots[0:9:2]} != {dot.get("cy") for dot in dots[1:9:2]}
    assert dots[1][0].text == "02:01:00 perf raised db/orders replicas 8 -> 16" + "."
    assert picture(shown, {}, {}) == ""


def test_a_picture_leaves_out_lanes_that_are_too_many_and_says_so() -> None:
    many = {
        f"s a{n}": Action(id=f"a{n}", source="s", time=NOW, resource=f"r/{n}", agent="a", verb="do", parameter="do")
        for n in range(11)
    }
    shown = finding(evidence=tuple(Evidence(event=name, time="", role="x") for name in many))
    root = ElementTree.fromstring(picture(shown, many, {}))
    assert len(root.findall("text[@class='name']")) == 8
    assert (root.find("text[@class='axis']").text or "").endswith("UTC (3 more lanes not shown)")  # type: ignore[union-attr]


@pytest.mark.parametrize("name", FORMATS)
def test_what_agents_write_stays_text(name: str) -> None:
    event = Action(
        id="a0", source="agents/cost/1", time=NOW, resource=HOSTILE, agent=HOSTILE, verb="x", parameter=HOSTILE, new=HOSTILE
    )
    hostile = finding(
        title=HOSTILE,
        agents=(HOSTILE,),
        resources=(HOSTILE,),
        parameters=(HOSTILE,),
        domain=HOSTILE,
        explanation=(HOSTILE, HOSTILE),
    )
    told = replace(report(hostile, rules=("any",)), events={"agents/cost/1 a0": event}, summary=(HOSTILE,), files=(HOSTILE,))
    page = FORMATS[name](told, PLAIN)
    assert not set(page) & set("\x1b\x00" if name == "json" else "\x1b\x00\u202e")
    if name == "html":
        assert Tags(page).open == [] and "script" not in Tags(page).seen
        assert html.escape("</script>") in page
    elif name == "junit":
        (case, *_) = ElementTree.fromstring(page).iter("testcase")
        assert "<script>" in case.get("name", "")
    elif name == "sarif":
        assert "](http" not in json.loads(page)["runs"][0]["results"][0]["message"]["text"]
    elif name == "json":
        assert decode_finding(page.encode()) == hostile


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_findings_give_the_same_report_in_any_order(name: str) -> None:
    assert rendered(name, BAD, MEANT, CALM, OVERDUE) == rendered(name, OVERDUE, CALM, MEANT, BAD)


def test_an_album_keeps_the_evidence_and_forgets_the_rest() -> None:
    album = Album(recent=4)
    for number, (name, event) in enumerate(WRITES.items()):
        album.see(event)
        if number == 2:
            album.keep(
                finding(evidence=(Evidence(event=name, time="", role="root"), Evidence(event="gone x", time="", role="root")))
            )
    assert list(album.kept) == ["agents/cost/1 a2"]
    album.keep(finding())
    assert list(album.kept) == ["agents/cost/1 a2", *(f"agents/cost/1 a{n}" for n in (5, 6, 7, 8))]


def test_a_judged_finding_without_waivers_is_not_waived() -> None:
    assert not Judged(BAD).waived
