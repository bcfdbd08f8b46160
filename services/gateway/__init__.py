"""The HTTP side of membership, served by its process: keys, routes, and requests to other services."""
