/*
 * access_wants.h - the answers that many routes give to the kinds of callers of
 * access_test.c, in the order of its enum who. Only for tests.
 */
#ifndef API_ACCESS_WANTS_H
#define API_ACCESS_WANTS_H

#define PUBLIC_200                             \
    {                                          \
        200, 200, 200, 200, 200, 200, 200, 200 \
    }
#define SELF_200                               \
    {                                          \
        401, 200, 200, 200, 403, 200, 200, 200 \
    }
#define SELF_204                               \
    {                                          \
        401, 204, 204, 204, 403, 204, 204, 204 \
    }
/* The party's own, and what its sponsor may do. */
#define PARTY_READ                             \
    {                                          \
        401, 404, 404, 200, 403, 200, 200, 200 \
    }
#define PARTY_OWN                              \
    {                                          \
        401, 404, 404, 403, 403, 403, 200, 200 \
    }
/* The party's own, which its sponsor does not see. */
#define OWN_READ                               \
    {                                          \
        401, 404, 404, 200, 403, 403, 200, 200 \
    }
#define OWN_MAKE                               \
    {                                          \
        401, 404, 404, 403, 403, 403, 201, 201 \
    }
/* What the client has with its sponsor. */
#define BOTH_READ                              \
    {                                          \
        401, 404, 404, 200, 403, 200, 200, 200 \
    }
#define BOTH_WRITE                             \
    {                                          \
        401, 404, 404, 403, 403, 200, 200, 200 \
    }
/* The operator's alone: none of these callers acts for it. */
#define OPERATOR_200                           \
    {                                          \
        401, 404, 404, 404, 404, 404, 404, 404 \
    }
#define OTHER_SIGNS                            \
    {                                          \
        401, 404, 404, 404, 404, 200, 404, 404 \
    }
/* What the operator alone may do for itself. */
#define OPERATOR_ONLY                          \
    {                                          \
        401, 404, 404, 403, 403, 403, 403, 403 \
    }
#define NODES_ALONE                            \
    {                                          \
        401, 403, 403, 403, 403, 403, 403, 403 \
    }
#define PARTY_SPONSOR                          \
    {                                          \
        401, 404, 404, 403, 403, 200, 200, 200 \
    }

#endif
