"""CloudTrail's records as typed structs, in each shape in which AWS delivers them; request and response stay undecoded until needed.

    {"Records": [...]}                                a log file of S3, one line or pretty-printed
    {"detail-type": "...", "detail": {...}}           EventBridge
    {"messageType": "DATA_MESSAGE", "logEvents": [{"message": "{...}"}]}   CloudWatch Logs by subscription, also gzip, also base64
    {"Events": [{"CloudTrailEvent": "{...}"}]}        aws cloudtrail lookup-events
    {"events": [{"message": "{...}"}]}                aws logs filter-log-events
    {"Type": "Notification", "Message": "{...}"}      any of these through SNS; {"Records": [{"body": "{...}"}]} through SQS
    {"eventVersion": "1.08", ...}                     one record; several may follow each other without a line break (Firehose)
    [...]                                             several of them, as jq and EventBridge Pipes write them

Format: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import msgspec

from models.rejection import Rejection, clipped, explained
from streams.sources.cloudtrail.packed import GZIP, unpacked

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Object: TypeAlias = dict[str, Json]

DEEPEST = 5  # shells within each other
READS = ("Describe", "Get", "List")
_ABSENT = msgspec.Raw(b"null")
_OURS = re.compile(rb'\\*"eventSource\\*"\s*:\s*\\*"[a-z0-9.-]+\.amazonaws\.com\\*"')  # also inside a text
_SPACE = re.compile(r"\s*")
_BAD = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Issuer(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """The role (or user) whose session it is."""

    arn: str | None = None
    user_name: str | None = None


class Session(msgspec.Struct, frozen=True, rename="camel"):
    """Of temporary credentials."""

    session_issuer: Issuer | None = None
    source_identity: str | None = None  # whom the provider of identities named, through all roles


class OnBehalf(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A person of the IAM Identity Center."""

    user_id: str | None = None


class Identity(msgspec.Struct, frozen=True, rename="camel"):
    """Who called."""

    type: str = ""
    principal_id: str | None = None
    arn: str | None = None
    account_id: str | None = None
    user_name: str | None = None
    invoked_by: str | None = None
    session_context: Session | None = None
    on_behalf_of: OnBehalf | None = None


class Record(msgspec.Struct, frozen=True, rename="camel"):
    """One call. `event_time` is RFC 3339 with whole seconds."""

    event_time: str
    event_source: str
    event_name: str
    event_id: str = msgspec.field(name="eventID")
    user_identity: Identity = Identity()
    aws_region: str = ""
    user_agent: str | None = None
    error_code: str | None = None
    recipient_account_id: str | None = None
    shared_event_id: str | None = msgspec.field(name="sharedEventID", default=None)
    session_credential_from_console: str | bool | None = None
    request_parameters: msgspec.Raw = _ABSENT
    response_elements: msgspec.Raw = _ABSENT


class Head(NamedTuple):
    """One record, before it is known to be of interest: where it stood, what it says of itself, and all of it."""

    place: str
    source: str
    name: str
    reads: bool
    type: str
    raw: bytes | msgspec.Raw


class _Message(msgspec.Struct):
    message: str


class _Lookup(msgspec.Struct, rename="pascal"):
    cloud_trail_event: str = ""


class _Data(msgspec.Struct):
    data: str


class _Shell(msgspec.Struct, rename="camel"):
    """What any of the shapes begins with; all else of it is passed over."""

    event_source: str | None = None
    event_name: str | None = None
    event_type: str | None = None
    read_only: bool | str | None = None
    records: list[msgspec.Raw] | None = msgspec.field(name="Records", default=None)
    detail: msgspec.Raw = _ABSENT
    detail_type: str | None = msgspec.field(name="detail-type", default=None)
    event_data: msgspec.Raw = _ABSENT  # CloudTrail Lake
    message_type: str | None = None
    log_events: list[_Message] | None = None
    awslogs: _Data | None = None
    events: list[_Lookup] | None = msgspec.field(name="Events", default=None)
    log_lines: list[_Message] | None = msgspec.field(name="events", default=None)
    message: str | None = msgspec.field(name="Message", default=None)
    body: str | None = None
    upper_body: str | None = msgspec.field(name="Body", default=None)
    object_keys: msgspec.Raw = msgspec.field(name="s3ObjectKey", default=_ABSENT)
    log_files: msgspec.Raw = msgspec.field(name="logFiles", default=_ABSENT)


_shell = msgspec.json.Decoder(_Shell).decode
_record = msgspec.json.Decoder(Record).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_end = json.JSONDecoder().raw_decode
NO_LOG = Rejection("unknown_type", "", "a notification that a log file was written, or a digest: give the log file itself")
NO_RECORD = Rejection("unknown_type", "", "no CloudTrail record: neither `eventSource` and `eventName` nor a shell that holds such")


def recognised(head: bytes) -> bool:
    """Whether a file that begins so holds CloudTrail records, by what the first of them says of itself."""
    return _OURS.search(head) is not None and not any(other in head for other in (b'"specversion"', b"audit.k8s.io/"))


def heads(value: bytes) -> Iterator[Head | Rejection | str]:
    """The records of one line, message or file. A bad one is rejected alone, with its place; a text says what else was passed over."""
    try:
        if value[:2] == GZIP or (value[:1] not in (b"{", b"[", b" ", b"\n") and value[:4] == b"H4sI"):
            value = unpacked(value)
        yield from _within(value, "", 0)
    except _BAD as error:
        if "trailing characters" not in str(error):
            yield named(explained(error))
            return
        yield from _several(value)
    except (ValueError, zlib.error) as error:
        yield Rejection("not_json", "", clipped(f"neither JSON nor gzip: {error}"))


def record(head: Head) -> Record | Rejection:
    """All of it. What it keeps of the bytes is a copy, since a file is far larger than a record."""
    try:
        found = _record(head.raw)
    except _BAD as error:
        return named(explained(error, head.place))
    return msgspec.structs.replace(
        found,
        request_parameters=found.request_parameters.copy(),
        response_elements=found.response_elements.copy(),
    )


def body(raw: msgspec.Raw) -> Object:
    """Parameters or response as JSON values; empty where it is none. Raises msgspec's errors, or RecursionError."""
    decoded: Json = msgspec.json.decode(raw)
    if isinstance(decoded, str) and decoded[:1] == "{":  # a table of Athena has it as text, and so has what is exported from there
        decoded = msgspec.json.decode(decoded)
    return decoded if isinstance(decoded, dict) else {}


def named(rejection: Rejection) -> Rejection:
    """The decoder's words are about CloudEvents; here an object is none of CloudTrail."""
    if rejection.reason != "not_cloudevents":
        return rejection
    return Rejection("wrong_type", rejection.path, "no CloudTrail record")


def _within(raw: bytes | msgspec.Raw, place: str, depth: int) -> Iterator[Head | Rejection | str]:
    if isinstance(raw, bytes) and raw[:64].lstrip()[:1] == b"[":
        for number, each in enumerate(_list(raw)):
            yield from _guarded(each, f"{place}[{number}]", depth)
        return
    shell = _shell(raw)
    if shell.records is not None:
        for number, each in enumerate(shell.records):
            try:
                inner = _shell(each)
            except _BAD as error:
                yield named(explained(error, f"Records[{number}]"))
                continue
            if inner.event_name and inner.event_source and inner.body is None and not inner.event_source.startswith("aws:"):
                yield _head(inner, f"Records[{number}]", each)
            else:
                yield from _guarded(each, f"Records[{number}]", depth)
    elif shell.event_name and shell.event_source and shell.body is None:
        if shell.event_source.startswith("aws:"):
            yield msgspec.structs.replace(NO_LOG, path=place)
        else:
            yield _head(shell, place, raw)
    else:
        yield from _shelled(shell, place, depth)


def _head(shell: _Shell, place: str, raw: bytes | msgspec.Raw) -> Head:
    reads = shell.read_only is True or shell.read_only == "true"
    if shell.read_only is None:  # as in records before version 1.02
        reads = (shell.event_name or "").startswith(READS)
    return Head(place, shell.event_source or "", shell.event_name or "", reads, shell.event_type or "", raw)


def _shelled(shell: _Shell, place: str, depth: int) -> Iterator[Head | Rejection | str]:
    text = shell.message or shell.body or shell.upper_body
    if shell.detail_type and not shell.detail_type.endswith("via CloudTrail"):
        yield "other_events"  # a bus carries much else
    elif shell.detail is not _ABSENT:
        yield from _guarded(shell.detail, _below(place, "detail"), depth)
    elif shell.event_data is not _ABSENT:
        yield from _guarded(shell.event_data, _below(place, "eventData"), depth)
    elif shell.message_type == "CONTROL_MESSAGE":
        yield "control_messages"
    elif (lines := shell.log_events or shell.log_lines) is not None:
        name = "logEvents" if shell.log_events else "events"
        for number, each in enumerate(lines):
            yield from _guarded(each.message.encode(), _below(place, f"{name}[{number}].message"), depth)
    elif shell.events is not None:
        for number, found in enumerate(shell.events):
            yield from _guarded(found.cloud_trail_event.encode(), f"Events[{number}].CloudTrailEvent", depth)
    elif shell.awslogs is not None:
        yield from _guarded(shell.awslogs.data.encode(), _below(place, "awslogs.data"), depth, packed=True)
    elif text is not None:
        yield from _guarded(text.encode(), _below(place, "Message" if shell.message else "body"), depth)
    else:
        about = shell.object_keys is not _ABSENT or shell.log_files is not _ABSENT
        yield msgspec.structs.replace(NO_LOG if about else NO_RECORD, path=place)


def _guarded(raw: bytes | msgspec.Raw, place: str, depth: int, packed: bool = False) -> Iterator[Head | Rejection | str]:
    if depth >= DEEPEST:
        yield Rejection("too_deep", place, "shells within shells")
        return
    try:
        yield from _within(unpacked(bytes(raw)) if packed else raw, place, depth + 1)
    except _BAD as error:
        yield named(explained(error, place))
    except (ValueError, zlib.error) as error:
        yield Rejection("not_json", place, clipped(f"not gzip in base64: {error}"))


def _several(value: bytes) -> Iterator[Head | Rejection | str]:
    """Objects one after the other, as Firehose joins them where it is not told to end each with a line break."""
    try:
        text, at = value.decode(), 0
        while at < len(text):
            end = _end(text, at)[1]
            yield from _guarded(text[at:end].encode(), "", 0)
            at = end + len(_SPACE.match(text, end)[0])  # type: ignore[index]  # it matches nothing, too
    except (ValueError, RecursionError) as error:
        yield (
            named(explained(error))
            if isinstance(error, RecursionError)
            else Rejection("not_json", "", clipped(f"not JSON: {error}"))
        )


def _below(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
