/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite with this program's error convention. */
#include <string.h>

#include "store/db.h"

int
db_err(int rc)
{
	switch (rc & 0xff) { /* the primary code of an extended one */
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return ERR_OK;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_INTERRUPT:
		return ERR_BUSY;
	case SQLITE_NOMEM:
		return ERR_NOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
		return ERR_FORMAT;
	default:
		return ERR_IO;
	}
}

int
db_exec(sqlite3 *db, const char *sql)
{
	return db_err(sqlite3_exec(db, sql, NULL, NULL, NULL));
}

int
db_int(sqlite3 *db, const char *sql, int64_t *out)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	if (rc != SQLITE_OK)
		return db_err(rc);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE ? ERR_NOTFOUND : db_err(rc);
}

struct db_binder
db_bind(sqlite3_stmt *stmt)
{
	return (struct db_binder){ stmt, 0, SQLITE_OK };
}

static void
note(struct db_binder *b, int rc)
{
	if (b->rc == SQLITE_OK)
		b->rc = rc;
}

void
db_bind_int(struct db_binder *b, int64_t value)
{
	note(b, sqlite3_bind_int64(b->stmt, ++b->index, value));
}

void
db_bind_count(struct db_binder *b, uint64_t value)
{
	db_bind_int(b, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

void
db_bind_null(struct db_binder *b)
{
	note(b, sqlite3_bind_null(b->stmt, ++b->index));
}

void
db_bind_time(struct db_binder *b, int64_t ms)
{
	if (ms == 0)
		db_bind_null(b);
	else
		db_bind_int(b, ms);
}

void
db_bind_id(struct db_binder *b, uint64_t id)
{
	if (id == 0)
		db_bind_null(b);
	else
		db_bind_count(b, id);
}

void
db_bind_text(struct db_binder *b, const char *text)
{
	note(b,
	    sqlite3_bind_text(b->stmt, ++b->index, text, -1, SQLITE_STATIC));
}

void
db_bind_octets(struct db_binder *b, const void *octets, int length)
{
	note(b, sqlite3_bind_blob(b->stmt, ++b->index, octets, length,
		    SQLITE_STATIC));
}

bool
db_addr_is_none(const struct addr *a)
{
	static const struct addr none;

	return addr_equal(a, &none);
}

void
db_bind_addr(struct db_binder *b, const struct addr *a)
{
	if (db_addr_is_none(a))
		db_bind_null(b);
	else
		db_bind_octets(b, a->octets, sizeof(a->octets));
}

int
db_run(struct db_binder *b)
{
	int rc = b->rc;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(b->stmt);
	sqlite3_reset(b->stmt);
	return db_err(rc);
}

struct db_row
db_row(sqlite3_stmt *stmt)
{
	return (struct db_row){ stmt, 0, false };
}

bool
db_read_is_null(const struct db_row *r)
{
	return sqlite3_column_type(r->stmt, r->index) == SQLITE_NULL;
}

int64_t
db_read_int(struct db_row *r)
{
	return sqlite3_column_int64(r->stmt, r->index++);
}

uint64_t
db_read_unsigned(struct db_row *r, uint64_t max)
{
	int64_t value = db_read_int(r);

	if (value >= 0 && (uint64_t)value <= max)
		return (uint64_t)value;
	r->failed = true;
	return 0;
}

struct addr
db_read_addr(struct db_row *r)
{
	const void *octets = sqlite3_column_blob(r->stmt, r->index);
	int length = sqlite3_column_bytes(r->stmt, r->index++);
	struct addr a = { { 0 } };

	if (octets == NULL)
		return a;
	if (length == sizeof(a.octets))
		memcpy(a.octets, octets, sizeof(a.octets));
	else
		r->failed = true;
	return a;
}

void
db_read_text(struct db_row *r, char *out, int size)
{
	const unsigned char *text = sqlite3_column_text(r->stmt, r->index);
	int length = sqlite3_column_bytes(r->stmt, r->index++);

	if (text == NULL || length >= size) {
		r->failed = true;
		length = 0;
	}
	if (length > 0)
		memcpy(out, text, (size_t)length);
	out[length] = '\0';
}

uint8_t
db_read_word(struct db_row *r, const char *(*name)(unsigned value),
    unsigned count)
{
	const void *text = sqlite3_column_text(r->stmt, r->index++);

	for (unsigned i = 0; text != NULL && i < count; i++)
		if (strcmp(text, name(i)) == 0)
			return (uint8_t)i;
	r->failed = true;
	return 0;
}
