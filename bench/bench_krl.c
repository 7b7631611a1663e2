/*
 * bench_krl.c - the KRL machine: loops over maps, strings and numbers, in steps and in time.
 *
 * Each program is compiled once and evaluated as often as fits; the best round counts, so that what
 * else the machine does is left out. An evaluation is a whole activation: machine, globals, result.
 *
 *     bench_krl [NAME]      only that program, and without the peer: for a profile
 *
 * Behind it the same programs by the official compiler under Node.js, in the same run
 * (tools/krl-peer, whose head says what it needs). Where that is missing, it is said.
 */
#include "base/clock.h"
#include "krl/compile.h"
#include "krl/sim.h"

enum { ROUNDS = 7, MEMORY = 64 * 1024 * 1024, LINE_MAX_BYTES = 1000 };

#define ROUND_US (100 * US_PER_MS)

static const struct {
    const char *name;
    const char *source;
    const char *unit; /* what one evaluation does so many of */
    double units;
} programs[] = {
    {"constant", "1", "evaluations", 1},
    {"fib(20)", "fib = function(n) { n < 2 => n | fib(n - 1) + fib(n - 2) } fib(20)", "calls",
     21891},
    {"map over an array", "range(1, 10000).map(function(x) { x * 2 + 1 }).length()", "elements",
     10000},
    {"reduce of numbers", "range(1, 10000).reduce(function(a, x) { a + x % 7 })", "elements",
     10000},
    {"map over a map",
     "m = range(1, 1000).reduce(function(m, x) { m.put(\"key\" + x, x) }, {}) "
     "m.map(function(v, k) { k + v }).length()",
     "entries", 2000},
    {"path get and put",
     "range(1, 1000).reduce(function(m, x) { m.put([\"a\", \"b\"], (m{[\"a\", \"b\"]} || 0) + x) "
     "}, "
     "{}){[\"a\", \"b\"]}",
     "updates", 1000},
    {"building a string",
     "range(1, 5000).reduce(function(s, x) { s + \"item \" + x + \", \" }, \"\").length()",
     "appends", 15000},
    {"split and join",
     "s = range(1, 2000).join(\",\") s.split(\",\").map(function(x) { x.uc() "
     "}).join(\";\").length()",
     "parts", 2000},
    {"regular expressions",
     "range(1, 1000).map(function(x) { (\"user\" + x + \"@example.com\").extract("
     "re#^([a-z0-9]+)@([a-z.]+)$#).head() }).length()",
     "matches", 1000},
    {"search in a long text",
     "s = range(1, 2000).join(\" \") + \" user@example.com\" range(1, 50).map(function(x) { "
     "s.extract(re#([a-z]+)@([a-z.]+)#).head() }).length()",
     "searches", 50},
    {"literal in a long text",
     "s = range(1, 2000).join(\" 7 nee \") + \" needle\" range(1, 50).map(function(x) { "
     "s.match(re#needles?$#) }).length()",
     "searches", 50},
    {"replace in a long text",
     "s = range(1, 2000).join(\" \") range(1, 10).map(function(x) { s.replace(re#[0-9]+#g, "
     "\"#\").length() }).length()",
     "matches", 20000},
    {"sort by a function",
     "range(1, 2000).map(function(x) { x * 7919 % 2003 }).sort(function(a, b) { a <=> b }).head()",
     "elements", 2000},
};

static double best_us(struct krl_sim *sim, const struct krl_code *code)
{
    struct clock *clock = clock_system();
    struct krl_place where;
    struct err err;
    double best = 0;
    for (int round = 0; round < ROUNDS; round++) {
        int64_t runs = 0;
        time_us start = clock_steady(clock);
        time_us now = start;
        for (; now - start < ROUND_US; now = clock_steady(clock), runs++) {
            buf_reset(sim->out);
            enum rc rc = krl_sim_evaluate(sim, code, &where, &err);
            ASSERT(rc == RC_OK);
        }
        double us = (double)(now - start) / (double)runs;
        best = round == 0 || us < best ? us : best;
    }
    return best;
}

/* --- the peer --- */

static bool is_peers_line(const char *line, const char *name, double *ret_us)
{
    size_t n = strlen(name);
    if (strncmp(line, name, n) != 0 || line[n] != ':')
        return false;
    *ret_us = strtod(line + n + 1, NULL);
    return *ret_us > 0;
}

/* Each line of the peer: "NAME: 12.3 us (...)". */
static size_t read_peer(FILE *peer, const double *ours)
{
    char line[LINE_MAX_BYTES];
    size_t count = 0;
    while (fgets(line, sizeof line, peer) != NULL) {
        const char *version = strstr(line, "Node.js");
        for (size_t i = 0; i < COUNT(programs); i++) {
            double us = 0;
            if (!is_peers_line(line, programs[i].name, &us))
                continue;
            printf("%s, official compiler under %.*s: %.1f us, ratio %.1f\n", programs[i].name,
                   version != NULL ? (int)strcspn(version, ")") : 4, version ? version : "node", us,
                   us / ours[i]);
            count++;
        }
    }
    return count;
}

static void run_peer(const double *ours)
{
    /* Its words are ours and fixed. NOLINTNEXTLINE(cert-env33-c) */
    FILE *peer = popen("exec node tools/krl-peer --time 2>/dev/null", "r");
    ASSERT(peer != NULL);
    size_t count = read_peer(peer, ours);
    int status = pclose(peer);
    if (status != 0 || count < COUNT(programs))
        printf("the peer is missing: %zu of %zu programs ran under Node.js with the official "
               "compiler; the head of tools/krl-peer says how to get it\n",
               count, COUNT(programs));
}

int main(int argc, char **argv)
{
    double ours[COUNT(programs)];
    struct arena kept;
    struct buf out;
    static struct krl_sim sim;
    arena_init(&kept, MEMORY);
    buf_init(&out, &kept, KRL_SIM_OUT_MAX);
    krl_sim_init(&sim, &kept, &out);
    sim.memory_bytes = MEMORY;
    for (size_t i = 0; i < COUNT(programs); i++) {
        struct arena arena;
        struct err err;
        const struct krl_code *code = NULL;
        if (argc > 1 && strcmp(argv[1], programs[i].name) != 0)
            continue;
        arena_init(&arena, MEMORY);
        enum rc rc = krl_compile(str_c(programs[i].source), &arena, &code, &err);
        ASSERT(rc == RC_OK);
        double us = best_us(&sim, code);
        ours[i] = us;
        printf("%s: %.1f us, %.2f million %s a second, %lld steps\n", programs[i].name, us,
               programs[i].units / us, programs[i].unit, (long long)sim.steps_used);
        arena_fini(&arena);
    }
    arena_fini(&kept);
    (void)fflush(stdout); /* before the peer's lines */
    if (argc == 1)
        run_peer(ours);
    return 0;
}
