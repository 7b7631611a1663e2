/*
 * overview.c - what hanse can do, for somebody who does not know it: topics, their nouns, and what
 * other systems call the same things.
 */
#include "cli/help.h"
#include "cli/show.h"

enum { NOUN_WIDTH = 14, VERBS_MAX = 1024 };

static const struct topic {
    const char *title;
    const char *nouns; /* in the order in which one meets them */
} topics[] = {
    {"To begin", "login setup status events logout profile help version man completion"},
    {"Who", "me session token party member invitation role brand audit"},
    {"What is sold",
     "item meter plan price price-book price-entry coupon reward tax exchange-rate"},
    {"The channel", "agreement subscription limit usage"},
    {"Money", "close document payment share statement settlement clearing clearing-fund payout "
              "wallet financing "
              "book"},
    {"Servers and services", "site node workorder kind offer image service operation backup "
                             "snapshot alert"},
    {"Picos", "pico krl"},
    {"To try it", "demo test-clock"},
};

static bool has_noun(const struct topic *t, struct str noun)
{
    struct str rest = str_c(t->nouns);
    while (rest.n > 0)
        if (str_eq(str_cut(&rest, ' '), noun))
            return true;
    return false;
}

static void each_noun(struct run *run, const struct topic *t,
                      void (*see)(struct run *run, FILE *to, struct str noun), FILE *to)
{
    struct str rest = str_c(t->nouns);
    while (rest.n > 0)
        see(run, to, str_cut(&rest, ' '));
}

bool help_has_topic(struct str noun)
{
    for (size_t i = 0; i < COUNT(topics); i++)
        if (has_noun(&topics[i], noun))
            return true;
    return false;
}

/* "login [URL]" with its sentence; "party" with what it is and "list, create, show". */
static void noun_line(struct run *run, FILE *to, struct str noun)
{
    struct buf verbs;
    size_t count = 0;
    const struct command *single = NULL;
    const struct command *list = command_list(run->arena, &count);
    buf_init(&verbs, run->arena, VERBS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (!str_eq(command_noun(&list[i]), noun))
            continue;
        struct str words = str_c(list[i].words);
        if (words.n > noun.n)
            buf_fmt(&verbs, "%s%.*s", verbs.n > 0 ? ", " : "",
                    STRF(str_sub(words, noun.n + 1, words.n)));
        else
            single = &list[i];
    }
    if (verbs.n == 0 && single == NULL)
        return;
    struct str right = verbs.n == 0
                           ? str_c(single->doc)
                           : arena_fmt(run->arena, "%s %.*s", help_heading(list, count, noun),
                                       STRF(buf_str(&verbs)));
    help_entry(run, to, noun, NOUN_WIDTH, right);
}

static void noun_whole(struct run *run, FILE *to, struct str noun)
{
    fprintf(to, "\n");
    (void)help_noun(run, noun, to);
}

static void print_all(struct run *run, FILE *to,
                      void (*see)(struct run *run, FILE *to, struct str noun))
{
    show_str(to, STR("usage: hanse COMMAND [arguments] [flags]\n\n"
                     "hanse works with a Hanse server from the command line.\n"));
    for (size_t i = 0; i < COUNT(topics); i++) {
        fprintf(to, "\n%s\n", topics[i].title);
        each_noun(run, &topics[i], see, to);
    }
    show_str(to, STR("\nBegin with: hanse login URL, or hanse setup LINK\n"
                     "More: hanse help party, hanse help party create, hanse help all\n"));
}

void help_overview(struct run *run, FILE *to)
{
    print_all(run, to, noun_line);
}

void help_all(struct run *run, FILE *to)
{
    print_all(run, to, noun_whole);
}

/* --- words of others --- */

static const struct {
    const char *theirs;
    const char *ours;
} synonyms[] = {
    {"account", "book"},
    {"alias", "profile"},
    {"bill", "document"},
    {"client", "party"},
    {"commission", "share"},
    {"contract", "agreement"},
    {"cost", "plan"},
    {"credit", "wallet"},
    {"credit-note", "document"},
    {"customer", "party"},
    {"database", "service"},
    {"discount", "coupon"},
    {"exchange", "exchange-rate"},
    {"fx", "exchange-rate"},
    {"host", "node"},
    {"instance", "service"},
    {"invite", "invitation"},
    {"invoice", "document"},
    {"invoices", "document"},
    {"journal", "book"},
    {"key", "token"},
    {"ledger", "book"},
    {"loan", "financing"},
    {"log", "audit"},
    {"machine", "service"},
    {"order", "service"},
    {"organisation", "party"},
    {"password", "me"},
    {"permission", "role"},
    {"product", "item"},
    {"quota", "limit"},
    {"register", "setup"},
    {"reseller", "party"},
    {"ruleset", "krl"},
    {"server", "node"},
    {"signup", "setup"},
    {"task", "operation"},
    {"template", "kind"},
    {"ticket", "workorder"},
    {"user", "member"},
    {"vat", "tax"},
    {"vm", "service"},
    {"whoami", "me"},
};

const char *help_synonym(struct str noun)
{
    for (size_t i = 0; i < COUNT(synonyms); i++)
        if (str_eq(noun, str_c(synonyms[i].theirs)))
            return synonyms[i].ours;
    return NULL;
}

enum rc help_unknown(struct run *run, struct str words)
{
    struct str rest = words;
    const char *ours = help_synonym(str_cut(&rest, ' '));
    if (ours != NULL)
        return err_set(run->err, RC_SYNTAX,
                       "there is no command '%.*s'; that is '%s' here: hanse help %s", STRF(words),
                       ours, ours);
    return err_set(run->err, RC_SYNTAX, "there is no command '%.*s'; see: hanse help", STRF(words));
}
