/* Kinds: a profile that is kept as JSON is the one that was registered. */
#include "fleet/fleet_fixture.h"
#include "profile/profile.h"

/* With every sort of thing that a profile can say. */
static const char rich[] =
    "name: rich\nversion: \"2\"\ntitle: Rich\nauthor: me\nruntime: container\ncategory: web\n"
    "description: |\n  Two lines,\n  with \"quotes\" and \\ and \xe4\xb8\x8a\xe6\xb5\xb7.\n"
    "image: {packages: [nginx-light], format: squashfs}\n"
    "parameters:\n"
    "  - {name: memory, title: M, type: integer, minimum: 64, maximum: 8192, default: 64}\n"
    "  - {name: size, title: S, type: string, enum: [small, large], default: small}\n"
    "  - {name: text, title: T, type: string, multiline: true, max_length: 9000, default: "
    "\"a\\nb\"}\n"
    "  - {name: fast, title: O, type: boolean, default: true}\n"
    "secrets: [{name: key, length: 30}]\n"
    "resources: {cpu: 500m, memory: \"{{ memory }} MiB\", disk: 1 GiB, network: 100 Mbit}\n"
    "files:\n"
    "  - {path: /etc/x, kind: ini, mode: \"0600\", user: 33, content: \"[a]\\nb={{ size }}\\n\"}\n"
    "ports: [{name: web, port: 80, published: true}]\n"
    "volumes: [{name: data, path: /data}]\n"
    "promises: [{name: up, kind: tcp, target: web, every_s: 30}]\n"
    "publishes: [{name: key, title: K, value: \"{{ key }}\", secret: true}]\n"
    "processes: [{name: s, command: [/bin/x], environment: [\"T={{ text }}\"]}]\n"
    "backup: [/bin/b]\nrestore: [/bin/r, -x]\nend: [/bin/e]\nbackup_every_s: "
    "3600\ndrill_every_days: 7\n"
    "price: {currency: EUR, month: \"5.50\"}\npublic: true\n";

static struct str text_of(struct tx *tx, const struct profile *p)
{
    enum { BYTES_MAX = 100000 };
    struct buf b;
    struct json_writer w;
    buf_init(&b, tx->arena, BYTES_MAX);
    json_writer_init(&w, &b);
    schema_encode(&service_profile_schema, p, &w);
    ck_assert(!b.full);
    return buf_str(&b);
}

static bool is_kept(struct tx *tx, struct str id)
{
    struct rows rows;
    OK(tx, sql_rows(tx, &rows, "SELECT parsed FROM profile WHERE id = $1", V(id)));
    return !row_null(&rows, 0, 0);
}

TX_TEST(a_kept_profile_is_the_one_that_was_registered)
{
    struct str op = make_operator(tx);
    struct kind kind, read;
    struct profile first, kept;
    const struct kind fresh = {.text = str_c(rich)};
    OK(tx, kind_create(tx, op, &fresh, &kind));
    OK(tx, profile_read(kind.text, tx->arena, &first, tx->err));
    ck_assert(is_kept(tx, kind.id));
    OK(tx, kind_read(tx, kind.id, &read, &kept));
    SAME(text_of(tx, &kept), text_of(tx, &first));
    SAME(read.name, STR("rich"));
    ck_assert_int_eq(kept.set, first.set);
}

TX_TEST(a_profile_from_before_is_read_from_its_text_once)
{
    struct str op = make_operator(tx);
    struct kind kind;
    struct profile first, slow, quick;
    const struct kind fresh = {.text = str_c(rich)};
    OK(tx, kind_create(tx, op, &fresh, &kind));
    OK(tx, kind_profile(tx, kind.id, &first));
    OK(tx, sql_run(tx, "UPDATE profile SET parsed = NULL WHERE id = $1", V(kind.id)));
    OK(tx, kind_profile(tx, kind.id, &slow));
    ck_assert(is_kept(tx, kind.id));
    OK(tx, kind_profile(tx, kind.id, &quick));
    SAME(text_of(tx, &slow), text_of(tx, &first));
    SAME(text_of(tx, &quick), text_of(tx, &first));
}

TX_TEST(the_newest_version_is_read_by_its_name)
{
    struct shop s = make_shop(tx);
    struct kind kind, made;
    struct profile profile;
    struct kind fresh = {.text = str_c(rich)};
    OK(tx, kind_create(tx, s.op, &fresh, &made));
    OK(tx, kind_read_newest(tx, STR("rich"), &kind, &profile));
    SAME(kind.id, made.id);
    SAME(profile.version, STR("2"));
    FAILS(tx, RC_NOT_FOUND, NULL, kind_read_newest(tx, STR("poor"), &kind, &profile));
    FAILS(tx, RC_NOT_FOUND, NULL, kind_read(tx, STR("prf_none"), &kind, &profile));
}

TX_TEST(what_runs_no_command_has_none_for_its_end)
{
    struct str op = make_operator(tx);
    struct kind kind;
    struct kind fresh = {.text =
                             STR("name: box\nversion: \"1\"\ntitle: Box\nauthor: me\nruntime: vm\n"
                                 "image: {name: debian-12, format: qcow2}\nend: [/bin/e]\n"
                                 "resources: {cpu: \"1\", memory: 512 MiB, disk: 2 GiB}\n")};
    FAILS(tx, RC_INVALID, NULL, kind_create(tx, op, &fresh, &kind));
    ck_assert(str_has(err_text(tx->err), STR("no command runs in a virtual machine")));
    /* The same without it is one. */
    fresh.text = STR("name: box\nversion: \"1\"\ntitle: Box\nauthor: me\nruntime: vm\n"
                     "image: {name: debian-12, format: qcow2}\n"
                     "resources: {cpu: \"1\", memory: 512 MiB, disk: 2 GiB}\n");
    OK(tx, kind_create(tx, op, &fresh, &kind));
}

Suite *kind_suite(void);
Suite *kind_suite(void)
{
    Suite *s = suite_create("kind");
    TCase *t = tcase_create("kept");
    tcase_add_test(t, a_kept_profile_is_the_one_that_was_registered);
    tcase_add_test(t, a_profile_from_before_is_read_from_its_text_once);
    tcase_add_test(t, the_newest_version_is_read_by_its_name);
    tcase_add_test(t, what_runs_no_command_has_none_for_its_end);
    suite_add_tcase(s, t);
    return s;
}
