/*
 * problem.h - what a server says went wrong (application/problem+json, RFC 9457), in err and more.
 */
#ifndef CLI_PROBLEM_H
#define CLI_PROBLEM_H

#include "cli/command.h"

enum { PROBLEM_ERRORS_MAX = 20 };

/* The failure that an answer with status >= 400 tells of: sets run->err and run->more. Never RC_OK.
 * Answers that are no problem document (from a proxy, say) give the title of their status.
 * by_token: a token was sent, so that logging in anew may help. */
MUST_CHECK enum rc problem_take(struct run *run, const struct wire_reply *reply, bool by_token);

#endif
