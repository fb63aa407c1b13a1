-- 1: the store's own tables
CREATE TABLE migrations (
    schema_name TEXT NOT NULL,
    number BIGINT NOT NULL,
    description TEXT NOT NULL,
    checksum TEXT NOT NULL,
    PRIMARY KEY (schema_name, number)
);
CREATE TABLE sequences (
    name TEXT PRIMARY KEY,
    reserved BIGINT NOT NULL
);
INSERT INTO sequences (name, reserved) VALUES ('id', 0);
CREATE TABLE settings (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
