/* The tables of vantage.h. Data only: the command line links them without a store. */
#include "fleet/vantage.h"

const char *const vantage_seen_words[] = {"unknown", "up", "down", "refused", NULL};

#define RO   (FIELD_READ_ONLY)
#define WIDE (FIELD_READ_ONLY | FIELD_WIDE)

static const struct field place_fields[] = {
    FIELD(struct vantage_place, country, TEXT, .flags = RO, .doc = "Country it looks from."),
    FIELD(struct vantage_place, city, TEXT, .flags = RO, .doc = "City it looks from."),
    FIELD(struct vantage_place, seen, WORD, .flags = RO, .words = vantage_seen_words,
          .doc = "What it holds after several looks; refused: its node does not look there."),
    FIELD(struct vantage_place, late, BOOL, .flags = RO,
          .doc = "It was not heard for too long, and has no voice."),
    FIELD(struct vantage_place, looked, TIME, .flags = RO, .doc = "When it looked last."),
    FIELD(struct vantage_place, connect_us, INT, .flags = WIDE, .max = INT64_MAX,
          .doc = "Microseconds until the connection stood."),
    FIELD(struct vantage_place, total_us, INT, .flags = RO, .max = INT64_MAX,
          .doc = "Microseconds of the whole look."),
    FIELD(struct vantage_place, days, INT, .flags = WIDE, .max = INT64_MAX,
          .doc = "Days that the certificate is good for."),
    FIELD(struct vantage_place, text, TEXT, .flags = RO, .doc = "Why it is not good."),
};
const struct schema vantage_place_schema =
    SCHEMA(struct vantage_place, "vantage_place", place_fields, "A place that looks at a service.");

static const struct field day_fields[] = {
    FIELD(struct vantage_day, day, TEXT, .flags = RO, .doc = "Day of UTC."),
    FIELD(struct vantage_day, country, TEXT, .flags = RO, .doc = "Country that looked."),
    FIELD(struct vantage_day, city, TEXT, .flags = RO, .doc = "City that looked."),
    FIELD(struct vantage_day, services, INT, .flags = RO, .max = INT64_MAX,
          .doc = "Of a site: how many services were looked at."),
    FIELD(struct vantage_day, probes, INT, .flags = RO, .max = INT64_MAX, .doc = "Looks."),
    FIELD(struct vantage_day, failures, INT, .flags = RO, .max = INT64_MAX,
          .doc = "Looks that were not good."),
    FIELD(struct vantage_day, percent, DECIMAL, .flags = RO,
          .doc = "Good ones of all, rounded down.", .example = "\"99.930\""),
    FIELD(struct vantage_day, p50_us, INT, .flags = RO, .max = INT64_MAX,
          .doc = "Half of the good looks took no more microseconds."),
    FIELD(struct vantage_day, p95_us, INT, .flags = RO, .max = INT64_MAX,
          .doc = "95 of 100 took no more; of a site: of its slowest service, once the day is "
                 "over."),
};
const struct schema vantage_day_schema =
    SCHEMA(struct vantage_day, "vantage_day", day_fields, "A day as seen from a city.");

static const struct field vantage_fields[] = {
    FIELD(struct vantage, service, TEXT, .flags = WIDE, .prefix = "svc", .doc = "Which service."),
    FIELD(struct vantage, watched, BOOL, .flags = RO, .doc = "Whether other sites look at it."),
    FIELD(struct vantage, places, INT, .flags = RO, .max = VANTAGE_PLACES_MAX,
          .doc = "From how many places."),
    FIELD(struct vantage, every_s, INT, .flags = RO, .max = PROBE_EVERY_MAX_S,
          .doc = "Seconds from one look of a place to the next."),
    FIELD(struct vantage, port, TEXT, .flags = RO, .doc = "At which of its ports."),
    FIELD(struct vantage, kind, WORD, .flags = RO, .words = probe_kinds, .doc = "How."),
    FIELD(struct vantage, path, TEXT, .flags = WIDE, .max = 1000, .doc = "HTTP: path."),
    FIELD(struct vantage, status, INT, .flags = WIDE, .max = 599,
          .doc = "HTTP: status that is wanted; 0: 200 to 399."),
    FIELD(struct vantage, contains, TEXT, .flags = WIDE,
          .doc = "HTTP: what its body has somewhere."),
    FIELD(struct vantage, days, INT, .flags = WIDE, .max = PROBE_DAYS_MAX,
          .doc = "Certificate: good for so many days more."),
    FIELD(struct vantage, state, WORD, .flags = RO, .words = promise_states,
          .doc = "The promise 'outside': what more than half of the places hold."),
    FIELD(struct vantage, since, TIME, .flags = RO, .doc = "Since when it is so."),
    FIELD(struct vantage, text, TEXT, .flags = RO, .max = 1000, .doc = "Why."),
    FIELD(struct vantage, seen_from, LIST, .flags = RO, .schema = &vantage_place_schema,
          .doc = "The places that look at it now."),
    FIELD(struct vantage, seen_daily, LIST, .flags = RO, .schema = &vantage_day_schema,
          .doc = "By day and city, the newest day first."),
};
const struct schema vantage_schema =
    SCHEMA(struct vantage, "vantage", vantage_fields, "A service as seen from other sites.");

static const struct field query_fields[] = {
    FIELD(struct vantage_query, days, INT, .min = 1, .max = VANTAGE_DAYS_MAX,
          .doc = "How many days; 7 unless said otherwise."),
};
const struct schema vantage_query_schema =
    SCHEMA(struct vantage_query, "vantage_query", query_fields, "How many days are shown.");

static const struct field order_fields[] = {
    FIELD(struct vantage_order, watched, BOOL,
          .doc = "Whether other sites look at it; yes unless said otherwise."),
    FIELD(struct vantage_order, places, INT, .min = 1, .max = VANTAGE_PLACES_MAX,
          .doc = "From how many places; 3 unless said otherwise."),
    FIELD(struct vantage_order, every_s, INT, .min = PROBE_EVERY_MIN_S, .max = PROBE_EVERY_MAX_S,
          .doc = "Seconds from one look to the next; 60 unless said otherwise."),
    FIELD(struct vantage_order, port, TEXT, .min = 1, .max = 40,
          .doc = "One of its published ports, by name."),
    FIELD(struct vantage_order, kind, WORD, .words = probe_kinds, .doc = "How it is looked at."),
    FIELD(struct vantage_order, path, TEXT, .max = 1000, .doc = "HTTP: path.",
          .example = "\"/health\""),
    FIELD(struct vantage_order, status, INT, .max = 599,
          .doc = "HTTP: status that is wanted; 0: 200 to 399."),
    FIELD(struct vantage_order, contains, TEXT, .max = PROBE_WHY_MAX,
          .doc = "HTTP: what its body has somewhere."),
    FIELD(struct vantage_order, days, INT, .min = 1, .max = PROBE_DAYS_MAX,
          .doc = "Certificate: good for so many days more."),
};
const struct schema vantage_order_schema =
    SCHEMA(struct vantage_order, "vantage_order", order_fields, "How a service is looked at.");

static const struct field site_fields[] = {
    FIELD(struct site_vantage, site, TEXT, .flags = WIDE, .prefix = "sit", .doc = "Which site."),
    FIELD(struct site_vantage, seen_daily, LIST, .flags = RO, .schema = &vantage_day_schema,
          .doc = "By day and city, the newest day first: all services that ran there."),
};
const struct schema site_vantage_schema =
    SCHEMA(struct site_vantage, "site_vantage", site_fields, "A site as seen from others.");

static const struct field probe_fields[] = {
    FIELD(struct node_probe, id, TEXT, .flags = WIDE, .prefix = "vpt", .doc = "Id of the look."),
    FIELD(struct node_probe, kind, WORD, .flags = RO, .words = probe_kinds, .doc = "How."),
    FIELD(struct node_probe, address, TEXT, .flags = RO, .doc = "Which address."),
    FIELD(struct node_probe, port, INT, .flags = RO, .max = 65535, .doc = "Which port."),
    FIELD(struct node_probe, every_s, INT, .flags = RO, .max = PROBE_EVERY_MAX_S,
          .doc = "Seconds from one look to the next."),
    FIELD(struct node_probe, seen, WORD, .flags = RO, .words = vantage_seen_words,
          .doc = "What this node holds."),
    FIELD(struct node_probe, looked, TIME, .flags = RO, .doc = "When it looked last."),
    FIELD(struct node_probe, total_us, INT, .flags = RO, .max = INT64_MAX,
          .doc = "Microseconds of that look."),
    FIELD(struct node_probe, text, TEXT, .flags = RO, .doc = "Why it was not good."),
};
const struct schema node_probe_schema =
    SCHEMA(struct node_probe, "node_probe", probe_fields, "What a node looks at for others.");
