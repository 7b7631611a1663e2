#include "peer_json.h"

#include <jansson.h>

void *peer_json_open(struct str text)
{
    json_t *document = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    ASSERT(document != NULL);
    return document;
}

void peer_json_close(void *document)
{
    json_decref(document);
}

size_t peer_json_read(struct str text)
{
    json_t *document = peer_json_open(text);
    size_t records = json_array_size(json_object_get(document, "records"));
    json_decref(document);
    return records;
}

size_t peer_json_write(void *document)
{
    char *text = json_dumps(document, JSON_COMPACT);
    ASSERT(text != NULL);
    size_t n = strlen(text);
    free(text);
    return n;
}
