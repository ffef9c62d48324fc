"""`interplay validate FILE`: says line by line what is wrong with events, so that producers in any language can be written."""

from __future__ import annotations

from argparse import ArgumentParser

from models.decode import Rejection
from streams.cli.command import FOUND, OK, Command, Context, Trouble
from streams.cli.lines import read, refusal
from streams.validation import Misspellings, Omissions


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="events, one JSON object per line, or lines of text in *.trace; - is standard input",
    )


def _run(context: Context) -> int:
    good = bad = 0
    omissions, misspellings = Omissions(), Misspellings()
    for file in context.arguments.files:
        for line, event in read(file, misspellings.look):
            if isinstance(event, Rejection):
                bad += 1
                context.out.say(refusal(file, line, event))
            else:
                good += 1
                omissions.add(event)
    if not good and not bad:  # a producer that died would pass for one without mistakes
        raise Trouble(f"{', '.join(context.arguments.files)}: there is no event to check")
    context.out.say(f"{good:,} good, {bad:,} bad.")
    for sentence in (*misspellings.sentences(), *omissions.sentences()):
        context.out.say(sentence)
    return FOUND if bad else OK


COMMAND = Command(
    name="validate",
    summary="say line by line what is wrong with events in files",
    details="The rules are those of the workers: what passes here is not sent to the dead letters there. What good events leave out, "
    "and what that costs, is told at the end, and so are unknown data fields that look like a known one misspelt.",
    examples=("interplay validate events.jsonl", "my-producer --dry-run | interplay validate -"),
    exits="0 every line is good; 1 some are not; 2 bad usage, unreadable input, or not a single line in it",
    run=_run,
    arguments=_arguments,
)
