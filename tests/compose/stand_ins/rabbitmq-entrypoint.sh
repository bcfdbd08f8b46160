#!/bin/sh
# Debian's script does not pass a signal on to the broker, as the official image's does.
set -eu
chown -R rabbitmq: /var/lib/rabbitmq
gosu rabbitmq rabbitmq-server "$@" &
server=$!
trap 'gosu rabbitmq rabbitmqctl shutdown --no-wait' TERM INT
# Not "kill -0": without CAP_KILL even root may not signal another user's process.
while [ -d /proc/$server ]; do
    wait $server || true
done
