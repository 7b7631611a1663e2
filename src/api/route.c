#include "api/route.h"

#include "api/resources.h"

const struct route routes[] = {
#define ROUTE(operation_, method_, path_, kind_, access_, permission_, flags_, ...) \
    [ROUTE_##operation_] = {.operation = #operation_,                               \
                            .method = HTTP_##method_,                               \
                            .path = (path_),                                        \
                            .kind = ROUTE_##kind_,                                  \
                            .access = ACCESS_##access_,                             \
                            .permission = PERM_##permission_,                       \
                            .flags = (flags_),                                      \
                            __VA_ARGS__},
#include "api/routes.def"
#undef ROUTE
};

const size_t route_count = COUNT(routes);

size_t route_params(const struct route *r, struct str names[ROUTE_PARAMS_MAX])
{
    size_t count = 0;
    struct str rest = str_c(r->path);
    while (rest.n > 0) {
        struct str segment = str_cut(&rest, '/');
        if (segment.n < 2 || segment.p[0] != '{')
            continue;
        ASSERT(count < ROUTE_PARAMS_MAX);
        names[count++] = str_sub(segment, 1, segment.n - 1);
    }
    return count;
}

int route_param(const struct route *r, struct str name)
{
    struct str names[ROUTE_PARAMS_MAX];
    size_t count = route_params(r, names);
    for (size_t i = 0; i < count; i++)
        if (str_eq(names[i], name))
            return (int)i;
    return -1;
}

const char *method_name(enum http_method method)
{
    switch (method) {
    case HTTP_GET:
        return "GET";
    case HTTP_HEAD:
        return "HEAD";
    case HTTP_POST:
        return "POST";
    case HTTP_PUT:
        return "PUT";
    case HTTP_PATCH:
        return "PATCH";
    case HTTP_DELETE:
        return "DELETE";
    case HTTP_OPTIONS:
        return "OPTIONS";
    case HTTP_OTHER:
        break;
    }
    return "OTHER";
}
