# PostgreSQL from Debian's packages, answering to the same variables and paths as the official image.
FROM localhost/traboule-debian:trixie
RUN apt-get -o Acquire::Check-Valid-Until=false update -q && DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends postgresql-17 gosu \
    && rm -rf /var/lib/apt/lists/* /var/lib/postgresql/17
ENV PATH=/usr/lib/postgresql/17/bin:$PATH PGDATA=/var/lib/postgresql/data
COPY postgres-entrypoint.sh /usr/local/bin/
ENTRYPOINT ["sh", "/usr/local/bin/postgres-entrypoint.sh"]
STOPSIGNAL SIGINT
