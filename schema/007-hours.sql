-- Schema 7: the hours of all exporters by the hour, as the view tells it.

CREATE INDEX i_exporter_hour_s ON t_exporter_hour(hour_ms / 1000);
