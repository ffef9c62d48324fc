"""CloudTrail as a source: reads and unknown calls passed over and counted, the rest put in order, then told as actions.

    UpdateService {"cluster": "prod", "service": "cart", "desiredCount": 4}
        ->  scale aws/<account>/<region>/ecs/service/prod/cart desiredCount ? -> 4

Times are whole seconds, so calls of one second are told in the canonical order of their sources and ids, which need not be the real one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType

from models.events import Action, Value, Why
from models.foreign import Foreign, Found, Place
from models.instants import parse_time
from models.rejection import Rejection, clipped, explained
from models.values import same
from streams.settings import Settings
from streams.sources.cloudtrail.agents import Agent, Agents
from streams.sources.cloudtrail.calls import Call, call_of
from streams.sources.cloudtrail.carried import DERIVED, Carried
from streams.sources.cloudtrail.change import EXISTS, Change
from streams.sources.cloudtrail.changes import changes
from streams.sources.cloudtrail.known import Knob, Known
from streams.sources.cloudtrail.own import Table, table_of
from streams.sources.cloudtrail.record import Head, Record, body, heads, named, record
from streams.sources.cloudtrail.values import account_of
from streams.sources.secrets import hashed
from streams.sources.source import Headers, Origin

NAME = 512  # characters, as for every event
DRY_RUN = "DryRunOperation"
FAILED = (
    "Server.",
    "Internal",
    "ServiceUnavailable",
    "ServiceException",
    "ServerException",
    "InsufficientInstanceCapacity",
    "Timeout",
)
_BAD = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Told(Foreign, frozen=True, kw_only=True):
    """A call of the table. `source` is the agent's instance, `id` the eventID."""

    record: Record
    agent: Agent


class CloudTrail:
    """A `Source`."""

    def __init__(self, settings: Settings, origin: Origin) -> None:
        self.counts: Counter[str] = Counter()
        self._origin = origin
        self._agents = Agents(settings.agent)
        self._table = table_of(settings.cloudtrail.call)

    def parse(self, value: bytes, headers: Headers, place: Place) -> Sequence[Told | Rejection]:
        """See `Source`."""
        found: list[Told | Rejection] = []
        for head in heads(value):
            if isinstance(head, Rejection):
                found.append(head)
            elif isinstance(head, str):
                self.counts[head] += 1
            elif self._is_change(head):
                found.append(_told(head, place, self._agents))
        return found

    def fold(self) -> Calls:
        """See `Source`."""
        return Calls(self._origin, self._table)

    def _is_change(self, head: Head) -> bool:
        """From what surrounds the request; what it is not is counted by why."""
        why = (
            "reads" if head.reads
            else "no_calls" if head.type not in ("", "AwsApiCall")
            else "other_calls" if call_of(head.source, head.name, self._table) is None
            else ""
        )  # fmt: skip
        self.counts[why or "changes"] += 1
        return not why


def _told(head: Head, place: Place, agents: Agents) -> Told | Rejection:
    found = record(head)
    if isinstance(found, Rejection):
        return found
    at = f"{head.place}." if head.place else ""
    try:
        time = parse_time(found.event_time)
    except ValueError as error:
        reason = "time_out_of_range" if "1970-2262" in str(error) else "bad_time"
        return Rejection(reason, f"{at}eventTime", clipped(str(error)))
    if not found.event_id:
        return Rejection("missing_field", f"{at}eventID", "`eventID` must not be empty")
    if len(found.event_id) > NAME // 4 or len(found.aws_region) > NAME // 8:
        return Rejection("too_long", f"{at}eventID", f"a name of more than {NAME // 8} characters")
    agent = agents.agent_of(found)
    return Told(time=time, source=f"aws/{agent.instance}", id=found.event_id, place=place, record=found, agent=agent)


class Calls:
    """A `Translator`: what each knob was last set to, so that a change has an old value."""

    delay = 0

    def __init__(self, origin: Origin, table: Table) -> None:
        self._table = table
        self.counts: Counter[str] = Counter()
        self._domain = origin.domain
        self._known = Known()
        self._carried = Carried(self._known)

    def translate(self, record: Foreign) -> Sequence[Found]:
        """See `Translator`."""
        assert isinstance(record, Told)
        shared = record.record.shared_event_id
        if shared and self._known.repeated(shared):
            self.counts["repeated"] += 1
            return ()
        try:
            told = self._actions(record)
        except _BAD as error:
            return ((record.place, named(explained(error, "requestParameters"))),)
        return [(record.place, each) for each in told]

    def passed(self, time: int) -> Sequence[Found]:
        """Nothing waits."""
        return ()

    def _actions(self, told: Told) -> Sequence[Action | Rejection]:
        call = call_of(told.record.event_source, told.record.event_name, self._table)
        if call is None:
            self.counts["other_calls"] += 1
            return ()
        code, request = told.record.error_code or "", body(told.record.request_parameters)
        if DRY_RUN in code or request.get("dryRun") is True:
            self.counts["dry_run"] += 1
            return ()
        moved = changes(call, request, body(told.record.response_elements))
        account = (
            account_of(call.resource, request) or told.record.recipient_account_id or told.record.user_identity.account_id or "-"
        )
        named = [self._named(told.record, account, call, change) for change in moved]
        derived = (told.agent.name, call.service) in DERIVED
        if derived:
            named = [] if code else self._carried.out(told.agent.name, told.time, named)
        loud = [change for change in named if not change.quiet]
        if not loud:
            self.counts["derived" if derived else "no_known_parameter"] += 1
        elif not derived and not code:
            self._carried.asked(told.agent.name, told.id, told.time, named)
        found = [self._action(told, change, code, len(loud) > 1) for change in named]
        return [action for action in found if action is not None]

    def _named(self, record: Record, account: str, call: Call, change: Change) -> Change:
        """With the whole names of its resource and owner."""
        owner = _resource(record, account, call, change.owner)[:NAME] if change.owner else ""
        if change.group_of:
            resource = self._known.owner(_resource(record, account, call, change.group_of))
        else:
            resource = _resource(record, account, call, change.resource)
        return msgspec.structs.replace(change, resource=resource, owner=owner)

    def _action(self, told: Told, change: Change, code: str, several: bool) -> Action | Rejection | None:
        resource = change.resource
        if len(resource) > NAME or len(change.parameter) > NAME // 2:
            return Rejection("too_long", "requestParameters", f"a name of more than {NAME // 2} characters")
        outcome = ("failed" if any(word in code for word in FAILED) else "rejected") if code else "applied"
        old, new, owner = self._values((resource, change.parameter), change, outcome == "applied", told.time)
        same_again = change.minor and (old is UNSET or old is None or same(old, new))
        if change.quiet or same_again or not resource or (change.by and new is UNSET):
            return None
        which = change.parameter if not several else f"{resource.rpartition('/')[2]}.{change.parameter}"
        own = change.parameter == EXISTS and not owner
        return Action(
            time=told.time,
            source=told.source,
            id=f"{told.id}#{which if len(which) < NAME // 2 else hashed(which)}",
            domain=self._domain,
            resource=resource,
            agent=change.agent or told.agent.name,
            verb=change.verb,
            parameter=change.parameter,
            old=old,
            new=new,
            outcome=outcome,
            owner=owner,
            rollout=f"{told.agent.name} {resource}"[:NAME] if own else "",
            why=Why(rule=code[:NAME]) if code else None,
            causes=change.causes,
        )

    def _values(self, knob: Knob, change: Change, applied: bool, time: int) -> tuple[Value | UnsetType, Value | UnsetType, str]:
        """Old, new and the owner, by the answer and the log; what was applied is remembered."""
        if change.enter or change.leave:
            if not applied:
                return UNSET, UNSET, ""
            return *self._known.moved(knob, change.enter, change.leave), ""
        if change.parameter == EXISTS:
            return self._lives(knob[0], change, applied, time)
        old = change.old if applied and change.old is not UNSET else self._known.value(knob)  # an answer knows what no call told
        new = change.new
        if change.by and new is UNSET and isinstance(old, int):
            new = old + change.by
        if applied and not isinstance(new, UnsetType):
            self._known.put(knob, new)
        if not applied and same(old, new):
            old = UNSET
        return old, new, ""

    def _lives(self, resource: str, change: Change, applied: bool, time: int) -> tuple[Value | UnsetType, Value | UnsetType, str]:
        """Something begins or ends to exist, perhaps for an owner whose next one takes its place: from null, to null."""
        if change.owner and change.new is True and applied:
            self._known.own(resource, change.owner)
        owner = change.owner or self._known.owner(resource)
        if change.new is True:
            return None if owner else False, True, owner
        if applied and owner and not change.by:
            self._carried.vacate(owner, time)
        return True, None if owner else False, owner


def _resource(record: Record, account: str, call: Call, name: str) -> str:
    """aws/<account>/<region>/<service>/<id>: the account is that of an ARN in the request, else whose trail it is, who owns the rest."""
    service, _, rest = name[1:].partition("/") if name.startswith("/") else (call.service, "", name)
    region = record.aws_region if call.regional else ""
    return f"aws/{account}/{region or '-'}/{service}/{rest}"
