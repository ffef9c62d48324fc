"""Remarks: what is worth knowing and is no finding, since it is right as it is. Told as information; no alert, no gate.

`justified_rollback`: an intent was undone as its holder allows, or for a reason that outranks it. `reapplied`: another instance wrote what
stood already, and became a co-owner. `aba`: a writer acted on a value that had gone away and come back unseen. Each event is judged once,
so each remark is made once; the counts are functions of the events as findings are.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import Literal, TypeAlias, get_args

import msgspec

RemarkKind: TypeAlias = Literal["justified_rollback", "reapplied", "aba"]
KINDS: tuple[str, ...] = get_args(RemarkKind)
SHOWN = 3  # newest sentences kept of each kind


class Remark(msgspec.Struct, frozen=True, gc=False):
    """One of them. `sentence` is empty where the count says it all."""

    kind: RemarkKind
    sentence: str = ""


class Remarks:
    """How many were made of each kind, and the newest sentences."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
        self.sentences: dict[str, deque[str]] = {kind: deque(maxlen=SHOWN) for kind in KINDS}

    def add(self, remark: Remark) -> None:
        """One more."""
        self.counts[remark.kind] += 1
        if remark.sentence:
            self.sentences[remark.kind].append(remark.sentence)
