from services.membership.tables import metadata
from shared.persistence.migrations import run

run(metadata)
