"""The operations of events, for the command line."""

from services.cli.asking import Asking, show

_EVENTS = Asking("events")
ask, command = _EVENTS.ask, _EVENTS.command

__all__ = ["ask", "command", "show"]
