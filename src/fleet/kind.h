/*
 * kind.h - kinds of services: the profiles that were registered, the images that they are made of,
 * and the offers that tie a plan to a profile.
 *
 * A profile belongs to the party that registered its name first; a version never changes, so that
 * services are rendered again as they were made. An offer fixes the parameters that its plan's
 * price is for (4 GB of memory), and lets the client choose the others.
 */
#ifndef FLEET_KIND_H
#define FLEET_KIND_H

#include "profile/spec.h"
#include "store/page.h"

struct profile; /* profile/profile.h */

enum { KIND_PARAMETERS_BYTES_MAX = 64 * 1024 };

struct kind {
    uint64_t set;
    struct str id; /* "prf_..." */
    struct str owner;
    struct str name;
    struct str version;
    struct str title;
    struct str author;
    struct str runtime;
    struct str text;   /* the YAML; in a request */
    struct str schema; /* JSON Schema of its parameters; in answers about one */
    time_us created;
};
extern const struct schema kind_schema;

/* The meters by which agents report are made, where they are missing.
 * RC_INVALID, RC_SYNTAX at "/text" with the line in the sentence; RC_CONFLICT: this version is
 * there, or the name is another party's. */
MUST_CHECK enum rc kind_create(struct tx *tx, struct str owner, const struct kind *fresh,
                               struct kind *ret);
MUST_CHECK enum rc kind_get(struct tx *tx, struct str id, struct kind *ret);
/* The newest version of a name. RC_NOT_FOUND. */
MUST_CHECK enum rc kind_find(struct tx *tx, struct str name, struct kind *ret);
/* All that there are: everybody may read how services are made. */
MUST_CHECK enum rc kind_list(struct tx *tx, const struct page_query *q, struct page *ret);
/* As in a list, without text and schema, and with its profile: what a service is made by. It was
 * read and checked when it was registered, and is kept as JSON since then. RC_NOT_FOUND. */
MUST_CHECK enum rc kind_read(struct tx *tx, struct str id, struct kind *ret,
                             struct profile *ret_profile);
/* The same of the newest version of a name. */
MUST_CHECK enum rc kind_read_newest(struct tx *tx, struct str name, struct kind *ret,
                                    struct profile *ret_profile);
/* The profile alone. */
MUST_CHECK enum rc kind_profile(struct tx *tx, struct str id, struct profile *ret);

struct offer {
    uint64_t set;
    struct str id; /* "off_..." */
    struct str owner;
    struct str plan;               /* "pln_..."; in a request its code as well */
    struct str kind;               /* name of the profile */
    const struct json *parameters; /* those that the plan fixes */
    bool approval;                 /* the seller says yes first */
    time_us created;
};
extern const struct schema offer_schema;
/* RC_INVALID: no such plan or profile, a parameter that it has not; RC_CONFLICT: the plan sells
 * something already. */
MUST_CHECK enum rc offer_create(struct tx *tx, struct str owner, const struct offer *fresh,
                                struct offer *ret);
MUST_CHECK enum rc offer_get(struct tx *tx, struct str id, struct offer *ret);
/* Of a plan; RC_NOT_FOUND. */
MUST_CHECK enum rc offer_of_plan(struct tx *tx, struct str plan, struct offer *ret);
MUST_CHECK enum rc offer_list(struct tx *tx, struct str owner, const struct page_query *q,
                              struct page *ret);

struct image {
    uint64_t set;
    struct str id; /* "img_..." */
    struct str owner;
    struct str name;
    struct str file;   /* in a request: its name in the folder of images; or */
    struct str sha256; /* the hash under which it was sent */
    int64_t bytes;
    struct str format;
    time_us created;
};
extern const struct schema image_schema;

/* A part of an image on its way to the folder, and the answer to it. */
#define IMAGE_BYTES_MAX (INT64_C(1) << 42)
extern const char *const image_media[]; /* NULL at the end */
struct image_piece_query {
    uint64_t set;
    int64_t at;
};
extern const struct schema image_piece_query_schema;
struct image_piece {
    uint64_t set;
    struct str sha256;
    int64_t bytes; /* how much of it is there */
};
extern const struct schema image_piece_schema;

/* The file was hashed, and lies in the folder under its hash. */
MUST_CHECK enum rc image_create(struct tx *tx, struct str owner, const struct image *fresh,
                                struct image *ret);
MUST_CHECK enum rc image_get(struct tx *tx, struct str id, struct image *ret);
/* The newest of a name that the owner of the profile registered, as specs name it: nobody puts an
 * image under somebody else's profile. RC_NOT_FOUND. */
MUST_CHECK enum rc image_find(struct tx *tx, struct str owner, struct str name,
                              struct spec_image *ret);
MUST_CHECK enum rc image_list(struct tx *tx, struct str owner, const struct page_query *q,
                              struct page *ret);
/* Whether there is an image with this hash. */
MUST_CHECK enum rc image_known(struct tx *tx, struct str sha256, bool *ret);

#endif
