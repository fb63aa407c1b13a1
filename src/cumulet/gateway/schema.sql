-- 1: access keys
-- Times are milliseconds since 1970 by the machine's clock: a session ends for clients, whose clocks are outside.
CREATE TABLE gateway_access_keys (
    id TEXT PRIMARY KEY,
    secret TEXT NOT NULL,
    account TEXT NOT NULL,
    principal TEXT NOT NULL,
    user_id TEXT NOT NULL,
    session_token TEXT,
    expires_at BIGINT,
    is_active BOOLEAN NOT NULL
);
CREATE INDEX gateway_access_keys_by_principal ON gateway_access_keys (principal, id);

-- 2: metrics by the minute
CREATE TABLE metric_minutes (
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    dimension TEXT NOT NULL,
    minute BIGINT NOT NULL,
    observations BIGINT NOT NULL,
    total DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (namespace, name, dimension, minute)
);
CREATE INDEX metric_minutes_by_minute ON metric_minutes (minute);

-- 3: metrics have moved to CloudWatch's own tables
DROP TABLE metric_minutes;
