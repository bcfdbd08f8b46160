"""Decisions on their way from the gateway to the commands, and what goes wrong with them."""

from collections.abc import Generator
from contextlib import contextmanager

from starlette.requests import Request

from services.gateway.api.decision_bodies import Signed
from services.gateway.auth.authorisation import author_of
from services.gateway.auth.caller import Caller
from services.gateway.problems import ProblemError
from services.gateway.translations import language_of
from services.membership.identity.decisions import Decision, DecisionError, RecordUnknownError, Signature
from services.membership.translations import REFUSED, label


def signature(answer: Signed, caller: Caller) -> Signature:
    """Who decides. Raises DecisionError, ProblemError."""
    return Signature(author_of(caller, answer.author), answer.reason, caller.key_id)


def require_share(caller: Caller, decision: Decision) -> None:
    """Raises ProblemError where a decision speaks of companies of which none is of the caller's clusters.

    Records that are put together must be together with one of the caller's, and of two that are kept apart one must
    be: a single record of one's own is no leave to decide about others among themselves.
    """
    own = {key for key in decision.records if caller.may("decide-identity", key.cluster)}
    near = own | {key for pair in decision.confirmed for key in pair if own.intersection(pair)}
    foreign = [pair for pair in decision.confirmed if not near.issuperset(pair)]
    foreign += [pair for pair in decision.rejected if not near.intersection(pair)]
    if foreign:
        clusters = sorted({key.cluster for pair in foreign for key in pair})
        raise ProblemError("cluster-not-yours", right="decide-identity", clusters=clusters)


@contextmanager
def refusals(request: Request) -> Generator[None]:
    """Say a DecisionError as a problem, in the reader's language."""
    try:
        yield
    except RecordUnknownError as error:
        raise ProblemError("record-unknown", records=[str(key) for key in error.records]) from None
    except DecisionError as error:
        if error.kind == "decision-unknown":
            raise ProblemError("decision-unknown") from None
        detail = label(REFUSED, error.kind, language_of(request, "en"))
        raise ProblemError("decision-refused", code=error.kind, detail=detail) from None
