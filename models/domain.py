"""Everything known about one coordination domain within the memory: its events in order, the graph, the variables, the intents, the facts.

All of it is a function of the list of events within the memory and of the facts that left it, so a refill rebuilds it. What asks
questions of it (the detectors) keeps nothing of its own.
"""

from __future__ import annotations

from collections import Counter, deque

from msgspec import UNSET

from models.agents import Agents
from models.configuration import Analysis
from models.demand import Demand
from models.events import Action, Event, Intent, Sample, Transition
from models.facts import FactKey, Facts
from models.graph import CausalGraph, Node
from models.intents import Intents, declares, open_until
from models.ledger import Ledger
from models.lifecycles import Lifecycles, may_make
from models.undos import Undos
from models.variables import Variables


class Domain:
    """The indexes of one domain. Events are placed in canonical order, judged by the detectors, then installed."""

    def __init__(self, name: str, settings: Analysis) -> None:
        self.name = name
        self.settings = settings
        self._most = settings.limits.graph_events
        self.memory: deque[Event] = deque()
        self._span, self._reach = settings.memory, settings.window
        self._window: deque[Node] = deque()
        self.graph = CausalGraph(settings.window, settings.limits.parents)
        self.variables = Variables(settings.limits.writes_per_knob)
        self.undos = Undos(settings.memory // 2, settings.conflict.quick)
        self.intents = Intents()
        self.ledger = Ledger()
        self.demand = Demand()
        self.objects = Lifecycles()
        self.agents = Agents()
        self.facts = Facts(settings.limits.facts)
        self.counters: Counter[str] = Counter()
        self.events = self.actions = self.with_old = self.with_reads = self.with_causes = 0

    @property
    def degraded(self) -> bool:
        """A limit has been reached: something that belongs to the memory is not in it."""
        return bool(self.counters["shed"] or self.facts.shed or self.graph.unrepaired or self.demand.shed)

    def place(self, event: Event) -> Node | None:
        """The next event in canonical order; None for a repeat of one that is in the memory."""
        self.age(event.time)
        graph = self.graph
        if event.id in graph.by_id:
            seen = graph.seen(event)
            if seen is not None:
                self.counters["duplicates"] += 1
                self.counters["altered"] += seen != event
                return None
        return graph.add(event, self.variables)

    @property
    def empty(self) -> bool:
        """Nothing is known of it, within the memory or beyond."""
        return not (self.memory or self._window or len(self.facts) or len(self.demand))

    def observe(self, sample: Sample) -> None:
        """Takes in the next sample in canonical order; only demand matters here."""
        if sample.role == "demand":
            self.demand.add(sample)

    def install(self, node: Node) -> None:
        """The event has been judged: what it wrote now stands."""
        event = node.event
        memory = self.memory
        memory.append(event)
        self._window.append(node)
        self.events += 1
        if isinstance(event, Action):
            self._install_action(node, event)
        elif isinstance(event, Transition):
            self.variables.install(node)
        else:
            self.intents.declare(event)
            self.ledger.remember(event)
        while len(memory) > self._most:
            self.counters["shed"] += 1
            self._forget(memory.popleft())

    def _install_action(self, node: Node, action: Action) -> None:
        self.actions += 1
        self.with_old += action.old is not UNSET
        self.with_reads += action.reads != ()
        self.with_causes += action.causes != ()
        if action.outcome != "applied":
            return
        ring = node.ring
        if ring is None or ring.agent != action.agent:
            undo = self.undos.seen_in(action, self.variables)
            if undo is not None:
                self.undos.install(undo)
        self.variables.install(node)
        if self.intents.registers or declares(action):
            self.intents.declare(action)
        if action.reads or action.intent is not None:
            self.ledger.observers.install(action)
        self.ledger.references.install(action)
        if may_make(action):
            self.objects.add(action)
        self.agents.add(action)

    def age(self, now: int) -> None:
        """What is a whole memory older than `now` (ns) leaves; a knob's last write and a last word on an intent stay as facts."""
        memory, edge = self.memory, now - self._span
        while memory and memory[0].time <= edge:
            self._forget(memory.popleft())
        window, edge = self._window, now - self._reach
        while window and window[0].event.time < edge:
            self.graph.retire(window.popleft())

    def _forget(self, event: Event) -> None:
        self.graph.forget(event)
        if isinstance(event, Action):
            if event.outcome != "applied":
                return
            if event.reads or event.intent is not None:
                self.ledger.observers.forget(event)
            if may_make(event):
                self.objects.forget(event)
            if self.variables.forget(event):
                self._age_write(event)
            if self.intents.registers or declares(event):
                self._age_word(event)
        elif isinstance(event, Transition):
            self.variables.forget(event)
        else:
            self._age_word(event)

    def _age_write(self, event: Action) -> None:
        """Nothing within the memory writes this knob: until something does, this write is the last one."""
        self.variables.remember(event)
        self._drop_all(self.facts.age((self.name, "write", event.resource, event.parameter, ""), event))

    def _age_word(self, event: Event) -> None:
        for register in self.intents.words(event):
            self._drop_all(self.facts.age((self.name, "intent", *register), event))
        fact = self.ledger.fact(event)
        if fact is not None:
            self._drop_all(self.facts.age((self.name, *fact), event))

    def expire(self, now: int) -> None:
        """Gives up facts that are too old, or intents that have ended, as of `now` (ns)."""
        edge = now - self.settings.memory
        self.undos.age(now)
        self.demand.forget(edge)
        self.agents.forget(edge)
        for fact, event in list(self.facts.ended(lambda e: self._ended(e, edge))):
            self._drop(fact, event)
            self.facts.give_up(fact)
        self._drop_all(self.facts.expire(now - self.settings.facts_age))

    def _drop_all(self, facts: list[tuple[FactKey, Event]]) -> None:
        for fact, event in facts:
            self._drop(fact, event)

    def _ended(self, event: Event, edge: int) -> bool:
        if isinstance(event, Intent) and event.closed:
            return True
        if not isinstance(event, Action | Intent):
            return False
        until = open_until(event, self.settings.conflict.intent_window)
        return until is not None and until <= edge

    def _drop(self, fact: FactKey, event: Event) -> None:
        _, kind, resource, parameter, who = fact
        self.ledger.drop(kind, event)
        if kind == "write":
            self.variables.drop((resource, parameter))
        elif kind == "intent":
            self.intents.drop((resource, parameter, who), event)

    def restore(self, fact: FactKey, event: Event) -> None:
        """A fact of the topic, in canonical order of the events."""
        self.facts.load(fact, event)
        if fact[1] == "write" and isinstance(event, Action):
            self.variables.remember(event)
        else:
            self.intents.declare(event)
        self.ledger.remember(event)
