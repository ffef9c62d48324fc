"""A stand-in for an agent's client that remembers what was read through it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from interplay_sdk.recorder import Recorder


class Tracked:
    """See `Recorder.track`."""

    def __init__(self, recorder: Recorder, client: Any, reads: dict[str, Callable[..., tuple[str, str, Any]]]) -> None:
        self._recorder, self._client, self._reads = recorder, client, reads

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        says = self._reads.get(name)
        if says is None:
            return found
        if inspect.iscoroutinefunction(found):

            @functools.wraps(found)
            async def later(*args: Any, **kwargs: Any) -> Any:
                result = await found(*args, **kwargs)
                self._note(says, result, args, kwargs)
                return result

            return later

        @functools.wraps(found)
        def now(*args: Any, **kwargs: Any) -> Any:
            result = found(*args, **kwargs)
            self._note(says, result, args, kwargs)
            return result

        return now

    def _note(self, says: Callable[..., tuple[str, str, Any]], result: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        try:
            self._recorder.read(*says(result, *args, **kwargs))
        except Exception as error:
            self._recorder.trouble(f"a tracked read was not understood: {error!r}")
