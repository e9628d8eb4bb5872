#include "core/idn.h"

#include <idn2.h>

bool idn_put_ascii(struct buf *out, struct str domain)
{
    struct buf text = {0};
    char *ascii = NULL;
    bool fine;

    buf_put(&text, domain);
    fine =
        memchr(buf_text(&text), '\0', domain.len) == NULL &&
        idn2_to_ascii_8z(buf_text(&text), &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) == IDN2_OK;
    if (fine)
        buf_put_text(out, ascii);
    idn2_free(ascii);
    buf_free(&text);
    return fine;
}
