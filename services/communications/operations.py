"""What carries out each operation of communications."""

from typing import Final

from schemas import mail_operations as declared
from services.communications.usecases import mail, trial
from services.communications.usecases.information import send_information_letter
from services.operations.binding import Bound

OPERATIONS: Final = (
    Bound(declared.STATUS, mail.status),
    Bound(declared.DELIVERIES, mail.deliveries),
    Bound(declared.SUPPRESSIONS, mail.suppressions),
    Bound(declared.SUPPRESS, mail.suppress_somebody),
    Bound(declared.LIFT, mail.lift_suppression),
    Bound(declared.RESUME, mail.resume),
    Bound(declared.DECIDE, mail.decide_uncertain),
    Bound(declared.TEST, trial.send_test),
    Bound(declared.SEEN, trial.confirm_test),
    Bound(declared.INFORM, send_information_letter),
)
