#include "cli/command.h"

#include "cli/builtin.h"
#include "cli/text.h"

enum { FLAGS_MAX = 160 };

#define OWN(name_, value_, doc_)                                                    \
    {                                                                               \
        .name = STR_INIT(name_), .kind = FLAG_OWN, .value = (value_), .doc = (doc_) \
    }
#define OWN_END     \
    {               \
        .doc = NULL \
    }

static const struct flag login_flags[] = {
    OWN("email", "ADDRESS", "Who logs in; asked for where it is left out."),
    OWN("password-file", "FILE", "Where the password stands; - is standard input."),
    OWN("code", "DIGITS", "The code of the second factor; asked for where it is needed."),
    OWN("allow-http", NULL, "Send the password without encryption to another machine."),
    OWN_END,
};

static const struct flag setup_flags[] = {
    OWN("allow-http", NULL, "Send the password without encryption to another machine."),
    OWN_END,
};

static const struct flag logout_flags[] = {
    OWN("forget", NULL, "Forget the token even where the server cannot be told to revoke it."),
    OWN_END,
};

static const struct flag events_flags[] = {
    OWN("count", "N", "Stop after so many events."),
    OWN_END,
};

static const struct flag close_flags[] = {
    OWN("wait", NULL, "Show how far it is until it is done or waits for its review."),
    OWN_END,
};

static const struct flag demo_flags[] = {
    OWN("keep", "FOLDER", "Make this folder, and leave the store and the exported books in it."),
    OWN("json", NULL, "Print JSON."),
    OWN_END,
};

static const struct flag live_flags[] = {
    OWN("seconds", "N", "How long the services are used: 60, unless said otherwise."),
    OWN("profiles", "FOLDER", "Where profiles are that the server does not know yet: profiles."),
    OWN("machine", "FILE",
        "A qcow2 image of a small machine; tools/vm-image makes it where it is missing."),
    OWN("keep", "FOLDER", "Make this folder, and leave the copy of the store in it."),
    OWN("json", NULL, "Print JSON."),
    OWN_END,
};

static const struct flag image_flags[] = {
    OWN("name", "NAME", "As profiles name it: that of the profile, unless it says another."),
    OWN("format", "FORMAT", "squashfs (unless said), qcow2, raw, kernel or initrd."),
    OWN_END,
};

static const struct flag import_flags[] = {
    OWN("name", "NAME", "As profiles name it; further disks are NAME-2, NAME-3."),
    OWN_END,
};

static const struct flag pico_flags[] = {
    OWN("engine", "URL", "Ask this engine's listener for developers; else HANSE_ENGINE_URL."),
    OWN_END,
};

static const struct flag move_flags[] = {
    OWN("engine", "URL",
        "The engine it leaves: its listener for developers; else HANSE_ENGINE_URL."),
    OWN("host", "URL", "Where others find it afterwards; else what the other engine says."),
    OWN("agreement", "AGREEMENT",
        "Buy its subscription by this agreement from then on: the other host's."),
    OWN("cancel", NULL, "Call off a move that has not arrived: the pico stays."),
    OWN("lost", NULL, "With --cancel: the other engine is lost for good, and is not asked."),
    OWN_END,
};

static const struct flag plan_flags[] = {
    OWN("file", "FILE", "Take the plan from this JSON, which flags change; - is standard input."),
    OWN("print", NULL, "Print the plan itself as JSON, to be kept and changed."),
    OWN_END,
};

static const struct command builtins[] = {
    {.words = "login",
     .synopsis = "[URL]",
     .run = builtin_login,
     .flags = login_flags,
     .words_max = 1,
     .doc = "Log in to a server and keep a token for it in a profile."},
    {.words = "logout",
     .synopsis = "",
     .run = builtin_logout,
     .flags = logout_flags,
     .doc = "Revoke the token of the profile and forget it."},
    {.words = "setup",
     .synopsis = "[LINK]",
     .run = builtin_setup,
     .flags = setup_flags,
     .route = &routes[ROUTE_invitation_accept],
     .route_flags = true,
     .leave_out = "token",
     .words_max = 1,
     .doc = "Accept an invitation link: make your user, then log in."},
    {.words = "status",
     .synopsis = "",
     .run = builtin_status,
     .route = &routes[ROUTE_status],
     .doc = "Which server, which version, who you are there, and how it is."},
    {.words = "events",
     .synopsis = "",
     .run = builtin_events,
     .flags = events_flags,
     .route = &routes[ROUTE_events],
     .route_flags = true,
     .doc = "Show what happens, as it happens, until Ctrl-C."},
    {.words = "close",
     .synopsis = "[PERIOD]",
     .run = builtin_close,
     .flags = close_flags,
     .route = &routes[ROUTE_close_create],
     .route_flags = true,
     .words_max = 1,
     .doc = "Close a month: rate, invoice, post and settle it; --dry only tells, --review stops "
            "before numbers are given."},
    {.words = "plan",
     .synopsis = "[NAME]",
     .run = builtin_plan,
     .flags = plan_flags,
     .route = &routes[ROUTE_calculate],
     .route_flags = true,
     .words_max = 1,
     .doc = "What servers cost, bring and pay back, computed without a server; ready plans: "
            "rapid-space, coworking-10, coworking-100, coworking-1000."},
    {.words = "usage send",
     .synopsis = "FILE",
     .run = builtin_usage_send,
     .route = &routes[ROUTE_usage_take],
     .route_flags = true,
     .words_max = 1,
     .doc = "Report the usage in a file, in batches: events one a line, an array of them, or a "
            "binary batch; - is standard input; what was sent before counts once."},
    {.words = "image add",
     .synopsis = "PARTY FILE",
     .run = builtin_image_add,
     .flags = image_flags,
     .route = &routes[ROUTE_image_create],
     .words_max = 2,
     .doc = "Send an image to the server, in pieces, and register it: what was cut off goes on "
            "where it was."},
    {.words = "image import",
     .synopsis = "PARTY FILE",
     .run = builtin_image_import,
     .flags = import_flags,
     .route = &routes[ROUTE_image_create],
     .words_max = 2,
     .doc = "Make images of a machine's disk of another house, and send them: qcow2, raw, vmdk, "
            "vdi, vhdx, or an OVA with its disks. hanse-node looks at it, as root, in a sandbox."},
    {.words = "service vantage",
     .run = builtin_vantage,
     .route = &routes[ROUTE_vantage_get],
     .route_flags = true,
     .doc = "How a service is seen from other sites: now, by city and day, and as a chart."},
    {.words = "site vantage",
     .run = builtin_vantage,
     .route = &routes[ROUTE_vantage_site],
     .route_flags = true,
     .doc = "How what runs at a site is seen from others: by city and day, and as a chart."},
    {.words = "workorder photo",
     .synopsis = "ID FILE",
     .run = builtin_workorder_photo,
     .route = &routes[ROUTE_work_photo_add],
     .route_flags = true,
     .words_max = 2,
     .doc = "Show what was done or seen for a work order: a JPEG or PNG picture."},
    {.words = "demo",
     .synopsis = "CASE",
     .run = builtin_demo,
     .flags = demo_flags,
     .words_max = 1,
     .doc = "Play rapid-space, coworking, channel or picos on a server of its own, from the first "
            "agreement to the payout, and tell who is invoiced, owed and paid what."},
    {.words = "demo live",
     .synopsis = "",
     .run = builtin_demo_live,
     .flags = live_flags,
     .doc = "Play the whole story with real parts on the server that you are logged in to as its "
            "operator: people sign up, services are ordered, reached, metered and cancelled, and "
            "the month is closed on a copy of the books; what is missing on the machine is said."},
    {.words = "profile check",
     .synopsis = "FILE",
     .run = builtin_profile_check,
     .words_max = 1,
     .doc = "Say whether a file describes a kind of service, and where it does not; - is standard "
            "input."},
    {.words = "profile list",
     .synopsis = "",
     .run = builtin_profile_list,
     .doc = "The servers you are logged in to."},
    {.words = "profile use",
     .synopsis = "NAME",
     .run = builtin_profile_use,
     .words_max = 1,
     .doc = "Use this profile unless another is named."},
    {.words = "profile remove",
     .synopsis = "NAME",
     .run = builtin_profile_remove,
     .words_max = 1,
     .doc = "Forget a profile; its token stays valid on the server."},
    {.words = "version",
     .synopsis = "",
     .run = builtin_version,
     .route = &routes[ROUTE_version],
     .doc = "The version of this program and of the server."},
    {.words = "help",
     .synopsis = "[COMMAND]",
     .run = builtin_help,
     .words_max = COMMAND_WORDS_MAX,
     .doc = "What can be done, and how."},
    {.words = "man", .synopsis = "", .run = builtin_man, .doc = "Print the manual page (mdoc)."},
    {.words = "krl",
     .synopsis = "",
     .run = builtin_krl,
     .doc = "Evaluate KRL as it is typed: declarations and expressions, a line each."},
    {.words = "krl check",
     .synopsis = "FILE",
     .run = builtin_krl_check,
     .words_max = 1,
     .doc = "Say whether a ruleset compiles, and where it does not; - is standard input."},
    {.words = "krl fmt",
     .synopsis = "FILE",
     .run = builtin_krl_fmt,
     .words_max = 1,
     .doc = "Print a KRL source in the usual layout."},
    {.words = "krl run",
     .synopsis = "FILE [STEP...]",
     .run = builtin_krl_run,
     .words_max = COMMAND_ARGS_MAX,
     .doc = "Play events (domain:name {attributes}) and queries (name {arguments}) to a ruleset, "
            "each one argument or a line of standard input; or evaluate a file of expressions."},
    {.words = "pico list",
     .synopsis = "",
     .run = builtin_pico_list,
     .flags = pico_flags,
     .words_max = 0,
     .doc = "Show the tree of picos of an engine."},
    {.words = "pico new",
     .synopsis = "NAME [PARENT]",
     .run = builtin_pico_new,
     .flags = pico_flags,
     .words_max = 2,
     .doc = "Make a pico below another, or below the root; prints its id."},
    {.words = "pico delete",
     .synopsis = "PICO",
     .run = builtin_pico_delete,
     .flags = pico_flags,
     .words_max = 1,
     .doc = "Delete a pico and all below it."},
    {.words = "pico install",
     .synopsis = "PICO FILE|URL",
     .run = builtin_pico_install,
     .flags = pico_flags,
     .words_max = 2,
     .doc = "Install a ruleset from a file or a URL, or the newer version of it; prints its rid."},
    {.words = "pico send",
     .synopsis = "PICO DOMAIN:NAME [ATTRIBUTES]",
     .run = builtin_pico_send,
     .flags = pico_flags,
     .words_max = 3,
     .doc = "Send an event with a JSON object of attributes; prints the directives."},
    {.words = "pico query",
     .synopsis = "PICO RID/NAME [ARGUMENTS]",
     .run = builtin_pico_query,
     .flags = pico_flags,
     .words_max = 3,
     .doc = "Ask a shared function with a JSON object of arguments; prints its value."},
    {.words = "pico channel",
     .synopsis = "PICO TAG...",
     .run = builtin_pico_channel,
     .flags = pico_flags,
     .words_max = 64,
     .doc = "Make a channel; prints its identifier, which opens it."},
    {.words = "pico log",
     .synopsis = "PICO",
     .run = builtin_pico_log,
     .flags = pico_flags,
     .words_max = 1,
     .doc = "Show what a pico logged, by transaction."},
    {.words = "pico suspend",
     .synopsis = "PICO",
     .run = builtin_pico_suspend,
     .flags = pico_flags,
     .words_max = 1,
     .doc =
         "Have a pico, and all below it, stand still, with all that it has: nobody pays for it."},
    {.words = "pico resume",
     .synopsis = "PICO",
     .run = builtin_pico_resume,
     .flags = pico_flags,
     .words_max = 1,
     .doc = "Let a pico that was suspended go on, with what has waited."},
    {.words = "pico asides",
     .synopsis = "PICO",
     .run = builtin_pico_asides,
     .flags = pico_flags,
     .words_max = 1,
     .doc = "List the events at which the engine died again and again: they are set aside."},
    {.words = "pico again",
     .synopsis = "PICO NUMBER",
     .run = builtin_pico_again,
     .flags = pico_flags,
     .words_max = 2,
     .doc = "Have an event that was set aside tried again, behind what waits at the pico."},
    {.words = "pico forget",
     .synopsis = "PICO NUMBER",
     .run = builtin_pico_forget,
     .flags = pico_flags,
     .words_max = 2,
     .doc = "Forget an event that was set aside."},
    {.words = "pico export",
     .synopsis = "PICO FILE",
     .run = builtin_pico_export,
     .flags = pico_flags,
     .words_max = 2,
     .doc = "Write a pico with all below it into one new file."},
    {.words = "pico import",
     .synopsis = "FILE [PARENT]",
     .run = builtin_pico_import,
     .flags = pico_flags,
     .words_max = 2,
     .doc = "Make the picos of a file, below a pico or the root; prints the first one's id."},
    {.words = "pico move",
     .synopsis = "PICO URL [PARENT-ID]",
     .run = builtin_pico_move,
     .flags = move_flags,
     .words_max = 3,
     .doc =
         "Move a pico with all below it to the engine with that listener for developers, while it "
         "is asked; where it breaks off, say it again."},
    {.words = "completion",
     .synopsis = "bash",
     .run = builtin_completion,
     .words_max = 1,
     .doc = "Print the completion script for a shell."},
};

static bool is_builtin(const char *words)
{
    for (size_t i = 0; i < COUNT(builtins); i++)
        if (strcmp(builtins[i].words, words) == 0)
            return true;
    return false;
}

const struct command *command_list(struct arena *arena, size_t *ret_count)
{
    struct command *list = NEW_N(arena, struct command, COUNT(builtins) + route_count);
    memcpy(list, builtins, sizeof(builtins));
    size_t count = COUNT(builtins);
    for (size_t i = 0; i < route_count; i++) {
        const struct route *r = &routes[i];
        if (r->cli == NULL || is_builtin(r->cli))
            continue;
        list[count++] =
            (struct command){.words = r->cli, .route = r, .route_flags = true, .doc = r->doc};
    }
    *ret_count = count;
    return list;
}

/* How many arguments the words take, where argv begins with all of them; else 0. */
static size_t words_match(const char *words, int argc, char *const *argv)
{
    struct str rest = str_c(words);
    size_t n = 0;
    while (rest.n > 0) {
        struct str word = str_cut(&rest, ' ');
        if (n >= (size_t)argc || !str_eq(word, str_c(argv[n])))
            return 0;
        n++;
    }
    return n;
}

const struct command *command_find(const struct command *list, size_t count, int argc,
                                   char *const *argv, size_t *ret_words)
{
    const struct command *found = NULL;
    size_t longest = 0;
    for (size_t i = 0; i < count; i++) {
        size_t n = words_match(list[i].words, argc, argv);
        if (n > longest) {
            longest = n;
            found = &list[i];
        }
    }
    if (found != NULL)
        *ret_words = longest;
    return found;
}

struct str command_noun(const struct command *c)
{
    struct str rest = str_c(c->words);
    return str_cut(&rest, ' ');
}

bool command_own_party(const struct command *c)
{
    static const char of_party[] = "/v1/parties/{party}";
    if (c->route == NULL || c->run != NULL || c->synopsis != NULL ||
        !str_starts(str_c(c->route->path), str_c(of_party)))
        return false;
    struct str below = str_sub(str_c(c->route->path), sizeof of_party - 1, SIZE_MAX);
    bool adds = c->route->method == HTTP_POST && below.n > 0 && !str_has(below, STR("/actions/")) &&
                !str_has(below, STR("{"));
    return c->route->method == HTTP_GET || adds;
}

struct str command_synopsis(const struct command *c, struct arena *arena)
{
    if (c->synopsis != NULL || c->route == NULL)
        return str_c(c->synopsis);
    struct str names[ROUTE_PARAMS_MAX];
    size_t count = route_params(c->route, names);
    struct buf b;
    buf_init(&b, arena, 256);
    for (size_t i = 0; i < count; i++) {
        bool optional = i == 0 && command_own_party(c);
        buf_add(&b, i > 0 ? STR(" ") : STR(""));
        buf_add(&b, optional ? STR("[") : STR(""));
        for (size_t k = 0; k < names[i].n; k++) {
            char ch = names[i].p[k];
            buf_add_char(&b, ch >= 'a' && ch <= 'z' ? (char)(ch - 'a' + 'A') : ch);
        }
        buf_add(&b, optional ? STR("]") : STR(""));
    }
    ASSERT(!b.full);
    return buf_str(&b);
}

struct flag_list {
    struct arena *arena;
    const char *leave_out;
    struct flag *flags;
    size_t count;
};

static struct flag *add_flag(struct flag_list *l, struct flag flag)
{
    ASSERT(l->count < FLAGS_MAX);
    l->flags[l->count] = flag;
    return &l->flags[l->count++];
}

static const char *value_word(const struct field *f)
{
    switch (f->type) {
    case FIELD_TEXT:
        return f->prefix != NULL ? "ID" : "TEXT";
    case FIELD_INT:
        return "N";
    case FIELD_BOOL:
        return NULL;
    case FIELD_TIME:
        return "TIME";
    case FIELD_DATE:
        return "DATE";
    case FIELD_DECIMAL:
        return "NUMBER";
    case FIELD_WORD:
        return "WORD";
    case FIELD_LIST:
        return f->schema != NULL ? "NAME=VALUE,..." : "A,B,...";
    case FIELD_JSON:
        return "JSON";
    case FIELD_OBJECT:
    case FIELD_RAW:
        break;
    }
    NEVER("such a field has no flag of its own");
}

/* Flags of one schema. Recurses into objects, FLAG_DEPTH_MAX deep. */
static void add_fields(struct flag_list *l, const struct schema *s, enum flag_kind kind,
                       struct str under, int depth)
{
    ASSERT(depth < FLAG_DEPTH_MAX);
    for (size_t i = 0; i < s->count; i++) {
        const struct field *f = &s->fields[i];
        if ((f->flags & FIELD_READ_ONLY) != 0 || f->type == FIELD_RAW)
            continue;
        struct str path =
            under.n == 0 ? str_c(f->name) : arena_fmt(l->arena, "%.*s.%s", STRF(under), f->name);
        if (str_eq(path, str_c(l->leave_out)))
            continue;
        if (f->type == FIELD_OBJECT) {
            add_fields(l, f->schema, kind, path, depth + 1);
            continue;
        }
        struct str name = text_words(l->arena, path, '-');
        struct flag flag = {.name = name,
                            .kind = kind,
                            .path = path,
                            .field = f,
                            .value = value_word(f),
                            .doc = f->doc,
                            .repeats = f->type == FIELD_LIST};
        if (kind == FLAG_BODY && (f->flags & FIELD_WRITE_ONLY) != 0 && f->type == FIELD_TEXT) {
            flag.kind = FLAG_SECRET;
            flag.name = arena_fmt(l->arena, "%.*s-file", STRF(name));
            flag.value = "FILE";
        }
        add_flag(l, flag);
    }
}

static void add_own(struct flag_list *l, const char *name, const char *value, const char *doc)
{
    add_flag(l, (struct flag){.name = str_c(name), .kind = FLAG_OWN, .value = value, .doc = doc});
}

static void add_route_flags(struct flag_list *l, const struct command *c)
{
    const struct route *r = c->route;
    if (r->query != NULL)
        add_fields(l, r->query, FLAG_QUERY, STR(""), 0);
    if (r->body == NULL)
        return;
    add_fields(l, r->body, FLAG_BODY, STR(""), 0);
    if (c->run != builtin_plan) /* nothing is sent; it has --file */
        add_own(l, "body", "FILE", "Send this JSON instead of flags; - is standard input.");
    if ((r->flags & ROUTE_PATCH) != 0) {
        struct flag *null = add_flag(l, (struct flag){.name = STR("null"), .kind = FLAG_OWN});
        null->value = "FIELD";
        null->doc = "Empty this field.";
        null->repeats = true;
    }
}

const struct flag *command_flags(const struct command *c, struct arena *arena, size_t *ret_count)
{
    struct flag_list l = {
        .arena = arena, .leave_out = c->leave_out, .flags = NEW_N(arena, struct flag, FLAGS_MAX)};
    for (const struct flag *own = c->flags; own != NULL && own->name.n > 0; own++)
        add_flag(&l, *own);
    if (c->route != NULL && c->route_flags)
        add_route_flags(&l, c);
    unsigned flags = c->route != NULL ? c->route->flags : 0;
    if ((flags & ROUTE_NEEDS_MATCH) != 0)
        add_own(&l, "if-version", "N",
                "Change it only where it is still this version; without, the present one.");
    if ((flags & ROUTE_LIST) != 0) {
        add_own(&l, "all", NULL, "Follow the pages to the end.");
        add_own(&l, "csv", NULL, "Print comma-separated values.");
    }
    if (c->route != NULL || c->run == builtin_profile_list)
        add_own(&l, "json", NULL,
                c->run == builtin_plan ? "Print JSON, as a server would send it."
                                       : "Print JSON, as the server sent it.");
    if (c->route != NULL && c->route->reply != NULL)
        add_own(&l, "wide", NULL, "Show all fields, and do not cut long ones.");
    bool here = c->run == builtin_help || c->run == builtin_man || c->run == builtin_completion ||
                c->run == builtin_plan || c->run == builtin_profile_check ||
                str_eq(command_noun(c), STR("krl")) || str_eq(command_noun(c), STR("pico"));
    if (!here) {
        add_own(&l, "profile", "NAME", "Use the server and the token of this profile.");
        add_own(&l, "server", "URL", "Ask this server.");
    }
    add_own(&l, "help", NULL, "Explain this command.");
    *ret_count = l.count;
    return l.flags;
}
