"""What rules look up besides knobs and intents: who names an object, what guards said, what lies next to what, how agents act on what they
read.
"""

from __future__ import annotations

from models.events import Action, Dependency, Event, Intent, Verdict
from models.observers import Observers
from models.references import References
from models.topology import Topology, edge
from models.verdicts import Verdicts, register


class Ledger:
    """The look-ups of one domain. References, verdicts and dependencies outlive the memory, as facts do; the rest does not."""

    def __init__(self) -> None:
        self.references = References()
        self.verdicts = Verdicts()
        self.topology = Topology()
        self.observers = Observers()

    def install(self, event: Event) -> None:
        """Takes in the next event in canonical order."""
        if isinstance(event, Action) and event.outcome == "applied":
            self.observers.install(event)
        self.remember(event)

    def remember(self, event: Event) -> None:
        """Takes in a fact, or what an event changes of what facts are about; never replaces a newer one by an older one."""
        if isinstance(event, Action):
            if event.outcome == "applied":
                self.references.install(event)
        elif isinstance(event, Intent):
            self.references.install(event)
        elif isinstance(event, Verdict):
            self.verdicts.declare(event)
        elif isinstance(event, Dependency):
            self.topology.declare(event)

    def forget(self, event: Event) -> None:
        """`event`, the oldest of the memory, has left it."""
        if isinstance(event, Action) and event.outcome == "applied":
            self.observers.forget(event)

    def fact(self, event: Event) -> tuple[str, str, str, str] | None:
        """The key of the fact that a verdict or a dependency becomes when it leaves the memory; None for other events."""
        if isinstance(event, Dependency):
            return ("dependency", *edge(event))
        return ("verdict", *register(event)) if isinstance(event, Verdict) else None

    def drop(self, kind: str, event: Event) -> None:
        """A fact of this kind has been given up."""
        if isinstance(event, Verdict):
            self.verdicts.drop(event)
        elif isinstance(event, Dependency):
            self.topology.drop(event)
        elif (kind == "write" and isinstance(event, Action)) or isinstance(event, Intent):
            self.references.drop(event)
