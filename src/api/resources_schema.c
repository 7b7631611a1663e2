/*
 * resources_schema.c - the tables of the shapes in resources.h. Facts only: the command line links
 * them without the handlers.
 */
#include "api/resources.h"

static const struct field test_clock_fields[] = {
    FIELD(struct test_clock, now, TIME, .flags = FIELD_REQUIRED, .doc = "What the clock shows.",
          .example = "\"2026-02-01T00:00:00Z\""),
};
const struct schema test_clock_schema =
    SCHEMA(struct test_clock, "test_clock", test_clock_fields, "The clock of a test installation.");

static const struct field version_fields[] = {
    FIELD(struct version, version, TEXT, .flags = FIELD_READ_ONLY, .example = "\"0.1.0\"",
          .doc = "The version of Hanse."),
    FIELD(struct version, api, TEXT, .flags = FIELD_READ_ONLY, .example = "\"v1\"",
          .doc = "The version of the API, as in its addresses."),
};
const struct schema version_schema =
    SCHEMA(struct version, "version", version_fields, "Which Hanse answers.");

static const struct field status_fields[] = {
    FIELD(struct status, version, TEXT, .flags = FIELD_READ_ONLY, .doc = "The version of Hanse."),
    FIELD(struct status, user, TEXT, .flags = FIELD_READ_ONLY, .prefix = "usr", .doc = "You."),
    FIELD(struct status, email, TEXT, .flags = FIELD_READ_ONLY, .max = 254,
          .doc = "The e-mail address you log in with."),
    FIELD(struct status, memberships, LIST, .flags = FIELD_READ_ONLY, .schema = &membership_schema,
          .doc = "The parties you act for, and as what."),
    FIELD(struct status, store, TEXT, .flags = FIELD_READ_ONLY, .max = 1000,
          .doc = "Where things are kept. Shown to the operator's staff."),
    FIELD(struct status, now, TIME, .flags = FIELD_READ_ONLY, .doc = "The server's time."),
    FIELD(struct status, up_seconds, INT, .flags = FIELD_READ_ONLY, .max = INT64_MAX,
          .doc = "Seconds since the server started."),
    FIELD(struct status, parties, INT, .flags = FIELD_READ_ONLY, .max = INT64_MAX,
          .doc = "Parties in the store. Shown to the operator's staff."),
    FIELD(struct status, users, INT, .flags = FIELD_READ_ONLY, .max = INT64_MAX,
          .doc = "Users in the store. Shown to the operator's staff."),
    FIELD(struct status, requests, INT, .flags = FIELD_READ_ONLY, .max = INT64_MAX,
          .doc = "Requests answered since the start. Shown to the operator's staff."),
    FIELD(struct status, commits, INT, .flags = FIELD_READ_ONLY, .max = INT64_MAX,
          .doc = "Durable commits since the start. Shown to the operator's staff."),
    FIELD(struct status, outbox_waiting, INT, .flags = FIELD_READ_ONLY, .max = INT64_MAX,
          .doc = "Effects that wait to leave. Shown to the operator's staff."),
    FIELD(struct status, outbox_failed, INT, .flags = FIELD_READ_ONLY, .max = INT64_MAX,
          .doc = "Effects that were given up since the start. Shown to the operator's staff."),
};
const struct schema status_schema = SCHEMA(struct status, "status", status_fields,
                                           "Who you are here, and how the installation is.");

static const struct field login_fields[] = {
    FIELD(struct login_body, email, TEXT, .flags = FIELD_REQUIRED, .min = 3, .max = 254,
          .example = "\"ada@example.net\"", .doc = "E-mail address."),
    FIELD(struct login_body, password, TEXT, .flags = FIELD_REQUIRED | FIELD_WRITE_ONLY, .min = 1,
          .max = PASSWORD_MAX, .doc = "Password."),
    FIELD(struct login_body, code, TEXT, .flags = FIELD_WRITE_ONLY, .min = 6, .max = 6,
          .example = "\"123456\"", .doc = "Code of the second factor, where one is used."),
};
const struct schema login_schema =
    SCHEMA(struct login_body, "login", login_fields, "What is needed to log in.");

static const struct field session_start_fields[] = {
    FIELD(struct session_start, csrf, TEXT, .flags = FIELD_READ_ONLY,
          .doc = "Send this as X-CSRF with every request that changes something."),
    FIELD(struct session_start, user, OBJECT, .flags = FIELD_READ_ONLY, .schema = &user_schema,
          .doc = "Who is logged in."),
};
const struct schema session_start_schema =
    SCHEMA(struct session_start, "session_start", session_start_fields, "A session of a browser.");

static const struct field prove_fields[] = {
    FIELD(struct prove_body, password, TEXT, .flags = FIELD_REQUIRED | FIELD_WRITE_ONLY, .min = 1,
          .max = PASSWORD_MAX, .doc = "The password, again."),
};
const struct schema prove_schema =
    SCHEMA(struct prove_body, "prove", prove_fields, "The password, before a delicate step.");

static const struct field password_change_fields[] = {
    FIELD(struct password_change, password, TEXT, .flags = FIELD_REQUIRED | FIELD_WRITE_ONLY,
          .min = 1, .max = PASSWORD_MAX, .doc = "The present password."),
    FIELD(struct password_change, fresh, TEXT, .flags = FIELD_REQUIRED | FIELD_WRITE_ONLY,
          .min = PASSWORD_MIN, .max = PASSWORD_MAX, .doc = "The new password."),
};
const struct schema password_change_schema = SCHEMA(
    struct password_change, "password_change", password_change_fields, "A change of the password.");

static const struct field totp_fields[] = {
    FIELD(struct totp, secret, TEXT, .flags = FIELD_READ_ONLY,
          .doc = "The secret for the authenticator, in base 32."),
    FIELD(struct totp, uri, TEXT, .flags = FIELD_READ_ONLY, .max = 1000,
          .doc = "The same as an otpauth address, for a QR code."),
};
const struct schema totp_schema =
    SCHEMA(struct totp, "totp", totp_fields, "A second factor that waits for its first code.");

static const struct field totp_code_fields[] = {
    FIELD(struct totp_code, code, TEXT, .flags = FIELD_REQUIRED | FIELD_WRITE_ONLY, .min = 6,
          .max = 6, .example = "\"123456\"", .doc = "The code that the authenticator shows."),
};
const struct schema totp_code_schema =
    SCHEMA(struct totp_code, "totp_code", totp_code_fields, "A code of the second factor.");

static const struct field usage_target_fields[] = {
    FIELD(struct usage_target, party, TEXT, .prefix = "pty",
          .doc = "For which of your parties; needed where several may report."),
};
const struct schema usage_target_schema =
    SCHEMA(struct usage_target, "usage_target", usage_target_fields, "Who reports.");

static const struct field sponsor_query_fields[] = {
    FIELD(struct sponsor_query, sponsor, TEXT, .prefix = "pty",
          .doc = "Which of your parties sponsors the new one; needed where there are several."),
};
const struct schema sponsor_query_schema =
    SCHEMA(struct sponsor_query, "sponsor_query", sponsor_query_fields, "Who sponsors.");

static const struct field member_change_fields[] = {
    FIELD(struct member_change, role, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 60,
          .example = "\"reader\"", .doc = "The role, as in the list of roles."),
};
const struct schema member_change_schema =
    SCHEMA(struct member_change, "member_change", member_change_fields, "A change of role.");

static const struct field invitation_token_fields[] = {
    FIELD(struct invitation_token, token, TEXT, .flags = FIELD_REQUIRED | FIELD_WRITE_ONLY,
          .min = 1, .max = 1000, .doc = "The link of the invitation, or its last part."),
};
const struct schema invitation_token_schema =
    SCHEMA(struct invitation_token, "invitation_token", invitation_token_fields,
           "Which invitation is meant.");

static const struct field accepted_fields[] = {
    FIELD(struct accepted, user, OBJECT, .flags = FIELD_READ_ONLY, .schema = &user_schema,
          .doc = "The user who accepted."),
    FIELD(struct accepted, party, OBJECT, .flags = FIELD_READ_ONLY, .schema = &party_schema,
          .doc = "The party that was founded or joined."),
};
const struct schema accepted_schema =
    SCHEMA(struct accepted, "accepted", accepted_fields, "What an accepted invitation led to.");

static const struct field boot_query_fields[] = {
    FIELD(struct boot_query, host, TEXT, .min = 1, .max = 253, .example = "\"cloud.example.net\"",
          .doc = "Host name; the one that was asked, where it is left out."),
};
const struct schema boot_query_schema =
    SCHEMA(struct boot_query, "boot_query", boot_query_fields, "Which host name.");

static const struct field brand_public_fields[] = {
    FIELD(struct brand, name, TEXT, .flags = FIELD_READ_ONLY, .doc = "Name to show."),
    FIELD(struct brand, logo, TEXT, .flags = FIELD_READ_ONLY, .max = 2 * BRAND_LOGO_MAX,
          .doc = "Logo as a data address."),
    FIELD(struct brand, logo_dark, TEXT, .flags = FIELD_READ_ONLY, .max = 2 * BRAND_LOGO_MAX,
          .doc = "Logo on dark ground."),
    FIELD(struct brand, colour, TEXT, .flags = FIELD_READ_ONLY, .example = "\"#2747d8\"",
          .doc = "The one colour that was chosen."),
    FIELD(struct brand, ink, TEXT, .flags = FIELD_READ_ONLY, .example = "\"#ffffff\"",
          .doc = "Colour of text on it."),
    FIELD(struct brand, legal_footer, TEXT, .flags = FIELD_READ_ONLY | FIELD_MULTILINE, .max = 2000,
          .doc = "What the law wants at the foot of pages."),
};
const struct schema brand_public_schema = SCHEMA(struct brand, "brand_public", brand_public_fields,
                                                 "How the one who answers here looks.");

static const struct field events_query_fields[] = {
    FIELD(struct events_query, party, TEXT, .prefix = "pty", .doc = "Events of this party alone."),
    FIELD(struct events_query, topics, LIST, .max = 16, .example = "[\"party\"]",
          .doc = "Events whose names begin with one of these."),
    FIELD(struct events_query, after, INT, .min = 0, .max = INT64_MAX,
          .doc = "Begin behind this sequence number, as with Last-Event-ID."),
};
const struct schema events_query_schema =
    SCHEMA(struct events_query, "events_query", events_query_fields, "Which events to follow.");

static const struct field agent_query_fields[] = {
    FIELD(struct agent_query, after, INT, .max = INT64_MAX, .doc = "The revision that it has."),
    FIELD(struct agent_query, wait, INT, .max = 60,
          .doc = "Seconds to wait for a newer one before the answer is 204."),
};
const struct schema agent_query_schema =
    SCHEMA(struct agent_query, "agent_query", agent_query_fields, "What a node knows already.");

static const struct field list_query_fields[] = {PAGE_FIELDS(struct list_query)};
const struct schema list_query_schema =
    SCHEMA(struct list_query, "list_query", list_query_fields, "Which part of a list.");

static const struct field ending_fields[] = {
    FIELD(struct ending, at, TIME, .doc = "From when on it is over; now unless given."),
};
const struct schema ending_schema =
    SCHEMA(struct ending, "ending", ending_fields, "When something ends.");

static const struct field instant_query_fields[] = {
    FIELD(struct instant_query, at, TIME, .doc = "As of this instant; now unless given."),
};
const struct schema instant_query_schema =
    SCHEMA(struct instant_query, "instant_query", instant_query_fields, "As of when.");

static const struct field naming_fields[] = {
    FIELD(struct naming, name, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 120,
          .doc = "The name.", .example = "\"Web shop\""),
};
const struct schema naming_schema =
    SCHEMA(struct naming, "naming", naming_fields, "What something is called.");

static const struct field moving_fields[] = {
    FIELD(struct moving, agreement, TEXT, .flags = FIELD_REQUIRED, .prefix = "agr",
          .doc = "The supply agreement by which it is bought from now on."),
};
const struct schema moving_schema =
    SCHEMA(struct moving, "moving", moving_fields, "By which agreement something is bought.");

const char *const backup_media[] = {"application/octet-stream", NULL};
