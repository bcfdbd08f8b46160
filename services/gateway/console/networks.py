"""Whence somebody comes, as far as a log should know it."""

from ipaddress import ip_network

from fastapi import Request

from services.gateway.public.limits import address_of


def network_of(request: Request) -> str:
    """The /24 of an IPv4 address or the /48 of an IPv6 address; empty where there is no address."""
    address = address_of(request)
    if address is None:
        return ""
    return str(ip_network(f"{address}/{24 if address.version == 4 else 48}", strict=False))
