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

SET default_tablespace = '';

SET default_table_access_method = heap;

CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);

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

CREATE TABLE public.events (
    cluster text NOT NULL,
    event_id text NOT NULL,
    version bigint NOT NULL,
    digest bytea NOT NULL,
    title text NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone,
    place text,
    status text NOT NULL,
    applied_late bigint DEFAULT '0'::bigint NOT NULL
);

COMMENT ON COLUMN public.events.applied_late IS 'late messages about it that a person applied; before each, what was held gave way';

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

CREATE TABLE public.member_records (
    cluster text NOT NULL,
    record_id text NOT NULL,
    member_id uuid NOT NULL,
    version bigint NOT NULL
);

COMMENT ON COLUMN public.member_records.version IS 'of the newest fact that names the record';

CREATE TABLE public.merge_conflicts (
    conflict_id text NOT NULL,
    version bigint NOT NULL,
    digest bytea NOT NULL,
    kind text NOT NULL,
    member_id uuid NOT NULL,
    records jsonb NOT NULL,
    held_twice jsonb NOT NULL,
    owner text NOT NULL,
    raised_at timestamp with time zone NOT NULL,
    state text NOT NULL,
    answers bigint NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    assigned_at timestamp with time zone,
    assigned_by text,
    settled_at timestamp with time zone,
    settled_by text,
    settled_reason text,
    settled_twice jsonb NOT NULL,
    history jsonb NOT NULL,
    CONSTRAINT merge_conflicts_state CHECK ((state = ANY (ARRAY['open'::text, 'settled'::text, 'gone'::text])))
);

COMMENT ON COLUMN public.merge_conflicts.version IS 'of the newest fact';

COMMENT ON COLUMN public.merge_conflicts.records IS 'the two source records that it is between';

COMMENT ON COLUMN public.merge_conflicts.held_twice IS 'what is there twice; empty once it is gone';

COMMENT ON COLUMN public.merge_conflicts.state IS 'as last answered';

COMMENT ON COLUMN public.merge_conflicts.answers IS 'how many there were: the newest one''s version';

COMMENT ON COLUMN public.merge_conflicts.settled_twice IS 'digests of what was there twice at that time';

COMMENT ON COLUMN public.merge_conflicts.history IS 'every step: at, what, by, owner, reason';

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

CREATE TABLE public.registrations (
    cluster text NOT NULL,
    registration_id text NOT NULL,
    version bigint NOT NULL,
    digest bytea NOT NULL,
    event_id text NOT NULL,
    record_id text NOT NULL,
    registered_at timestamp with time zone NOT NULL,
    status text NOT NULL,
    seats integer NOT NULL,
    applied_late bigint DEFAULT '0'::bigint NOT NULL
);

COMMENT ON COLUMN public.registrations.applied_late IS 'late messages about it that a person applied; before each, what was held gave way';

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
INSERT INTO public.alembic_version VALUES ('0006');
INSERT INTO public.events VALUES ('numelink', 'E-1', 1, '\x9b9009a7f2f5a1a72213f82f0a84f8a5', 'Rencontre cybersécurité', '2026-10-08 16:00:00+00', NULL, 'Lyon', 'planned', 0);
INSERT INTO public.inbox VALUES ('/numelink/events 84007347b8f427cb15dc281f915fcb22', '\x9b9009a7f2f5a1a72213f82f0a84f8a5', '2026-11-29 20:38:12.446379+00');
INSERT INTO public.inbox VALUES ('/numelink/events 557ae84d2c31ea759c9e011148046960', '\x0fa76961a7a26224796422a2b00faf8c', '2026-11-29 20:38:12.519593+00');
INSERT INTO public.inbox VALUES ('/traboule/membership 8746e52f4e388379f221b0a41be881de', '\xe97843f7bbcf9da95a885c080a6f190b', '2026-11-29 20:38:13.578727+00');
INSERT INTO public.inbox VALUES ('/traboule/membership e406362daacb7a5fec23f3c94e581c26', '\x11fdbe907651635dc227f6e6ec838bbb', '2026-11-29 20:38:27.251897+00');
INSERT INTO public.member_records VALUES ('clustr-numerique', '12', '5ada81df-6e38-5592-b902-db1287a8385f', 1);
INSERT INTO public.member_records VALUES ('numelink', 'B-1', '5ada81df-6e38-5592-b902-db1287a8385f', 1);
INSERT INTO public.member_records VALUES ('clustr-numerique', '14', 'bce45347-a0d6-5a8d-ac50-2e648a382d1e', 2);
INSERT INTO public.member_records VALUES ('numelink', 'B-2', 'bce45347-a0d6-5a8d-ac50-2e648a382d1e', 2);
INSERT INTO public.registrations VALUES ('numelink', 'R-1', 1, '\x0fa76961a7a26224796422a2b00faf8c', 'E-1', 'B-1', '2026-09-01 08:30:00+00', 'registered', 1, 0);

SELECT pg_catalog.setval('public.backups_id_seq', 1, false);

SELECT pg_catalog.setval('public.dead_letters_id_seq', 1, false);

SELECT pg_catalog.setval('public.outbox_id_seq', 2, true);

SELECT pg_catalog.setval('public.parity_acceptances_id_seq', 1, false);

SELECT pg_catalog.setval('public.parity_runs_id_seq', 1, false);

SELECT pg_catalog.setval('public.quarantine_id_seq', 1, false);

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);

ALTER TABLE ONLY public.backups
    ADD CONSTRAINT backups_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.dead_letters
    ADD CONSTRAINT dead_letters_once UNIQUE (queue, digest);

ALTER TABLE ONLY public.dead_letters
    ADD CONSTRAINT dead_letters_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (cluster, event_id);

ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (message);

ALTER TABLE ONLY public.manifests
    ADD CONSTRAINT manifests_pkey PRIMARY KEY (cluster, version, part);

ALTER TABLE ONLY public.member_records
    ADD CONSTRAINT member_records_pkey PRIMARY KEY (cluster, record_id);

ALTER TABLE ONLY public.merge_conflicts
    ADD CONSTRAINT merge_conflicts_pkey PRIMARY KEY (conflict_id);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.parity_acceptances
    ADD CONSTRAINT parity_acceptances_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.parity_differences
    ADD CONSTRAINT parity_differences_pkey PRIMARY KEY (run_id, digest);

ALTER TABLE ONLY public.parity_runs
    ADD CONSTRAINT parity_runs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.quarantine
    ADD CONSTRAINT quarantine_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.registrations
    ADD CONSTRAINT registrations_pkey PRIMARY KEY (cluster, registration_id);

ALTER TABLE ONLY public.stage_history
    ADD CONSTRAINT stage_history_pkey PRIMARY KEY (cluster, epoch);

ALTER TABLE ONLY public.stages
    ADD CONSTRAINT stages_pkey PRIMARY KEY (cluster);

CREATE INDEX dead_letters_by_reason ON public.dead_letters USING btree (status, reason);

CREATE INDEX inbox_by_age ON public.inbox USING brin (received_at);

CREATE INDEX merge_conflicts_by_state ON public.merge_conflicts USING btree (state, raised_at);

CREATE UNIQUE INDEX parity_acceptances_in_force ON public.parity_acceptances USING btree (cluster, digest) WHERE (taken_back_at IS NULL);

CREATE INDEX parity_differences_owned ON public.parity_differences USING btree (run_id) WHERE (owner IS NOT NULL);

CREATE INDEX parity_runs_by_cluster ON public.parity_runs USING btree (cluster, id);

CREATE INDEX quarantine_waiting ON public.quarantine USING btree (cluster, id) WHERE (state = 'waiting'::text);

CREATE INDEX registrations_by_event ON public.registrations USING btree (cluster, event_id);

CREATE INDEX registrations_by_record ON public.registrations USING btree (cluster, record_id);

ALTER TABLE ONLY public.parity_differences
    ADD CONSTRAINT parity_differences_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.parity_runs(id);
