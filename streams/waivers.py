"""Whether a waiver covers a finding: a view on findings, which themselves stay as the events make them.

A waiver is for an intended interplay, such as two HPAs on one deployment of which one may only scale up and the other only down. It
covers a finding of its pattern where each of the finding's agents is one of the waiver's, each of the waiver's agents takes part, and
every resource matches its glob: with a third agent, or on another resource, it is something else, and nobody has waived that. In globs
`*` stands for any characters, also slashes, `?` for one, `[ab]` for one of these.

It expires in event time: it covers a finding whose newest evidence (`updated_at`) lies before `expires`. So the same events give the
same answer whenever they are read, and a fight that goes on past the date is told again from then on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

import msgspec

from models.findings import Finding
from models.instants import format_time, parse_time
from streams.settings import Waiver


class Ruling(msgspec.Struct, frozen=True):
    """What the waivers say about a finding: the one that fits it, and whether it had expired when the newest evidence came."""

    waiver: Waiver
    expired: bool


def ruling(finding: Finding, waivers: Sequence[Waiver]) -> Ruling | None:
    """The first waiver that covers the finding, else the first that would if it had not expired. ValueError if its time is none."""
    fitting = [waiver for waiver in waivers if _fits(waiver, finding)]
    if not fitting:
        return None
    newest = parse_time(finding.updated_at)
    valid = next((waiver for waiver in fitting if newest < waiver.expires), None)
    return Ruling(valid or fitting[0], expired=valid is None)


def sentence(given: Ruling) -> str:
    """ "Waived by team-cart until 2027-01-31T00:00:00Z: one scales up, the other down." """
    waiver = given.waiver
    until = format_time(waiver.expires)
    if given.expired:
        return f"No longer waived: the waiver of {waiver.owner} expired at {until}. Its reason was: {waiver.reason.rstrip('.')}."
    return f"Waived by {waiver.owner} until {until}: {waiver.reason.rstrip('.')}."


def account(waivers: Sequence[Waiver], rulings: Iterable[Ruling | None], newest: int) -> list[str]:
    """A sentence on each waiver that has expired or was not needed. `newest` (ns) is the newest event time of the input."""
    given = [each for each in rulings if each is not None]
    told = []
    for number, waiver in enumerate(waivers, 1):
        spent = sum(each.expired for each in given if each.waiver == waiver)
        used = any(not each.expired for each in given if each.waiver == waiver)
        name = f"Waiver {number} ({waiver.pattern}, {' + '.join(waiver.agents)}, {waiver.resource}; {waiver.owner})"
        if spent:
            would = f"no longer covers {spent:,} finding{'s' if spent != 1 else ''}"
            told.append(f"{name} expired at {format_time(waiver.expires)} and {would}: renew it, or end the fight.")
        elif not used and waiver.expires <= newest:
            told.append(f"{name} expired at {format_time(waiver.expires)} and matches nothing: delete it.")
        elif not used:
            told.append(f"{name} matches nothing here.")
    return told


def _fits(waiver: Waiver, finding: Finding) -> bool:
    pattern, _, kind = waiver.pattern.partition("/")
    return (
        finding.pattern == pattern
        and kind in ("", finding.kind)
        and all(any(fnmatchcase(agent, glob) for glob in waiver.agents) for agent in finding.agents)
        and all(any(fnmatchcase(agent, glob) for agent in finding.agents) for glob in waiver.agents)
        and all(fnmatchcase(resource, waiver.resource) for resource in finding.resources)
    )
