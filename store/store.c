/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store's file: who may use it, opening, checkpoints, closing.
 *
 * A file is looked at before it is touched, in this order: its header, with
 * plain reads; the lock; what SQLite says of it, without a write. Only then
 * is it created, migrated, or marked as in use.
 *
 * The lock is a record lock, fcntl(2), over PATH.lock, held for the store's
 * life. It is the kernel's, so it ends with the process however that ends;
 * unlike flock(2) a child does not keep it; and users of the database, who
 * lock that file in SQLite's own way, never meet it. It does not keep one
 * process from opening a store twice: the daemon does not.
 *
 * A new file gets its schema in rollback mode and becomes WAL afterwards, so
 * that from the first commit on its header tells whose it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "common/pages.h"
#include "common/wire.h"
#include "store/schema.h"
#include "store/state.h"

#define PAGE_OCTETS	  4096	     /* SQLite's default */
#define CHECKPOINT_OCTETS (4 << 20)  /* move the log when it passes this */
#define TRUNCATE_OCTETS	  (64 << 20) /* and shrink it when it passes this */

/* SQLite's file format 1.3: offsets in the header of 100 octets. */
#define HEADER_OCTETS	      100
#define HEADER_USER_VERSION   60
#define HEADER_APPLICATION_ID 68

enum identity {
	IDENTITY_NEW, /* no file, or an empty one */
	IDENTITY_OURS,
};

/* Says why, for the user; gives err back. */
__attribute__((format(printf, 3, 4))) static int
refuse(char message[STORE_MESSAGE_MAX], int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(message, STORE_MESSAGE_MAX, format, args);
	va_end(args);
	return err;
}

static int
refuse_sqlite(const struct store *s, char message[STORE_MESSAGE_MAX], int err,
    const char *what)
{
	const char *reason = sqlite3_errmsg(s->db);

	if (err == ERR_BUSY)
		reason = "locked by another program";
	return refuse(message, err, "cannot %s %s: %s", what, s->path, reason);
}

/* Reads the header through SQLite's file, which keeps its locks in order:
 * a close(2) of our own would drop those of this process. */
static int
read_header(const char *path, uint8_t header[HEADER_OCTETS])
{
	sqlite3_file *file = NULL;
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER,
		    &file);
	if (rc == SQLITE_OK && (file == NULL || file->pMethods == NULL))
		rc = SQLITE_CANTOPEN;
	if (rc == SQLITE_OK)
		rc = file->pMethods->xRead(file, header, HEADER_OCTETS, 0);
	sqlite3_close(db);
	return rc == SQLITE_IOERR_SHORT_READ ? ERR_FORMAT : db_err(rc);
}

static int
refuse_version(const char *path, char message[STORE_MESSAGE_MAX],
    int64_t version)
{
	return refuse(message, ERR_VERSION,
	    "%s has schema version %lld, and this program knows %d: "
	    "it was written by a newer darkportd",
	    path, (long long)version, schema_version());
}

/* Whose file it is, with no trace of having asked. */
static int
identify(const char *path, enum identity *out, char message[STORE_MESSAGE_MAX])
{
	uint8_t header[HEADER_OCTETS] = { 0 };
	struct wire at_version = wire_over(header + HEADER_USER_VERSION, 4);
	struct wire at_id = wire_over(header + HEADER_APPLICATION_ID, 4);
	uint32_t version;
	struct stat st;
	int err;

	*out = IDENTITY_NEW;
	if (stat(path, &st) != 0)
		return errno == ENOENT
			   ? ERR_OK
			   : refuse(message, ERR_IO, "cannot use %s: %s", path,
				 strerror(errno));
	if (!S_ISREG(st.st_mode))
		return refuse(message, ERR_IO, "cannot use %s: no plain file",
		    path);
	if (st.st_size == 0)
		return ERR_OK;
	err = read_header(path, header);
	if (err != ERR_OK && err != ERR_FORMAT)
		return refuse(message, err, "cannot read %s", path);
	if (err != ERR_OK || memcmp(header, "SQLite format 3", 16) != 0)
		return refuse(message, ERR_FORMAT,
		    "%s is no SQLite database: it is left as it is", path);
	if (wire_u32(&at_id) != STORE_APPLICATION_ID)
		return refuse(message, ERR_FORMAT,
		    "%s is another program's database: it is left as it is",
		    path);
	version = wire_u32(&at_version);
	if (version > (uint32_t)schema_version())
		return refuse_version(path, message, version);
	*out = IDENTITY_OURS;
	return ERR_OK;
}

/* ERR_OK: the lock on fd is ours. ERR_BUSY: it is *holder's. */
static int
lock_whole(int fd, pid_t *holder)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_SETLK, &lock) == 0)
		return ERR_OK;
	if (errno != EAGAIN && errno != EACCES)
		return ERR_IO;
	*holder = 0;
	if (fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
		*holder = lock.l_pid;
	return ERR_BUSY;
}

static int
take_lock(struct store *s, char message[STORE_MESSAGE_MAX])
{
	size_t size = strlen(s->path) + sizeof(".lock");
	char *name = malloc(size);
	pid_t holder = 0;
	int err;

	if (name == NULL)
		return refuse(message, ERR_NOMEM, "no memory");
	snprintf(name, size, "%s.lock", s->path);
	s->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	err = s->lock_fd < 0 ? ERR_IO : lock_whole(s->lock_fd, &holder);
	if (err == ERR_BUSY)
		refuse(message, err,
		    "%s is in use by another darkportd, process %ld", s->path,
		    (long)holder);
	else if (err != ERR_OK)
		refuse(message, err, "cannot %s %s: %s",
		    s->lock_fd < 0 ? "create" : "lock", name, strerror(errno));
	free(name);
	return err;
}

static int
set_up_connection(struct store *s)
{
	sqlite3 *db = s->db;

	sqlite3_extended_result_codes(db, 1);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	/* Not a page is moved until the file is known to be ours. */
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_busy_timeout(db, 100);
	return db_exec(db, "PRAGMA foreign_keys = ON;"
			   "PRAGMA cell_size_check = ON;"
			   "PRAGMA mmap_size = 0;"
			   "PRAGMA temp_store = MEMORY;"
			   "PRAGMA synchronous = FULL;"
			   "PRAGMA wal_autocheckpoint = 0;"
			   "PRAGMA journal_size_limit = 67108864;");
}

/* The file opened for writing; nothing is written yet. */
/* SQLite has one for the process. */
static int cache_pages;

int
store_take_cache(uint64_t octets)
{
	int header = 0;
	uint64_t slot;
	uint64_t pages;
	void *memory;

	if (sqlite3_config(SQLITE_CONFIG_PCACHE_HDRSZ, &header) != SQLITE_OK)
		return ERR_BUSY;
	slot = (PAGE_OCTETS + (uint64_t)header + 7) & ~UINT64_C(7);
	pages = octets / slot;
	if (pages == 0 || pages > INT32_MAX)
		return ERR_NOMEM;
	memory = pages_new(octets);
	if (memory == NULL)
		return ERR_NOMEM;
	memset(memory, 0, octets);
	if (sqlite3_config(SQLITE_CONFIG_PAGECACHE, memory, (int)slot,
		(int)pages) != SQLITE_OK) {
		pages_free(memory, octets);
		return ERR_BUSY;
	}
	cache_pages = (int)pages;
	return ERR_OK;
}

/* Of what was taken; else as SQLite has it. */
static int
use_cache(struct store *s)
{
	char sql[64];

	if (cache_pages == 0)
		return ERR_OK;
	snprintf(sql, sizeof(sql), "PRAGMA cache_size = %d", cache_pages);
	return db_exec(s->db, sql);
}

static int
open_file(struct store *s, char message[STORE_MESSAGE_MAX])
{
	int rc = sqlite3_open_v2(s->path, &s->db,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
	    NULL); /* one thread at a time: store.h */
	int err = db_err(rc);

	if (s->db == NULL)
		return refuse(message, ERR_NOMEM, "no memory");
	if (err == ERR_OK && sqlite3_db_readonly(s->db, "main") == 1)
		return refuse(message, ERR_IO, "cannot write %s: read-only",
		    s->path);
	if (err == ERR_OK)
		err = set_up_connection(s);
	if (err == ERR_OK)
		err = use_cache(s);
	return err == ERR_OK ? err : refuse_sqlite(s, message, err, "open");
}

size_t
store_bytes(void)
{
	return sizeof(struct store) +
	       ADDRESS_SLOTS * sizeof(struct address_slot);
}

/* The whole file is read: a damaged one is not written to. */
static int
check_pages(struct store *s, char message[STORE_MESSAGE_MAX])
{
	sqlite3_stmt *stmt = NULL;
	const unsigned char *text;
	int rc =
	    sqlite3_prepare_v2(s->db, "PRAGMA quick_check(1)", -1, &stmt, NULL);
	int err = ERR_OK;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW) {
		err = refuse_sqlite(s, message, db_err(rc), "check");
	} else {
		text = sqlite3_column_text(stmt, 0);
		if (text == NULL || strcmp((const char *)text, "ok") != 0)
			err = refuse(message, ERR_FORMAT, "%s is damaged: %s",
			    s->path, text == NULL ? "?" : (const char *)text);
	}
	sqlite3_finalize(stmt);
	return err;
}

/* The header may be behind the log: asks again, through it. */
static int
check_version(struct store *s, char message[STORE_MESSAGE_MAX], int *out)
{
	int64_t version = 0, id = 0;
	int err = db_int(s->db, "PRAGMA user_version", &version);

	if (err == ERR_OK)
		err = db_int(s->db, "PRAGMA application_id", &id);
	if (err != ERR_OK)
		return refuse_sqlite(s, message, err, "read");
	if (id != STORE_APPLICATION_ID)
		return refuse(message, ERR_FORMAT,
		    "%s is another program's database", s->path);
	if (version > schema_version())
		return refuse_version(s->path, message, version);
	*out = (int)version;
	return ERR_OK;
}

static int
count_pages(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct store *s = arg;

	(void)db;
	(void)name;
	s->wal_pages = pages;
	return SQLITE_OK;
}

/* From here on the file is ours to write. */
static int
enter(struct store *s)
{
	int persist = 1;
	int64_t mode_is_wal = 0;
	int err = db_exec(s->db, "PRAGMA journal_mode = WAL");

	if (err == ERR_OK)
		err = db_int(s->db,
		    "SELECT journal_mode = 'wal' FROM pragma_journal_mode",
		    &mode_is_wal);
	if (err != ERR_OK)
		return err;
	if (mode_is_wal == 0)
		return ERR_IO;
	/* Without the log a reader who may not write could not read. */
	sqlite3_file_control(s->db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	sqlite3_wal_hook(s->db, count_pages, s);
	return ERR_OK;
}

/* Counts the stop before this start when it was not clean. */
static int
mark_start(struct store *s)
{
	return db_exec(s->db,
	    "BEGIN IMMEDIATE;"
	    "INSERT INTO t_meta VALUES ('unclean_starts', 0)"
	    " ON CONFLICT DO NOTHING;"
	    "UPDATE t_meta SET value = value + 1 WHERE key = 'unclean_starts'"
	    " AND EXISTS (SELECT 1 FROM t_meta"
	    " WHERE key = 'clean' AND value = 0);"
	    "REPLACE INTO t_meta VALUES ('clean', 0);"
	    "COMMIT;");
}

static int
read_sequence(struct store *s)
{
	int64_t sequence = 0;
	int err = db_int(s->db,
	    "SELECT value FROM t_meta WHERE key = 'batch_sequence'", &sequence);

	atomic_store(&s->sequence, (uint64_t)sequence);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static int
prepare(struct store *s, enum identity identity,
    char message[STORE_MESSAGE_MAX])
{
	int version = 0;
	int err = ERR_OK;

	if (identity == IDENTITY_OURS)
		err = check_version(s, message, &version);
	if (err == ERR_OK && identity == IDENTITY_OURS)
		err = check_pages(s, message);
	if (err != ERR_OK)
		return err;
	err = schema_migrate(s->db, s->path, version);
	if (err != ERR_OK)
		return refuse_sqlite(s, message, err, "migrate");
	err = enter(s);
	if (err == ERR_OK)
		err = mark_start(s);
	if (err == ERR_OK)
		err = read_sequence(s);
	if (err == ERR_OK)
		err = commit_prepare(s);
	if (err != ERR_OK)
		return refuse_sqlite(s, message, err, "write");
	return ERR_OK;
}

static void
release(struct store *s)
{
	commit_release(s);
	sqlite3_close(s->db);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	free(s->path);
	free(s);
}

int
store_open(const char *path, struct counters *counters, struct store **out,
    char message[STORE_MESSAGE_MAX])
{
	struct store *s = calloc(1, sizeof(*s));
	enum identity identity;
	int err;

	if (s == NULL)
		return refuse(message, ERR_NOMEM, "no memory");
	/* Counting what SQLite allocates takes a lock each time. Refused when
	 * SQLite is in use already, and then it counts. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	s->lock_fd = -1;
	s->counters = counters;
	s->path = strdup(path);
	if (s->path == NULL) {
		free(s);
		return refuse(message, ERR_NOMEM, "no memory");
	}
	err = identify(path, &identity, message);
	if (err == ERR_OK)
		err = take_lock(s, message);
	if (err == ERR_OK)
		err = open_file(s, message);
	if (err == ERR_OK)
		err = prepare(s, identity, message);
	if (err != ERR_OK) {
		release(s);
		return err;
	}
	*out = s;
	return ERR_OK;
}

void
store_checkpoint(struct store *s, bool all)
{
	int64_t octets = (int64_t)s->wal_pages * PAGE_OCTETS;
	int mode = all || octets > TRUNCATE_OCTETS ? SQLITE_CHECKPOINT_TRUNCATE
						   : SQLITE_CHECKPOINT_PASSIVE;

	if (all || octets > CHECKPOINT_OCTETS)
		sqlite3_wal_checkpoint_v2(s->db, NULL, mode, NULL, NULL);
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	if (db_exec(s->db, "REPLACE INTO t_meta VALUES ('clean', 1)") != ERR_OK)
		log_warnx("store", "%s: stop not marked clean: %s", s->path,
		    sqlite3_errmsg(s->db));
	store_checkpoint(s, true);
	release(s);
}

uint64_t
store_sequence(const struct store *s)
{
	return atomic_load(&s->sequence);
}
