-- 1: deliveries
-- What waits for a target outside of the store. lane is what deliveries share a queue with: the target without what
-- chooses among its versions. Times are milliseconds since 1970. attempts counts tries that the target has failed,
-- deferrals those since then that never reached it.
CREATE TABLE deliveries (
    id BIGINT PRIMARY KEY,
    lane TEXT NOT NULL,
    target TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    accepted_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    deferrals BIGINT NOT NULL,
    request_id TEXT NOT NULL,
    trace_header TEXT,
    payload BYTEA NOT NULL
);
CREATE INDEX deliveries_by_lane ON deliveries (lane, due_at, id);
