/*
 * Any bytes as a photo: taken as one of two types, or refused with a sentence.
 */
#include "fuzz.h"

#include "fleet/photo.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = {0};
    const char *type = NULL;
    enum rc rc = photo_check(str_n((const char *)data, size), &type, &err);
    ASSERT((rc == RC_OK) == (type != NULL));
    ASSERT((rc == RC_OK) == (err.text_n == 0));
    if (type != NULL)
        ASSERT(strcmp(type, "image/png") == 0 || strcmp(type, "image/jpeg") == 0);
    return 0;
}
