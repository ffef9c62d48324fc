"""`interplay validate FILE`: says line by line what is wrong with events, so that producers in any language can be written."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter

from models.decode import Rejection
from models.notation import render
from streams.cli.command import FOUND, OK, Command, Context, Trouble
from streams.cli.lines import Sourcing, below, read, refusal, sourcing_arguments
from streams.validation import Misspellings, Omissions


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="events, one JSON object per line, lines of text in *.trace, or a log of another kind; - is standard input; "
        "of a directory all files below it",
    )
    sourcing_arguments(parser)
    parser.add_argument("--lines", action="store_true", help="of each line, also what it was taken for and what became of it")


def _run(context: Context) -> int:
    arguments, say = context.arguments, context.out.say
    good = bad = 0
    omissions, misspellings = Omissions(), Misspellings()
    sourcing = Sourcing(context.settings(), arguments.source, arguments.cluster)
    if arguments.lines:
        sourcing.taken_for = lambda file, line, counts: say(_taken_for(file, line, counts))
    for file in below(arguments.files):
        for (_, line), event in read([file], sourcing, misspellings.look):
            if isinstance(event, Rejection):
                bad += 1
                say(refusal(file, line, event))
                continue
            good += 1
            omissions.add(event)
            if arguments.lines:
                say(f"{file}:{line}: becomes {render(event)}")
    if not good and not bad and not sourcing.recorded:  # a producer that died would pass for one without mistakes
        raise Trouble(f"{', '.join(arguments.files)}: there is no event to check")
    say(f"{good:,} good, {bad:,} bad.")
    for sentence in (*sourcing.sentences(), *misspellings.sentences(), *omissions.sentences()):
        say(sentence)
    return FOUND if bad else OK


def _taken_for(file: str, line: int, counts: Counter[str]) -> str:
    told = ", ".join(name.replace("_", " ") for name in sorted(counts))
    return f"{file}:{line}: taken for {told}" if told else f"{file}:{line}: taken for nothing"


COMMAND = Command(
    name="validate",
    summary="say line by line what is wrong with events in files",
    details="The rules are those of the workers: what passes here is not sent to the dead letters there. What good events leave out, "
    "and what that costs, is told at the end, and so are unknown data fields that look like a known one misspelt. "
    "Logs that were not written for this program are translated as `analyze` and the workers do it.",
    examples=(
        "interplay validate events.jsonl",
        "interplay validate --lines audit.log",
        "my-producer --dry-run | interplay validate -",
    ),
    exits="0 every line is good; 1 some are not; 2 bad usage, unreadable input, or not a single line in it",
    run=_run,
    arguments=_arguments,
)
