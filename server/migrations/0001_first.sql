-- What the server made for itself at its first start: keys and certificates, by name.
CREATE TABLE secret (name TEXT PRIMARY KEY, value TEXT NOT NULL);

-- The bundle in force. There is one row.
CREATE TABLE bundle (only INTEGER PRIMARY KEY CHECK (only = 1), files TEXT NOT NULL);

-- One-time enrolment tokens, by the SHA-256 of their secret.
CREATE TABLE token (digest TEXT PRIMARY KEY, used_by TEXT);

-- Devices, by the name in their certificate.
CREATE TABLE device (name TEXT PRIMARY KEY, enrolled INTEGER NOT NULL);

-- Drafts that admins proposed; a published one stays for the record.
CREATE TABLE draft (number INTEGER PRIMARY KEY AUTOINCREMENT, draft TEXT NOT NULL, published INTEGER NOT NULL DEFAULT 0);

-- The newest report of each device. Times are milliseconds since 1970 in UTC.
CREATE TABLE report (
    device TEXT PRIMARY KEY REFERENCES device (name),
    sequence INTEGER NOT NULL,
    received INTEGER NOT NULL,
    report TEXT NOT NULL
);
