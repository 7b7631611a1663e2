/*
 * ascii.h - the few questions about single characters that codes and numbers need.
 *
 * Not <ctype.h>: that one depends on the process's locale and is undefined for bytes above 127.
 */
#ifndef MONEY_ASCII_H
#define MONEY_ASCII_H

#include "base/str.h"

static inline bool ascii_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool ascii_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static inline bool ascii_letter(char c)
{
    return ascii_upper(c) || (c >= 'a' && c <= 'z');
}

static inline char ascii_to_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

/* The part of a stranger's text that may be repeated in an error: printable ASCII, at most 40
 * bytes. Cutting there can never split a UTF-8 sequence. */
static inline struct str ascii_shown(struct str s)
{
    size_t n = 0;
    while (n < s.n && n < 40 && s.p[n] >= ' ' && s.p[n] <= '~')
        n++;
    return str_sub(s, 0, n);
}

/* Copy s in upper case, without the characters in `dropped`, into text with a NUL behind.
 * Returns the length, or 0 where nothing is left or more than max is. */
static inline size_t ascii_compact(struct str s, const char *dropped, char *text, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '\0' && strchr(dropped, s.p[i]) != NULL)
            continue;
        if (n == max)
            return 0;
        text[n++] = ascii_to_upper(s.p[i]);
    }
    text[n] = '\0';
    return n;
}

#endif
