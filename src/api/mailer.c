#include "api/mailer.h"

#include "base/schema.h"

struct mail_row {
    uint64_t set;
    struct str to;
    struct str subject;
    struct str text;
    struct str from;
};

static const struct field mail_fields[] = {
    FIELD(struct mail_row, to, TEXT, .flags = FIELD_REQUIRED, .min = 3, .max = 254),
    FIELD(struct mail_row, subject, TEXT, .flags = FIELD_REQUIRED, .max = 1000),
    FIELD(struct mail_row, text, TEXT, .flags = FIELD_REQUIRED | FIELD_MULTILINE,
          .max = OUTBOX_BODY_MAX),
    FIELD(struct mail_row, from, TEXT, .max = 1000),
};
static const struct schema mail_schema = SCHEMA(struct mail_row, "mail", mail_fields, "A mail.");

enum rc mailer_send(void *arg, const struct outbox_row *row, struct arena *arena, struct err *err)
{
    const struct mailer *m = arg;
    const struct json *json = NULL;
    struct mail_row mail;
    if (json_parse(row->body, arena, &json, err) != RC_OK ||
        schema_decode(&mail_schema, SCHEMA_WHOLE, json, arena, &mail, err) != RC_OK)
        return err_set(err, RC_INVALID, "the outbox row '%.*s' is no mail", STRF(row->id));
    if (m->url.n == 0) {
        log_event(m->log, LOG_WARN, "mail.not_sent", LOG_S("row", row->id), LOG_S("to", mail.to),
                  LOG_S("why", STR("no mail_url is set")));
        return RC_OK;
    }
    struct wire_mail out = {
        .url = m->url,
        .user = m->user,
        .password = m->password,
        .from = mail.from.n > 0 ? mail.from : m->from,
        .to = mail.to,
        .subject = mail.subject,
        .text = mail.text,
        .message_id = row->id,
    };
    TRY(m->wire->mail(m->wire, &out, arena, err));
    log_event(m->log, LOG_INFO, "mail.sent", LOG_S("row", row->id), LOG_S("to", mail.to));
    return RC_OK;
}
