#include "api/router.h"

enum { METHODS = HTTP_OTHER + 1, ALLOW_MAX = 64 };

struct node {
    struct str segment;  /* empty for a parameter */
    struct node *words;  /* children, a list while building */
    struct node *param;  /* the child that takes any segment */
    struct node *next;   /* sibling */
    struct node **index; /* words in order */
    size_t count;
    const struct route *routes[METHODS];
    struct str allow; /* empty: the path ends here for nobody */
};

struct router {
    struct node root;
};

static struct node *word_find(const struct node *parent, struct str segment)
{
    for (struct node *n = parent->words; n != NULL; n = n->next)
        if (str_eq(n->segment, segment))
            return n;
    return NULL;
}

static struct node *child_make(struct node *parent, struct str segment, struct arena *arena)
{
    if (segment.p[0] == '{') {
        if (parent->param == NULL)
            parent->param = NEW(arena, struct node);
        return parent->param;
    }
    struct node *n = word_find(parent, segment);
    if (n == NULL) {
        n = NEW(arena, struct node);
        n->segment = segment;
        n->next = parent->words;
        parent->words = n;
        parent->count++;
    }
    return n;
}

static void route_add(struct router *r, const struct route *route, struct arena *arena)
{
    struct str rest = str_c(route->path);
    ASSERT(rest.n > 0);
    ASSERT(rest.p[0] == '/');
    rest = str_sub(rest, 1, rest.n);
    struct node *at = &r->root;
    while (rest.n > 0)
        at = child_make(at, str_cut(&rest, '/'), arena);
    ASSERT(at->routes[route->method] == NULL);
    at->routes[route->method] = route;
}

static void add_method(struct buf *b, const char *name)
{
    if (b->n > 0)
        buf_add(b, STR(", "));
    buf_add(b, str_c(name));
}

/* Once all routes are in: sort the words and write down the methods. */
static void node_close(struct node *n, struct arena *arena, int depth)
{
    ASSERT(depth <= ROUTE_SEGMENTS_MAX);
    struct buf allow;
    buf_init(&allow, arena, ALLOW_MAX);
    for (int m = 0; m < METHODS; m++) {
        if (n->routes[m] == NULL)
            continue;
        add_method(&allow, method_name((enum http_method)m));
        if (m == HTTP_GET)
            add_method(&allow, "HEAD");
    }
    ASSERT(!allow.full);
    n->allow = buf_str(&allow);
    n->index = NEW_N(arena, struct node *, n->count);
    size_t count = 0;
    for (struct node *child = n->words; child != NULL; child = child->next) {
        node_close(child, arena, depth + 1);
        size_t place = count++;
        for (; place > 0 && str_cmp(child->segment, n->index[place - 1]->segment) < 0; place--)
            n->index[place] = n->index[place - 1];
        n->index[place] = child;
    }
    ASSERT(count == n->count);
    if (n->param != NULL)
        node_close(n->param, arena, depth + 1);
}

struct router *router_build(struct arena *arena)
{
    struct router *r = NEW(arena, struct router);
    for (size_t i = 0; i < route_count; i++)
        route_add(r, &routes[i], arena);
    node_close(&r->root, arena, 0);
    return r;
}

static const struct node *word_search(const struct node *parent, struct str segment)
{
    size_t low = 0;
    size_t high = parent->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(segment, parent->index[middle]->segment);
        if (order == 0)
            return parent->index[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

enum rc router_find(const struct router *r, enum http_method method, struct str path,
                    const struct route **ret, struct str params[ROUTE_PARAMS_MAX],
                    struct str *ret_allow)
{
    size_t count = 0;
    const struct node *at = &r->root;
    struct str rest = str_sub(path, 1, path.n);
    bool slash_last = path.n > 1 && path.p[path.n - 1] == '/';
    while (rest.n > 0 && at != NULL) {
        struct str segment = str_cut(&rest, '/');
        const struct node *word = word_search(at, segment);
        if (word == NULL && at->param != NULL) {
            ASSERT(count < ROUTE_PARAMS_MAX);
            params[count++] = segment;
            word = at->param;
        }
        at = word;
    }
    if (at == NULL || at->allow.n == 0 || slash_last)
        return RC_NOT_FOUND;
    *ret_allow = at->allow;
    const struct route *found = at->routes[method == HTTP_HEAD ? HTTP_GET : method];
    if (found == NULL)
        return RC_METHOD;
    *ret = found;
    return RC_OK;
}
