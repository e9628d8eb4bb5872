#include "connectors/redis/tls.h"

#ifdef ATTENT_HIREDIS_SSL

#include <hiredis/hiredis.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/ssl.h>
#include <pthread.h>

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

/* hiredis does not compare the certificate's name with the host: OpenSSL does, when told so. */
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
    SSL_set_tlsext_host_name(ssl, node->host);
    if (SSL_set1_host(ssl, node->host) != 1) {
        SSL_free(ssl);
        return NULL;
    }
    return ssl;
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
