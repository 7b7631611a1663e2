/*
 * demo_cases.c - the four cases, each a table that reads as a story.
 */
#include "cli/demo.h"

#define CHAPTER(text_) {.act = DEMO_CHAPTER, .text = (text_)},
#define OPERATOR(name_, title_, with_) \
    {.act = DEMO_OPERATOR, .name = (name_), .text = (title_), .with = (with_)},
#define PARTY(name_, who_, title_, with_) \
    {.act = DEMO_PARTY, .name = (name_), .who = (who_), .text = (title_), .with = (with_)},
#define COLLEAGUE(who_)                 {.act = DEMO_COLLEAGUE, .who = (who_)},
#define POST(name_, who_, what_, with_) POSTS(1, name_, who_, what_, with_)
#define POSTS(times_, name_, who_, what_, with_) \
    {.act = DEMO_POST,                           \
     .name = (name_),                            \
     .who = (who_),                              \
     .what = (what_),                            \
     .with = (with_),                            \
     .times = (times_)},
#define AGREE(name_, who_, what_, to_, with_) AGREES(1, name_, who_, what_, to_, with_)
#define AGREES(times_, name_, who_, what_, to_, with_) \
    {.act = DEMO_AGREE,                                \
     .name = (name_),                                  \
     .who = (who_),                                    \
     .what = (what_),                                  \
     .to = (to_),                                      \
     .with = (with_),                                  \
     .times = (times_)},
#define FIND(name_, who_, what_) \
    {.act = DEMO_FIND, .name = (name_), .who = (who_), .what = (what_)},
#define MOVE(what_)        {.act = DEMO_MOVE, .what = (what_)},
#define CLOSE(who_, what_) CLOSES(1, who_, what_)
#define CLOSES(times_, who_, what_) \
    {.act = DEMO_CLOSE, .who = (who_), .what = (what_), .times = (times_)},
#define SETTLE(who_, what_) {.act = DEMO_SETTLE, .who = (who_), .what = (what_)},

#define PAYOUTS(who_) {.act = DEMO_PAYOUTS, .who = (who_)},

#define FIGURE(name_, text_, what_)               FIGURES(1, name_, text_, what_, NULL, NULL)
#define COMPARE(name_, text_, what_, said_, why_) FIGURES(1, name_, text_, what_, said_, why_)
#define FIGURES(times_, name_, text_, what_, said_, why_) \
    {.act = DEMO_FIGURE,                                  \
     .name = (name_),                                     \
     .text = (text_),                                     \
     .what = (what_),                                     \
     .said = (said_),                                     \
     .with = (why_),                                      \
     .times = (times_)},

/* Short for what is posted often. */
#define ITEM(with_)               POST(NULL, "op", "/v1/parties/{op}/items", with_)
#define PLAN(with_)               POST(NULL, "op", "/v1/parties/{op}/plans", with_)
#define BOOK(name_, who_, with_)  POST(name_, who_, "/v1/parties/{" who_ "}/price-books", with_)
#define ENTRY(book_, who_, with_) POST(NULL, who_, "/v1/price-books/{" book_ "}/entries", with_)
#define SUBSCRIBE(name_, who_, by_, with_) \
    POST(name_, who_, "/v1/agreements/{" by_ "}/subscriptions", with_)
#define PAID(who_, document_, amount_, currency_, reference_, day_)                   \
    POST(NULL, who_, "/v1/parties/{" who_ "}/payments",                               \
         "'document':'{" document_ "}','amount':'" amount_ "','currency':'" currency_ \
         "','reference':'" reference_ "','value_date':'" day_ "'")

static const struct demo_step rapid_space[] = {
#include "cli/demo_rapid_space.def"
};
static const struct demo_step coworking[] = {
#include "cli/demo_coworking.def"
};
static const struct demo_step channel[] = {
#include "cli/demo_channel.def"
};
static const struct demo_step picos[] = {
#include "cli/demo_picos.def"
};
static const struct demo_step live_begin[] = {
#include "cli/demo_live_begin.def"
};
static const struct demo_step live_close[] = {
#include "cli/demo_live_close.def"
};

const struct demo_step *demo_live_begin(size_t *ret_count)
{
    *ret_count = COUNT(live_begin);
    return live_begin;
}

const struct demo_step *demo_live_close(size_t *ret_count)
{
    *ret_count = COUNT(live_close);
    return live_close;
}

const struct demo_case *demo_cases(size_t *ret_count)
{
    static const struct demo_case cases[] = {
        {"rapid-space", "A server-month of 195, and who gets what of it",
         "Explain how to make profit as Rapid.Space partners (2021)",
         "played: one server in January 2026, training, and 100 migrations over 35 months", "FR",
         "EUR", rapid_space, COUNT(rapid_space)},
        {"coworking", "A cloud in the corridors of a coworking space",
         "Coworking spaces: a win-win case for SlapOS decentralised cloud in China (2016)",
         "played: one server in January 2026, then members, others and 100 free machines", "CN",
         "CNY", coworking, COUNT(coworking)},
        {"channel", "Two tiers of resellers, a distributor, an agent",
         "We need a multi-tier wholesale cloud solution built for the channel (2015)",
         "the document gives no prices: played are those of the worked case", "US", "USD", channel,
         COUNT(channel)},
        {"picos", "A family of picos moves to another host with the money that was not earned",
         "How to make money hosting picos",
         "the document says 10 a year, and that a price may slide: the steps are the worked case",
         "US", "USD", picos, COUNT(picos)},
    };
    *ret_count = COUNT(cases);
    return cases;
}
