"""Billing's operations, for the command line."""

from services.cli.asking import Asking, show

_BILLING = Asking("billing")
ask, command = _BILLING.ask, _BILLING.command

__all__ = ["ask", "command", "show"]
