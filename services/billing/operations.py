"""What carries out each operation of billing."""

from typing import Final

from schemas import billing_operations as declared
from services.billing.usecases import decisions, grids, issuers, preview
from services.operations.binding import Bound

OPERATIONS: Final = (
    Bound(declared.ISSUERS, issuers.issuers),
    Bound(declared.GRIDS, grids.grids),
    Bound(declared.PROPOSE_GRID, grids.propose_grid),
    Bound(declared.ADOPT_GRID, grids.adopt_grid),
    Bound(declared.SIMULATE, preview.simulation),
    Bound(declared.OWED, preview.member_owes),
    Bound(declared.DECISIONS, decisions.decisions),
    Bound(declared.DECIDE, decisions.decide),
    Bound(declared.TAKE_BACK, decisions.take_back),
)
