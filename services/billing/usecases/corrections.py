"""Corrections by hand: a credit note on lines or days of a document. A decision keeps a run from billing it again."""

from collections.abc import Mapping
from typing import Final

from schemas.billing_corrections import Correction, CorrectionReason
from schemas.billing_documents import DocumentShown
from services.billing.charges import repository as charges
from services.billing.documents.corrected import Billed, ImpossibleCorrectionError, billed
from services.billing.documents.draft import Draft, DraftLine, net_by_rate
from services.billing.documents.repository import Issuing
from services.billing.documents.trial import unprintable
from services.billing.dues import repository as decisions
from services.billing.dues.case import Decision
from services.billing.dues.days import between
from services.billing.money import to_cents
from services.billing.usecases.approval import approver
from services.billing.usecases.documents import document_shown
from services.billing.usecases.issuers import issuer_named, settings_on
from services.billing.usecases.issuing import check_rules, issue, refuse_theirs, take_turn, theirs
from services.operations.binding import Call, RefusedError
from shared.runtime.clock import Clock

CAUSES: Final[Mapping[CorrectionReason, str]] = {
    "error": "Erreur de facturation",
    "duplicate": "Facturé deux fois",
    "departure": "Départ en cours d'année",
    "exemption": "Exonération",
    "gesture": "Geste de l'association",
    "dispute": "Contestation acceptée",
}
"""Why a document is corrected, as its credit note says it."""


async def correct(call: Call[Correction]) -> DocumentShown:
    """Issue a credit note, and decide that so much less is owed. Raises RefusedError."""
    connection, asked = call.uow.connection, call.arguments
    document = await _document(call)
    # Another one who corrects it may have been before us.
    await take_turn(connection, document.issuer)
    document = await _document(call)
    issuer = issuer_named(call.uow.issuers, document.issuer)
    today = Clock().today()
    # An issuer that ended corrects as it was: seats may be for a day when it was no more.
    ended = issuer.until if document.charge_id and issuer.until else document.first
    settings = settings_on(issuer, today if issuer.on(today) else ended)
    draft = Draft(
        kind="credit-note",
        key=document.key,
        first=document.first,
        last=document.last,
        charge_id=document.charge_id,
        buyer=document.buyer,
        lines=_lines(document, asked),
        why=f"{CAUSES[asked.cause]} : {call.reason}",
        corrects=document.document_id,
        left=net_by_rate((line.vat.rate, line.left) for line in document.lines),
    )
    approver(call, settings, draft.gross)
    if unprintable(draft.texts):
        raise RefusedError("correction-impossible", "the reason holds a character that the page's font lacks")
    refuse_theirs([draft], await theirs(connection, issuer.clusters))
    if draft.charge_id:
        await charges.lock(connection, [draft.charge_id])
    await check_rules(call, [draft], settings)
    # No run bills seats again.
    for line in () if draft.charge_id else draft.lines:
        await decisions.decide(connection, _decision(draft, line), call.author)
    by = Issuing(issuer=issuer.code, settings=settings, author=call.author)
    [number] = await issue(call.uow, by, [draft])
    if draft.charge_id:
        await charges.announce_billed(call.uow, [draft.charge_id])
    return await document_shown(call, number)


async def _document(call: Call[Correction]) -> Billed:
    document = await billed(call.uow.connection, call.arguments.number)
    if document is None:
        raise RefusedError("document-unknown", "there is no document of this number")
    if document.kind == "credit-note":
        raise RefusedError("correction-impossible", "it is a credit note: bill what it credited by the next run")
    return document


def _lines(document: Billed, asked: Correction) -> tuple[DraftLine, ...]:
    try:
        if asked.first is not None and asked.last is not None:
            span = between(asked.first, asked.last)
            lines = tuple(line for each in document.lines if (line := each.credited_for(span)))
        else:
            known = {line.place: line for line in document.lines}
            if unknown := [each.place for each in asked.lines if each.place not in known]:
                raise ImpossibleCorrectionError(f"it has no line {unknown[0]}: its lines are 0 to {len(known) - 1}")
            lines = tuple(known[each.place].credited(each.amount) for each in asked.lines)
    except ImpossibleCorrectionError as error:
        raise RefusedError("correction-impossible", str(error)) from None
    if not lines:
        raise RefusedError("correction-impossible", "it bills none of these days")
    return lines


def _decision(draft: Draft, line: DraftLine) -> Decision:
    """What keeps the next run from billing again what is credited now."""
    return Decision("", "remit", draft.key, draft.why, draft.first, None, to_cents(line.amount), line.code)
