-- Schema 6: why. The conversations behind each exposure and scan event, and
-- what changed an exposure.

-- flags is NULL when no record told them; evidence has the bits of
-- docs/verdicts.md. A half that was not seen is NULL throughout.
CREATE TABLE t_witness(
  exposure_id INTEGER NOT NULL REFERENCES t_exposure(id) ON DELETE CASCADE,
  place INTEGER NOT NULL CHECK (place BETWEEN 0 AND 4),
  roles INTEGER NOT NULL CHECK (roles BETWEEN 1 AND 15),
  counted_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  client_ip BLOB NOT NULL REFERENCES t_addr(ip),
  client_port INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  rule TEXT NOT NULL,
  confidence TEXT NOT NULL,
  outer_first_ms INTEGER,
  outer_packets INTEGER,
  outer_octets INTEGER,
  outer_flags INTEGER,
  outer_evidence INTEGER,
  outer_exporter_id INTEGER,
  inner_first_ms INTEGER,
  inner_packets INTEGER,
  inner_octets INTEGER,
  inner_flags INTEGER,
  inner_evidence INTEGER,
  inner_exporter_id INTEGER,
  PRIMARY KEY (exposure_id, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE t_change(
  exposure_id INTEGER NOT NULL REFERENCES t_exposure(id) ON DELETE CASCADE,
  place INTEGER NOT NULL CHECK (place BETWEEN 0 AND 5),
  kind TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  tier_from TEXT,
  tier_to TEXT,
  client_ip BLOB NOT NULL REFERENCES t_addr(ip),
  client_port INTEGER NOT NULL,
  rule TEXT NOT NULL,
  confidence TEXT NOT NULL,
  PRIMARY KEY (exposure_id, place)
) STRICT, WITHOUT ROWID;

-- Both halves of a scan event's attempt: outer is what src had sent.
ALTER TABLE t_scan_event ADD COLUMN last_ms INTEGER;
ALTER TABLE t_scan_event ADD COLUMN outer_first_ms INTEGER;
ALTER TABLE t_scan_event ADD COLUMN outer_packets INTEGER;
ALTER TABLE t_scan_event ADD COLUMN outer_octets INTEGER;
ALTER TABLE t_scan_event ADD COLUMN outer_flags INTEGER;
ALTER TABLE t_scan_event ADD COLUMN outer_evidence INTEGER;
ALTER TABLE t_scan_event ADD COLUMN outer_exporter_id INTEGER;
ALTER TABLE t_scan_event ADD COLUMN inner_first_ms INTEGER;
ALTER TABLE t_scan_event ADD COLUMN inner_packets INTEGER;
ALTER TABLE t_scan_event ADD COLUMN inner_octets INTEGER;
ALTER TABLE t_scan_event ADD COLUMN inner_flags INTEGER;
ALTER TABLE t_scan_event ADD COLUMN inner_evidence INTEGER;
ALTER TABLE t_scan_event ADD COLUMN inner_exporter_id INTEGER;

-- One row a witness. roles: what it is kept for.
CREATE VIEW exposure_evidence AS
SELECT w.exposure_id AS exposure_id,
       h.text AS host,
       coalesce(p.name, CAST(e.proto AS TEXT)) AS proto,
       e.port AS port,
       substr(iif(w.roles & 1, '+opener', '') || iif(w.roles & 2, '+best', '')
         || iif(w.roles & 4, '+upgraded', '')
         || iif(w.roles & 8, '+latest', ''), 2) AS roles,
       c.text AS client,
       w.client_port AS client_port,
       w.outcome AS outcome,
       w.rule AS rule,
       w.confidence AS confidence,
       w.counted_ms / 1000 AS counted_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', w.counted_ms / 1000.0, 'unixepoch')
         AS counted_at_iso,
       strftime('%Y-%m-%dT%H:%M:%fZ', w.last_ms / 1000.0, 'unixepoch')
         AS end_iso,
       w.outer_packets AS outer_packets,
       w.outer_octets AS outer_octets,
       w.outer_flags AS outer_flags,
       iif(w.outer_flags & 32, 'U', '.') || iif(w.outer_flags & 16, 'A', '.') || iif(w.outer_flags & 8, 'P', '.')
         || iif(w.outer_flags & 4, 'R', '.') || iif(w.outer_flags & 2, 'S', '.') || iif(w.outer_flags & 1, 'F', '.')
         AS outer_flags_text,
       substr(
         iif(w.outer_evidence & 1, '+SYN', '') || iif(w.outer_evidence & 2, '+SYNACK1', '')
         || iif(w.outer_evidence & 4, '+MIX', '') || iif(w.outer_evidence & 8, '+RSTACK1', '')
         || iif(w.outer_evidence & 16, '+RST1', '') || iif(w.outer_evidence & 32, '+DATA', '')
         || iif(w.outer_evidence & 64, '+NULL', '') || iif(w.outer_evidence & 128, '+FIN', '')
         || iif(w.outer_evidence & 256, '+XMAS', '') || iif(w.outer_evidence & 512, '+MAIMON1', '')
         || iif(w.outer_evidence & 1024, '+ACK1', '') || iif(w.outer_evidence & 2048, '+BADSYN1', '')
         || iif(w.outer_evidence & 4096, '+ZERO', '') || iif(w.outer_evidence & 8192, '+REQUEST', '')
         || iif(w.outer_evidence & 16384, '+REPLY', '') || iif(w.outer_evidence & 32768, '+OTHER', ''), 2)
         AS outer_evidence,
       strftime('%Y-%m-%dT%H:%M:%fZ', w.outer_first_ms / 1000.0, 'unixepoch')
         AS outer_start_iso,
       ox.text AS outer_exporter,
       w.inner_packets AS inner_packets,
       w.inner_octets AS inner_octets,
       w.inner_flags AS inner_flags,
       iif(w.inner_flags & 32, 'U', '.') || iif(w.inner_flags & 16, 'A', '.') || iif(w.inner_flags & 8, 'P', '.')
         || iif(w.inner_flags & 4, 'R', '.') || iif(w.inner_flags & 2, 'S', '.') || iif(w.inner_flags & 1, 'F', '.')
         AS inner_flags_text,
       substr(
         iif(w.inner_evidence & 1, '+SYN', '') || iif(w.inner_evidence & 2, '+SYNACK1', '')
         || iif(w.inner_evidence & 4, '+MIX', '') || iif(w.inner_evidence & 8, '+RSTACK1', '')
         || iif(w.inner_evidence & 16, '+RST1', '') || iif(w.inner_evidence & 32, '+DATA', '')
         || iif(w.inner_evidence & 64, '+NULL', '') || iif(w.inner_evidence & 128, '+FIN', '')
         || iif(w.inner_evidence & 256, '+XMAS', '') || iif(w.inner_evidence & 512, '+MAIMON1', '')
         || iif(w.inner_evidence & 1024, '+ACK1', '') || iif(w.inner_evidence & 2048, '+BADSYN1', '')
         || iif(w.inner_evidence & 4096, '+ZERO', '') || iif(w.inner_evidence & 8192, '+REQUEST', '')
         || iif(w.inner_evidence & 16384, '+REPLY', '') || iif(w.inner_evidence & 32768, '+OTHER', ''), 2)
         AS inner_evidence,
       strftime('%Y-%m-%dT%H:%M:%fZ', w.inner_first_ms / 1000.0, 'unixepoch')
         AS inner_start_iso,
       ix.text AS inner_exporter,
       w.place AS place
FROM t_witness w
JOIN t_exposure e ON e.id = w.exposure_id
JOIN t_addr h ON h.ip = e.host_ip
JOIN t_addr c ON c.ip = w.client_ip
LEFT JOIN t_proto p ON p.proto = e.proto
LEFT JOIN t_exporter oe ON oe.id = w.outer_exporter_id
LEFT JOIN t_addr ox ON ox.ip = oe.address_ip
LEFT JOIN t_exporter ie ON ie.id = w.inner_exporter_id
LEFT JOIN t_addr ix ON ix.ip = ie.address_ip;

-- What changed an exposure, and whose conversation did.
CREATE VIEW exposure_changes AS
SELECT c.exposure_id AS exposure_id,
       h.text AS host,
       coalesce(p.name, CAST(e.proto AS TEXT)) AS proto,
       e.port AS port,
       c.kind AS change,
       c.tier_from AS tier_from,
       c.tier_to AS tier_to,
       c.at_ms / 1000 AS at,
       strftime('%Y-%m-%dT%H:%M:%fZ', c.at_ms / 1000.0, 'unixepoch')
         AS at_iso,
       a.text AS client,
       c.client_port AS client_port,
       c.rule AS rule,
       c.confidence AS confidence,
       c.place AS place
FROM t_change c
JOIN t_exposure e ON e.id = c.exposure_id
JOIN t_addr h ON h.ip = e.host_ip
JOIN t_addr a ON a.ip = c.client_ip
LEFT JOIN t_proto p ON p.proto = e.proto;

-- Events written before schema 6 have no halves.
CREATE VIEW scan_event_evidence AS
SELECT e.id AS scan_event_id,
       e.ts_ms / 1000 AS ts,
       strftime('%Y-%m-%dT%H:%M:%fZ', e.ts_ms / 1000.0, 'unixepoch')
         AS ts_iso,
       s.text AS src,
       e.src_port AS src_port,
       d.text AS dst,
       coalesce(p.name, CAST(e.proto AS TEXT)) AS proto,
       e.port AS port,
       e.technique AS technique,
       e.answer AS answer,
       e.place AS place,
       e.rule AS rule,
       e.confidence AS confidence,
       strftime('%Y-%m-%dT%H:%M:%fZ', e.last_ms / 1000.0, 'unixepoch')
         AS end_iso,
       e.outer_packets AS outer_packets,
       e.outer_octets AS outer_octets,
       e.outer_flags AS outer_flags,
       iif(e.outer_flags & 32, 'U', '.') || iif(e.outer_flags & 16, 'A', '.') || iif(e.outer_flags & 8, 'P', '.')
         || iif(e.outer_flags & 4, 'R', '.') || iif(e.outer_flags & 2, 'S', '.') || iif(e.outer_flags & 1, 'F', '.')
         AS outer_flags_text,
       substr(
         iif(e.outer_evidence & 1, '+SYN', '') || iif(e.outer_evidence & 2, '+SYNACK1', '')
         || iif(e.outer_evidence & 4, '+MIX', '') || iif(e.outer_evidence & 8, '+RSTACK1', '')
         || iif(e.outer_evidence & 16, '+RST1', '') || iif(e.outer_evidence & 32, '+DATA', '')
         || iif(e.outer_evidence & 64, '+NULL', '') || iif(e.outer_evidence & 128, '+FIN', '')
         || iif(e.outer_evidence & 256, '+XMAS', '') || iif(e.outer_evidence & 512, '+MAIMON1', '')
         || iif(e.outer_evidence & 1024, '+ACK1', '') || iif(e.outer_evidence & 2048, '+BADSYN1', '')
         || iif(e.outer_evidence & 4096, '+ZERO', '') || iif(e.outer_evidence & 8192, '+REQUEST', '')
         || iif(e.outer_evidence & 16384, '+REPLY', '') || iif(e.outer_evidence & 32768, '+OTHER', ''), 2)
         AS outer_evidence,
       strftime('%Y-%m-%dT%H:%M:%fZ', e.outer_first_ms / 1000.0, 'unixepoch')
         AS outer_start_iso,
       ox.text AS outer_exporter,
       e.inner_packets AS inner_packets,
       e.inner_octets AS inner_octets,
       e.inner_flags AS inner_flags,
       iif(e.inner_flags & 32, 'U', '.') || iif(e.inner_flags & 16, 'A', '.') || iif(e.inner_flags & 8, 'P', '.')
         || iif(e.inner_flags & 4, 'R', '.') || iif(e.inner_flags & 2, 'S', '.') || iif(e.inner_flags & 1, 'F', '.')
         AS inner_flags_text,
       substr(
         iif(e.inner_evidence & 1, '+SYN', '') || iif(e.inner_evidence & 2, '+SYNACK1', '')
         || iif(e.inner_evidence & 4, '+MIX', '') || iif(e.inner_evidence & 8, '+RSTACK1', '')
         || iif(e.inner_evidence & 16, '+RST1', '') || iif(e.inner_evidence & 32, '+DATA', '')
         || iif(e.inner_evidence & 64, '+NULL', '') || iif(e.inner_evidence & 128, '+FIN', '')
         || iif(e.inner_evidence & 256, '+XMAS', '') || iif(e.inner_evidence & 512, '+MAIMON1', '')
         || iif(e.inner_evidence & 1024, '+ACK1', '') || iif(e.inner_evidence & 2048, '+BADSYN1', '')
         || iif(e.inner_evidence & 4096, '+ZERO', '') || iif(e.inner_evidence & 8192, '+REQUEST', '')
         || iif(e.inner_evidence & 16384, '+REPLY', '') || iif(e.inner_evidence & 32768, '+OTHER', ''), 2)
         AS inner_evidence,
       strftime('%Y-%m-%dT%H:%M:%fZ', e.inner_first_ms / 1000.0, 'unixepoch')
         AS inner_start_iso,
       ix.text AS inner_exporter
FROM t_scan_event e
JOIN t_addr s ON s.id = e.src_id
JOIN t_addr d ON d.id = e.dst_id
LEFT JOIN t_proto p ON p.proto = e.proto
LEFT JOIN t_exporter oe ON oe.id = e.outer_exporter_id
LEFT JOIN t_addr ox ON ox.ip = oe.address_ip
LEFT JOIN t_exporter ie ON ie.id = e.inner_exporter_id
LEFT JOIN t_addr ix ON ix.ip = ie.address_ip;
