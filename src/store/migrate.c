#include "store/migrate.h"

#include "base/buf.h"

#include <ctype.h>
#include <sodium.h>

void migration_hash(const struct migration *m, char ret[MIGRATION_HASH_MAX])
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const unsigned char *)m->sql, strlen(m->sql));
    sodium_bin2hex(ret, MIGRATION_HASH_MAX, hash, sizeof hash);
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* The length of a comment or of quoted text that begins at p; 0 where neither does. */
static size_t skipped(const char *p)
{
    const char *end = NULL;
    if (p[0] == '-' && p[1] == '-')
        end = strchr(p, '\n');
    else if (p[0] == '\'' || p[0] == '"')
        end = strchr(p + 1, p[0]);
    else
        return 0;
    ASSERT(end != NULL); /* a migration that ends inside a quote or comment */
    return (size_t)(end - p) + 1;
}

struct str migrate_collate(struct arena *arena, const char *sql)
{
    struct buf b;
    buf_init(&b, arena, strlen(sql) * 6 + 1);
    for (const char *p = sql; *p != '\0';) {
        size_t n = skipped(p);
        bool quoted = n > 0;
        for (; !quoted && is_word(p[n]); n++)
            continue;
        struct str word = str_n(p, max_size(n, 1));
        buf_add(&b, word);
        if (str_eq(word, STR("TEXT")))
            buf_add(&b, STR(" COLLATE \"C\""));
        p += word.n;
    }
    buf_add_char(&b, '\0');
    ASSERT(!b.full);
    return buf_str(&b);
}

/* --- what is there --- */

enum rc migrate_check_row(size_t i, int64_t version, struct str hash, struct err *err)
{
    if (version > (int64_t)migrations_count)
        return err_set(
            err, RC_CONFLICT,
            "the store was written by a newer Hanse (it is at version %lld, this program "
            "knows %zu): use that version. nothing was changed",
            (long long)version, migrations_count);
    if (version != (int64_t)i + 1)
        return err_set(err, RC_CONFLICT,
                       "the store has no version %zu though it has version %lld: it was changed by "
                       "hand. nothing was changed",
                       i + 1, (long long)version);
    char want[MIGRATION_HASH_MAX];
    migration_hash(&migrations[i], want);
    if (!str_eq(hash, str_c(want)))
        return err_set(err, RC_CONFLICT,
                       "the store was made with another text of migration '%s' than this program "
                       "has: use the version that made it. nothing was changed",
                       migrations[i].name);
    return RC_OK;
}

/* How many migrations the store has; all are known ones. */
static enum rc count_applied(struct tx *tx, int64_t *ret)
{
    struct rows r;
    TRY(sql_rows(tx, &r, "SELECT version, hash FROM schema_version ORDER BY version LIMIT 10000"));
    for (size_t i = 0; i < r.count; i++)
        TRY(migrate_check_row(i, row_int(&r, i, 0), row_str(&r, i, 1), tx->err));
    *ret = (int64_t)r.count;
    return RC_OK;
}

/* --- one at a time --- */

struct step {
    const struct migration *migration; /* NULL: make schema_version itself, and count */
    int64_t applied;
};

static enum rc run_script(struct tx *tx, const char *sql)
{
    const struct engine *engine = tx->conn->engine;
    if (engine->kind == STORE_POSTGRES)
        sql = migrate_collate(tx->arena, sql).p;
    return engine->script(tx->conn, sql, tx->err);
}

static enum rc apply(struct tx *tx, struct step *step)
{
    const struct migration *m = step->migration;
    if (m == NULL) {
        TRY(run_script(tx,
                       "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL "
                       "PRIMARY KEY, name TEXT NOT NULL, hash TEXT NOT NULL, applied BIGINT NOT "
                       "NULL)"));
        return count_applied(tx, &step->applied);
    }
    ASSERT(m->version == step->applied + 1);
    char hash[MIGRATION_HASH_MAX];
    migration_hash(m, hash);
    TRY(run_script(tx, m->sql));
    TRY(sql_run(tx,
                "INSERT INTO schema_version (version, name, hash, applied) VALUES ($1,$2,$3,$4)",
                V(m->version), V(m->name), V(str_c(hash)), V(tx->now)));
    step->applied++;
    return RC_OK;
}

static enum rc in_tx(struct tx *tx, struct step *step)
{
    struct store_conn *c = tx->conn;
    TRY(c->engine->begin_write(c, tx->err));
    enum rc rc = apply(tx, step);
    if (rc == RC_OK)
        rc = c->engine->commit(c, tx->err);
    if (rc != RC_OK)
        c->engine->rollback(c);
    return rc;
}

static enum rc run_missing(struct tx *tx, bool check_only)
{
    struct step step = {0};
    TRY(in_tx(tx, &step));
    if (check_only && step.applied < (int64_t)migrations_count)
        return err_set(tx->err, RC_CONFLICT,
                       "the store is at version %lld, this program wants %zu: start hansed once "
                       "without --no-migrate",
                       (long long)step.applied, migrations_count);
    while (step.applied < (int64_t)migrations_count) {
        step.migration = &migrations[step.applied];
        enum rc rc = in_tx(tx, &step);
        if (rc == RC_OK)
            continue;
        err_add(tx->err, "migration '%s' was not made", step.migration->name);
        return rc;
    }
    return RC_OK;
}

enum rc migrate(struct store_conn *conn, bool check_only, struct clock *clock, struct err *err)
{
    struct arena arena;
    arena_init(&arena, STORE_TX_ARENA_BYTES);
    struct tx tx = {
        .conn = conn, .arena = &arena, .err = err, .now = clock_now(clock), .writing = true};
    enum rc rc = conn->engine->fence(conn, true, err);
    if (rc == RC_OK) {
        rc = run_missing(&tx, check_only);
        struct err ignored = {0};
        /* A connection that cannot let go of it is broken, and the server lets go for it. */
        (void)conn->engine->fence(conn, false, &ignored);
    }
    arena_fini(&arena);
    return rc;
}
