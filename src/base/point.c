/* The point of programs that people use: nothing. */
#include "base/point.h"

#include "base/base.h"

void point_pass(const char *name)
{
    (void)name;
}
