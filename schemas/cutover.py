"""Where a former system stands on its way over; each of our services tells it of its own."""

from typing import ClassVar, Literal

from schemas.fields import AnnouncedRecord, Label, Moment

Stage = Literal["legacy", "mirror", "live", "retired"]


class StageChanged(AnnouncedRecord):
    """Who is the authority for one cluster's records in one service: the former system, or we."""

    key: ClassVar[str] = "stage-changed"

    stage: Stage
    since: Moment
    by: Label
