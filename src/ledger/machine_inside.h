/*
 * machine_inside.h - what the parts of the machine share. Private to machine*.c.
 */
#ifndef LEDGER_MACHINE_INSIDE_H
#define LEDGER_MACHINE_INSIDE_H

#include "ledger/index.h"
#include "ledger/machine.h"
#include "ledger/name.h"
#include "ledger/pending.h"
#include "ledger/series.h"

/* One line of the cache: a transfer touches two of these and little else. */
struct account_state {
    struct balance balance;
    uint32_t book;
    account_id mirror;
    uint32_t flags;
    uint32_t code_n;
    uint64_t epoch; /* the balance was noted for undoing since the mark of this number */
    uint64_t seen;  /* the seal that listed it as touched */
};

struct account_code {
    char code[NAME_CODE_MAX];
};

enum { CURRENCY_BYTES = 3 };

struct book_state {
    char label[CURRENCY_BYTES + 1 + NAME_PARTY_MAX]; /* "EUR pty_01jd...", as its record has it */
    uint32_t label_n;
    uint64_t seen;
    __int128 changed; /* of the batch: debits less credits */
};

struct source_state {
    uint64_t last;
    uint32_t name_n;
    char name[NAME_SOURCE_MAX];
};

enum undo_kind {
    UNDO_BALANCE,
    UNDO_ACCOUNT,
    UNDO_BOOK,
    UNDO_SOURCE,
    UNDO_FLAGS,
    UNDO_LAST,
    UNDO_PENDING_ADDED,
    UNDO_PENDING_REMOVED,
};

struct undo {
    enum undo_kind kind;
    uint32_t id;
    union {
        struct balance balance;
        uint32_t flags;
        uint64_t last;
        struct pending pending;
    };
};

struct undo_log {
    struct undo *entries;
    size_t count;
    size_t room;
};

struct machine {
    struct arena arena;
    uint64_t seed[2];
    /* Number 0 of each is none. */
    struct series accounts; /* struct account_state */
    struct series codes;    /* struct account_code, beside it */
    struct series books;
    struct series sources;
    struct index account_index;
    struct index book_index;
    struct index source_index;
    struct pendings pendings;

    time_us at;
    time_us at_before; /* of the batch before */
    uint64_t seals;    /* counts them */
    uint64_t epoch;    /* counts marks */
    struct undo_log undo;

    bool in_chain;
    account_id *mirrors; /* that the chain touched */
    size_t mirrors_count;
    size_t mirrors_room;

    struct touched *touched;
    size_t touched_room;
};

static inline struct account_state *machine_at(const struct machine *m, account_id id)
{
    return series_at(&m->accounts, id);
}

static inline struct source_state *machine_source_at(const struct machine *m, uint32_t id)
{
    return series_at(&m->sources, id);
}

static inline struct book_state *machine_book_at(const struct machine *m, uint32_t id)
{
    return series_at(&m->books, id);
}

static inline bool machine_has(const struct series *s, uint32_t id)
{
    return id > 0 && id < s->count;
}

/* Room for one more in an array that grows by doubling. */
void *machine_grow(struct machine *m, void *array, size_t count, size_t *room, size_t item_bytes);
/* A new entry of the log of what to undo. */
struct undo *machine_note(struct machine *m, enum undo_kind kind, uint32_t id);
/* The account's balance is about to change. */
void machine_note_balance(struct machine *m, account_id id);

enum { MACHINE_TEXT_MAX = 240 };
/* "account 'AR:Client' of Op in EUR", for sentences. Returns text. */
const char *machine_describe(const struct machine *m, account_id id, char text[MACHINE_TEXT_MAX]);
/* Debits less credits. */
int64_t machine_net(const struct machine *m, account_id id);

#endif
