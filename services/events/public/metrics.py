"""What came of what people asked by public pages: no name, no address."""

from typing import Final

from prometheus_client import Counter

ASKED: Final = Counter(
    "traboule_public_requests_total", "What people asked by the pages of gatherings, by what came of it", ["outcome"]
)
