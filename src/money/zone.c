#include "money/zone.h"

#include "money/ascii.h"
#include "money/zone_rule.h"

#include <errno.h>
#include <sys/stat.h>

static bool part_is_good(struct str part)
{
    for (size_t i = 0; i < part.n; i++) {
        char c = part.p[i];
        if (!ascii_letter(c) && !ascii_digit(c) && c != '_' && c != '+' && c != '-')
            return false;
    }
    return part.n > 0;
}

static bool is_of_the_machine(struct str name)
{
    return str_eq(name, STR("localtime")) || str_eq(name, STR("posixrules")) ||
           str_starts(name, STR("posix/")) || str_starts(name, STR("right/"));
}

static bool name_is_good(struct str name)
{
    if (name.n == 0 || name.n > ZONE_NAME_MAX || name.p[name.n - 1] == '/' ||
        is_of_the_machine(name))
        return false;
    while (name.n > 0)
        if (!part_is_good(str_cut(&name, '/')))
            return false;
    return true;
}

enum rc zone_name_check(struct str name, struct err *err)
{
    if (!name_is_good(name))
        return err_set(err, RC_INVALID,
                       "'%.*s' is not a time zone: a name such as Europe/Paris or UTC was wanted",
                       STRF(ascii_shown(name)));
    return RC_OK;
}

/* --- the file --- */

/* RFC 8536 3.1. */
enum { HEADER_BYTES = 44, COUNTS_AT = 20, TYPES_MAX = 256, TYPE_BYTES = 6, NAMES_BYTES_MAX = 4096 };

struct header {
    char version; /* 0, '2', '3', ... */
    uint64_t isut, isstd, leap, time, type, name;
};

/* A big-endian number of width bytes; the caller has checked that they are there. */
static uint64_t number_at(struct str bytes, size_t at, size_t width)
{
    ASSERT(at + width <= bytes.n);
    uint64_t value = 0;
    for (size_t i = 0; i < width; i++)
        value = value << 8 | (unsigned char)bytes.p[at + i];
    return value;
}

static int64_t time_at(struct str bytes, size_t at, size_t width)
{
    uint64_t value = number_at(bytes, at, width);
    return width == 4 ? (int64_t)(int32_t)(uint32_t)value : (int64_t)value;
}

static bool read_header(struct str bytes, struct header *ret)
{
    if (bytes.n < HEADER_BYTES || !str_starts(bytes, STR("TZif")))
        return false;
    uint64_t counts[6];
    for (size_t i = 0; i < COUNT(counts); i++)
        counts[i] = number_at(bytes, COUNTS_AT + i * 4, 4);
    *ret = (struct header){bytes.p[4], counts[0], counts[1], counts[2],
                           counts[3],  counts[4], counts[5]};
    return true;
}

/* Of what follows the header. Counts are below 2^32, so nothing overflows. */
static uint64_t body_bytes(const struct header *h, size_t time_width)
{
    return h->time * (time_width + 1) + h->type * TYPE_BYTES + h->name +
           h->leap * (time_width + 4) + h->isstd + h->isut;
}

static bool counts_are_good(const struct header *h)
{
    return h->type >= 1 && h->type <= TYPES_MAX && h->time <= ZONE_CHANGES_MAX && h->name >= 1 &&
           h->name <= NAMES_BYTES_MAX && h->leap == 0 && (h->isstd == 0 || h->isstd == h->type) &&
           (h->isut == 0 || h->isut == h->type);
}

/* The offsets of the types, checked. */
static bool read_types(struct str body, const struct header *h, size_t at, int32_t *ret_offsets)
{
    for (size_t i = 0; i < h->type; i++, at += TYPE_BYTES) {
        int64_t offset = time_at(body, at, 4);
        if (offset < ZONE_OFFSET_MIN || offset > ZONE_OFFSET_MAX ||
            number_at(body, at + 4, 1) > 1 || number_at(body, at + 5, 1) >= h->name)
            return false;
        ret_offsets[i] = (int32_t)offset;
    }
    return true;
}

/* body: from behind the header, at least body_bytes long. */
static bool read_body(struct str body, const struct header *h, size_t time_width,
                      struct arena *arena, struct zone *z)
{
    int32_t offsets[TYPES_MAX];
    size_t indexes_at = h->time * time_width;
    if (!read_types(body, h, indexes_at + h->time, offsets))
        return false;
    struct zone_change *changes = NEW_N(arena, struct zone_change, h->time);
    for (size_t i = 0; i < h->time; i++) {
        uint64_t type = number_at(body, indexes_at + i, 1);
        int64_t at = time_at(body, i * time_width, time_width);
        if (type >= h->type || (i > 0 && at <= changes[i - 1].at))
            return false;
        changes[i] = (struct zone_change){at, offsets[type]};
    }
    z->first_offset_s = offsets[0];
    z->changes = changes;
    z->change_count = h->time;
    return true;
}

/* "\nCET-1CEST,M3.5.0,M10.5.0/3\n"; an empty line says that there is no rule. */
static bool read_footer(struct str bytes, struct zone *z)
{
    size_t end = str_find(bytes, '\n', 1);
    if (bytes.n < 2 || bytes.p[0] != '\n' || end == bytes.n)
        return false;
    struct str text = str_sub(bytes, 1, end);
    z->has_rule = text.n > 0;
    return !z->has_rule || zone_rule_parse(text, &z->rule);
}

static bool decode(struct str bytes, struct arena *arena, struct zone *z)
{
    struct header h;
    size_t time_width = 4;
    if (!read_header(bytes, &h))
        return false;
    if (h.version != '\0') {
        /* The first block is for readers of 1986: 32-bit times. The same again with 64 follows. */
        uint64_t skip = HEADER_BYTES + body_bytes(&h, time_width);
        time_width = 8;
        if (skip > bytes.n)
            return false;
        bytes = str_sub(bytes, skip, bytes.n);
        if (!read_header(bytes, &h))
            return false;
    }
    struct str body = str_sub(bytes, HEADER_BYTES, bytes.n);
    if (!counts_are_good(&h) || body_bytes(&h, time_width) > body.n)
        return false;
    return read_body(body, &h, time_width, arena, z) &&
           (time_width == 4 || read_footer(str_sub(body, body_bytes(&h, 8), body.n), z));
}

enum rc zone_decode(struct str name, struct str bytes, struct arena *arena, const struct zone **ret,
                    struct err *err)
{
    struct zone *z = NEW(arena, struct zone);
    z->name = arena_str(arena, name);
    if (bytes.n > ZONE_FILE_MAX || !decode(bytes, arena, z))
        return err_set(err, RC_INVALID, "the file of time zone '%.*s' is damaged",
                       STRF(ascii_shown(name)));
    *ret = z;
    return RC_OK;
}

static enum rc no_such_zone(struct str name, struct err *err)
{
    struct stat folder;
    if (stat(ZONE_FOLDER, &folder) != 0)
        return err_set(err, RC_INTERNAL,
                       "there are no time zones on this machine: install the package tzdata");
    return err_set(err, RC_INVALID,
                   "there is no time zone '%.*s': a name such as Europe/Paris or UTC was wanted",
                   STRF(name));
}

static enum rc read_file(struct str name, struct arena *arena, struct str *ret, struct err *err)
{
    char path[sizeof ZONE_FOLDER + 1 + ZONE_NAME_MAX];
    (void)snprintf(path, sizeof path, ZONE_FOLDER "/%.*s", STRF(name));
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode))
        return no_such_zone(name, err);
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        return err_set(err, RC_INTERNAL, "time zone '%.*s' cannot be read: %s", STRF(name),
                       strerrordesc_np(errno));
    char *bytes = arena_bytes(arena, ZONE_FILE_MAX + 1);
    size_t n = fread(bytes, 1, ZONE_FILE_MAX + 1, file);
    bool failed = ferror(file) != 0;
    (void)fclose(file); /* nothing was written */
    if (failed)
        return err_set(err, RC_INTERNAL, "time zone '%.*s' cannot be read", STRF(name));
    *ret = str_n(bytes, n);
    return RC_OK;
}

enum rc zone_load(struct str name, struct arena *arena, const struct zone **ret, struct err *err)
{
    TRY(zone_name_check(name, err));
    if (str_eq(name, STR("UTC"))) {
        struct zone *utc = NEW(arena, struct zone);
        utc->name = STR("UTC");
        *ret = utc;
        return RC_OK;
    }
    struct str bytes;
    TRY(read_file(name, arena, &bytes, err));
    /* Lists such as leapseconds lie beside the zones. */
    if (!str_starts(bytes, STR("TZif")))
        return no_such_zone(name, err);
    if (zone_decode(name, bytes, arena, ret, err) != RC_OK)
        return err_set(err, RC_INTERNAL, "%.*s: reinstall the package tzdata", STRF(err_text(err)));
    return RC_OK;
}

/* --- the arithmetic --- */

/* How many changes are at or before an instant. */
static size_t changes_until(const struct zone *z, int64_t at)
{
    size_t low = 0;
    size_t high = z->change_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (z->changes[middle].at <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int32_t zone_offset(const struct zone *z, int64_t at)
{
    ASSERT(at >= -ZONE_SECONDS_MAX && at <= ZONE_SECONDS_MAX);
    size_t passed = changes_until(z, at);
    if (passed == z->change_count && z->has_rule)
        return zone_rule_offset(&z->rule, at);
    return passed == 0 ? z->first_offset_s : z->changes[passed - 1].offset_s;
}

bool zone_next(const struct zone *z, int64_t after, int64_t *ret_at)
{
    ASSERT(after >= -ZONE_SECONDS_MAX && after <= ZONE_SECONDS_MAX);
    size_t passed = changes_until(z, after);
    if (passed == z->change_count)
        return z->has_rule && zone_rule_next(&z->rule, after, ret_at);
    *ret_at = z->changes[passed].at;
    return true;
}

int64_t zone_first(const struct zone *z, int64_t local)
{
    /* Begin where no clock of the world can show local yet, and walk over the stretches of equal
     * offset: the first that shows local or later has the answer. A few steps, as a stretch that
     * begins more than a day behind local has it in any case. */
    int64_t at = local - ZONE_OFFSET_MAX - 1;
    for (;;) {
        int64_t shows = max_i64(at, local - zone_offset(z, at));
        int64_t next;
        if (!zone_next(z, at, &next) || shows < next)
            return shows;
        at = next;
    }
}
