/*
 * The PostgreSQL engine.
 *
 * Writers work SERIALIZABLE: the server refuses (40001, 40P01) what could not have happened one
 * after the other, and the batch is run again. Readers take REPEATABLE READ READ ONLY: one
 * snapshot that never fails and takes no predicate locks. What a read shows may thus be older than
 * a serial order of the writers would allow; nothing is decided on it, as writers read again.
 *
 * A connection that breaks before COMMIT was sent has changed nothing: the work is run again on a
 * new one. One that breaks during COMMIT leaves the outcome unknown, and the callers are told so.
 */
#include "store/postgres.h"

#include <ctype.h>

enum { SERVER_VERSION_MIN = 120000 };

#define SOLE_WAIT "30s"

static struct postgres_conn *of(struct store_conn *c)
{
    return CONTAINER_OF(c, struct postgres_conn, base);
}

/* --- failures --- */

/* The server's sentence, or libpq's, as one line. */
static struct str message(const struct postgres_conn *c, const PGresult *r, char line[256])
{
    const char *text = r != NULL ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    if (text == NULL)
        text = PQerrorMessage(c->pg);
    (void)snprintf(line, 256, "%s", text);
    for (char *p = line; *p != '\0'; p++)
        if (iscntrl((unsigned char)*p))
            *p = ' ';
    return str_trim(str_c(line));
}

static enum rc lost(struct postgres_conn *c, enum rc rc)
{
    c->base.lost = rc;
    c->base.failed = rc;
    return rc;
}

static bool any_of(const char *state, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strncmp(state, *list, strlen(*list)) == 0)
            return true;
    return false;
}

/* Codes: https://www.postgresql.org/docs/15/errcodes-appendix.html. A class is a prefix. */
static enum rc code_for(const char *state, bool reading)
{
    static const char *const again[] = {"40001", "40P01", "55P03", "57P0", NULL};
    static const char *const conflict[] = {"23505", "23514", "23P01", NULL};
    static const char *const text[] = {"22021", "22P05", NULL};
    static const char *const size[] = {"54", "22001", NULL};
    static const char *const away[] = {"53", "08", NULL};
    if (any_of(state, again))
        return RC_RETRY;
    if (any_of(state, conflict))
        return RC_CONFLICT;
    if (any_of(state, text))
        return RC_INVALID;
    if (any_of(state, size))
        return RC_TOO_LARGE;
    if (strcmp(state, "53100") == 0)
        return RC_FULL;
    if (any_of(state, away))
        return RC_UNAVAILABLE;
    if (strcmp(state, "57014") == 0)
        return RC_TIMEOUT;
    if (strcmp(state, "25006") == 0 && !reading)
        return RC_UNAVAILABLE; /* a standby answers, that takes no changes */
    return RC_INTERNAL;
}

enum rc postgres_failure(struct postgres_conn *c, const PGresult *result, struct err *err)
{
    char line[256];
    struct str text = message(c, result, line);
    if (PQstatus(c->pg) != CONNECTION_OK)
        return lost(c, err_set(err, RC_RETRY, "the database went away (%.*s)", STRF(text)));
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    enum rc rc = code_for(state != NULL ? state : "", c->reading);
    switch ((int)rc) {
    case RC_RETRY:
        return lost(c, err_set(err, rc, "others changed the same things (%.*s)", STRF(text)));
    case RC_UNAVAILABLE:
        return lost(c, err_set(err, rc, "the database cannot do it now (%.*s)", STRF(text)));
    case RC_FULL:
        err_write(err, rc,
                  "the disk of the database is full: nothing of this was kept. it works again as "
                  "soon as there is space");
        break;
    case RC_CONFLICT:
        err_write(err, rc, "it does not fit what is stored already (%.*s)", STRF(text));
        break;
    case RC_INVALID:
        err_write(err, rc, "the text cannot be stored (%.*s)", STRF(text));
        break;
    default:
        err_write(err, rc, "the database refused it (%.*s; %s)", STRF(text), state ? state : "?");
        break;
    }
    c->base.failed = rc;
    return rc_failed(rc);
}

enum rc postgres_exec(struct postgres_conn *c, const char *sql, struct err *err)
{
    PGresult *r = PQexec(c->pg, sql);
    ExecStatusType status = PQresultStatus(r);
    enum rc rc = RC_OK;
    /* Nothing but comments is no failure, as on SQLite: a migration may have no tables yet. */
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY)
        rc = postgres_failure(c, r, err);
    PQclear(r);
    return rc;
}

/* --- connections --- */

enum rc postgres_describe(const char *url, char **ret, struct err *err)
{
    /* libpq's own sentence would repeat the URL, password and all. */
    PQconninfoOption *all = PQconninfoParse(url, NULL);
    if (all == NULL)
        return err_set(err, RC_INVALID,
                       "the address of the store is no URL that PostgreSQL understands: "
                       "postgresql://USER@HOST:PORT/DATABASE");
    const char *user = "";
    const char *host = "";
    const char *port = "";
    const char *name = "";
    for (const PQconninfoOption *o = all; o->keyword != NULL; o++) {
        const char **to = strcmp(o->keyword, "user") == 0     ? &user
                          : strcmp(o->keyword, "host") == 0   ? &host
                          : strcmp(o->keyword, "port") == 0   ? &port
                          : strcmp(o->keyword, "dbname") == 0 ? &name
                                                              : NULL;
        if (to != NULL && o->val != NULL)
            *to = o->val;
    }
    size_t n = strlen(user) + strlen(host) + strlen(port) + strlen(name) + 32;
    char *text = store_alloc(n, 1);
    (void)snprintf(text, n, "postgresql://%s%s%s%s%s/%s", user, *user ? "@" : "", host,
                   *port ? ":" : "", port, name);
    PQconninfoFree(all);
    *ret = text;
    return RC_OK;
}

static void ignore_notice(void *arg, const PGresult *r)
{
    (void)arg;
    (void)r;
}

static enum rc check_server(PGconn *pg, struct err *err)
{
    if (PQserverVersion(pg) < SERVER_VERSION_MIN)
        return err_set(err, RC_INVALID, "the database is older than PostgreSQL 12");
    const char *encoding = PQparameterStatus(pg, "server_encoding");
    if (encoding == NULL || strcmp(encoding, "UTF8") != 0)
        return err_set(err, RC_INVALID, "the database has encoding %s: make one with encoding UTF8",
                       encoding ? encoding : "unknown");
    /* Durable means durable, whatever the server's settings say. */
    PGresult *r = PQexec(pg, "SELECT set_config('synchronous_commit', 'on', false) WHERE "
                             "current_setting('synchronous_commit') = 'off'");
    bool ok = PQresultStatus(r) == PGRES_TUPLES_OK;
    PQclear(r);
    return ok ? RC_OK : err_set(err, RC_UNAVAILABLE, "the database does not answer");
}

enum rc postgres_connect(const char *url, PGconn **ret, struct err *err)
{
    /* Later ones win: what the URL says goes before our choice. */
    const char *const keys[] = {"connect_timeout", "client_encoding", "application_name", "dbname",
                                NULL};
    const char *const values[] = {"10", "UTF8", "hanse", url, NULL};
    PGconn *pg = PQconnectdbParams(keys, values, 1);
    enum rc rc = RC_OK;
    if (PQstatus(pg) != CONNECTION_OK) {
        char line[256];
        const struct postgres_conn c = {.pg = pg};
        rc = err_set(err, RC_UNAVAILABLE, "the database does not answer: %.*s",
                     STRF(message(&c, NULL, line)));
    } else {
        PQsetNoticeReceiver(pg, ignore_notice, NULL);
        rc = check_server(pg, err);
    }
    if (rc != RC_OK) {
        PQfinish(pg);
        return rc;
    }
    *ret = pg;
    return RC_OK;
}

/* While any connection is open, a restore sees that the store is in use. */
static enum rc hold_live_lock(PGconn *pg, struct err *err)
{
    PGresult *r = PQexec(pg, "SELECT pg_try_advisory_lock_shared(" POSTGRES_LOCK_LIVE ")");
    bool answered = PQresultStatus(r) == PGRES_TUPLES_OK;
    bool held = answered && strcmp(PQgetvalue(r, 0, 0), "t") == 0;
    PQclear(r);
    if (!answered)
        return err_set(err, RC_UNAVAILABLE, "the database does not answer");
    return held ? RC_OK
                : err_set(err, RC_CONFLICT,
                          "the store is being restored from a backup: wait for "
                          "the end of it");
}

/* The server ends the session of a process that died only after the COMMIT it may have in hand: who
 * knows the store by heart must not read it before. */
static enum rc hold_sole_lock(PGconn *pg, struct err *err)
{
    /* What the URL says goes before our choice, as ever. */
    PGresult *r = PQexec(pg, "SELECT set_config('lock_timeout', '" SOLE_WAIT "', false) WHERE "
                             "current_setting('lock_timeout') = '0'; "
                             "SELECT pg_advisory_lock(" POSTGRES_LOCK_SOLE "); "
                             "RESET lock_timeout");
    bool held = PQresultStatus(r) == PGRES_COMMAND_OK;
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    bool others = state != NULL && strcmp(state, "55P03") == 0;
    PQclear(r);
    if (others)
        return err_set(err, RC_CONFLICT,
                       "another process writes the store, or one that died has not ended on the "
                       "server: end it");
    return held ? RC_OK : err_set(err, RC_UNAVAILABLE, "the database does not answer");
}

static enum rc open_session(struct postgres_conn *c, struct err *err)
{
    PGconn *pg = NULL;
    TRY(postgres_connect(c->base.store->url, &pg, err));
    enum rc rc = hold_live_lock(pg, err);
    if (rc == RC_OK && c->sole)
        rc = hold_sole_lock(pg, err);
    if (rc != RC_OK) {
        PQfinish(pg);
        return rc;
    }
    c->pg = pg;
    return RC_OK;
}

static void close_session(struct postgres_conn *c)
{
    PQfinish(c->pg);
    c->pg = NULL;
    c->in_tx = false;
    postgres_forget_statements(c);
}

static void disconnect(struct store_conn *base)
{
    struct postgres_conn *c = of(base);
    close_session(c);
    free(c->values);
    free(c->lengths);
    free(c->formats);
    free(c->types);
    free(c->numbers);
    free(c);
}

static enum rc connect_to(struct store *s, bool writing, struct store_conn **ret, struct err *err)
{
    struct postgres_conn *c = store_alloc(1, sizeof *c);
    c->sole = writing && s->sole; /* the rest each transaction says itself */
    c->base.store = s;
    c->base.engine = &engine_postgres;
    enum rc rc = open_session(c, err);
    if (rc != RC_OK) {
        free(c);
        return rc;
    }
    *ret = &c->base;
    return RC_OK;
}

static enum rc start(struct store *s, struct err *err)
{
    return postgres_describe(s->url, &s->describe, err);
}

static void stop(struct store *s)
{
    (void)s; /* all it has are its connections */
}

/* --- transactions --- */

static enum rc begin(struct postgres_conn *c, bool reading, struct err *err)
{
    c->base.failed = RC_OK;
    c->base.lost = RC_OK;
    c->base.unknown_outcome = false;
    c->savepoint = SAVEPOINT_NONE;
    c->reading = reading;
    if (c->pg != NULL && PQstatus(c->pg) != CONNECTION_OK)
        close_session(c);
    if (c->pg == NULL) {
        enum rc rc = open_session(c, err);
        if (rc != RC_OK)
            return lost(c, rc);
    }
    TRY(postgres_exec(c,
                      reading ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
                              : "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE",
                      err));
    c->in_tx = true;
    return RC_OK;
}

/* Whatever state the connection is in, the next transaction begins anew. */
static void rollback(struct store_conn *base)
{
    struct postgres_conn *c = of(base);
    if (!c->in_tx)
        return;
    c->in_tx = false;
    bool unknown = base->unknown_outcome;
    enum rc was = base->lost;
    struct err ignored = {0};
    if (postgres_exec(c, "ROLLBACK", &ignored) != RC_OK)
        close_session(c); /* the server rolls back what has lost its connection */
    base->unknown_outcome = unknown;
    base->lost = was;
}

static enum rc begin_read(struct store_conn *base, struct err *err)
{
    return begin(of(base), true, err);
}

static void end_read(struct store_conn *base)
{
    rollback(base);
}

static void drop_snapshot(struct store_conn *base)
{
    (void)base; /* none is kept: other processes write too */
}

static enum rc begin_write(struct store_conn *base, struct err *err)
{
    return begin(of(base), false, err);
}

static enum rc commit(struct store_conn *base, struct err *err)
{
    struct postgres_conn *c = of(base);
    PGresult *r = PQexec(c->pg, "COMMIT");
    enum rc rc = RC_OK;
    if (PQresultStatus(r) != PGRES_COMMAND_OK) {
        rc = postgres_failure(c, r, err);
    } else if (strcmp(PQcmdStatus(r), "COMMIT") != 0) {
        /* The server answers COMMIT with ROLLBACK where it had given the transaction up. */
        rc = err_set(err, RC_INTERNAL, "the database did not commit");
    }
    PQclear(r);
    if (PQstatus(c->pg) != CONNECTION_OK) {
        base->unknown_outcome = true;
        rc = lost(c, err_set(err, RC_UNAVAILABLE,
                             "the connection to the database broke during the commit: whether the "
                             "change was kept is not known. look before you repeat it"));
    }
    c->in_tx = rc != RC_OK;
    return rc;
}

static enum rc save(struct store_conn *base, struct err *err)
{
    struct postgres_conn *c = of(base);
    if (c->savepoint == SAVEPOINT_NONE)
        TRY(postgres_exec(c, "SAVEPOINT job", err));
    if (c->savepoint == SAVEPOINT_KEPT)
        TRY(postgres_exec(c, "RELEASE job; SAVEPOINT job", err));
    c->savepoint = SAVEPOINT_OPEN;
    return RC_OK;
}

static enum rc keep(struct store_conn *base, struct err *err)
{
    (void)err;
    of(base)->savepoint = SAVEPOINT_KEPT; /* COMMIT releases the last one */
    return RC_OK;
}

static enum rc undo(struct store_conn *base, struct err *err)
{
    struct postgres_conn *c = of(base);
    TRY(postgres_exec(c, "ROLLBACK TO job", err));
    c->savepoint = SAVEPOINT_CLEAN;
    return RC_OK;
}

/* --- the rest --- */

static enum rc script(struct store_conn *base, const char *sql, struct err *err)
{
    return postgres_exec(of(base), sql, err);
}

static enum rc fence(struct store_conn *base, bool on, struct err *err)
{
    return postgres_exec(of(base),
                         on ? "SELECT pg_advisory_lock(" POSTGRES_LOCK_MIGRATE ")"
                            : "SELECT pg_advisory_unlock(" POSTGRES_LOCK_MIGRATE ")",
                         err);
}

static void tidy(struct store_conn *base)
{
    (void)base; /* the server does it */
}

const struct engine engine_postgres = {
    .kind = STORE_POSTGRES,
    .start = start,
    .stop = stop,
    .connect = connect_to,
    .disconnect = disconnect,
    .begin_read = begin_read,
    .end_read = end_read,
    .drop_snapshot = drop_snapshot,
    .begin_write = begin_write,
    .commit = commit,
    .rollback = rollback,
    .save = save,
    .keep = keep,
    .undo = undo,
    .query = postgres_query,
    .insert = postgres_insert,
    .script = script,
    .fence = fence,
    .tidy = tidy,
};
