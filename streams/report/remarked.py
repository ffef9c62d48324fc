"""Remarks as sentences for the end of a report: what is right as it is, and worth knowing."""

from __future__ import annotations

from models.remarks import Remarks


def remarked(remarks: Remarks) -> list[str]:
    """One sentence for each kind of which there are any, with the newest ones told where they say more than their number."""
    told = []
    for kind, one, many in (
        ("justified_rollback", "1 rollback was justified and is no finding", "{} rollbacks were justified and are no findings"),
        (
            "aba",
            "1 writer acted on a value that had gone away and come back",
            "{} writers acted on values that had gone away and come back",
        ),
        ("reapplied", "1 write by another instance put again what stood", "{} writes by other instances put again what stood"),
    ):
        count = remarks.counts[kind]
        if count:
            newest = remarks.sentences[kind]
            head = one if count == 1 else many.format(f"{count:,}")
            which = ", the newest" if len(newest) < count and newest else ""
            told.append(f"{head}{which}: {' '.join(newest)}" if newest else f"{head}.")
    return told
