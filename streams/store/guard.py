"""What may be asked of an embedded store. The engine is the worker's own process, and its `readonly = 1` is not enough: it still reads
files (the scalar function `file`), reaches out (`DESCRIBE url(...)`), writes (INTO OUTFILE) and kills queries. So, before it:

- one statement, of a kind that reads;
- no word, quoted or not, that is a table function (but for harmless ones) or another way out: functions can be named without calling
  them (`APPLY file`, `arrayMap(file, ...)`), so the word itself is refused, except inside strings;
- nothing whose reading could be in doubt: comments are taken out, and outside strings only plain ASCII without `$`, `#` and backslashes.

A few harmless settings are taken out of the last SETTINGS clause (Grafana's ad hoc filters come that way), to be set before `readonly`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

SAFE_TABLE_FUNCTIONS = {"numbers", "numbers_mt", "zeros", "zeros_mt", "generateseries", "generate_series", "values", "null", "view"}
SAFE_TABLE_FUNCTIONS |= {"format", "input", "primes", "sqlstandardvalues"}
OTHER_WAYS_OUT = {"file", "outfile", "infile", "eval", "python", "addresstoline", "addresstolinewithinlines", "identifier"}
OTHER_WAYS_OUT |= {"default"}  # chDB's own database, which shows files as tables

SETTINGS = {  # name -> the largest value, None: none
    "additional_table_filters": None,
    "max_execution_time": 60,
    "max_result_rows": 1_000_000,
    "max_block_size": 1_000_000,
    "max_threads": 8,
    "final": 1,
}
DEFAULTS = {
    "max_execution_time": "30",
    "max_result_rows": "1000000",
    "max_result_bytes": "200000000",
    "final": "1",
    "session_timezone": "'UTC'",
}

_READS = {"select", "with", "show", "describe", "desc", "explain"}
_TOKEN = re.compile(
    r"""(?P<string>'(?:[^'\\]|\\.|'')*')|(?P<quoted>"[^"\\]*"|`[^`\\]*`)|(?P<comment>--[^\n]*|/\*.*?\*/)|(?P<word>[A-Za-z_][A-Za-z_0-9]*)"""
    r"""|(?P<number>[0-9]+)|(?P<space>[ \t\r\n]+)|(?P<sign>[!%&()*+,\-./:;<=>?@\[\]^{|}~])""",
    re.DOTALL,
)


class Denied(Exception):
    """It may not be asked. The text says why."""


class Question(msgspec.Struct, frozen=True):
    """What is handed to the engine: the text without comments, settings (values as SQL literals), and the format where it names one."""

    sql: str
    settings: dict[str, str]
    format: str


class Token(msgspec.Struct, frozen=True):
    """A piece of the text."""

    kind: str
    text: str


def guarded(sql: str, asked: Mapping[str, str], banned: frozenset[str]) -> Question:
    """The question, where it may be asked. `asked` are settings that came beside it; `banned` are words in lower case. Raises Denied."""
    tokens = _tokens(sql)
    while tokens and (tokens[-1].kind == "space" or tokens[-1].text == ";"):
        tokens.pop()
    _check_words(tokens, banned)
    telling = [token for token in tokens if token.kind != "space"]
    if any(token.text == ";" for token in telling):
        raise Denied("one statement at a time")
    first = next((token.text.lower() for token in telling if token.text != "("), "")
    if first not in _READS:
        raise Denied(f"{first.upper() or 'nothing'} is not a question: SELECT, WITH, SHOW, DESCRIBE or EXPLAIN")
    for name in asked:
        if name not in SETTINGS:
            raise Denied(f"the setting {name} cannot be changed here")
    tokens, lifted = _lifted(tokens)
    settings = {**DEFAULTS, **{name: _literal(value) for name, value in asked.items()}, **lifted}
    for name, value in settings.items():
        settings[name] = _checked(name, value, banned)
    words = [token.text for token in tokens if token.kind != "space"]
    named = words[-1] if len(words) > 2 and words[-2].lower() == "format" else ""
    return Question("".join(token.text for token in tokens), settings, named)


def _tokens(sql: str) -> list[Token]:
    tokens, place = [], 0
    while place < len(sql):
        match = _TOKEN.match(sql, place)
        if match is None:
            raise Denied(f"{sql[place]!r} outside a string, or a quote without its end")
        kind, text = match.lastgroup or "", match[0]
        if kind == "sign" and sql.startswith("/*", place):
            raise Denied("a comment without its end")
        if kind == "comment" and "/*" in text[2:]:
            raise Denied("a comment in a comment")
        tokens.append(Token("space", " ") if kind == "comment" else Token(kind, text))
        place = match.end()
    return tokens


def _check_words(tokens: list[Token], banned: frozenset[str]) -> None:
    for token in tokens:
        word = token.text.strip('"`').lower()
        if token.kind in ("word", "quoted") and word in banned:
            raise Denied(f"{word} reaches beyond the store")


def _lifted(tokens: list[Token]) -> tuple[list[Token], dict[str, str]]:
    """The text without its last SETTINGS clause, and that clause; unchanged where it sets anything that only the engine may judge."""
    depth, start, end = 0, -1, len(tokens)
    for index, token in enumerate(tokens):
        depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
        word = token.text.lower() if token.kind == "word" and depth == 0 else ""
        if word == "settings":
            start, end = index, len(tokens)
        elif word == "format" and start >= 0:
            end = index
    if start < 0:
        return tokens, {}
    found: dict[str, str] = {}
    for clause in _split(tokens[start + 1 : end]):
        parts = [token for token in clause if token.kind != "space"]
        if len(parts) < 3 or parts[0].kind != "word" or parts[1].text != "=" or parts[0].text not in SETTINGS:
            return tokens, {}
        found[parts[0].text] = "".join(token.text for token in parts[2:])
    return [*tokens[:start], *tokens[end:]], found


def _split(tokens: list[Token]) -> list[list[Token]]:
    clauses: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
        if token.text == "," and depth == 0:
            clauses.append([])
        else:
            clauses[-1].append(token)
    return clauses


def _checked(name: str, value: str, banned: frozenset[str]) -> str:
    """The value of a setting, at most what is allowed. A filter is SQL inside strings: its words are looked at too."""
    if name == "additional_table_filters":
        inside = _tokens(_unquoted(value) if value.startswith("'") else value)
        for token in inside:
            if token.kind == "string":
                _check_words(_tokens(_unquoted(token.text)), banned)
        if any(token.kind in ("word", "quoted") for token in inside):
            raise Denied("additional_table_filters is a map of strings")
        return value
    limit = SETTINGS.get(name)
    if limit is None:
        return value
    try:
        number = int(value.strip("'"))
    except ValueError:
        raise Denied(f"the setting {name} is not a number: {value}") from None
    return str(min(number, limit) if number > 0 or name == "final" else limit)


def _unquoted(text: str) -> str:
    if re.search(r"\\[^'\\]", text):
        raise Denied("only quotes can be escaped in a filter")
    return re.sub(r"\\(['\\])|''", lambda match: match[1] or "'", text[1:-1])


def _literal(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
