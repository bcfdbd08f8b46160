"""Drafts as the documents that they would become, looked at before a number is taken: afterwards nothing can be mended.

Font, arithmetic and XSD are looked at whenever documents are issued. The schematrons take longer: they are asked when
a run is approved.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Final

import orjson
import typst

from services.billing.documents.draft import Draft
from services.billing.documents.facturx import Document, UnfitDocumentError, xml_of
from services.billing.documents.numbering import LETTERS, reference_of
from services.billing.documents.rules import Verdict
from services.billing.dues.days import year_from
from services.billing.issuers.issuer import Settings

Rules = Callable[[Sequence[bytes]], Sequence[Verdict]]
"""Asks the schematrons of each XML. Raises RulesUnavailableError."""
_NAMED: Final = 20
"""So many documents that are not fit are named; one that is wrong of all would fill the answer."""


def check(drafts: Iterable[Draft], settings: Settings) -> list[bytes]:
    """The XML of each draft, whose amounts agree and which the XSD takes. Raises UnfitDocumentError."""
    return [_xml_of(draft, settings) for draft in drafts]


def check_by_rules(drafts: Sequence[Draft], settings: Settings, rules: Rules) -> None:
    """Ask both schematrons too. Raises UnfitDocumentError, which names documents and rules, RulesUnavailableError."""
    verdicts = rules(check(drafts, settings))
    unfit = [
        f"{draft.title}: {verdict.problem}" for draft, verdict in zip(drafts, verdicts, strict=True) if verdict.problem
    ]
    if unfit:
        more = f" | and {len(unfit) - _NAMED} more" if len(unfit) > _NAMED else ""
        raise UnfitDocumentError(" | ".join(unfit[:_NAMED]) + more)


def unprintable(texts: Iterable[str]) -> set[str]:
    """Those of these texts that hold a character which the page's font lacks: such a PDF/A could never be made."""
    known = sorted(set(texts))
    return set() if not known or _prints(known) else {text for text in known if not _prints([text])}


def _prints(texts: list[str]) -> bool:
    try:
        typst.compile(
            b"#for line in json(bytes(sys.inputs.data)) [#line \\ ]",
            format="pdf",
            pdf_standards=["a-3b"],
            sys_inputs={"data": orjson.dumps(texts).decode()},
            ignore_system_fonts=True,
        )
    except typst.TypstError:
        return False
    return True


def _xml_of(draft: Draft, settings: Settings) -> bytes:
    try:
        return xml_of(document_of(draft, settings))
    except UnfitDocumentError as error:
        raise UnfitDocumentError(f"{draft.title}: {error}") from error


def document_of(draft: Draft, settings: Settings) -> Document:
    """The draft with the longest number that it might get, issued on the first day of its period."""
    day = draft.first
    number = f"{settings.prefix}{LETTERS[draft.kind]}-{day.year}-999999"
    lines = [
        {"label": line.label, "amount": line.amount, "vat_regime": line.vat.regime, "vat_rate": line.vat.rate,
         "vat_code": line.vat.code}
        for line in draft.lines
    ]  # fmt: skip
    return Document(
        number=number,
        kind=draft.kind,
        issued_on=day,
        due_on=None if draft.kind == "credit-note" else day + timedelta(days=settings.due_days),
        first=day,
        last=year_from(day).last_day,
        seller=settings.model_dump(mode="json"),
        buyer=draft.buyer,
        lines=lines,
        net=draft.net,
        vat=draft.vat,
        gross=draft.gross,
        reference=reference_of(number),
        why=draft.why,
        corrects=(f"{settings.prefix}F-{day.year}-999999", day) if draft.corrects else None,
        left=draft.left,
    )
