# Alertmanager from Debian's packages, with the user, the paths and the entrypoint of the official image.
FROM localhost/traboule-debian:trixie
RUN apt-get -o Acquire::Check-Valid-Until=false update -q && DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends prometheus-alertmanager \
    && rm -rf /var/lib/apt/lists/* /etc/prometheus /var/lib/prometheus && ln -s prometheus-alertmanager /usr/bin/alertmanager \
    && install -d -o 65534 -g 65534 /etc/alertmanager /alertmanager
WORKDIR /alertmanager
USER 65534:65534
VOLUME ["/alertmanager"]
ENTRYPOINT ["/bin/alertmanager"]
CMD ["--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"]
