"""What registrations cost: events says it, billing answers with what was billed. Neither waits for the other."""

from typing import Annotated, ClassVar

from pydantic import Field

from schemas.base import Amount, Announced, Day, Key, Label, Name, RecordRef
from schemas.events import Seats
from schemas.operation import Id


class RegistrationPriced(Announced):
    """What the seats of a registration cost now; 0 once they were given up. Of two the larger version wins."""

    service: ClassVar[str] = "events"
    key: ClassVar[str] = "registration-priced"

    cluster: Key = Field(description="Who organises the gathering")
    registration_id: Id
    title: Name = Field(description="The gathering")
    day: Day = Field(description="Its day, where it takes place")
    record: RecordRef | None = Field(default=None, description="The member that registered; None: a guest")
    name: Label | None = Field(default=None, description="Who registered")
    email: Label | None = None
    seats: Seats = Field(description="Seats that are held, or were")
    amount: Annotated[Amount, Field(ge=0)] = Field(
        description="What they cost, VAT included: the price is that of the moment when somebody registered"
    )
    by_traboule: bool = Field(default=True, description="Traboule has the gathering; False: a former system again")


class RegistrationBilled(Announced):
    """What was billed of a registration's price, less what was credited. Of two the larger version wins."""

    service: ClassVar[str] = "billing"
    key: ClassVar[str] = "registration-billed"

    cluster: Key
    registration_id: Id
    amount: Annotated[Amount, Field(ge=0)] = Field(description="Invoices less credit notes, VAT included")
    references: tuple[Label, ...] = Field(
        description="Numbers of the documents, or where staff entered that it was billed elsewhere"
    )
