-- 1: roles, their inline policies, managed policies and their versions, attachments
-- Times are milliseconds since 1970. IAM is global: nothing has a region. A name_key or role_key is a name in lower
-- case, because IAM's names are unique whatever their case. A policy_key is what stands behind `arn:PARTITION:iam::` in
-- a managed policy's ARN; policies of AWS have keys that begin with `aws:` and no rows. Tags are a JSON object.
CREATE TABLE iam_roles (
    account TEXT NOT NULL,
    name_key TEXT NOT NULL,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    role_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    trust_policy TEXT NOT NULL,
    description TEXT,
    max_session_seconds BIGINT NOT NULL,
    boundary TEXT,
    tags TEXT NOT NULL,
    PRIMARY KEY (account, name_key)
);
CREATE INDEX iam_roles_by_boundary ON iam_roles (account, boundary);

-- size counts the document's characters other than white space.
CREATE TABLE iam_inline_policies (
    account TEXT NOT NULL,
    role_key TEXT NOT NULL,
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    size BIGINT NOT NULL,
    PRIMARY KEY (account, role_key, name)
);

CREATE TABLE iam_policies (
    policy_key TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    name_key TEXT NOT NULL,
    path TEXT NOT NULL,
    policy_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    description TEXT,
    default_version BIGINT NOT NULL,
    newest_version BIGINT NOT NULL,
    tags TEXT NOT NULL
);
CREATE UNIQUE INDEX iam_policies_by_name ON iam_policies (account, name_key);

CREATE TABLE iam_policy_versions (
    policy_key TEXT NOT NULL,
    number BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (policy_key, number)
);

CREATE TABLE iam_attachments (
    account TEXT NOT NULL,
    role_key TEXT NOT NULL,
    policy_key TEXT NOT NULL,
    PRIMARY KEY (account, role_key, policy_key)
);
CREATE INDEX iam_attachments_by_policy ON iam_attachments (account, policy_key, role_key);
