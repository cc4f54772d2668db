-- One schema for SQLite and PostgreSQL, in the words that both understand. Times are milliseconds since 1970 in UTC.

-- What the server made for itself at its first start: keys and certificates, by name.
CREATE TABLE secret (name TEXT PRIMARY KEY, value TEXT NOT NULL);

-- The bundle in force. There is one row. The revision grows with each change, so that two servers can't both make one.
CREATE TABLE bundle (id BIGINT PRIMARY KEY CHECK (id = 1), revision BIGINT NOT NULL, files TEXT NOT NULL);

-- One-time enrolment tokens, by the SHA-256 of their secret. Groups are a JSON array of names.
CREATE TABLE token (digest TEXT PRIMARY KEY, device_groups TEXT NOT NULL, used_by TEXT);

-- Devices, by the name in their certificate. One that was revoked keeps its row, so that it is refused for ever.
CREATE TABLE device (name TEXT PRIMARY KEY, enrolled BIGINT NOT NULL, device_groups TEXT NOT NULL, revoked BIGINT);

-- Drafts that admins proposed; a published one stays for the record.
CREATE TABLE draft (number BIGINT PRIMARY KEY, draft TEXT NOT NULL, published BIGINT NOT NULL);

-- The newest report of each device.
CREATE TABLE report (
    device TEXT PRIMARY KEY REFERENCES device (name),
    sequence BIGINT NOT NULL,
    received BIGINT NOT NULL,
    report TEXT NOT NULL
);

-- What people contest, in their own words: one for each rule on each device, the newest.
CREATE TABLE appeal (
    device TEXT NOT NULL REFERENCES device (name),
    policy TEXT NOT NULL,
    rule TEXT NOT NULL,
    received BIGINT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (device, policy, rule)
);

-- Every decision, each with the hash of the one before. The head is locked while an entry is added.
CREATE TABLE audit (number BIGINT PRIMARY KEY, entry TEXT NOT NULL, hash TEXT NOT NULL);
CREATE TABLE audit_head (id BIGINT PRIMARY KEY CHECK (id = 1), number BIGINT NOT NULL, hash TEXT NOT NULL);
INSERT INTO audit_head (id, number, hash) VALUES (1, 0, '');

-- Tokens for programs and people without an admin's key, by the SHA-256 of their secret.
CREATE TABLE api_token (
    digest TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    made BIGINT NOT NULL,
    ends BIGINT NOT NULL
);
