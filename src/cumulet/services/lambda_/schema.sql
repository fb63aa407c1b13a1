-- 1: functions
-- Times are milliseconds since 1970. package is the SHA-256 of the zip file that holds a function's code, in
-- hexadecimal; configuration is a JSON object of what can be set.
CREATE TABLE lambda_functions (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    revision TEXT NOT NULL,
    configuration TEXT NOT NULL,
    package TEXT NOT NULL,
    package_bytes BIGINT NOT NULL,
    tags TEXT NOT NULL,
    reserved_concurrency BIGINT,
    modified_at BIGINT NOT NULL,
    PRIMARY KEY (account, region, name)
);
CREATE INDEX lambda_functions_by_size ON lambda_functions (account, region, package_bytes);
CREATE INDEX lambda_functions_by_reservation ON lambda_functions (account, region, reserved_concurrency)
    WHERE reserved_concurrency > 0;

-- 2: event source mappings
-- account and region are those of the function. settings is a JSON object.
CREATE TABLE lambda_event_source_mappings (
    id BIGINT PRIMARY KEY,
    uuid TEXT NOT NULL,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    function_name TEXT NOT NULL,
    source_arn TEXT NOT NULL,
    is_enabled BIGINT NOT NULL,
    settings TEXT NOT NULL,
    tags TEXT NOT NULL,
    modified_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX lambda_event_source_mappings_by_uuid ON lambda_event_source_mappings (uuid);
CREATE INDEX lambda_event_source_mappings_by_region ON lambda_event_source_mappings (account, region, id);
CREATE INDEX lambda_event_source_mappings_by_function
    ON lambda_event_source_mappings (account, region, function_name, id);
CREATE INDEX lambda_event_source_mappings_by_source
    ON lambda_event_source_mappings (account, region, source_arn, id);
