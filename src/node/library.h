/*
 * library.h - libraries that only some nodes need, and those only now and then: taken into the
 * process when they are first called.
 *
 * libvirt and libxml2 bring forty more. Loaded with the program they take 6 MiB of each agent, also
 * where no machine ever runs. library.c has functions of their names that call them; who calls
 * makes sure first that they are there, and then needs to know nothing of this.
 */
#ifndef NODE_LIBRARY_H
#define NODE_LIBRARY_H

#include "base/err.h"

enum library { LIBRARY_LIBVIRT, LIBRARY_LIBXML2 };

/* RC_UNSUPPORTED: it is not on this machine. Before any function of it is called. */
MUST_CHECK enum rc library_want(enum library library, struct err *err);

#endif
