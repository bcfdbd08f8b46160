"""The merger's information letter: whose data came from where, within a month, with the way to object.

Source: RGPD art. 14(1) to (3) and art. 21(4). It is no advertising, so an objection to such does not stop it; and its
link objects to every bulk mail.
"""

from asyncio import to_thread
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from schemas.mail_operations import InformationLetter, LettersQueued
from services.common.words import Language, day
from services.communications.brands.brand import Brand
from services.communications.deliveries.message import Letter
from services.communications.deliveries.queueing import Mail, queue
from services.communications.letters.addressees import Addressee, addressees, without_address
from services.communications.letters.template import letter_of, on_one_line
from services.communications.mirror.repository import CommunicationsUnitOfWork
from services.communications.suppressions.address import Keyring
from services.communications.suppressions.suppression import EVERY_PURPOSE
from services.operations.binding import Call, RefusedError

KIND: Final = "information"
AT_A_TIME: Final = 1000
_AND: Final = {"fr": " et ", "en": " and "}


async def send_information_letter(call: Call[InformationLetter]) -> LettersQueued:
    """Queue one for each member and address. Done again, it writes to those alone who came since."""
    wanted, uow = call.arguments, _uow(call)
    brand = _brand(uow, wanted.brand)
    clusters = brand.clusters or tuple(uow.cluster_names)
    people = await addressees(uow.connection, clusters)
    mails = await to_thread(_mails, wanted, brand, people, uow)
    queued = 0
    for start in range(0, len(mails), AT_A_TIME):
        queued += len(await queue(uow.connection, uow.keyring, mails[start : start + AT_A_TIME]))
    return LettersQueued(
        queued=queued,
        queued_before=len(mails) - queued,
        without_address=await without_address(uow.connection, clusters),
    )


def _mails(
    wanted: InformationLetter, brand: Brand, people: Sequence[Addressee], uow: CommunicationsUnitOfWork
) -> list[Mail]:
    @lru_cache
    def letter(clusters: tuple[str, ...], language: Language) -> Letter:
        values = {
            "name": "[[name]]",
            "controller": wanted.controller,
            "merged_on": day(wanted.merged_on, language),
            "origin": _AND[language].join(uow.cluster_names.get(code, code) for code in clusters),
            "link": wanted.policy,
        }
        return letter_of(KIND, language, brand, values)

    return [
        Mail(
            cause=f"{KIND}/{brand.code}/{wanted.merged_on}",
            kind=KIND,
            mode="transactional",
            purpose=EVERY_PURPOSE,
            brand=brand.code,
            person_key=_person_key(person, uow.keyring),
            address=person.address,
            name=on_one_line(person.name) or None,
            records=person.records,
            letter=letter(person.clusters, person.language or brand.language),
            fields={"name": on_one_line(person.name) or person.address},
        )
        for person in people
    ]


def _person_key(person: Addressee, keyring: Keyring) -> str:
    # By the oldest key, which stays when keys are turned; never the address, which is forgotten some day.
    return f"{person.member}/{keyring.all(person.address)[-1].value.hex()}"


def _brand(uow: CommunicationsUnitOfWork, code: str) -> Brand:
    if uow.mail is None:
        raise RefusedError("no-mail-file", "no mail goes out here: set TRABOULE_COMMUNICATIONS_MAIL_FILE")
    if (brand := uow.mail.brands.get(code)) is None:
        known = ", ".join(sorted(uow.mail.brands))
        raise RefusedError("brand-unknown", f"there is no such brand; there are {known}")
    return brand


def _uow(call: Call[InformationLetter]) -> CommunicationsUnitOfWork:
    return call.uow
