"""Money that a credit note frees: what was paid on a document, above what is left of it."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from services.billing.documents.repository import Issued, Issuing
from services.billing.payments import repository
from services.billing.payments.allocation import released
from services.billing.payments.queries import overpaid
from services.billing.payments.repository import Signed


async def release(connection: AsyncConnection, by: Issuing, issued: Sequence[Issued]) -> None:
    """Undo the newest allocations of documents that are paid above what these credit notes left of them."""
    corrected = {each.draft.corrects: each for each in issued if each.draft.corrects}
    if not corrected:
        return
    for excess, allocations in await overpaid(connection, list(corrected)):
        undone, stays = released(excess, allocations)
        note = corrected[undone[0].document_id]
        signed = Signed(author=by.author, key_id=None, reason=f"credited by {note.number}", on=note.issued_on)
        await repository.undo(connection, undone, signed)
        if stays:
            await repository.keep(connection, undone[-1], stays, signed)
