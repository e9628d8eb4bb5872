/* tests/support/service_account.h - the key file of a Google service account, made now. */
#ifndef TESTS_SUPPORT_SERVICE_ACCOUNT_H
#define TESTS_SUPPORT_SERVICE_ACCOUNT_H

#define SERVICE_ACCOUNT_PROJECT "attent-test"
#define SERVICE_ACCOUNT_EMAIL   "sender@attent-test.iam.gserviceaccount.com"
#define SERVICE_ACCOUNT_KEY_ID  "0123456789abcdef0123456789abcdef01234567"

struct service_account {
    const char *file;    /* JSON, in a scratch folder; valid until exit */
    const char *key_pem; /* the same for all of a process */
};

/* token_url: where its tokens are got.  Never fails. */
struct service_account service_account_make(const char *token_url);

#endif
