/*
 * here.h - this machine as a node of its own control plane: what `make run` asks for.
 */
#ifndef MAIN_HERE_H
#define MAIN_HERE_H

#include "main/settings.h"
#include "store/store.h"

/* The operator's site "here" and in it a node with this machine's name, both made where they are
 * missing; a fresh token to enrol with is written into s->here_token (mode 0600), in one line with
 * the address that answers: "URL TOKEN". Whoever asks is trusted: who reads that file could read
 * the store. */
MUST_CHECK enum rc here_token(struct store *store, const struct settings *s, struct str url,
                              struct arena *arena, struct err *err);

#endif
