#include "party/permission.h"

static const struct {
    struct str text;
    const char *twin;
    const char *doc;
} table[PERM_COUNT] = {
#define X(name, text, twin, doc) [name] = {STR_INIT(text), twin, doc},
    PERMISSION_TABLE(X)
#undef X
};

const char *permission_text(enum permission p)
{
    ASSERT(p < PERM_COUNT);
    return table[p].text.p;
}

const char *permission_doc(enum permission p)
{
    ASSERT(p < PERM_COUNT);
    return table[p].doc;
}

enum permission permission_twin(enum permission p)
{
    ASSERT(p < PERM_COUNT);
    enum permission twin = PERM_NONE;
    if (table[p].twin != NULL && !permission_parse(str_c(table[p].twin), &twin))
        NEVER("a twin in the table that is no permission");
    return twin;
}

bool permission_parse(struct str s, enum permission *ret)
{
    for (enum permission p = 0; p < PERM_COUNT; p++)
        if (str_eq(s, table[p].text)) {
            *ret = p;
            return true;
        }
    return false;
}

/* Whether the texts begin with the word, and it ends there. */
static bool begin_with(struct str texts, struct str word)
{
    return str_starts(texts, word) && (texts.n == word.n || texts.p[word.n] == ' ');
}

/* Mostly they stand in the order of the table, as token.c writes them, and are found at once. */
uint64_t permission_parse_all(struct str texts)
{
    uint64_t bits = 0;
    enum permission next = 0;
    while (texts.n > 0) {
        enum permission p = next;
        while (p < PERM_COUNT && !begin_with(texts, table[p].text))
            p++;
        if (p < PERM_COUNT) {
            next = p + 1;
            texts = str_sub(texts, min_size(table[p].text.n + 1, texts.n), texts.n);
        } else if (!permission_parse(str_cut(&texts, ' '), &p)) {
            continue;
        }
        bits |= PERM_BIT(p);
    }
    return bits;
}

static const struct field role_fields[] = {
    FIELD(struct role, id, TEXT, .flags = FIELD_READ_ONLY, .min = 1, .max = ROLE_NAME_MAX,
          .doc = "Name of the role.", .example = "\"billing\""),
    FIELD(struct role, doc, TEXT, .flags = FIELD_READ_ONLY, .doc = "What the role is for."),
    FIELD(struct role, permissions, LIST, .flags = FIELD_READ_ONLY, .max = PERM_COUNT,
          .doc = "What the role allows.", .example = "[\"party:read\"]"),
};
const struct schema role_schema =
    SCHEMA(struct role, "role", role_fields, "A set of permissions that a member of a party has.");
