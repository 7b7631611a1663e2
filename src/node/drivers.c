#include "node/drivers.h"

#include "node/container_inside.h"

static struct drivers *drivers_of(struct driver *d)
{
    return CONTAINER_OF(d, struct drivers, driver);
}

static enum rc by_spec(struct drivers *d, const struct service_spec *spec, struct driver **ret,
                       struct err *err)
{
    if (spec->runtime == SPEC_VM && !d->machines)
        return err_set(err, RC_UNSUPPORTED, "this node runs no machines: %.*s",
                       STRF(err_text(&d->why_no)));
    *ret = spec->runtime == SPEC_VM ? &d->vm.driver : &d->container.driver;
    return RC_OK;
}

/* What has no state that can be read is a container's: it clears whatever it finds. */
static struct driver *by_id(struct drivers *d, struct str id, struct arena *arena)
{
    struct err ignored;
    struct left left;
    err_clear(&ignored);
    bool machine =
        d->machines &&
        left_read(container_folder(&d->container, id, arena), arena, &left, &ignored) == RC_OK &&
        left.runtime == SPEC_VM;
    return machine ? &d->vm.driver : &d->container.driver;
}

static enum rc observe(struct driver *d, struct arena *arena, struct list *ret, struct err *err)
{
    struct drivers *all = drivers_of(d);
    struct list containers, machines = {0};
    TRY(all->container.driver.observe(&all->container.driver, arena, &containers, err));
    if (all->machines)
        TRY(all->vm.driver.observe(&all->vm.driver, arena, &machines, err));
    struct observed *seen = NEW_N(arena, struct observed, containers.count + machines.count + 1);
    for (size_t i = 0; i < containers.count; i++)
        seen[i] = ((const struct observed *)containers.items)[i];
    for (size_t i = 0; i < machines.count; i++)
        seen[containers.count + i] = ((const struct observed *)machines.items)[i];
    *ret = (struct list){.items = seen, .count = containers.count + machines.count};
    return RC_OK;
}

static enum rc prepare(struct driver *d, const struct service_spec *spec, struct arena *arena,
                       struct err *err)
{
    struct driver *one = NULL;
    TRY(by_spec(drivers_of(d), spec, &one, err));
    return one->prepare(one, spec, arena, err);
}

static enum rc start(struct driver *d, const struct service_spec *spec, struct arena *arena,
                     struct err *err)
{
    struct driver *one = NULL;
    TRY(by_spec(drivers_of(d), spec, &one, err));
    return one->start(one, spec, arena, err);
}

static enum rc adjust(struct driver *d, const struct service_spec *spec, struct arena *arena,
                      struct err *err)
{
    struct driver *one = NULL;
    TRY(by_spec(drivers_of(d), spec, &one, err));
    return one->adjust(one, spec, arena, err);
}

static enum rc lease(struct driver *d, struct str id, time_us until, struct arena *arena,
                     struct err *err)
{
    struct driver *one = by_id(drivers_of(d), id, arena);
    return one->lease(one, id, until, arena, err);
}

static enum rc stop(struct driver *d, struct str id, struct arena *arena,
                    struct driver_stats *ret_last, struct err *err)
{
    struct driver *one = by_id(drivers_of(d), id, arena);
    return one->stop(one, id, arena, ret_last, err);
}

static enum rc remove_service(struct driver *d, struct str id, struct arena *arena, struct err *err)
{
    struct driver *one = by_id(drivers_of(d), id, arena);
    return one->remove(one, id, arena, err);
}

static enum rc facts(struct driver *d, const struct service_spec *spec, struct arena *arena,
                     struct list *ret, struct err *err)
{
    struct driver *one = by_id(drivers_of(d), spec->id, arena);
    return one->facts(one, spec, arena, ret, err);
}

static enum rc stats(struct driver *d, struct str id, struct arena *arena, struct driver_stats *ret,
                     struct err *err)
{
    struct driver *one = by_id(drivers_of(d), id, arena);
    return one->stats(one, id, arena, ret, err);
}

static enum rc exec(struct driver *d, const struct driver_exec *e, struct arena *arena,
                    int *ret_status, struct str *ret_output, struct err *err)
{
    struct driver *one = by_id(drivers_of(d), e->id, arena);
    return one->exec(one, e, arena, ret_status, ret_output, err);
}

static enum rc restored(struct driver *d, struct str id, int64_t number, struct arena *arena,
                        struct err *err)
{
    struct driver *one = by_id(drivers_of(d), id, arena);
    return one->restored(one, id, number, arena, err);
}

static enum rc save(struct driver *d, struct str id, int output, struct arena *arena,
                    struct err *err)
{
    struct driver *one = by_id(drivers_of(d), id, arena);
    return one->save(one, id, output, arena, err);
}

static enum rc load(struct driver *d, const struct service_spec *spec, int input,
                    struct arena *arena, struct err *err)
{
    struct driver *one = NULL;
    TRY(by_spec(drivers_of(d), spec, &one, err));
    return one->load(one, spec, input, arena, err);
}

static enum rc adopt(struct driver *d, const struct service_spec *spec, int64_t number,
                     struct arena *arena, struct err *err)
{
    struct driver *one = NULL;
    TRY(by_spec(drivers_of(d), spec, &one, err));
    return one->adopt(one, spec, number, arena, err);
}

static enum rc snapshot(struct driver *d, const struct service_spec *spec, struct arena *arena,
                        struct err *err)
{
    struct driver *one = NULL;
    TRY(by_spec(drivers_of(d), spec, &one, err));
    return one->snapshot(one, spec, arena, err);
}

static enum rc snapshots(struct driver *d, struct str id, struct arena *arena, struct list *ret,
                         struct err *err)
{
    struct driver *one = by_id(drivers_of(d), id, arena);
    return one->snapshots(one, id, arena, ret, err);
}

static enum rc revert(struct driver *d, const struct service_spec *spec, struct arena *arena,
                      struct err *err)
{
    struct driver *one = NULL;
    TRY(by_spec(drivers_of(d), spec, &one, err));
    return one->revert(one, spec, arena, err);
}

enum rc drivers_init(struct drivers *d, const struct container_options *o, struct arena *arena,
                     struct err *err)
{
    *d = (struct drivers){.driver = {.name = "all",
                                     .observe = observe,
                                     .prepare = prepare,
                                     .start = start,
                                     .adjust = adjust,
                                     .lease = lease,
                                     .stop = stop,
                                     .remove = remove_service,
                                     .facts = facts,
                                     .stats = stats,
                                     .exec = exec,
                                     .save = save,
                                     .load = load,
                                     .adopt = adopt,
                                     .restored = restored,
                                     .snapshot = snapshot,
                                     .snapshots = snapshots,
                                     .revert = revert}};
    TRY(container_init(&d->container, o, arena, err));
    err_clear(&d->why_no);
    d->machines = vm_init(&d->vm, &d->container, arena, &d->why_no) == RC_OK;
    return RC_OK;
}

void drivers_fini(struct drivers *d)
{
    container_fini(&d->container);
}
