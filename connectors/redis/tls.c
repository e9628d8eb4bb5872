#ifdef ATTENT_HIREDIS_SSL

/* OpenSSL has a type of the name of one of our error codes. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/ssl.h>
#undef ERR_STATE

#include <hiredis/hiredis.h>
#include <hiredis/hiredis_ssl.h>
#include <pthread.h>

#include "connectors/redis/tls.h"

#include "core/check.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void set_up(void)
{
    CHECK(redisInitOpenSSL() == REDIS_OK);
}

static enum err_code failed(const struct redis_node *node, const char *why, struct err *err)
{
    return err_set(err, ERR_DOWN, "Redis at %s: TLS: %s", node->text, why);
}

/* The name (or address) that the certificate has to be for: hiredis does not look at it. */
static bool expect_host(SSL *ssl, const char *host)
{
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1)
        return true;
    return SSL_set_tlsext_host_name(ssl, host) == 1 && SSL_set1_host(ssl, host) == 1;
}

static SSL *new_ssl(const struct redis_node *node, const char *ca_file)
{
    SSL_CTX *settings = SSL_CTX_new(TLS_client_method());
    SSL *ssl = NULL;

    if (settings != NULL && SSL_CTX_set_min_proto_version(settings, TLS1_2_VERSION) == 1 &&
        (ca_file[0] == '\0' ? SSL_CTX_set_default_verify_paths(settings)
                            : SSL_CTX_load_verify_locations(settings, ca_file, NULL)) == 1)
        ssl = SSL_new(settings);
    SSL_CTX_free(settings); /* ssl holds it */
    if (ssl == NULL)
        return NULL;
    SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    if (expect_host(ssl, node->host))
        return ssl;
    SSL_free(ssl);
    return NULL;
}

enum err_code redis_tls_begin(struct redisContext *context, const struct redis_node *node,
                              const char *ca_file, struct err *err)
{
    SSL *ssl;

    pthread_once(&once, set_up);
    ssl = new_ssl(node, ca_file);
    if (ssl == NULL)
        return err_set(err, ERR_CONFIG, "Redis at %s: TLS: cannot read the certificates of %s",
                       node->text, ca_file[0] == '\0' ? "the system" : ca_file);
    if (redisInitiateSSL(context, ssl) == REDIS_OK) /* takes ssl */
        return ERR_NONE;
    return failed(node, context->errstr, err);
}

#else

#include "connectors/redis/tls.h"

enum err_code redis_tls_begin(struct redisContext *context, const struct redis_node *node,
                              const char *ca_file, struct err *err)
{
    (void)context;
    (void)ca_file;
    return err_set(err, ERR_CONFIG,
                   "Redis at %s: this build has no TLS to Redis (its hiredis is older than 1.0): "
                   "put a TLS proxy before it, docs/running.md shows how",
                   node->text);
}

#endif
