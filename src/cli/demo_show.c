#include "cli/demo.h"

#include "cli/body.h"
#include "cli/sheet.h"
#include "cli/show.h"
#include "cli/text.h"

enum { JSON_MAX = 8 * 1024 * 1024 };

void demo_head(struct run *run, const char *text)
{
    bool bold = show_colours(run->cli);
    fprintf(run->cli->out, "\n%s%s%s\n", bold ? "\033[1m" : "", text, bold ? "\033[0m" : "");
}

static struct str money(struct demo *d, int64_t amount)
{
    return sheet_amount(d->run->arena, amount_str(amount, d->currency, d->run->arena));
}

/* The document's own figure; false where it has none. */
static bool said(struct demo *d, const struct demo_figure *f, int64_t *ret)
{
    struct err ignored = {0};
    if (f->step->said == NULL)
        return false;
    enum rc rc = amount_parse(str_c(f->step->said), d->currency, ret, &ignored);
    ASSERT(rc == RC_OK);
    return true;
}

/* --- for people --- */

/* Where no document says anything. */
static void show_played(struct demo *d)
{
    static const char *const heads[] = {"WHAT", ">AMOUNT", NULL};
    struct sheet s;
    demo_head(d->run, "What came of it");
    sheet_begin(&s, d->run, heads, DEMO_FIGURES_MAX);
    for (size_t i = 0; i < d->figure_count; i++)
        sheet_row(&s,
                  (struct str[]){str_c(d->figures[i].step->text), money(d, d->figures[i].amount)});
    sheet_print(&s);
}

static void show_figures(struct demo *d)
{
    static const char *const heads[] = {"WHAT", ">PLAYED", ">DOCUMENT", ">DIFFERENCE", NULL};
    struct sheet s;
    demo_head(d->run, "What came of it, beside what the document says");
    sheet_begin(&s, d->run, heads, DEMO_FIGURES_MAX);
    for (size_t i = 0; i < d->figure_count; i++) {
        const struct demo_figure *f = &d->figures[i];
        int64_t paper = 0;
        bool has = said(d, f, &paper);
        bool differs = has && paper != f->amount;
        sheet_row(&s, (struct str[]){str_c(f->step->text), money(d, f->amount),
                                     has ? money(d, paper) : STR(""),
                                     differs ? money(d, f->amount - paper) : STR("")});
    }
    sheet_print(&s);
    bool told = false;
    for (size_t i = 0; i < d->figure_count; i++) {
        const struct demo_step *step = d->figures[i].step;
        if (step->with == NULL)
            continue;
        if (!told)
            demo_head(d->run, "Why they differ");
        told = true;
        sheet_text(d->run, arena_fmt(d->run->arena, "%s: %s", step->text, step->with));
    }
}

static bool alike(struct demo *d, const struct demo_bill *a, const struct demo_bill *b)
{
    return str_eq(a->kind, b->kind) && str_eq(a->net, b->net) && str_eq(a->gross, b->gross) &&
           str_eq(a->issuer, b->issuer) &&
           str_eq(demo_who(d, a->recipient, true), demo_who(d, b->recipient, true));
}

/* Oldest first, as the lists have the newest first; those that are alike together. */
static void show_bills(struct demo *d)
{
    static const char *const heads[] = {"KIND", "NUMBER", "FROM",   "TO", ">TIMES",
                                        ">NET", ">TAX",   ">GROSS", NULL};
    struct sheet s;
    demo_head(d->run, "Documents");
    sheet_begin(&s, d->run, heads, DEMO_BILLS_MAX);
    for (size_t i = d->bill_count; i-- > 0;) {
        const struct demo_bill *b = &d->bills[i];
        size_t times = 1;
        bool told = false;
        for (size_t k = 0; k < d->bill_count; k++) {
            told = told || (k > i && alike(d, &d->bills[k], b));
            times += k < i && alike(d, &d->bills[k], b) ? 1 : 0;
        }
        if (told)
            continue;
        sheet_row(&s, (struct str[]){
                          b->kind, b->number, demo_who(d, b->issuer, true),
                          demo_who(d, b->recipient, true), arena_fmt(d->run->arena, "%zu", times),
                          sheet_amount(d->run->arena, b->net), sheet_amount(d->run->arena, b->tax),
                          sheet_amount(d->run->arena, b->gross)});
    }
    sheet_print(&s);
}

static int64_t amount_of(struct demo *d, struct str text)
{
    int64_t amount = 0;
    struct err ignored = {0};
    enum rc rc = amount_parse(text, d->currency, &amount, &ignored);
    return rc == RC_OK ? amount : 0; /* of another currency: none of these cases has one */
}

static int64_t balance(struct demo *d, size_t party, struct str begins)
{
    int64_t sum = 0;
    for (size_t i = 0; i < d->account_count; i++)
        if (d->accounts[i].party == party && str_starts(d->accounts[i].code, begins))
            sum += amount_of(d, d->accounts[i].balance);
    return sum;
}

static bool takes_back(struct str kind)
{
    return str_eq(kind, STR("credit-note")) || str_eq(kind, STR("self-billed-credit"));
}

static void show_party(struct demo *d, size_t party, struct sheet *s)
{
    const struct demo_name *n = &d->names[party];
    int64_t invoiced = 0;
    int64_t bills = 0;
    int64_t paid = 0;
    for (size_t i = 0; i < d->bill_count; i++) {
        const struct demo_bill *b = &d->bills[i];
        int64_t gross = takes_back(b->kind) ? -amount_of(d, b->gross) : amount_of(d, b->gross);
        invoiced += str_eq(b->recipient, n->id) ? gross : 0;
        bills += str_eq(b->issuer, n->id) ? gross : 0;
    }
    for (size_t i = 0; i < d->payout_count; i++)
        if (str_eq(d->payouts[i].payee, n->id) && str_eq(d->payouts[i].state, STR("confirmed")))
            paid += amount_of(d, d->payouts[i].amount);
    if (n->busy) {
        sheet_row(s, (struct str[]){n->title, money(d, invoiced), money(d, bills), money(d, paid),
                                    STR(""), STR(""), STR("")});
        return;
    }
    sheet_row(s, (struct str[]){n->title, money(d, invoiced), money(d, bills), money(d, paid),
                                money(d, balance(d, party, STR("AR:"))),
                                money(d, -balance(d, party, STR("AP:"))),
                                money(d, balance(d, party, STR("Bank")))});
}

static void show_parties(struct demo *d)
{
    static const char *const heads[] = {"PARTY",    ">IS INVOICED", ">INVOICES", ">WAS PAID OUT",
                                        ">IS OWED", ">OWES",        ">BANK",     NULL};
    struct sheet s;
    demo_head(d->run, "Each party, with tax");
    sheet_begin(&s, d->run, heads, DEMO_PARTIES_MAX);
    for (size_t i = 0; i < d->name_count; i++)
        if (d->names[i].token.n > 0)
            show_party(d, i, &s);
    sheet_print(&s);
}

static void show_books(struct demo *d)
{
    static const char *const heads[] = {"ACCOUNT", ">DEBIT", ">CREDIT", NULL};
    for (size_t p = 0; p < d->name_count; p++) {
        struct sheet s;
        int64_t debits = 0;
        int64_t credits = 0;
        sheet_begin(&s, d->run, heads, d->account_count + 1);
        for (size_t i = 0; i < d->account_count; i++) {
            int64_t amount = amount_of(d, d->accounts[i].balance);
            if (d->accounts[i].party != p || amount == 0 || d->names[p].busy)
                continue;
            debits += max_i64(0, amount);
            credits += max_i64(0, -amount);
            sheet_row(&s, (struct str[]){demo_code(d, d->accounts[i].code, true),
                                         amount > 0 ? money(d, amount) : STR(""),
                                         amount < 0 ? money(d, -amount) : STR("")});
        }
        if (s.table.row_count == 0)
            continue;
        sheet_row(&s, (struct str[]){STR("sum"), money(d, debits), money(d, credits)});
        demo_head(d->run, arena_cstr(d->run->arena,
                                     arena_fmt(d->run->arena, "Trial balance of %.*s, %s",
                                               STRF(d->names[p].title), d->story->currency)));
        sheet_print(&s);
    }
}

static void show_checks(struct demo *d)
{
    demo_head(d->run, d->suffix.n > 0 ? "What was looked at" : "The books, as others see them");
    for (size_t i = 0; i < d->check_count; i++) {
        const struct demo_check *c = &d->checks[i];
        fprintf(d->run->cli->out, "  %-24s %s%s%.*s\n", c->what,
                c->good   ? "right"
                : c->done ? "WRONG"
                          : "",
                c->text.n > 0 ? ": " : "", STRF(text_plain(d->run->arena, c->text)));
    }
    if (args_has(&d->run->args, "keep"))
        fprintf(d->run->cli->out, "\nkept in %.*s: the store, the log, the exported books\n",
                STRF(d->folder));
}

/* --- for programs --- */

static void put_amount(struct demo *d, struct json_writer *w, const char *key, int64_t amount)
{
    body_put(w, key, amount_str(amount, d->currency, d->run->arena));
}

static void put_figures(struct demo *d, struct json_writer *w)
{
    json_put_key(w, STR("figures"));
    json_begin_array(w);
    for (size_t i = 0; i < d->figure_count; i++) {
        const struct demo_figure *f = &d->figures[i];
        int64_t paper = 0;
        json_begin_object(w);
        body_put(w, "figure", str_c(f->step->name));
        body_put(w, "text", str_c(f->step->text));
        put_amount(d, w, "amount", f->amount);
        if (said(d, f, &paper)) {
            put_amount(d, w, "document", paper);
            put_amount(d, w, "difference", f->amount - paper);
        }
        if (f->step->with != NULL)
            body_put(w, "why", str_c(f->step->with));
        json_end_object(w);
    }
    json_end_array(w);
}

static void put_bills(struct demo *d, struct json_writer *w)
{
    json_put_key(w, STR("documents"));
    json_begin_array(w);
    for (size_t i = 0; i < d->bill_count; i++) {
        const struct demo_bill *b = &d->bills[i];
        json_begin_object(w);
        body_put(w, "kind", b->kind);
        body_put(w, "number", b->number);
        body_put(w, "issuer", demo_who(d, b->issuer, false));
        body_put(w, "recipient", demo_who(d, b->recipient, false));
        body_put(w, "net", b->net);
        body_put(w, "tax", b->tax);
        body_put(w, "gross", b->gross);
        json_end_object(w);
    }
    json_end_array(w);
    json_put_key(w, STR("payouts"));
    json_begin_array(w);
    for (size_t i = 0; i < d->payout_count; i++) {
        const struct demo_payout *p = &d->payouts[i];
        json_begin_object(w);
        body_put(w, "payer", demo_who(d, p->payer, false));
        body_put(w, "payee", demo_who(d, p->payee, false));
        body_put(w, "amount", p->amount);
        body_put(w, "state", p->state);
        json_end_object(w);
    }
    json_end_array(w);
}

static void put_books(struct demo *d, struct json_writer *w)
{
    json_put_key(w, STR("accounts"));
    json_begin_array(w);
    for (size_t i = 0; i < d->account_count; i++) {
        const struct demo_account *a = &d->accounts[i];
        if (d->names[a->party].busy)
            continue;
        json_begin_object(w);
        body_put(w, "party", d->names[a->party].name);
        body_put(w, "account", demo_code(d, a->code, false));
        body_put(w, "currency", a->currency);
        body_put(w, "balance", a->balance);
        json_end_object(w);
    }
    json_end_array(w);
    json_put_key(w, STR("checks"));
    json_begin_array(w);
    for (size_t i = 0; i < d->check_count; i++) {
        const struct demo_check *c = &d->checks[i];
        json_begin_object(w);
        body_put(w, "check", str_c(c->what));
        body_put(w, "result", c->good ? STR("right") : c->done ? STR("wrong") : STR("missing"));
        body_put(w, "text", c->text);
        json_end_object(w);
    }
    json_end_array(w);
}

void demo_put(struct demo *d, struct json_writer *w)
{
    put_figures(d, w);
    put_bills(d, w);
    put_books(d, w);
}

static void print_json(struct demo *d)
{
    struct buf b;
    struct json_writer w;
    buf_init(&b, d->run->arena, JSON_MAX);
    json_writer_init(&w, &b);
    json_begin_object(&w);
    body_put(&w, "case", str_c(d->story->name));
    body_put(&w, "title", str_c(d->story->title));
    body_put(&w, "source", str_c(d->story->source));
    body_put(&w, "currency", str_c(d->story->currency));
    demo_put(d, &w);
    json_end_object(&w);
    ASSERT(!b.full);
    show_str(d->run->cli->out, buf_str(&b));
    show_str(d->run->cli->out, STR("\n"));
}

void demo_tell(struct demo *d)
{
    if (d->figure_count > 0) {
        if (d->suffix.n > 0)
            show_played(d);
        else
            show_figures(d);
        show_bills(d);
        show_parties(d);
        show_books(d);
    }
    show_checks(d);
}

enum rc demo_show(struct demo *d)
{
    if (args_has(&d->run->args, "json")) {
        print_json(d);
        return RC_OK;
    }
    fprintf(d->run->cli->out, "%s\n%s\n%s; in %s\n", d->story->title, d->story->source,
            d->story->note, d->story->currency);
    demo_tell(d);
    return RC_OK;
}
