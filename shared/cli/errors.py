"""How a command fails for a reason that its user can mend: the message is all that is printed."""

from __future__ import annotations


class NotFound(LookupError):
    """Nothing matches what was asked for."""


class CannotAct(ValueError):
    """What was asked for cannot be done; the message says what to ask for instead."""


class Unreachable(RuntimeError):
    """A service's database does not answer."""

    @classmethod
    def database(cls, service: str, error: BaseException) -> Unreachable:
        """Whose it is, and what the server or the network said, by name: its words may hold what was asked."""
        cause = getattr(error, "orig", None) or error
        cause = cause.__cause__ or cause
        return cls(f"the {service} service's database: {type(cause).__name__}")
