/*
 * price_inside.h - what the files of price books share. For this folder alone.
 */
#ifndef CHANNEL_PRICE_INSIDE_H
#define CHANNEL_PRICE_INSIDE_H

#include "channel/price_book.h"

/* What an entry is for, as the store keeps it: "item:vm-4", "category:vm", "all". */
struct str price_target(struct str item, struct str category, struct arena *arena);
/* Index in entry_ops. The store holds no other words. */
enum entry_op price_op(struct str text);

#endif
