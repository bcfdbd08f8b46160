"""What communications mirrors of a former system, for comparing the two."""

from schemas.communications import ConsentRecorded, MailingRecorded
from services.communications.tables import consents, mailings
from services.cutover.parity.mirror_reader import mirrored

_RECIPIENTS = "array(select r.record_id from recipients r where (r.cluster, r.mailing_id) = (m.cluster, m.mailing_id))"
_ADDRESSES = (
    "array(select r.address from address_recipients r where (r.cluster, r.mailing_id) = (m.cluster, m.mailing_id))"
)

KINDS = (
    mirrored("consent", ConsentRecorded, consents),
    mirrored(
        "mailing",
        MailingRecorded,
        mailings,
        lists={"recipients": _RECIPIENTS, "addresses": _ADDRESSES},
        adds_up=("recipients", "addresses"),
        left_out=("part", "parts"),
    ),
)
