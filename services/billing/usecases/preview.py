"""What a grid would bring, and what one member owes: looked at, and nothing is written."""

from asyncio import to_thread

from schemas.billing_operations import (
    ComparedWithGrid,
    GridComparison,
    MemberOwes,
    OfMember,
    RecordOwes,
    Simulated,
    Simulation,
)
from services.billing.dues.owed import owed, period_of
from services.billing.dues.reasons import sentences
from services.billing.members.queries import member_named
from services.billing.money import euros
from services.billing.usecases.cases import period
from services.billing.usecases.comparison import compared
from services.billing.usecases.grids import kept_grid
from services.billing.usecases.issuers import issuer_named, settings_on
from services.billing.usecases.simulation import simulated
from services.operations.binding import Call, RefusedError


async def simulation(call: Call[Simulated]) -> Simulation:
    """What a grid would bring for a period, whether it is adopted or not."""
    grid = await kept_grid(call, call.arguments.grid_id)
    issuer = issuer_named(call.uow.issuers, grid.grid.issuer)
    settings_on(issuer, call.arguments.first)
    tried = await period(call.uow.connection, issuer, call.arguments.first, grid)
    return await to_thread(simulated, tried)


async def comparison(call: Call[ComparedWithGrid]) -> GridComparison:
    """What a grid would have billed for a period, beside what former systems billed."""
    asked = call.arguments
    grid = await kept_grid(call, asked.grid_id)
    issuer = issuer_named(call.uow.issuers, grid.grid.issuer)
    tried = await period(call.uow.connection, issuer, asked.first, grid)
    return await to_thread(compared, tried, asked.language)


async def member_owes(call: Call[OfMember]) -> MemberOwes:
    """What a member owes for a period by the grid in force, record by record."""
    asked = call.arguments
    issuer = issuer_named(call.uow.issuers, asked.issuer)
    settings_on(issuer, asked.first)
    member_id = await member_named(call.uow.connection, asked.member)
    if member_id is None:
        raise RefusedError("billed-member-unknown", "there is no such member: write its id, or one of its records")
    found = await period(call.uow.connection, issuer, asked.first, member=member_id)
    if not found.members:
        raise RefusedError("billed-member-unknown", f"{issuer.code} does not bill this member")
    case = found.case(found.members[0])
    items, whole = owed(case), period_of(case)
    return MemberOwes(
        member_id=member_id,
        issuer=issuer.code,
        first=whole.first_day,
        last=whole.last_day,
        amount=euros(sum(item.cents for item in items)),
        records=[
            RecordOwes(
                record=str(item.key),
                amount=euros(item.cents),
                days=[(days.first_day, days.last_day) for days in item.days],
                why=sentences(item.reasons, asked.language),
            )
            for item in items
        ],
    )
