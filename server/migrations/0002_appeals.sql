-- What people contest, in their own words: one for each rule on each device, the newest. Times as in `report`.
CREATE TABLE appeal (
    device TEXT NOT NULL REFERENCES device (name),
    policy TEXT NOT NULL,
    rule TEXT NOT NULL,
    received INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (device, policy, rule)
);
