<?php
// Publishes one MemberRecorded: php publish.php '{"record_id": "1042", "version": 7, "name": "Ateliers du Gier"}'
//
// Without an argument the fact is read from standard input. Needs `composer install`, and the broker's address in
// TRABOULE_BROKER_URL_NUMELINK_MEMBERSHIP (amqp://numelink.membership:password@host/traboule).
// Exits with 0 only when the broker has confirmed the message.
declare(strict_types=1);

require __DIR__ . '/vendor/autoload.php';

use PhpAmqpLib\Connection\AMQPStreamConnection;
use PhpAmqpLib\Message\AMQPMessage;
use PhpAmqpLib\Wire\AMQPTable;

const TYPE = 'fr.traboule.membership.member-recorded.v1';
const FLAGS = JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES;

function publish(string $url, stdClass $fact): string
{
    $at = parse_url($url);
    $user = rawurldecode($at['user']); // numelink.membership
    $source = '/' . implode('/', explode('.', $user, 2));
    // The id comes from the content: publishing the same fact again, after a failure say, is the same event.
    $id = hash('sha256', json_encode([$source, TYPE, $fact], FLAGS));
    $event = ['specversion' => '1.0', 'id' => $id, 'source' => $source, 'type' => TYPE, 'data' => $fact];

    $connection = new AMQPStreamConnection(
        $at['host'],
        $at['port'] ?? 5672,
        $user,
        rawurldecode($at['pass']),
        rawurldecode(ltrim($at['path'] ?? '/traboule', '/')),
    );
    $channel = $connection->channel();
    $channel->confirm_select();
    $channel->set_nack_handler(fn () => throw new RuntimeException('the broker did not take it: try again later'));
    $channel->set_return_listener(fn ($code, $text) => throw new RuntimeException("returned: $text"));
    $message = new AMQPMessage(json_encode($event, FLAGS), [
        'content_type' => 'application/cloudevents+json',
        'message_id' => $id,
        'user_id' => $user,
        'application_headers' => new AMQPTable(['timestamp_in_ms' => (int) (microtime(true) * 1000)]), // how long it takes
        'delivery_mode' => AMQPMessage::DELIVERY_MODE_PERSISTENT,
    ]);
    $channel->basic_publish($message, 'traboule', "$user.member-recorded", mandatory: true);
    $channel->wait_for_pending_acks_returns(30); // throws when the channel was closed: 403, 406
    $connection->close();

    return $id;
}

try {
    $fact = json_decode($argv[1] ?? stream_get_contents(STDIN), flags: JSON_THROW_ON_ERROR);
    echo publish((string) getenv('TRABOULE_BROKER_URL_NUMELINK_MEMBERSHIP'), $fact), "\n";
} catch (Throwable $error) {
    fwrite(STDERR, "not published: {$error->getMessage()}\n");
    exit(1);
}
