"""The same work done otherwise: the limit (bare aiormq and asyncpg), FastStream, Celery and pika, one process each."""
