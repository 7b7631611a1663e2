/*
 * meter_routes.c - usage in, usage out.
 *
 * Bodies are read on the work pool in a snapshot, as they may be large; only what has to be looked
 * up and kept waits for the writer.
 */
#include "api/handlers.h"
#include "api/resources.h"
#include "api/usage_body.h"
#include "meter/source.h"

/* The party that is named; else the one for which the source reports already; else the only one
 * that may. */
static enum rc find_reporter(struct call *c, struct str source, struct str *ret)
{
    const struct usage_target *q = c->query;
    struct rows parties;
    struct str known;
    if (q->party.n > 0) {
        *ret = q->party;
        return permission_allow(c->tx, &c->caller, PERM_USAGE_WRITE, q->party);
    }
    TRY(permission_parties(c->tx, &c->caller, PERM_USAGE_WRITE, &parties));
    TRY(usage_source_party(c->tx, source, &known));
    for (size_t i = 0; i < parties.count; i++)
        if (parties.count == 1 || str_eq(row_str(&parties, i, 0), known)) {
            *ret = row_str(&parties, i, 0);
            return RC_OK;
        }
    return err_set_at(c->err, RC_INVALID, STR("party"),
                      "several of your parties may report: say for which");
}

static enum rc take_usage(struct call *c)
{
    const struct usage_body *s = c->steps;
    struct str party;
    struct usage_report report;
    TRY(find_reporter(c, s->source, &party));
    TRY(usage_take(c->tx, party, s->source, s->records, s->count, &report));
    c->note.party = party;
    c->note.subject = s->source;
    return call_reply(c, &report);
}

enum rc usage_take_handler(struct call *c)
{
    c->steps = NEW(c->arena, struct usage_body);
    TRY(call_read(c, usage_body_read));
    return call_write(c, take_usage);
}

enum rc usage_list_handler(struct call *c)
{
    struct list list;
    TRY(total_rows(c->tx, c->params[0], &list));
    return call_reply_list(c, list);
}

/* --- sources and conflicts: a party's own, and the operator's all --- */

static enum rc whose(struct call *c, struct str *ret)
{
    struct party operator;
    TRY(party_operator(c->tx, &operator));
    *ret = str_eq(operator.id, c->owner) ? STR("") : c->owner;
    return RC_OK;
}

enum rc suspension_list_handler(struct call *c)
{
    struct page page;
    const struct list_query *q = c->query;
    TRY(suspension_list(c->tx, c->owner, &q->page, &page));
    return call_reply_page(c, &page);
}

enum rc usage_conflicts_handler(struct call *c)
{
    struct page page;
    struct str party;
    TRY(whose(c, &party));
    TRY(usage_conflict_list(c->tx, party, c->query, &page));
    return call_reply_page(c, &page);
}

enum rc usage_conflict_see_handler(struct call *c)
{
    struct usage_conflict before;
    struct usage_conflict after;
    TRY(usage_conflict_get(c->tx, c->params[0], &before));
    TRY(usage_conflict_see(c->tx, before.id, c->caller.user, &after));
    call_note(c, after.id, &usage_conflict_schema, &before, &after);
    return call_reply(c, &after);
}

enum rc usage_sources_handler(struct call *c)
{
    struct page page;
    struct str party;
    const struct list_query *q = c->query;
    TRY(whose(c, &party));
    TRY(usage_source_list(c->tx, party, &q->page, &page));
    return call_reply_page(c, &page);
}

enum rc usage_bind_handler(struct call *c)
{
    struct usage_source made;
    TRY(usage_source_bind(c->tx, c->owner, c->body, &made));
    call_note(c, made.source, &usage_source_schema, NULL, &made);
    return call_reply(c, &made);
}
