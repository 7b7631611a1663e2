/*
 * pages.h - pages for browsers, beside the handlers of their routes: problems, and the portal's
 * files.
 */
#ifndef API_PAGES_H
#define API_PAGES_H

#include "api/inside.h"

/* A failure of a page's route, as a page. */
void page_problem_reply(struct request *r, enum rc rc);

/* Answer from web_root: a file; or, where no route matches, index.html for an address without a dot
 * that a browser asks for, which the portal reads itself. Never below /v1/ or /assets/.
 * routed: what router_find said. False: no reply was made. */
MUST_CHECK bool page_static(struct request *r, enum rc routed);

#endif
