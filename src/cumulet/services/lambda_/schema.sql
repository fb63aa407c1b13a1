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

-- 3: versions, aliases, resource policies
-- A version's configuration is that of $LATEST when it was published; description may be another. The qualifier of a
-- policy is empty where it is the function's own; statements is a JSON array.
ALTER TABLE lambda_functions ADD COLUMN deployment TEXT NOT NULL DEFAULT '';
ALTER TABLE lambda_functions ADD COLUMN last_version BIGINT NOT NULL DEFAULT 0;
CREATE TABLE lambda_versions (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    function_name TEXT NOT NULL,
    number BIGINT NOT NULL,
    revision TEXT NOT NULL,
    deployment TEXT NOT NULL,
    configuration TEXT NOT NULL,
    description TEXT NOT NULL,
    package TEXT NOT NULL,
    package_bytes BIGINT NOT NULL,
    modified_at BIGINT NOT NULL,
    PRIMARY KEY (account, region, function_name, number)
);
CREATE INDEX lambda_versions_by_size ON lambda_versions (account, region, package_bytes);
CREATE TABLE lambda_aliases (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    function_name TEXT NOT NULL,
    name TEXT NOT NULL,
    revision TEXT NOT NULL,
    version TEXT NOT NULL,
    additional_version TEXT,
    additional_weight DOUBLE PRECISION,
    description TEXT NOT NULL,
    PRIMARY KEY (account, region, function_name, name)
);
CREATE INDEX lambda_aliases_by_version ON lambda_aliases (account, region, function_name, version, name);
CREATE INDEX lambda_aliases_by_additional_version
    ON lambda_aliases (account, region, function_name, additional_version, name) WHERE additional_version IS NOT NULL;
CREATE TABLE lambda_policies (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    function_name TEXT NOT NULL,
    qualifier TEXT NOT NULL,
    statements TEXT NOT NULL,
    PRIMARY KEY (account, region, function_name, qualifier)
);
