"""An action under way: the code between entry and exit does it, and whatever is recorded there has it as its cause."""

from __future__ import annotations

import inspect
import uuid
from types import TracebackType
from typing import TYPE_CHECKING, Any

from interplay_sdk import context
from interplay_sdk.unknown import UNKNOWN

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from interplay_sdk.contract import ActionFields
    from interplay_sdk.recorder import Recorder

LONG_BLOCK_NS = 5_000_000_000  # half the lateness that the analyzer allows by default


class Act:
    """An action under way; see `Recorder.action`. `ref` is its name, known from the start. Records nothing where `what` is None."""

    def __init__(self, recorder: Recorder, what: tuple[str, str, str] | None, more: dict[str, Any]) -> None:
        self._recorder, self._what, self._more = recorder, what, more
        self._id = str(uuid.uuid4())
        self.ref = f"{recorder.source} {self._id}" if what else ""
        self._began = 0
        self._outer: tuple[str, ...] = ()
        self._reads: list[context.Reading] = []
        self._inside = context.Block()

    def set(self, **more: Unpack[ActionFields]) -> None:
        """Adds what is known only inside the block, such as new, version or outcome."""
        self._more.update(more)

    def done(self, **more: Unpack[ActionFields]) -> None:
        """The change is made: records the action now. Use it where the block goes on for long, waiting for effects."""
        self.set(**more)
        self._finish(failed=False)

    def __enter__(self) -> Act:
        if self._what:
            verb, resource, parameter = self._what
            self._enter(self._recorder.old(resource, parameter or verb, self._more.get("old", UNKNOWN)))
        return self

    async def __aenter__(self) -> Act:
        if self._what:
            verb, resource, parameter = self._what
            old = self._recorder.old(resource, parameter or verb, self._more.get("old", UNKNOWN), awaits=True)
            if inspect.isawaitable(old):
                old = await self._recorder.awaited(old)
            self._enter(old)
        return self

    def _enter(self, old: Any) -> None:
        self._more["old"] = old
        self._began = self._recorder.now()
        self._outer = context.causes()
        self._reads = self._recorder.take_reads()
        self._inside = context.caused_by((self.ref,))
        self._inside.__enter__()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._inside.__exit__(kind, error, trace)
        self._finish(failed=error is not None)

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.__exit__(kind, error, trace)

    def _finish(self, failed: bool) -> None:
        if self._what is None:
            return
        what, more, now = self._what, self._more, self._recorder.now()
        self._what = None
        if failed and more.get("outcome", "applied") == "applied":
            more["outcome"] = "failed"
        # what was recorded inside comes after its cause; a long block is recorded at its end, or it would come too late
        more.setdefault("time", self._began if now - self._began < LONG_BLOCK_NS else now)
        self._recorder.finish(self._id, what, more, self._outer, self._reads)
