"""What a secret looks like from outside: by the name of its field, or within a text. For names and texts that are copied out of records."""

from __future__ import annotations

import re

NAMED = re.compile(
    r"passw|passphrase|secret|token|credential|authorization|cookie|dsn|\bpin\b|(?:api|access|private|account)[-_]?key",
    re.IGNORECASE,
)
_WITHIN = re.compile(
    r"(?P<user>://[^/\s:@]{0,100}:)[^/\s@]+(?=@)"  # https://user:...@host
    r"|(?P<field>(?:passw|secret|token|api[-_]?key|access[-_]?key)[\w-]{0,20}[\"']?\s{0,3}[=:]\s{0,3}[\"']?)[^\s&\"',;]+"  # token=...
    r"|(?P<bearer>\b(?:Bearer|Basic)\s+)[\w.~+/=-]+",
    re.IGNORECASE,
)


def without_secrets(text: str) -> str:
    """The text, with `hidden` for each password in a URL, value of a field named like a secret, and bearer's token."""
    return _WITHIN.sub(lambda found: f"{found['user'] or found['field'] or found['bearer']}hidden", text)
