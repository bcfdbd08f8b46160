#!/bin/sh
# Makes the passwords that docker-compose.yml wants, at random, in deploy/compose/secrets/. What is there stays, so it
# may run again at any time: after a cluster was added to deploy/clusters.toml, it adds that cluster's passwords.
#
#   sh deploy/compose/secrets.sh && docker compose up --detach --wait
set -eu
umask 077
cd "$(dirname "$0")"
mkdir -p secrets
cd secrets

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

# keep NAME: the password of a role or broker user, made the first time.
touch passwords
keep() {
    awk -F= -v name="$1" '$1 == name { found = 1 } END { exit !found }' passwords ||
        printf '%s=%s\n' "$1" "$(random)" >>passwords
    awk -F= -v name="$1" '$1 == name { print $2 }' passwords
}

# The containers' own users read these, so the files are readable, in a folder that is not.
readable() {
    cat >"$1.new"
    chmod 644 "$1.new"
    mv "$1.new" "$1"
}

postgres=$(keep postgres)
rabbitmq=$(keep rabbitmq)
printf '%s' "$postgres" | readable postgres_password
printf '%s' "$(keep grafana)" | readable grafana_password
printf 'default_user = admin\ndefault_pass = %s\n' "$rabbitmq" | readable rabbitmq_admin.conf

{
    echo "TRABOULE_DATABASE_URL=postgresql://postgres:$postgres@postgres:5432/postgres"
    echo "TRABOULE_BROKER_URL=amqp://admin:$rabbitmq@rabbitmq:5672/traboule"
    echo "TRABOULE_BROKER_MANAGEMENT_URL=http://admin:$rabbitmq@rabbitmq:15672"
    echo "TRABOULE_CLUSTERS_FILE=/app/deploy/clusters.toml"
    echo "TRABOULE_MEMBERSHIP_SURVIVORSHIP_FILE=/app/deploy/survivorship.toml"
} >house.new
for service in membership billing events communications; do
    upper=$(echo "$service" | tr '[:lower:]' '[:upper:]')
    database="postgresql://traboule_$service:$(keep "traboule_$service")@postgres:5432/traboule_$service"
    broker="amqp://traboule.$service:$(keep "traboule.$service")@rabbitmq:5672/traboule"
    printf '%s' "$database" | readable "traboule_${service}_database_url"
    printf '%s' "$broker" | readable "traboule_${service}_broker_url"
    echo "TRABOULE_${upper}_DATABASE_URL=$database" >>house.new
    {
        echo "TRABOULE_${upper}_BROKER_URL=$broker"
        # Where `traboule status` asks whether it is ready.
        echo "TRABOULE_${upper}_HTTP_HOST=$service"
        echo "TRABOULE_${upper}_HTTP_PORT=8000"
    } >>house.new
done
# What e-mail addresses are hashed with. If it is lost, objections of addresses are lost with it: keep it with the backups.
address_keys="1:$(keep communications.address-keys)"
printf '%s' "$address_keys" | readable traboule_communications_address_keys
echo "TRABOULE_COMMUNICATIONS_ADDRESS_KEYS=$address_keys" >>house.new
outside=staff.membership
for cluster in $(sed -n 's/^\[clusters\.\([A-Za-z0-9_-]*\)\].*/\1/p' ../../clusters.toml); do
    for service in membership billing events communications; do
        outside="$outside $cluster.$service"
    done
done
for user in $outside; do
    name=$(echo "$user" | tr 'a-z.-' 'A-Z__')
    echo "TRABOULE_BROKER_URL_$name=amqp://$user:$(keep "$user")@rabbitmq:5672/traboule" >>house.new
done
readable house.env <house.new
rm house.new
chmod 644 passwords
echo "deploy/compose/secrets: ready"
