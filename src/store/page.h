/*
 * page.h - one page of a list: filters, sort and a cursor, for lists of any length.
 *
 * The owner of a table says which columns a list shows, filters and sorts by (struct page_table);
 * names that come from outside are looked up there and never become SQL. Paging is by key, not
 * by offset: a page costs the same at the end of the list as at its beginning, and rows that
 * come and go in between are neither lost nor doubled.
 */
#ifndef STORE_PAGE_H
#define STORE_PAGE_H

#include "base/schema.h"
#include "store/store.h"

enum {
    PAGE_LIMIT_DEFAULT = 50,
    PAGE_LIMIT_MAX = 200,
    PAGE_SORTS_MAX = 4,
    PAGE_TERMS_MAX = 16,
    PAGE_CURSOR_MAX = 4000, /* characters; it carries the values that the page ended with */
};

/* What ?limit=&after=&sort= decode to: name the fields in a query schema with PAGE_FIELDS. */
struct page_query {
    int64_t limit;    /* 0: PAGE_LIMIT_DEFAULT */
    struct str after; /* the cursor of the page before: next of the answer */
    struct list sort; /* struct str: "name", "-created" */
};

/* The three fields, for a struct whose member page is a struct page_query. */
#define PAGE_FIELDS(query)                                                        \
    {.name = "limit",                                                             \
     .type = FIELD_INT,                                                           \
     .offset = offsetof(query, page.limit),                                       \
     .min = 1,                                                                    \
     .max = PAGE_LIMIT_MAX,                                                       \
     .doc = "Rows in one answer; 50 unless said otherwise."},                     \
        {.name = "after",                                                         \
         .type = FIELD_TEXT,                                                      \
         .offset = offsetof(query, page.after),                                   \
         .min = 1,                                                                \
         .max = PAGE_CURSOR_MAX,                                                  \
         .doc = "Go on behind the page that gave this as \"next\"."},             \
    {                                                                             \
        .name = "sort", .type = FIELD_LIST, .offset = offsetof(query, page.sort), \
        .max = PAGE_SORTS_MAX,                                                    \
        .doc = "Columns to sort by, '-' in front for descending: name,-created."  \
    }

/* A column that can be sorted by; never NULL in any row. The kind is told so that a forged cursor
 * is refused before the store sees it. */
enum page_kind { PAGE_TEXT, PAGE_NUMBER };
struct page_column {
    const char *name;   /* "created" */
    const char *column; /* "p.created" */
    enum page_kind kind;
};

struct page_table {
    const char *select; /* "SELECT p.id, p.name FROM party p"; no WHERE */
    const char *id;     /* "p.id": unique, ends every sort */
    const struct page_column *sort;
    size_t sort_count;
    const char *default_sort; /* "id" or "-id": in sort too */
};

/* A condition of the WHERE: SQL with "?" where its value goes (more than once if need be), or
 * without a value. One of a page's may have two halves: rows of either are on the page, once. No
 * index serves an OR in the order of a list, so each half is looked up by an index of its own,
 * which should end in the id, and no more rows than a page has are merged. */
struct page_term {
    const char *sql; /* "p.state = ?", "s.client = ?" PAGE_OR "s.seller = ?" */
    struct value value;
};
#define PAGE_OR "\n"

struct page {
    struct list items; /* what the owner of the table made of the rows */
    struct str next;   /* cursor, empty on the last page */
};

/* Run the page. The select's columns come first in each row, as many as it names; rows holds at
 * most limit rows. RC_INVALID at "/sort" or "/after" for names and cursors that are none. */
MUST_CHECK enum rc page_rows(struct tx *tx, const struct page_table *table,
                             const struct page_query *query, const struct page_term *terms,
                             size_t count, struct rows *ret_rows, struct str *ret_next);

#endif
