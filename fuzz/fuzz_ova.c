/*
 * Any bytes as descriptor, manifest and header of an OVA, and as the head of a disk: refused with a
 * sentence, or without a name that leads elsewhere.
 */
#include "fuzz.h"

#include "node/import.h"

enum { MEMORY = 64 * 1024 * 1024 };

static void check_name(struct str name)
{
    ASSERT(name.n > 0 && name.n <= OVA_NAME_MAX && name.p[0] != '.');
    ASSERT(str_find(name, '/', 0) >= name.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct err err = {0};
    struct ova ova;
    struct ova_member member;
    struct str text = str_n((const char *)data, size), kind, hash;
    arena_init(&arena, MEMORY);
    if (ova_describe(text, &arena, &ova, &err) == RC_OK)
        for (size_t i = 0; i < ova.count; i++)
            check_name(ova.disks[i].file);
    else
        ASSERT(err.text_n > 0);
    err_clear(&err);
    if (ova_manifest(text, STR("disk.vmdk"), &kind, &hash, &err) != RC_OK)
        ASSERT(err.rc == RC_NOT_FOUND);
    err_clear(&err);
    if (size >= OVA_BLOCK && ova_header(text.p, &member, &err) == RC_OK && !member.last) {
        check_name(member.name);
        ASSERT(member.bytes >= 0 && member.plain);
    }
    ASSERT(import_format(text).n > 0);
    arena_fini(&arena);
    return 0;
}
