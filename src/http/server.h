/*
 * server.h - the inside of a server: for the files of this folder only.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "http/http.h"
#include "http/listen.h"
#include "http/peers.h"

#include <microhttpd.h>

struct http_server {
    struct http_options options; /* defaults filled in; listen is not kept */
    struct listen_socket listen;
    struct peers peers;
    struct MHD_Daemon *daemon;
    bool checks_layout; /* framing_check_layout knows this version of libmicrohttpd */

    pthread_mutex_t mutex; /* free exchanges, live streams, idle compressors */
    struct http_exchange *free;
    size_t free_count;
    struct http_exchange *streams;
    struct gzip *compressors;

    _Atomic bool closing;
    _Atomic uint64_t in_flight; /* exchanges between their first byte and their end */
    _Atomic uint64_t requests, refused, timeouts;
    _Atomic uint64_t by_class[6];
};

#endif
