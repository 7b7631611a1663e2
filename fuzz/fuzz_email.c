/* An address, a sender or a host name is refused with a sentence, or is its own one spelling. */
#include "fuzz.h"

#include "party/email.h"

static void check_plain(struct str s, size_t max)
{
    ASSERT(s.n > 0 && s.n <= max);
    ASSERT(str_is_utf8(s));
    for (size_t i = 0; i < s.n; i++)
        ASSERT((unsigned char)s.p[i] >= 0x20 && s.p[i] != 0x7F);
}

typedef enum rc (*parse_fn)(struct str text, struct arena *arena, struct str *ret, struct err *err);

static bool check(parse_fn parse, struct str text, size_t max, struct arena *arena, struct str *ret)
{
    struct err err;
    struct str again;
    err_clear(&err);
    enum rc rc = parse(text, arena, ret, &err);
    ASSERT(rc == err.rc);
    if (rc != RC_OK) {
        ASSERT(rc == RC_INVALID && err.text_n > 0);
        return false;
    }
    check_plain(*ret, max);
    rc = parse(*ret, arena, &again, &err);
    ASSERT(rc == RC_OK && str_eq(*ret, again));
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct str text = str_n((const char *)data, size);
    struct str email, sender, host;
    if (size > 2000)
        return 0;
    arena_init(&arena, (size_t)1024 * 1024);
    if (check(email_parse, text, EMAIL_MAX, &arena, &email)) {
        ASSERT(str_eq_nocase(email, text));
        ASSERT(str_eq(email_key(email, &arena), email_key(text, &arena)));
        ASSERT(check(email_parse_sender, text, EMAIL_MAX, &arena, &sender));
    }
    if (check(email_parse_sender, text, 400, &arena, &sender))
        ASSERT(str_find(sender, ',', 0) == sender.n && str_find(sender, '"', 0) == sender.n);
    if (check(host_parse, text, 253, &arena, &host))
        ASSERT(str_eq_nocase(host, text));
    arena_fini(&arena);
    return 0;
}
