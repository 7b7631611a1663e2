/* The tables of alerts. Data only: the command line links them without a store. */
#include "fleet/alert.h"

const char *const alert_kinds[] = {"failing", "recovered", "summary", "test", NULL};
const char *const delivery_states[] = {"waiting", "sent", "dead", NULL};

#define RO   (FIELD_READ_ONLY)
#define WIDE (FIELD_READ_ONLY | FIELD_WIDE)

static const struct field alert_fields[] = {
    FIELD(struct alert, id, TEXT, .flags = RO, .prefix = "alr", .doc = "Id of the alert."),
    FIELD(struct alert, version, INT, .flags = WIDE, .min = 1, .max = INT64_MAX,
          .doc = "Grows with every change; the ETag."),
    FIELD(struct alert, party, TEXT, .flags = WIDE, .prefix = "pty", .doc = "Whose it is."),
    FIELD(struct alert, name, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 100,
          .doc = "Name for people.", .example = "\"night watch\""),
    FIELD(struct alert, subjects, LIST, .max = ALERT_SUBJECTS_MAX,
          .doc = "Which services and nodes, or those at which sites; all of the party's unless "
                 "said otherwise."),
    FIELD(struct alert, promises, LIST, .max = ALERT_PROMISES_MAX,
          .doc = "Which of their promises, by name; all unless said otherwise."),
    FIELD(struct alert, mail, TEXT, .min = 3, .max = 254,
          .doc = "The mail address that is told: either this or a URL.",
          .example = "\"night@example.net\""),
    FIELD(struct alert, url, TEXT, .min = 8, .max = ALERT_URL_MAX,
          .doc = "The URL that is called with each message."),
    FIELD(struct alert, delay_s, INT, .flags = FIELD_WIDE, .max = ALERT_DELAY_S_MAX,
          .doc = "Seconds that a promise fails before it is told; 60 unless said otherwise."),
    FIELD(struct alert, hourly, INT, .flags = FIELD_WIDE, .min = 1, .max = ALERT_HOURLY_MAX,
          .doc = "Messages in an hour; what is more becomes one summary. 12 unless said "
                 "otherwise."),
    FIELD(struct alert, paused, BOOL, .doc = "Nothing is told."),
    FIELD(struct alert, confirmed, BOOL, .flags = RO,
          .doc = "The code that was mailed to its address was said; of a URL: always."),
    FIELD(struct alert, secret, TEXT, .flags = RO,
          .doc = "What a webhook's signature is made with: shown in this answer alone."),
    FIELD(struct alert, failing, INT, .flags = RO, .max = INT64_MAX,
          .doc = "Promises that it told of, and that are not kept again."),
    FIELD(struct alert, waiting, INT, .flags = RO, .max = INT64_MAX,
          .doc = "Messages that are on their way."),
    FIELD(struct alert, tries, INT, .flags = WIDE, .max = INT64_MAX,
          .doc = "How often in a row the receiver failed."),
    FIELD(struct alert, error, TEXT, .flags = WIDE, .doc = "Why it failed last."),
    FIELD(struct alert, created, TIME, .flags = WIDE, .doc = "When made."),
    FIELD(struct alert, changed, TIME, .flags = WIDE, .doc = "When changed last."),
};
const struct schema alert_schema =
    SCHEMA(struct alert, "alert", alert_fields, "Who is told that a promise fails.");

static const struct field confirmation_fields[] = {
    FIELD(struct alert_confirmation, code, TEXT, .min = 1, .max = 100,
          .doc = "The code that was mailed; without it another one is mailed."),
};
const struct schema alert_confirmation_schema =
    SCHEMA(struct alert_confirmation, "alert_confirmation", confirmation_fields,
           "Whoever is told has said yes.");

#define MESSAGE_FIELDS                                                                           \
    FIELD(struct alert_delivery, id, TEXT, .flags = RO, .prefix = "ald",                         \
          .doc = "Id of the message: the same whenever it is sent again."),                      \
        FIELD(struct alert_delivery, alert, TEXT, .flags = WIDE, .prefix = "alr",                \
              .doc = "By which rule."),                                                          \
        FIELD(struct alert_delivery, kind, WORD, .flags = RO, .words = alert_kinds,              \
              .doc = "What it tells."),                                                          \
        FIELD(struct alert_delivery, subject, TEXT, .flags = WIDE,                               \
              .doc = "The service or node; empty: several."),                                    \
        FIELD(struct alert_delivery, title, TEXT, .flags = RO, .doc = "Its name."),              \
        FIELD(struct alert_delivery, promise, TEXT, .flags = RO, .doc = "The promise's name."),  \
        FIELD(struct alert_delivery, text, TEXT, .flags = WIDE | FIELD_MULTILINE,                \
              .max = ALERT_TEXT_MAX, .doc = "Why, as its node said."),                           \
        FIELD(struct alert_delivery, since, TIME, .flags = WIDE, .doc = "Since when it is so."), \
        FIELD(struct alert_delivery, created, TIME, .flags = RO,                                 \
              .doc = "When the message was made.")

static const struct field message_fields[] = {MESSAGE_FIELDS};
const struct schema alert_message_schema =
    SCHEMA(struct alert_delivery, "alert_message", message_fields, "What a webhook is sent.");

static const struct field delivery_fields[] = {
    MESSAGE_FIELDS,
    FIELD(struct alert_delivery, state, WORD, .flags = RO, .words = delivery_states,
          .doc = "Whether it was sent."),
    FIELD(struct alert_delivery, tries, INT, .flags = RO, .max = INT64_MAX,
          .doc = "How often that was tried."),
    FIELD(struct alert_delivery, error, TEXT, .flags = RO, .doc = "Why it failed last."),
    FIELD(struct alert_delivery, ended, TIME, .flags = WIDE,
          .doc = "When it was sent or given up."),
};
const struct schema alert_delivery_schema =
    SCHEMA(struct alert_delivery, "alert_delivery", delivery_fields, "A message of an alert.");
