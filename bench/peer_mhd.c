/*
 * peer_mhd.c - bare libmicrohttpd that sends the same answer to every request, whose body it reads
 * and forgets: the peer of hansed.
 *
 *     peer_mhd THREADS FILE
 *
 * FILE holds the answer: header lines, an empty line, the body. Prints its address, and serves
 * until standard input ends.
 */
#include "base/base.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <unistd.h>

enum { ANSWER_MAX = 64 * 1024 };

/* The library chose the eight parameters. NOLINTNEXTLINE(readability-function-size) */
static enum MHD_Result answer(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_n, void **con_cls)
{
    (void)url;
    (void)method;
    (void)version;
    (void)upload;
    static const int seen;
    if (*con_cls == NULL) {
        /* A reply to the first call counts as early: the connection would be closed behind it. */
        *con_cls = (void *)(uintptr_t)&seen;
        return MHD_YES;
    }
    if (*upload_n > 0) {
        *upload_n = 0;
        return MHD_YES;
    }
    return MHD_queue_response(connection, 200, cls);
}

/* The answer from its file: each line before the empty one is a header. */
static struct MHD_Response *read_answer(const char *path, char *text)
{
    FILE *file = fopen(path, "r");
    ASSERT(file != NULL);
    size_t n = fread(text, 1, ANSWER_MAX - 1, file);
    (void)fclose(file); /* only read */
    text[n] = '\0';
    char *body = strstr(text, "\n\n");
    ASSERT(body != NULL);
    *body = '\0';
    body += 2;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(n - (size_t)(body - text), body, MHD_RESPMEM_PERSISTENT);
    ASSERT(response != NULL);
    char *rest = text;
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        char *value = strstr(line, ": ");
        ASSERT(value != NULL);
        *value = '\0';
        ASSERT(MHD_add_response_header(response, line, value + 2) == MHD_YES);
    }
    return response;
}

int main(int argc, char **argv)
{
    static char text[ANSWER_MAX];
    ASSERT(argc == 3);
    unsigned threads = (unsigned)strtoul(argv[1], NULL, 10);
    struct MHD_Response *response = read_answer(argv[2], text);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO, 0, NULL, NULL, answer, response,
        MHD_OPTION_THREAD_POOL_SIZE, threads, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_END);
    ASSERT(daemon != NULL);
    printf("http://127.0.0.1:%u\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    (void)fflush(stdout); /* the benchmark waits for the line */
    while (getchar() != EOF)
        ;
    MHD_stop_daemon(daemon);
    MHD_destroy_response(response);
    return EXIT_SUCCESS;
}
