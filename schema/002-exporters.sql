-- Schema 2: what there is to know about an exporter, its loss by the hour,
-- and the templates and options it need not send again after a restart.

DROP VIEW exporters;

ALTER TABLE t_exporter ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE t_exporter
  ADD COLUMN unknown_template_sets INTEGER NOT NULL DEFAULT 0;
ALTER TABLE t_exporter
  ADD COLUMN templates_changed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE t_exporter ADD COLUMN sampling INTEGER NOT NULL DEFAULT 1;
ALTER TABLE t_exporter ADD COLUMN clock_offset_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE t_exporter ADD COLUMN active_timeout_s INTEGER;
ALTER TABLE t_exporter ADD COLUMN idle_timeout_s INTEGER;
ALTER TABLE t_exporter ADD COLUMN restarts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE t_exporter ADD COLUMN duplicates INTEGER NOT NULL DEFAULT 0;
ALTER TABLE t_exporter ADD COLUMN reordered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE t_exporter ADD COLUMN shared_address INTEGER NOT NULL DEFAULT 0
  CHECK (shared_address IN (0, 1));
ALTER TABLE t_exporter ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;

-- By the time received. An hour in which nothing came has no row.
CREATE TABLE t_exporter_hour(
  exporter_id INTEGER NOT NULL REFERENCES t_exporter(id),
  hour_ms INTEGER NOT NULL,
  datagrams INTEGER NOT NULL,
  records INTEGER NOT NULL,
  lost INTEGER NOT NULL,
  PRIMARY KEY (exporter_id, hour_ms)
) STRICT, WITHOUT ROWID;
CREATE INDEX i_exporter_hour ON t_exporter_hour(hour_ms);

-- The decoder's memory, in parts. kind and octets are the decoder's own.
CREATE TABLE t_template(
  exporter_id INTEGER NOT NULL REFERENCES t_exporter(id),
  source_port INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  template_id INTEGER NOT NULL,
  part INTEGER NOT NULL CHECK (part BETWEEN 0 AND parts - 1),
  parts INTEGER NOT NULL,
  learned_ms INTEGER NOT NULL,
  octets BLOB NOT NULL CHECK (length(octets) <= 128),
  PRIMARY KEY (exporter_id, source_port, kind, template_id, part)
) STRICT, WITHOUT ROWID;

-- share_lost is of the units the sequence number counts: v9 datagrams, v5
-- and IPFIX records. The kernel does not say whose datagrams it dropped:
-- kernel_drops is of all exporters together, the same in every row.
CREATE VIEW exporters AS
SELECT a.text AS address,
       e.domain AS domain,
       CASE e.version WHEN 5 THEN 'netflow5' WHEN 9 THEN 'netflow9'
         WHEN 10 THEN 'ipfix' ELSE CAST(e.version AS TEXT) END AS protocol,
       e.name AS name,
       e.first_ms / 1000 AS first_seen,
       e.last_ms / 1000 AS last_seen,
       e.datagrams AS datagrams,
       e.records AS records,
       e.lost AS lost,
       coalesce(round(CAST(e.lost AS REAL) / nullif(e.lost
         + iif(e.version = 9, e.datagrams, e.records), 0), 6), 0.0)
         AS share_lost,
       coalesce((SELECT value FROM t_counter
         WHERE name = 'datagrams_lost_kernel'), 0) AS kernel_drops,
       e.unknown_template_sets AS unknown_template_sets,
       e.templates AS templates,
       e.templates_changed AS templates_changed,
       e.sampling AS sampling,
       e.clock_offset_ms AS clock_offset_ms,
       e.active_timeout_s AS active_timeout,
       e.idle_timeout_s AS idle_timeout,
       e.restarts AS restarts,
       e.duplicates AS duplicates,
       e.reordered AS reordered,
       e.shared_address AS shared_address,
       e.refused AS refused,
       strftime('%Y-%m-%dT%H:%M:%SZ', e.first_ms / 1000, 'unixepoch')
         AS first_seen_iso,
       strftime('%Y-%m-%dT%H:%M:%SZ', e.last_ms / 1000, 'unixepoch')
         AS last_seen_iso,
       e.address_ip AS address_ip,
       e.version AS version
FROM t_exporter e JOIN t_addr a ON a.ip = e.address_ip;

CREATE VIEW exporter_hours AS
SELECT a.text AS address,
       e.domain AS domain,
       CASE e.version WHEN 5 THEN 'netflow5' WHEN 9 THEN 'netflow9'
         WHEN 10 THEN 'ipfix' ELSE CAST(e.version AS TEXT) END AS protocol,
       h.hour_ms / 1000 AS hour,
       h.datagrams AS datagrams,
       h.records AS records,
       h.lost AS lost,
       coalesce(round(CAST(h.lost AS REAL) / nullif(h.lost
         + iif(e.version = 9, h.datagrams, h.records), 0), 6), 0.0)
         AS share_lost,
       strftime('%Y-%m-%dT%H:%M:%SZ', h.hour_ms / 1000, 'unixepoch')
         AS hour_iso,
       e.address_ip AS address_ip,
       e.version AS version
FROM t_exporter_hour h
JOIN t_exporter e ON e.id = h.exporter_id
JOIN t_addr a ON a.ip = e.address_ip;
