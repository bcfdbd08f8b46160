"""Whence somebody comes, as far as a log should know it."""

from ipaddress import ip_address, ip_network

from fastapi import Request


def network_of(request: Request) -> str:
    """The /24 of an IPv4 address or the /48 of an IPv6 address; empty where there is no address."""
    try:
        address = ip_address(request.client.host if request.client else "")
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    return str(ip_network(f"{address}/{24 if address.version == 4 else 48}", strict=False))
