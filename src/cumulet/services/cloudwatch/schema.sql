-- 1: metrics by the minute
-- Times are milliseconds since 1970. dimensions is a JSON array of [name, value], in the order of the names.
CREATE TABLE cloudwatch_metrics (
    id BIGINT PRIMARY KEY,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    dimensions TEXT NOT NULL,
    last_minute BIGINT NOT NULL
);
CREATE UNIQUE INDEX cloudwatch_metrics_by_name ON cloudwatch_metrics (account, region, namespace, name, dimensions);
CREATE INDEX cloudwatch_metrics_by_last_minute ON cloudwatch_metrics (last_minute);
CREATE TABLE cloudwatch_minutes (
    metric_id BIGINT NOT NULL,
    minute BIGINT NOT NULL,
    unit TEXT NOT NULL,
    observations DOUBLE PRECISION NOT NULL,
    total DOUBLE PRECISION NOT NULL,
    minimum DOUBLE PRECISION NOT NULL,
    maximum DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (metric_id, minute, unit)
);
CREATE INDEX cloudwatch_minutes_by_minute ON cloudwatch_minutes (minute);
