from services.events.tables import metadata
from shared.persistence.migrations import run

run(metadata)
