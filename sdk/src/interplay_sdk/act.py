"""An action under way: the code between entry and exit does it, and whatever is recorded there has it as its cause."""

from __future__ import annotations

import uuid
from types import TracebackType
from typing import TYPE_CHECKING, Any

from interplay_sdk import context
from interplay_sdk.unknown import UNKNOWN

if TYPE_CHECKING:
    from interplay_sdk.recorder import Recorder

LONG_BLOCK_NS = 5_000_000_000


class Act:
    """An action under way; see `Recorder.action`. `ref` is its name, known from the start."""

    def __init__(self, recorder: Recorder, verb: str, resource: str, parameter: str, more: dict[str, Any]) -> None:
        self._recorder, self._what, self._more = recorder, (verb, resource, parameter), more
        self._id = str(uuid.uuid4())
        self.ref = f"{recorder.source} {self._id}"
        self._began = 0

    def set(self, **more: Any) -> None:
        """Adds what is known only inside the block, such as new or version."""
        self._more.update(more)

    def __enter__(self) -> Act:
        recorder, (verb, resource, parameter) = self._recorder, self._what
        self._began = recorder.clock()
        self._more["old"] = recorder.old((resource, parameter or verb), self._more.get("old", UNKNOWN))
        self._outer = context.causes()
        self._inside = context.caused_by((self.ref,))
        self._inside.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._inside.__exit__(None, None, None)
        self._finish(failed=error is not None)

    async def __aenter__(self) -> Act:
        return self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.__exit__(kind, error, trace)

    def _finish(self, failed: bool) -> None:
        recorder, more = self._recorder, self._more
        now = recorder.clock()
        if failed:
            more.setdefault("outcome", "failed")
        more.setdefault("causes", self._outer)
        # what was recorded inside comes after its cause; a long block is recorded at its end, or it would come too late
        more.setdefault("time", self._began if now - self._began < LONG_BLOCK_NS else now)
        recorder.finish(self._id, *self._what, more)
