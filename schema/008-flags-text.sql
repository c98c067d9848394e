-- Schema 8: flags as text are NULL where no record told any, and so is the
-- evidence of a half that was not seen.

DROP VIEW exposure_evidence;
DROP VIEW scan_event_evidence;

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
       CASE WHEN w.outer_flags IS NOT NULL THEN
         iif(w.outer_flags & 32, 'U', '.') || iif(w.outer_flags & 16, 'A', '.') || iif(w.outer_flags & 8, 'P', '.')
           || iif(w.outer_flags & 4, 'R', '.') || iif(w.outer_flags & 2, 'S', '.') || iif(w.outer_flags & 1, 'F', '.') END
         AS outer_flags_text,
       CASE WHEN w.outer_evidence IS NOT NULL THEN substr(
         iif(w.outer_evidence & 1, '+SYN', '') || iif(w.outer_evidence & 2, '+SYNACK1', '')
         || iif(w.outer_evidence & 4, '+MIX', '') || iif(w.outer_evidence & 8, '+RSTACK1', '')
         || iif(w.outer_evidence & 16, '+RST1', '') || iif(w.outer_evidence & 32, '+DATA', '')
         || iif(w.outer_evidence & 64, '+NULL', '') || iif(w.outer_evidence & 128, '+FIN', '')
         || iif(w.outer_evidence & 256, '+XMAS', '') || iif(w.outer_evidence & 512, '+MAIMON1', '')
         || iif(w.outer_evidence & 1024, '+ACK1', '') || iif(w.outer_evidence & 2048, '+BADSYN1', '')
         || iif(w.outer_evidence & 4096, '+ZERO', '') || iif(w.outer_evidence & 8192, '+REQUEST', '')
         || iif(w.outer_evidence & 16384, '+REPLY', '') || iif(w.outer_evidence & 32768, '+OTHER', ''), 2) END
         AS outer_evidence,
       strftime('%Y-%m-%dT%H:%M:%fZ', w.outer_first_ms / 1000.0, 'unixepoch')
         AS outer_start_iso,
       ox.text AS outer_exporter,
       w.inner_packets AS inner_packets,
       w.inner_octets AS inner_octets,
       w.inner_flags AS inner_flags,
       CASE WHEN w.inner_flags IS NOT NULL THEN
         iif(w.inner_flags & 32, 'U', '.') || iif(w.inner_flags & 16, 'A', '.') || iif(w.inner_flags & 8, 'P', '.')
           || iif(w.inner_flags & 4, 'R', '.') || iif(w.inner_flags & 2, 'S', '.') || iif(w.inner_flags & 1, 'F', '.') END
         AS inner_flags_text,
       CASE WHEN w.inner_evidence IS NOT NULL THEN substr(
         iif(w.inner_evidence & 1, '+SYN', '') || iif(w.inner_evidence & 2, '+SYNACK1', '')
         || iif(w.inner_evidence & 4, '+MIX', '') || iif(w.inner_evidence & 8, '+RSTACK1', '')
         || iif(w.inner_evidence & 16, '+RST1', '') || iif(w.inner_evidence & 32, '+DATA', '')
         || iif(w.inner_evidence & 64, '+NULL', '') || iif(w.inner_evidence & 128, '+FIN', '')
         || iif(w.inner_evidence & 256, '+XMAS', '') || iif(w.inner_evidence & 512, '+MAIMON1', '')
         || iif(w.inner_evidence & 1024, '+ACK1', '') || iif(w.inner_evidence & 2048, '+BADSYN1', '')
         || iif(w.inner_evidence & 4096, '+ZERO', '') || iif(w.inner_evidence & 8192, '+REQUEST', '')
         || iif(w.inner_evidence & 16384, '+REPLY', '') || iif(w.inner_evidence & 32768, '+OTHER', ''), 2) END
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
       CASE WHEN e.outer_flags IS NOT NULL THEN
         iif(e.outer_flags & 32, 'U', '.') || iif(e.outer_flags & 16, 'A', '.') || iif(e.outer_flags & 8, 'P', '.')
           || iif(e.outer_flags & 4, 'R', '.') || iif(e.outer_flags & 2, 'S', '.') || iif(e.outer_flags & 1, 'F', '.') END
         AS outer_flags_text,
       CASE WHEN e.outer_evidence IS NOT NULL THEN substr(
         iif(e.outer_evidence & 1, '+SYN', '') || iif(e.outer_evidence & 2, '+SYNACK1', '')
         || iif(e.outer_evidence & 4, '+MIX', '') || iif(e.outer_evidence & 8, '+RSTACK1', '')
         || iif(e.outer_evidence & 16, '+RST1', '') || iif(e.outer_evidence & 32, '+DATA', '')
         || iif(e.outer_evidence & 64, '+NULL', '') || iif(e.outer_evidence & 128, '+FIN', '')
         || iif(e.outer_evidence & 256, '+XMAS', '') || iif(e.outer_evidence & 512, '+MAIMON1', '')
         || iif(e.outer_evidence & 1024, '+ACK1', '') || iif(e.outer_evidence & 2048, '+BADSYN1', '')
         || iif(e.outer_evidence & 4096, '+ZERO', '') || iif(e.outer_evidence & 8192, '+REQUEST', '')
         || iif(e.outer_evidence & 16384, '+REPLY', '') || iif(e.outer_evidence & 32768, '+OTHER', ''), 2) END
         AS outer_evidence,
       strftime('%Y-%m-%dT%H:%M:%fZ', e.outer_first_ms / 1000.0, 'unixepoch')
         AS outer_start_iso,
       ox.text AS outer_exporter,
       e.inner_packets AS inner_packets,
       e.inner_octets AS inner_octets,
       e.inner_flags AS inner_flags,
       CASE WHEN e.inner_flags IS NOT NULL THEN
         iif(e.inner_flags & 32, 'U', '.') || iif(e.inner_flags & 16, 'A', '.') || iif(e.inner_flags & 8, 'P', '.')
           || iif(e.inner_flags & 4, 'R', '.') || iif(e.inner_flags & 2, 'S', '.') || iif(e.inner_flags & 1, 'F', '.') END
         AS inner_flags_text,
       CASE WHEN e.inner_evidence IS NOT NULL THEN substr(
         iif(e.inner_evidence & 1, '+SYN', '') || iif(e.inner_evidence & 2, '+SYNACK1', '')
         || iif(e.inner_evidence & 4, '+MIX', '') || iif(e.inner_evidence & 8, '+RSTACK1', '')
         || iif(e.inner_evidence & 16, '+RST1', '') || iif(e.inner_evidence & 32, '+DATA', '')
         || iif(e.inner_evidence & 64, '+NULL', '') || iif(e.inner_evidence & 128, '+FIN', '')
         || iif(e.inner_evidence & 256, '+XMAS', '') || iif(e.inner_evidence & 512, '+MAIMON1', '')
         || iif(e.inner_evidence & 1024, '+ACK1', '') || iif(e.inner_evidence & 2048, '+BADSYN1', '')
         || iif(e.inner_evidence & 4096, '+ZERO', '') || iif(e.inner_evidence & 8192, '+REQUEST', '')
         || iif(e.inner_evidence & 16384, '+REPLY', '') || iif(e.inner_evidence & 32768, '+OTHER', ''), 2) END
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
