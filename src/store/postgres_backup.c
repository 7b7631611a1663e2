/*
 * Copies of a PostgreSQL store, by PostgreSQL's own tools: pg_dump, pg_restore, psql. They are run
 * without a shell; the password goes through their environment, never through their arguments,
 * which every user of the machine can read.
 *
 * A restore is one transaction of psql: drop the old tables, take what pg_restore writes. The end
 * of the input, which commits, reaches psql only after pg_restore has ended well; else psql is
 * killed, and the store is as before.
 */
#include "store/backup.h"
#include "store/migrate.h"
#include "store/postgres.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ENVIRONMENT_MAX = 1024, VERSIONS_MAX = 256 * 1024, ARENA_MAX = 4 * 1024 * 1024 };

/* What a tool needs to reach the store. */
struct target {
    struct arena *arena;
    PGconn *pg;
    const char *address; /* conninfo without the password */
    const char *schema;  /* in double quotes */
    char **environment;
};

/* --- the address --- */

static void add_setting(struct buf *b, const char *key, const char *value)
{
    buf_fmt(b, "%s='", key);
    for (; *value != '\0'; value++) {
        if (*value == '\'' || *value == '\\')
            buf_add_char(b, '\\');
        buf_add_char(b, *value);
    }
    buf_add(b, STR("' "));
}

static void set_environment(struct target *t, const char *password)
{
    size_t n = 0;
    t->environment = NEW_N(t->arena, char *, ENVIRONMENT_MAX + 2);
    for (char **e = environ; *e != NULL && n < ENVIRONMENT_MAX; e++)
        if (strncmp(*e, "PGPASSWORD=", strlen("PGPASSWORD=")) != 0 || password == NULL)
            t->environment[n++] = *e;
    if (password != NULL) {
        char *entry = arena_bytes(t->arena, strlen(password) + sizeof "PGPASSWORD=");
        (void)snprintf(entry, strlen(password) + sizeof "PGPASSWORD=", "PGPASSWORD=%s", password);
        t->environment[n] = entry;
    }
}

static enum rc set_address(struct target *t, const char *url, struct err *err)
{
    PQconninfoOption *all = PQconninfoParse(url, NULL);
    if (all == NULL)
        return err_set(err, RC_INVALID,
                       "the address of the store is no URL that PostgreSQL "
                       "understands");
    struct buf b;
    buf_init(&b, t->arena, (size_t)4 * STORE_PATH_MAX);
    const char *password = NULL;
    for (const PQconninfoOption *o = all; o->keyword != NULL; o++) {
        if (o->val == NULL)
            continue;
        if (strcmp(o->keyword, "password") == 0)
            password = o->val;
        else
            add_setting(&b, o->keyword, o->val);
    }
    set_environment(t, password);
    PQconninfoFree(all);
    buf_add_char(&b, '\0');
    if (b.full)
        return err_set(err, RC_INVALID, "the address of the store is too long");
    t->address = buf_str(&b).p;
    return RC_OK;
}

/* --- questions --- */

/* The first cell that a question gives; "" for none. */
static enum rc ask(const struct target *t, const char *sql, char *ret, size_t size, struct err *err)
{
    PGresult *r = PQexec(t->pg, sql);
    bool ok = PQresultStatus(r) == PGRES_TUPLES_OK;
    (void)snprintf(ret, size, "%s", ok && PQntuples(r) > 0 ? PQgetvalue(r, 0, 0) : "");
    if (!ok)
        err_write(err, RC_INTERNAL, "the database refused it: %s", PQresultErrorMessage(r));
    PQclear(r);
    return ok ? RC_OK : rc_failed(RC_INTERNAL);
}

static enum rc open_target(struct target *t, struct str url, struct err *err)
{
    const char *c_url = arena_cstr(t->arena, url);
    TRY(set_address(t, c_url, err));
    TRY(postgres_connect(c_url, &t->pg, err));
    char schema[256];
    TRY(ask(t, "SELECT quote_ident(current_schema())", schema, sizeof schema, err));
    t->schema = arena_str(t->arena, str_c(schema)).p;
    return RC_OK;
}

/* Run a function with the store at url. */
struct request {
    const char *file;
    bool replace;
};

typedef enum rc (*target_fn)(struct target *t, const struct request *q, struct err *err);

static enum rc with_target(struct str url, target_fn fn, const struct request *q, struct err *err)
{
    struct arena arena;
    arena_init(&arena, ARENA_MAX);
    struct target t = {.arena = &arena};
    enum rc rc = open_target(&t, url, err);
    if (rc == RC_OK)
        rc = fn(&t, q, err);
    PQfinish(t.pg);
    arena_fini(&arena);
    return rc;
}

/* --- tools --- */

struct tool {
    pid_t pid;
    const char *name;
    int errors; /* a memory file with what it said */
};

static enum rc start_tool(const struct target *t, const char *const *args, int in, int out,
                          struct tool *ret, struct err *err)
{
    int errors = memfd_create("errors", MFD_CLOEXEC);
    if (errors < 0)
        return err_set(err, RC_INTERNAL, "cannot run %s: %s", args[0], strerror(errno));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_adddup2(&actions, errors, 2);
    pid_t pid = 0;
    int failed =
        posix_spawnp(&pid, args[0], &actions, NULL, (char *const *)(uintptr_t)args, t->environment);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) {
        (void)close(errors); /* nothing was said */
        return err_set(err, RC_UNSUPPORTED, "cannot run %s (%s): install postgresql-client",
                       args[0], strerror(failed));
    }
    *ret = (struct tool){pid, args[0], errors};
    return RC_OK;
}

/* How a tool ended, and the first line of what it said. */
struct ending {
    bool well;
    bool killed;
    char said[256];
};

static struct ending end_of(const struct tool *tool)
{
    int status = 0;
    while (waitpid(tool->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    struct ending e = {.well = WIFEXITED(status) && WEXITSTATUS(status) == 0,
                       .killed = WIFSIGNALED(status)};
    ssize_t n = pread(tool->errors, e.said, sizeof e.said - 1, 0);
    (void)close(tool->errors); /* read, as far as it is told on */
    e.said[n > 0 ? n : 0] = '\0';
    e.said[strcspn(e.said, "\n")] = '\0';
    return e;
}

static enum rc end_tool(const struct tool *tool, enum rc failure, struct err *err)
{
    struct ending e = end_of(tool);
    return e.well ? RC_OK : err_set(err, failure, "%s failed: %s", tool->name, e.said);
}

static enum rc open_null(int *ret, struct err *err)
{
    *ret = open("/dev/null", O_RDWR | O_CLOEXEC);
    return *ret >= 0 ? RC_OK : err_set(err, RC_INTERNAL, "cannot open /dev/null");
}

/* --- backup --- */

static enum rc dump(struct target *t, const struct request *q, struct err *err)
{
    char part[STORE_PATH_MAX];
    char there[8];
    TRY(backup_part(q->file, part, err));
    TRY(ask(t, "SELECT to_regclass(quote_ident(current_schema()) || '.schema_version') IS NOT NULL",
            there, sizeof there, err));
    if (there[0] != 't')
        return err_set(err, RC_NOT_FOUND, "there is no store of Hanse in this database");
    const char *tables = arena_fmt(t->arena, "--table=%s.*", t->schema).p;
    const char *to = arena_fmt(t->arena, "--file=%s", part).p;
    const char *address = arena_fmt(t->arena, "--dbname=%s", t->address).p;
    const char *const args[] = {
        "pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--no-password", tables,
        to,        address,           NULL};
    int null = -1;
    TRY(open_null(&null, err));
    struct tool tool = {0};
    enum rc rc = start_tool(t, args, null, null, &tool, err);
    (void)close(null); /* the tool has its own */
    TRY(rc);
    rc = end_tool(&tool, RC_REMOTE, err);
    if (rc == RC_OK)
        rc = backup_finish(part, q->file, err);
    if (rc != RC_OK)
        (void)unlink(part); /* it is of no use */
    return rc;
}

enum rc backup_postgres(struct str url, const char *file, struct err *err)
{
    return with_target(url, dump, &(struct request){.file = file}, err);
}

/* --- restore: what is in the file --- */

/* The rows of schema_version as pg_restore writes them:
 *     COPY public.schema_version (version, name, hash, applied) FROM stdin;
 *     1<TAB>0001_ground<TAB>5d0f...<TAB>1795312800000000
 *     \.
 */
static enum rc check_versions(const struct target *t, const char *file, struct str text,
                              struct err *err)
{
    struct str mine =
        arena_fmt(t->arena, "COPY %s.schema_version (version, name, hash, applied) ", t->schema);
    struct str line = STR("");
    while (text.n > 0 && !str_starts(line, STR("COPY ")))
        line = str_cut(&text, '\n');
    if (!str_starts(line, STR("COPY ")))
        return err_set(err, RC_INVALID, "'%s' is no backup of Hanse: it has no versions", file);
    if (!str_starts(line, mine))
        return err_set(err, RC_INVALID, "'%s' is a backup of another schema than %s", file,
                       t->schema);
    for (size_t i = 0; text.n > 0; i++) {
        line = str_cut(&text, '\n');
        if (str_eq(line, STR("\\.")))
            return RC_OK;
        int64_t version = 0;
        bool ok = str_to_i64(str_cut(&line, '\t'), 1, INT64_MAX, &version);
        (void)str_cut(&line, '\t'); /* the name says nothing that the hash does not */
        if (!ok)
            break;
        TRY(migrate_check_row(i, version, str_cut(&line, '\t'), err));
    }
    return err_set(err, RC_INVALID, "'%s' is no whole backup of Hanse", file);
}

static enum rc check_dump(const struct target *t, const char *file, struct err *err)
{
    if (access(file, R_OK) != 0)
        return err_set(err, errno == ENOENT ? RC_NOT_FOUND : RC_INVALID, "cannot read '%s': %s",
                       file, strerror(errno));
    const char *const args[] = {"pg_restore", "--data-only", "--table=schema_version",
                                "--file=-",   file,          NULL};
    int null = -1;
    TRY(open_null(&null, err));
    int out = memfd_create("versions", MFD_CLOEXEC);
    ASSERT(out >= 0);
    struct tool tool = {0};
    enum rc rc = start_tool(t, args, null, out, &tool, err);
    (void)close(null); /* the tool has its own */
    if (rc == RC_OK)
        rc = end_tool(&tool, RC_INVALID, err);
    if (rc == RC_OK) {
        char *text = arena_bytes(t->arena, VERSIONS_MAX);
        ssize_t n = pread(out, text, VERSIONS_MAX, 0);
        rc = check_versions(t, file, str_n(text, n > 0 ? (size_t)n : 0), err);
    } else if (rc == RC_INVALID) {
        err_add(err, "'%s' is no whole backup of Hanse", file);
    }
    (void)close(out); /* a file in memory */
    return rc;
}

/* --- restore: putting it in --- */

static const char drop_tables[] =
    "DO $$ DECLARE t RECORD; BEGIN FOR t IN SELECT schemaname, tablename FROM pg_tables WHERE "
    "schemaname = current_schema() LOOP EXECUTE format('DROP TABLE %I.%I CASCADE', t.schemaname, "
    "t.tablename); END LOOP; END $$";

/* psql reads what pg_restore writes; ends[1] is ours too, so that psql waits for our word. */
static enum rc run_pair(const struct target *t, const char *file, const int ends[2], int null,
                        struct tool *psql, struct tool *restore, struct err *err)
{
    const char *const psql_args[] = {"psql",
                                     "--no-psqlrc",
                                     "--quiet",
                                     "--single-transaction",
                                     "--set=ON_ERROR_STOP=1",
                                     "--no-password",
                                     "--command",
                                     drop_tables,
                                     "--file=-",
                                     "--dbname",
                                     t->address,
                                     NULL};
    const char *const restore_args[] = {"pg_restore", "--no-owner", "--no-privileges",
                                        "--file=-",   file,         NULL};
    TRY(start_tool(t, psql_args, ends[0], null, psql, err));
    return start_tool(t, restore_args, null, ends[1], restore, err);
}

static enum rc load(const struct target *t, const char *file, struct err *err)
{
    int null = -1;
    int ends[2];
    TRY(open_null(&null, err));
    int failed = pipe2(ends, O_CLOEXEC);
    ASSERT(failed == 0);
    struct tool psql = {0};
    struct tool restore = {0};
    enum rc rc = run_pair(t, file, ends, null, &psql, &restore, err);
    (void)close(ends[0]); /* psql has its own */
    (void)close(null);    /* the tools have their own */
    if (restore.pid != 0)
        rc = end_tool(&restore, RC_INVALID, err);
    if (psql.pid != 0 && rc != RC_OK)
        (void)kill(psql.pid, SIGKILL); /* before it sees the end of its input, which commits */
    (void)close(ends[1]);              /* the last writing end: psql sees the end of its input */
    if (psql.pid == 0)
        return rc;
    struct ending e = end_of(&psql);
    if (!e.well && !e.killed) /* it gave up first: pg_restore only saw its pipe break */
        return err_set(err, RC_REMOTE, "psql failed: %s", e.said);
    return rc;
}

static enum rc restore_locked(struct target *t, const struct request *q, struct err *err)
{
    char number[32];
    TRY(ask(t, "SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema()", number,
            sizeof number, err));
    if (!q->replace && strcmp(number, "0") != 0)
        return err_set(err, RC_CONFLICT,
                       "there are tables in schema %s already: say --replace to give them up",
                       t->schema);
    TRY(check_dump(t, q->file, err));
    return load(t, q->file, err);
}

/* The server lets go of what a closed connection held a moment later: wait a little. */
static enum rc lock_out_others(const struct target *t, struct err *err)
{
    char ignored[8];
    struct err why = {0};
    TRY(ask(t, "SELECT set_config('lock_timeout', '2s', false)", ignored, sizeof ignored, err));
    if (ask(t, "SELECT pg_advisory_lock(" POSTGRES_LOCK_LIVE ")", ignored, sizeof ignored, &why) !=
        RC_OK)
        return err_set(err, RC_CONFLICT, "the store is in use by another process: stop it first");
    return RC_OK;
}

static enum rc restore(struct target *t, const struct request *q, struct err *err)
{
    TRY(lock_out_others(t, err));
    return restore_locked(t, q, err); /* the lock goes with the connection */
}

enum rc restore_postgres(struct str url, const char *file, bool replace, struct err *err)
{
    return with_target(url, restore, &(struct request){file, replace}, err);
}

/* --- verify --- */

/* Each row is turned into text, so that every page of every table is read, also of long texts. */
static enum rc read_table(const struct target *t, const char *table, struct err *err)
{
    char ignored[64];
    const char *sql =
        arena_fmt(t->arena, "SELECT COUNT(CAST(r AS TEXT)) FROM %s.%s AS r", t->schema, table).p;
    enum rc rc = ask(t, sql, ignored, sizeof ignored, err);
    if (rc == RC_OK)
        return RC_OK;
    err->rc = RC_INVALID;
    err_add(err, "table %s is damaged", table);
    return RC_INVALID;
}

/* Indexes, where the extension amcheck is there. */
static enum rc check_indexes(const struct target *t, struct err *err)
{
    char number[64];
    TRY(ask(t, "SELECT COUNT(*) FROM pg_proc WHERE proname = 'bt_index_parent_check'", number,
            sizeof number, err));
    if (strcmp(number, "0") == 0)
        return RC_OK;
    enum rc rc =
        ask(t,
            "SELECT COUNT(CAST(bt_index_check(i.indexrelid, true) AS TEXT)) FROM pg_index i JOIN "
            "pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = (SELECT oid FROM "
            "pg_namespace WHERE nspname = current_schema())",
            number, sizeof number, err);
    if (rc == RC_OK)
        return RC_OK;
    err->rc = RC_INVALID;
    err_add(err, "an index is damaged");
    return RC_INVALID;
}

static enum rc verify(struct target *t, const struct request *q, struct err *err)
{
    (void)q;
    PGresult *r = PQexec(t->pg, "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = "
                                "current_schema() ORDER BY tablename");
    enum rc rc = PQresultStatus(r) == PGRES_TUPLES_OK
                     ? RC_OK
                     : err_set(err, RC_UNAVAILABLE, "the database does not answer");
    for (int i = 0; rc == RC_OK && i < PQntuples(r); i++)
        rc = read_table(t, PQgetvalue(r, i, 0), err);
    PQclear(r);
    TRY(rc);
    return check_indexes(t, err);
}

enum rc verify_postgres(struct str url, struct err *err)
{
    return with_target(url, verify, &(struct request){0}, err);
}
