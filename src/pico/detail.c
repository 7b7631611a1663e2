#include "pico/detail.h"

#include <sodium.h>

/* Shorter ones lie in the channel's own row: a reference and its index would be as long. */
enum { OWN_BYTES_MAX = 64, HASH_BYTES = 32 };

/* The number under which the detail is kept. */
static enum rc need(struct tx *tx, struct str detail, int64_t *ret)
{
    unsigned char sum[HASH_BYTES];
    struct rows rows;
    (void)crypto_generichash(sum, sizeof sum, (const unsigned char *)detail.p, detail.n, NULL,
                             0); /* cannot fail */
    struct value hash = value_bytes(str_n((const char *)sum, sizeof sum));
    TRY(sql_rows(tx, &rows, "SELECT no FROM pico_detail WHERE hash = $1", V(hash)));
    if (rows.count > 0) {
        *ret = row_int(&rows, 0, 0);
        return RC_OK;
    }
    TRY(sql_rows(tx, &rows, "SELECT COALESCE(MAX(no), 0) + 1 FROM pico_detail"));
    *ret = row_int(&rows, 0, 0);
    return sql_run(tx, "INSERT INTO pico_detail (no, hash, detail) VALUES ($1, $2, $3)", V(*ret),
                   V(hash), V(value_bytes(detail)));
}

/* One channel fewer names it. */
static enum rc let_go(struct tx *tx, int64_t no)
{
    return sql_run(tx,
                   "DELETE FROM pico_detail WHERE no = $1 AND NOT EXISTS (SELECT 1 FROM "
                   "pico_channel c WHERE c.shared = $1)",
                   V(no));
}

static enum rc shared_of(struct tx *tx, struct str eci, int64_t *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT shared FROM pico_channel WHERE eci = $1", V(eci)));
    *ret = rows.count > 0 ? row_int(&rows, 0, 0) : 0;
    return RC_OK;
}

enum rc detail_put_channel(struct tx *tx, int64_t pico, struct str eci, int64_t place,
                           struct str detail)
{
    bool own = detail.n <= OWN_BYTES_MAX;
    int64_t was = 0;
    int64_t shared = 0;
    TRY(shared_of(tx, eci, &was));
    if (!own)
        TRY(need(tx, detail, &shared));
    TRY(sql_run(tx,
                "INSERT INTO pico_channel (eci, pico, place, detail, shared) VALUES ($1, $2, $3, "
                "$4, $5) ON CONFLICT (eci) DO UPDATE SET detail = $4, shared = $5",
                V(eci), V(pico), V(place), V(own && detail.n > 0 ? value_bytes(detail) : SQL_NULL),
                V(own ? SQL_NULL : value_int(shared))));
    return was == 0 || was == shared ? RC_OK : let_go(tx, was);
}

enum rc detail_drop_channel(struct tx *tx, struct str eci)
{
    int64_t was = 0;
    TRY(shared_of(tx, eci, &was));
    TRY(sql_run(tx, "DELETE FROM pico_channel WHERE eci = $1", V(eci)));
    return was == 0 ? RC_OK : let_go(tx, was);
}

enum rc detail_drop_pico(struct tx *tx, int64_t pico)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT DISTINCT shared FROM pico_channel WHERE pico = $1 AND shared IS NOT NULL "
                 "ORDER BY shared",
                 V(pico)));
    TRY(sql_run(tx, "DELETE FROM pico_channel WHERE pico = $1", V(pico)));
    for (size_t i = 0; i < rows.count; i++)
        TRY(let_go(tx, row_int(&rows, i, 0)));
    return RC_OK;
}
