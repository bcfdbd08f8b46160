#!/bin/sh
# Where no image registry can be reached: images of the names that docker-compose.yml asks for, from Debian's packages.
#
#   sh tests/compose/stand_ins/build.sh [postgres] [python] [rabbitmq-4.3] [rabbitmq-4.0] [prometheus] [alertmanager] [mailpit]
#
# Needs root, podman and debootstrap. ROOTS (/var/cache/traboule-roots) keeps the bare systems between runs.
set -eu
cd "$(dirname "$0")"
roots=${ROOTS:-/var/cache/traboule-roots}
mirror=$(awk '/^URIs:/ { print $2; exit } /^deb / { print $2; exit }' /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null)

debian() {
    podman image exists "localhost/traboule-debian:$1" && return
    mkdir -p "$roots"
    [ -d "$roots/$1/etc" ] || debootstrap --variant=minbase --include=ca-certificates "$1" "$roots/$1" "$mirror" \
        /usr/share/debootstrap/scripts/sid >&2
    # The builder's own certificates: a mirror or a registry may be reached by way of a proxy that has its own.
    cp /etc/ssl/certs/ca-certificates.crt "$roots/$1/etc/ssl/certs/ca-certificates.crt"
    tar -C "$roots/$1" -c . | podman import - "localhost/traboule-debian:$1" >&2
}

image() { # NAME DOCKERFILE [BUILD-ARG]
    podman image exists "$1" && return
    # shellcheck disable=SC2086 - words
    podman build --network=host --quiet ${3:+--build-arg $3} --tag "$1" --file "$2" . >&2
}

for wanted in "${@:-postgres python rabbitmq-4.3}"; do
    for one in $wanted; do
        case $one in
        postgres) debian trixie && image docker.io/library/postgres:17 postgres.Dockerfile ;;
        python) debian trixie && image docker.io/library/python:3.13-slim-trixie python.Dockerfile ;;
        rabbitmq-4.3) debian forky && image docker.io/library/rabbitmq:4.3-management rabbitmq.Dockerfile RELEASE=forky ;;
        rabbitmq-4.0) debian trixie && image docker.io/library/rabbitmq:4.0-management rabbitmq.Dockerfile RELEASE=trixie ;;
        prometheus) debian forky && image docker.io/prom/prometheus:v3.5.3 prometheus.Dockerfile ;;
        alertmanager) debian trixie && image docker.io/prom/alertmanager:v0.28.1 alertmanager.Dockerfile ;;
        mailpit) debian trixie && image docker.io/axllent/mailpit:v1.27 mailpit.Dockerfile ;;
        *) echo "no such image: $one" >&2 && exit 2 ;;
        esac
    done
done
