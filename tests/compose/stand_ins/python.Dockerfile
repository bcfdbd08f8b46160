# Debian's Python 3.13, under the names that the official image gives it.
FROM localhost/traboule-debian:trixie
RUN apt-get -o Acquire::Check-Valid-Until=false update -q && DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
