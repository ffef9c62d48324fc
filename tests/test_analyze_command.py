"""`interplay analyze` and `validate` on files: findings in both formats, exit codes, bad lines, standard input, compressed files."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from test_cli import error_of, interplay

from models.findings import decode_finding
from models.instants import SECOND, format_time, parse_time
from streams.intake import HOLD

ROOT = Path(__file__).parent.parent
START = parse_time("2026-11-24T02:17:00Z")


def action(number: int, agent: str, old: int, new: int, resource: str = "db/orders", offset_s: int = 0) -> str:
    """One line of JSONL: agent sets the replicas of a resource."""
    event = {
        "specversion": "1.0",
        "id": f"{resource}-a{number}",
        "source": f"agents/{agent}/1",
        "type": "interplay.action.v1",
        "time": format_time(START + (30 * number + offset_s) * SECOND),
        "subject": resource,
        "data": {"agent": agent, "verb": "scale", "parameter": "replicas", "old": old, "new": new},
    }
    return json.dumps(event) + "\n"


def fight(resource: str = "db/orders", offset_s: int = 0) -> list[str]:
    """Two agents that undo each other, twelve times; two others on db/users, since a pair on several opposes."""
    perf, cost = ("up", "down") if resource == "db/users" else ("perf", "cost")
    ways = ((perf, 8, 16), (cost, 16, 8))
    return [action(number, *ways[number % 2], resource, offset_s) for number in range(12)]


@pytest.fixture
def fights(tmp_path: Path) -> Path:
    """Two fights, the later one first in the file."""
    file = tmp_path / "fights.jsonl"
    file.write_text("".join(fight("db/users", 5) + fight()))
    return file


def test_findings_are_told_in_paragraphs(fights: Path, tmp_path: Path) -> None:
    done = interplay("analyze", str(fights), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    first, second, summary = done.stdout.rstrip().split("\n\n")
    assert "thrashing/sustained: " in first.splitlines()[0] and "db/orders" in first and "perf" in first and "cost" in first
    assert "db/users" in second
    assert summary == "2 findings (2 thrashing/sustained) in 24 events, 24 of them actions and 0 samples."


def test_json_is_one_final_finding_per_line_in_order(fights: Path, tmp_path: Path) -> None:
    done = interplay("analyze", str(fights), "--format", "json", cwd=tmp_path)
    findings = [decode_finding(line.encode()) for line in done.stdout.splitlines()]
    assert [finding.resources for finding in findings] == [("db/orders",), ("db/users",)]
    assert done.stderr == "2 findings (2 thrashing/sustained) in 24 events, 24 of them actions and 0 samples.\n"
    backwards = tmp_path / "backwards.jsonl"
    backwards.write_text("".join(reversed(fights.read_text().splitlines(keepends=True))))
    assert interplay("analyze", str(backwards), "--format", "json", cwd=tmp_path).stdout == done.stdout


def test_standard_input_several_files_and_compressed_ones(fights: Path, tmp_path: Path) -> None:
    expected = interplay("analyze", str(fights), "--format", "json", cwd=tmp_path).stdout
    assert interplay("analyze", "-", "--format", "json", cwd=tmp_path, stdin=fights.read_text()).stdout == expected
    with gzip.open(tmp_path / "half.jsonl.gz", "wt") as half:
        half.write("".join(fight()))
    (tmp_path / "other.jsonl").write_text("".join(fight("db/users", 5)))
    assert interplay("analyze", "half.jsonl.gz", "other.jsonl", "--format", "json", cwd=tmp_path).stdout == expected


def test_the_notation_is_read_compressed_and_from_standard_input(tmp_path: Path) -> None:
    text = (ROOT / "examples" / "incident.trace").read_text()
    (tmp_path / "night.trace").write_text(text)
    expected = interplay("analyze", "night.trace", "--format", "json", cwd=tmp_path).stdout
    assert expected
    with gzip.open(tmp_path / "night.trace.gz", "wt") as packed:
        packed.write("\ufeff" + text)
    assert interplay("analyze", "night.trace.gz", "--format", "json", cwd=tmp_path).stdout == expected
    piped = interplay("analyze", "-", "--source", "trace", "--format", "json", cwd=tmp_path, stdin=text)
    assert piped.stdout == expected


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        (("any",), 1),
        (("thrashing",), 1),
        (("thrashing:info",), 1),
        (("thrashing:critical",), 0),
        (("cascade",), 0),
        (("cascade", "thrashing"), 1),
    ],
)
def test_fail_on_sets_the_exit_code(rules: tuple[str, ...], code: int, fights: Path, tmp_path: Path) -> None:
    options = [part for rule in rules for part in ("--fail-on", rule)]
    assert interplay("analyze", str(fights), *options, cwd=tmp_path).returncode == code


WAIVER = """
[[waiver]]
pattern = "thrashing"
agents = ["hpa-up", "hpa-down"]
resource = "k8s/prod/*"
owner = "team-cart"
reason = "one scales up only, the other down only"
expires = 2026-11-24T02:22:00Z
"""


def hpas(resource: str) -> str:
    """The standing example: one HPA scales up only, the other down only; until 02:22:30, every 30 s."""
    return "".join(fight(resource)).replace('"perf"', '"hpa-up"').replace('"cost"', '"hpa-down"')


def test_two_hpas_on_purpose_are_waived_until_the_waiver_expires(tmp_path: Path) -> None:
    (tmp_path / "meant.jsonl").write_text("".join(hpas("k8s/prod/cart").splitlines(keepends=True)[:10]))
    (tmp_path / "w.toml").write_text(WAIVER)
    gate = ("--config", "w.toml", "--fail-on", "any")
    meant = interplay("analyze", "meant.jsonl", *gate, cwd=tmp_path)
    assert meant.returncode == 0, meant.stderr
    paragraph, summary = meant.stdout.rstrip().split("\n\n")
    assert paragraph.startswith("waived error thrashing/sustained: hpa-down and hpa-up fight over k8s/prod/cart replicas")
    assert "Waived by team-cart until 2026-11-24T02:22:00Z: one scales up only, the other down only." in paragraph
    assert summary.splitlines()[1:] == ["Waived: 1."]

    (tmp_path / "overdue.jsonl").write_text(hpas("k8s/prod/cart") + hpas("k8s/test/cart"))
    overdue = interplay("analyze", "overdue.jsonl", *gate, cwd=tmp_path)
    assert overdue.returncode == 1
    assert overdue.stdout.count("No longer waived: the waiver of team-cart expired at 2026-11-24T02:22:00Z.") == 1
    assert overdue.stdout.splitlines()[-2:] == [
        "Waiver 1 (thrashing, hpa-up + hpa-down, k8s/prod/*; team-cart) expired at 2026-11-24T02:22:00Z and no longer covers 1 finding: "
        "renew it, or end the fight.",
        "Fails: --fail-on any matches 3 findings.",  # the third is of the pair, which meets on two resources
    ]


@pytest.mark.parametrize(("form", "start"), [("html", "<!DOCTYPE html>"), ("junit", "<?xml"), ("sarif", "{"), ("json", "{")])
def test_every_format_goes_to_standard_output_and_the_summary_beside_it(
    form: str, start: str, fights: Path, tmp_path: Path
) -> None:
    done = interplay("analyze", str(fights), "--format", form, "--fail-on", "sustained:warning", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.startswith(start)
    assert done.stdout.count("<svg") == (2 if form == "html" else 0)
    assert done.stderr.splitlines() == [
        "2 findings (2 thrashing/sustained) in 24 events, 24 of them actions and 0 samples.",
        "Fails: --fail-on thrashing/sustained:warning matches 2 findings.",
    ]


def test_a_long_file_in_order_is_streamed_and_late_events_are_told(tmp_path: Path) -> None:
    number = HOLD + 6000
    calm = [action(n, "perf", 8, 8, f"r/{n % 50}") for n in range(12, number)]
    for n in (0, 1, 2):  # much older than all that waits by then
        calm.insert(HOLD + 5500 + n, action(n, "perf", 1, 2, "late"))
    (tmp_path / "long.jsonl").write_text("".join(fight() + calm))
    done = interplay("analyze", "long.jsonl", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr == (
        "3 events were left out as late: older than 100,000 events read before, and more than 10s older than the newest; "
        "sort the input by time, or raise analysis.time.lateness\n"
    )
    assert "1 finding (1 thrashing/sustained) in 106,003 events, 106,000 of them actions" in done.stdout
    assert "3 late events left out." in done.stdout
    assert interplay("analyze", "long.jsonl", "--strict", cwd=tmp_path).returncode == 2


def test_bad_lines_are_told_with_their_place_and_counted(tmp_path: Path) -> None:
    lines = fight()
    (tmp_path / "mixed.jsonl").write_text("".join([*lines[:3], "junk\n", *lines[3:], lines[0].replace('"agent"', '"agnt"')]))
    done = interplay("analyze", "mixed.jsonl", cwd=tmp_path)
    assert done.returncode == 0
    first, second = done.stderr.splitlines()
    assert first.startswith("mixed.jsonl:4: ")
    assert second.startswith("mixed.jsonl:14: ") and "agent" in second
    assert "1 finding (1 thrashing/sustained) in 12 events" in done.stdout
    assert "2 bad lines left out." in done.stdout
    (tmp_path / "bad.jsonl").write_text("junk\n" * 50)
    many = interplay("analyze", "bad.jsonl", "--fail-on", "any", cwd=tmp_path)
    assert (many.returncode, many.stdout) == (2, "")
    *_, counted, unread = many.stderr.splitlines()
    assert len(many.stderr.splitlines()) == 22
    assert unread.startswith("interplay analyze: bad.jsonl: no event could be read, all 50 lines are bad; ")
    assert counted == "... further bad lines are only counted; interplay validate bad.jsonl tells them all"


def test_strict_insists_on_every_line(fights: Path, tmp_path: Path) -> None:
    assert interplay("analyze", str(fights), "--strict", cwd=tmp_path).returncode == 0
    assert interplay("analyze", str(fights), "--strict", "--fail-on", "any", cwd=tmp_path).returncode == 1
    (tmp_path / "mixed.jsonl").write_text("".join([*fight(), "junk\n"]))
    for rules in ((), ("--fail-on", "any")):
        done = interplay("analyze", "mixed.jsonl", "--strict", *rules, "--format", "json", cwd=tmp_path)
        assert done.returncode == 2
        assert decode_finding(done.stdout.strip()).kind == "sustained"
        assert "Fails: --strict, and 1 of the input was left out." in done.stderr
    assert interplay("analyze", "mixed.jsonl", "--fail-on", "any", cwd=tmp_path).returncode == 1


def test_why_nothing_was_found(tmp_path: Path) -> None:
    (tmp_path / "calm.jsonl").write_text(action(0, "perf", 8, 16))
    calm = interplay("analyze", "calm.jsonl", cwd=tmp_path).stdout
    assert "0 findings in 1 event, " in calm
    assert "Of the actions 100% carry old, 0% carry reads, 0% carry causes" in calm
    changed = json.loads(action(0, "perf", 8, 16)) | {"type": "interplay.transition.v1", "data": {"metric": "health", "to": "ok"}}
    (tmp_path / "idle.jsonl").write_text(json.dumps(changed))
    idle = interplay("analyze", "idle.jsonl", cwd=tmp_path)
    assert "Without actions (interplay.action.v1) there is nothing to find." in idle.stdout, idle.stderr
    (tmp_path / "empty.jsonl").write_text("")
    assert error_of("analyze", "empty.jsonl", cwd=tmp_path) == "interplay analyze: empty.jsonl: there is no event to analyse"


def test_remarks_are_told_at_the_end_and_fail_nothing(tmp_path: Path) -> None:
    (tmp_path / "night.trace").write_text(
        "on 2026-11-23\n"
        "02:00:00 canary@agents/canary/1#c1 set app/x weight 0 -> 5 holds canary until 02:10:00 unless app/x:errors > 0.05\n"
        "02:00:30 deployer@agents/deployer/1#d1 set app/x weight 5 -> 5\n"
        "02:01:00 guard@agents/guard/1#g1 set app/x weight 5 -> 0 reads app/x:errors=0.2\n"
    )
    done = interplay("analyze", "night.trace", "--fail-on", "any", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert " ".join(done.stdout.split()) == (
        "0 findings in 3 events, 3 of them actions and 0 samples. Of the actions 100% carry old, 33% carry reads, 0% carry causes: what is "
        "missing weakens what can be concluded. 1 rollback was justified and is no finding: 02:01:00 guard lowered app/x weight 5 -> 0: "
        "errors was 0.2 (> 0.05), under which canary lets itself be undone. 1 write by another instance put again what stood."
    )
    told = interplay("analyze", "night.trace", "--format", "json", cwd=tmp_path)
    assert told.stdout == "" and "1 rollback was justified" in told.stderr


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert error_of("analyze", "none.jsonl", cwd=tmp_path) == "interplay analyze: none.jsonl: No such file or directory"
    assert error_of("validate", "none.jsonl", cwd=tmp_path) == "interplay validate: none.jsonl: No such file or directory"
    assert error_of("analyze", ".", cwd=tmp_path) == "interplay analyze: .: there is no file in this directory"
    (tmp_path / "broken.jsonl.gz").write_bytes(b"\x1f\x8bnot really")
    assert error_of("analyze", "broken.jsonl.gz", cwd=tmp_path).startswith("interplay analyze: broken.jsonl.gz: ")


def test_validate_tells_every_bad_line(tmp_path: Path) -> None:
    (tmp_path / "good.jsonl").write_text("".join(fight()))
    good = interplay("validate", "good.jsonl", cwd=tmp_path)
    assert (good.returncode, good.stderr) == (0, "")
    misspelt = "".join(fight()).replace('"parameter"', '"paramter"')
    with gzip.open(tmp_path / "misspelt.jsonl.gz", "wt") as packed:
        packed.write(misspelt)
    told = "data.paramter is unknown; did you mean data.parameter? (12 events)"
    assert told in interplay("validate", "misspelt.jsonl.gz", cwd=tmp_path).stdout
    assert told in interplay("validate", "-", cwd=tmp_path, stdin=misspelt).stdout
    (tmp_path / "bad.jsonl").write_text(fight()[0] + "junk\n" * 50)
    bad = interplay("validate", "bad.jsonl", cwd=tmp_path)
    assert bad.returncode == 1
    assert sum(line.startswith("bad.jsonl:") for line in bad.stdout.splitlines()) == 50
