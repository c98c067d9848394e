-- Schema 4: what is learned of the exporters' feeds, and its changes; how the
-- attempts of an hour came out, by exporter; why an attempt is unresolved.

DROP VIEW exporters;
DROP VIEW attempt_outcomes;
DROP VIEW scan_events;

ALTER TABLE t_scan_event ADD COLUMN reason TEXT NOT NULL DEFAULT 'none';

-- exporter_id 0: nobody that is known; all there was before schema 4.
ALTER TABLE t_outcome RENAME TO t_outcome_old;
CREATE TABLE t_outcome(
  hour_ms INTEGER NOT NULL,
  exporter_id INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  rule TEXT NOT NULL,
  reason TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  PRIMARY KEY (hour_ms, exporter_id, outcome, rule, reason)
) STRICT, WITHOUT ROWID;
INSERT INTO t_outcome
SELECT hour_ms, 0, outcome, rule,
  CASE WHEN outcome <> 'unresolved' THEN 'none' WHEN rule = 'shed' THEN 'shed'
    ELSE 'evidence' END, attempts FROM t_outcome_old;
DROP TABLE t_outcome_old;

-- network: a CIDR, or '' for the whole feed. text is value in words; state is
-- the engine's own.
CREATE TABLE t_feed(
  exporter_id INTEGER NOT NULL REFERENCES t_exporter(id),
  property TEXT NOT NULL,
  network TEXT NOT NULL,
  value INTEGER NOT NULL,
  text TEXT NOT NULL,
  source TEXT NOT NULL,
  samples INTEGER NOT NULL,
  agreeing INTEGER NOT NULL,
  state INTEGER NOT NULL,
  changed_ms INTEGER NOT NULL,
  event_id INTEGER NOT NULL,
  PRIMARY KEY (exporter_id, property, network)
) STRICT, WITHOUT ROWID;

CREATE TABLE t_feed_event(
  id INTEGER PRIMARY KEY,
  ts_ms INTEGER NOT NULL,
  exporter_id INTEGER NOT NULL REFERENCES t_exporter(id),
  property TEXT NOT NULL,
  network TEXT NOT NULL,
  text_from TEXT NOT NULL,
  text_to TEXT NOT NULL,
  source TEXT NOT NULL,
  samples INTEGER NOT NULL
) STRICT;
CREATE INDEX i_feed_event_ts ON t_feed_event(ts_ms / 1000);

-- One row a property, and one more for each network it is known for.
CREATE VIEW exporter_properties AS
SELECT a.text AS address,
       e.domain AS domain,
       CASE e.version WHEN 5 THEN 'netflow5' WHEN 9 THEN 'netflow9'
         WHEN 10 THEN 'ipfix' ELSE CAST(e.version AS TEXT) END AS protocol,
       f.property AS property,
       nullif(f.network, '') AS network,
       f.text AS value,
       f.source AS source,
       f.samples AS samples,
       f.agreeing AS agreeing,
       nullif(f.changed_ms, 0) / 1000 AS changed_at,
       strftime('%Y-%m-%dT%H:%M:%SZ', nullif(f.changed_ms, 0) / 1000,
         'unixepoch') AS changed_at_iso,
       e.address_ip AS address_ip,
       e.version AS version,
       e.id AS exporter_id
FROM t_feed f
JOIN t_exporter e ON e.id = f.exporter_id
JOIN t_addr a ON a.ip = e.address_ip;

CREATE VIEW exporter_events AS
SELECT v.id AS id,
       v.ts_ms / 1000 AS ts,
       a.text AS address,
       e.domain AS domain,
       CASE e.version WHEN 5 THEN 'netflow5' WHEN 9 THEN 'netflow9'
         WHEN 10 THEN 'ipfix' ELSE CAST(e.version AS TEXT) END AS protocol,
       v.property AS property,
       nullif(v.network, '') AS network,
       v.text_from AS value_from,
       v.text_to AS value_to,
       v.source AS source,
       v.samples AS samples,
       strftime('%Y-%m-%dT%H:%M:%SZ', v.ts_ms / 1000, 'unixepoch') AS ts_iso,
       e.address_ip AS address_ip,
       e.version AS version
FROM t_feed_event v
JOIN t_exporter e ON e.id = v.exporter_id
JOIN t_addr a ON a.ip = e.address_ip;

-- The columns feed_* are those of exporter_properties that have no network.
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
       e.version AS version,
       f.flags AS feed_flags,
       f.flags_source AS feed_flags_source,
       f.flags_samples AS feed_flags_samples,
       f.shared_times AS feed_shared_times,
       f.shared_times_source AS feed_shared_times_source,
       f.shared_times_samples AS feed_shared_times_samples,
       f.address_ordered AS feed_address_ordered,
       f.address_ordered_source AS feed_address_ordered_source,
       f.address_ordered_samples AS feed_address_ordered_samples,
       f.biflow_direction AS feed_biflow_direction,
       f.biflow_direction_source AS feed_biflow_direction_source,
       f.biflow_direction_samples AS feed_biflow_direction_samples,
       f.idle_timeout AS feed_idle_timeout,
       f.idle_timeout_source AS feed_idle_timeout_source,
       f.idle_timeout_samples AS feed_idle_timeout_samples,
       f.active_timeout AS feed_active_timeout,
       f.active_timeout_source AS feed_active_timeout_source,
       f.active_timeout_samples AS feed_active_timeout_samples,
       f.sampling AS feed_sampling,
       f.sampling_source AS feed_sampling_source,
       f.sampling_samples AS feed_sampling_samples,
       f.visibility AS feed_visibility,
       f.visibility_source AS feed_visibility_source,
       f.visibility_samples AS feed_visibility_samples,
       f.clock_offset AS feed_clock_offset,
       f.clock_offset_source AS feed_clock_offset_source,
       f.clock_offset_samples AS feed_clock_offset_samples,
       f.loss AS feed_loss,
       f.loss_source AS feed_loss_source,
       f.loss_samples AS feed_loss_samples,
       e.id AS exporter_id
FROM t_exporter e
JOIN t_addr a ON a.ip = e.address_ip
LEFT JOIN (SELECT exporter_id,
    max(text) FILTER (WHERE property = 'flags')
      AS flags,
    max(source) FILTER (WHERE property = 'flags')
      AS flags_source,
    max(samples) FILTER (WHERE property = 'flags')
      AS flags_samples,
    max(text) FILTER (WHERE property = 'shared_times')
      AS shared_times,
    max(source) FILTER (WHERE property = 'shared_times')
      AS shared_times_source,
    max(samples) FILTER (WHERE property = 'shared_times')
      AS shared_times_samples,
    max(text) FILTER (WHERE property = 'address_ordered')
      AS address_ordered,
    max(source) FILTER (WHERE property = 'address_ordered')
      AS address_ordered_source,
    max(samples) FILTER (WHERE property = 'address_ordered')
      AS address_ordered_samples,
    max(text) FILTER (WHERE property = 'biflow_direction')
      AS biflow_direction,
    max(source) FILTER (WHERE property = 'biflow_direction')
      AS biflow_direction_source,
    max(samples) FILTER (WHERE property = 'biflow_direction')
      AS biflow_direction_samples,
    max(text) FILTER (WHERE property = 'idle_timeout')
      AS idle_timeout,
    max(source) FILTER (WHERE property = 'idle_timeout')
      AS idle_timeout_source,
    max(samples) FILTER (WHERE property = 'idle_timeout')
      AS idle_timeout_samples,
    max(text) FILTER (WHERE property = 'active_timeout')
      AS active_timeout,
    max(source) FILTER (WHERE property = 'active_timeout')
      AS active_timeout_source,
    max(samples) FILTER (WHERE property = 'active_timeout')
      AS active_timeout_samples,
    max(text) FILTER (WHERE property = 'sampling')
      AS sampling,
    max(source) FILTER (WHERE property = 'sampling')
      AS sampling_source,
    max(samples) FILTER (WHERE property = 'sampling')
      AS sampling_samples,
    max(text) FILTER (WHERE property = 'visibility')
      AS visibility,
    max(source) FILTER (WHERE property = 'visibility')
      AS visibility_source,
    max(samples) FILTER (WHERE property = 'visibility')
      AS visibility_samples,
    max(text) FILTER (WHERE property = 'clock_offset')
      AS clock_offset,
    max(source) FILTER (WHERE property = 'clock_offset')
      AS clock_offset_source,
    max(samples) FILTER (WHERE property = 'clock_offset')
      AS clock_offset_samples,
    max(text) FILTER (WHERE property = 'loss')
      AS loss,
    max(source) FILTER (WHERE property = 'loss')
      AS loss_source,
    max(samples) FILTER (WHERE property = 'loss')
      AS loss_samples
  FROM t_feed WHERE network = '' GROUP BY exporter_id) f
  ON f.exporter_id = e.id;

CREATE VIEW attempt_outcomes AS
SELECT o.hour_ms / 1000 AS hour,
       o.outcome AS outcome,
       o.rule AS rule,
       o.attempts AS attempts,
       strftime('%Y-%m-%dT%H:%M:%SZ', o.hour_ms / 1000, 'unixepoch')
         AS hour_iso,
       a.text AS exporter,
       e.domain AS domain,
       CASE e.version WHEN 5 THEN 'netflow5' WHEN 9 THEN 'netflow9'
         WHEN 10 THEN 'ipfix' ELSE CAST(e.version AS TEXT) END AS protocol,
       nullif(o.reason, 'none') AS reason,
       e.address_ip AS address_ip,
       e.version AS version,
       o.exporter_id AS exporter_id
FROM t_outcome o
LEFT JOIN t_exporter e ON e.id = o.exporter_id
LEFT JOIN t_addr a ON a.ip = e.address_ip;

-- Attempts from outside: those with an answer, or with a silence that means
-- something, are decided. share is decided / (decided + unresolved).
CREATE VIEW completeness AS
SELECT hour, exporter, domain, protocol, decided, unresolved,
       coalesce(round(CAST(decided AS REAL)
         / nullif(decided + unresolved, 0), 6), 1.0) AS share,
       unresolved_one_sided, unresolved_sampled, unresolved_partly,
       unresolved_loss, unresolved_shed, unresolved_window,
       unresolved_evidence, unknown_direction, hour_iso, address_ip, version,
       exporter_id
FROM (SELECT hour, hour_iso, exporter, domain, protocol, address_ip, version,
    exporter_id,
    coalesce(sum(attempts) FILTER (WHERE outcome IN ('accepted',
      'accepted/half-open', 'accepted/no-ack', 'refused', 'silent', 'unreach',
      'denied', 'stealth:closed', 'stealth:open|filtered',
      'stealth:unfiltered', 'stealth:other', 'echo-answered',
      'echo-silent')), 0) AS decided,
    coalesce(sum(attempts) FILTER (WHERE outcome = 'unresolved'), 0)
      AS unresolved,
    coalesce(sum(attempts) FILTER (WHERE reason = 'one_sided'), 0)
      AS unresolved_one_sided,
    coalesce(sum(attempts) FILTER (WHERE reason = 'sampled'), 0)
      AS unresolved_sampled,
    coalesce(sum(attempts) FILTER (WHERE reason = 'partly'), 0)
      AS unresolved_partly,
    coalesce(sum(attempts) FILTER (WHERE reason = 'loss'), 0)
      AS unresolved_loss,
    coalesce(sum(attempts) FILTER (WHERE reason = 'shed'), 0)
      AS unresolved_shed,
    coalesce(sum(attempts) FILTER (WHERE reason = 'window'), 0)
      AS unresolved_window,
    coalesce(sum(attempts) FILTER (WHERE reason = 'evidence'), 0)
      AS unresolved_evidence,
    coalesce(sum(attempts) FILTER (WHERE outcome = 'unknown-dir'), 0)
      AS unknown_direction
  FROM attempt_outcomes
  GROUP BY hour, exporter_id)
WHERE decided + unresolved + unknown_direction > 0;

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
       e.proto AS proto_num,
       nullif(e.reason, 'none') AS reason
FROM t_scan_event e
JOIN t_addr s ON s.id = e.src_id
JOIN t_addr d ON d.id = e.dst_id
LEFT JOIN t_proto p ON p.proto = e.proto
LEFT JOIN t_exporter r ON r.id = e.exporter_id
LEFT JOIN t_addr x ON x.ip = r.address_ip;
