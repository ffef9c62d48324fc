"""Things of one owner that live too briefly: a pod is evicted, its successor placed and evicted again; a node is made, removed, made anew.

No knob ever returns, since each cycle has a new name. So the writes are chained by owner: made, unmade, the successor made, unmade. Every
link of the chain turns back the one before; a rollout replaces each thing once, whose making has long left the memory, and has no chain.
Things that come back under their own name are ordinary switches, and not told here. The fingerprint is the owner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise

from models.configuration import Thrashing
from models.detectors.thrashing import switches
from models.detectors.thrashing.force import UNLINKED, Force, fighters, force
from models.detectors.thrashing.swings import excuse
from models.domain import Domain
from models.episodes import Piece, Sighting, Standing, subject_of
from models.events import Action, key, ref
from models.explain import because, did, lasting, list_names
from models.instants import clock_time
from models.lifecycles import lives, made, owner_of
from models.zigzag import Reversal

FEWEST = 3  # names that a chain must have: with two, something was replaced once


def seen(event: Action, domain: Domain, standing: Callable[[str, str], Standing], settings: Thrashing) -> Iterable[Sighting]:
    """A sighting where the thing that this write makes or unmakes is the latest of a chain of short lives."""
    owner = owner_of(event)
    subject = subject_of("owner", owner)
    stands = standing("thrashing", subject)
    writes = [write for write in domain.objects.of(owner) if key(write) > stands.since]
    chain = lives([*writes, event])
    names = {write.resource for write in chain}
    if len(chain) < 3 or (not stands.open and len(names) < FEWEST):
        return
    justified = excuse(domain, domain.demand.drivers((), 0))
    reversals = tuple(
        Reversal(later, earlier, 1.0 - share, share, 1.0, 1.0, False)
        for earlier, later in pairwise(chain)
        for share in [justified(later, earlier, earlier.time, 0.0, 0.0)]
    )
    strength = force(reversals, event.time, settings)
    if not (strength.suffices or stands.open) or strength.ends <= event.time:
        return
    if not stands.open and reversals[0].event.time - reversals[0].undone.time > strength.half_life:
        chain, reversals = chain[1:], reversals[1:]  # what stood so long before is what the loop began upon, not a part of it
    yield _sighting(owner, subject, chain, reversals, strength, stands)


def _sighting(
    owner: str, subject: str, chain: list[Action], reversals: tuple[Reversal, ...], strength: Force, stands: Standing
) -> Sighting:
    agents, first, last = fighters(reversals), chain[0], chain[-1]
    above = last.resource.split("/")[:-1]
    things = f"{above[-1]}s" if above and last.owner else "things"  # k8s/prod/shop/pod/cart-x: pods
    shown = reversals[-1:] if stands.open else reversals
    began = () if stands.open else (Piece(first, "trigger", _note(first), _told(first)),)
    return switches.sighting(
        "identity",
        subject,
        f"{list_names(agents)} {'make and unmake' if len(agents) > 1 else 'makes and unmakes'} {things} of {owner} again and again",
        reversals,
        shown,
        (*began, *(Piece(r.event, "reversal", _note(r.event), _answer(r)) for r in shown)),
        strength,
        _linked,
        tuple(sorted({owner, last.resource})),
        ("names", len({write.resource for write in chain})),
    )


def _linked(reversal: Reversal) -> float:
    """That the end of a thing answers its own making needs no citation; that a successor answers an end does."""
    event, undone = reversal.event, reversal.undone
    if undone.id in event.causes or ref(undone) in event.causes:
        return 0.98
    if event.resource == undone.resource or any(read.resource == undone.resource for read in event.reads):
        return 0.95
    return UNLINKED


def _note(write: Action) -> str:
    return f"{write.resource} {'made' if made(write) else 'unmade'}"


def _told(write: Action) -> str:
    return f"{clock_time(write.time)} {write.agent} {did(write.verb)} {write.resource}{because(write)}."


def _answer(reversal: Reversal) -> str:
    event, undone = reversal.event, reversal.undone
    lag = lasting(event.time - undone.time)
    if made(event):
        how = f"in place of {undone.resource}, {lag} later"
    else:
        how = f"after a life of {lag}" if event.resource == undone.resource else f"{lag} later"
    return f"{clock_time(event.time)} {event.agent} {did(event.verb)} {event.resource} {how}{because(event)}."
