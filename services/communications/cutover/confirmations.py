"""A former system's objection is obeyed whenever it comes, also when Traboule is the authority.

Somebody may still click the link of a mail that the former system sent. Until a person looked at it in quarantine we
would write to them. It is also how a former list says the objections that it was told of.
"""

from collections.abc import Sequence

from schemas.communications import ConsentRecorded
from schemas.envelope import Envelope
from services.communications.consents.objections import CHANNELS
from services.communications.consents.preferences import RESTRICTIONS
from services.communications.mirror.repository import CommunicationsUnitOfWork


async def objects(_: CommunicationsUnitOfWork, messages: Sequence[Envelope[ConsentRecorded]]) -> list[bool]:
    """Of each message, whether it objects to e-mail."""
    return [message.data.status in RESTRICTIONS and message.data.channel in CHANNELS for message in messages]
