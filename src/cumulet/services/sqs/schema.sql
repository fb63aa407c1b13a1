-- 1: queues, messages, groups, deduplication, receive attempts, move tasks
-- Times are milliseconds since 1970. A queue's messages are its backlog: purging a queue gives it a new, empty
-- backlog at once and leaves the old one to be collected in steps.
CREATE TABLE sqs_queues (
    id BIGINT PRIMARY KEY,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    backlog_id BIGINT NOT NULL,
    attributes TEXT NOT NULL,
    tags TEXT NOT NULL,
    dead_letter_arn TEXT,
    created_at BIGINT NOT NULL,
    modified_at BIGINT NOT NULL,
    purged_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX sqs_queues_by_name ON sqs_queues (account, region, name);
CREATE INDEX sqs_queues_by_dead_letter ON sqs_queues (dead_letter_arn, name);

CREATE TABLE sqs_deleted_queues (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    deleted_at BIGINT NOT NULL,
    PRIMARY KEY (account, region, name)
);
CREATE INDEX sqs_deleted_queues_by_time ON sqs_deleted_queues (deleted_at);

CREATE TABLE sqs_old_backlogs (
    backlog_id BIGINT PRIMARY KEY
);

-- in_flight is 1 once the message has been received from its present queue; it is out of sight until visible_at.
-- receipt is the token of its last receive. source_arn is the queue that gave it up as a dead letter.
CREATE TABLE sqs_messages (
    id BIGINT PRIMARY KEY,
    backlog_id BIGINT NOT NULL,
    in_flight BIGINT NOT NULL,
    visible_at BIGINT NOT NULL,
    receive_count BIGINT NOT NULL,
    receipt BIGINT,
    received_at BIGINT,
    first_received_at BIGINT,
    sent_at BIGINT NOT NULL,
    message_id TEXT NOT NULL,
    sender_id TEXT NOT NULL,
    group_id TEXT,
    deduplication_id TEXT,
    source_arn TEXT,
    attributes TEXT,
    attributes_md5 TEXT,
    trace_header TEXT,
    body_md5 TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX sqs_messages_by_visibility ON sqs_messages (backlog_id, in_flight, visible_at, id);
CREATE INDEX sqs_messages_by_age ON sqs_messages (backlog_id, sent_at);
CREATE INDEX sqs_messages_by_group ON sqs_messages (backlog_id, group_id, id) WHERE group_id IS NOT NULL;

-- One row for each message group of a FIFO queue that holds messages; available_at is when its first message became
-- or becomes visible, but no earlier than the last receive or delete in the group, so that groups take turns.
CREATE TABLE sqs_groups (
    backlog_id BIGINT NOT NULL,
    group_id TEXT NOT NULL,
    available_at BIGINT NOT NULL,
    turn BIGINT NOT NULL,
    PRIMARY KEY (backlog_id, group_id)
);
CREATE INDEX sqs_groups_by_availability ON sqs_groups (backlog_id, available_at, turn);

-- scope is the message group where the queue deduplicates by group, otherwise empty.
CREATE TABLE sqs_deduplications (
    backlog_id BIGINT NOT NULL,
    scope TEXT NOT NULL,
    deduplication_id TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    message_id TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    PRIMARY KEY (backlog_id, scope, deduplication_id)
);
CREATE INDEX sqs_deduplications_by_expiry ON sqs_deduplications (expires_at);

-- receipt is 0 once the attempt can't be repeated.
CREATE TABLE sqs_receive_attempts (
    backlog_id BIGINT NOT NULL,
    attempt_id TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    receipt BIGINT NOT NULL,
    message_numbers TEXT NOT NULL,
    PRIMARY KEY (backlog_id, attempt_id)
);
CREATE INDEX sqs_receive_attempts_by_expiry ON sqs_receive_attempts (expires_at);
CREATE INDEX sqs_receive_attempts_by_receipt ON sqs_receive_attempts (backlog_id, receipt);

-- The cursor is the last message looked at; last_id the newest when the task started: what comes later is not moved.
CREATE TABLE sqs_move_tasks (
    id BIGINT PRIMARY KEY,
    task_id TEXT NOT NULL,
    source_arn TEXT NOT NULL,
    destination_arn TEXT,
    rate_per_second BIGINT,
    status TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    last_id BIGINT NOT NULL,
    cursor_sent_at BIGINT NOT NULL,
    cursor_id BIGINT NOT NULL,
    moved BIGINT NOT NULL,
    to_move BIGINT NOT NULL,
    failure TEXT
);
CREATE INDEX sqs_move_tasks_by_source ON sqs_move_tasks (source_arn, id);
CREATE INDEX sqs_move_tasks_by_status ON sqs_move_tasks (status);
CREATE UNIQUE INDEX sqs_move_tasks_by_task_id ON sqs_move_tasks (task_id);
