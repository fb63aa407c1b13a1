-- 1: topics and subscriptions
-- Times are milliseconds since 1970. attributes and tags are objects of JSON: what was set, by AWS's names.
CREATE TABLE sns_topics (
    id BIGINT PRIMARY KEY,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    attributes TEXT NOT NULL,
    tags TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX sns_topics_by_name ON sns_topics (account, region, name);

-- owner is the account that has subscribed, principal who that was. token confirms it; is_confirmed is 1 once it gets
-- messages, is_authenticated 1 if only its owner may end it.
CREATE TABLE sns_subscriptions (
    id BIGINT PRIMARY KEY,
    topic_id BIGINT NOT NULL,
    topic_arn TEXT NOT NULL,
    uuid TEXT NOT NULL,
    region TEXT NOT NULL,
    owner TEXT NOT NULL,
    principal TEXT NOT NULL,
    protocol TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    attributes TEXT NOT NULL,
    token TEXT NOT NULL,
    is_confirmed BIGINT NOT NULL,
    is_authenticated BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX sns_subscriptions_by_endpoint ON sns_subscriptions (topic_id, protocol, endpoint);
CREATE UNIQUE INDEX sns_subscriptions_by_uuid ON sns_subscriptions (uuid);
CREATE INDEX sns_subscriptions_by_topic ON sns_subscriptions (topic_id, id);
CREATE INDEX sns_subscriptions_by_owner ON sns_subscriptions (owner, region, id);
-- Topics that were deleted and whose subscriptions are still to be collected.
CREATE TABLE sns_deleted_topics (
    topic_id BIGINT PRIMARY KEY
);
