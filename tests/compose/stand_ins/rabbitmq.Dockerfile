# RabbitMQ from Debian's packages, with the configuration in the same places as in the official image.
ARG RELEASE=forky
FROM localhost/traboule-debian:${RELEASE}
RUN printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d \
    && apt-get -o Acquire::Check-Valid-Until=false update -q && DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends rabbitmq-server gosu \
    && rm -rf /var/lib/apt/lists/* /var/lib/rabbitmq/mnesia /var/lib/rabbitmq/.erlang.cookie
ENV RABBITMQ_LOGS=- LANG=C.UTF-8
COPY rabbitmq-entrypoint.sh /usr/local/bin/
# As in the official image, what is run in the container by hand finds the same cookie.
ENTRYPOINT ["sh", "/usr/local/bin/rabbitmq-entrypoint.sh"]
