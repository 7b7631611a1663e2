#include "main/here.h"

#include "fleet/node.h"
#include "fleet/site.h"
#include "node/file.h"
#include "party/party.h"

#include <unistd.h>

/* Processors are shared by turns: on a small machine of somebody's own a few idle services go
 * together. */
enum { HERE_LIST_MAX = 200, HOST_BYTES = 64, HERE_COMMITMENT_PERCENT = 400 };

static const struct str site_name = STR_INIT("here");

struct here {
    const struct settings *settings;
    struct str host;
    struct str token;
};

static enum rc find_site(struct tx *tx, const struct party *owner, const struct settings *s,
                         struct str *ret)
{
    struct page page;
    struct site site;
    const struct site_query q = {.page = {.limit = HERE_LIST_MAX}};
    TRY(site_list(tx, owner->id, false, &q, &page));
    const struct site *items = page.items.items;
    for (size_t i = 0; i < page.items.count; i++)
        if (str_eq(items[i].name, site_name)) {
            *ret = items[i].id;
            return RC_OK;
        }
    const struct site fresh = {
        .name = site_name, .country = s->operator_country, .city = site_name};
    TRY(site_create(tx, owner->id, &fresh, &site));
    *ret = site.id;
    return RC_OK;
}

static enum rc make_token(struct tx *tx, void *arg)
{
    struct here *h = arg;
    struct party owner;
    struct page page;
    struct node node = {0};
    struct node_query q = {.page = {.limit = HERE_LIST_MAX}};
    TRY(party_operator(tx, &owner));
    TRY(find_site(tx, &owner, h->settings, &q.site));
    q.set = schema_bit(&node_query_schema, "site");
    TRY(node_list(tx, owner.id, false, &q, &page));
    const struct node *items = page.items.items;
    for (size_t i = 0; i < page.items.count; i++)
        if (str_eq(items[i].name, h->host)) {
            TRY(node_token(tx, items[i].id, &node));
            h->token = node.token;
            return RC_OK;
        }
    const struct node fresh = {.name = h->host, .commitment_percent = HERE_COMMITMENT_PERCENT};
    TRY(node_create(tx, q.site, &fresh, &node));
    h->token = node.token;
    return RC_OK;
}

enum rc here_token(struct store *store, const struct settings *s, struct str url,
                   struct arena *arena, struct err *err)
{
    char host[HOST_BYTES + 1] = "here";
    struct here h = {.settings = s};
    (void)gethostname(host, HOST_BYTES); /* else it has the name of its site */
    h.host = arena_str(arena, str_c(host));
    TRY(store_write(store, arena, err, make_token, &h));
    return file_write(arena_cstr(arena, s->here_token),
                      arena_fmt(arena, "%.*s %.*s\n", STRF(url), STRF(h.token)), err);
}
