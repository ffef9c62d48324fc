"""Quantities as the API server writes them: one amount has one text, however somebody spelled it.

0.5 -> 500m    1000m -> 1    1024Mi -> 1Gi    1.5Gi -> 1536Mi

The server's answers are so already; a request is not, nor is what a custom resource holds. Rules: k8s.io/apimachinery/pkg/api/resource.
"""

from __future__ import annotations

import re
from functools import lru_cache

_PARTS = re.compile(r"([+-]?)([0-9]{1,18})?(?:\.([0-9]{0,9}))?(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?", re.ASCII)
_DECIMAL, _BINARY = ("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")


@lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """The same amount in its one spelling; what is no quantity, or has fractions of a byte or of a billionth, as it is."""
    found = _PARTS.fullmatch(text)
    if found is None or not (found[2] or found[3]):
        return text
    sign, whole, fraction, unit = "-" if found[1] == "-" else "", found[2] or "0", found[3] or "", found[4] or ""
    binary = unit in _BINARY and unit != ""
    units, base = (_BINARY, 1024) if binary else (_DECIMAL, 1000)
    smallest = int(whole + fraction) * base ** units.index(unit)  # in bytes or billionths
    scaled, rest = divmod(smallest, 10 ** len(fraction))
    if rest:
        return text
    if scaled == 0:
        return "0"
    place = 0
    while scaled % base == 0 and place + 1 < len(units):
        scaled, place = scaled // base, place + 1
    return f"{sign}{scaled}{units[place]}"
