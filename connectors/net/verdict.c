#include "connectors/net/verdict.h"

#include "connectors/net/retry_after.h"
#include "core/check.h"

static enum delivery of_status(int status, bool retry_after)
{
    switch (status) {
    case 408:
    case 425:
    case 429: return DELIVERY_RETRY;
    case 401:
    case 402:
    case 403:
    case 404:
    case 405:
    case 407: return DELIVERY_DOWN;
    case 503: return retry_after ? DELIVERY_DOWN : DELIVERY_UNKNOWN;
    default: break;
    }
    if (status >= 200 && status < 300)
        return DELIVERY_ACCEPTED;
    if (status >= 300 && status < 400)
        return DELIVERY_DOWN;
    return status >= 400 && status < 500 ? DELIVERY_REFUSED : DELIVERY_UNKNOWN;
}

static enum delivery of_reply(const struct http_reply *reply, struct receipt *receipt,
                              struct err *err)
{
    bool retry_after = reply->retry_after_ms != RETRY_AFTER_NONE;
    enum delivery delivery = of_status(reply->status, retry_after);

    if (delivery == DELIVERY_ACCEPTED)
        return delivery;
    if (retry_after)
        receipt->retry_after_ms = reply->retry_after_ms;
    if (reply->status >= 300 && reply->status < 400)
        err_set(err, ERR_DOWN, "answered %d: a redirect, and these are not followed",
                reply->status);
    else
        err_set(err, ERR_DOWN, "answered %d", reply->status);
    return delivery;
}

enum delivery verdict_of(enum transfer_end end, const struct http_reply *reply,
                         struct receipt *receipt, struct err *err)
{
    switch (end) {
    case TRANSFER_ANSWERED: return of_reply(reply, receipt, err);
    case TRANSFER_NOT_SENT: return DELIVERY_DOWN;
    case TRANSFER_IN_DOUBT: return DELIVERY_UNKNOWN;
    case TRANSFER_WRONG: return DELIVERY_REFUSED;
    }
    CHECK_NEVER("transfer_end");
}

void verdict_keep_reference(struct receipt *receipt, struct str reference)
{
    if (reference.len >= sizeof receipt->reference)
        return;
    for (size_t i = 0; i < reference.len; i++)
        if (reference.data[i] <= ' ' || reference.data[i] > '~')
            return;
    if (reference.len != 0)
        memcpy(receipt->reference, reference.data, reference.len);
    receipt->reference[reference.len] = '\0';
}
