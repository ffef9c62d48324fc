"""`interplay map test FILE`: what the `[[map]]` rules make of each record of a file, and where none applies, why not."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter

import msgspec

from models.notation import render
from models.rejection import Rejection
from streams.cli.command import FOUND, OK, Command, Context, Trouble, everywhere
from streams.cli.lines import below, refusal
from streams.sources.documents import split
from streams.sources.files import DAMAGED, opened
from streams.sources.mapping.applying import Made, Unmet, made_of
from streams.sources.mapping.rules import Rule
from streams.sources.mapping.source import records, rules_of, unread

REASONS = 8  # rules whose reasons are told of one record


def _arguments(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(title="what to do", dest="deed", required=True, metavar="test")
    test = actions.add_parser("test", help="say record by record what becomes of a file", parents=[everywhere()])
    test.add_argument("files", metavar="FILE", nargs="+", help="JSON, one record a line or pretty-printed; - is standard input")
    test.add_argument("--rule", metavar="NAME", help="only this rule of the settings")


def _run(context: Context) -> int:
    rules = rules_of(context.settings())
    wanted = context.arguments.rule
    if wanted is not None:
        rules = tuple(rule for rule in rules if rule.name == wanted)
        if not rules:
            raise Trouble(f"--rule {wanted}: the settings have no [[map]] of that name")
    told = Telling(context, rules)
    for file in below(context.arguments.files):
        try:
            with opened(file) as content:
                for number, document in split(content):
                    told.document(file, number, document)
        except DAMAGED as error:
            raise Trouble(f"{file}: cut short or damaged: {error}") from error
    if not told.counts["records"] and not told.counts["refused"]:
        raise Trouble(f"{', '.join(context.arguments.files)}: there is no record to map")
    return told.summary()


class Telling:
    """Says what becomes of each record, and counts."""

    def __init__(self, context: Context, rules: tuple[Rule, ...]) -> None:
        self.counts: Counter[str] = Counter()
        self._out = context.out
        self._rules = rules
        self._used: Counter[str] = Counter()

    def document(self, file: str, number: int, document: bytes | Rejection) -> None:
        """One line of the file, or what stands on several."""
        try:
            found = records(document) if not isinstance(document, Rejection) else document
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            found = unread(error)
        if isinstance(found, Rejection):
            self.counts["refused"] += 1
            self._out.say(refusal(file, number, found))
            return
        for place, (raw, record) in enumerate(found):
            self.counts["records"] += 1
            where = f"{file}:{number}" + (f"[{place}]" if len(found) > 1 else "")
            outcomes = list(made_of(record, raw, self._rules))
            made = [each for each in outcomes if isinstance(each, Made)]
            if not made:
                self._unmatched(where, [each for each in outcomes if isinstance(each, Unmet)])
                continue
            for each in outcomes:
                if isinstance(each, Made):
                    self._made(where, each)
                elif each.element:
                    self._out.say(f"{where}: {each.rule}: left out: {each.why}")

    def summary(self) -> int:
        """The last sentences; answers the exit code."""
        counts = self.counts
        self._out.say(
            f"{_counted(counts['records'], 'record')}: {_counted(counts['events'], 'event')}; {counts['ignored']:,} ignored, "
            f"{counts['no rule']:,} without a rule, {counts['refused']:,} refused."
        )
        unused = [rule.name for rule in self._rules if not self._used[rule.name]]
        if unused:
            self._out.say(f"Rules that never applied: {', '.join(unused)}.")
        return FOUND if counts["no rule"] or counts["refused"] else OK

    def _made(self, where: str, made: Made) -> None:
        self._used[made.rule] += 1
        if made.event is None:
            self.counts["ignored"] += 1
            self._out.say(f"{where}: {made.rule}: ignored")
        elif isinstance(made.event, Rejection):
            self.counts["refused"] += 1
            path = f" ({made.event.path})" if made.event.path else ""
            self._out.say(f"{where}: {made.event.reason}{path}: {made.event.detail}")
        else:
            self.counts["events"] += 1
            self._out.say(f"{where}: {made.rule}: {render(made.event)}")

    def _unmatched(self, where: str, unmet: list[Unmet]) -> None:
        self.counts["no rule"] += 1
        more = f"; and {len(unmet) - REASONS} more" if len(unmet) > REASONS else ""
        self._out.say(f"{where}: no rule: " + "; ".join(f"{each.rule}: {each.why}" for each in unmet[:REASONS]) + more)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


COMMAND = Command(
    name="map",
    summary="try the rules that make events of any JSON",
    details="The rules are the [[map]] tables of the settings (docs/mapping.md). Each event is shown in the notation of examples; "
    "where no rule applies, the first condition of each that does not hold. A record is ignored on purpose by a rule of type ignore.",
    examples=("interplay map test webhooks.jsonl --config interplay.toml", "interplay map test - --rule rollouts"),
    exits="0 every record became events or is ignored on purpose; 1 some are refused or have no rule; 2 bad usage, a mistake in the "
    "rules, unreadable input, or not a single record in it",
    run=_run,
    arguments=_arguments,
)
