/*
 * backup_file.h - a backup as a file: a stream of bytes, encrypted and whole or not at all.
 *
 * libsodium's secretstream (XChaCha20 and Poly1305): its header of 24 bytes, then pieces of 64 KiB,
 * each with 17 bytes more; the last one says that it is the last. So a file that was changed, cut
 * off, or put together from others is refused, and memory does not grow with it.
 */
#ifndef NODE_BACKUP_FILE_H
#define NODE_BACKUP_FILE_H

#include "base/arena.h"
#include "base/err.h"

enum { BACKUP_KEY_BYTES = 32, BACKUP_PIECE_BYTES = 64 * 1024 };

/* 64 hexadecimal digits. RC_INVALID. */
MUST_CHECK enum rc backup_key_read(struct str hex, uint8_t ret[BACKUP_KEY_BYTES], struct err *err);

/* Read `from` to its end, write the encrypted file to `to`. RC_TOO_LARGE: the file would have more
 * than max bytes; RC_FULL and what else the disk says. */
MUST_CHECK enum rc backup_encrypt(int from, int to, const uint8_t key[BACKUP_KEY_BYTES],
                                  int64_t max, struct arena *arena, struct err *err);
/* The other way. RC_INVALID: another key, or not the file that was written. RC_GONE: who reads
 * `to` closed it; what was written until then was right. */
MUST_CHECK enum rc backup_decrypt(int from, int to, const uint8_t key[BACKUP_KEY_BYTES],
                                  struct arena *arena, struct err *err);

#endif
