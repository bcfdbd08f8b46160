#!/bin/sh
set -eu
chown -R rabbitmq: /var/lib/rabbitmq
exec gosu rabbitmq rabbitmq-server "$@"
