#include "party/invitation.h"

const char *const invitation_states[] = {"open", "used", "revoked", "expired", NULL};

static const struct field invitation_fields[] = {
    FIELD(struct invitation, id, TEXT, .flags = FIELD_READ_ONLY, .prefix = "ivt",
          .doc = "Id of the invitation."),
    FIELD(struct invitation, party, TEXT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .prefix = "pty",
          .doc = "Party that invites."),
    FIELD(struct invitation, inviter, TEXT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .prefix = "usr",
          .doc = "User who invites."),
    FIELD(struct invitation, joins, BOOL,
          .doc = "true: into the inviting party; false: to found a party that it sponsors."),
    FIELD(struct invitation, role, TEXT, .min = 1, .max = ROLE_NAME_MAX,
          .doc = "Role in the party that is joined; who founds one becomes its owner.",
          .example = "\"reader\""),
    FIELD(struct invitation, email, TEXT, .min = 3, .max = 254,
          .doc = "Where the link is sent; nothing is sent unless given.",
          .example = "\"ada@example.net\""),
    FIELD(struct invitation, prefill, OBJECT, .flags = FIELD_WIDE, .schema = &party_draft_schema,
          .doc = "What is known of the party that is to be founded."),
    FIELD(struct invitation, message, TEXT, .flags = FIELD_MULTILINE | FIELD_WIDE, .min = 1,
          .max = 2000, .doc = "A few words to the invited."),
    FIELD(struct invitation, link, TEXT, .flags = FIELD_READ_ONLY,
          .doc = "The link; only in the answers that create and resend."),
    FIELD(struct invitation, days, INT, .flags = FIELD_WRITE_ONLY, .min = 1,
          .max = INVITATION_DAYS_MAX, .doc = "Days until it expires; 14 unless given."),
    FIELD(struct invitation, state, WORD, .flags = FIELD_READ_ONLY, .words = invitation_states,
          .doc = "open, used, revoked or expired."),
    FIELD(struct invitation, created, TIME, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "When it was made."),
    FIELD(struct invitation, ends, TIME, .flags = FIELD_READ_ONLY, .doc = "When it expires."),
    FIELD(struct invitation, used_by, TEXT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .prefix = "usr",
          .doc = "User who accepted it."),
    FIELD(struct invitation, used, TIME, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "When it was accepted."),
};
const struct schema invitation_schema = SCHEMA(struct invitation, "invitation", invitation_fields,
                                               "A link that lets somebody in, once.");

static const struct field invitation_query_fields[] = {
    PAGE_FIELDS(struct invitation_query),
    FIELD(struct invitation_query, state, WORD, .words = invitation_states,
          .doc = "Invitations in this state only."),
};
const struct schema invitation_query_schema =
    SCHEMA(struct invitation_query, "invitation_query", invitation_query_fields,
           "Which invitations, in what order.");

static const struct field invitation_view_fields[] = {
    FIELD(struct invitation_view, party_name, TEXT, .flags = FIELD_READ_ONLY,
          .doc = "Name of the party that invites."),
    FIELD(struct invitation_view, inviter_name, TEXT, .flags = FIELD_READ_ONLY,
          .doc = "Name of the user who invites."),
    FIELD(struct invitation_view, joins, BOOL, .flags = FIELD_READ_ONLY,
          .doc = "true: into that party; false: to found one of your own."),
    FIELD(struct invitation_view, role, TEXT, .flags = FIELD_READ_ONLY, .doc = "As what."),
    FIELD(struct invitation_view, email, TEXT, .flags = FIELD_READ_ONLY, .min = 1,
          .doc = "E-mail address that was invited."),
    FIELD(struct invitation_view, message, TEXT, .flags = FIELD_READ_ONLY | FIELD_MULTILINE,
          .min = 1, .max = 2000, .doc = "A few words of the inviter."),
    FIELD(struct invitation_view, prefill, OBJECT, .flags = FIELD_READ_ONLY,
          .schema = &party_draft_schema, .doc = "What the new party's form begins with."),
    FIELD(struct invitation_view, ends, TIME, .flags = FIELD_READ_ONLY, .doc = "When it expires."),
};
const struct schema invitation_view_schema =
    SCHEMA(struct invitation_view, "invitation_view", invitation_view_fields,
           "What the holder of an invitation link is offered.");

static const struct field acceptance_fields[] = {
    FIELD(struct acceptance, token, TEXT, .flags = FIELD_REQUIRED | FIELD_WRITE_ONLY, .min = 1,
          .max = 500, .doc = "The link, or its last part."),
    FIELD(struct acceptance, email, TEXT, .min = 3, .max = 254,
          .doc = "E-mail address to log in with; the invited one unless given."),
    FIELD(struct acceptance, name, TEXT, .min = 1, .max = 100, .doc = "Your name.",
          .example = "\"Ada Martin\""),
    FIELD(struct acceptance, password, TEXT, .flags = FIELD_WRITE_ONLY, .min = 1,
          .max = PASSWORD_MAX, .doc = "12 characters or more."),
    FIELD(struct acceptance, language, TEXT, .min = 2, .max = 12, .doc = "Your language.",
          .example = "\"fr\""),
    FIELD(struct acceptance, time_zone, TEXT, .min = 1, .max = 64, .doc = "Your time zone.",
          .example = "\"Europe/Paris\""),
    FIELD(struct acceptance, party, OBJECT, .schema = &party_draft_schema,
          .doc = "The party that you found, where the invitation is for that."),
};
const struct schema acceptance_schema =
    SCHEMA(struct acceptance, "acceptance", acceptance_fields,
           "The answer to an invitation. Who is logged in gives no e-mail, name or password.");
