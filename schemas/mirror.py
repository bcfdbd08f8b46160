"""What a service mirrors of former systems, in numbers."""

from datetime import datetime
from typing import Final

from pydantic import BaseModel

from schemas.operation import Arguments, Operation


class MirroredOfCluster(BaseModel):
    """One cluster's ``records`` by kind, and when the newest message of its former system arrived.

    ``newest_received_at`` is null where none arrived within the days for which messages are remembered.
    """

    cluster: str
    records: dict[str, int]
    newest_received_at: datetime | None


class MirroredRecords(BaseModel):
    """What a service mirrors, by cluster; a cluster with nothing mirrored is left out."""

    service: str
    items: list[MirroredOfCluster]


class MirroredRecordsArguments(Arguments):
    """Of which cluster; of all where it is left out."""

    cluster: str | None = None


MIRRORED_RECORDS: Final = Operation(
    name="mirrored-records",
    kind="query",
    services=("billing", "events", "communications"),
    right="see-cutover",
    path="/{service}/mirror",
    arguments=MirroredRecordsArguments,
    answer=MirroredRecords,
    summary="How many records of each former system are mirrored, and when its newest message arrived.",
    summary_fr="Combien de fiches de chaque ancien système sont suivies, et quand son dernier message est arrivé.",
)
