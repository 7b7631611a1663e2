/* The rules: who keeps them, and what they may be about. */
#include "fleet/alert_inside.h"

#include "fleet/words.h"
#include "party/brand.h"
#include "party/email.h"
#include "party/event.h"
#include "party/patch.h"
#include "party/secret.h"

#define WAY_MAIL    STR("mail")
#define WAY_WEBHOOK STR("webhook")

#define COLUMNS                                                                              \
    "a.id, a.version, a.party, a.name, a.subjects, a.promises, a.way, a.target, a.delay_s, " \
    "a.hourly, a.paused, a.tries, a.error, a.created, a.changed, a.code, "                   \
    "(SELECT COUNT(*) FROM alert_watch w WHERE w.alert = a.id AND w.told = 1), "             \
    "(SELECT COUNT(*) FROM alert_delivery d WHERE d.alert = a.id AND d.state = 'waiting')"

static struct alert read_row(struct tx *tx, const struct rows *r, size_t row)
{
    bool mail = str_eq(row_str(r, row, 6), WAY_MAIL);
    return (struct alert){
        .set = schema_all(&alert_schema) & ~schema_bit(&alert_schema, "secret"),
        .id = row_str(r, row, 0),
        .version = row_int(r, row, 1),
        .party = row_str(r, row, 2),
        .name = row_str(r, row, 3),
        .subjects = words_split(row_str(r, row, 4), tx->arena),
        .promises = words_split(row_str(r, row, 5), tx->arena),
        .mail = mail ? row_str(r, row, 7) : STR(""),
        .url = mail ? STR("") : row_str(r, row, 7),
        .delay_s = row_int(r, row, 8),
        .hourly = row_int(r, row, 9),
        .paused = row_int(r, row, 10) != 0,
        .tries = row_int(r, row, 11),
        .error = row_str(r, row, 12),
        .created = row_int(r, row, 13),
        .changed = row_int(r, row, 14),
        .confirmed = row_null(r, row, 15),
        .failing = row_int(r, row, 16),
        .waiting = row_int(r, row, 17),
    };
}

enum rc alert_get(struct tx *tx, struct str id, struct alert *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM alert a WHERE a.id = $1", V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no alert '%.*s'", STRF(id));
    *ret = read_row(tx, &rows, 0);
    return RC_OK;
}

static const struct page_column sort_columns[] = {
    {"id", "a.id", PAGE_TEXT},
    {"name", "a.name", PAGE_TEXT},
};
static const struct page_table alert_table = {
    .select = "SELECT " COLUMNS " FROM alert a",
    .id = "a.id",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "id",
};

enum rc alert_list(struct tx *tx, struct str party, const struct page_query *q, struct page *ret)
{
    struct page_term term = {"a.party = ?", V(party)};
    struct rows rows;
    struct str next;
    TRY(page_rows(tx, &alert_table, q, &term, 1, &rows, &next));
    struct alert *items = NEW_N(tx->arena, struct alert, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        items[i] = read_row(tx, &rows, i);
    *ret = (struct page){{items, rows.count}, next};
    return RC_OK;
}

/* --- what a rule may be about --- */

static enum rc sees_site(struct tx *tx, struct str site, struct str party, bool *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT s.id FROM site s WHERE s.id = $1 AND (s.owner = $2 OR EXISTS "
                 "(SELECT 1 FROM node n WHERE n.site = s.id AND n.owner = $2) OR EXISTS "
                 "(SELECT 1 FROM node n JOIN service v ON v.node = n.id WHERE n.site = s.id "
                 "AND (v.client = $2 OR v.seller = $2)))",
                 V(site), V(party)));
    *ret = rows.count > 0;
    return RC_OK;
}

static enum rc sees(struct tx *tx, struct str id, struct str party, bool *ret)
{
    struct alert_subject s;
    if (id_is(id, "sit"))
        return sees_site(tx, id, party, ret);
    enum rc rc = alert_subject(tx, id, &s);
    *ret = rc == RC_OK && (str_eq(s.parties[0], party) || str_eq(s.parties[1], party));
    if (rc != RC_NOT_FOUND)
        return rc;
    err_clear(tx->err);
    return RC_OK;
}

static enum rc check_subjects(struct tx *tx, const struct alert *a)
{
    const struct str *items = a->subjects.items;
    for (size_t i = 0; i < a->subjects.count; i++) {
        bool yes = false;
        TRY(sees(tx, items[i], a->party, &yes));
        if (!yes)
            return err_set_at(tx->err, RC_INVALID, arena_fmt(tx->arena, "/subjects/%zu", i),
                              "'%.*s' is no service, node or site of this party", STRF(items[i]));
    }
    return RC_OK;
}

/* Which address it is, is seen when it is called. */
static enum rc check_url(struct tx *tx, struct str url)
{
    if (!str_starts(url, STR("https://")) && !str_starts(url, STR("http://")))
        return err_set_at(tx->err, RC_INVALID, STR("/url"), "it begins with https:// or http://");
    struct str rest = str_sub(url, str_find(url, '/', 0) + 2, url.n);
    size_t host = str_find(rest, '/', 0);
    for (size_t i = 0; i < url.n; i++)
        if (url.p[i] <= ' ' || url.p[i] >= 0x7F)
            return err_set_at(tx->err, RC_INVALID, STR("/url"), "letters of ASCII alone, no space");
    if (host == 0 || str_find(rest, '@', 0) < host)
        return err_set_at(tx->err, RC_INVALID, STR("/url"), "a host name alone before the path");
    return RC_OK;
}

/* As the store has it. */
struct texts {
    struct str subjects;
    struct str promises;
    struct str way;
    struct str target;
};

static enum rc check(struct tx *tx, const struct alert *a, struct texts *ret)
{
    if ((a->mail.n > 0) == (a->url.n > 0))
        return err_set_at(tx->err, RC_INVALID, STR("/mail"), "either mail or url is wanted");
    ret->way = a->mail.n > 0 ? WAY_MAIL : WAY_WEBHOOK;
    ret->target = a->url;
    if (a->mail.n > 0 && email_parse(a->mail, tx->arena, &ret->target, tx->err) != RC_OK) {
        struct str why = arena_str(tx->arena, err_text(tx->err));
        err_clear(tx->err);
        return err_set_at(tx->err, RC_INVALID, STR("/mail"), "%.*s", STRF(why));
    }
    if (a->url.n > 0)
        TRY(check_url(tx, a->url));
    TRY(check_subjects(tx, a));
    TRY(words_join(&a->subjects, "/subjects", tx->arena, &ret->subjects, tx->err));
    return words_join(&a->promises, "/promises", tx->arena, &ret->promises, tx->err);
}

static enum rc check_room(struct tx *tx, struct str party)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT COUNT(*) FROM alert WHERE party = $1", V(party)));
    if (row_int(&rows, 0, 0) >= ALERT_OF_PARTY_MAX)
        return err_set(tx->err, RC_CONFLICT, "there are %d alerts, which is the most",
                       ALERT_OF_PARTY_MAX);
    return RC_OK;
}

/* --- the code that an address is confirmed by --- */

/* By the outbox, as an invitation goes: it is no message of the rule. */
static enum rc mail_code(struct tx *tx, struct str party, struct str id, struct str name,
                         struct str target)
{
    struct brand brand;
    struct brand_mail mail = {.party = party, .to = target};
    struct str code = secret_new(tx, "alc_");
    TRY(brand_get(tx, party, &brand));
    TRY(sql_run(tx, "UPDATE alert SET code = $2 WHERE id = $1", V(id),
                V(secret_hash(code, tx->arena))));
    mail.subject = arena_fmt(tx->arena, "%.*s: confirm this address", STRF(name));
    mail.text =
        arena_fmt(tx->arena,
                  "Somebody wants what goes wrong with services and nodes of %.*s to be mailed to "
                  "you.\nIf you want that, let them have this code:\n\n    %.*s\n\n"
                  "They say it with\n\n    hanse alert confirm %.*s --code CODE\n\n"
                  "If you do not, forget this mail: no other one follows.\n\n-- \n%.*s\n",
                  STRF(brand.name), STRF(code), STRF(id), STRF(brand.name));
    return brand_mail_put(tx, &brand, &mail);
}

/* Another code is a message of its hour, as nobody is to be flooded by codes either. */
static enum rc mail_again(struct tx *tx, const struct alert *a)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT hour, told, hourly FROM alert WHERE id = $1", V(a->id)));
    bool old = tx->now - row_int(&rows, 0, 0) >= ALERT_HOUR_US;
    int64_t told = old ? 0 : row_int(&rows, 0, 1);
    if (told >= row_int(&rows, 0, 2))
        return err_set(tx->err, RC_CONFLICT, "it had all the messages of this hour: %lld",
                       (long long)row_int(&rows, 0, 2));
    TRY(sql_run(tx, "UPDATE alert SET hour = $2, told = $3 WHERE id = $1", V(a->id),
                V(old ? tx->now : row_int(&rows, 0, 0)), V(told + 1)));
    return mail_code(tx, a->party, a->id, a->name, a->mail);
}

enum rc alert_confirm(struct tx *tx, struct str id, struct str code, struct alert *ret)
{
    struct alert a;
    struct rows rows;
    TRY(alert_get(tx, id, &a));
    if (a.confirmed)
        return err_set(tx->err, RC_CONFLICT, "alert '%.*s' is confirmed", STRF(a.name));
    if (code.n == 0) {
        TRY(mail_again(tx, &a));
        return alert_get(tx, id, ret);
    }
    TRY(sql_rows(tx, &rows, "SELECT code FROM alert WHERE id = $1", V(id)));
    if (!str_eq(row_str(&rows, 0, 0), secret_hash(code, tx->arena)))
        return err_set_at(tx->err, RC_INVALID, STR("/code"),
                          "this is not the code that was mailed last");
    TRY(sql_run(tx,
                "UPDATE alert SET version = version + 1, code = NULL, due = $2, changed = $3 "
                "WHERE id = $1",
                V(id), V(a.waiting > 0 ? tx->now : ALERT_NEVER), V(tx->now)));
    TRY(event_put(tx, "event.alert.changed", a.party, "alert", id, a.version + 1,
                  STR("[\"confirmed\"]")));
    return alert_get(tx, id, ret);
}

/* --- making and changing --- */

static enum rc make_secret(struct tx *tx, const struct seal *seal, struct alert *a,
                           struct str *ret_sealed)
{
    if (seal == NULL)
        return err_set(tx->err, RC_UNSUPPORTED,
                       "this installation has no key to keep a webhook's secret with: key_file");
    a->secret = secret_new(tx, "whs_");
    a->set |= schema_bit(&alert_schema, "secret");
    *ret_sealed = seal_close(seal, tx, a->secret);
    return RC_OK;
}

enum rc alert_create(struct tx *tx, const struct seal *seal, struct str party,
                     const struct alert *fresh, struct alert *ret)
{
    struct alert a = *fresh;
    struct texts t;
    struct str sealed = STR("");
    a.party = party;
    a.delay_s = schema_has(&alert_schema, fresh, "delay_s") ? a.delay_s : ALERT_DELAY_S;
    a.hourly = schema_has(&alert_schema, fresh, "hourly") ? a.hourly : ALERT_HOURLY;
    TRY(check(tx, &a, &t));
    TRY(check_room(tx, party));
    if (str_eq(t.way, WAY_WEBHOOK))
        TRY(make_secret(tx, seal, &a, &sealed));
    a.id = id_new(tx->ids, tx->arena, "alr");
    TRY(sql_run(tx,
                "INSERT INTO alert (id, version, party, name, subjects, promises, way, target, "
                "secret, delay_s, hourly, paused, hour, told, held, summary, due, resting, tries, "
                "error, created, changed) VALUES ($1, 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
                "$11, 0, 0, 0, $12, $12, 0, 0, '', $13, $13)",
                V(a.id), V(party), V(a.name), V(t.subjects), V(t.promises), V(t.way), V(t.target),
                sealed.n > 0 ? value_bytes(sealed) : SQL_NULL, V(a.delay_s), V(a.hourly),
                V(a.paused), V(ALERT_NEVER), V(tx->now)));
    if (str_eq(t.way, WAY_MAIL))
        TRY(mail_code(tx, party, a.id, a.name, t.target));
    TRY(event_put(tx, "event.alert.created", party, "alert", a.id, 1, STR("")));
    struct str secret = a.secret;
    TRY(alert_get(tx, a.id, ret));
    if (secret.n > 0) {
        ret->secret = secret;
        ret->set |= schema_bit(&alert_schema, "secret");
    }
    return RC_OK;
}

static enum rc forget_watched(struct tx *tx, struct str id)
{
    return sql_run(tx, "DELETE FROM alert_watch WHERE alert = $1", V(id));
}

enum rc alert_change(struct tx *tx, struct str id, int64_t version, const struct alert *patch,
                     struct alert *ret)
{
    struct alert a;
    struct texts t;
    TRY(alert_get(tx, id, &a));
    bool mail = a.mail.n > 0;
    struct str before = a.mail;
    if (version != 0 && version != a.version)
        return err_set(tx->err, RC_CHANGED, "alert '%.*s' has version %lld by now", STRF(a.name),
                       (long long)a.version);
    patch_lay(&alert_schema, &a, patch);
    TRY(check(tx, &a, &t));
    if (mail != str_eq(t.way, WAY_MAIL))
        return err_set_at(tx->err, RC_INVALID, mail ? STR("/url") : STR("/mail"),
                          "another way to tell is another alert");
    if (a.paused)
        TRY(forget_watched(tx, id));
    TRY(sql_run(tx,
                "UPDATE alert SET version = version + 1, name = $2, subjects = $3, promises = $4, "
                "target = $5, delay_s = $6, hourly = $7, paused = $8, changed = $9 WHERE id = $1",
                V(id), V(a.name), V(t.subjects), V(t.promises), V(t.target), V(a.delay_s),
                V(a.hourly), V(a.paused), V(tx->now)));
    a.mail = t.target;
    if (mail && !str_eq(email_key(before, tx->arena), email_key(a.mail, tx->arena)))
        TRY(mail_again(tx, &a));
    TRY(event_put(tx, "event.alert.changed", a.party, "alert", id, a.version + 1,
                  patch_names(&alert_schema, patch, tx->arena)));
    return alert_get(tx, id, ret);
}

enum rc alert_delete(struct tx *tx, struct str id)
{
    struct alert a;
    TRY(alert_get(tx, id, &a));
    TRY(forget_watched(tx, id));
    TRY(sql_run(tx, "DELETE FROM alert_delivery WHERE alert = $1", V(id)));
    TRY(sql_run(tx, "DELETE FROM alert WHERE id = $1", V(id)));
    return event_put(tx, "event.alert.deleted", a.party, "alert", id, a.version, STR(""));
}

enum rc alert_renew(struct tx *tx, const struct seal *seal, struct str id, struct alert *ret)
{
    struct alert a;
    struct str sealed;
    TRY(alert_get(tx, id, &a));
    if (a.mail.n > 0)
        return err_set(tx->err, RC_CONFLICT, "alert '%.*s' goes by mail and has no secret",
                       STRF(a.name));
    TRY(make_secret(tx, seal, &a, &sealed));
    TRY(sql_run(tx,
                "UPDATE alert SET version = version + 1, secret = $2, changed = $3 "
                "WHERE id = $1",
                V(id), value_bytes(sealed), V(tx->now)));
    a.version++;
    a.changed = tx->now;
    *ret = a;
    return event_put(tx, "event.alert.changed", a.party, "alert", id, a.version,
                     STR("[\"secret\"]"));
}
