/*
 * address.h - whether an address belongs to the open Internet.
 *
 * Customers name addresses that we call for them (webhooks). One of them will name
 * http://169.254.169.254/ or a printer next door; those are refused, after name resolution, on
 * the very address that would be connected to.
 */
#ifndef HTTP_ADDRESS_H
#define HTTP_ADDRESS_H

#include "base/base.h"

#include <sys/socket.h>

/* False for everything that the registries of special addresses (RFC 6890, IANA) do not call
 * global: private, loopback, link-local, shared (100.64/10), documentation, benchmarks, multicast,
 * reserved; and IPv6 forms that carry such an IPv4 address inside. Only IPv4 and IPv6 can be
 * public. */
bool address_is_public(const struct sockaddr *address);

#endif
