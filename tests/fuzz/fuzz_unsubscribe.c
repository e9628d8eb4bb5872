/* Anybody may call the unsubscribe link with anything: it is no token, and reading it does no harm.
 * Whatever a customer's id is, its token reads back. */
#include <stddef.h>
#include <stdint.h>

#include "connectors/unsubscribe/token.h"
#include "core/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const struct str key = STR("0123456789abcdef0123456789abcdef");
    struct str text = {(const char *)data, bytes};
    struct buf scratch = {0}, token = {0};
    struct unsubscribe u, made = {.customer = text, .channel = text, .expires_ms = 1};

    unsubscribe_read_token(text, key, 0, &scratch, &u);
    unsubscribe_put_token(&token, key, &made);
    CHECK(unsubscribe_read_token(buf_str(&token), key, 0, &scratch, &u));
    CHECK(str_equal(u.customer, text) && str_equal(u.channel, text) && u.purpose.len == 0);
    buf_free(&scratch);
    buf_free(&token);
    return 0;
}
