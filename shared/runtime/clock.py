"""The clock, passed in so that tests can set it."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")


class Clock:
    """Wall time: instants in UTC, and the calendar day where the clusters are."""

    def now(self) -> datetime:
        """This instant, in UTC."""
        return datetime.now(UTC)

    def today(self) -> date:
        """Today in France: at 00:30 in Lyon it is already tomorrow's date, whatever UTC says."""
        return self.now().astimezone(PARIS).date()
