"""Events from the files of a command line, whatever source they are of, and the words for lines that are none."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from models.decode import Rejection
from models.events import AnyEvent
from streams.cli.command import Trouble
from streams.settings import Settings
from streams.settings_file.sources import check_cluster
from streams.sources.files import Look, Unreadable, guarded, read_events
from streams.sources.kinds import KINDS
from streams.sources.logs import LogFile, Position
from streams.sources.source import Kind, Origin
from streams.sources.together import logs, side_by_side
from streams.sources.traces import is_trace, read_trace

RECOGNISE, EVENTS, TRACE = "recognise", "events", "trace"


@dataclass
class Sourcing:
    """Of which source the files are, and what was passed over in logs that were not written for this program."""

    settings: Settings
    source: str = RECOGNISE
    cluster: str = "cluster"
    logs: dict[str, Counter[str]] = field(default_factory=dict)  # by the source's name
    taken_for: Callable[[str, int, Counter[str]], None] | None = None  # file, line, and what it was counted as

    def __post_init__(self) -> None:
        otlp = self.settings.otlp
        self.settings = replace(self.settings, otlp=replace(otlp, run=max(otlp.run, otlp.file_run)))

    @property
    def recorded(self) -> bool:
        """Whether a log was read that has valid records."""
        return any(counts.total() for counts in self.logs.values())

    def file(self, number: int, path: str, also: Look | None) -> LogFile:
        """One of them."""
        told = None if self.taken_for is None else partial(self.taken_for, path)
        kind = "" if self.source == RECOGNISE else self.source
        return LogFile(self.settings, Origin(self.cluster), number, path, kind, also, told)

    def sentences(self) -> list[str]:
        """What became of the lines of such logs, a sentence each."""
        told = []
        for source, counts in sorted(self.logs.items()):
            kind = KINDS[source]
            rest = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in sorted(counts.items()) if name != kind.taken)
            told.append(f"{source}: {counts[kind.taken]:,} {kind.meaning}{f'; passed over: {rest}' if rest else ''}.")
        return told

    def unlike(self) -> list[str]:
        """What workers with these settings would tell otherwise, a sentence each."""
        return [f"{source}: {count:,} {what}." for source, count, what in self._counted(lambda kind: kind.unlike)]

    def hints(self) -> list[str]:
        """What to do about records that could have been events, a sentence each."""
        return [f"{source}: {hint}." for source, _, hint in self._counted(lambda kind: kind.hints)]

    def _counted(self, told: Callable[[Kind], Mapping[str, str]]) -> Iterator[tuple[str, int, str]]:
        """Of each log (its source, how many, what is told of them), where that is not none."""
        for source, counts in sorted(self.logs.items()):
            yield from ((source, counts[name], what) for name, what in told(KINDS[source]).items() if counts[name])


def sourcing_arguments(parser: ArgumentParser) -> None:
    """What a command that reads files of any source is given."""
    parser.add_argument(
        "--source",
        choices=(RECOGNISE, EVENTS, TRACE, *KINDS),
        default=RECOGNISE,
        help="what the files hold; by default a log is recognised by its content (k8s-audit: Kubernetes audit.k8s.io/v1; "
        "cloudtrail: AWS; otlp: OpenTelemetry; json: any to a record of "
        "which a [[map]] rule with conditions applies); trace: the text notation, which else is known by the name *.trace",
    )
    parser.add_argument(
        "--cluster",
        metavar="NAME",
        type=_cluster,
        default="cluster",
        help="of Kubernetes, where the records do not say it: resources are called k8s/NAME/namespace/kind/name",
    )


def _cluster(text: str) -> str:
    if trouble := check_cluster(text):
        raise ArgumentTypeError(trouble)
    return text


def below(paths: Sequence[str]) -> list[str]:
    """The files, and those of directories and all below them in order of their names, but for hidden ones. Raises Trouble."""
    found: list[str] = []
    for path in paths:
        if path == "-" or not Path(path).is_dir():
            found.append(path)
            continue
        shown = (file for file in Path(path).rglob("*") if not any(part.startswith(".") for part in file.relative_to(path).parts))
        within = sorted(file for file in shown if file.is_file())
        if not within:
            raise Trouble(f"{path}: there is no file in this directory")
        found += map(str, within)
    return found


def read(files: Sequence[str], sourcing: Sourcing, also: Look | None = None) -> Iterator[tuple[Position, AnyEvent | Rejection]]:
    """Events, or why there is none, and where they stood: the number of the file and of the line. Raises Trouble where a file cannot be
    read to its end.

    `also` is shown each line of JSON as it is; a trace has its own words, which its reader checks. `sourcing` is told what was passed over
    in logs of other sources."""
    try:
        streams, others = [], []
        for number, file in enumerate(files):
            if is_trace(file) or sourcing.source == TRACE:
                streams.append(_placed(number, guarded(file, read_trace(file))))
            elif sourcing.source == EVENTS:
                streams.append(_placed(number, guarded(file, read_events(file, also))))
            else:
                others.append(sourcing.file(number, file, also))
        yield from side_by_side([*streams, *logs(others, sourcing.settings, sourcing.logs)])
    except Unreadable as error:
        raise Trouble(str(error)) from error


def _placed(number: int, read: Iterator[tuple[int, AnyEvent | Rejection]]) -> Iterator[tuple[Position, AnyEvent | Rejection]]:
    return (((number, line), event) for line, event in read)


def refusal(file: str, line: int, rejection: Rejection) -> str:
    """One line about a bad event: where, which field, what is wrong."""
    path = f" ({rejection.path})" if rejection.path else ""
    return f"{file}:{line}: {rejection.reason}{path}: {rejection.detail}"
