"""Lists and opt-outs of former mailing systems, as their products write them: which product, and what it says."""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from services.communications.legacy import brevo, civicrm, dolibarr, mailchimp, odoo, sympa
from services.communications.legacy.reading import read_list
from shared.importing.languages import in_both
from shared.importing.outcomes import Outcome, UnreadableError
from shared.importing.table import Table

Translate = Callable[[Table, int], Iterator[Outcome[Any]]]
Words = tuple[str, str]
"""In French and in English."""


class Product(NamedTuple):
    """A form of export. ``fits`` tells whether a table is one; ``lacks`` is which objections it cannot contain."""

    code: str
    name: str
    fits: Callable[[Table], bool]
    translate: Translate
    lacks: Words

    @property
    def warning(self) -> str:
        """For staff: what to ask for besides."""
        return in_both(*self.lacks)


PRODUCTS: Final = (
    Product("mailchimp-unsubscribed", "Mailchimp unsubscribed", mailchimp.is_unsubscribed, mailchimp.unsubscribed,
            mailchimp.UNSUBSCRIBED_LACKS),
    Product("mailchimp-cleaned", "Mailchimp cleaned", mailchimp.is_cleaned, mailchimp.cleaned,
            mailchimp.OTHERS_LACK),
    Product("mailchimp-nonsubscribed", "Mailchimp non-subscribed", mailchimp.is_nonsubscribed, mailchimp.cleaned,
            mailchimp.OTHERS_LACK),
    Product("mailchimp-subscribed", "Mailchimp subscribed", mailchimp.is_subscribed, mailchimp.subscribed,
            mailchimp.OTHERS_LACK),
    Product("brevo-blocklist", "Brevo blocklist", brevo.is_blocklist, brevo.blocklist, brevo.BLOCKLIST_LACKS),
    Product("brevo-contacts", "Brevo contacts", brevo.is_contacts, brevo.contacts, brevo.CONTACTS_LACK),
    Product("sympa-dump", "Sympa member.dump", sympa.is_dump, sympa.members, sympa.SYMPA_LACKS),
    Product("sympa-list", "Sympa subscribers", sympa.is_subscribers, sympa.members, sympa.SYMPA_LACKS),
    Product("mailman-list", "Mailman list", sympa.is_mailman, sympa.members, sympa.MAILMAN_LACKS),
    Product("dolibarr-targets", "Dolibarr mailing targets", dolibarr.is_targets, dolibarr.targets,
            dolibarr.TARGETS_LACK),
    Product("dolibarr-unsubscribed", "Dolibarr llx_mailing_unsubscribe", dolibarr.is_unsubscribed,
            dolibarr.unsubscribed, dolibarr.UNSUBSCRIBED_LACK),
    Product("civicrm-opt-outs", "CiviCRM contacts' opt-outs", civicrm.is_contacts, civicrm.opt_outs, civicrm.LACKS),
    Product("odoo-blacklist", "Odoo blacklist", odoo.is_blacklist, odoo.blacklist, odoo.BLACKLIST_LACKS),
    Product("odoo-contacts", "Odoo mailing contacts", odoo.is_contacts, odoo.contacts, odoo.CONTACTS_LACK),
)  # fmt: skip
"""In the order in which they are asked for."""

__all__ = ["PRODUCTS", "Product", "product_of", "read_list"]


def product_of(table: Table, code: str | None = None) -> Product | None:
    """The product that wrote the file, or the one that is named; None where none is known.

    Raises:
        UnreadableError: no product is called so; or the file does not say which state its addresses are in.
    """
    if code is not None:
        named = next((each for each in PRODUCTS if each.code == code), None)
        if named is None:
            known = ", ".join(each.code for each in PRODUCTS)
            raise UnreadableError(f'--product "{code}" is none of {known}')
        return named
    product = next((each for each in PRODUCTS if each.fits(table)), None)
    if product is None:
        mailchimp.refuse_without_a_state(table)
        civicrm.refuse_in_french(table)
    return product
