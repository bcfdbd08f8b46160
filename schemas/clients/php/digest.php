<?php
// Digests of records for a manifest: php digest.php invoice < facts.jsonl prints one for each line.
//
// A line is the `data` of a fact as you publish it. The kinds are member, invoice, payment, event, registration,
// consent and mailing. PRODUCERS.md has the normal form in words, and what a manifest is. Needs the extension mbstring.
declare(strict_types=1);

// Fields that may be left out because they say what is so anyway.
const DEFAULTS = [
    'invoice' => ['kind' => 'invoice', 'status' => 'issued', 'currency' => 'EUR'],
    'payment' => ['currency' => 'EUR'],
    'event' => ['status' => 'planned'],
    'registration' => ['status' => 'registered', 'seats' => 1],
];
// Numbers that are written as text, with so many decimals.
const DECIMALS = [
    'invoice' => ['net' => 2, 'vat' => 2, 'gross' => 2, 'written_off' => 2],
    'line' => ['quantity' => 6, 'unit_price' => 6, 'net' => 2, 'vat_rate' => 2],
    'vat-rate' => ['rate' => 2, 'net' => 2, 'vat' => 2],
    'payment' => ['amount' => 2],
    'allocation' => ['amount' => 2],
    'subscription' => ['amount' => 2],
];
// Lists of objects that hold such numbers, by what they are.
const PARTS = [
    'invoice' => ['lines' => 'line', 'vat_rates' => 'vat-rate'],
    'payment' => ['allocations' => 'allocation'],
    'member' => ['subscriptions' => 'subscription'],
];
const MOMENTS = ['starts_at', 'ends_at', 'registered_at', 'decided_at', 'sent_at'];
const AS_IT_IS = JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_LINE_TERMINATORS;

/** 64 hex digits that are equal when two facts say the same of their record, whatever their versions. */
function digest(string $kind, stdClass $data): string
{
    $told = clone $data;
    unset($told->version);

    return hash('sha256', canonical(without_empty(normal($kind, $told))));
}

/** Every value in the one writing that counts, without those that hold their default. */
function normal(string $kind, stdClass $data): stdClass
{
    $told = new stdClass();
    foreach ($data as $name => $value) {
        if ($value !== null && $value !== (DEFAULTS[$kind][$name] ?? null)) {
            $told->{$name} = in_one_writing($kind, (string) $name, $value);
        }
    }

    return $told;
}

function in_one_writing(string $kind, string $name, mixed $value): mixed
{
    if ($places = DECIMALS[$kind][$name] ?? 0) {
        return number_format((float) $value, $places, '.', ''); // exact: at most 14 digits
    }
    if ($kind !== 'member' && in_array($name, MOMENTS, true)) {
        return (new DateTimeImmutable($value))->setTimezone(new DateTimeZone('UTC'))->format('Y-m-d\TH:i:s\Z');
    }
    if ($part = PARTS[$kind][$name] ?? null) {
        return array_map(fn (stdClass $one) => normal($part, $one), $value);
    }

    return $value;
}

/** Texts without white space at their ends; no empty field; lists sorted, each element once. */
function without_empty(mixed $value): mixed
{
    if (is_string($value)) {
        return trim($value, " \t\n\v\f\r");
    }
    if (is_array($value)) {
        $each = [];
        foreach (array_map('without_empty', $value) as $one) {
            $each[' ' . canonical($one)] = $one; // PHP would make a number of a key such as "12"
        }
        ksort($each, SORT_STRING);

        return array_values($each);
    }
    if (!$value instanceof stdClass) {
        return $value;
    }
    $told = new stdClass();
    foreach ($value as $name => $one) {
        $one = without_empty($one);
        if (!in_array($one, [null, '', []], true) && !($one instanceof stdClass && (array) $one === [])) {
            $told->{$name} = $one;
        }
    }

    return $told;
}

/** RFC 8785: no spaces, names sorted by their UTF-16 code units, UTF-8. */
function canonical(mixed $value): string
{
    if (is_array($value)) {
        return '[' . implode(',', array_map('canonical', $value)) . ']';
    }
    if (!$value instanceof stdClass) {
        return json_encode($value, AS_IT_IS);
    }
    $fields = [];
    foreach ($value as $name => $one) {
        $order = ' ' . mb_convert_encoding((string) $name, 'UTF-16BE', 'UTF-8');
        $fields[$order] = json_encode((string) $name, AS_IT_IS) . ':' . canonical($one);
    }
    ksort($fields, SORT_STRING);

    return '{' . implode(',', $fields) . '}';
}

if (realpath($_SERVER['SCRIPT_FILENAME']) === __FILE__) {
    while (($line = fgets(STDIN)) !== false) {
        echo digest($argv[1], json_decode($line, flags: JSON_THROW_ON_ERROR)), "\n";
    }
}
