"""The ``traboule`` command, except that it kills itself (SIGKILL) at one exact step of moving a former system.

    python -m tests.support.killed statement 3 cutover switch numelink/billing --reason x     before its third statement

The steps are made by wrapping libraries from outside: production code knows nothing of this.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

from shared.messaging import accounts
from tests.support.statements import notice_statements

STATEMENT, COMMIT, COMMITTED, REVOKE, REVOKED = "statement", "commit", "committed", "revoke", "revoked"


def die() -> None:
    """As a power cut would: nothing is flushed, nobody is told."""
    os.kill(os.getpid(), signal.SIGKILL)


def at_statement(number: int) -> None:
    """Before the n-th statement of a transaction that may move a former system."""
    left = number

    def count(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            die()

    notice_statements(count)


def at_commit(*, after: bool) -> None:
    """Around the commit: the operator sees no difference."""
    commit = DefaultDialect.do_commit

    def crash(self: DefaultDialect, connection: Any) -> None:
        if after:
            commit(self, connection)
        die()

    DefaultDialect.do_commit = crash  # type: ignore[method-assign]


def at_revoke(*, after: bool) -> None:
    """Around the second step of retiring, at the broker."""
    revoke = accounts.revoke

    def crash(*args: Any) -> None:
        if after:
            revoke(*args)
        die()

    accounts.revoke = crash  # type: ignore[assignment]


def main() -> None:
    step, number = sys.argv[1], int(sys.argv[2])
    if step == STATEMENT:
        at_statement(number)
    elif step in (COMMIT, COMMITTED):
        at_commit(after=step == COMMITTED)
    else:
        at_revoke(after=step == REVOKED)
    sys.argv[1:] = sys.argv[3:]
    from services.cli.main import main as traboule

    traboule()


if __name__ == "__main__":
    main()
