/*
 * books.h - hansed ledger verify, replay, export: the proof of the books, for those who audit them.
 */
#ifndef MAIN_BOOKS_H
#define MAIN_BOOKS_H

#include "main/settings.h"

/* line: "ledger" and a word behind it; --at TIME for replay, --format NAME for export. Reads the
 * store, which on SQLite no server may use meanwhile (RC_CONFLICT): a backup can be read instead.
 * RC_SYNTAX: words that make no sense; RC_INVALID: the ledger does not verify. */
MUST_CHECK enum rc books_command(const struct settings *s, const struct command_line *line,
                                 struct arena *arena, struct err *err);

#endif
