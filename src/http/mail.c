#include "http/mail.h"
#include "http/date.h"

enum {
    LINE_MAX_BYTES = 76, /* RFC 2045, 6.7: a line of quoted-printable without its line end */
    WORD_BYTES = 39, /* of UTF-8 in one encoded word: 52 of base64, 64 in all, behind "Subject: " */
    PLAIN_BYTES = 60, /* of ASCII that may stand as it is */
};

/* --- addresses --- */

static bool is_plain_ascii(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x20 || s.p[i] >= 0x7F)
            return false;
    return true;
}

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7F)
            return true;
    return false;
}

static bool is_mailbox(struct str s)
{
    size_t at = str_find(s, '@', 0);
    bool ok = at > 0 && at <= 64 && at + 1 < s.n && s.n <= 254 && str_find(s, '@', at + 1) == s.n &&
              is_plain_ascii(s);
    for (size_t i = 0; ok && i < s.n; i++)
        ok = strchr(" <>()[]\\,;:\"", s.p[i]) == NULL;
    return ok;
}

enum rc mail_parse_address(struct str text, struct mail_address *ret, struct err *err)
{
    struct mail_address address = {.mailbox = str_trim(text)};
    size_t open = str_find(address.mailbox, '<', 0);
    if (open < address.mailbox.n && str_ends(address.mailbox, STR(">"))) {
        address.name = str_trim(str_sub(address.mailbox, 0, open));
        address.mailbox = str_sub(address.mailbox, open + 1, address.mailbox.n - 1);
    }
    if (!is_mailbox(address.mailbox) || has_control(address.name) || !str_is_utf8(address.name))
        return err_set(err, RC_INVALID, "a mail address is not of the form NAME <LOCAL@DOMAIN>");
    *ret = address;
    return RC_OK;
}

/* --- headers --- */

static void add_base64(struct buf *b, struct str s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < s.n; i += 3) {
        uint32_t group = 0;
        for (size_t k = 0; k < 3; k++)
            group = group << 8 | (i + k < s.n ? (unsigned char)s.p[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            buf_add_char(b, i + k > s.n ? '=' : digits[group >> (18 - 6 * k) & 63]);
    }
}

/* Bytes of s that fit into one encoded word without cutting a character. */
static size_t word_length(struct str s)
{
    size_t n = min_size(s.n, WORD_BYTES);
    while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80)
        n--;
    return n;
}

/* Text in a header: as it is, or as encoded words (RFC 2047), one a line. Words are also used
 * where ASCII would be read as something else: long lines, "=?". */
static void add_text(struct buf *b, struct str s, bool quote)
{
    if (is_plain_ascii(s) && s.n <= PLAIN_BYTES && !str_has(s, STR("=?"))) {
        if (quote)
            buf_add_char(b, '"');
        for (size_t i = 0; i < s.n; i++) {
            if (quote && (s.p[i] == '"' || s.p[i] == '\\'))
                buf_add_char(b, '\\');
            buf_add_char(b, s.p[i]);
        }
        if (quote)
            buf_add_char(b, '"');
        return;
    }
    for (bool first = true; s.n > 0; first = false) {
        size_t n = word_length(s);
        buf_add(b, first ? STR("") : STR("\r\n "));
        buf_add(b, STR("=?UTF-8?B?"));
        add_base64(b, str_sub(s, 0, n));
        buf_add(b, STR("?="));
        s = str_sub(s, n, s.n);
    }
}

static void add_address(struct buf *b, const char *name, const struct mail_address *a)
{
    buf_fmt(b, "%s: ", name);
    if (a->name.n > 0) {
        add_text(b, a->name, true);
        buf_add(b, STR("\r\n "));
    }
    buf_fmt(b, "<%.*s>\r\n", STRF(a->mailbox));
}

/* --- the body --- */

/* How the byte at s[i] must be written: as it is, or "=XX"? Line ends are handled before. */
static bool must_escape(struct str s, size_t i)
{
    unsigned char c = (unsigned char)s.p[i];
    if (c == ' ' || c == '\t')
        return i + 1 == s.n || s.p[i + 1] == '\n' || s.p[i + 1] == '\r'; /* would be cut off */
    return c < 0x20 || c >= 0x7F || c == '=';
}

static void add_quoted_printable(struct buf *b, struct str s)
{
    size_t column = 0;
    for (size_t i = 0; i < s.n; i++) {
        bool is_crlf = s.p[i] == '\r' && i + 1 < s.n && s.p[i + 1] == '\n';
        if (is_crlf)
            continue; /* the '\n' ends the line */
        if (s.p[i] == '\n') {
            buf_add(b, STR("\r\n"));
            column = 0;
            continue;
        }
        bool escape = must_escape(s, i);
        if (column + (escape ? 3 : 1) >= LINE_MAX_BYTES) {
            buf_add(b, STR("=\r\n"));
            column = 0;
        }
        if (escape)
            buf_fmt(b, "=%02X", (unsigned char)s.p[i]);
        else
            buf_add_char(b, s.p[i]);
        column += escape ? 3 : 1;
    }
    if (column > 0)
        buf_add(b, STR("\r\n"));
}

/* --- the message --- */

static void add_message_id(struct buf *b, struct str id, const struct mail_address *from)
{
    size_t at = str_find(from->mailbox, '@', 0);
    if (str_has(id, STR("@")))
        buf_fmt(b, "Message-ID: <%.*s>\r\n", STRF(id));
    else
        buf_fmt(b, "Message-ID: <%.*s%.*s>\r\n", STRF(id),
                STRF(str_sub(from->mailbox, at, from->mailbox.n)));
}

static bool is_id(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 0x7F || s.p[i] == '<' || s.p[i] == '>')
            return false;
    return s.n > 0 && s.n <= 200;
}

enum rc mail_compose(const struct wire_mail *mail, time_us now, struct arena *arena,
                     struct str *ret, struct err *err)
{
    struct mail_address from;
    struct mail_address to;
    TRY(mail_parse_address(mail->from, &from, err));
    TRY(mail_parse_address(mail->to, &to, err));
    if (has_control(mail->subject) || mail->subject.n > MAIL_HEADER_MAX)
        return err_set(err, RC_INVALID, "the subject has a control character or is too long");
    if (!str_is_utf8(mail->subject) || !str_is_utf8(mail->text))
        return err_set(err, RC_INVALID, "the mail is not UTF-8");
    if (!is_id(mail->message_id))
        return err_set(err, RC_INVALID, "the mail has no proper message id");
    if (mail->text.n > MAIL_TEXT_MAX)
        return err_set(err, RC_TOO_LARGE, "the mail is larger than %d bytes", MAIL_TEXT_MAX);
    struct buf b;
    buf_init(&b, arena, 4 * mail->text.n + (size_t)16 * MAIL_HEADER_MAX);
    char date[DATE_TEXT_MAX];
    date_format_mail(now, date);
    buf_fmt(&b, "Date: %s\r\n", date);
    add_address(&b, "From", &from);
    add_address(&b, "To", &to);
    buf_add(&b, STR("Subject: "));
    add_text(&b, mail->subject, false);
    buf_add(&b, STR("\r\n"));
    add_message_id(&b, mail->message_id, &from);
    buf_add(&b, STR("MIME-Version: 1.0\r\n"
                    "Content-Type: text/plain; charset=utf-8\r\n"
                    "Content-Transfer-Encoding: quoted-printable\r\n"
                    "Auto-Submitted: auto-generated\r\n\r\n"));
    add_quoted_printable(&b, mail->text);
    ASSERT(!b.full);
    *ret = buf_str(&b);
    return RC_OK;
}
