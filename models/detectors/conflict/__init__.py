"""Intent conflicts: what one event proves by itself, or by lists that are bounded, against what other writers did and declared.

| file | kinds |
|---|---|
| `overwrite.py` | `version_regression`, `lost_update` |
| `stale.py` | `stale_overwrite` |
| `destruction.py` | `destroy_in_use` |
| `skew.py` | `write_skew` |
| `override.py` | `override`, `intent_read_as_fault` |
| `cancelling.py` | `intent_read_as_fault` by another knob |
| `justification.py` | what makes neither of them: remarks on justified rollbacks |
| `objectives.py` | `opposing_objectives` |
| `guard.py` | `guard_bypass` |

The first four and the last compare writer *instances* (`source`), the others controllers (`agent`). A write that changes nothing adds a
co-owner and is no conflict; whoever acknowledges what it goes against is no party to one. Staleness alone never fires. Sources: lost
update, write skew (Adya et al., 2000); declared state with an owner (Kubernetes server-side apply); direct and indirect conflicts (O-RAN).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import msgspec
from msgspec import UNSET
from msgspec.structs import force_setattr

from models.configuration import Conflict, Invariant
from models.detectors.conflict import cancelling, destruction, guard, objectives, override, overwrite, skew, stale
from models.detectors.conflict.case import acknowledged, close, overrules
from models.domain import Domain
from models.episodes import Sighting, Standing
from models.events import Action, Intent, Transition
from models.graph import Node
from models.intents import Declared
from models.remarks import Remark

MOST_INTENTS = 8  # newest intents on one knob that a write is held against
Standings = Callable[[str, str], Standing]


class Conflicts(msgspec.Struct, frozen=True):
    """All the rules. `facts_age` (ns) bounds how old a last write, an intent or a verdict may be."""

    settings: Conflict
    facts_age: int
    invariants: dict[tuple[str, str], tuple[Invariant, ...]] = {}  # by knob; follows from the settings

    def __post_init__(self) -> None:
        """Looks up the invariants by knob, once."""
        found: dict[tuple[str, str], tuple[Invariant, ...]] = {}
        for invariant in self.settings.invariant:
            for knob in invariant.knobs:
                found[knob] = (*found.get(knob, ()), invariant)
        force_setattr(self, "invariants", found)

    def judge(self, node: Node, domain: Domain, standing: Standings) -> Iterable[Sighting | Remark]:
        """Every rule that this event breaks; each alone suffices."""
        event = node.event
        if isinstance(event, Action):
            return self._action(event, node, domain, standing) if event.outcome == "applied" else ()
        if isinstance(event, Intent):
            return objectives.declared(event, domain, self.settings, event.time - self.facts_age)
        if isinstance(event, Transition) and node.parents:
            return stale.harm(event, node, domain, self.settings)
        return ()

    def _action(self, event: Action, node: Node, domain: Domain, standing: Standings) -> Iterable[Sighting | Remark]:
        """Asks only the rules that have something to judge: most writes break none, and cost next to nothing."""
        oldest, settings = event.time - self.facts_age, self.settings
        asked: list[Iterable[Sighting | Remark]] = []
        ring = node.ring
        if domain.intents.registers or ring is None or ring.source != event.source:
            current = domain.variables.current((event.resource, event.parameter), oldest)
            intents = domain.intents.open(event, settings.intent_window, oldest)[-MOST_INTENTS:]
            if intents or (current is not None and current.source != event.source):
                asked.append(self._knob(event, node, current, intents, domain))
        if destruction.may_judge(event):
            asked.append(destruction.judge(event, domain, settings, oldest))
        if event.rollout or domain.ledger.verdicts.payloads:
            asked.append(guard.judge(event, domain, settings, oldest))
        if self.invariants:
            invariants = self.invariants.get((event.resource, event.parameter))
            if invariants is not None:
                asked.append(skew.judge(event, invariants, domain, settings, oldest))
        if event.intent is not None and event.intent.expects and (event.reads or event.causes):
            asked.append(cancelling.judge(node, event, domain, settings, oldest))
        if event.reads or event.intent is not None:
            asked.append(objectives.opposed(event, domain, settings, standing))
        if not asked:
            return ()
        found = chain.from_iterable(asked)
        return _once(found) if domain.intents.registers else found

    def _knob(
        self, event: Action, node: Node, current: Action | None, intents: list[Declared], domain: Domain
    ) -> Iterator[Sighting | Remark]:
        """The rules about one knob: against its last write, if another instance made it, and against what others hold."""
        settings = self.settings
        rival = current if current is not None and current.source != event.source else None
        if rival is not None and (acknowledged(event, rival) or overrules(event, settings)):
            rival = None
        if rival is not None:
            yield from overwrite.regression(event, rival, settings)
        standing = current.new if current is not None else event.old  # its own word, where nothing else is known
        if event.new is not UNSET and close(event.new, standing):
            if current is not None and current.source != event.source:
                yield Remark("reapplied")
            return  # idempotent: a co-owner
        if rival is not None:
            yield from overwrite.lost_update(event, rival, domain.graph.skew(event.source, rival.source), settings)
            yield from stale.judge(event, rival, domain, settings)
        for intent in intents:
            yield from override.judge(node, event, intent, current, domain, settings)


def _once(found: Iterable[Sighting | Remark]) -> Iterator[Sighting | Remark]:
    """A write that is justified against several intents is remarked on once."""
    made = set()
    for each in found:
        if isinstance(each, Remark):
            if each.kind in made:
                continue
            made.add(each.kind)
        yield each
