"""WikiBots: bots that undo bots on seven Wikipedias, 2005-2016. Which pairs of bots fight, by what the analyzer finds?

The data say which edit undid which and nothing else; each edit becomes one action on the knob (page, content), in the domain of its
language. Labels are read by the scoring alone. Where the data come from, and how to get them: docs/accuracy.md.
"""

from __future__ import annotations

import csv
import lzma
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec import UNSET

from models.analyzer import Analyzer
from models.configuration import Analysis
from models.events import Action
from models.findings import Finding
from models.instants import parse_time

FILES = ("reverts.tsv.xz", "pair_labels.tsv.xz")
DAY_NS = 86_400 * 1_000_000_000
FIGHTING = {("thrashing", ""), ("intent_conflict", "opposing_objectives")}  # what asserts that agents undo each other

Pair = tuple[str, str, str]  # language, and the two agents in order
Row = dict[str, str]


class Labelled(msgspec.Struct, frozen=True):
    """The recorded reverts, and which pairs fight."""

    reverts: list[Row]
    fights: dict[Pair, bool]

    @property
    def positives(self) -> set[Pair]:
        """The pairs that fight."""
        return {pair for pair, fight in self.fights.items() if fight}


def missing(folder: Path) -> list[str]:
    """The files that are not there."""
    return [str(folder / name) for name in FILES if not (folder / name).is_file()]


def load(folder: Path) -> Labelled:
    """Reads both files. Raises OSError or KeyError where they are not what docs/accuracy.md describes."""
    labels = {pair_of(row["language"], row["agent_a"], row["agent_b"]): row["label"] == "fight" for row in _rows(folder / FILES[1])}
    return Labelled(list(_rows(folder / FILES[0])), labels)


def _rows(path: Path) -> Iterator[Row]:
    with lzma.open(path, "rt", encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines, delimiter="\t")


def pair_of(language: str, one: str, other: str) -> Pair:
    """The pair, whichever way round."""
    return (language, *sorted((one, other)))  # type: ignore[return-value]


def actions(reverts: Iterable[Row]) -> list[Action]:
    """Every edit once, by language and revision, in event-time order. An edit's `old` is what its parent revision held, where known."""
    held: dict[tuple[str, str], str] = {}
    edits: dict[tuple[str, str], tuple[str, str, str, str]] = {}
    for row in reverts:
        language, page = row["language"], row["page"]
        held[language, row["rev_id"]] = row["rev_sha1"]
        held[language, row["reverting_id"]] = held[language, row["reverted_to_rev_id"]] = row["reverting_sha1"]
        edits[language, row["rev_id"]] = (page, row["rev_parent_id"], row["rev_time"], row["rev_agent"])
        edits[language, row["reverting_id"]] = (page, row["reverting_parent_id"], row["reverting_time"], row["reverting_agent"])
    made = [
        Action(
            time=parse_time(time), source=agent, id=revision, domain=language, resource=f"page/{page}", agent=agent, verb="edit",
            parameter="content", old=held.get((language, parent), UNSET), new=held[language, revision], version=int(revision),
        )
        for (language, revision), (page, parent, time, agent) in edits.items()
    ]  # fmt: skip
    return sorted(made, key=lambda action: (action.time, action.source, action.id))


def findings(edits: Iterable[Action], settings: Analysis) -> list[Finding]:
    """Every revision of every finding that the analyzer makes of the edits, in order."""
    analyzer = Analyzer(settings)
    for edit in edits:
        analyzer.feed(edit)
    return [change.finding for change in analyzer.finish()]


def scores(found: Iterable[Finding], pairs: Iterable[Pair]) -> dict[Pair, float]:
    """A pair's score: the highest score * confidence among the findings that say that agents undo each other, and name both of them."""
    best = dict.fromkeys(pairs, 0.0)
    for finding in found:
        if not {(finding.pattern, ""), (finding.pattern, finding.kind)} & FIGHTING:
            continue
        weight = finding.score * finding.confidence
        for i, one in enumerate(finding.agents):
            for other in finding.agents[i + 1 :]:
                pair = pair_of(finding.domain, one, other)
                if weight > best.get(pair, weight):
                    best[pair] = weight
    return best


def floors(reverts: Iterable[Row], pairs: Iterable[Pair]) -> Mapping[str, dict[Pair, float]]:
    """Rankings that need no analysis; both look ahead."""
    pages: dict[Pair, set[str]] = defaultdict(set)
    count: dict[Pair, float] = dict.fromkeys(pairs, 0.0)
    quick = dict(count)
    for row in reverts:
        pair = pair_of(row["language"], row["rev_agent"], row["reverting_agent"])
        count[pair] += 1
        quick[pair] += parse_time(row["reverting_time"]) - parse_time(row["rev_time"]) <= DAY_NS
        pages[pair].add(row["page"])
    per_page = {pair: quick[pair] * count[pair] / max(1, len(pages[pair])) for pair in count}
    return {"reverts undone within 24 h x mean reverts per page": per_page, "number of reverts": count}
