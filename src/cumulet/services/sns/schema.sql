-- 1: topics and subscriptions
-- Times are milliseconds since 1970. attributes and tags are objects of JSON: what was set, by AWS's names.
-- data_protection is the data protection policy as it was given, or empty. deleted_subscriptions is how many the topic
-- has had and lost, filter_policies how many of those it has have one.
CREATE TABLE sns_topics (
    id BIGINT PRIMARY KEY,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    attributes TEXT NOT NULL,
    tags TEXT NOT NULL,
    data_protection TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_subscriptions BIGINT NOT NULL,
    filter_policies BIGINT NOT NULL
);
CREATE UNIQUE INDEX sns_topics_by_name ON sns_topics (account, region, name);
-- How much an account has of what quotas limit.
CREATE TABLE sns_usage (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    what TEXT NOT NULL,
    used BIGINT NOT NULL,
    PRIMARY KEY (account, region, what)
);

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
CREATE INDEX sns_subscriptions_by_state ON sns_subscriptions (topic_id, is_confirmed);
CREATE INDEX sns_subscriptions_by_age ON sns_subscriptions (is_confirmed, created_at);
CREATE INDEX sns_subscriptions_by_owner ON sns_subscriptions (owner, region, id);
-- Subscriptions that have ended and that their endpoints may restore. subscription is an object of JSON.
CREATE TABLE sns_ended_subscriptions (
    uuid TEXT PRIMARY KEY,
    subscription TEXT NOT NULL,
    ended_at BIGINT NOT NULL
);
CREATE INDEX sns_ended_subscriptions_by_age ON sns_ended_subscriptions (ended_at);
-- Topics that were deleted and whose subscriptions are still to be collected.
CREATE TABLE sns_deleted_topics (
    topic_id BIGINT PRIMARY KEY
);

-- 2: the outbox: text messages, mobile push, and what they are sent with
-- What an account has set for its text messages.
CREATE TABLE sns_sms_attributes (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    attributes TEXT NOT NULL,
    PRIMARY KEY (account, region)
);
-- Numbers whose holders have opted out once. opted_in_at is when they were opted in again, 0 where never.
CREATE TABLE sns_opt_outs (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    phone_number TEXT NOT NULL,
    is_opted_out BIGINT NOT NULL,
    opted_in_at BIGINT NOT NULL,
    PRIMARY KEY (account, region, phone_number)
);
CREATE INDEX sns_opt_outs_in_force ON sns_opt_outs (account, region, is_opted_out, phone_number);
CREATE TABLE sns_sandbox_numbers (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    phone_number TEXT NOT NULL,
    password TEXT NOT NULL,
    is_verified BIGINT NOT NULL,
    PRIMARY KEY (account, region, phone_number)
);
CREATE TABLE sns_platform_applications (
    id BIGINT PRIMARY KEY,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    platform TEXT NOT NULL,
    name TEXT NOT NULL,
    attributes TEXT NOT NULL
);
CREATE UNIQUE INDEX sns_platform_applications_by_name ON sns_platform_applications (account, region, platform, name);
CREATE INDEX sns_platform_applications_by_id ON sns_platform_applications (account, region, id);
CREATE TABLE sns_platform_endpoints (
    id BIGINT PRIMARY KEY,
    application_id BIGINT NOT NULL,
    arn TEXT NOT NULL,
    token TEXT NOT NULL,
    attributes TEXT NOT NULL
);
CREATE UNIQUE INDEX sns_platform_endpoints_by_arn ON sns_platform_endpoints (arn);
CREATE UNIQUE INDEX sns_platform_endpoints_by_token ON sns_platform_endpoints (application_id, token);
CREATE INDEX sns_platform_endpoints_by_application ON sns_platform_endpoints (application_id, id);
-- What would have gone to a telephone. details is an object of JSON with what there is besides.
CREATE TABLE sns_outbox (
    id BIGINT PRIMARY KEY,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    kind TEXT NOT NULL,
    destination TEXT NOT NULL,
    message_id TEXT NOT NULL,
    body TEXT NOT NULL,
    failure TEXT NOT NULL,
    details TEXT NOT NULL,
    sent_at BIGINT NOT NULL
);
CREATE INDEX sns_outbox_by_account ON sns_outbox (account, id);
CREATE INDEX sns_outbox_by_destination ON sns_outbox (destination, id);
CREATE INDEX sns_outbox_by_age ON sns_outbox (sent_at, id);
-- 3: messages on their way, and how they are signed
-- Messages on their way to more endpoints than a publish reaches itself: the topic's subscriptions with larger ids than
-- reached_id, and smaller ones than id, do not have the message yet. message is MessagePack.
CREATE TABLE sns_fan_outs (
    id BIGINT PRIMARY KEY,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    topic_name TEXT NOT NULL,
    base_url TEXT NOT NULL,
    reached_id BIGINT NOT NULL,
    message BYTEA NOT NULL
);
-- What FIFO topics have accepted in the last minutes; scope is the message group, or empty for the whole topic.
CREATE TABLE sns_deduplications (
    topic_id BIGINT NOT NULL,
    scope TEXT NOT NULL,
    deduplication_id TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    message_id TEXT NOT NULL,
    sequence_number TEXT NOT NULL,
    PRIMARY KEY (topic_id, scope, deduplication_id)
);
CREATE INDEX sns_deduplications_by_expiry ON sns_deduplications (expires_at);
CREATE TABLE sns_signing_keys (
    id BIGINT PRIMARY KEY,
    private_key TEXT NOT NULL,
    certificate TEXT NOT NULL
);
-- 4: archives of FIFO topics, and replays of what is in them
-- A topic has one open archive while it has an archive policy; the messages of one that isn't open are to be collected.
CREATE TABLE sns_archives (
    id BIGINT PRIMARY KEY,
    topic_id BIGINT NOT NULL,
    is_open BIGINT NOT NULL,
    retention_ms BIGINT NOT NULL,
    opened_at BIGINT NOT NULL
);
CREATE INDEX sns_archives_by_topic ON sns_archives (topic_id, is_open);
-- Ids are in the order of the sequence numbers. message is MessagePack.
CREATE TABLE sns_archived_messages (
    id BIGINT PRIMARY KEY,
    archive_id BIGINT NOT NULL,
    published_at BIGINT NOT NULL,
    message BYTEA NOT NULL
);
CREATE INDEX sns_archived_messages_by_archive ON sns_archived_messages (archive_id, id);
-- The last replay of a subscription, and the last archived message that it has looked at. number tells it from those
-- before; ends_at is where it stops, if anywhere.
CREATE TABLE sns_replays (
    subscription_id BIGINT PRIMARY KEY,
    topic_id BIGINT NOT NULL,
    number BIGINT NOT NULL,
    status TEXT NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT,
    reached_id BIGINT NOT NULL
);
CREATE INDEX sns_replays_by_topic ON sns_replays (topic_id, subscription_id);
CREATE INDEX sns_replays_by_status ON sns_replays (status, subscription_id);
