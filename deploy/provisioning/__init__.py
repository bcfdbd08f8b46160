"""Databases, roles, broker users, queues and schemas: made and mended before services start."""
