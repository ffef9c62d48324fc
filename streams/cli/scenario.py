"""`interplay scenario list|show|run`: incidents as text, what must be found in them and by when, and whether it is."""

from __future__ import annotations

from argparse import ArgumentParser

from models.events import Action
from models.explain import list_names
from models.instants import clock_time
from models.scenarios import Scenario, final
from models.values import text
from streams import library
from streams.cli.command import FOUND, OK, Command, Context, Trouble, everywhere
from streams.report.words import shown
from streams.terminal import Terminal, table

WRITES = 8  # of one knob that its line shows


def _arguments(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(title="what to do", dest="deed", required=True, metavar="list|show|run")
    actions.add_parser("list", help="what there is: what must be found in each, and what must not", parents=[everywhere()])
    show = actions.add_parser("show", help="the text of one, and its knobs as lines in time", parents=[everywhere()])
    show.add_argument("name", metavar="NAME", help="a scenario's name, or a file *.trace")
    run = actions.add_parser("run", help="analyse, and say whether each expectation holds", parents=[everywhere()])
    run.add_argument("names", metavar="NAME", nargs="*", help="scenarios' names, or files *.trace")
    run.add_argument("--all", action="store_true", help="every scenario that comes with the program")


def _run(context: Context) -> int:
    deeds = {"list": _list, "show": _show, "run": _play}
    try:
        return deeds[context.arguments.deed](context)
    except library.Unreadable as error:
        raise Trouble(str(error)) from error


def _list(context: Context) -> int:
    rows = []
    for scenario in map(library.scenario, library.names()):
        wanted = ", ".join(scenario.kinds or (f"no {what}" if what != "nothing" else what for what in scenario.spared))
        near = f" (near miss of {list_names(scenario.near)})" if scenario.near else ""
        rows.append((scenario.name, wanted + near, scenario.title + (" (pending)" if scenario.pending else "")))
    if context.out.interactive:
        context.out.say(table(("scenario", "to be found", "what it is"), rows, context.out.width))
    else:  # for cut and awk, as git and gh do
        context.out.say("\n".join("\t".join(row) for row in rows))
    return OK


def _show(context: Context) -> int:
    scenario = library.scenario(context.arguments.name)
    context.out.say(scenario.text.rstrip() + "\n")
    for line in _lines(scenario):
        context.out.say(context.out.wrap(shown(line)))
    return OK


def _play(context: Context) -> int:
    arguments = context.arguments
    if bool(arguments.names) == arguments.all:
        raise Trouble("say which scenarios to run, or --all; interplay scenario list names them")
    played = [library.run(library.scenario(name)) for name in (library.names() if arguments.all else arguments.names)]
    for each in played:
        _tell(each, context.out)
    broken = [each for each in played if not each.holds and not each.scenario.pending]
    pending = sum(1 for each in played if not each.holds and each.scenario.pending)
    lines = sum(len(each.outcomes) for each in played)
    waiting = f", {pending} pending" if pending else ""
    held = len(played) - len(broken) - pending
    context.out.say(f"{held} of {len(played)} scenarios hold ({lines} expectations){waiting}.")
    if broken:
        context.out.say(f"Broken: {', '.join(each.scenario.name for each in broken)}.")
    return FOUND if broken else OK


def _tell(played: library.Played, out: Terminal) -> None:
    scenario = played.scenario
    out.say(out.paint(f"{scenario.name}: {scenario.title}", "bold"))
    found = final(played.changes)
    for finding in found:
        out.say(out.wrap(shown(f"found {finding.pattern}/{finding.kind} ({finding.severity}): {finding.title}."), "  "))
    if not found:
        out.say("  Nothing is found.")
    for outcome in played.outcomes:
        word = out.paint("holds", "green") if outcome.holds else out.paint("fails", "red")
        out.say(out.wrap(f"{word} {outcome.expectation.text}: {shown(outcome.sentence)}.", "  "))
    if played.differing:
        out.say(out.wrap(f"fails: other findings where the events come {list_names(played.differing)} than where streamed.", "  "))
    if scenario.pending:
        told = "it holds, so the line `# pending:` can go" if played.holds else scenario.pending
        out.say(out.wrap(f"pending: {told}", "  "))
    out.say()


def _lines(scenario: Scenario) -> list[str]:
    """Each knob as a line: its values, and who wrote them when."""
    knobs: dict[str, list[Action]] = {}
    for event in sorted(scenario.events, key=lambda event: (event.time, event.source, event.id)):
        if isinstance(event, Action) and event.outcome == "applied":
            knobs.setdefault(f"{event.resource} {event.parameter}", []).append(event)
    return [f"{knob}: {_way(writes)}" for knob, writes in knobs.items()]


def _way(writes: list[Action]) -> str:
    parts = [text(writes[0].old)] if isinstance(writes[0].old, int | float | str) else []
    parts += [f"─[{clock_time(write.time)} {write.agent}]→ {_value(write)}" for write in writes[:WRITES]]
    more = len(writes) - WRITES
    return " ".join([*parts, *([f"... {more} more"] if more > 0 else [])])


def _value(write: Action) -> str:
    return write.verb if not isinstance(write.new, int | float | str | tuple | None) else text(write.new)


COMMAND = Command(
    name="scenario",
    summary="incidents as text, with what must be found in them: list, show and run them",
    details="""\
Each is events in the notation, then what must and must not be found, and by when: public incidents, each with its source and with what
in it is documented and what is made up, and quiet cases in which nothing may be found. run analyses them streamed, in one batch, out of
order, and split over partitions with every event twice: the findings must be the same. Files of your own work too; how to write them:
docs/scenarios.md.""",
    examples=(
        "interplay scenario list",
        "interplay scenario show reddit-2016",
        "interplay scenario run reddit-2016",
        "interplay scenario run --all",
    ),
    exits="0 every expectation holds, or is marked as pending; 1 one does not; 2 bad usage, or a scenario that cannot be read",
    run=_run,
    arguments=_arguments,
)
