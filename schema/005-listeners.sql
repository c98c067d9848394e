-- Schema 5: why a port listens that is no service of its own, and the hosts on
-- which everything answers.

DROP VIEW nem;
DROP VIEW exposures;
DROP VIEW hosts;

ALTER TABLE t_exposure ADD COLUMN listener TEXT NOT NULL DEFAULT '';

-- One row for each time a host's map was frozen. At most one of a host is
-- without an end.
CREATE TABLE t_host_guard(
  host_ip BLOB NOT NULL REFERENCES t_addr(ip),
  since_ms INTEGER NOT NULL,
  until_ms INTEGER,
  turned_away INTEGER NOT NULL,
  PRIMARY KEY (host_ip, since_ms)
) STRICT, WITHOUT ROWID;

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
       e.proto AS proto_num,
       e.listener AS listener
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
       h.ip AS host_ip,
       g.since_ms / 1000 AS guarded_since,
       strftime('%Y-%m-%dT%H:%M:%SZ', g.since_ms / 1000, 'unixepoch')
         AS guarded_since_iso
FROM t_host h JOIN t_addr a ON a.ip = h.ip
LEFT JOIN t_host_guard g ON g.host_ip = h.ip AND g.until_ms IS NULL;

CREATE VIEW host_guards AS
SELECT a.text AS host,
       g.since_ms / 1000 AS since,
       g.until_ms / 1000 AS until,
       g.turned_away AS turned_away,
       strftime('%Y-%m-%dT%H:%M:%SZ', g.since_ms / 1000, 'unixepoch')
         AS since_iso,
       strftime('%Y-%m-%dT%H:%M:%SZ', g.until_ms / 1000, 'unixepoch')
         AS until_iso,
       g.host_ip AS host_ip
FROM t_host_guard g JOIN t_addr a ON a.ip = g.host_ip;
