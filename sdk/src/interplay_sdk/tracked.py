"""A stand-in for an agent's client that remembers what was read through it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from interplay_sdk.recorder import Recorder

Says = Callable[..., tuple[Any, ...]]


class Tracked:
    """See `Recorder.track`. Attributes pass through both ways; special methods such as `client[...]` do not."""

    def __init__(self, recorder: Recorder, client: Any, reads: dict[str, Says]) -> None:
        self.__dict__.update(_recorder=recorder, _client=client, _reads=reads)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        says = self._reads.get(name)
        if says is None or not callable(found):
            return found

        @functools.wraps(found)
        def watched(*args: Any, **kwargs: Any) -> Any:
            result = found(*args, **kwargs)
            if inspect.isawaitable(result):
                return self._later(says, result, args, kwargs)
            self._recorder.note_read(says, result, args, kwargs)
            return result

        return watched

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._client, name, value)

    async def _later(self, says: Says, pending: Awaitable[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = await pending
        self._recorder.note_read(says, result, args, kwargs)
        return result
