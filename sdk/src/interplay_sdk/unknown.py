"""The value that an agent does not know."""


class _Unknown:
    """Differs from None, which is a value."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = _Unknown()
