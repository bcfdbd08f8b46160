SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;

CREATE EXTENSION IF NOT EXISTS unaccent WITH SCHEMA public;

SET default_tablespace = '';

SET default_table_access_method = heap;

CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);

COMMENT ON TABLE public.alembic_version IS 'a program must know revision 0003';

CREATE TABLE public.api_keys (
    id text NOT NULL,
    hash bytea NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    CONSTRAINT api_keys_role CHECK ((role = ANY (ARRAY['reader'::text, 'staff'::text, 'admin'::text])))
);

COMMENT ON COLUMN public.api_keys.id IS 'the public half of the key';

COMMENT ON COLUMN public.api_keys.hash IS 'of the secret half';

COMMENT ON COLUMN public.api_keys.name IS 'who or what uses it';

CREATE TABLE public.backups (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    by text NOT NULL,
    note text NOT NULL
);

COMMENT ON COLUMN public.backups.note IS 'where it lies, or how it was made';

ALTER TABLE public.backups ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.backups_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.conflict_answers (
    conflict_id text NOT NULL,
    responsible text NOT NULL,
    version bigint NOT NULL,
    owner text NOT NULL,
    state text NOT NULL,
    changed_at timestamp with time zone NOT NULL
);

COMMENT ON COLUMN public.conflict_answers.responsible IS 'the service that answered';

COMMENT ON COLUMN public.conflict_answers.state IS 'open, settled or gone';

CREATE TABLE public.cutover_requests (
    id text NOT NULL,
    cluster text,
    service text NOT NULL,
    operation text NOT NULL,
    arguments json NOT NULL,
    author text NOT NULL,
    key_id text NOT NULL,
    reason text,
    at timestamp with time zone DEFAULT now() NOT NULL,
    outcome text,
    answer json,
    answered_at timestamp with time zone,
    CONSTRAINT cutover_requests_outcome CHECK ((outcome = ANY (ARRAY['done'::text, 'refused'::text])))
);

COMMENT ON COLUMN public.cutover_requests.id IS 'a UUIDv7';

COMMENT ON COLUMN public.cutover_requests.cluster IS 'null: about no former system alone';

COMMENT ON COLUMN public.cutover_requests.key_id IS 'the API key that it came with';

COMMENT ON COLUMN public.cutover_requests.outcome IS 'null until the service answers';

CREATE TABLE public.dead_letters (
    id bigint NOT NULL,
    queue text NOT NULL,
    digest bytea NOT NULL,
    message_id text,
    type text,
    producer text,
    routing_key text NOT NULL,
    content_type text,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    status text DEFAULT 'parked'::text NOT NULL,
    count integer DEFAULT 1 NOT NULL,
    first_at timestamp with time zone DEFAULT now() NOT NULL,
    last_at timestamp with time zone DEFAULT now() NOT NULL,
    history jsonb DEFAULT '[]'::jsonb NOT NULL,
    CONSTRAINT dead_letters_status CHECK ((status = ANY (ARRAY['parked'::text, 'replaying'::text, 'replayed'::text, 'discarded'::text])))
);

COMMENT ON COLUMN public.dead_letters.digest IS 'of the body: the same message parks once';

COMMENT ON COLUMN public.dead_letters.producer IS 'the broker-validated user_id';

COMMENT ON COLUMN public.dead_letters.reason IS 'a stable word to group by';

COMMENT ON COLUMN public.dead_letters.detail IS 'for a person; holds no personal data';

COMMENT ON COLUMN public.dead_letters.history IS 'every step: at, what, by, note';

ALTER TABLE public.dead_letters ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.dead_letters_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.decision_pairs (
    decision_id bigint NOT NULL,
    a_cluster text NOT NULL,
    a_record_id text NOT NULL,
    b_cluster text NOT NULL,
    b_record_id text NOT NULL,
    verdict text NOT NULL,
    CONSTRAINT decision_pairs_order CHECK ((ROW(a_cluster, a_record_id) < ROW(b_cluster, b_record_id))),
    CONSTRAINT decision_pairs_verdict CHECK ((verdict = ANY (ARRAY['confirmed'::text, 'rejected'::text])))
);

CREATE TABLE public.decisions (
    id bigint NOT NULL,
    author text NOT NULL,
    reason text NOT NULL,
    key_id text,
    decided_at timestamp with time zone DEFAULT now() NOT NULL,
    taken_back_at timestamp with time zone,
    taken_back_by text,
    taken_back_reason text
);

COMMENT ON COLUMN public.decisions.key_id IS 'the API key that it came with; null from the command line';

ALTER TABLE public.decisions ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.decisions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.former_systems (
    cluster text NOT NULL,
    service text NOT NULL,
    stage text NOT NULL,
    epoch bigint NOT NULL,
    since timestamp with time zone NOT NULL,
    by text NOT NULL
);

COMMENT ON TABLE public.former_systems IS 'where each former system stands, as the services told; our own among them';

CREATE TABLE public.idempotency_keys (
    key_id text NOT NULL,
    idempotency_key text NOT NULL,
    digest bytea NOT NULL,
    results text[] NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON COLUMN public.idempotency_keys.key_id IS 'the API key that it came with';

COMMENT ON COLUMN public.idempotency_keys.digest IS 'of what was asked';

COMMENT ON COLUMN public.idempotency_keys.results IS 'ids of what it made';

CREATE TABLE public.identity_history (
    id bigint NOT NULL,
    version bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    what text NOT NULL,
    member_ids uuid[] NOT NULL,
    document json NOT NULL
);

COMMENT ON COLUMN public.identity_history.what IS 'merged or separated';

COMMENT ON COLUMN public.identity_history.member_ids IS 'every id that it concerns';

ALTER TABLE public.identity_history ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.identity_history_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE SEQUENCE public.identity_version
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE public.inbox (
    message text NOT NULL,
    digest bytea,
    received_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON COLUMN public.inbox.message IS 'CloudEvents source and id';

COMMENT ON COLUMN public.inbox.digest IS 'of its content: an id used for something else is no duplicate';

CREATE TABLE public.manifests (
    cluster text NOT NULL,
    version bigint NOT NULL,
    part integer NOT NULL,
    parts integer NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    counts json NOT NULL,
    records json NOT NULL
);

COMMENT ON COLUMN public.manifests.part IS 'of how many parts, from 1';

COMMENT ON COLUMN public.manifests.counts IS 'records that the former system holds, by kind';

COMMENT ON COLUMN public.manifests.records IS 'kind, id, version and digest of each';

CREATE TABLE public.match_features (
    record bigint NOT NULL,
    cluster text NOT NULL,
    record_id text NOT NULL,
    size integer NOT NULL,
    bits bit(128) NOT NULL,
    departement text,
    postcode text,
    town text,
    beginning text NOT NULL,
    name text NOT NULL,
    marks integer[] NOT NULL,
    keys text[] NOT NULL,
    features json NOT NULL
);

COMMENT ON COLUMN public.match_features.record IS 'a number for match_keys';

COMMENT ON COLUMN public.match_features.size IS 'how many trigrams its name has';

COMMENT ON COLUMN public.match_features.bits IS 'trigrams.bitmap of its name';

COMMENT ON COLUMN public.match_features.beginning IS 'candidates.beginning of its name';

COMMENT ON COLUMN public.match_features.name IS 'the key of its name, or empty';

COMMENT ON COLUMN public.match_features.marks IS 'candidates.held: under which its name is found';

COMMENT ON COLUMN public.match_features.keys IS 'those that it has in match_keys';

COMMENT ON COLUMN public.match_features.features IS 'what the record contributes to telling companies apart';

ALTER TABLE public.match_features ALTER COLUMN record ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.match_features_record_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.match_keys (
    key text NOT NULL COLLATE pg_catalog."C",
    record bigint NOT NULL
);

COMMENT ON COLUMN public.match_keys.key IS 'a letter for its kind, a colon, the value';

COMMENT ON COLUMN public.match_keys.record IS 'its number in match_features';

CREATE TABLE public.match_pairs (
    a_cluster text NOT NULL,
    a_record_id text NOT NULL,
    b_cluster text NOT NULL,
    b_record_id text NOT NULL,
    score real NOT NULL,
    verdict text NOT NULL,
    refused text,
    levels text[] NOT NULL,
    weights integer NOT NULL
);

COMMENT ON COLUMN public.match_pairs.score IS 'log2 odds that the two are one company';

COMMENT ON COLUMN public.match_pairs.verdict IS 'auto or review; pairs that stay apart are not kept';

COMMENT ON COLUMN public.match_pairs.refused IS 'why it is not merged without a person though it scores high enough';

COMMENT ON COLUMN public.match_pairs.levels IS 'in the order of levels.FIELDS';

COMMENT ON COLUMN public.match_pairs.weights IS 'the version that judged';

CREATE TABLE public.match_state (
    id boolean DEFAULT true NOT NULL,
    features integer NOT NULL,
    weights integer NOT NULL,
    CONSTRAINT match_state_once CHECK (id)
);

COMMENT ON COLUMN public.match_state.id IS 'there is one row';

COMMENT ON COLUMN public.match_state.features IS 'the version of features.py that all of it was made by';

COMMENT ON COLUMN public.match_state.weights IS 'the version of the weights that judged';

CREATE TABLE public.merge_conflicts (
    conflict_id text NOT NULL,
    kind text NOT NULL,
    responsible text NOT NULL,
    a_cluster text NOT NULL,
    a_record_id text NOT NULL,
    b_cluster text NOT NULL,
    b_record_id text NOT NULL,
    member_id uuid NOT NULL,
    "overlaps" json NOT NULL,
    digest bytea NOT NULL,
    found_at timestamp with time zone DEFAULT now() NOT NULL,
    gone_at timestamp with time zone
);

COMMENT ON COLUMN public.merge_conflicts.responsible IS 'the service that must resolve it';

COMMENT ON COLUMN public.merge_conflicts.digest IS 'of what was told of it last';

CREATE TABLE public.outbox (
    id bigint NOT NULL,
    exchange text NOT NULL,
    routing_key text NOT NULL,
    message_id text NOT NULL,
    content_type text,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    not_before timestamp with time zone DEFAULT now() NOT NULL,
    last_error text
);

ALTER TABLE public.outbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.outbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.overrides (
    id bigint NOT NULL,
    cluster text NOT NULL,
    record_id text NOT NULL,
    field text NOT NULL,
    value text NOT NULL,
    author text NOT NULL,
    reason text NOT NULL,
    key_id text,
    at timestamp with time zone DEFAULT now() NOT NULL,
    taken_back_at timestamp with time zone,
    taken_back_by text,
    taken_back_reason text
);

COMMENT ON COLUMN public.overrides.record_id IS 'the source record that it goes with';

COMMENT ON COLUMN public.overrides.value IS 'as staff wrote it';

ALTER TABLE public.overrides ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.overrides_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.parity_acceptances (
    id bigint NOT NULL,
    cluster text NOT NULL,
    digest text NOT NULL,
    reason text NOT NULL,
    by text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    taken_back_at timestamp with time zone,
    taken_back_by text,
    taken_back_reason text
);

COMMENT ON COLUMN public.parity_acceptances.digest IS 'of the difference, in whatever run it is found';

ALTER TABLE public.parity_acceptances ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.parity_acceptances_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.parity_differences (
    run_id bigint NOT NULL,
    digest text NOT NULL,
    kind text NOT NULL,
    item_id text NOT NULL,
    what text NOT NULL,
    fields text[] NOT NULL,
    there json,
    here json,
    why json,
    owner text,
    CONSTRAINT parity_differences_what CHECK ((what = ANY (ARRAY['missing-here'::text, 'missing-there'::text, 'different'::text, 'unreadable'::text])))
);

COMMENT ON COLUMN public.parity_differences.digest IS 'of all that makes it up';

COMMENT ON COLUMN public.parity_differences.why IS 'what is wrong with each field of a row that cannot be read';

COMMENT ON COLUMN public.parity_differences.owner IS 'who sees to it; stays with the record from run to run';

CREATE TABLE public.parity_runs (
    id bigint NOT NULL,
    cluster text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    by text NOT NULL,
    source text[] NOT NULL,
    counts json NOT NULL,
    sums json NOT NULL,
    open bigint NOT NULL,
    accepted bigint NOT NULL,
    subject text DEFAULT 'mirror'::text NOT NULL,
    manifest bigint,
    CONSTRAINT parity_runs_subject CHECK ((subject = ANY (ARRAY['mirror'::text, 'rehearsal'::text])))
);

COMMENT ON COLUMN public.parity_runs.source IS 'the files that say what is there';

COMMENT ON COLUMN public.parity_runs.counts IS 'per kind: there, here';

COMMENT ON COLUMN public.parity_runs.sums IS 'money per kind and year: there, here';

COMMENT ON COLUMN public.parity_runs.open IS 'differences, when it ran';

COMMENT ON COLUMN public.parity_runs.accepted IS 'differences, when it ran';

COMMENT ON COLUMN public.parity_runs.subject IS 'mirror: what both hold; rehearsal: what it did, and what we would have done';

COMMENT ON COLUMN public.parity_runs.manifest IS 'the version of the manifest compared with';

ALTER TABLE public.parity_runs ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.parity_runs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.quarantine (
    id bigint NOT NULL,
    cluster text NOT NULL,
    epoch bigint NOT NULL,
    message_id text NOT NULL,
    type text NOT NULL,
    body bytea NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    decided_at timestamp with time zone,
    decided_by text,
    reason text,
    CONSTRAINT quarantine_state CHECK ((state = ANY (ARRAY['waiting'::text, 'applied'::text, 'dismissed'::text])))
);

COMMENT ON COLUMN public.quarantine.epoch IS 'of the stage in which it came too late';

COMMENT ON COLUMN public.quarantine.body IS 'the whole event, structured JSON';

ALTER TABLE public.quarantine ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.quarantine_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.record_changes (
    id bigint NOT NULL,
    cluster text NOT NULL,
    record_id text NOT NULL,
    version bigint NOT NULL,
    command text NOT NULL,
    author text NOT NULL,
    key_id text,
    reason text,
    at timestamp with time zone DEFAULT now() NOT NULL,
    fields text[] NOT NULL,
    CONSTRAINT record_changes_command CHECK ((command = ANY (ARRAY['create'::text, 'change'::text, 'end'::text, 'contact'::text])))
);

COMMENT ON COLUMN public.record_changes.version IS 'the one that it made';

COMMENT ON COLUMN public.record_changes.key_id IS 'the API key that it came with; null by the broker';

COMMENT ON COLUMN public.record_changes.fields IS 'names of what changed, never the values';

ALTER TABLE public.record_changes ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.record_changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.record_history (
    id bigint NOT NULL,
    cluster text NOT NULL,
    record_id text NOT NULL,
    version bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    what text NOT NULL,
    fields text[] NOT NULL
);

COMMENT ON COLUMN public.record_history.fields IS 'names of what changed, never the values';

ALTER TABLE public.record_history ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.record_history_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.related (
    kind text NOT NULL,
    cluster text NOT NULL,
    item_id text NOT NULL,
    record_id text,
    event_id text,
    version bigint NOT NULL,
    digest bytea NOT NULL,
    document json NOT NULL,
    applied_late bigint DEFAULT '0'::bigint NOT NULL
);

COMMENT ON COLUMN public.related.kind IS 'invoice, payment, event, registration, consent, mailing';

COMMENT ON COLUMN public.related.record_id IS 'the source record that it names; an event names none';

COMMENT ON COLUMN public.related.event_id IS 'the event that a registration is for';

COMMENT ON COLUMN public.related.applied_late IS 'late messages about it that its own service applied: counts before the version';

CREATE TABLE public.source_records (
    cluster text NOT NULL,
    record_id text NOT NULL,
    version bigint NOT NULL,
    digest bytea NOT NULL,
    removed boolean NOT NULL,
    written json NOT NULL,
    understood json NOT NULL,
    siren text,
    same_as text,
    name_key text NOT NULL,
    own_id uuid NOT NULL,
    member_id uuid,
    written_version bigint NOT NULL,
    written_digest bytea NOT NULL,
    written_here boolean DEFAULT false NOT NULL
);

COMMENT ON COLUMN public.source_records.removed IS 'its former system has it no more';

COMMENT ON COLUMN public.source_records.written IS 'what the former system last wrote';

COMMENT ON COLUMN public.source_records.understood IS 'the same, normalised, with its problems';

COMMENT ON COLUMN public.source_records.siren IS 'valid, or null';

COMMENT ON COLUMN public.source_records.own_id IS 'the member id if it stood alone; for ever';

COMMENT ON COLUMN public.source_records.member_id IS 'the member that it belongs to; null once none is left';

COMMENT ON COLUMN public.source_records.written_version IS 'of what is written; -1: nothing ever was';

COMMENT ON COLUMN public.source_records.written_here IS 'by a command, while its former system was no authority: whatever that says next is newer';

CREATE TABLE public.stage_history (
    cluster text NOT NULL,
    epoch bigint NOT NULL,
    stage text NOT NULL,
    at timestamp with time zone NOT NULL,
    by text NOT NULL,
    reason text NOT NULL,
    overruled text[] NOT NULL
);

COMMENT ON COLUMN public.stage_history.overruled IS 'conditions of the gate that did not hold';

CREATE TABLE public.stages (
    cluster text NOT NULL,
    stage text NOT NULL,
    epoch bigint NOT NULL,
    since timestamp with time zone NOT NULL,
    by text NOT NULL,
    CONSTRAINT stages_stage CHECK ((stage = ANY (ARRAY['legacy'::text, 'mirror'::text, 'live'::text, 'retired'::text])))
);

COMMENT ON COLUMN public.stages.cluster IS 'no row: legacy, where everything begins';

COMMENT ON COLUMN public.stages.epoch IS 'counts the moves';

CREATE TABLE public.views (
    member_id uuid NOT NULL,
    document bytea NOT NULL,
    etag text NOT NULL,
    summary jsonb NOT NULL,
    sort_key text NOT NULL COLLATE pg_catalog."C",
    search text NOT NULL,
    sirens text[] NOT NULL,
    clusters text[] NOT NULL,
    lineages text[] NOT NULL,
    departement text,
    paid_until date,
    exempt boolean NOT NULL,
    active boolean NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON COLUMN public.views.document IS 'the consolidated view: UTF-8 JSON, served as it is';

COMMENT ON COLUMN public.views.summary IS 'name, brand, SIREN and town, for lists';

COMMENT ON COLUMN public.views.sort_key IS 'name without accents and case';

COMMENT ON COLUMN public.views.search IS 'names, brand, town and SIRENs without accents and case';

COMMENT ON COLUMN public.views.active IS 'a membership that has not ended';
INSERT INTO public.alembic_version VALUES ('0009');
INSERT INTO public.api_keys VALUES ('t2db8ejaij32', '\x66c7849185890de41370858b1ae2e2618f0f3abae89575b0c9c756c5309566f7', 'the website', 'reader', '2026-11-29 20:39:04.852285+00', '2027-11-29 20:39:04.852285+00', NULL);
INSERT INTO public.decision_pairs VALUES (1, 'clustr-numerique', '14', 'numelink', 'B-2', 'confirmed');
INSERT INTO public.decisions OVERRIDING SYSTEM VALUE VALUES (1, 'a.durand', 'same address, said by phone', NULL, '2026-11-29 20:38:27.040844+00', NULL, NULL, NULL);
INSERT INTO public.former_systems VALUES ('numelink', 'billing', 'mirror', 1, '2026-11-29 20:38:40.29881+00', 'a.durand');
INSERT INTO public.identity_history OVERRIDING SYSTEM VALUE VALUES (1, 1, '2026-11-29 20:38:12.99192+00', 'merged', '{5ada81df-6e38-5592-b902-db1287a8385f,f76a4e42-a7a0-5146-88f9-f0dfffdc6482}', '{"member_id":"5ada81df-6e38-5592-b902-db1287a8385f","records":["clustr-numerique/12","numelink/B-1"],"links":[{"a":"clustr-numerique/12","b":"numelink/B-1","score":11.16,"levels":{"declared":null,"siren":"equal","name":"exact","domain":"shared","email":"different","phone":null,"street":null,"place":"postcode","naf":null,"contact":null,"form":null}}],"cause":{"records":["clustr-numerique/12"]}}');
INSERT INTO public.identity_history OVERRIDING SYSTEM VALUE VALUES (2, 2, '2026-11-29 20:38:27.040844+00', 'merged', '{bce45347-a0d6-5a8d-ac50-2e648a382d1e,4c9c6155-799f-5da2-a11e-51381203b6ea}', '{"member_id":"bce45347-a0d6-5a8d-ac50-2e648a382d1e","records":["clustr-numerique/14","numelink/B-2"],"links":[{"a":"clustr-numerique/14","b":"numelink/B-2","decision":1}],"cause":{"decision":1}}');
INSERT INTO public.inbox VALUES ('/numelink/membership 66494fb3534344bb55634e92c8a85dcf', '\x9ad46f47d1ed72613451676d3f779bab', '2026-11-29 20:38:12.126336+00');
INSERT INTO public.inbox VALUES ('/numelink/membership 788f2e119919d47531a8e577683b8c3e', '\x093af37d8900b2fd90082628d0b8f6f6', '2026-11-29 20:38:12.126336+00');
INSERT INTO public.inbox VALUES ('/numelink/membership 87fd9d1e7829a1160d364b4a395a87cb', '\x4f1aa57d85602e7f96599d2d59a8b929', '2026-11-29 20:38:12.126336+00');
INSERT INTO public.inbox VALUES ('/traboule/billing 9b06f04f8bad4b8f44b97484e760e5db', '\x5c99a7a3c98afc54047efcee8455dd2e', '2026-11-29 20:38:12.506052+00');
INSERT INTO public.inbox VALUES ('/traboule/billing b063b12421b2627f409c5f8adfb7e766', '\x23d05c30268a47a8d27ab7e2503d97a9', '2026-11-29 20:38:12.506052+00');
INSERT INTO public.inbox VALUES ('/traboule/billing ffb358091710afdef1da5680b4adace8', '\xf3ba79b2a4a49e1822bd3fc844604906', '2026-11-29 20:38:12.562633+00');
INSERT INTO public.inbox VALUES ('/traboule/events 50afafef509234d2ea8d7fb3393f59fb', '\x3262e4c2f31413531776d83108faf13c', '2026-11-29 20:38:12.704903+00');
INSERT INTO public.inbox VALUES ('/traboule/events 43039f9885244679b5eec41e0b346ed7', '\x3935125be678af2abb994dc8a100e722', '2026-11-29 20:38:12.838958+00');
INSERT INTO public.inbox VALUES ('/clustr-numerique/membership 07a36cd8675d32284b8c9801d4a59629', '\x7d55603a4dcc68c8a3af3f0ba03690b3', '2026-11-29 20:38:12.99192+00');
INSERT INTO public.inbox VALUES ('/clustr-numerique/membership 785b844a99bcbf4ea50dc95b1062e483', '\x9a102d637f0c3f210f1dd76502c7b128', '2026-11-29 20:38:12.99192+00');
INSERT INTO public.inbox VALUES ('/traboule/communications bc3125a42d09e794155438660daed376', '\x41e664075a13a6ae50c4ce6e96f99a51', '2026-11-29 20:38:12.945445+00');
INSERT INTO public.inbox VALUES ('/traboule/communications 0e4839822622c5248843157fe95f15ca', '\xc77b61ff887aba2a0de8c812228ab1c5', '2026-11-29 20:38:13.098817+00');
INSERT INTO public.inbox VALUES ('/traboule/billing d948136c56274ce3dd09a8498859f422', '\x0d6a94db4821438c2f51170c632e8ca5', '2026-11-29 20:38:13.165992+00');
INSERT INTO public.inbox VALUES ('/traboule/communications fa6394ab2a4143d262719edd6ea720a6', '\x08fa1ae674870694347a23345317a9c7', '2026-11-29 20:38:13.677385+00');
INSERT INTO public.inbox VALUES ('/traboule/billing b47bd5bc8b5d343f8ce257e8cf3a2c0a', '\x3a3d9d3fcb89e01a330714d698a9170a', '2026-11-29 20:38:40.403628+00');
INSERT INTO public.match_features OVERRIDING SYSTEM VALUE VALUES (1, 'numelink', 'B-1', 14, B'01000010000000100001000000000000100000100000000000000100000000010010100100000000000000000001000010000000000001000000000000000000', '69', '69003', 'LYON', 'VITRA', 'VITRAUX RHONE', '{2000251225,-828680577,1984709693,-1555398166,-875785029,1078618871,-2118770590,-1605316937,-567461999}', '{c:VDR,d:exemple.fr,e:contact@vitraux.exemple.fr,n:VITRAUXRHONE,r:numelink/B-1,s:732829320,t:VITRAUX}', '{"v":1,"siren":"732829320","names":["VITRAUX RHONE"],"acronyms":["VDR"],"form":"company","domains":["exemple.fr"],"email":"contact@vitraux.exemple.fr","postcode":"69003","town":"LYON","departement":"69"}');
INSERT INTO public.match_features OVERRIDING SYSTEM VALUE VALUES (2, 'numelink', 'B-2', 12, B'00000001000000000100000000000010000000000000100000000000100000000010000000000000000000000001000000001100000000000000000000000001', '69', '69500', 'BRON', 'FORGE', 'FORGES BRON', '{1437566391,1403821782,-1628886579,259367569,136252236,1672382461,-158152294,-1342987920}', '{c:FDB,d:exemple.fr,e:accueil@forges.exemple.fr,n:FORGESBRON,r:numelink/B-2,t:BRON,t:FORGES}', '{"v":1,"names":["FORGES BRON"],"acronyms":["FDB"],"domains":["exemple.fr"],"email":"accueil@forges.exemple.fr","postcode":"69500","town":"BRON","departement":"69"}');
INSERT INTO public.match_features OVERRIDING SYSTEM VALUE VALUES (3, 'numelink', 'B-3', 18, B'00000000000000000001000000000000000000100100101010000000000000000010000001000001000000010001000100000000011010001100100000000000', '69', '69003', 'LYON', 'SOIER', 'SOIERIES PERRACHE', '{1227606653,-223384482,-1925463303,657264805,-672482459,-526796597,1755815894,-2010792914,1581890297,-1194545343,-1503325610}', '{d:exemple.fr,e:bonjour@soieries.exemple.fr,n:SOIERIESPERRACHE,r:numelink/B-3,t:PERRACHE,t:SOIERIES}', '{"v":1,"names":["SOIERIES PERRACHE"],"domains":["exemple.fr"],"email":"bonjour@soieries.exemple.fr","postcode":"69003","town":"LYON","departement":"69"}');
INSERT INTO public.match_features OVERRIDING SYSTEM VALUE VALUES (4, 'clustr-numerique', '12', 14, B'01000010000000100001000000000000100000100000000000000100000000010010100100000000000000000001000010000000000001000000000000000000', '69', '69003', 'LYON', 'VITRA', 'VITRAUX RHONE', '{2000251225,-828680577,1984709693,-1555398166,-875785029,1078618871,-2118770590,-1605316937,-567461999}', '{c:VDR,d:exemple.fr,e:compta@vitraux.exemple.fr,n:VITRAUXRHONE,r:clustr-numerique/12,s:732829320,t:VITRAUX}', '{"v":1,"siren":"732829320","names":["VITRAUX RHONE"],"acronyms":["VDR"],"domains":["exemple.fr"],"email":"compta@vitraux.exemple.fr","postcode":"69003","town":"LYON","departement":"69"}');
INSERT INTO public.match_features OVERRIDING SYSTEM VALUE VALUES (5, 'clustr-numerique', '14', 7, B'00000001000000000000000000000000000000000000100000000000000000000010000000000000000000000001000000001100000000000000000000000001', '69', '69200', 'VENISSIEUX', 'FORGE', 'FORGES', '{936243999,-91732988,1820223109,-2123195260,-1342987920}', '{c:FORGES,d:exemple.fr,e:info@lesforges.exemple.fr,n:FORGES,r:clustr-numerique/14,t:FORGES}', '{"v":1,"names":["FORGES"],"domains":["exemple.fr"],"email":"info@lesforges.exemple.fr","postcode":"69200","town":"VENISSIEUX","departement":"69"}');
INSERT INTO public.match_keys VALUES ('c:VDR', 1);
INSERT INTO public.match_keys VALUES ('d:exemple.fr', 1);
INSERT INTO public.match_keys VALUES ('e:contact@vitraux.exemple.fr', 1);
INSERT INTO public.match_keys VALUES ('n:VITRAUXRHONE', 1);
INSERT INTO public.match_keys VALUES ('r:numelink/B-1', 1);
INSERT INTO public.match_keys VALUES ('s:732829320', 1);
INSERT INTO public.match_keys VALUES ('t:VITRAUX', 1);
INSERT INTO public.match_keys VALUES ('c:FDB', 2);
INSERT INTO public.match_keys VALUES ('d:exemple.fr', 2);
INSERT INTO public.match_keys VALUES ('e:accueil@forges.exemple.fr', 2);
INSERT INTO public.match_keys VALUES ('n:FORGESBRON', 2);
INSERT INTO public.match_keys VALUES ('r:numelink/B-2', 2);
INSERT INTO public.match_keys VALUES ('t:BRON', 2);
INSERT INTO public.match_keys VALUES ('t:FORGES', 2);
INSERT INTO public.match_keys VALUES ('d:exemple.fr', 3);
INSERT INTO public.match_keys VALUES ('e:bonjour@soieries.exemple.fr', 3);
INSERT INTO public.match_keys VALUES ('n:SOIERIESPERRACHE', 3);
INSERT INTO public.match_keys VALUES ('r:numelink/B-3', 3);
INSERT INTO public.match_keys VALUES ('t:PERRACHE', 3);
INSERT INTO public.match_keys VALUES ('t:SOIERIES', 3);
INSERT INTO public.match_keys VALUES ('c:VDR', 4);
INSERT INTO public.match_keys VALUES ('d:exemple.fr', 4);
INSERT INTO public.match_keys VALUES ('e:compta@vitraux.exemple.fr', 4);
INSERT INTO public.match_keys VALUES ('n:VITRAUXRHONE', 4);
INSERT INTO public.match_keys VALUES ('r:clustr-numerique/12', 4);
INSERT INTO public.match_keys VALUES ('s:732829320', 4);
INSERT INTO public.match_keys VALUES ('t:VITRAUX', 4);
INSERT INTO public.match_keys VALUES ('c:FORGES', 5);
INSERT INTO public.match_keys VALUES ('d:exemple.fr', 5);
INSERT INTO public.match_keys VALUES ('e:info@lesforges.exemple.fr', 5);
INSERT INTO public.match_keys VALUES ('n:FORGES', 5);
INSERT INTO public.match_keys VALUES ('r:clustr-numerique/14', 5);
INSERT INTO public.match_keys VALUES ('t:FORGES', 5);
INSERT INTO public.match_pairs VALUES ('clustr-numerique', '14', 'numelink', 'B-2', 2.01, 'review', NULL, '{NULL,NULL,located,shared,different,NULL,NULL,departement,NULL,NULL,NULL}', 1);
INSERT INTO public.match_pairs VALUES ('clustr-numerique', '12', 'numelink', 'B-1', 11.16, 'auto', NULL, '{NULL,equal,exact,shared,different,NULL,NULL,postcode,NULL,NULL,NULL}', 1);
INSERT INTO public.match_state VALUES (true, 1, 1);
INSERT INTO public.overrides OVERRIDING SYSTEM VALUE VALUES (1, 'clustr-numerique', '12', 'phone', '+33472000000', 'a.durand', 'said by phone', NULL, '2026-11-29 20:38:54.62924+00', NULL, NULL, NULL);
INSERT INTO public.record_history OVERRIDING SYSTEM VALUE VALUES (1, 'numelink', 'B-1', 1, '2026-11-29 20:38:12.126336+00', 'recorded', '{}');
INSERT INTO public.record_history OVERRIDING SYSTEM VALUE VALUES (2, 'numelink', 'B-2', 1, '2026-11-29 20:38:12.126336+00', 'recorded', '{}');
INSERT INTO public.record_history OVERRIDING SYSTEM VALUE VALUES (3, 'numelink', 'B-3', 1, '2026-11-29 20:38:12.126336+00', 'recorded', '{}');
INSERT INTO public.record_history OVERRIDING SYSTEM VALUE VALUES (4, 'clustr-numerique', '12', 1, '2026-11-29 20:38:12.99192+00', 'recorded', '{}');
INSERT INTO public.record_history OVERRIDING SYSTEM VALUE VALUES (5, 'clustr-numerique', '14', 1, '2026-11-29 20:38:12.99192+00', 'recorded', '{}');
INSERT INTO public.related VALUES ('invoice', 'numelink', 'F-1', 'B-1', NULL, 1, '\x23d05c30268a47a8d27ab7e2503d97a9', '{"version":1,"cluster":"numelink","invoice_id":"F-1","record_id":"B-1","number":"FA2601-0001","issued_on":"2026-01-15","due_on":"2026-02-14","net":"100.00","vat":"20.00","gross":"120.00"}', 0);
INSERT INTO public.related VALUES ('invoice', 'numelink', 'F-2', 'B-2', NULL, 1, '\x5c99a7a3c98afc54047efcee8455dd2e', '{"version":1,"cluster":"numelink","invoice_id":"F-2","record_id":"B-2","number":"FA2601-0002","issued_on":"2026-01-15","due_on":"2026-02-14","net":"100.00","vat":"20.00","gross":"120.00"}', 0);
INSERT INTO public.related VALUES ('payment', 'numelink', 'P-1', 'B-2', NULL, 1, '\xf3ba79b2a4a49e1822bd3fc844604906', '{"version":1,"cluster":"numelink","payment_id":"P-1","record_id":"B-2","invoice_id":"F-2","paid_on":"2026-02-01","amount":"120.00","method":"virement"}', 0);
INSERT INTO public.related VALUES ('event', 'numelink', 'E-1', NULL, NULL, 1, '\x3262e4c2f31413531776d83108faf13c', '{"version":1,"cluster":"numelink","event_id":"E-1","title":"Rencontre cybersécurité","starts_at":"2026-10-08T16:00:00Z","place":"Lyon"}', 0);
INSERT INTO public.related VALUES ('registration', 'numelink', 'R-1', 'B-1', 'E-1', 1, '\x3935125be678af2abb994dc8a100e722', '{"version":1,"cluster":"numelink","registration_id":"R-1","event_id":"E-1","record_id":"B-1","registered_at":"2026-09-01T08:30:00Z"}', 0);
INSERT INTO public.related VALUES ('consent', 'numelink', 'C-1', 'B-1', NULL, 1, '\x41e664075a13a6ae50c4ce6e96f99a51', '{"version":1,"cluster":"numelink","consent_id":"C-1","record_id":"B-1","channel":"bulk-email","purpose":"newsletter","status":"granted","decided_at":"2025-05-25T10:00:00Z"}', 0);
INSERT INTO public.related VALUES ('mailing', 'numelink', 'L-1B-1', 'B-1', NULL, 1, '\xc77b61ff887aba2a0de8c812228ab1c5', '{"version":1,"cluster":"numelink","mailing_id":"L-1","subject":"La lettre de novembre","sent_at":"2026-11-02T07:00:00Z"}', 0);
INSERT INTO public.related VALUES ('mailing', 'numelink', 'L-1B-3', 'B-3', NULL, 1, '\xc77b61ff887aba2a0de8c812228ab1c5', '{"version":1,"cluster":"numelink","mailing_id":"L-1","subject":"La lettre de novembre","sent_at":"2026-11-02T07:00:00Z"}', 0);
INSERT INTO public.related VALUES ('invoice', 'clustr-numerique', 'F-1', '12', NULL, 1, '\x0d6a94db4821438c2f51170c632e8ca5', '{"version":1,"cluster":"clustr-numerique","invoice_id":"F-1","record_id":"12","number":"A-77","issued_on":"2026-01-15","due_on":"2026-02-14","net":"100.00","vat":"20.00","gross":"120.00"}', 0);
INSERT INTO public.related VALUES ('consent', 'clustr-numerique', 'C-1', '12', NULL, 1, '\x08fa1ae674870694347a23345317a9c7', '{"version":1,"cluster":"clustr-numerique","consent_id":"C-1","record_id":"12","channel":"bulk-email","purpose":"newsletter","status":"withdrawn","decided_at":"2025-05-25T10:00:00Z"}', 0);
INSERT INTO public.source_records VALUES ('numelink', 'B-3', 1, '\x4f1aa57d85602e7f96599d2d59a8b929', false, '{"city":"Lyon","country":"FR","email":"bonjour@soieries.exemple.fr","name":"Soieries Perrache","postcode":"69003","record_id":"B-3","version":1}', '{"email":"bonjour@soieries.exemple.fr","postcode":"69003","departement":"69","country":"FR","sort_key":"soieries perrache","search_text":"soieries perrache lyon"}', NULL, NULL, 'SOIERIES PERRACHE', '6e93b733-6a4e-5298-ace9-82618e84dbbd', '6e93b733-6a4e-5298-ace9-82618e84dbbd', 1, '\x4f1aa57d85602e7f96599d2d59a8b929', false);
INSERT INTO public.source_records VALUES ('clustr-numerique', '12', 1, '\x7d55603a4dcc68c8a3af3f0ba03690b3', false, '{"city":"Lyon","country":"FR","email":"compta@vitraux.exemple.fr","name":"VITRAUX DU RHONE","postcode":"69003","record_id":"12","siren":"732829320","version":1}', '{"siren":"732829320","email":"compta@vitraux.exemple.fr","postcode":"69003","departement":"69","country":"FR","sort_key":"vitraux du rhone","search_text":"vitraux du rhone lyon 732829320","lineage":"edit"}', '732829320', NULL, 'VITRAUX RHONE', '5ada81df-6e38-5592-b902-db1287a8385f', '5ada81df-6e38-5592-b902-db1287a8385f', 1, '\x7d55603a4dcc68c8a3af3f0ba03690b3', false);
INSERT INTO public.source_records VALUES ('clustr-numerique', '14', 1, '\x9a102d637f0c3f210f1dd76502c7b128', false, '{"city":"Vénissieux","country":"FR","email":"info@lesforges.exemple.fr","name":"Les Forges","postcode":"69200","record_id":"14","version":1}', '{"email":"info@lesforges.exemple.fr","postcode":"69200","departement":"69","country":"FR","sort_key":"les forges","search_text":"les forges venissieux","lineage":"edit"}', NULL, NULL, 'FORGES', 'bce45347-a0d6-5a8d-ac50-2e648a382d1e', 'bce45347-a0d6-5a8d-ac50-2e648a382d1e', 1, '\x9a102d637f0c3f210f1dd76502c7b128', false);
INSERT INTO public.source_records VALUES ('numelink', 'B-1', 1, '\x093af37d8900b2fd90082628d0b8f6f6', false, '{"city":"Lyon","country":"FR","email":"contact@vitraux.exemple.fr","name":"Vitraux du Rhône SARL","postcode":"69003","record_id":"B-1","siren":"732829320","version":1}', '{"siren":"732829320","email":"contact@vitraux.exemple.fr","postcode":"69003","departement":"69","country":"FR","sort_key":"vitraux du rhone sarl","search_text":"vitraux du rhone sarl lyon 732829320"}', '732829320', NULL, 'VITRAUX RHONE', 'f76a4e42-a7a0-5146-88f9-f0dfffdc6482', '5ada81df-6e38-5592-b902-db1287a8385f', 1, '\x093af37d8900b2fd90082628d0b8f6f6', false);
INSERT INTO public.source_records VALUES ('numelink', 'B-2', 1, '\x9ad46f47d1ed72613451676d3f779bab', false, '{"city":"Bron","country":"FR","email":"accueil@forges.exemple.fr","name":"Forges de Bron","postcode":"69500","record_id":"B-2","version":1}', '{"email":"accueil@forges.exemple.fr","postcode":"69500","departement":"69","country":"FR","sort_key":"forges de bron","search_text":"forges de bron bron"}', NULL, NULL, 'FORGES BRON', '4c9c6155-799f-5da2-a11e-51381203b6ea', 'bce45347-a0d6-5a8d-ac50-2e648a382d1e', 1, '\x9ad46f47d1ed72613451676d3f779bab', false);
INSERT INTO public.views VALUES ('6e93b733-6a4e-5298-ace9-82618e84dbbd', '\x7b226964223a2236653933623733332d366134652d353239382d616365392d383236313865383464626264222c22666f726d65725f696473223a5b5d2c22636c757374657273223a5b226e756d656c696e6b225d2c226c696e6561676573223a5b5d2c226e616d65223a7b2276616c7565223a22536f696572696573205065727261636865222c22736169645f6279223a5b226e756d656c696e6b2f422d33225d7d2c22656d61696c223a7b2276616c7565223a22626f6e6a6f757240736f6965726965732e6578656d706c652e6672222c22736169645f6279223a5b226e756d656c696e6b2f422d33225d7d2c22706f7374636f6465223a7b2276616c7565223a223639303033222c22736169645f6279223a5b226e756d656c696e6b2f422d33225d7d2c2263697479223a7b2276616c7565223a224c796f6e222c22736169645f6279223a5b226e756d656c696e6b2f422d33225d7d2c22646570617274656d656e74223a7b2276616c7565223a223639222c22736169645f6279223a5b226e756d656c696e6b2f422d33225d7d2c22636f756e747279223a7b2276616c7565223a224652222c22736169645f6279223a5b226e756d656c696e6b2f422d33225d7d2c22706169645f756e74696c223a6e756c6c2c226d656d6265727368697073223a5b7b2266726f6d223a226e756d656c696e6b2f422d33222c22636c7573746572223a226e756d656c696e6b227d5d2c2264756573223a7b22696e766f69636564223a2230222c227265636569766564223a2230222c226f75747374616e64696e67223a2230222c2263757272656e6379223a22455552222c22696e766f69636573223a5b5d2c227061796d656e7473223a5b5d7d2c22726567697374726174696f6e73223a5b5d2c22636f6e73656e7473223a7b22696e5f666f726365223a5b5d2c226465636973696f6e73223a5b5d7d2c226d61696c696e6773223a5b7b2266726f6d223a226e756d656c696e6b2f422d33222c226d61696c696e675f6964223a224c2d31222c227375626a656374223a224c61206c6574747265206465206e6f76656d627265222c2273656e745f6174223a22323032362d31312d30325430373a30303a30305a227d5d2c22636f6e666c69637473223a5b5d2c22736f7572636573223a5b7b2266726f6d223a226e756d656c696e6b2f422d33222c226d656d6265725f6964223a2236653933623733332d366134652d353239382d616365392d383236313865383464626264222c227772697474656e223a7b2263697479223a224c796f6e222c22636f756e747279223a224652222c22656d61696c223a22626f6e6a6f757240736f6965726965732e6578656d706c652e6672222c226e616d65223a22536f696572696573205065727261636865222c22706f7374636f6465223a223639303033222c227265636f72645f6964223a22422d33227d2c2270726f626c656d73223a5b5d7d5d7d', '26f31515b2844f57e3cf7d624e1bccca', '{"city": "Lyon", "name": "Soieries Perrache"}', 'soieries perrache', 'soieries perrache lyon', '{}', '{numelink}', '{}', '69', NULL, false, true, '2026-11-29 20:38:13.098817+00');
INSERT INTO public.views VALUES ('bce45347-a0d6-5a8d-ac50-2e648a382d1e', '\x7b226964223a2262636534353334372d613064362d356138642d616335302d326536343861333832643165222c22666f726d65725f696473223a5b2234633963363135352d373939662d356461322d613131652d353133383132303362366561225d2c22636c757374657273223a5b22636c757374722d6e756d657269717565222c226e756d656c696e6b225d2c226c696e6561676573223a5b2265646974225d2c226e616d65223a7b2276616c7565223a224c657320466f72676573222c22736169645f6279223a5b22636c757374722d6e756d6572697175652f3134225d2c2262656361757365223a227265636f72642d6f72646572222c226f7468657273223a5b7b2276616c7565223a22466f726765732064652042726f6e222c22736169645f6279223a5b226e756d656c696e6b2f422d32225d7d5d7d2c22656d61696c223a7b2276616c7565223a22696e666f406c6573666f726765732e6578656d706c652e6672222c22736169645f6279223a5b22636c757374722d6e756d6572697175652f3134225d2c2262656361757365223a227265636f72642d6f72646572222c226f7468657273223a5b7b2276616c7565223a226163637565696c40666f726765732e6578656d706c652e6672222c22736169645f6279223a5b226e756d656c696e6b2f422d32225d7d5d7d2c22706f7374636f6465223a7b2276616c7565223a223639323030222c22736169645f6279223a5b22636c757374722d6e756d6572697175652f3134225d2c2262656361757365223a227265636f72642d6f72646572222c226f7468657273223a5b7b2276616c7565223a223639353030222c22736169645f6279223a5b226e756d656c696e6b2f422d32225d7d5d7d2c2263697479223a7b2276616c7565223a2256c3a96e69737369657578222c22736169645f6279223a5b22636c757374722d6e756d6572697175652f3134225d2c2262656361757365223a227265636f72642d6f72646572222c226f7468657273223a5b7b2276616c7565223a2242726f6e222c22736169645f6279223a5b226e756d656c696e6b2f422d32225d7d5d7d2c22646570617274656d656e74223a7b2276616c7565223a223639222c22736169645f6279223a5b22636c757374722d6e756d6572697175652f3134222c226e756d656c696e6b2f422d32225d7d2c22636f756e747279223a7b2276616c7565223a224652222c22736169645f6279223a5b22636c757374722d6e756d6572697175652f3134222c226e756d656c696e6b2f422d32225d7d2c22706169645f756e74696c223a6e756c6c2c226d656d6265727368697073223a5b7b2266726f6d223a22636c757374722d6e756d6572697175652f3134222c22636c7573746572223a22636c757374722d6e756d657269717565222c226c696e65616765223a2265646974227d2c7b2266726f6d223a226e756d656c696e6b2f422d32222c22636c7573746572223a226e756d656c696e6b227d5d2c2264756573223a7b22696e766f69636564223a223132302e3030222c227265636569766564223a223132302e3030222c226f75747374616e64696e67223a22302e3030222c2263757272656e6379223a22455552222c22696e766f69636573223a5b7b2266726f6d223a226e756d656c696e6b2f422d32222c2270616964223a223132302e3030222c22696e766f6963655f6964223a22462d32222c226e756d626572223a224641323630312d30303032222c226973737565645f6f6e223a22323032362d30312d3135222c226475655f6f6e223a22323032362d30322d3134222c226e6574223a223130302e3030222c22766174223a2232302e3030222c2267726f7373223a223132302e3030227d5d2c227061796d656e7473223a5b7b2266726f6d223a226e756d656c696e6b2f422d32222c227061796d656e745f6964223a22502d31222c22696e766f6963655f6964223a22462d32222c22706169645f6f6e223a22323032362d30322d3031222c22616d6f756e74223a223132302e3030222c226d6574686f64223a22766972656d656e74227d5d7d2c22726567697374726174696f6e73223a5b5d2c22636f6e73656e7473223a7b22696e5f666f726365223a5b5d2c226465636973696f6e73223a5b5d7d2c226d61696c696e6773223a5b5d2c22636f6e666c69637473223a5b5d2c22736f7572636573223a5b7b2266726f6d223a22636c757374722d6e756d6572697175652f3134222c226d656d6265725f6964223a2262636534353334372d613064362d356138642d616335302d326536343861333832643165222c227772697474656e223a7b2263697479223a2256c3a96e69737369657578222c22636f756e747279223a224652222c22656d61696c223a22696e666f406c6573666f726765732e6578656d706c652e6672222c226e616d65223a224c657320466f72676573222c22706f7374636f6465223a223639323030222c227265636f72645f6964223a223134227d2c2270726f626c656d73223a5b5d7d2c7b2266726f6d223a226e756d656c696e6b2f422d32222c226d656d6265725f6964223a2234633963363135352d373939662d356461322d613131652d353133383132303362366561222c227772697474656e223a7b2263697479223a2242726f6e222c22636f756e747279223a224652222c22656d61696c223a226163637565696c40666f726765732e6578656d706c652e6672222c226e616d65223a22466f726765732064652042726f6e222c22706f7374636f6465223a223639353030222c227265636f72645f6964223a22422d32227d2c2270726f626c656d73223a5b5d7d5d7d', '6addac1211218c54703b27ce18bd17a2', '{"city": "Vénissieux", "name": "Les Forges"}', 'les forges', 'les forges venissieux forges de bron bron', '{}', '{clustr-numerique,numelink}', '{edit}', '69', NULL, false, true, '2026-11-29 20:38:27.040844+00');
INSERT INTO public.views VALUES ('5ada81df-6e38-5592-b902-db1287a8385f', '\x7b226964223a2235616461383164662d366533382d353539322d623930322d646231323837613833383566222c22666f726d65725f696473223a5b2266373661346534322d613761302d353134362d383866392d663064666666646336343832225d2c22636c757374657273223a5b22636c757374722d6e756d657269717565222c226e756d656c696e6b225d2c226c696e6561676573223a5b2265646974225d2c226e616d65223a7b2276616c7565223a22564954524155582044552052484f4e45222c22736169645f6279223a5b22636c757374722d6e756d6572697175652f3132225d2c2262656361757365223a227265636f72642d6f72646572222c226f7468657273223a5b7b2276616c7565223a2256697472617578206475205268c3b46e65205341524c222c22736169645f6279223a5b226e756d656c696e6b2f422d31225d7d5d7d2c22736972656e223a7b2276616c7565223a22373332383239333230222c22736169645f6279223a5b22636c757374722d6e756d6572697175652f3132222c226e756d656c696e6b2f422d31225d7d2c22656d61696c223a7b2276616c7565223a22636f6d70746140766974726175782e6578656d706c652e6672222c22736169645f6279223a5b22636c757374722d6e756d6572697175652f3132225d2c2262656361757365223a227265636f72642d6f72646572222c226f7468657273223a5b7b2276616c7565223a22636f6e7461637440766974726175782e6578656d706c652e6672222c22736169645f6279223a5b226e756d656c696e6b2f422d31225d7d5d7d2c2270686f6e65223a7b2276616c7565223a222b3333343732303030303030222c22736169645f6279223a5b5d2c226f76657272696465223a7b226174223a22323032362d31312d32395432303a33383a35342e3632393234305a222c226f6e223a22636c757374722d6e756d6572697175652f3132227d2c2262656361757365223a226f76657272696465227d2c22706f7374636f6465223a7b2276616c7565223a223639303033222c22736169645f6279223a5b22636c757374722d6e756d6572697175652f3132222c226e756d656c696e6b2f422d31225d7d2c2263697479223a7b2276616c7565223a224c796f6e222c22736169645f6279223a5b22636c757374722d6e756d6572697175652f3132222c226e756d656c696e6b2f422d31225d7d2c22646570617274656d656e74223a7b2276616c7565223a223639222c22736169645f6279223a5b22636c757374722d6e756d6572697175652f3132222c226e756d656c696e6b2f422d31225d7d2c22636f756e747279223a7b2276616c7565223a224652222c22736169645f6279223a5b22636c757374722d6e756d6572697175652f3132222c226e756d656c696e6b2f422d31225d7d2c22706169645f756e74696c223a6e756c6c2c226d656d6265727368697073223a5b7b2266726f6d223a22636c757374722d6e756d6572697175652f3132222c22636c7573746572223a22636c757374722d6e756d657269717565222c226c696e65616765223a2265646974227d2c7b2266726f6d223a226e756d656c696e6b2f422d31222c22636c7573746572223a226e756d656c696e6b227d5d2c2264756573223a7b22696e766f69636564223a223234302e3030222c227265636569766564223a2230222c226f75747374616e64696e67223a223234302e3030222c2263757272656e6379223a22455552222c22696e766f69636573223a5b7b2266726f6d223a22636c757374722d6e756d6572697175652f3132222c2270616964223a2230222c22696e766f6963655f6964223a22462d31222c226e756d626572223a22412d3737222c226973737565645f6f6e223a22323032362d30312d3135222c226475655f6f6e223a22323032362d30322d3134222c226e6574223a223130302e3030222c22766174223a2232302e3030222c2267726f7373223a223132302e3030227d2c7b2266726f6d223a226e756d656c696e6b2f422d31222c2270616964223a2230222c22696e766f6963655f6964223a22462d31222c226e756d626572223a224641323630312d30303031222c226973737565645f6f6e223a22323032362d30312d3135222c226475655f6f6e223a22323032362d30322d3134222c226e6574223a223130302e3030222c22766174223a2232302e3030222c2267726f7373223a223132302e3030227d5d2c227061796d656e7473223a5b5d7d2c22726567697374726174696f6e73223a5b7b2266726f6d223a226e756d656c696e6b2f422d31222c22726567697374726174696f6e5f6964223a22522d31222c226576656e745f6964223a22452d31222c22726567697374657265645f6174223a22323032362d30392d30315430383a33303a30305a222c226576656e74223a7b226576656e745f6964223a22452d31222c227469746c65223a2252656e636f6e74726520637962657273c3a96375726974c3a9222c227374617274735f6174223a22323032362d31302d30385431363a30303a30305a222c22706c616365223a224c796f6e227d7d5d2c22636f6e73656e7473223a7b22696e5f666f726365223a5b7b226368616e6e656c223a2262756c6b2d656d61696c222c22707572706f7365223a226e6577736c6574746572222c22616c6c6f776564223a66616c73652c22626563617573655f6f66223a22636c757374722d6e756d6572697175652f313223432d31227d5d2c226465636973696f6e73223a5b7b2266726f6d223a22636c757374722d6e756d6572697175652f3132222c22636f6e73656e745f6964223a22432d31222c226368616e6e656c223a2262756c6b2d656d61696c222c22707572706f7365223a226e6577736c6574746572222c22737461747573223a2277697468647261776e222c22646563696465645f6174223a22323032352d30352d32355431303a30303a30305a227d2c7b2266726f6d223a226e756d656c696e6b2f422d31222c22636f6e73656e745f6964223a22432d31222c226368616e6e656c223a2262756c6b2d656d61696c222c22707572706f7365223a226e6577736c6574746572222c22737461747573223a226772616e746564222c22646563696465645f6174223a22323032352d30352d32355431303a30303a30305a227d5d7d2c226d61696c696e6773223a5b7b2266726f6d223a226e756d656c696e6b2f422d31222c226d61696c696e675f6964223a224c2d31222c227375626a656374223a224c61206c6574747265206465206e6f76656d627265222c2273656e745f6174223a22323032362d31312d30325430373a30303a30305a227d5d2c22636f6e666c69637473223a5b5d2c22736f7572636573223a5b7b2266726f6d223a22636c757374722d6e756d6572697175652f3132222c226d656d6265725f6964223a2235616461383164662d366533382d353539322d623930322d646231323837613833383566222c227772697474656e223a7b2263697479223a224c796f6e222c22636f756e747279223a224652222c22656d61696c223a22636f6d70746140766974726175782e6578656d706c652e6672222c226e616d65223a22564954524155582044552052484f4e45222c22706f7374636f6465223a223639303033222c227265636f72645f6964223a223132222c22736972656e223a22373332383239333230227d2c2270726f626c656d73223a5b5d7d2c7b2266726f6d223a226e756d656c696e6b2f422d31222c226d656d6265725f6964223a2266373661346534322d613761302d353134362d383866392d663064666666646336343832222c227772697474656e223a7b2263697479223a224c796f6e222c22636f756e747279223a224652222c22656d61696c223a22636f6e7461637440766974726175782e6578656d706c652e6672222c226e616d65223a2256697472617578206475205268c3b46e65205341524c222c22706f7374636f6465223a223639303033222c227265636f72645f6964223a22422d31222c22736972656e223a22373332383239333230227d2c2270726f626c656d73223a5b5d7d5d7d', '009226e1c0fc26097caaf2fbb81b0d9e', '{"city": "Lyon", "name": "VITRAUX DU RHONE", "siren": "732829320"}', 'vitraux du rhone', 'vitraux du rhone lyon 732829320 vitraux du rhone sarl lyon 732829320', '{732829320}', '{clustr-numerique,numelink}', '{edit}', '69', NULL, false, true, '2026-11-29 20:38:54.62924+00');

SELECT pg_catalog.setval('public.backups_id_seq', 1, false);

SELECT pg_catalog.setval('public.dead_letters_id_seq', 1, false);

SELECT pg_catalog.setval('public.decisions_id_seq', 1, true);

SELECT pg_catalog.setval('public.identity_history_id_seq', 2, true);

SELECT pg_catalog.setval('public.identity_version', 2, true);

SELECT pg_catalog.setval('public.match_features_record_seq', 5, true);

SELECT pg_catalog.setval('public.outbox_id_seq', 2, true);

SELECT pg_catalog.setval('public.overrides_id_seq', 1, true);

SELECT pg_catalog.setval('public.parity_acceptances_id_seq', 1, false);

SELECT pg_catalog.setval('public.parity_runs_id_seq', 1, false);

SELECT pg_catalog.setval('public.quarantine_id_seq', 1, false);

SELECT pg_catalog.setval('public.record_changes_id_seq', 1, false);

SELECT pg_catalog.setval('public.record_history_id_seq', 5, true);

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.backups
    ADD CONSTRAINT backups_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.conflict_answers
    ADD CONSTRAINT conflict_answers_pkey PRIMARY KEY (conflict_id);

ALTER TABLE ONLY public.cutover_requests
    ADD CONSTRAINT cutover_requests_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.dead_letters
    ADD CONSTRAINT dead_letters_once UNIQUE (queue, digest);

ALTER TABLE ONLY public.dead_letters
    ADD CONSTRAINT dead_letters_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.decision_pairs
    ADD CONSTRAINT decision_pairs_pkey PRIMARY KEY (decision_id, a_cluster, a_record_id, b_cluster, b_record_id);

ALTER TABLE ONLY public.decisions
    ADD CONSTRAINT decisions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.former_systems
    ADD CONSTRAINT former_systems_pkey PRIMARY KEY (cluster, service);

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (key_id, idempotency_key);

ALTER TABLE ONLY public.identity_history
    ADD CONSTRAINT identity_history_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (message);

ALTER TABLE ONLY public.manifests
    ADD CONSTRAINT manifests_pkey PRIMARY KEY (cluster, version, part);

ALTER TABLE ONLY public.match_features
    ADD CONSTRAINT match_features_once UNIQUE (cluster, record_id);

ALTER TABLE ONLY public.match_features
    ADD CONSTRAINT match_features_pkey PRIMARY KEY (record);

ALTER TABLE ONLY public.match_keys
    ADD CONSTRAINT match_keys_pkey PRIMARY KEY (key, record);

ALTER TABLE ONLY public.match_pairs
    ADD CONSTRAINT match_pairs_pkey PRIMARY KEY (a_cluster, a_record_id, b_cluster, b_record_id);

ALTER TABLE ONLY public.match_state
    ADD CONSTRAINT match_state_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.merge_conflicts
    ADD CONSTRAINT merge_conflicts_pkey PRIMARY KEY (conflict_id);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.overrides
    ADD CONSTRAINT overrides_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.parity_acceptances
    ADD CONSTRAINT parity_acceptances_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.parity_differences
    ADD CONSTRAINT parity_differences_pkey PRIMARY KEY (run_id, digest);

ALTER TABLE ONLY public.parity_runs
    ADD CONSTRAINT parity_runs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.quarantine
    ADD CONSTRAINT quarantine_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.record_changes
    ADD CONSTRAINT record_changes_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.record_history
    ADD CONSTRAINT record_history_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.related
    ADD CONSTRAINT related_pkey PRIMARY KEY (kind, cluster, item_id);

ALTER TABLE ONLY public.source_records
    ADD CONSTRAINT source_records_pkey PRIMARY KEY (cluster, record_id);

ALTER TABLE ONLY public.stage_history
    ADD CONSTRAINT stage_history_pkey PRIMARY KEY (cluster, epoch);

ALTER TABLE ONLY public.stages
    ADD CONSTRAINT stages_pkey PRIMARY KEY (cluster);

ALTER TABLE ONLY public.views
    ADD CONSTRAINT views_pkey PRIMARY KEY (member_id);

CREATE INDEX dead_letters_by_reason ON public.dead_letters USING btree (status, reason);

CREATE INDEX decision_pairs_by_a ON public.decision_pairs USING btree (a_cluster, a_record_id);

CREATE INDEX decision_pairs_by_b ON public.decision_pairs USING btree (b_cluster, b_record_id);

CREATE INDEX identity_history_by_member ON public.identity_history USING gin (member_ids);

CREATE INDEX inbox_by_age ON public.inbox USING brin (received_at);

CREATE INDEX match_features_by_marks ON public.match_features USING gin (marks) WITH (fastupdate=off);

CREATE INDEX match_pairs_by_b ON public.match_pairs USING btree (b_cluster, b_record_id);

CREATE INDEX match_pairs_for_review ON public.match_pairs USING btree (score) WHERE (verdict = 'review'::text);

CREATE INDEX merge_conflicts_by_member ON public.merge_conflicts USING btree (member_id);

CREATE UNIQUE INDEX overrides_in_force ON public.overrides USING btree (cluster, record_id, field) WHERE (taken_back_at IS NULL);

CREATE UNIQUE INDEX parity_acceptances_in_force ON public.parity_acceptances USING btree (cluster, digest) WHERE (taken_back_at IS NULL);

CREATE INDEX parity_differences_owned ON public.parity_differences USING btree (run_id) WHERE (owner IS NOT NULL);

CREATE INDEX parity_runs_by_cluster ON public.parity_runs USING btree (cluster, id);

CREATE INDEX quarantine_waiting ON public.quarantine USING btree (cluster, id) WHERE (state = 'waiting'::text);

CREATE INDEX record_changes_by_record ON public.record_changes USING btree (cluster, record_id, id);

CREATE INDEX record_history_by_record ON public.record_history USING btree (cluster, record_id, id);

CREATE INDEX related_by_event ON public.related USING btree (cluster, event_id) WHERE (event_id IS NOT NULL);

CREATE INDEX related_by_record ON public.related USING btree (cluster, record_id);

CREATE INDEX source_records_by_member ON public.source_records USING btree (member_id);

CREATE UNIQUE INDEX source_records_by_own_id ON public.source_records USING btree (own_id);

CREATE INDEX source_records_by_same_as ON public.source_records USING btree (cluster, same_as) WHERE (same_as IS NOT NULL);

CREATE INDEX source_records_by_siren ON public.source_records USING btree (siren) WHERE (siren IS NOT NULL);

CREATE INDEX views_by_name ON public.views USING btree (sort_key, member_id);

CREATE INDEX views_by_siren ON public.views USING gin (sirens);

CREATE INDEX views_search ON public.views USING gin (search public.gin_trgm_ops);

ALTER TABLE ONLY public.decision_pairs
    ADD CONSTRAINT decision_pairs_decision_id_fkey FOREIGN KEY (decision_id) REFERENCES public.decisions(id);

ALTER TABLE ONLY public.parity_differences
    ADD CONSTRAINT parity_differences_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.parity_runs(id);
