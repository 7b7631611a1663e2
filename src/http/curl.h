/*
 * curl.h - what curl.c and smtp.c share: for the files of this folder only.
 */
#ifndef HTTP_CURL_H
#define HTTP_CURL_H

#include "http/wire.h"

#include <curl/curl.h>

enum { CURL_ALLOWED_IDLE = 16, CURL_TIMEOUT_US = 30 * 1000000, CURL_CONNECT_MS_MAX = 10000 };

/* A handle with its connections, free for the next call. Never NULL. */
CURL *curl_take(struct wire *w);
void curl_give_back(struct wire *w, CURL *curl);

/* curl_easy_perform that a connection broken by the far side does not end with SIGPIPE: TLS writes
 * to the socket without MSG_NOSIGNAL, and a program may have kept the signal for its own output. */
CURLcode curl_run(CURL *curl);

/* The code for what curl reports; detail is curl's error buffer, url the whole address. */
enum rc curl_fail(CURLcode code, const char *detail, struct str url, struct err *err);

/* Send a mail by SMTP: wire->mail of the real door. */
enum rc smtp_mail(struct wire *w, const struct wire_mail *mail, struct arena *arena,
                  struct err *err);

#endif
