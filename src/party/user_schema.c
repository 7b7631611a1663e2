#include "party/user.h"

static const struct field membership_fields[] = {
    FIELD(struct membership, party, TEXT, .flags = FIELD_READ_ONLY, .prefix = "pty",
          .doc = "For which party."),
    FIELD(struct membership, party_name, TEXT, .flags = FIELD_READ_ONLY, .doc = "Its name."),
    FIELD(struct membership, user, TEXT, .flags = FIELD_READ_ONLY, .prefix = "usr",
          .doc = "Who acts for it."),
    FIELD(struct membership, user_name, TEXT, .flags = FIELD_READ_ONLY, .doc = "Name of the user."),
    FIELD(struct membership, email, TEXT, .flags = FIELD_READ_ONLY,
          .doc = "E-mail address of the user."),
    FIELD(struct membership, role, TEXT, .flags = FIELD_READ_ONLY, .doc = "With which role."),
    FIELD(struct membership, created, TIME, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "Since when."),
};
const struct schema membership_schema = SCHEMA(struct membership, "membership", membership_fields,
                                               "One role that a user has for a party.");

static const struct field user_fields[] = {
    FIELD(struct user, id, TEXT, .flags = FIELD_READ_ONLY, .prefix = "usr",
          .doc = "Id of the user."),
    FIELD(struct user, version, INT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .min = 1,
          .max = INT64_MAX, .doc = "Grows with every change; the ETag."),
    FIELD(struct user, email, TEXT, .flags = FIELD_READ_ONLY,
          .doc = "E-mail address, the name to log in with."),
    FIELD(struct user, name, TEXT, .min = 1, .max = 100, .doc = "Name of the person.",
          .example = "\"Ada Martin\""),
    FIELD(struct user, language, TEXT, .min = 2, .max = 12, .doc = "Language to be spoken to in.",
          .example = "\"fr\""),
    FIELD(struct user, time_zone, TEXT, .min = 1, .max = 64, .doc = "Zone of the times shown.",
          .example = "\"Europe/Paris\""),
    FIELD(struct user, totp, BOOL, .flags = FIELD_READ_ONLY,
          .doc = "Whether a second factor is asked for."),
    FIELD(struct user, memberships, LIST, .flags = FIELD_READ_ONLY, .schema = &membership_schema,
          .doc = "The parties that the user acts for."),
    FIELD(struct user, created, TIME, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "When the user came in."),
};
const struct schema user_schema = SCHEMA(struct user, "user", user_fields, "A person who logs in.");

static const struct field session_fields[] = {
    FIELD(struct session, id, TEXT, .flags = FIELD_READ_ONLY, .prefix = "ses",
          .doc = "Id of the session."),
    FIELD(struct session, address, TEXT, .flags = FIELD_READ_ONLY,
          .doc = "Network address of the login."),
    FIELD(struct session, agent, TEXT, .flags = FIELD_READ_ONLY, .max = SESSION_AGENT_MAX,
          .doc = "The browser, as it calls itself."),
    FIELD(struct session, current, BOOL, .flags = FIELD_READ_ONLY,
          .doc = "Whether it is the one that asks."),
    FIELD(struct session, created, TIME, .flags = FIELD_READ_ONLY, .doc = "When it began."),
    FIELD(struct session, seen, TIME, .flags = FIELD_READ_ONLY,
          .doc = "When it was last used, to about a minute."),
    FIELD(struct session, ends, TIME, .flags = FIELD_READ_ONLY,
          .doc = "When it ends at the latest."),
};
const struct schema session_schema =
    SCHEMA(struct session, "session", session_fields, "A login of a browser.");

static const char *const permission_texts[] = {
#define X(name, text, twin, doc) text,
    PERMISSION_TABLE(X)
#undef X
        NULL,
};

static const struct field token_fields[] = {
    FIELD(struct token, id, TEXT, .flags = FIELD_READ_ONLY, .prefix = "tok",
          .doc = "Id of the token."),
    FIELD(struct token, name, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 80,
          .doc = "What the token is for.", .example = "\"nightly report\""),
    FIELD(struct token, party, TEXT, .prefix = "pty",
          .doc = "Acts for this party alone; for all of yours unless given."),
    FIELD(struct token, scopes, LIST, .flags = FIELD_REQUIRED, .min = 1, .max = PERM_COUNT,
          .words = permission_texts, .doc = "What the token may do, at most what you may.",
          .example = "[\"party:read\"]"),
    FIELD(struct token, secret, TEXT, .flags = FIELD_READ_ONLY,
          .doc = "The token itself; shown once, when it is made."),
    FIELD(struct token, created, TIME, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "When it was made."),
    FIELD(struct token, ends, TIME, .doc = "When it stops working; never unless given.",
          .example = "\"2030-01-01T00:00:00Z\""),
    FIELD(struct token, used, TIME, .flags = FIELD_READ_ONLY,
          .doc = "When it was last used, to about a minute."),
};
const struct schema token_schema =
    SCHEMA(struct token, "token", token_fields, "A secret with which a program acts for a user.");
