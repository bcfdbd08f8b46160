#!/bin/sh
# Debian's script does not pass a signal on to the broker, as the official image's does.
set -eu
chown -R rabbitmq: /var/lib/rabbitmq
gosu rabbitmq rabbitmq-server "$@" &
server=$!
trap 'gosu rabbitmq rabbitmqctl shutdown --no-wait' TERM INT
while kill -0 $server 2>/dev/null; do
    wait $server || true
done
