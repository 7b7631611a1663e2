#include "party/event.h"

enum { EVENT_MAX = 8 * 1024 };

enum rc event_put(struct tx *tx, const char *topic, struct str party, const char *resource,
                  struct str id, int64_t version, struct str changed)
{
    struct buf body;
    struct json_writer w;
    buf_init(&body, tx->arena, EVENT_MAX);
    json_writer_init(&w, &body);
    json_begin_object(&w);
    json_put_key(&w, STR("id"));
    json_put_str(&w, id);
    json_put_key(&w, STR("resource"));
    json_put_str(&w, str_c(resource));
    if (version > 0) {
        json_put_key(&w, STR("version"));
        json_put_i64(&w, version);
    }
    if (changed.n > 0) {
        json_put_key(&w, STR("changed"));
        json_put_raw(&w, changed);
    }
    json_end_object(&w);
    ASSERT(!body.full);
    return outbox_put(tx, topic, party, buf_str(&body));
}
