#include "fleet/operation.h"

#include "catalog/code.h"
#include "store/outbox.h"

enum { STEPS_BYTES_MAX = 4096, EVENT_BYTES_MAX = 16 * 1024 };

#define COLUMNS \
    "o.id, o.service, o.client, o.kind, o.state, o.steps, o.reason, o.created, o.changed"

struct steps {
    uint64_t set;
    struct list steps;
};
static const struct field steps_fields[] = {
    FIELD(struct steps, steps, LIST, .max = OPERATION_STEPS_MAX, .schema = &operation_step_schema,
          .doc = "All of them."),
};
static const struct schema steps_schema = SCHEMA(struct steps, "steps", steps_fields, "As kept.");

static struct str steps_text(struct tx *tx, const struct list *list)
{
    struct buf b;
    struct json_writer w;
    struct steps steps = {.set = 1, .steps = *list};
    buf_init(&b, tx->arena, STEPS_BYTES_MAX);
    json_writer_init(&w, &b);
    schema_encode(&steps_schema, &steps, &w);
    ASSERT(!b.full);
    return buf_str(&b);
}

static enum rc read_row(struct tx *tx, const struct rows *r, size_t row, struct operation *ret)
{
    const struct json *json = NULL;
    struct steps steps = {0};
    TRY(json_parse(row_str(r, row, 5), tx->arena, &json, tx->err));
    TRY(schema_decode(&steps_schema, SCHEMA_WHOLE, json, tx->arena, &steps, tx->err));
    struct operation o = {
        .set = schema_all(&operation_schema),
        .id = row_str(r, row, 0),
        .service = row_str(r, row, 1),
        .client = row_str(r, row, 2),
        .kind = row_str(r, row, 3),
        .state = code_word(step_states, row_str(r, row, 4)),
        .steps = steps.steps,
        .reason = row_str(r, row, 6),
        .created = row_int(r, row, 7),
        .changed = row_int(r, row, 8),
    };
    const struct operation_step *items = o.steps.items;
    for (size_t i = 0; i < o.steps.count; i++)
        if (items[i].state == STEP_RUNNING || items[i].state == STEP_FAILED)
            o.step = items[i].name;
    *ret = o;
    return RC_OK;
}

/* All that a listener wants to know, so that it need not ask. */
static enum rc tell(struct tx *tx, const struct operation *o)
{
    struct buf b;
    struct json_writer w;
    buf_init(&b, tx->arena, EVENT_BYTES_MAX);
    json_writer_init(&w, &b);
    schema_encode(&operation_schema, o, &w);
    ASSERT(!b.full);
    return outbox_put(tx, "event.operation.changed", o->client, buf_str(&b));
}

static enum rc keep(struct tx *tx, struct operation *o)
{
    o->changed = tx->now;
    TRY(sql_run(tx,
                "UPDATE operation SET state = $2, steps = $3, reason = $4, changed = $5 "
                "WHERE id = $1",
                V(o->id), V(step_states[o->state]), V(steps_text(tx, &o->steps)), V(o->reason),
                V(o->changed)));
    TRY(operation_get(tx, o->id, o));
    return tell(tx, o);
}

enum rc operation_get(struct tx *tx, struct str id, struct operation *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM operation o WHERE o.id = $1", V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no operation '%.*s'", STRF(id));
    return read_row(tx, &rows, 0, ret);
}

static const struct page_column sort_columns[] = {{"id", "o.id", PAGE_TEXT}};
static const struct page_table operation_table = {
    .select = "SELECT " COLUMNS " FROM operation o",
    .id = "o.id",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "-id",
};

enum rc operation_list(struct tx *tx, struct str service, const struct page_query *q,
                       struct page *ret)
{
    struct page_term term = {"o.service = ?", V(service)};
    struct rows rows;
    struct str next;
    TRY(page_rows(tx, &operation_table, q, &term, 1, &rows, &next));
    struct operation *operations = NEW_N(tx->arena, struct operation, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        TRY(read_row(tx, &rows, i, &operations[i]));
    *ret = (struct page){{operations, rows.count}, next};
    return RC_OK;
}

/* The open one of a service; *ret_found false: none. */
static enum rc find_open(struct tx *tx, struct str service, struct operation *ret, bool *ret_found)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT " COLUMNS " FROM operation o WHERE o.service = $1 AND o.state = $2 "
                 "ORDER BY o.id DESC LIMIT 1",
                 V(service), V(step_states[STEP_RUNNING])));
    *ret_found = rows.count > 0;
    return rows.count > 0 ? read_row(tx, &rows, 0, ret) : RC_OK;
}

enum rc operation_fail(struct tx *tx, struct str service, struct str reason)
{
    struct operation o;
    bool found = false;
    TRY(find_open(tx, service, &o, &found));
    if (!found)
        return RC_OK;
    struct operation_step *steps = o.steps.items;
    for (size_t i = 0; i < o.steps.count; i++)
        if (steps[i].state == STEP_RUNNING) {
            steps[i].state = STEP_FAILED;
            steps[i].at = tx->now;
        }
    o.state = STEP_FAILED;
    o.reason = reason;
    return keep(tx, &o);
}

enum rc operation_explain(struct tx *tx, struct str service, struct str reason)
{
    struct operation o;
    bool found = false;
    TRY(find_open(tx, service, &o, &found));
    if (!found || str_eq(o.reason, reason))
        return RC_OK;
    o.reason = reason;
    return keep(tx, &o);
}

enum rc operation_begin(struct tx *tx, struct str service, struct str client, const char *kind,
                        const char *const *names, struct operation *ret)
{
    TRY(operation_fail(tx, service, arena_fmt(tx->arena, "overtaken by: %s", kind)));
    struct operation_step *steps = NEW_N(tx->arena, struct operation_step, OPERATION_STEPS_MAX);
    size_t count = 0;
    for (; names[count] != NULL; count++) {
        ASSERT(count < OPERATION_STEPS_MAX);
        steps[count] = (struct operation_step){.set = schema_all(&operation_step_schema),
                                               .name = str_c(names[count]),
                                               .state = count == 0 ? STEP_RUNNING : STEP_WAITING,
                                               .at = tx->now};
    }
    struct list list = {steps, count};
    struct str id = id_new(tx->ids, tx->arena, "opr");
    TRY(sql_run(tx,
                "INSERT INTO operation (id, service, client, kind, state, steps, reason, created, "
                "changed) VALUES ($1, $2, $3, $4, $5, $6, '', $7, $7)",
                V(id), V(service), V(client), V(kind), V(step_states[STEP_RUNNING]),
                V(steps_text(tx, &list)), V(tx->now)));
    TRY(operation_get(tx, id, ret));
    return tell(tx, ret);
}

/* Index of the step, or the count where there is none. */
static size_t find_step(const struct operation *o, const char *name)
{
    const struct operation_step *steps = o->steps.items;
    size_t at = 0;
    while (at < o->steps.count && (name == NULL || !str_eq(steps[at].name, str_c(name))))
        at++;
    return at;
}

enum rc operation_reach(struct tx *tx, struct str service, const char *name)
{
    struct operation o;
    bool found = false;
    TRY(find_open(tx, service, &o, &found));
    size_t at = found ? find_step(&o, name) : 0;
    if (!found || (name != NULL && at == o.steps.count))
        return RC_OK;
    struct operation_step *steps = o.steps.items;
    if (at < o.steps.count && steps[at].state != STEP_WAITING)
        return RC_OK;
    for (size_t i = 0; i < at; i++)
        if (steps[i].state != STEP_DONE) {
            steps[i].state = STEP_DONE;
            steps[i].at = tx->now;
        }
    if (at < o.steps.count) {
        steps[at].state = STEP_RUNNING;
        steps[at].at = tx->now;
    } else {
        o.state = STEP_DONE;
        o.reason = STR("");
    }
    return keep(tx, &o);
}
