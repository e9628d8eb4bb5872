#include "connectors/push/account.h"

static struct str member(struct value file, const char *pointer)
{
    struct value v = json_at(file, str_of(pointer));

    return v.kind == VALUE_STRING ? value_str(v) : STR_EMPTY;
}

enum err_code account_read(struct str json, struct arena *arena, struct account *out,
                           struct err *err)
{
    const char *missing = NULL;
    struct value file;

    *out = (struct account){0};
    if (json_parse(json, arena, &file, NULL) != JSON_FINE || file.kind != VALUE_MAP)
        return err_set(err, ERR_CONFIG, "service_account is not the JSON of a key file");
    *out = (struct account){.project = member(file, "/project_id"),
                            .email = member(file, "/client_email"),
                            .key_id = member(file, "/private_key_id"),
                            .key_pem = member(file, "/private_key"),
                            .token_url = member(file, "/token_uri")};
    if (!str_is(member(file, "/type"), "service_account"))
        return err_set(err, ERR_CONFIG, "service_account: its type is not \"service_account\"");
    if (out->email.len == 0)
        missing = "client_email";
    else if (out->key_pem.len == 0)
        missing = "private_key";
    else if (out->token_url.len == 0)
        missing = "token_uri";
    return missing == NULL ? ERR_NONE
                           : err_set(err, ERR_CONFIG, "service_account: %s is missing", missing);
}
