/* Whatever stands in the names, the subject and the text of a mail, its head has our lines only. */
#include "fuzz.h"

#include "http/mail.h"

/* Six lines of input: from, to, subject, id; the rest is the text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {
        "Date",          "From",         "To",           "Subject",
        "Message-ID",    "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
        "Auto-Submitted"};
    if (size > 8192)
        return 0;
    struct str rest = {(const char *)data, size};
    struct wire_mail mail = {0};
    mail.from = str_cut(&rest, '\n');
    mail.to = str_cut(&rest, '\n');
    mail.subject = str_cut(&rest, '\n');
    mail.message_id = str_cut(&rest, '\n');
    mail.text = rest;
    struct arena arena;
    struct str message = {NULL, 0};
    struct err err = {0};
    arena_init(&arena, (size_t)4 * 1024 * 1024);
    size_t found = 0;
    if (mail_compose(&mail, 0, &arena, &message, &err) == RC_OK) {
        for (bool in_head = true; message.n > 0;) {
            struct str line = str_cut(&message, '\n');
            ASSERT(line.n > 0 && line.p[line.n - 1] == '\r');
            for (size_t i = 0; i + 1 < line.n; i++)
                ASSERT((line.p[i] >= ' ' && line.p[i] < 0x7F) || (line.p[i] == '\t' && !in_head));
            in_head = in_head && line.n > 1;
            if (!in_head || line.p[0] == ' ')
                continue;
            ASSERT(found < COUNT(names));
            ASSERT(str_starts(line, str_c(names[found])));
            found++;
        }
        ASSERT(found == COUNT(names));
    } else {
        ASSERT(err.text_n > 0);
    }
    arena_fini(&arena);
    return 0;
}
