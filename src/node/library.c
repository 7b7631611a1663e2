#include "node/library.h"

#include <dlfcn.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <libxml/parser.h>

static const char *const names[] = {
    [LIBRARY_LIBVIRT] = "libvirt.so.0",
    [LIBRARY_LIBXML2] = "libxml2.so.2",
};

/* The loader counts how often and keeps one: it stays for ever. */
static void *open_library(enum library library)
{
    return dlopen(names[library], RTLD_LAZY | RTLD_LOCAL);
}

enum rc library_want(enum library library, struct err *err)
{
    if (open_library(library) != NULL)
        return RC_OK;
    return err_set(err, RC_UNSUPPORTED, "this machine lacks the library %s", names[library]);
}

static void find(enum library library, const char *name, void *ret, size_t n)
{
    void *loaded = open_library(library);
    ASSERT(loaded != NULL); /* library_want said so */
    void *found = dlsym(loaded, name);
    ASSERT(found != NULL);
    ASSERT(n == sizeof found);
    memcpy(ret, &found, n); /* POSIX has no other way from an object's address to a function's */
}

/* Hidden: the libraries call their own functions, and shall not find these in their place. */
#define FORWARD(library, type, name, parameters, ...)          \
    __attribute__((visibility("hidden"))) type name parameters \
    {                                                          \
        type(*real) parameters;                                \
        find((library), #name, &real, sizeof real);            \
        return real(__VA_ARGS__);                              \
    }
#define VIRT(type, name, parameters, ...) \
    FORWARD(LIBRARY_LIBVIRT, type, name, parameters, __VA_ARGS__)

VIRT(virConnectPtr, virConnectOpen, (const char *url), url)
VIRT(int, virConnectClose, (virConnectPtr link), link)
VIRT(const char *, virGetLastErrorMessage, (void))
VIRT(int, virGetLastErrorCode, (void))
VIRT(virDomainPtr, virDomainLookupByName, (virConnectPtr link, const char *name), link, name)
VIRT(virDomainPtr, virDomainCreateXML, (virConnectPtr link, const char *xml, unsigned flags), link,
     xml, flags)
VIRT(int, virDomainFree, (virDomainPtr domain), domain)
VIRT(int, virDomainResume, (virDomainPtr domain), domain)
VIRT(int, virDomainGetState, (virDomainPtr domain, int *state, int *reason, unsigned flags), domain,
     state, reason, flags)
VIRT(int, virDomainShutdownFlags, (virDomainPtr domain, unsigned flags), domain, flags)
VIRT(char *, virDomainGetXMLDesc, (virDomainPtr domain, unsigned flags), domain, flags)
VIRT(int, virDomainBlockResize,
     (virDomainPtr domain, const char *disk, unsigned long long size, unsigned flags), domain, disk,
     size, flags)
VIRT(int, virDomainGetBlockInfo,
     (virDomainPtr domain, const char *disk, virDomainBlockInfoPtr info, unsigned flags), domain,
     disk, info, flags)
VIRT(int, virDomainListGetStats,
     (virDomainPtr * domains, unsigned stats, virDomainStatsRecordPtr **ret, unsigned flags),
     domains, stats, ret, flags)
VIRT(void, virDomainStatsRecordListFree, (virDomainStatsRecordPtr * stats), stats)
VIRT(int, virTypedParamsGetUInt,
     (virTypedParameterPtr items, int count, const char *name, unsigned *ret), items, count, name,
     ret)
VIRT(int, virTypedParamsGetULLong,
     (virTypedParameterPtr items, int count, const char *name, unsigned long long *ret), items,
     count, name, ret)
VIRT(int, virDomainAgentSetResponseTimeout, (virDomainPtr domain, int timeout, unsigned flags),
     domain, timeout, flags)
VIRT(int, virDomainFSFreeze,
     (virDomainPtr domain, const char **points, unsigned count, unsigned flags), domain, points,
     count, flags)
VIRT(int, virDomainFSThaw,
     (virDomainPtr domain, const char **points, unsigned count, unsigned flags), domain, points,
     count, flags)
VIRT(int, virDomainBackupBegin,
     (virDomainPtr domain, const char *backup, const char *checkpoint, unsigned flags), domain,
     backup, checkpoint, flags)
VIRT(char *, virDomainBackupGetXMLDesc, (virDomainPtr domain, unsigned flags), domain, flags)
VIRT(int, virDomainAbortJob, (virDomainPtr domain), domain)
VIRT(virDomainSnapshotPtr, virDomainSnapshotCreateXML,
     (virDomainPtr domain, const char *xml, unsigned flags), domain, xml, flags)
VIRT(int, virDomainSnapshotDelete, (virDomainSnapshotPtr snapshot, unsigned flags), snapshot, flags)
VIRT(int, virDomainSnapshotFree, (virDomainSnapshotPtr snapshot), snapshot)
VIRT(void, virSetErrorFunc, (void *arg, virErrorFunc fn), arg, fn)

#define XML(type, name, parameters, ...) \
    FORWARD(LIBRARY_LIBXML2, type, name, parameters, __VA_ARGS__)

XML(xmlDocPtr, xmlReadMemory,
    (const char *text, int n, const char *url, const char *encoding, int options), text, n, url,
    encoding, options)
XML(xmlNodePtr, xmlDocGetRootElement, (const xmlDoc *doc), doc)
XML(void, xmlFreeDoc, (xmlDocPtr doc), doc)
