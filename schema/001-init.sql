-- Darkport's store, schema 1. schema/README.md tells every table and column.
--
-- Tables (t_) are private and may change with any schema version. Views are
-- the public contract: they gain columns and never lose one.
-- A file that has landed is never edited; a change is the next number, and
-- it drops and makes again the views it changes.
-- application_id and user_version are set by the program, in the same
-- transaction as this file.

-- Facts about the store itself: clean, unclean_starts, batch_sequence.
CREATE TABLE t_meta(
  key TEXT PRIMARY KEY,
  value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE t_migration(
  version INTEGER PRIMARY KEY,
  program TEXT NOT NULL
) STRICT;

CREATE TABLE t_proto(
  proto INTEGER PRIMARY KEY CHECK (proto BETWEEN 0 AND 255),
  name TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO t_proto VALUES
  (1, 'icmp'), (6, 'tcp'), (17, 'udp'), (58, 'icmp6'), (132, 'sctp');

-- Every address there is a fact about, once, with its text. 16 octets in
-- network order, IPv4 mapped (::ffff:a.b.c.d): one order, and every prefix
-- of either family is one range. Columns *_ip hold the octets; the scan
-- events, by far the most rows, hold the id.
CREATE TABLE t_addr(
  id INTEGER PRIMARY KEY,
  ip BLOB NOT NULL UNIQUE CHECK (length(ip) = 16),
  text TEXT NOT NULL,
  family INTEGER NOT NULL CHECK (family IN (4, 6))
) STRICT;

CREATE TABLE t_network(
  low_ip BLOB NOT NULL CHECK (length(low_ip) = 16),
  high_ip BLOB NOT NULL CHECK (length(high_ip) = 16),
  length INTEGER NOT NULL CHECK (length BETWEEN 0 AND 128),
  cidr TEXT NOT NULL,
  label TEXT NOT NULL,
  PRIMARY KEY (low_ip, length),
  CHECK (low_ip <= high_ip)
) STRICT, WITHOUT ROWID;

-- Where the engine stands. One row.
CREATE TABLE t_engine(
  id INTEGER PRIMARY KEY CHECK (id = 1),
  clock_ms INTEGER NOT NULL,
  training_from_ms INTEGER NOT NULL,
  training_length_ms INTEGER NOT NULL,
  next_exposure_id INTEGER NOT NULL,
  next_alert_id INTEGER NOT NULL,
  next_event_id INTEGER NOT NULL
) STRICT;

CREATE TABLE t_exporter(
  id INTEGER PRIMARY KEY,
  address_ip BLOB NOT NULL REFERENCES t_addr(ip),
  domain INTEGER NOT NULL,
  version INTEGER NOT NULL,
  first_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  datagrams INTEGER NOT NULL,
  records INTEGER NOT NULL,
  lost INTEGER NOT NULL,
  templates INTEGER NOT NULL,
  UNIQUE (address_ip, domain, version)
) STRICT;

CREATE TABLE t_host(
  ip BLOB PRIMARY KEY REFERENCES t_addr(ip),
  label TEXT NOT NULL,
  first_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row an interval in which (host, protocol, port) accepted.
-- There is no unique index over the open ones: a batch may hold the next
-- interval before the end of the one it follows. Only columns that never
-- change are in indexes: these rows are updated over and over.
CREATE TABLE t_exposure(
  id INTEGER PRIMARY KEY,
  host_ip BLOB NOT NULL REFERENCES t_addr(ip),
  proto INTEGER NOT NULL CHECK (proto BETWEEN 0 AND 255),
  port INTEGER NOT NULL CHECK (port BETWEEN 0 AND 65535),
  state TEXT NOT NULL,
  tier TEXT NOT NULL,
  vetting TEXT NOT NULL,
  rule TEXT NOT NULL,
  confidence TEXT NOT NULL,
  first_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  closed_ms INTEGER,
  refused_ms INTEGER,
  accepted INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  clients INTEGER NOT NULL,
  sketch BLOB NOT NULL,
  evidence INTEGER NOT NULL,
  alert_id INTEGER,
  event_id INTEGER,
  first_client_ip BLOB REFERENCES t_addr(ip),
  first_client_port INTEGER NOT NULL,
  exporter_id INTEGER REFERENCES t_exporter(id)
) STRICT;
CREATE INDEX i_exposure_host ON t_exposure(host_ip, proto, port);
CREATE INDEX i_exposure_port ON t_exposure(port, proto);

CREATE TABLE t_trans_darkport(
  id INTEGER PRIMARY KEY,
  exposure_id INTEGER NOT NULL,
  host_ip BLOB NOT NULL REFERENCES t_addr(ip),
  proto INTEGER NOT NULL CHECK (proto BETWEEN 0 AND 255),
  port INTEGER NOT NULL CHECK (port BETWEEN 0 AND 65535),
  state TEXT NOT NULL,
  opened_ms INTEGER NOT NULL,
  dark_since_ms INTEGER,
  first_client_ip BLOB REFERENCES t_addr(ip),
  first_client_port INTEGER NOT NULL,
  first_client_had_probed INTEGER NOT NULL
    CHECK (first_client_had_probed IN (0, 1)),
  exporter_id INTEGER REFERENCES t_exporter(id)
) STRICT;
CREATE INDEX i_trans_darkport_opened ON t_trans_darkport(opened_ms / 1000);
CREATE INDEX i_trans_darkport_host ON t_trans_darkport(host_ip, proto, port);
CREATE INDEX i_trans_darkport_exposure ON t_trans_darkport(exposure_id);

-- The indexes are over seconds, as the view tells them.
CREATE TABLE t_scan_event(
  id INTEGER PRIMARY KEY,
  ts_ms INTEGER NOT NULL,
  src_id INTEGER NOT NULL REFERENCES t_addr(id),
  dst_id INTEGER NOT NULL REFERENCES t_addr(id),
  proto INTEGER NOT NULL CHECK (proto BETWEEN 0 AND 255),
  port INTEGER NOT NULL CHECK (port BETWEEN 0 AND 65535),
  src_port INTEGER NOT NULL,
  technique TEXT NOT NULL,
  answer TEXT NOT NULL,
  place TEXT NOT NULL,
  phase TEXT NOT NULL,
  rule TEXT NOT NULL,
  confidence TEXT NOT NULL,
  exporter_id INTEGER REFERENCES t_exporter(id)
) STRICT;
CREATE INDEX i_scan_event_ts ON t_scan_event(ts_ms / 1000);
CREATE INDEX i_scan_event_src ON t_scan_event(src_id, ts_ms / 1000);
CREATE INDEX i_scan_event_dst ON t_scan_event(dst_id, ts_ms / 1000);

CREATE TABLE t_outcome(
  hour_ms INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  rule TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  PRIMARY KEY (hour_ms, outcome, rule)
) STRICT, WITHOUT ROWID;

CREATE TABLE t_counter(
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- --- the public views ------------------------------------------------------

CREATE VIEW networks AS
SELECT cidr, label, low_ip, high_ip, length FROM t_network;

CREATE VIEW exporters AS
SELECT a.text AS address,
       e.domain AS domain,
       CASE e.version WHEN 5 THEN 'netflow5' WHEN 9 THEN 'netflow9'
         WHEN 10 THEN 'ipfix' ELSE CAST(e.version AS TEXT) END AS protocol,
       e.first_ms / 1000 AS first_seen,
       e.last_ms / 1000 AS last_seen,
       e.datagrams AS datagrams,
       e.records AS records,
       e.lost AS lost,
       e.templates AS templates,
       strftime('%Y-%m-%dT%H:%M:%SZ', e.first_ms / 1000, 'unixepoch')
         AS first_seen_iso,
       strftime('%Y-%m-%dT%H:%M:%SZ', e.last_ms / 1000, 'unixepoch')
         AS last_seen_iso,
       e.address_ip AS address_ip,
       e.version AS version
FROM t_exporter e JOIN t_addr a ON a.ip = e.address_ip;

CREATE VIEW exposures AS
SELECT e.id AS id,
       a.text AS host,
       coalesce(p.name, CAST(e.proto AS TEXT)) AS proto,
       e.port AS port,
       e.state AS state,
       e.tier AS tier,
       e.vetting AS verdict,
       e.first_ms / 1000 AS first_seen,
       e.last_ms / 1000 AS last_seen,
       e.closed_ms / 1000 AS closed_at,
       e.accepted AS accepted,
       e.clients AS clients,
       e.rule AS rule,
       e.confidence AS confidence,
       c.text AS first_client,
       e.first_client_port AS first_client_port,
       x.text AS exporter,
       e.alert_id AS trans_darkport_id,
       strftime('%Y-%m-%dT%H:%M:%SZ', e.first_ms / 1000, 'unixepoch')
         AS first_seen_iso,
       strftime('%Y-%m-%dT%H:%M:%SZ', e.last_ms / 1000, 'unixepoch')
         AS last_seen_iso,
       strftime('%Y-%m-%dT%H:%M:%SZ', e.closed_ms / 1000, 'unixepoch')
         AS closed_at_iso,
       e.host_ip AS host_ip,
       e.proto AS proto_num
FROM t_exposure e
JOIN t_addr a ON a.ip = e.host_ip
LEFT JOIN t_proto p ON p.proto = e.proto
LEFT JOIN t_addr c ON c.ip = e.first_client_ip
LEFT JOIN t_exporter r ON r.id = e.exporter_id
LEFT JOIN t_addr x ON x.ip = r.address_ip;

-- What is exposed now.
CREATE VIEW nem AS
SELECT * FROM exposures WHERE state <> 'closed' AND tier <> 'hint';

CREATE VIEW hosts AS
SELECT a.text AS host,
       h.label AS label,
       h.first_ms / 1000 AS first_seen,
       h.last_ms / 1000 AS last_seen,
       (SELECT count(*) FROM t_exposure e WHERE e.host_ip = h.ip
         AND e.state <> 'closed' AND e.tier <> 'hint') AS exposed,
       strftime('%Y-%m-%dT%H:%M:%SZ', h.first_ms / 1000, 'unixepoch')
         AS first_seen_iso,
       strftime('%Y-%m-%dT%H:%M:%SZ', h.last_ms / 1000, 'unixepoch')
         AS last_seen_iso,
       h.ip AS host_ip
FROM t_host h JOIN t_addr a ON a.ip = h.ip;

CREATE VIEW trans_darkports AS
SELECT t.id AS id,
       a.text AS host,
       coalesce(p.name, CAST(t.proto AS TEXT)) AS proto,
       t.port AS port,
       t.opened_ms / 1000 AS opened_at,
       c.text AS first_client,
       t.first_client_had_probed AS first_client_had_probed,
       t.state AS state,
       t.dark_since_ms / 1000 AS dark_since,
       t.first_client_port AS first_client_port,
       x.text AS exporter,
       t.exposure_id AS exposure_id,
       strftime('%Y-%m-%dT%H:%M:%SZ', t.opened_ms / 1000, 'unixepoch')
         AS opened_at_iso,
       strftime('%Y-%m-%dT%H:%M:%SZ', t.dark_since_ms / 1000, 'unixepoch')
         AS dark_since_iso,
       t.host_ip AS host_ip,
       t.proto AS proto_num
FROM t_trans_darkport t
JOIN t_addr a ON a.ip = t.host_ip
LEFT JOIN t_proto p ON p.proto = t.proto
LEFT JOIN t_addr c ON c.ip = t.first_client_ip
LEFT JOIN t_exporter r ON r.id = t.exporter_id
LEFT JOIN t_addr x ON x.ip = r.address_ip;

CREATE VIEW scan_events AS
SELECT e.id AS id,
       e.ts_ms / 1000 AS ts,
       s.text AS src,
       d.text AS dst,
       coalesce(p.name, CAST(e.proto AS TEXT)) AS proto,
       e.port AS port,
       e.technique AS technique,
       e.answer AS answer,
       e.place AS place,
       e.phase AS phase,
       x.text AS exporter,
       e.src_port AS src_port,
       e.rule AS rule,
       e.confidence AS confidence,
       strftime('%Y-%m-%dT%H:%M:%SZ', e.ts_ms / 1000, 'unixepoch') AS ts_iso,
       s.ip AS src_ip,
       d.ip AS dst_ip,
       e.proto AS proto_num
FROM t_scan_event e
JOIN t_addr s ON s.id = e.src_id
JOIN t_addr d ON d.id = e.dst_id
LEFT JOIN t_proto p ON p.proto = e.proto
LEFT JOIN t_exporter r ON r.id = e.exporter_id
LEFT JOIN t_addr x ON x.ip = r.address_ip;

CREATE VIEW attempt_outcomes AS
SELECT hour_ms / 1000 AS hour,
       outcome, rule, attempts,
       strftime('%Y-%m-%dT%H:%M:%SZ', hour_ms / 1000, 'unixepoch') AS hour_iso
FROM t_outcome;

CREATE VIEW counters AS SELECT name, value FROM t_counter;
