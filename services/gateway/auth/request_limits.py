"""How often one API key and one person may ask: a script in a loop must leave room for the others.

Counts are kept in each process: with two gateways a key has twice as much.
"""

from dataclasses import dataclass
from typing import Final

from services.gateway.auth.caller import Caller
from services.gateway.problems import ProblemError
from services.gateway.public.limits import RateLimit

USUAL: Final = 200
"""Requests a second of one key."""
_LEAST: Final = 10
"""Of a person, however little a key may: a page asks for six parts of itself."""
_LEAST_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """``members`` is for single members by id, which cost a tenth of all else."""

    keys: RateLimit
    members: RateLimit
    people: RateLimit

    def check_key(self, caller: Caller) -> None:
        """One more request of a key. Raises ProblemError where there were too many."""
        if not self.keys.allows(caller.key_id):
            raise _too_many()

    def check_person(self, caller: Caller) -> None:
        """One more request of a person's session. Raises ProblemError where there were too many."""
        if caller.session is not None and not self.people.allows(str(caller.session.number)):
            raise _too_many()


def request_limits(per_second: float = USUAL) -> RequestLimits:
    """Of one key so many a second for long, and of five seconds at once; ten times as many single members.

    A person has a tenth for long, and that of ten seconds at once: a page asks for its parts together.
    """
    return RequestLimits(
        keys=RateLimit(burst=5 * per_second, per_second=per_second),
        members=RateLimit(burst=50 * per_second, per_second=10 * per_second),
        people=RateLimit(burst=max(per_second, _LEAST_AT_ONCE), per_second=max(per_second / 10, _LEAST)),
    )


def _too_many() -> ProblemError:
    return ProblemError("too-many-requests", headers={"retry-after": "1"})
