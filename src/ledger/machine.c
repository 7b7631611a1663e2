/* The machine: its tables, marks and undoing, and the definitions of books, accounts, sources. */
#include "ledger/machine_inside.h"

#include "base/map.h"
#include "money/currency.h"

enum { FIRST_ROOM = 1024, HASH_BYTES_MAX = 4 + NAME_CODE_MAX };
#define MACHINE_ARENA_BYTES ((size_t)1 << 40) /* in effect, what the computer has */

struct machine *machine_open(const uint64_t seed[2])
{
    struct arena arena;
    arena_init(&arena, MACHINE_ARENA_BYTES);
    struct machine *m = NEW(&arena, struct machine);
    m->arena = arena;
    m->seed[0] = seed[0];
    m->seed[1] = seed[1];
    series_init(&m->accounts, &m->arena, sizeof(struct account_state));
    series_init(&m->codes, &m->arena, sizeof(struct account_code));
    series_init(&m->books, &m->arena, sizeof(struct book_state));
    series_init(&m->sources, &m->arena, sizeof(struct source_state));
    (void)series_add(&m->accounts);
    (void)series_add(&m->codes);
    (void)series_add(&m->books);
    (void)series_add(&m->sources);
    index_init(&m->account_index, &m->arena);
    index_init(&m->book_index, &m->arena);
    index_init(&m->source_index, &m->arena);
    pendings_init(&m->pendings, &m->arena, seed[0]);
    return m;
}

void machine_close(struct machine *m)
{
    if (m == NULL)
        return;
    struct arena arena = m->arena; /* m lies in it */
    arena_fini(&arena);
}

void *machine_grow(struct machine *m, void *array, size_t count, size_t *room, size_t item_bytes)
{
    if (count < *room)
        return array;
    size_t more = *room ? *room * 2 : FIRST_ROOM;
    void *grown = arena_alloc_n(&m->arena, more, item_bytes);
    if (count > 0)
        memcpy(grown, array, count * item_bytes);
    *room = more;
    return grown;
}

/* --- marks and undoing --- */

struct undo *machine_note(struct machine *m, enum undo_kind kind, uint32_t id)
{
    struct undo_log *log = &m->undo;
    log->entries = machine_grow(m, log->entries, log->count, &log->room, sizeof *log->entries);
    struct undo *u = &log->entries[log->count++];
    u->kind = kind;
    u->id = id;
    return u;
}

void machine_note_balance(struct machine *m, account_id id)
{
    struct account_state *a = machine_at(m, id);
    if (a->epoch == m->epoch)
        return;
    a->epoch = m->epoch;
    machine_note(m, UNDO_BALANCE, id)->balance = a->balance;
}

void machine_begin(struct machine *m, time_us at)
{
    ASSERT(at >= m->at);
    ASSERT(m->undo.count == 0);
    m->at_before = m->at;
    m->at = at;
    m->epoch++;
}

size_t machine_mark(struct machine *m)
{
    ASSERT(!m->in_chain);
    m->epoch++;
    return m->undo.count;
}

static uint64_t hash_of(const struct machine *m, uint32_t number, struct str text)
{
    char key[HASH_BYTES_MAX];
    ASSERT(text.n <= NAME_CODE_MAX);
    memcpy(key, &number, 4);
    if (text.n > 0)
        memcpy(key + 4, text.p, text.n);
    return hash_str(str_n(key, 4 + text.n), m->seed);
}

static struct str code_of(const struct machine *m, account_id id)
{
    const struct account_code *c = series_at(&m->codes, id);
    return str_n(c->code, machine_at(m, id)->code_n);
}

static void undo_definition(struct machine *m, const struct undo *u)
{
    if (u->kind == UNDO_BOOK) {
        const struct book_state *b = machine_book_at(m, u->id);
        index_remove(&m->book_index, hash_of(m, 0, str_n(b->label, b->label_n)), u->id);
        series_drop(&m->books);
        return;
    }
    if (u->kind == UNDO_SOURCE) {
        const struct source_state *s = machine_source_at(m, u->id);
        index_remove(&m->source_index, hash_of(m, 0, str_n(s->name, s->name_n)), u->id);
        series_drop(&m->sources);
        return;
    }
    const struct account_state *a = machine_at(m, u->id);
    index_remove(&m->account_index, hash_of(m, a->book, code_of(m, u->id)), u->id);
    if (a->mirror != 0)
        machine_at(m, a->mirror)->mirror = 0;
    series_drop(&m->accounts);
    series_drop(&m->codes);
}

static void undo_one(struct machine *m, const struct undo *u)
{
    switch (u->kind) {
    case UNDO_BALANCE:
        machine_at(m, u->id)->balance = u->balance;
        break;
    case UNDO_ACCOUNT:
    case UNDO_BOOK:
    case UNDO_SOURCE:
        undo_definition(m, u);
        break;
    case UNDO_FLAGS:
        machine_at(m, u->id)->flags = u->flags;
        break;
    case UNDO_LAST:
        machine_source_at(m, u->id)->last = u->last;
        break;
    case UNDO_PENDING_ADDED:
        pendings_remove(&m->pendings, u->pending.source, u->pending.number);
        break;
    case UNDO_PENDING_REMOVED:
        pendings_add(&m->pendings, &u->pending);
        break;
    }
}

void machine_undo(struct machine *m, size_t mark)
{
    ASSERT(mark <= m->undo.count);
    while (m->undo.count > mark)
        undo_one(m, &m->undo.entries[--m->undo.count]);
    m->in_chain = false;
    m->mirrors_count = 0;
    m->epoch++; /* what was noted since the mark is not noted any more */
}

void machine_cancel(struct machine *m)
{
    machine_undo(m, 0);
    m->at = m->at_before;
}

/* --- the end of a batch --- */

const struct touched *machine_seal(struct machine *m, size_t *ret_count)
{
    ASSERT(!m->in_chain);
    m->seals++; /* a batch may be sealed again: after more of it, or after undoing */
    size_t count = 0;
    for (size_t i = 0; i < m->undo.count; i++) {
        const struct undo *u = &m->undo.entries[i];
        if (u->kind != UNDO_BALANCE)
            continue;
        struct account_state *a = machine_at(m, u->id);
        if (a->seen == m->seals)
            continue; /* the first one has the balance before the batch */
        a->seen = m->seals;
        m->touched = machine_grow(m, m->touched, count, &m->touched_room, sizeof *m->touched);
        m->touched[count++] = (struct touched){u->id, u->balance};
        struct book_state *b = machine_book_at(m, a->book);
        if (b->seen != m->seals)
            b->changed = 0;
        b->seen = m->seals;
        b->changed += a->balance.debits - u->balance.debits;
        b->changed -= a->balance.credits - u->balance.credits;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t book = machine_book_of(m, m->touched[i].account);
        ASSERT(machine_book_at(m, book)->changed == 0);
    }
    *ret_count = count;
    return m->touched;
}

void machine_end(struct machine *m)
{
    ASSERT(!m->in_chain);
    m->undo.count = 0;
    m->epoch++;
}

/* --- books --- */

static bool same_book(const void *things, uint32_t id, const void *key)
{
    const struct book_state *b = machine_book_at(things, id);
    return str_eq(str_n(b->label, b->label_n), *(const struct str *)key);
}

/* party and currency are checked. */
static struct book_state label_of(struct str party, struct str currency)
{
    ASSERT(currency.n == CURRENCY_BYTES && party.n <= NAME_PARTY_MAX);
    struct book_state b = {.label_n = (uint32_t)(CURRENCY_BYTES + 1 + party.n)};
    memcpy(b.label, currency.p, CURRENCY_BYTES);
    b.label[CURRENCY_BYTES] = ' ';
    memcpy(b.label + CURRENCY_BYTES + 1, party.p, party.n);
    return b;
}

static uint32_t find_book(const struct machine *m, const struct book_state *b, uint64_t *ret_hash)
{
    struct str label = str_n(b->label, b->label_n);
    *ret_hash = hash_of(m, 0, label);
    return index_find(&m->book_index, *ret_hash, same_book, m, &label);
}

enum rc machine_book(struct machine *m, struct str party, struct str currency, uint32_t *ret,
                     struct record *ret_record, struct err *err)
{
    *ret_record = (struct record){0};
    if (currency_find(currency) == NULL)
        return err_set_at(err, RC_INVALID, STR("/currency"), "'%.*s' is no currency of ISO 4217",
                          STRF(str_sub(currency, 0, 8)));
    if (!name_is_party(party))
        return err_set_at(err, RC_INVALID, STR("/party"), "a book belongs to a party, by its id");
    struct book_state new = label_of(party, currency);
    uint64_t hash = 0;
    uint32_t id = find_book(m, &new, &hash);
    if (id == 0) {
        id = m->books.count;
        struct book_state *b = series_add(&m->books);
        *b = new;
        index_put(&m->book_index, hash, id);
        (void)machine_note(m, UNDO_BOOK, id);
        *ret_record =
            (struct record){.kind = RECORD_BOOK, .id = id, .text = str_n(b->label, b->label_n)};
    }
    *ret = id;
    return RC_OK;
}

/* --- accounts --- */

struct account_key {
    uint32_t book;
    struct str code;
};

static bool same_account(const void *things, uint32_t id, const void *key)
{
    const struct machine *m = things;
    const struct account_key *k = key;
    return machine_at(m, id)->book == k->book && str_eq(code_of(m, id), k->code);
}

static account_id find_account(const struct machine *m, uint32_t book, struct str code,
                               uint64_t *ret_hash)
{
    struct account_key key = {book, code};
    *ret_hash = hash_of(m, book, code);
    return index_find(&m->account_index, *ret_hash, same_account, m, &key);
}

account_id machine_find(const struct machine *m, struct str party, struct str currency,
                        struct str code)
{
    uint64_t hash = 0;
    if (currency_find(currency) == NULL || !name_is_party(party) || !name_is_code(code))
        return 0;
    struct book_state b = label_of(party, currency);
    uint32_t book = find_book(m, &b, &hash);
    return book != 0 ? find_account(m, book, code, &hash) : 0;
}

static enum rc check_found(const struct machine *m, account_id id, const struct record *d,
                           struct err *err)
{
    char text[MACHINE_TEXT_MAX];
    const struct account_state *a = machine_at(m, id);
    if ((a->flags & ~(unsigned)ACCOUNT_CLOSED) != d->flags)
        return err_set(err, RC_CONFLICT, "%s is there already, with other flags",
                       machine_describe(m, id, text));
    if (d->mirror != 0 && a->mirror != d->mirror)
        return err_set(err, RC_CONFLICT, "%s is there already, with another mirror or none",
                       machine_describe(m, id, text));
    return RC_OK;
}

static enum rc check_mirror(const struct machine *m, const struct record *d, struct err *err)
{
    if (!machine_has(&m->accounts, d->mirror))
        return err_set(err, RC_NOT_FOUND, "there is no account %u to mirror", d->mirror);
    char text[MACHINE_TEXT_MAX];
    const struct account_state *other = machine_at(m, d->mirror);
    const char *name = machine_describe(m, d->mirror, text);
    if (other->book == d->book)
        return err_set(err, RC_INVALID, "%s is in the same book: a mirror stands in another one",
                       name);
    if (memcmp(machine_book_at(m, other->book)->label, machine_book_at(m, d->book)->label,
               CURRENCY_BYTES) != 0)
        return err_set(err, RC_INVALID, "%s has another currency: a mirror has the same", name);
    if (other->mirror != 0)
        return err_set(err, RC_CONFLICT, "%s has a mirror already", name);
    static const struct balance zero = {0};
    if (memcmp(&other->balance, &zero, sizeof zero) != 0)
        return err_set(err, RC_INVALID, "%s has transfers already: mirrors begin empty", name);
    return RC_OK;
}

static enum rc check_definition(const struct machine *m, const struct record *d, struct err *err)
{
    const unsigned limits = ACCOUNT_DEBITS_LE_CREDITS | ACCOUNT_CREDITS_LE_DEBITS;
    if (!name_is_code(d->text))
        return err_set_at(err, RC_INVALID, STR("/code"),
                          "'%.*s' is no code of an account: parts like Income:VPS or AR:<id> are",
                          STRF(str_sub(d->text, 0, NAME_CODE_MAX)));
    if ((d->flags & ~(limits | ACCOUNT_HISTORY)) != 0 || (d->flags & limits) == limits)
        return err_set_at(err, RC_INVALID, STR("/flags"),
                          "an account limits its debits or its credits, not both, and opens open");
    if (!machine_has(&m->books, d->book))
        return err_set(err, RC_NOT_FOUND, "there is no book %u", d->book);
    return d->mirror != 0 ? check_mirror(m, d, err) : RC_OK;
}

enum rc machine_account(struct machine *m, const struct record *definition, account_id *ret,
                        struct record *ret_record, struct err *err)
{
    *ret_record = (struct record){0};
    const struct record *d = definition;
    uint64_t hash = 0;
    account_id id = d->text.n <= NAME_CODE_MAX ? find_account(m, d->book, d->text, &hash) : 0;
    if (id != 0) {
        TRY(check_found(m, id, d, err));
        *ret = id;
        return RC_OK;
    }
    TRY(check_definition(m, d, err));
    id = m->accounts.count;
    struct account_state *a = series_add(&m->accounts);
    struct account_code *c = series_add(&m->codes);
    ASSERT(m->accounts.count == m->codes.count);
    *a = (struct account_state){
        .book = d->book, .mirror = d->mirror, .flags = d->flags, .code_n = (uint32_t)d->text.n};
    memcpy(c->code, d->text.p, d->text.n);
    if (d->mirror != 0)
        machine_at(m, d->mirror)->mirror = id;
    index_put(&m->account_index, hash, id);
    (void)machine_note(m, UNDO_ACCOUNT, id);
    *ret_record = (struct record){.kind = RECORD_ACCOUNT,
                                  .flags = d->flags,
                                  .id = id,
                                  .book = d->book,
                                  .mirror = d->mirror,
                                  .text = str_n(c->code, d->text.n)};
    *ret = id;
    return RC_OK;
}

enum rc machine_set_closed(struct machine *m, account_id account, bool closed, bool *ret_changed,
                           struct record *ret_record, struct err *err)
{
    if (!machine_has(&m->accounts, account))
        return err_set(err, RC_NOT_FOUND, "there is no account %u", account);
    struct account_state *a = machine_at(m, account);
    unsigned flag = closed ? ACCOUNT_CLOSED : 0;
    *ret_changed = (a->flags & ACCOUNT_CLOSED) != flag;
    if (!*ret_changed)
        return RC_OK;
    machine_note(m, UNDO_FLAGS, account)->flags = a->flags;
    a->flags ^= ACCOUNT_CLOSED;
    *ret_record = (struct record){.kind = RECORD_CLOSE, .flags = (uint8_t)flag, .id = account};
    return RC_OK;
}

/* --- sources --- */

static bool same_source(const void *things, uint32_t id, const void *key)
{
    return str_eq(machine_source_name(things, id), *(const struct str *)key);
}

enum rc machine_source(struct machine *m, struct str name, uint32_t *ret, struct record *ret_record,
                       struct err *err)
{
    *ret_record = (struct record){0};
    if (!name_is_source(name))
        return err_set_at(err, RC_INVALID, STR("/source"),
                          "a source of transfers is named by 1 to %d letters, digits and any of "
                          "._/:@+-",
                          NAME_SOURCE_MAX);
    uint64_t hash = hash_of(m, 0, name);
    uint32_t id = index_find(&m->source_index, hash, same_source, m, &name);
    if (id == 0) {
        id = m->sources.count;
        struct source_state *s = series_add(&m->sources);
        memcpy(s->name, name.p, name.n);
        s->name_n = (uint32_t)name.n;
        index_put(&m->source_index, hash, id);
        (void)machine_note(m, UNDO_SOURCE, id);
        *ret_record =
            (struct record){.kind = RECORD_SOURCE, .id = id, .text = machine_source_name(m, id)};
    }
    *ret = id;
    return RC_OK;
}

/* --- looking --- */

uint32_t machine_books(const struct machine *m)
{
    return m->books.count - 1;
}

uint32_t machine_accounts(const struct machine *m)
{
    return m->accounts.count - 1;
}

uint32_t machine_sources(const struct machine *m)
{
    return m->sources.count - 1;
}

time_us machine_time(const struct machine *m)
{
    return m->at;
}

bool machine_in_chain(const struct machine *m)
{
    return m->in_chain;
}

void machine_see_book(const struct machine *m, uint32_t book, struct str *ret_party,
                      struct str *ret_currency)
{
    const struct book_state *b = machine_book_at(m, book);
    *ret_party = str_sub(str_n(b->label, b->label_n), CURRENCY_BYTES + 1, b->label_n);
    *ret_currency = str_n(b->label, CURRENCY_BYTES);
}

uint32_t machine_book_of(const struct machine *m, account_id account)
{
    return machine_at(m, account)->book;
}

struct account machine_see_account(const struct machine *m, account_id account)
{
    const struct account_state *a = machine_at(m, account);
    struct account seen = {.id = account,
                           .code = code_of(m, account),
                           .flags = a->flags,
                           .mirror = a->mirror,
                           .balance = a->balance};
    machine_see_book(m, a->book, &seen.party, &seen.currency);
    return seen;
}

const struct balance *machine_balance(const struct machine *m, account_id account)
{
    return &machine_at(m, account)->balance;
}

unsigned machine_flags(const struct machine *m, account_id account)
{
    return machine_at(m, account)->flags;
}

struct str machine_source_name(const struct machine *m, uint32_t source)
{
    const struct source_state *s = machine_source_at(m, source);
    return str_n(s->name, s->name_n);
}

uint64_t machine_source_last(const struct machine *m, uint32_t source)
{
    return machine_source_at(m, source)->last;
}

int64_t machine_net(const struct machine *m, account_id id)
{
    const struct balance *b = machine_balance(m, id);
    return b->debits - b->credits; /* both are 0 or more */
}

const char *machine_describe(const struct machine *m, account_id id, char text[MACHINE_TEXT_MAX])
{
    struct account a = machine_see_account(m, id);
    (void)snprintf(text, MACHINE_TEXT_MAX, "account '%.*s' of %.*s in %.*s", STRF(a.code),
                   STRF(a.party), STRF(a.currency));
    return text;
}
