"""Several files as one stream: side by side in time, and files of one kind as one log, whose objects have one history."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from audit_records import audit
from test_kubernetes import FIGHTS, lines

from models.analyzer import Analyzer
from models.events import Action, AnyEvent, Sample
from models.findings import Finding
from models.rejection import Rejection
from streams.cli.command import Trouble
from streams.cli.lines import Sourcing, read
from streams.intake import Intake
from streams.settings import Settings
from streams.sources.logs import Position
from streams.sources.together import UNDECIDED, side_by_side


def written(file: int, *times: int) -> Iterator[tuple[Position, AnyEvent | Rejection]]:
    for number, time in enumerate(times, 1):
        event = Action(time=time, source="a", id=f"{file}.{number}", resource="r", agent="a", verb="v", parameter="p")
        yield (file, number), event if time else Rejection("not_json", "", "junk")


def findings(files: list[Path]) -> list[Finding]:
    """The last revision of each."""
    intake, last = Intake(Analyzer()), {}
    changes = []
    for _, event in read([str(file) for file in files], Sourcing(Settings())):
        assert not isinstance(event, Rejection)
        if not isinstance(event, Sample) or event.role == "demand":
            changes += intake.feed(event)
    for change in changes + intake.finish():
        last[change.finding.finding_id] = change.finding
    return list(last.values())


def test_files_are_read_side_by_side_from_the_one_furthest_behind() -> None:
    files = [written(0, 10, 20, 50, 40), written(1, 15, 0, 16, 30), written(2)]
    assert [place for place, _ in side_by_side(files)] == [(0, 1), (1, 1), (0, 2), (1, 2), (1, 3), (1, 4), (0, 3), (0, 4)]
    assert [line for (_, line), _ in side_by_side([written(0, 3, 2, 1)])] == [1, 2, 3]


@pytest.mark.parametrize("name", FIGHTS)
def test_the_logs_of_three_servers_are_one_log(name: str, tmp_path: Path) -> None:
    log, rng = lines(name), random.Random(4)
    (whole, *servers) = [tmp_path / f"{number}.log" for number in range(4)]
    whole.write_bytes(b"\n".join(log) + b"\n")
    parts: list[list[bytes]] = [[], [], []]
    for line in log:
        rng.choice(parts).append(line)
    for file, part in zip(servers, parts, strict=True):
        file.write_bytes(b"\n".join(part) + b"\n")
    assert findings(servers) == findings([whole]) != []


def test_a_log_and_what_was_rotated_out_of_it_are_one_log_in_any_order(tmp_path: Path) -> None:
    log = lines("a_gitops_hpa")
    older, newer, whole = tmp_path / "audit-1.log.gz", tmp_path / "audit.log", tmp_path / "whole.log"
    older.write_bytes(gzip.compress(b"\n".join(log[:2000]) + b"\n"))
    newer.write_bytes(b"\n".join(log[2000:]) + b"\n")
    whole.write_bytes(b"\n".join(log) + b"\n")
    assert findings([newer, older]) == findings([older, newer]) == findings([whole]) != []


def test_an_object_has_one_history_beside_a_file_of_another_kind(tmp_path: Path) -> None:
    files = []
    for number, (who, replicas) in enumerate([("alice", 2), ("bob", 6)]):
        spec = {"metadata": {"resourceVersion": str(10 + number)}, "spec": {"replicas": replicas}}
        event = audit(10 * number, who, "patch", "deployments/web", {"spec": {"replicas": replicas}}, spec)
        files.append(tmp_path / f"{who}.log")
        files[-1].write_text(json.dumps(event) + "\n")
    events = tmp_path / "events.jsonl"
    events.write_text("{\n" * 3)
    found = list(read([str(file) for file in (events, *files)], Sourcing(Settings())))
    assert [place for place, _ in found] == [(0, 1), (0, 2), (0, 3), (1, 1), (2, 1)]
    last = found[-1][1]
    assert isinstance(last, Action) and (last.old, last.new, last.agent) == (2, 6, "user/bob")


def test_a_file_that_shows_no_kind_is_told_line_by_line(tmp_path: Path) -> None:
    junk = tmp_path / "junk"
    junk.write_text("x\n" * (2 * UNDECIDED))
    found = list(read([str(junk)], Sourcing(Settings())))
    assert len(found) == 2 * UNDECIDED and all(isinstance(event, Rejection) for _, event in found)


def test_a_log_behind_more_bad_lines_than_that_is_a_log_still(tmp_path: Path) -> None:
    log = lines("a_gitops_hpa")
    file, noise = tmp_path / "audit.log", tmp_path / "noise.log"
    file.write_bytes(b"x\n" * (2 * UNDECIDED) + b"\n".join(log) + b"\n")
    noise.write_bytes(b"x\n" * (2 * UNDECIDED) + json.dumps(audit(0, "a", "get", "pods/a")).encode() + b"\n")
    sourcing, plain = Sourcing(Settings()), Sourcing(Settings())
    found = [event for _, event in read([str(file)], sourcing) if not isinstance(event, Rejection)]
    (tmp_path / "whole.log").write_bytes(b"\n".join(log) + b"\n")
    assert found == [event for _, event in read([str(tmp_path / "whole.log")], plain)] != []
    assert sourcing.logs == plain.logs
    alone = Sourcing(Settings())
    assert len(list(read([str(noise)], alone))) == 2 * UNDECIDED and alone.logs == {"k8s-audit": {"reads": 1}}


def test_a_list_of_audit_events_may_be_one_long_line_and_an_event_of_ours_may_not(tmp_path: Path) -> None:
    log = lines("a_gitops_hpa")
    listed, whole, long = tmp_path / "list.json", tmp_path / "whole.log", tmp_path / "long.jsonl"
    listed.write_bytes(b'{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[' + b",".join(log) + b"]}\n")
    whole.write_bytes(b"\n".join(log) + b"\n")
    assert listed.stat().st_size > 4 << 20
    assert findings([listed]) == findings([whole])
    long.write_text(json.dumps({"specversion": "1.0", "padding": "x" * (1 << 20)}) + "\n")
    ((_, refused),) = read([str(long)], Sourcing(Settings()))
    assert isinstance(refused, Rejection) and refused.reason == "too_large"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "cut.log.gz").write_bytes(gzip.compress(b"{}\n" * 9999)[:-20])
    with pytest.raises(Trouble, match=r"cut\.log\.gz: cut short or damaged"):
        list(read([str(tmp_path / "cut.log.gz")], Sourcing(Settings())))
    with pytest.raises(Trouble, match="none: No such file or directory"):
        list(read([str(tmp_path / "none")], Sourcing(Settings())))
