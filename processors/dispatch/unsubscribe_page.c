#include "processors/dispatch/unsubscribe_page.h"

struct words {
    const char *language;
    const char *title;
    const char *lines[4]; /* by page; %1 purpose, %2 channel */
    const char *button;
};

static const struct words languages[] = {
    {"en",
     "Unsubscribe",
     {[PAGE_ASK] = "Do you want no more messages of the kind <b>%1</b> by <b>%2</b>? "
                   "Everything else stays as it is.",
      [PAGE_DONE] = "You are unsubscribed. You get no more messages of the kind <b>%1</b> by "
                    "<b>%2</b>. You can close this page.",
      [PAGE_WRONG] = "This link does not work. It has expired, or it was not copied whole. Please "
                     "take the link in a newer message, or tell us in another way.",
      [PAGE_TROUBLE] = "That did not work just now, and you are not unsubscribed yet. Please try "
                       "again in a few minutes."},
     "Unsubscribe"},
    {"nl",
     "Afmelden",
     {[PAGE_ASK] = "Wilt u geen berichten van het soort <b>%1</b> meer via <b>%2</b>? "
                   "Al het andere blijft zoals het is.",
      [PAGE_DONE] = "U bent afgemeld. U krijgt geen berichten van het soort <b>%1</b> meer via "
                    "<b>%2</b>. U kunt deze pagina sluiten.",
      [PAGE_WRONG] = "Deze link werkt niet. Hij is verlopen, of niet in zijn geheel overgenomen. "
                     "Gebruik de link in een nieuwer bericht, of laat het ons op een andere manier "
                     "weten.",
      [PAGE_TROUBLE] = "Dat lukte zojuist niet, en u bent nog niet afgemeld. Probeer het over een "
                       "paar minuten opnieuw."},
     "Afmelden"},
};
enum { LANGUAGES = sizeof languages / sizeof languages[0] };

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The first of ours that the browser names; it names the ones that people like best first. */
static const struct words *words_for(struct str accept)
{
    for (struct str rest = accept, one; rest.len != 0;) {
        struct str after = STR_EMPTY;
        one = rest;
        str_cut(rest, ',', &one, &after);
        one = str_trim(one);
        for (size_t i = 0; i < LANGUAGES; i++)
            if (one.len >= 2 && lower(one.data[0]) == languages[i].language[0] &&
                lower(one.data[1]) == languages[i].language[1])
                return &languages[i];
        rest = after;
    }
    return &languages[0];
}

static void put_escaped(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        switch (text.data[i]) {
        case '&': buf_put_text(out, "&amp;"); break;
        case '<': buf_put_text(out, "&lt;"); break;
        case '>': buf_put_text(out, "&gt;"); break;
        case '"': buf_put_text(out, "&quot;"); break;
        default: buf_put_char(out, text.data[i]);
        }
    }
}

static void put_line(struct buf *out, const char *line, const struct unsubscribe *u)
{
    for (; *line != '\0'; line++) {
        if (line[0] == '%' && (line[1] == '1' || line[1] == '2'))
            put_escaped(out, *++line == '1' ? u->purpose : u->channel);
        else
            buf_put_char(out, *line);
    }
}

void unsubscribe_page_put(struct buf *out, enum unsubscribe_page page, struct str accept_language,
                          const struct unsubscribe *u)
{
    const struct words *words = words_for(accept_language);

    buf_put_format(out,
                   "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                   "<meta name=\"robots\" content=\"noindex\">\n"
                   "<title>%s</title>\n"
                   "<style>body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;"
                   "margin:4rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}"
                   "button{font:inherit;padding:.6rem 1.4rem;border:0;border-radius:.3rem;"
                   "background:#1a4f8b;color:#fff;cursor:pointer}"
                   "button:focus-visible{outline:3px solid #f0a500;outline-offset:2px}</style>\n"
                   "</head>\n<body>\n<main>\n<h1>%s</h1>\n<p>",
                   words->language, words->title, words->title);
    put_line(out, words->lines[page], u);
    buf_put_text(out, "</p>\n");
    if (page == PAGE_ASK)
        buf_put_format(out,
                       "<form method=\"post\">\n<input type=\"hidden\" name=\"List-Unsubscribe\" "
                       "value=\"One-Click\">\n<button>%s</button>\n</form>\n",
                       words->button);
    buf_put_text(out, "</main>\n</body>\n</html>\n");
}
