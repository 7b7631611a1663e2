#include "party/brand.h"

#include "party/colour.h"
#include "party/email.h"
#include "party/event.h"
#include "party/logo.h"
#include "party/member.h"
#include "party/party_check.h"
#include "party/patch.h"
#include "store/outbox.h"

enum { SPONSORS_MAX = 32, INHERITED_VERSION = 1 };

#define COLUMNS                                                                          \
    "b.party, b.version, b.name, b.logo, b.logo_dark, b.colour, b.host, b.mail_sender, " \
    "b.legal_footer, b.changed"

/* --- reading --- */

static struct str ink_of(struct str colour)
{
    struct colour c;
    struct err err;
    const char *ink = NULL;
    if (colour_parse(colour, &c, &err) != RC_OK || colour_ink(c, &ink, &err) != RC_OK)
        NEVER("a colour in the store that was not checked");
    return str_c(ink);
}

static struct brand read_row(const struct rows *rows, size_t row)
{
    return (struct brand){.set = schema_all(&brand_schema),
                          .party = row_str(rows, row, 0),
                          .version = row_int(rows, row, 1),
                          .name = row_str(rows, row, 2),
                          .logo = row_str(rows, row, 3),
                          .logo_dark = row_str(rows, row, 4),
                          .colour = row_str(rows, row, 5),
                          .ink = ink_of(row_str(rows, row, 5)),
                          .host = row_str(rows, row, 6),
                          .mail_sender = row_str(rows, row, 7),
                          .legal_footer = row_str(rows, row, 8),
                          .changed = row_int(rows, row, 9)};
}

static struct brand plain_brand(struct str party, struct str name)
{
    return (struct brand){.set = schema_all(&brand_schema),
                          .party = party,
                          .version = INHERITED_VERSION,
                          .name = name,
                          .colour = BRAND_COLOUR,
                          .ink = ink_of(BRAND_COLOUR)};
}

/* The party's own brand; *ret_found is false where it has none. */
static enum rc get_own(struct tx *tx, struct str party, struct brand *ret, bool *ret_found)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM brand b WHERE b.party = $1", V(party)));
    if (rows.count > 0)
        *ret = read_row(&rows, 0);
    *ret_found = rows.count > 0;
    return RC_OK;
}

enum rc brand_get(struct tx *tx, struct str party, struct brand *ret)
{
    struct str at = party;
    for (int i = 0; i < SPONSORS_MAX; i++) {
        struct brand brand;
        struct rows rows;
        bool found = false;
        TRY(sql_rows(tx, &rows, "SELECT sponsor, name FROM party WHERE id = $1", V(at)));
        if (rows.count == 0)
            return err_set(tx->err, RC_NOT_FOUND, "there is no party '%.*s'", STRF(party));
        TRY(get_own(tx, at, &brand, &found));
        bool is_operator = row_null(&rows, 0, 0);
        if (!found && !is_operator) {
            at = row_str(&rows, 0, 0);
            continue;
        }
        if (!found)
            brand = plain_brand(party, row_str(&rows, 0, 1));
        if (!str_eq(at, party)) {
            brand.party = party;
            brand.version = INHERITED_VERSION;
            brand.host = STR("");
            brand.changed = 0;
        }
        *ret = brand;
        return RC_OK;
    }
    /* Deeper than any channel is: the operator's, without walking further. */
    struct party operator_party;
    TRY(party_operator(tx, &operator_party));
    *ret = plain_brand(party, operator_party.name);
    return RC_OK;
}

enum rc brand_of_host(struct tx *tx, struct str host, struct brand *ret)
{
    struct str name = str_lower(str_sub(host, 0, str_find(host, ':', 0)), tx->arena);
    struct str parent = str_sub(name, str_find(name, '.', 0), name.n);
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT " COLUMNS " FROM brand b WHERE b.host IN ($1, $2) "
                 "ORDER BY CASE WHEN b.host = $1 THEN 0 ELSE 1 END LIMIT 1",
                 V(name), V(arena_fmt(tx->arena, "*%.*s", STRF(parent)))));
    if (rows.count > 0) {
        *ret = read_row(&rows, 0);
        return RC_OK;
    }
    struct party operator_party;
    TRY(party_operator(tx, &operator_party));
    return brand_get(tx, operator_party.id, ret);
}

/* --- changing --- */

/* "*.example.net" has two labels behind the star at least: nobody owns all of .net. */
static enum rc check_host(struct tx *tx, struct brand *b)
{
    bool wild = str_starts(b->host, STR("*."));
    struct str name;
    TRY(err_blame(host_parse(str_sub(b->host, wild ? 2 : 0, b->host.n), tx->arena, &name, tx->err),
                  "/host", tx->err));
    b->host = arena_fmt(tx->arena, "%s%.*s", wild ? "*." : "", STRF(name));
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT COUNT(*) FROM brand WHERE host = $1 AND party <> $2",
                 V(b->host), V(b->party)));
    if (row_int(&rows, 0, 0) > 0)
        return err_set_at(tx->err, RC_CONFLICT, STR("/host"),
                          "another brand answers at '%.*s' already", STRF(b->host));
    return RC_OK;
}

static enum rc check_colour(struct tx *tx, struct brand *b)
{
    struct colour c;
    const char *ink = NULL;
    char text[COLOUR_TEXT_N + 1];
    TRY(colour_parse(b->colour, &c, tx->err));
    TRY(colour_ink(c, &ink, tx->err));
    colour_format(c, text);
    b->colour = arena_str(tx->arena, str_c(text));
    b->ink = str_c(ink);
    return RC_OK;
}

static enum rc check_logo(struct tx *tx, struct str logo, const char *pointer)
{
    if (logo.n == 0)
        return RC_OK;
    if (logo.n > BRAND_LOGO_MAX)
        return err_set_at(tx->err, RC_INVALID, str_c(pointer), "a logo has at most %d characters",
                          BRAND_LOGO_MAX);
    return err_blame(logo_check(logo, tx->arena, tx->err), pointer, tx->err);
}

/* Checks all, and puts colour, host and sender into one spelling. */
static enum rc check(struct tx *tx, struct brand *b)
{
    TRY(name_check(b->name, "/name", tx->err));
    if (b->colour.n == 0)
        b->colour = BRAND_COLOUR;
    TRY(err_blame(check_colour(tx, b), "/colour", tx->err));
    TRY(check_logo(tx, b->logo, "/logo"));
    TRY(check_logo(tx, b->logo_dark, "/logo_dark"));
    if (b->mail_sender.n > 0)
        TRY(err_blame(email_parse_sender(b->mail_sender, tx->arena, &b->mail_sender, tx->err),
                      "/mail_sender", tx->err));
    return b->host.n > 0 ? check_host(tx, b) : RC_OK;
}

static enum rc write_row(struct tx *tx, const struct brand *b)
{
    return sql_run(tx,
                   "INSERT INTO brand (party, version, name, logo, logo_dark, colour, host, "
                   "mail_sender, legal_footer, changed) "
                   "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
                   "ON CONFLICT (party) DO UPDATE SET version = excluded.version, "
                   "name = excluded.name, logo = excluded.logo, logo_dark = excluded.logo_dark, "
                   "colour = excluded.colour, host = excluded.host, "
                   "mail_sender = excluded.mail_sender, legal_footer = excluded.legal_footer, "
                   "changed = excluded.changed",
                   V(b->party), V(b->version), V(b->name), value_opt(b->logo),
                   value_opt(b->logo_dark), V(b->colour), value_opt(b->host),
                   value_opt(b->mail_sender), value_opt(b->legal_footer), V(b->changed));
}

enum rc brand_change(struct tx *tx, struct str party, int64_t version, const struct brand *patch,
                     struct brand *ret)
{
    struct party owner;
    struct brand b;
    bool found = false;
    TRY(member_check_open(tx, party));
    TRY(party_get(tx, party, &owner));
    TRY(get_own(tx, party, &b, &found));
    if (!found)
        b = plain_brand(party, owner.name);
    if (version != 0 && version != b.version)
        return err_set(tx->err, RC_CHANGED,
                       "the brand has version %lld by now, you changed version %lld",
                       (long long)b.version, (long long)version);
    patch_lay(&brand_schema, &b, patch);
    TRY(check(tx, &b));
    b.version++;
    b.changed = tx->now;
    TRY(write_row(tx, &b));
    TRY(event_put(tx, "event.brand.changed", party, "brand", party, b.version,
                  patch_names(&brand_schema, patch, tx->arena)));
    *ret = b;
    return RC_OK;
}

/* --- mails --- */

enum { MAIL_BYTES_MAX = 32 * 1024 };

static void put_text(struct json_writer *w, const char *key, struct str text)
{
    json_put_key(w, str_c(key));
    json_put_str(w, text);
}

enum rc brand_mail_put(struct tx *tx, const struct brand *b, const struct brand_mail *mail)
{
    struct buf body;
    struct json_writer w;
    buf_init(&body, tx->arena, MAIL_BYTES_MAX);
    json_writer_init(&w, &body);
    json_begin_object(&w);
    put_text(&w, "to", mail->to);
    put_text(&w, "subject", mail->subject);
    put_text(&w, "text", mail->text);
    put_text(&w, "from", b->mail_sender);
    json_end_object(&w);
    ASSERT(!body.full);
    return outbox_put(tx, "mail", mail->party, buf_str(&body));
}
