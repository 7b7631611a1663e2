-- How services are seen from other sites: until now only the agent beside a service looked at it, and what was cut
-- off with its site looked well. A row of vantage is a service that is looked at, or was (watched): from how many places,
-- how often, and how, as its profile or somebody said; seen_: where its port is published now ('': nowhere). since: from
-- when that is so; what was seen before is of another place. state: as promise_change has it. due: when it is looked
-- after next.
CREATE TABLE vantage (
    service TEXT NOT NULL PRIMARY KEY,
    watched BIGINT NOT NULL,
    places BIGINT NOT NULL,
    every_s BIGINT NOT NULL,
    port TEXT NOT NULL,
    kind TEXT NOT NULL,
    path TEXT NOT NULL,
    status BIGINT NOT NULL,
    contains TEXT NOT NULL,
    days BIGINT NOT NULL,
    seen_address TEXT NOT NULL,
    seen_port BIGINT NOT NULL,
    since BIGINT NOT NULL,
    state TEXT NOT NULL,
    text TEXT NOT NULL,
    changed BIGINT NOT NULL,
    due BIGINT NOT NULL
);
CREATE INDEX vantage_by_due ON vantage (due, service);

-- A node that looks at it. streak: good looks in a row, or (below 0) bad ones; seen: what it makes of them (unknown, up,
-- down), or refused, where its settings forbid the address. looked: when it looked last: nothing older counts any more.
CREATE TABLE vantage_point (
    id TEXT NOT NULL PRIMARY KEY,
    service TEXT NOT NULL,
    node TEXT NOT NULL,
    site TEXT NOT NULL,
    country TEXT NOT NULL,
    city TEXT NOT NULL,
    seen TEXT NOT NULL,
    streak BIGINT NOT NULL,
    looked BIGINT NOT NULL,
    connect_us BIGINT NOT NULL,
    total_us BIGINT NOT NULL,
    days BIGINT NOT NULL,
    text TEXT NOT NULL,
    created BIGINT NOT NULL
);
CREATE UNIQUE INDEX vantage_point_by_service ON vantage_point (service, node);
CREATE INDEX vantage_point_by_node ON vantage_point (node, id);

-- Each look, for some days.
CREATE TABLE vantage_probe (
    service TEXT NOT NULL,
    looked BIGINT NOT NULL,
    point TEXT NOT NULL,
    country TEXT NOT NULL,
    city TEXT NOT NULL,
    good BIGINT NOT NULL,
    connect_us BIGINT NOT NULL,
    total_us BIGINT NOT NULL,
    PRIMARY KEY (service, looked, point)
);
CREATE INDEX vantage_probe_by_time ON vantage_probe (looked);

-- What came of them, by day (of UTC, since 1970) and city, for good. site: of the service. times: of good looks, half and
-- 95 of 100 of them were no slower; open: looks came after these were made out.
CREATE TABLE vantage_day (
    service TEXT NOT NULL,
    day BIGINT NOT NULL,
    country TEXT NOT NULL,
    city TEXT NOT NULL,
    site TEXT NOT NULL,
    probes BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    p50_us BIGINT NOT NULL,
    p95_us BIGINT NOT NULL,
    open BIGINT NOT NULL,
    PRIMARY KEY (service, day, country, city)
);
CREATE INDEX vantage_day_by_site ON vantage_day (site, day);
CREATE INDEX vantage_day_by_open ON vantage_day (open, day);
