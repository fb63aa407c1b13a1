-- 1: log groups, streams, events, removals
-- Times are milliseconds since 1970. stored_bytes counts each event's message in UTF-8 and 26 bytes.
CREATE TABLE logs_groups (
    id BIGINT PRIMARY KEY,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    log_class TEXT NOT NULL,
    kms_key_id TEXT,
    retention_days BIGINT,
    tags TEXT NOT NULL,
    is_protected BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    stored_bytes BIGINT NOT NULL
);
CREATE UNIQUE INDEX logs_groups_by_name ON logs_groups (account, region, name);

-- last_event_at is the latest time of an event, last_ingested_at when events last came; 0 while none has.
CREATE TABLE logs_streams (
    id BIGINT PRIMARY KEY,
    group_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_event_at BIGINT NOT NULL,
    last_ingested_at BIGINT NOT NULL,
    stored_bytes BIGINT NOT NULL
);
CREATE UNIQUE INDEX logs_streams_by_name ON logs_streams (group_id, name);
CREATE INDEX logs_streams_by_last_event ON logs_streams (group_id, last_event_at, name);

-- The rows are in the order in which a group is searched: by time, then as they came.
CREATE TABLE logs_events (
    group_id BIGINT NOT NULL,
    occurred_at BIGINT NOT NULL,
    id BIGINT NOT NULL,
    stream_id BIGINT NOT NULL,
    ingested_at BIGINT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (group_id, occurred_at, id)
);
CREATE INDEX logs_events_by_stream ON logs_events (stream_id, occurred_at, id);

-- Groups, and where stream_id says so streams, that are gone, but whose rows are still to be collected.
CREATE TABLE logs_removals (
    id BIGINT PRIMARY KEY,
    group_id BIGINT NOT NULL,
    stream_id BIGINT
);
