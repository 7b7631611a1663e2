#include "api/usage_body.h"

enum rc usage_body_read(struct call *c)
{
    struct usage_body *s = c->steps;
    struct str type = http_header(c->x, "Content-Type");
    bool binary = str_eq_nocase(str_trim(str_cut(&type, ';')), str_c(usage_media_binary));
    TRY(binary ? usage_read_binary(c->tx, http_body(c->x), &s->records, &s->count, &s->source)
               : usage_read_json(c->tx, http_body(c->x), &s->records, &s->count, &s->source));
    return RC_OK;
}
