# Prometheus from Debian's packages, with the user, the paths and the entrypoint of the official image.
FROM localhost/traboule-debian:forky
RUN apt-get -o Acquire::Check-Valid-Until=false update -q && DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends prometheus \
    && rm -rf /var/lib/apt/lists/* /etc/prometheus /var/lib/prometheus && install -d -o 65534 -g 65534 /etc/prometheus /prometheus
WORKDIR /prometheus
USER 65534:65534
VOLUME ["/prometheus"]
ENTRYPOINT ["/bin/prometheus"]
CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
