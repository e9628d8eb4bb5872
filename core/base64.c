#include "core/base64.h"

static void put(struct buf *out, struct str bytes, const char digits[65], bool padded)
{
    for (size_t i = 0; i < bytes.len; i += 3) {
        uint32_t group = 0;
        for (size_t j = i; j < i + 3; j++)
            group = group << 8 | (j < bytes.len ? (unsigned char)bytes.data[j] : 0u);
        for (size_t j = 0; j < 4; j++)
            if (i + j <= bytes.len)
                buf_put_char(out, digits[group >> (18 - 6 * j) & 63]);
            else if (padded)
                buf_put_char(out, '=');
    }
}

void base64_put(struct buf *out, struct str bytes)
{
    put(out, bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", true);
}

void base64_put_url(struct buf *out, struct str bytes)
{
    put(out, bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", false);
}

/* 0 to 63, or -1 */
static int digit_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

bool base64_read(struct buf *out, struct str text)
{
    size_t before = out->len, digits = text.len;
    uint32_t bits = 0;
    int count = 0; /* of bits not yet written */

    while (digits > 0 && text.data[digits - 1] == '=')
        digits--;
    if (digits != text.len && (text.len % 4 != 0 || text.len - digits > 2))
        return false;
    for (size_t i = 0; i < digits; i++) {
        int value = digit_value(text.data[i]);
        if (value < 0) {
            out->len = before;
            return false;
        }
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            buf_put_char(out, (char)(bits >> count & 0xff));
        }
    }
    if (digits % 4 == 1 || (bits & ((1u << count) - 1)) != 0) {
        out->len = before;
        return false;
    }
    return true;
}
