"""What carries out each operation of billing."""

from typing import Final

from schemas import billing_charges as charging
from schemas import billing_corrections as correcting
from schemas import billing_decisions as deciding
from schemas import billing_documents as issuing
from schemas import billing_ledger as keeping
from schemas import billing_operations as declared
from schemas import billing_payments as paying
from schemas import billing_reminders as reminding
from schemas import billing_series as numbering
from services.billing.usecases import (
    charges,
    corrections,
    decisions,
    documents,
    grids,
    issuers,
    ledger,
    payments,
    preview,
    reminders,
    runs,
    series,
    tasks,
)
from services.operations.binding import Bound

OPERATIONS: Final = (
    Bound(declared.ISSUERS, issuers.issuers),
    Bound(declared.GRIDS, grids.grids),
    Bound(declared.PROPOSE_GRID, grids.propose_grid),
    Bound(declared.ADOPT_GRID, grids.adopt_grid),
    Bound(declared.SIMULATE, preview.simulation),
    Bound(declared.OWED, preview.member_owes),
    Bound(declared.COMPARE, preview.comparison),
    Bound(deciding.TASKS, tasks.tasks),
    Bound(deciding.DECISIONS, decisions.decisions),
    Bound(deciding.DECIDE, decisions.decide),
    Bound(deciding.TAKE_BACK, decisions.take_back),
    Bound(issuing.RUNS, runs.runs),
    Bound(issuing.RUN, runs.one_run),
    Bound(issuing.PREPARE_RUN, runs.prepare_run),
    Bound(issuing.APPROVE_RUN, runs.approve_run),
    Bound(issuing.ISSUE_RUN, runs.issue_run),
    Bound(issuing.DOCUMENTS, documents.documents),
    Bound(issuing.DOCUMENT, documents.one_document),
    Bound(issuing.FILES, documents.files),
    Bound(issuing.SERIES, series.series),
    Bound(correcting.CORRECT, corrections.correct),
    Bound(paying.PAYMENTS, payments.payments),
    Bound(paying.PAYMENT, payments.payment),
    Bound(paying.RECORD, payments.record),
    Bound(paying.ALLOCATE, payments.allocate),
    Bound(paying.UNDO, payments.undo),
    Bound(paying.REFUND, payments.refund),
    Bound(paying.APPROVE_REFUND, payments.approve_refund),
    Bound(paying.RETURN, payments.give_back),
    Bound(keeping.LEDGER, ledger.ledger),
    Bound(keeping.CLOSE_YEAR, ledger.close_year),
    Bound(reminding.OVERDUE, reminders.overdue_documents),
    Bound(reminding.REMIND, reminders.remind),
    Bound(charging.CHARGES, charges.charges),
    Bound(charging.BILL_CHARGES, charges.bill_charges),
    Bound(charging.SETTLE_CHARGE, charges.settle_charge),
    Bound(numbering.CHECK, series.check),
    Bound(numbering.COMPARE, series.compare),
    Bound(numbering.FORMER, series.former),
)
