#include "cli/root.h"

#include "profile/profile.h"

static void keep(const struct profile *p, struct arena *arena, struct root *ret)
{
    const struct profile_image *image = &p->image;
    const struct str *from = image->packages.items;
    struct str *packages = NEW_N(arena, struct str, image->packages.count + 1);
    for (size_t i = 0; i < image->packages.count; i++)
        packages[i] = arena_str(arena, from[i]);
    *ret = (struct root){
        .name = arena_str(arena, image->name.n > 0 ? image->name : p->name),
        .format = arena_str(arena, image->format.n > 0 ? image->format : STR("squashfs")),
        .packages = {packages, image->packages.count}};
}

enum rc root_read(struct str text, struct arena *arena, struct root *ret, struct err *err)
{
    struct profile p;
    struct arena one;
    arena_init(&one, PROFILE_ARENA_BYTES);
    enum rc rc = profile_read(text, &one, &p, err);
    if (rc == RC_OK)
        keep(&p, arena, ret);
    arena_fini(&one);
    return rc;
}
