/*
 * yaml.h - a strict part of YAML, read into the same nodes as JSON, with the line of each value.
 *
 * People write profiles by hand, so they are YAML; everything behind the door reads tables
 * (base/schema.h), so YAML becomes JSON nodes here. One document of mappings, sequences and
 * scalars. What surprises people is refused with its line: anchors, aliases and tags, a second
 * document, duplicate keys, keys that are no plain text, and the plain words that YAML 1.1 takes
 * for true and false (yes, no, on, off). Plain true, false, null and whole numbers are what they
 * look like; every other scalar is text.
 */
#ifndef PROFILE_YAML_H
#define PROFILE_YAML_H

#include "base/json.h"

enum { YAML_TEXT_MAX = 512 * 1024, YAML_DEPTH_MAX = 12, YAML_VALUES_MAX = 5000 };

struct yaml_place {
    struct str pointer; /* RFC 6901, "/files/0/path" */
    size_t line;        /* 1.. */
};

struct yaml {
    const struct json *root;
    struct yaml_place *places;
    size_t count;
};

/* The arena needs room for 5 MB and about 40 times the text. RC_SYNTAX with the line in the
 * sentence; RC_TOO_LARGE. */
MUST_CHECK enum rc yaml_read(struct str text, struct arena *arena, struct yaml *ret,
                             struct err *err);
/* The line of what the pointer names, or of the nearest thing above it; 1 where nothing is. */
size_t yaml_line(const struct yaml *y, struct str pointer);

#endif
