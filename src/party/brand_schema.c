#include "party/brand.h"

static const struct field brand_fields[] = {
    FIELD(struct brand, party, TEXT, .flags = FIELD_READ_ONLY, .prefix = "pty",
          .doc = "Whose brand it is."),
    FIELD(struct brand, version, INT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .min = 1,
          .max = INT64_MAX, .doc = "Grows with every change; the ETag."),
    FIELD(struct brand, name, TEXT, .min = 1, .max = 80, .doc = "Name shown to those it serves.",
          .example = "\"Nord Cloud\""),
    FIELD(struct brand, logo, TEXT, .flags = FIELD_WIDE, .min = 1, .max = BRAND_LOGO_MAX,
          .doc = "Logo for light pages: a data: URL of a PNG or a plain SVG."),
    FIELD(struct brand, logo_dark, TEXT, .flags = FIELD_WIDE, .min = 1, .max = BRAND_LOGO_MAX,
          .doc = "Logo for dark pages."),
    FIELD(struct brand, colour, TEXT, .min = 7, .max = 7,
          .doc = "The one colour; white or near-black text must be readable on it.",
          .example = "\"#2747d8\""),
    FIELD(struct brand, ink, TEXT, .flags = FIELD_READ_ONLY, .doc = "Colour of text on it."),
    FIELD(struct brand, host, TEXT, .min = 1, .max = 253,
          .doc = "Host name at which the brand answers; *.example.net takes all names below.",
          .example = "\"cloud.example.net\""),
    FIELD(struct brand, mail_sender, TEXT, .min = 3, .max = 300,
          .doc = "Sender of mails: Name <address>.",
          .example = "\"Nord Cloud <hello@example.net>\""),
    FIELD(struct brand, legal_footer, TEXT, .flags = FIELD_MULTILINE | FIELD_WIDE, .min = 1,
          .max = 2000, .doc = "Lines below pages and documents."),
    FIELD(struct brand, changed, TIME, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "When it was last changed."),
};
const struct schema brand_schema =
    SCHEMA(struct brand, "brand", brand_fields, "How a party looks to those it serves.");
