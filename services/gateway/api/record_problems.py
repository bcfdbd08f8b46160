"""What goes wrong with commands on source records, as problems in the reader's language, without the values."""

from collections.abc import Generator
from contextlib import contextmanager

from starlette.requests import Request

from services.cutover.fence import NotOursError
from services.gateway.problems import ProblemError
from services.gateway.translations import AUTHORITY, INSIST, language_of
from services.membership.normalisation.data_quality import MEANINGS
from services.membership.policy import Policy
from services.membership.records.editing import DoubtfulError, FieldsRefusedError
from services.membership.translations import MEANINGS_FR, Language, label
from services.membership.usecases.edit_record import (
    ClusterUnknownError,
    Command,
    RecordChangedError,
    RecordExistsError,
    RecordMissingError,
)

_IN_FIELDS = ("create", "change")
"""Commands whose body holds the record's fields one level down."""


@contextmanager
def as_problems(request: Request, policy: Policy, command: Command) -> Generator[None]:
    """Say what carrying out a command raised as a ProblemError."""
    # As the problem's title: in English unless the reader asks for French.
    language = language_of(request, "en")
    try:
        yield
    except ClusterUnknownError:
        raise ProblemError("cluster-unknown") from None
    except NotOursError as error:
        raise _not_ours(error, policy, language) from None
    except RecordMissingError as error:
        if error.removed:
            raise ProblemError("source-record-removed") from None
        raise ProblemError("source-record-unknown") from None
    except RecordExistsError:
        raise ProblemError("source-record-exists") from None
    except RecordChangedError as error:
        raise ProblemError("record-changed-meanwhile", headers={"etag": f'"{error.etag}"'}) from None
    except FieldsRefusedError as error:
        under = "fields." if command.name in _IN_FIELDS else ""
        faults = [{"field": f"{under}{fault.field}", "message": fault.message} for fault in error.faults]
        raise ProblemError("invalid-parameters", errors=faults) from None
    except DoubtfulError as error:
        raise _doubtful(error, command, language) from None


def _not_ours(error: NotOursError, policy: Policy, language: Language) -> ProblemError:
    stage = error.state.stage
    name = policy.clusters[error.cluster].name
    words = label(AUTHORITY, stage, language).format(cluster=error.cluster, name=name, service=error.service)
    return ProblemError("not-the-authority", cluster=error.cluster, stage=stage, detail=words)


def _doubtful(error: DoubtfulError, command: Command, language: Language) -> ProblemError:
    under = "fields." if command.name in _IN_FIELDS else ""
    meanings = MEANINGS_FR if language == "fr" else MEANINGS
    faults = [
        {"field": f"{under}{problem.field}", "code": problem.code, "message": meanings[problem.code]}
        for problem in error.problems
    ]
    return ProblemError("value-not-understood", errors=faults, detail=label(INSIST, "insist", language))
