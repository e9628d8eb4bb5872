#include "tests/support/service_account.h"

#include "core/json.h"
#include "tests/support/certificate.h"
#include "tests/support/scratch.h"

struct service_account service_account_make(const char *token_url)
{
    static const char *key_pem; /* making one takes a while */
    struct service_account out;
    struct buf json = {0};
    struct json_writer w = json_writer_to(&json);

    if (key_pem == NULL)
        key_pem = certificate_rsa_key();
    json_open(&w, '{');
    json_key(&w, "type");
    json_str(&w, STR("service_account"));
    json_key(&w, "project_id");
    json_str(&w, STR(SERVICE_ACCOUNT_PROJECT));
    json_key(&w, "private_key_id");
    json_str(&w, STR(SERVICE_ACCOUNT_KEY_ID));
    json_key(&w, "private_key");
    json_str(&w, str_of(key_pem));
    json_key(&w, "client_email");
    json_str(&w, STR(SERVICE_ACCOUNT_EMAIL));
    json_key(&w, "token_uri");
    json_str(&w, str_of(token_url));
    json_close(&w, '}');
    out.key_pem = key_pem;
    out.file = scratch_write(scratch_dir(), "account.json", buf_text(&json));
    buf_free(&json);
    return out;
}
