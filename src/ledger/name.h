/*
 * name.h - which names books, accounts and sources may have. Private to ledger/.
 *
 * Narrow on purpose: every name can be exported to hledger, ledger and beancount as it is (but for
 * the ids, whose first letter becomes a capital and whose '_' a '-').
 */
#ifndef LEDGER_NAME_H
#define LEDGER_NAME_H

#include "base/str.h"

enum { NAME_PARTY_MAX = 60, NAME_CODE_MAX = 120, NAME_SOURCE_MAX = 120 };

/* "pty_01jd8v3q7w4k2m9x6c5b1n0h8z", or a part of a code: "Op". */
bool name_is_party(struct str s);
/* Parts joined by ':', the first beginning with a capital letter, the others with a capital letter
 * or a digit, then letters, digits and '-'; or an id. "AR:pty_01jd...", "VAT-Out:FR:200000". */
bool name_is_code(struct str s);
/* Letters, digits and any of "._/:@+-". "close/2026-01" */
bool name_is_source(struct str s);

#endif
