"""The merger's information letter: one for each member and address, which names where data came from."""

from email import message_from_bytes
from email.policy import default
from typing import Any

from schemas.base import RecordRef
from schemas.membership_contacts import ContactDescribed
from services.common.member_records import apply_merges
from services.communications.contacts.repository import keep_contacts
from services.communications.definition import DEFINITION
from services.communications.deliveries.tokens import token_of
from services.communications.mirror.repository import CommunicationsUnitOfWork
from services.communications.suppressions.address import Keyring
from services.communications.suppressions.suppression import Suppression
from services.operations.running import OperationRequest, carry_out
from tests.integration.communications.test_objections import AT, may_write, said, told
from tests.support.mail_server import mail_server
from tests.support.mailing import BRAND, KEYRING, Mailing, mail_settings
from tests.support.merging import envelope, merged

NAMES = {"clustr-numerique": "Clust'R Numérique", "numelink": "Numelink"}
WANTED = {
    "brand": "loire",
    "controller": "Traboule Numérique",
    "merged_on": "2027-01-01",
    "policy": "https://traboule.example/donnees",
}


def a_contact(cluster: str, record_id: str, email: str | None, **different: Any) -> ContactDescribed:
    usual: dict[str, Any] = {"version": 1, "name": f"Ateliers {record_id}", "member_id": None, "email": email}
    return ContactDescribed(cluster=cluster, record_id=record_id, **usual | different)


async def heard(mailing: Mailing, handler: Any, *facts: Any) -> None:
    async with mailing.engine.begin() as connection:
        uow = CommunicationsUnitOfWork(connection, keyring=mailing.keyring)
        await handler(uow, [envelope(fact) for fact in facts])


async def sent(mailing: Mailing, *, mail: Any = mail_settings(1), **different: Any) -> dict[str, Any]:
    asked = OperationRequest(
        operation="send-information-letter", cluster=None, arguments=WANTED | different, author="a", reason="a merger"
    )
    async with mailing.engine.begin() as connection:
        uow = CommunicationsUnitOfWork(connection, keyring=mailing.keyring, mail=mail, cluster_names=NAMES)
        return (await carry_out(uow, DEFINITION, DEFINITION.every_operation, asked)).answer


async def test_each_member_is_told_once_at_each_address_where_its_data_came_from(mailing: Mailing) -> None:
    await heard(
        mailing,
        keep_contacts,
        a_contact("numelink", "1", "lea@exemple.fr", name="Léa <b>"),
        a_contact("clustr-numerique", "9", "lea@exemple.fr", name="Léa"),
        a_contact("clustr-numerique", "10", "compta@exemple.fr"),
        a_contact("numelink", "2", "zoe@exemple.fr", language="en"),
        a_contact("numelink", "3", None),
        a_contact("numelink", "4", "gone@exemple.fr", removed=True),
    )
    both = RecordRef(cluster="clustr-numerique", record_id="9"), RecordRef(cluster="numelink", record_id="1")
    await heard(mailing, apply_merges, merged(1, "M", *both))
    # An objection to advertising does not stop what the law asks for.
    await mailing.suppress(Suppression(cause="a test", address="zoe@exemple.fr", source="staff", at=AT))
    assert await sent(mailing) == {"queued": 3, "queued_before": 0, "without_address": 1}
    async with mail_server() as server:
        assert await mailing.send(server.port) == 3
    mails = {taken.recipient: message_from_bytes(taken.text, policy=default) for taken in server.taken}
    texts = {name: mail.get_body(["plain"]).get_content() for name, mail in mails.items()}  # type: ignore[union-attr]
    assert "nous vient de Clust'R Numérique et Numelink\u00a0:" in texts["lea@exemple.fr"]
    assert "Since 1 January 2027, Traboule Numérique unites" in texts["zoe@exemple.fr"]
    assert "comes from Numelink:" in texts["zoe@exemple.fr"]
    assert "Numelink" not in texts["compta@exemple.fr"].replace(BRAND["name"], "")
    html = mails["lea@exemple.fr"].get_body(["html"]).get_content()  # type: ignore[union-attr]
    assert "«\u00a0Léa\u00a0»" in html, "the name of the first record"
    for mail, text in zip(mails.values(), texts.values(), strict=True):
        assert "[[" not in text
        assert "https://adhesion.example/p/u/" in text
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail["List-Unsubscribe"] is None


async def test_done_again_it_writes_to_those_alone_who_came_since(mailing: Mailing) -> None:
    await heard(mailing, keep_contacts, a_contact("numelink", "1", "lea@exemple.fr"))
    assert (await sent(mailing))["queued"] == 1
    mailing.keyring = Keyring((("2029", b"9" * 32), *KEYRING.keys))
    await heard(mailing, keep_contacts, a_contact("numelink", "2", "zoe@exemple.fr"))
    assert await sent(mailing) == {"queued": 1, "queued_before": 1, "without_address": 0}
    keys = await mailing.rows("select person_key from deliveries")
    assert not [key for (key,) in keys if "@" in key]


async def test_its_link_objects_to_all_bulk_mail(mailing: Mailing) -> None:
    await heard(mailing, keep_contacts, a_contact("numelink", "1", "lea.martin@ateliers.example"))
    await sent(mailing)
    assert await may_write(mailing, "c1", "partners")
    [(delivery_id,)] = await mailing.rows("select delivery_id::text from deliveries where kind = 'information'")
    await told(mailing, [said(token_of(KEYRING.keys[0][1], delivery_id, "links"))])
    assert not await may_write(mailing, "c2", "partners")


async def test_a_brand_writes_to_its_own_clusters(mailing: Mailing) -> None:
    await heard(
        mailing,
        keep_contacts,
        a_contact("numelink", "1", "a@exemple.fr"),
        a_contact("clustr-numerique", "2", "b@exemple.fr"),
    )
    settings = mail_settings(1, brands={"loire": BRAND | {"clusters": ["numelink"]}})
    assert (await sent(mailing, mail=settings))["queued"] == 1
    assert (await sent(mailing, brand="rhone"))["kind"] == "brand-unknown"
    assert (await sent(mailing, mail=None))["kind"] == "no-mail-file"
    assert await mailing.states() == {"due": 1}
