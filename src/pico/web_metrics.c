/* Figures for Prometheus, in its text format 0.0.4. */
#include "pico/web_inside.h"

enum { METRICS_BYTES_MAX = 16 * 1024 };

struct figure {
    const char *name;
    const char *type;
    const char *help;
    uint64_t value;
};

void web_metrics(struct web_call *c)
{
    struct pico_counters n = pico_counters(c->w->o.engine);
    const struct figure figures[] = {
        {"events_total", "counter", "Events handled.", n.events},
        {"queries_total", "counter", "Queries answered.", n.queries},
        {"directives_total", "counter", "Directives made.", n.directives},
        {"errors_total", "counter", "Events and queries that ended with an error.", n.errors},
        {"refused_total", "counter", "Requests refused: policies, full queues.", n.refused},
        {"limited_total", "counter", "Requests refused by the rate limit of their channel.",
         atomic_load(&c->w->limited)},
        {"slow_total", "counter", "Activations begun anew on the slow lane.", n.slow},
        {"timeouts_total", "counter", "Activations whose budget ended.", n.timeouts},
        {"commits_total", "counter", "Transactions made durable.", n.commits},
        {"steps_total", "counter", "Steps of all activations.", n.steps},
        {"messages_total", "counter", "Messages from pico to pico.", n.messages},
        {"schedules_total", "counter", "Scheduled events that were due.", n.schedules_fired},
        {"loaded", "gauge", "Picos in memory now.", n.loaded},
        {"queued", "gauge", "Events and queries that wait now.", n.queued},
    };
    struct buf b;
    buf_init(&b, web_arena(c), METRICS_BYTES_MAX);
    for (size_t i = 0; i < COUNT(figures); i++) {
        const struct figure *f = &figures[i];
        buf_fmt(&b, "# HELP hanse_pico_%s %s\n# TYPE hanse_pico_%s %s\nhanse_pico_%s %llu\n",
                f->name, f->help, f->name, f->type, f->name, (unsigned long long)f->value);
    }
    http_reply(c->x, 200, "text/plain; version=0.0.4; charset=utf-8", buf_str(&b));
}
