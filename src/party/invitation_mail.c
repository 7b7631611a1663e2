#include "party/invitation_mail.h"

#include "party/brand.h"

enum { MAIL_MAX = 32 * 1024, DATE_N = 10 };

/* Words in braces are filled in: {party}, {inviter}, {role}, {brand}, {link}, {date}. */
struct words {
    const char *join_subject;
    const char *found_subject;
    const char *hello;
    const char *join;
    const char *found;
    const char *how;
    const char *ignore;
};

static const struct words english = {
    .join_subject = "Invitation to {party}",
    .found_subject = "{party} invites you to {brand}",
    .hello = "Hello,",
    .join = "{inviter} invites you to act for {party} with the role \"{role}\".",
    .found = "{inviter} invites you to open an account with {party}.",
    .how = "Open this link to accept. It works once, until {date}:\n{link}",
    .ignore = "If you did not expect this mail, you need not do anything.",
};

static const struct words french = {
    .join_subject = "Invitation : {party}",
    .found_subject = "{party} vous invite sur {brand}",
    .hello = "Bonjour,",
    .join = "{inviter} vous invite \xC3\xA0 agir pour {party} avec le r\xC3\xB4le \xC2\xAB {role} "
            "\xC2\xBB.",
    .found = "{inviter} vous invite \xC3\xA0 ouvrir un compte chez {party}.",
    .how = "Ouvrez ce lien pour accepter. Il sert une seule fois, jusqu'au {date} :\n{link}",
    .ignore = "Si vous n'attendiez pas ce message, vous n'avez rien \xC3\xA0 faire.",
};

struct filling {
    const struct invitation_mail *mail;
    struct str brand;
};

static struct str value_of(const struct filling *f, struct str name, struct arena *arena)
{
    char date[TIME_TEXT_MAX];
    if (str_eq(name, STR("party")))
        return f->mail->party;
    if (str_eq(name, STR("inviter")))
        return f->mail->inviter.n > 0 ? f->mail->inviter : f->mail->party;
    if (str_eq(name, STR("role")))
        return f->mail->role;
    if (str_eq(name, STR("brand")))
        return f->brand;
    if (str_eq(name, STR("link")))
        return f->mail->link;
    ASSERT(str_eq(name, STR("date")));
    (void)time_format(f->mail->ends, date);
    return arena_str(arena, str_n(date, DATE_N));
}

static void fill(struct buf *b, const struct filling *f, const char *form)
{
    struct str rest = str_c(form);
    while (rest.n > 0) {
        bool has_name = str_find(rest, '{', 0) < rest.n;
        buf_add(b, str_cut(&rest, '{'));
        if (has_name)
            buf_add(b, value_of(f, str_cut(&rest, '}'), b->arena));
    }
}

static void write_text(struct buf *b, const struct filling *f, const struct words *words,
                       struct str footer)
{
    const char *forms[] = {words->hello, f->mail->joins ? words->join : words->found, NULL,
                           words->how, words->ignore};
    for (size_t i = 0; i < COUNT(forms); i++) {
        if (forms[i] == NULL && f->mail->message.n == 0)
            continue;
        if (forms[i] == NULL)
            buf_add(b, f->mail->message);
        else
            fill(b, f, forms[i]);
        buf_add(b, STR("\n\n"));
    }
    buf_fmt(b, "-- \n%.*s\n", STRF(f->brand));
    if (footer.n > 0)
        buf_fmt(b, "%.*s\n", STRF(footer));
}

enum rc invitation_mail_put(struct tx *tx, struct str party, const struct invitation_mail *mail)
{
    struct brand brand;
    TRY(brand_get(tx, party, &brand));
    const struct words *words = str_starts(mail->language, STR("fr")) ? &french : &english;
    const struct filling f = {mail, brand.name};
    struct buf subject, text;
    buf_init(&subject, tx->arena, MAIL_MAX);
    buf_init(&text, tx->arena, MAIL_MAX);
    fill(&subject, &f, mail->joins ? words->join_subject : words->found_subject);
    write_text(&text, &f, words, brand.legal_footer);
    ASSERT(!subject.full && !text.full); /* all parts are bounded where they enter */
    return brand_mail_put(
        tx, &brand,
        &(struct brand_mail){
            .party = party, .to = mail->to, .subject = buf_str(&subject), .text = buf_str(&text)});
}
