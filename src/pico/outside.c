/*
 * What an item has asked the outside, and the answer. An activation may be begun anew (it waits for
 * the disk, a commit failed, the pico it asks stands still): then what it asked before is not asked
 * again, but answered from here. After a crash it is asked again: nothing of this is stored.
 */
#include "pico/inside.h"

#include <sodium.h>
#include <stdlib.h>

enum { NOTES_MAX = 256, NOTES_BYTES_MAX = 16 * 1024 * 1024 };

struct outside_note {
    struct outside_note *next;
    bool used; /* by the activation that runs */
    uint8_t hash[OUTSIDE_HASH];
    int status;
    size_t header_count;
    struct pair *headers; /* all lies behind */
    struct str body;
};

void outside_hash(const struct str *parts, size_t count, uint8_t ret[OUTSIDE_HASH])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, OUTSIDE_HASH);
    for (size_t i = 0; i < count; i++) {
        crypto_generichash_update(&state, (const unsigned char *)&parts[i].n, sizeof parts[i].n);
        crypto_generichash_update(&state, (const unsigned char *)parts[i].p, parts[i].n);
    }
    crypto_generichash_final(&state, ret, OUTSIDE_HASH);
}

void outside_rewind(struct item *i)
{
    for (struct outside_note *n = i->outside; n != NULL; n = n->next)
        n->used = false;
}

void outside_forget(struct item *i)
{
    for (struct outside_note *n = i->outside, *next = NULL; n != NULL; n = next) {
        next = n->next;
        free(n);
    }
    i->outside = NULL;
}

bool outside_find(struct item *i, const uint8_t hash[OUTSIDE_HASH], struct arena *arena,
                  struct wire_reply *ret)
{
    struct outside_note *n = i->outside;
    while (n != NULL && (n->used || memcmp(n->hash, hash, OUTSIDE_HASH) != 0))
        n = n->next;
    if (n == NULL)
        return false;
    n->used = true;
    *ret = (struct wire_reply){.status = n->status,
                               .header_count = n->header_count,
                               .headers = NEW_N(arena, struct pair, n->header_count + 1),
                               .body = arena_str(arena, n->body)};
    for (size_t k = 0; k < n->header_count; k++)
        ret->headers[k] = (struct pair){arena_str(arena, n->headers[k].name),
                                        arena_str(arena, n->headers[k].value)};
    return true;
}

static struct str put(char **at, struct str s)
{
    char *p = *at;
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    *at += s.n;
    return str_n(p, s.n);
}

void outside_keep(struct item *i, const uint8_t hash[OUTSIDE_HASH], const struct wire_reply *r)
{
    size_t bytes = sizeof(struct outside_note) + r->header_count * sizeof *r->headers + r->body.n;
    size_t kept = 0;
    size_t count = 0;
    struct outside_note **last = &i->outside;
    for (; *last != NULL; last = &(*last)->next, count++)
        kept += (*last)->body.n;
    for (size_t k = 0; k < r->header_count; k++)
        bytes += r->headers[k].name.n + r->headers[k].value.n;
    if (count >= NOTES_MAX || kept + bytes > NOTES_BYTES_MAX)
        return; /* too much to remember: it would be asked again */
    struct outside_note *n = malloc(bytes);
    ASSERT(n != NULL);
    *n = (struct outside_note){.used = true,
                               .status = r->status,
                               .header_count = r->header_count,
                               .headers = (struct pair *)(n + 1)};
    memcpy(n->hash, hash, OUTSIDE_HASH);
    char *at = (char *)(n->headers + r->header_count);
    for (size_t k = 0; k < r->header_count; k++) {
        struct str name = put(&at, r->headers[k].name);
        n->headers[k] = (struct pair){name, put(&at, r->headers[k].value)};
    }
    n->body = put(&at, r->body);
    *last = n;
}
