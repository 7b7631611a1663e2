/*
 * demo.h - the mission's cases, played: a private server, a story told to it through its API, and
 * what came of it.
 *
 * A story is a table of steps (demo_*.def). In its texts {name} is the id of what an earlier step
 * made under that name, {sum-name} the amount of an earlier figure, {n} the count of a repeated
 * step, and ' is a quotation mark of JSON. A figure is looked up in the books at its place in the
 * story, and told beside what the case's document says.
 */
#ifndef CLI_DEMO_H
#define CLI_DEMO_H

#include "cli/host.h"
#include "cli/server.h"
#include "money/amount.h"

enum {
    DEMO_NAMES_MAX = 2000,
    DEMO_FIGURES_MAX = 100,
    DEMO_CHECKS_MAX = 30,
    DEMO_TEXT_MAX = 16 * 1024,
    DEMO_ACCOUNTS_MAX = 2000,
    DEMO_PARTIES_MAX = 40,
    DEMO_BILLS_MAX = 1000,
    DEMO_ANSWER_BYTES = 64 * 1024 * 1024,
};

enum demo_act {
    DEMO_CHAPTER,   /* text */
    DEMO_OPERATOR,  /* name; text: title; with: members of its party */
    DEMO_PARTY,     /* name; who: invites; text: title; with: members of the party */
    DEMO_COLLEAGUE, /* who: a second user of that party */
    DEMO_POST,      /* who; what: path; with: body; name: of what is made, or NULL */
    DEMO_AGREE,     /* name; who: makes it; what: kind; to: signs it; with: terms */
    DEMO_FIND,      /* name; who; what: path of a list, whose latest item it is */
    DEMO_MOVE,      /* what: time */
    DEMO_CLOSE,     /* who; what: period; the clock goes to where it has ended */
    DEMO_SETTLE,    /* who; what: name of the run */
    DEMO_PAYOUTS,   /* who: all that are pending are approved, released and confirmed */
    DEMO_FIGURE,    /* name; text: label; what: sum; said, with: why it differs; times */
};

struct demo_step {
    enum demo_act act;
    const char *name;
    const char *who;
    const char *to;
    const char *what;
    const char *with;
    const char *text;
    const char *said;
    int64_t times; /* 0: once; of a figure: multiplied by */
};

struct demo_case {
    const char *name; /* as typed */
    const char *title;
    const char *source; /* the document */
    const char *note;   /* what its figures are, and are not */
    const char *country;
    const char *currency;
    const struct demo_step *steps;
    size_t count;
};
const struct demo_case *demo_cases(size_t *ret_count);
/* The two parts of hanse demo live: what is agreed, and what comes of a month. */
const struct demo_step *demo_live_begin(size_t *ret_count);
const struct demo_step *demo_live_close(size_t *ret_count);

struct demo_name {
    struct str name;
    struct str id;
    struct str title;     /* of a party */
    struct str token;     /* of its first user */
    struct str colleague; /* token of its second user */
    bool busy;            /* has business beyond the story, which is not told */
};

struct demo_figure {
    const struct demo_step *step;
    int64_t amount;
};

struct demo_account {
    size_t party; /* index in names */
    struct str code;
    struct str currency;
    struct str balance;
};

/* A final document, as its issuer sees it. */
struct demo_bill {
    struct str kind;
    struct str number;
    struct str issuer; /* ids */
    struct str recipient;
    struct str net;
    struct str tax;
    struct str gross;
};

struct demo_payout {
    struct str payer;
    struct str payee;
    struct str amount;
    struct str state;
};

struct demo_check {
    const char *what;
    bool done; /* false: the program is not there */
    bool good;
    struct str text;
};

struct demo {
    struct run *run;
    const struct demo_case *story;
    const struct currency *currency;
    struct server server;
    struct str folder;
    int64_t pid;      /* 0: no server runs */
    struct arena one; /* one answer at a time */
    struct str password;
    struct str suffix; /* of names, where the server has other parties; empty: none */
    bool ending;       /* what the user wants to stop is being cleared away */
    struct demo_name *names;
    size_t name_count;
    struct demo_figure figures[DEMO_FIGURES_MAX];
    size_t figure_count;
    struct demo_account *accounts; /* of the parties, as far as they were asked for */
    size_t account_count;
    struct demo_bill *bills;
    size_t bill_count;
    struct demo_payout *payouts;
    size_t payout_count;
    struct demo_check checks[DEMO_CHECKS_MAX];
    size_t check_count;
};

/* --- demo.c: before and after a story --- */

void demo_init(struct demo *d, struct run *run);
/* The folder is made, and the user's stop waits to be asked for. */
MUST_CHECK enum rc demo_open(struct demo *d);
/* A server that runs still ends, the folder goes unless it is kept. */
void demo_close(struct demo *d);

/* --- demo_call.c --- */

/* What was made under a name; NULL: nothing. */
struct demo_name *demo_find(struct demo *d, struct str name);
/* Keep an id under a name. */
struct demo_name *demo_keep(struct demo *d, struct str name, struct str id);
/* A text of the story with its names replaced; n: for {n}. RC_INTERNAL: a name nobody made. */
MUST_CHECK enum rc demo_text(struct demo *d, const char *text, int64_t n, struct str *ret);
/* One call for a party (empty: for nobody). *ret is valid until the next call, NULL: no content. */
MUST_CHECK enum rc demo_call(struct demo *d, struct str token, enum http_method method,
                             struct str path, struct str body, const struct json **ret);
/* The same for a party by its name in the story. */
MUST_CHECK enum rc demo_ask(struct demo *d, const char *who, enum http_method method,
                            struct str path, struct str body, const struct json **ret);
/* Change something as it is now. */
MUST_CHECK enum rc demo_change(struct demo *d, const char *who, struct str path, struct str body);
/* All pages of a list, item by item. */
MUST_CHECK enum rc demo_each(struct demo *d, struct str token, struct str path,
                             enum rc (*fn)(struct demo *d, const struct json *item, void *arg),
                             void *arg);

/* --- demo_people.c: who is there, and how they come in --- */

MUST_CHECK enum rc demo_operator(struct demo *d, const struct demo_step *s, struct str link);
MUST_CHECK enum rc demo_party(struct demo *d, const struct demo_step *s);
MUST_CHECK enum rc demo_colleague(struct demo *d, const struct demo_step *s);

/* --- demo_play.c --- */

/* One step. */
MUST_CHECK enum rc demo_play(struct demo *d, const struct demo_step *s);
/* All of a table. */
MUST_CHECK enum rc demo_steps(struct demo *d, const struct demo_step *steps, size_t count);
/* "2026-01" and so many months more. */
struct str demo_month(struct demo *d, struct str month, int64_t more);
/* The accounts of a party, once until demo_forget. */
MUST_CHECK enum rc demo_books(struct demo *d, size_t party);
void demo_forget(struct demo *d);
/* Account "AR:pty_..." as "AR:client", by names or by titles. */
struct str demo_code(struct demo *d, struct str code, bool titles);

/* --- demo_collect.c: what came of it, for each party that has somebody --- */

MUST_CHECK enum rc demo_collect(struct demo *d);
/* Who has this id: by name in the story, or by title. */
struct str demo_who(struct demo *d, struct str id, bool titles);

/* --- demo_server.c --- */

/* Start the private server; *ret_link: the operator's first invitation. */
MUST_CHECK enum rc demo_start(struct demo *d, struct str *ret_link);
/* The same on a copy of the store that is kept at `from`, on a test clock that shows now. */
MUST_CHECK enum rc demo_start_copy(struct demo *d, struct str from, struct str now);
MUST_CHECK enum rc demo_stop(struct demo *d);
/* With the server gone: the books are verified, exported, and read by others' programs. */
MUST_CHECK enum rc demo_prove(struct demo *d);

/* --- demo_show.c --- */

MUST_CHECK enum rc demo_show(struct demo *d);
/* A headline. */
void demo_head(struct run *run, const char *text);
/* The same as JSON: members of the object that is open. */
void demo_put(struct demo *d, struct json_writer *w);
/* For people, but for what is above the figures. */
void demo_tell(struct demo *d);

#endif
