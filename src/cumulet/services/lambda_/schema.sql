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

-- 4: how functions are invoked asynchronously
-- The qualifier of the function itself is $LATEST. settings is a JSON object.
CREATE TABLE lambda_event_invoke_configs (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    function_name TEXT NOT NULL,
    qualifier TEXT NOT NULL,
    settings TEXT NOT NULL,
    modified_at BIGINT NOT NULL,
    PRIMARY KEY (account, region, function_name, qualifier)
);

-- 5: function URLs
-- The qualifier is an alias, or empty where the URL is for $LATEST; cors is a JSON object.
CREATE TABLE lambda_function_urls (
    url_id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    function_name TEXT NOT NULL,
    qualifier TEXT NOT NULL,
    auth_type TEXT NOT NULL,
    invoke_mode TEXT NOT NULL,
    cors TEXT,
    created_at BIGINT NOT NULL,
    modified_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX lambda_function_urls_by_function
    ON lambda_function_urls (account, region, function_name, qualifier);

-- 6: layers, code signing, how runtimes are updated
-- runtimes and architectures are JSON arrays, or null where none were given; last_version is the number that was given
-- last. A code signing configuration of a function is named by its id; publishers is a JSON array of ARNs.
CREATE TABLE lambda_layers (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    last_version BIGINT NOT NULL,
    PRIMARY KEY (account, region, name)
);
CREATE TABLE lambda_layer_versions (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    number BIGINT NOT NULL,
    description TEXT NOT NULL,
    license_info TEXT,
    runtimes TEXT NOT NULL,
    architectures TEXT NOT NULL,
    package TEXT NOT NULL,
    package_bytes BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account, region, name, number)
);
CREATE INDEX lambda_layer_versions_by_size ON lambda_layer_versions (account, region, package_bytes);
CREATE TABLE lambda_layer_policies (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    number BIGINT NOT NULL,
    revision TEXT NOT NULL,
    statements TEXT NOT NULL,
    PRIMARY KEY (account, region, name, number)
);
CREATE TABLE lambda_code_signing_configs (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    id TEXT NOT NULL,
    description TEXT NOT NULL,
    publishers TEXT NOT NULL,
    policy TEXT NOT NULL,
    tags TEXT NOT NULL,
    modified_at BIGINT NOT NULL,
    PRIMARY KEY (account, region, id)
);
ALTER TABLE lambda_functions ADD COLUMN recursive_loop TEXT NOT NULL DEFAULT 'Terminate';
ALTER TABLE lambda_functions ADD COLUMN code_signing TEXT;
CREATE INDEX lambda_functions_by_code_signing ON lambda_functions (account, region, code_signing, name)
    WHERE code_signing IS NOT NULL;
CREATE TABLE lambda_runtime_managements (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    function_name TEXT NOT NULL,
    version TEXT NOT NULL,
    update_on TEXT NOT NULL,
    runtime_version_arn TEXT,
    PRIMARY KEY (account, region, function_name, version)
);

-- 7: how far event source mappings have read streams
-- mapping is a UUID. Everything up to position is done; window_start and window_state are of a tumbling window.
CREATE TABLE lambda_stream_checkpoints (
    mapping TEXT NOT NULL,
    shard TEXT NOT NULL,
    lane BIGINT NOT NULL,
    lanes BIGINT NOT NULL,
    position TEXT NOT NULL,
    is_finished BIGINT NOT NULL,
    window_start BIGINT,
    window_state TEXT,
    PRIMARY KEY (mapping, shard, lane)
);

-- 8: provisioned concurrency
-- qualifier is the number of a version or the name of an alias.
CREATE TABLE lambda_provisioned (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    function_name TEXT NOT NULL,
    qualifier TEXT NOT NULL,
    executions BIGINT NOT NULL,
    modified_at BIGINT NOT NULL,
    PRIMARY KEY (account, region, function_name, qualifier)
);
