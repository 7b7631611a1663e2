/* The tables of this room's headers. Data only: the command line links them without a store. */
#include "fleet/availability.h"
#include "fleet/promise_change.h"
#include "fleet/service.h"
#include "fleet/site.h"
#include "fleet/upgrade.h"
#include "profile/profile.h"

const char *const node_states[] = {"enrolling", "ready", "draining", "disabled", "lost", NULL};
const char *const service_states[] = {"ordered", "preparing", "running", "failed",  "stopping",
                                      "stopped", "ending",    "ended",   "refused", NULL};
const char *const promise_states[] = {"failing", "kept", "unknown", NULL};
const char *const step_states[] = {"waiting", "running", "done", "failed", NULL};

#define RO   (FIELD_READ_ONLY)
#define WIDE (FIELD_READ_ONLY | FIELD_WIDE)
enum { WORDS_IN_LIST = 16 };

static const struct field site_fields[] = {
    FIELD(struct site, id, TEXT, .flags = RO, .prefix = "sit", .doc = "Id of the site."),
    FIELD(struct site, version, INT, .flags = WIDE, .min = 1, .max = INT64_MAX,
          .doc = "Grows with every change; the ETag."),
    FIELD(struct site, owner, TEXT, .flags = WIDE, .prefix = "pty", .doc = "Whose it is."),
    FIELD(struct site, name, TEXT, .flags = FIELD_REQUIRED, .min = 1, .doc = "Name for people.",
          .example = "\"PAR-2\""),
    FIELD(struct site, country, TEXT, .flags = FIELD_REQUIRED, .min = 2, .max = 2,
          .doc = "Country (ISO 3166-1), capital letters.", .example = "\"FR\""),
    FIELD(struct site, city, TEXT, .flags = FIELD_REQUIRED, .min = 1, .doc = "City."),
    FIELD(struct site, address, TEXT, .flags = FIELD_WIDE, .doc = "Street and house."),
    FIELD(struct site, network, TEXT, .doc = "How it is connected."),
    FIELD(struct site, legal, LIST, .max = WORDS_IN_LIST,
          .doc = "What the law knows of it: icp, where its web sites may be public in China."),
    FIELD(struct site, created, TIME, .flags = WIDE, .doc = "When made."),
    FIELD(struct site, changed, TIME, .flags = WIDE, .doc = "When changed last."),
};
const struct schema site_schema = SCHEMA(struct site, "site", site_fields, "A place with servers.");

static const struct field site_query_fields[] = {
    PAGE_FIELDS(struct site_query),
    FIELD(struct site_query, country, TEXT, .min = 2, .max = 2, .doc = "In this country alone."),
};
const struct schema site_query_schema =
    SCHEMA(struct site_query, "site_query", site_query_fields, "Filters of the list of sites.");

static const struct field node_fields[] = {
    FIELD(struct node, id, TEXT, .flags = RO, .prefix = "nod", .doc = "Id of the node."),
    FIELD(struct node, version, INT, .flags = WIDE, .min = 1, .max = INT64_MAX,
          .doc = "Grows with every change by people; the ETag."),
    FIELD(struct node, owner, TEXT, .flags = FIELD_WIDE, .prefix = "pty",
          .doc = "Whose server it is; the site's owner unless said otherwise."),
    FIELD(struct node, site, TEXT, .flags = RO, .prefix = "sit", .doc = "Where it stands."),
    FIELD(struct node, host, TEXT, .flags = WIDE, .prefix = "pty", .doc = "Whose site that is."),
    FIELD(struct node, name, TEXT, .flags = FIELD_REQUIRED, .min = 1, .doc = "Name for people."),
    FIELD(struct node, hardware, TEXT, .flags = FIELD_WIDE, .doc = "What machine it is."),
    FIELD(struct node, serial, TEXT, .flags = FIELD_WIDE, .doc = "Serial number."),
    FIELD(struct node, asset, TEXT, .flags = FIELD_WIDE,
          .doc = "Its name in cost agreements: its cost sheet."),
    FIELD(struct node, labels, LIST, .max = WORDS_IN_LIST, .doc = "Words that orders ask for."),
    FIELD(struct node, price_class, INT, .max = 100, .doc = "0 is the cheapest."),
    FIELD(struct node, commitment_percent, INT, .flags = FIELD_WIDE, .max = 1600,
          .doc = "How much of the cores is promised; 100 unless said otherwise."),
    FIELD(struct node, state, WORD, .flags = RO, .words = node_states, .doc = "How it is."),
    FIELD(struct node, token, TEXT, .flags = RO,
          .doc = "To enrol its agent with, once: shown in this answer alone."),
    FIELD(struct node, token_ends, TIME, .flags = WIDE, .doc = "Until when the token holds."),
    FIELD(struct node, seen, TIME, .flags = RO, .doc = "When it reported last."),
    FIELD(struct node, booted, TIME, .flags = WIDE, .doc = "When the machine started."),
    FIELD(struct node, cpu_milli, INT, .flags = RO, .max = INT64_MAX,
          .doc = "Thousandths of a core that there are."),
    FIELD(struct node, memory_bytes, INT, .flags = RO, .max = INT64_MAX, .doc = "Memory."),
    FIELD(struct node, disk_bytes, INT, .flags = WIDE, .max = INT64_MAX, .doc = "Disk."),
    FIELD(struct node, cpu_taken, INT, .flags = WIDE, .max = INT64_MAX,
          .doc = "Given to services."),
    FIELD(struct node, memory_taken, INT, .flags = WIDE, .max = INT64_MAX,
          .doc = "Given to services."),
    FIELD(struct node, disk_taken, INT, .flags = WIDE, .max = INT64_MAX,
          .doc = "Given to services."),
    FIELD(struct node, features, LIST, .flags = WIDE, .max = 40, .doc = "What it can run."),
    FIELD(struct node, agent, TEXT, .flags = WIDE, .doc = "Version of its agent."),
    FIELD(struct node, hostname, TEXT, .flags = WIDE, .max = 255, .doc = "As it calls itself."),
    FIELD(struct node, address, TEXT, .flags = WIDE, .max = 255,
          .doc = "Where published ports are reached."),
    FIELD(struct node, promises, RAW, .flags = WIDE, .doc = "Checks of the machine itself."),
    FIELD(struct node, revision, INT, .flags = WIDE, .max = INT64_MAX,
          .doc = "Grows with every change of what it should run."),
    FIELD(struct node, left_revision, INT, .flags = WIDE, .max = INT64_MAX,
          .doc = "The one with which a service last went elsewhere."),
    FIELD(struct node, created, TIME, .flags = WIDE, .doc = "When made."),
    FIELD(struct node, changed, TIME, .flags = WIDE, .doc = "When changed last by people."),
};
const struct schema node_schema =
    SCHEMA(struct node, "node", node_fields, "A server that runs services.");

static const struct field node_query_fields[] = {
    PAGE_FIELDS(struct node_query),
    FIELD(struct node_query, site, TEXT, .prefix = "sit", .doc = "At this site alone."),
    FIELD(struct node_query, state, WORD, .words = node_states, .doc = "In this state alone."),
};
const struct schema node_query_schema =
    SCHEMA(struct node_query, "node_query", node_query_fields, "Filters of the list of nodes.");

static const struct field enrolment_fields[] = {
    FIELD(struct node_enrolment, token, TEXT, .flags = FIELD_REQUIRED | FIELD_WRITE_ONLY, .min = 1,
          .doc = "The one-time token."),
    FIELD(struct node_enrolment, key, TEXT, .flags = FIELD_REQUIRED, .min = 64, .max = 64,
          .doc = "Its public Ed25519 key, hexadecimal."),
};
const struct schema node_enrolment_schema = SCHEMA(
    struct node_enrolment, "node_enrolment", enrolment_fields, "How an agent makes itself known.");

static const struct field enrolled_fields[] = {
    FIELD(struct node_enrolled, id, TEXT, .flags = RO, .prefix = "nod", .doc = "Its id."),
    FIELD(struct node_enrolled, name, TEXT, .flags = RO, .doc = "Its name."),
    FIELD(struct node_enrolled, site, TEXT, .flags = RO, .prefix = "sit",
          .doc = "Where it stands."),
};
const struct schema node_enrolled_schema =
    SCHEMA(struct node_enrolled, "node_enrolled", enrolled_fields, "Who the agent is from now on.");

static const struct field kind_fields[] = {
    FIELD(struct kind, id, TEXT, .flags = RO, .prefix = "prf", .doc = "Id of this version."),
    FIELD(struct kind, owner, TEXT, .flags = WIDE, .prefix = "pty", .doc = "Who registered it."),
    FIELD(struct kind, name, TEXT, .flags = RO, .doc = "Name of the profile."),
    FIELD(struct kind, version, TEXT, .flags = RO, .doc = "Its version."),
    FIELD(struct kind, title, TEXT, .flags = RO, .doc = "Name for people."),
    FIELD(struct kind, author, TEXT, .flags = RO, .doc = "Who wrote it."),
    FIELD(struct kind, runtime, TEXT, .flags = RO, .doc = "container or vm."),
    FIELD(struct kind, text, TEXT, .flags = FIELD_REQUIRED | FIELD_MULTILINE | FIELD_WIDE, .min = 1,
          .max = PROFILE_TEXT_MAX, .doc = "The profile: YAML."),
    FIELD(struct kind, schema, RAW, .flags = WIDE, .doc = "JSON Schema of its parameters."),
    FIELD(struct kind, created, TIME, .flags = WIDE, .doc = "When registered."),
};
const struct schema kind_schema =
    SCHEMA(struct kind, "kind", kind_fields, "A kind of service: a version of a profile.");

static const struct field offer_fields[] = {
    FIELD(struct offer, id, TEXT, .flags = RO, .prefix = "off", .doc = "Id of the offer."),
    FIELD(struct offer, owner, TEXT, .flags = WIDE, .prefix = "pty", .doc = "The operator."),
    FIELD(struct offer, plan, TEXT, .flags = FIELD_REQUIRED, .min = 1,
          .doc = "Plan by which it is sold: id or code."),
    FIELD(struct offer, kind, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = PROFILE_NAME_MAX,
          .doc = "Name of the profile; its newest version is sold."),
    FIELD(struct offer, parameters, JSON, .doc = "Parameters that the plan fixes."),
    FIELD(struct offer, approval, BOOL, .doc = "The seller says yes to each order first."),
    FIELD(struct offer, created, TIME, .flags = WIDE, .doc = "When made."),
};
const struct schema offer_schema =
    SCHEMA(struct offer, "offer", offer_fields, "How a plan sells a kind of service.");

static const char *const image_formats[] = {"squashfs", "qcow2", "raw", "kernel", "initrd", NULL};
static const struct field image_fields[] = {
    FIELD(struct image, id, TEXT, .flags = RO, .prefix = "img", .doc = "Id of the image."),
    FIELD(struct image, owner, TEXT, .flags = WIDE, .prefix = "pty", .doc = "Who registered it."),
    FIELD(struct image, name, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 60,
          .doc = "As profiles name it; the newest of a name is used."),
    FIELD(struct image, file, TEXT, .max = 255,
          .doc = "Name of a file in the server's folder of images; or"),
    FIELD(struct image, sha256, TEXT, .max = 64,
          .doc = "The SHA-256 of its bytes, which were sent in pieces under it."),
    FIELD(struct image, bytes, INT, .flags = RO, .max = INT64_MAX, .doc = "Its length."),
    FIELD(struct image, format, TEXT, .flags = FIELD_REQUIRED, .words = image_formats,
          .doc = "How it is read."),
    FIELD(struct image, created, TIME, .flags = WIDE, .doc = "When registered."),
};
const struct schema image_schema =
    SCHEMA(struct image, "image", image_fields, "A root image or disk, by content.");

static const struct field image_piece_query_fields[] = {
    FIELD(struct image_piece_query, at, INT, .max = IMAGE_BYTES_MAX,
          .doc = "Where in the image this piece begins."),
};
const struct schema image_piece_query_schema = SCHEMA(
    struct image_piece_query, "image_piece_query", image_piece_query_fields, "Where it belongs.");

static const struct field image_piece_fields[] = {
    FIELD(struct image_piece, sha256, TEXT, .flags = RO, .doc = "Hash of the whole image."),
    FIELD(struct image_piece, bytes, INT, .flags = RO, .max = INT64_MAX,
          .doc = "How much of it is there: go on here."),
};
const struct schema image_piece_schema =
    SCHEMA(struct image_piece, "image_piece", image_piece_fields, "How far an image was sent.");

const char *const image_media[] = {"application/octet-stream", NULL};

static const struct field step_fields[] = {
    FIELD(struct operation_step, name, TEXT, .doc = "What is done."),
    FIELD(struct operation_step, state, WORD, .words = step_states, .doc = "How far it is."),
    FIELD(struct operation_step, at, TIME, .doc = "Since when."),
};
const struct schema operation_step_schema =
    SCHEMA(struct operation_step, "operation_step", step_fields, "A step of an operation.");

static const struct field operation_fields[] = {
    FIELD(struct operation, id, TEXT, .flags = RO, .prefix = "opr", .doc = "Id of the operation."),
    FIELD(struct operation, service, TEXT, .flags = RO, .prefix = "svc", .doc = "Of this service."),
    FIELD(struct operation, client, TEXT, .flags = WIDE, .prefix = "pty", .doc = "Whose it is."),
    FIELD(struct operation, kind, TEXT, .flags = RO, .doc = "What was asked for."),
    FIELD(struct operation, state, WORD, .flags = RO, .words = step_states,
          .doc = "How far it is."),
    FIELD(struct operation, step, TEXT, .flags = RO, .doc = "The step in hand."),
    FIELD(struct operation, steps, LIST, .flags = WIDE, .max = OPERATION_STEPS_MAX,
          .schema = &operation_step_schema, .doc = "All its steps in order."),
    FIELD(struct operation, reason, TEXT, .flags = RO, .max = 1000, .doc = "Why it failed."),
    FIELD(struct operation, created, TIME, .flags = RO, .doc = "When it began."),
    FIELD(struct operation, changed, TIME, .flags = WIDE, .doc = "When it changed last."),
};
const struct schema operation_schema = SCHEMA(struct operation, "operation", operation_fields,
                                              "What was asked for, and how far it is.");

static const struct field promise_change_fields[] = {
    FIELD(struct promise_change, id, TEXT, .flags = WIDE, .prefix = "pmc",
          .doc = "Id of the change."),
    FIELD(struct promise_change, subject, TEXT, .flags = WIDE, .doc = "Whose: service or node."),
    FIELD(struct promise_change, node, TEXT, .flags = WIDE, .prefix = "nod", .doc = "Who said so."),
    FIELD(struct promise_change, name, TEXT, .flags = RO, .doc = "Which promise."),
    FIELD(struct promise_change, state, WORD, .flags = RO, .words = promise_states,
          .doc = "How it is from then on; unknown: it was told of no more."),
    FIELD(struct promise_change, text, TEXT, .flags = RO, .max = 1000, .doc = "Why not."),
    FIELD(struct promise_change, since, TIME, .flags = RO, .doc = "When, as the node says."),
    FIELD(struct promise_change, heard, TIME, .flags = WIDE, .doc = "When it was heard here."),
};
const struct schema promise_change_schema =
    SCHEMA(struct promise_change, "promise_change", promise_change_fields,
           "A promise that was broken, or is kept again.");

static const struct field availability_query_fields[] = {
    FIELD(struct availability_query, month, TEXT, .min = 7, .max = 7,
          .doc = "Which month, UTC; the one in hand unless said otherwise.",
          .example = "\"2026-11\""),
};
const struct schema availability_query_schema = SCHEMA(
    struct availability_query, "availability_query", availability_query_fields, "Of which month.");

static const struct field availability_fields[] = {
    FIELD(struct availability, service, TEXT, .flags = WIDE, .prefix = "svc",
          .doc = "Of which service."),
    FIELD(struct availability, month, TEXT, .flags = RO, .doc = "Which month, UTC."),
    FIELD(struct availability, from, TIME, .flags = RO,
          .doc = "When the month began, or the service was ordered."),
    FIELD(struct availability, until, TIME, .flags = RO, .doc = "When it ended, or now."),
    FIELD(struct availability, kept_s, INT, .flags = RO, .max = INT64_MAX,
          .doc = "Seconds in which all its promises were kept."),
    FIELD(struct availability, failing_s, INT, .flags = RO, .max = INT64_MAX,
          .doc = "Seconds in which one was not."),
    FIELD(struct availability, observed_s, INT, .flags = RO, .max = INT64_MAX,
          .doc = "Both: what was observed."),
    FIELD(struct availability, unknown_s, INT, .flags = RO, .max = INT64_MAX,
          .doc = "Seconds of which nobody knows: it was stopped, or its node was not heard."),
    FIELD(struct availability, percent, DECIMAL, .flags = RO,
          .doc = "Kept of observed, rounded down; not there where nothing was observed.",
          .example = "\"99.953\""),
    FIELD(struct availability, outside_kept_s, INT, .flags = WIDE, .max = INT64_MAX,
          .doc = "Seconds in which more than half of the places that look at it held it up."),
    FIELD(struct availability, outside_failing_s, INT, .flags = WIDE, .max = INT64_MAX,
          .doc = "Seconds in which they held it down."),
    FIELD(struct availability, outside_percent, DECIMAL, .flags = RO,
          .doc = "Up of both, as seen from other sites; not there where nobody looked.",
          .example = "\"99.981\""),
};
const struct schema availability_schema = SCHEMA(
    struct availability, "availability", availability_fields, "How a service kept its promises.");

static const struct field wish_fields[] = {
    FIELD(struct service_wish, site, TEXT, .prefix = "sit", .doc = "At this site."),
    FIELD(struct service_wish, country, TEXT, .min = 2, .max = 2, .doc = "In this country."),
    FIELD(struct service_wish, city, TEXT, .min = 1, .doc = "In this city."),
    FIELD(struct service_wish, labels, LIST, .max = WORDS_IN_LIST,
          .doc = "On a node with all these labels."),
    FIELD(struct service_wish, spread, BOOL,
          .doc = "On the node with the most memory free, not the one with the least."),
    FIELD(struct service_wish, not_beside, LIST, .max = SERVICE_BESIDE_MAX, .prefix = "svc",
          .doc = "On another node than these services of yours."),
    FIELD(struct service_wish, price_class, INT, .max = 100, .doc = "No dearer than this."),
};
const struct schema service_wish_schema =
    SCHEMA(struct service_wish, "service_wish", wish_fields, "Where a service may go.");

static const struct field order_fields[] = {
    FIELD(struct service_order, agreement, TEXT, .flags = FIELD_REQUIRED, .prefix = "agr",
          .doc = "The supply agreement by which you buy."),
    FIELD(struct service_order, plan, TEXT, .flags = FIELD_REQUIRED, .min = 1,
          .doc = "Plan: id or code."),
    FIELD(struct service_order, name, TEXT, .min = 1, .max = 80, .doc = "Your own name for it."),
    FIELD(struct service_order, parameters, JSON, .doc = "What you choose, by the profile."),
    FIELD(struct service_order, needs, JSON,
          .doc = "Services of yours that it uses, by name, or plans to order them by; what is left "
                 "out is met as the profile says."),
    FIELD(struct service_order, parent, TEXT, .prefix = "svc",
          .doc = "The service that this one is part of: it ends with it."),
    FIELD(struct service_order, where, OBJECT, .schema = &service_wish_schema,
          .doc = "Where it may go."),
    FIELD(struct service_order, failover, BOOL,
          .doc = "Where its node is lost it begins anew elsewhere, without what its volumes held."),
};
const struct schema service_order_schema =
    SCHEMA(struct service_order, "service_order", order_fields, "A service that is wanted.");

const char *const upgrade_states[] = {"saving", "trying", "done", "back", "failed", NULL};

static const struct field upgrade_fields[] = {
    FIELD(struct upgrade, id, TEXT, .flags = RO, .prefix = "upg", .doc = "Id of the upgrade."),
    FIELD(struct upgrade, service, TEXT, .flags = WIDE, .prefix = "svc", .doc = "Of which."),
    FIELD(struct upgrade, client, TEXT, .flags = WIDE, .prefix = "pty", .doc = "Whose that is."),
    FIELD(struct upgrade, from, TEXT, .flags = RO, .doc = "The version that it was of."),
    FIELD(struct upgrade, to, TEXT, .flags = RO, .doc = "The version that was wanted."),
    FIELD(struct upgrade, backup, TEXT, .flags = RO, .prefix = "bak",
          .doc = "What was saved before; none: it keeps nothing, or did not run."),
    FIELD(struct upgrade, state, WORD, .flags = RO, .words = upgrade_states,
          .doc = "Saving: it is backed up. Trying: it is of the new version. Back: of the old one "
                 "again."),
    FIELD(struct upgrade, reason, TEXT, .flags = RO, .max = 2000, .doc = "Why it ended so."),
    FIELD(struct upgrade, began, TIME, .flags = RO, .doc = "When it was asked for."),
    FIELD(struct upgrade, ended, TIME, .flags = WIDE, .doc = "When it ended."),
};
const struct schema upgrade_schema =
    SCHEMA(struct upgrade, "upgrade", upgrade_fields, "A change of a service to another version.");

static const struct field upgrade_order_fields[] = {
    FIELD(struct upgrade_order, version, TEXT, .min = 1, .max = 40,
          .doc = "Of its profile: the newest, unless said; an older one goes back."),
    FIELD(struct upgrade_order, parameters, JSON, .doc = "What changes; the rest stays."),
};
const struct schema upgrade_order_schema =
    SCHEMA(struct upgrade_order, "upgrade_order", upgrade_order_fields, "Which version is wanted.");

static const struct field resize_fields[] = {
    FIELD(struct service_resize, plan, TEXT, .min = 1,
          .doc = "Another plan of the same profile: id or code."),
    FIELD(struct service_resize, parameters, JSON, .doc = "What changes; the rest stays."),
};
const struct schema service_resize_schema =
    SCHEMA(struct service_resize, "service_resize", resize_fields, "Another size or plan.");

static const struct field part_fields[] = {
    FIELD(struct service_part, need, TEXT, .flags = RO,
          .doc = "As which it is used; empty: what is ordered itself."),
    FIELD(struct service_part, service, TEXT, .flags = RO, .prefix = "svc",
          .doc = "Which; empty: it is not ordered yet."),
    FIELD(struct service_part, plan, TEXT, .flags = RO,
          .doc = "Code of the plan by which it is ordered; empty: you have it already."),
    FIELD(struct service_part, charge, TEXT, .flags = RO, .doc = "What is charged."),
    FIELD(struct service_part, up_to, TEXT, .flags = RO, .doc = "Of a tier: up to this quantity."),
    FIELD(struct service_part, unit, TEXT, .flags = RO, .doc = "What the price is for."),
    FIELD(struct service_part, price, TEXT, .flags = RO,
          .doc = "What you pay; empty: nothing more.", .example = "\"9.00\""),
    FIELD(struct service_part, currency, TEXT, .flags = RO, .doc = "Currency."),
};
const struct schema service_part_schema =
    SCHEMA(struct service_part, "service_part", part_fields, "A price of what is ordered.");

static const struct field service_fields[] = {
    FIELD(struct service, id, TEXT, .flags = RO, .prefix = "svc", .doc = "Id of the service."),
    FIELD(struct service, version, INT, .flags = WIDE, .min = 1, .max = INT64_MAX,
          .doc = "Grows with every change."),
    FIELD(struct service, client, TEXT, .flags = WIDE, .prefix = "pty", .doc = "Who has it."),
    FIELD(struct service, seller, TEXT, .flags = WIDE, .prefix = "pty", .doc = "Who sold it."),
    FIELD(struct service, agreement, TEXT, .flags = WIDE, .prefix = "agr", .doc = "By which."),
    FIELD(struct service, plan, TEXT, .flags = WIDE, .prefix = "pln", .doc = "By which plan."),
    FIELD(struct service, subscription, TEXT, .flags = WIDE, .prefix = "sub",
          .doc = "What is paid for it."),
    FIELD(struct service, profile, TEXT, .flags = RO, .doc = "Which kind it is."),
    FIELD(struct service, kind, TEXT, .flags = WIDE, .prefix = "prf",
          .doc = "The version that it was made of."),
    FIELD(struct service, parent, TEXT, .flags = WIDE, .prefix = "svc",
          .doc = "It is part of this."),
    FIELD(struct service, name, TEXT, .flags = RO, .doc = "Your name for it."),
    FIELD(struct service, parameters, RAW, .flags = WIDE, .doc = "What was chosen."),
    FIELD(struct service, needs, RAW, .flags = WIDE, .doc = "Services that it uses."),
    FIELD(struct service, parts, LIST, .flags = RO, .schema = &service_part_schema,
          .doc = "In the answer to an order: what it uses and was not named, and what that costs."),
    FIELD(struct service, wish, RAW, .flags = WIDE, .doc = "Where it may go."),
    FIELD(struct service, failover, BOOL, .flags = WIDE, .doc = "Whether it goes elsewhere alone."),
    FIELD(struct service, state, WORD, .flags = RO, .words = service_states, .doc = "How it is."),
    FIELD(struct service, wanted, WORD, .flags = WIDE, .words = spec_states,
          .doc = "How it should be."),
    FIELD(struct service, node, TEXT, .flags = RO, .prefix = "nod", .doc = "Where it runs."),
    FIELD(struct service, site, TEXT, .flags = RO, .prefix = "sit", .doc = "Where that stands."),
    FIELD(struct service, generation, INT, .flags = WIDE, .max = INT64_MAX,
          .doc = "Grows with every change of what should be."),
    FIELD(struct service, restart, INT, .flags = WIDE, .max = INT64_MAX,
          .doc = "How often a restart was asked for."),
    FIELD(struct service, cpu_milli, INT, .flags = WIDE, .max = INT64_MAX,
          .doc = "Thousandths of a core."),
    FIELD(struct service, memory_bytes, INT, .flags = WIDE, .max = INT64_MAX, .doc = "Memory."),
    FIELD(struct service, disk_bytes, INT, .flags = WIDE, .max = INT64_MAX, .doc = "Disk."),
    FIELD(struct service, seen, TEXT, .flags = WIDE, .doc = "What its node saw last."),
    FIELD(struct service, seen_generation, INT, .flags = WIDE, .max = INT64_MAX,
          .doc = "Of this generation."),
    FIELD(struct service, step, TEXT, .flags = RO, .doc = "What is being done."),
    FIELD(struct service, reason, TEXT, .flags = RO, .max = 1000, .doc = "What is the matter."),
    FIELD(struct service, suspended, TEXT, .flags = RO,
          .doc = "Why it is stopped until its client has paid; empty: it is not."),
    FIELD(struct service, starts, INT, .flags = WIDE, .max = INT64_MAX,
          .doc = "How often it was started there."),
    FIELD(struct service, facts, RAW, .flags = WIDE, .doc = "Addresses and ports that it got."),
    FIELD(struct service, promises, RAW, .flags = WIDE, .doc = "Checks that it keeps."),
    FIELD(struct service, drill_of, TEXT, .flags = WIDE, .prefix = "svc",
          .doc = "Of which service it is the copy, where a backup is tried."),
    FIELD(struct service, created, TIME, .flags = WIDE, .doc = "When ordered."),
    FIELD(struct service, changed, TIME, .flags = WIDE, .doc = "When changed last."),
};
const struct schema service_schema =
    SCHEMA(struct service, "service", service_fields, "One thing that runs.");

static const struct field service_query_fields[] = {
    PAGE_FIELDS(struct service_query),
    FIELD(struct service_query, state, WORD, .words = service_states,
          .doc = "In this state alone."),
    FIELD(struct service_query, parent, TEXT, .prefix = "svc", .doc = "Parts of this one alone."),
};
const struct schema service_query_schema =
    SCHEMA(struct service_query, "service_query", service_query_fields,
           "Filters of the list of services.");

static const struct field connection_fields[] = {
    FIELD(struct service_connection, name, TEXT, .flags = RO, .doc = "Which."),
    FIELD(struct service_connection, title, TEXT, .flags = RO, .doc = "For people."),
    FIELD(struct service_connection, value, TEXT, .flags = RO, .max = PROFILE_PUBLISHED_BYTES_MAX,
          .doc = "What it is; empty while it is not known."),
    FIELD(struct service_connection, secret, BOOL, .flags = RO, .doc = "Not for every eye."),
};
const struct schema service_connection_schema =
    SCHEMA(struct service_connection, "service_connection", connection_fields,
           "How a service is reached.");
