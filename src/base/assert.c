#include "base/base.h"

void assert_failed(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: this cannot be: %s\n", file, line, condition);
    abort();
}
