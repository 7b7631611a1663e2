/*
 * err.h - the sentence that goes with a result code.
 *
 * Set once, where the facts are, in words for the customer: lower case, names the thing, says
 * what was wanted, no function names. err_add puts context in front. err_at names the field of
 * the input that was wrong, as a JSON pointer (RFC 6901).
 *
 *     return err_set(err, RC_CONFLICT, "order '%.*s' is already running", STRF(id));
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/rc.h"
#include "base/str.h"

enum { ERR_TEXT_MAX = 512, ERR_POINTER_MAX = 192 };

struct err {
    enum rc rc;
    uint16_t text_n;
    uint16_t pointer_n;
    char text[ERR_TEXT_MAX];
    char pointer[ERR_POINTER_MAX]; /* "/address/city"; empty where no field is to blame */
};

/* Back to no error. */
void err_clear(struct err *err);

void err_write(struct err *err, enum rc rc, const char *format, ...) PRINTF(3, 4);

/* Never RC_OK: lets the compilers see that a failing path fails. */
static inline enum rc rc_failed(enum rc rc)
{
    ASSERT(rc != RC_OK);
    return rc;
}

/* Record and return rc. The longest text is ERR_TEXT_MAX bytes; the rest is cut. An error that
 * is already set is overwritten: set once, pass on with TRY. */
#define err_set(err, rc, ...) (err_write((err), (rc), __VA_ARGS__), rc_failed(rc))

/* As err_set, and names the field to blame: pointer is "/field", or "/list/3/field". */
#define err_set_at(err, rc, pointer, ...) \
    (err_write((err), (rc), __VA_ARGS__), err_at((err), (pointer)), rc_failed(rc))

/* Name the field to blame. */
void err_at(struct err *err, struct str pointer);
/* What was said of one field: where rc is not RC_OK, names it. Answers rc. */
MUST_CHECK enum rc err_blame(enum rc rc, const char *pointer, struct err *err);
/* Put a step in front of the pointer: err_under(err, STR("/address")). */
void err_under(struct err *err, struct str step);
/* Put context in front: "while reading the price book: ...". */
void err_add(struct err *err, const char *format, ...) PRINTF(2, 3);

struct str err_text(const struct err *err);
struct str err_pointer(const struct err *err);

/* Pass a failure up. */
#define TRY(call)                       \
    do {                                \
        enum rc try_rc_ = (call);       \
        if (UNLIKELY(try_rc_ != RC_OK)) \
            return try_rc_;             \
    } while (0)

#endif
