/*
 * profile.h - the language in which a kind of service is written: one YAML file, fully automatic.
 *
 * A profile says what a client may choose (parameters), what is made once and kept (secrets), how
 * much the service takes (resources), the files, processes, ports and volumes of it, the promises
 * that it keeps, and what it tells its client (publishes). Texts in it are templates (template.h)
 * over those values, so that nothing a client types can leave its place. Every mistake is found
 * when the profile is read, with its line and field; rendering can only fail for a value.
 *
 * Names that templates know:
 *   parameters and secrets by their names; service.id, service.name; cpu_milli, memory_mib,
 *   disk_mib (not in resources); NEED.NAME, what a needed service publishes;
 *   in publishes only: address, PORT.address, PORT.port, as the node gave them.
 *
 * Resources are texts: "500m" or "2" cores; "512 MiB", "20 GiB", "10 GB", "{{ memory }} MiB".
 */
#ifndef PROFILE_PROFILE_H
#define PROFILE_PROFILE_H

#include "base/clock.h"
#include "profile/spec.h"
#include "profile/template.h"

enum { PROFILE_BACKUP_EVERY_MIN_S = 60 };
enum {
    PROFILE_TEXT_MAX = 512 * 1024,
    PROFILE_ARENA_BYTES = 64 * 1024 * 1024, /* enough to read any profile */
    PROFILE_PARAMETERS_MAX = 32,
    PROFILE_SECRETS_MAX = 8,
    PROFILE_NEEDS_MAX = 4,
    PROFILE_PACKAGES_MAX = 100,
    PROFILE_PROGRAMS_MAX = 4,
    PROFILE_DISKS_MAX = 7,         /* beside the one that a machine starts from */
    PROFILE_VALUE_MAX = 16 * 1024, /* bytes of one parameter */
    PROFILE_PUBLISHED_BYTES_MAX = 4000,
    PROFILE_NAME_MAX = 40,
    /* parameters, secrets, the five of the house, and what needed services publish */
    PROFILE_VALUES_MAX =
        PROFILE_PARAMETERS_MAX + PROFILE_SECRETS_MAX + 8 + PROFILE_NEEDS_MAX * SPEC_PUBLISHED_MAX,
};

/* How the root is made: Debian packages (container), or a file that the operator registers. */
struct profile_image {
    uint64_t set;
    struct str name;      /* under which it is registered; empty: the profile's name */
    struct list packages; /* struct str */
    struct list programs; /* struct str: of profile_programs, into /usr/bin */
    struct str format;    /* "squashfs", "qcow2", "raw" */
    struct list disks;    /* struct str: names of the images of a machine's further disks */
};
/* Programs of this house that an image may have: those beside the hanse-node that builds it. Only
 * these, so that who writes a profile cannot read the files of who tries it. */
extern const char *const profile_programs[];
bool profile_is_program(struct str name);

enum parameter_type { PARAMETER_STRING, PARAMETER_INTEGER, PARAMETER_BOOLEAN };
extern const char *const parameter_types[];

struct profile_parameter {
    uint64_t set;
    struct str name;
    struct str title;
    struct str doc;
    int64_t type;
    struct list values; /* "enum": struct str, of a string */
    int64_t minimum;    /* of an integer */
    int64_t maximum;
    int64_t min_length; /* of a string, characters */
    int64_t max_length; /* 0: 200 */
    struct str pattern; /* pattern.h */
    bool multiline;
    const struct json *fallback; /* "default"; none: the client must say it */
};

/* Letters and digits, made once, kept sealed, shown to the client. */
struct profile_secret {
    uint64_t set;
    struct str name;
    struct str title;
    int64_t length; /* 0: 24 */
};

struct profile_resources {
    uint64_t set;
    struct str cpu;
    struct str memory;
    struct str disk;
    struct str network; /* bits a second: "100 Mbit"; empty: no limit */
    int64_t processes;  /* 0: 500 */
};

struct profile_file {
    uint64_t set;
    struct str path;
    struct str content;
    int64_t kind;    /* enum template_kind */
    struct str mode; /* octal; empty: "0644" */
    int64_t user;
};

struct profile_published {
    uint64_t set;
    struct str name;
    struct str title;
    struct str value;
    bool secret; /* hidden until it is asked for */
};

/* Where the client names none: shared, one that he has is taken, and stays when this one ends;
 * ordered, one is ordered with it, which others share then (shared) or which is part of it. */
struct profile_need {
    uint64_t set;
    struct str name;
    struct str profile;
    bool shared;
    bool ordered;
};

/* What it might be sold for: a hint for who makes plans. */
struct profile_price {
    uint64_t set;
    struct str currency;
    struct str month;
    struct str setup;
};

struct profile {
    uint64_t set;
    struct str name;
    struct str version;
    struct str title;
    struct str description;
    struct str author;
    struct str category;
    int64_t runtime; /* enum spec_runtime */
    struct profile_image image;
    struct list parameters;
    struct list secrets;
    struct profile_resources resources;
    struct list files;
    struct list processes; /* struct spec_process, texts are templates */
    struct list ports;     /* struct spec_port */
    struct list volumes;   /* struct spec_volume */
    struct list promises;  /* struct spec_promise */
    struct list publishes;
    struct list meters;   /* struct str: codes */
    struct str user_data; /* vm: template of YAML */
    struct list backup;
    struct list restore;
    struct list end;          /* of a container: takes away what it made elsewhere */
    int64_t backup_every_s;   /* 0: once a day */
    int64_t drill_every_days; /* 0: only when it is asked for */
    bool backup_disk;         /* of a machine: its disk is backed up while it runs */
    struct list needs;
    struct profile_price price;
    bool public; /* a site that the public sees: the legal gate of its place holds */
};
extern const struct schema service_profile_schema;
extern const struct schema profile_parameter_schema;

/* Read and check a whole profile. text lives as long as it. RC_SYNTAX, RC_INVALID, RC_TOO_LARGE:
 * the sentence begins with "line N: " and the pointer names the field. */
MUST_CHECK enum rc profile_read(struct str text, struct arena *arena, struct profile *ret,
                                struct err *err);

/* The values that one service has: a name once. */
struct profile_values {
    struct {
        struct str name;
        struct template_value value;
    } items[PROFILE_VALUES_MAX];
    size_t count;
};
/* Room for count more is there: PROFILE_VALUES_MAX counts all that a service can have. Texts that
 * came from a node or another service are not plain unless they look so. */
void profile_values_add(struct profile_values *v, struct str name, struct str text);

/* Check what a client chose (an object, or NULL), fill in what was left out. RC_INVALID at
 * "/parameters/NAME". The values are added to *ret. */
MUST_CHECK enum rc profile_parameters(const struct profile *p, const struct json *chosen,
                                      struct arena *arena, struct profile_values *ret,
                                      struct err *err);
/* The parameters as JSON Schema (2020-12), for forms. */
void profile_describe(const struct profile *p, struct json_writer *w);
/* New secrets, in the order of p->secrets: list of struct str. */
struct list profile_secrets(const struct profile *p, struct clock *clock, struct arena *arena);

/* What it takes, by its parameters. RC_INVALID: not a size, or beyond what a spec can say. */
struct profile_taken {
    int64_t cpu_milli;
    int64_t memory_bytes;
    int64_t disk_bytes;
    int64_t network_bit_s;
    int64_t processes_max;
};
MUST_CHECK enum rc profile_taken(const struct profile *p, const struct profile_values *v,
                                 struct arena *arena, struct profile_taken *ret, struct err *err);

/* Fill in everything of the spec that the profile decides; id, name and what it takes come from the
 * caller; state, images, subscription and lease are the caller's. v: parameters, secrets, needs.
 * RC_INVALID: a value that a place cannot hold; RC_TOO_LARGE. */
struct profile_service {
    struct str id;
    struct str name;
    struct profile_taken taken;
};
MUST_CHECK enum rc profile_render(const struct profile *p, const struct profile_values *v,
                                  const struct profile_service *service, struct arena *arena,
                                  struct service_spec *ret, struct err *err);
/* What the client is told, in the order of p->publishes: list of struct str. facts: as the node
 * gave them (struct sighting_fact). An entry whose facts are not there yet is empty. */
MUST_CHECK enum rc profile_publish(const struct profile *p, const struct profile_values *v,
                                   const struct profile_service *service, const struct list *facts,
                                   struct arena *arena, struct list *ret, struct err *err);

#endif
