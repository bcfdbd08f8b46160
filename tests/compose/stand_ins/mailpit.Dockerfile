# No package of Debian's has Mailpit: this takes mail where it would.
FROM localhost/traboule-debian:trixie
RUN apt-get -o Acquire::Check-Valid-Until=false update -q && DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends python3 \
    && rm -rf /var/lib/apt/lists/*
COPY --chmod=755 mailpit.py /mailpit
ENTRYPOINT ["/mailpit"]
