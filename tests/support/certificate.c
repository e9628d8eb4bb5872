#include "tests/support/certificate.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "tests/support/scratch.h"

enum { HOUR_SECONDS = 3600 };

static void must(int result, const char *what)
{
    if (result <= 0)
        scratch_fail("certificate: %s failed", what);
}

static void add_extension(X509 *cert, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, cert, cert, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    must(extension != NULL, value);
    must(X509_add_ext(cert, extension, -1), value);
    X509_EXTENSION_free(extension);
}

static X509 *make_cert(EVP_PKEY *key, const char *host, int hours)
{
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);
    char names[300];

    snprintf(names, sizeof names, "DNS:%s,IP:127.0.0.1", host);
    must(X509_set_version(cert, X509_VERSION_3), "version");
    must(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1), "serial");
    X509_gmtime_adj(X509_getm_notBefore(cert), -HOUR_SECONDS);
    X509_gmtime_adj(X509_getm_notAfter(cert), hours == 0 ? -1 : (long)hours * HOUR_SECONDS);
    must(X509_set_pubkey(cert, key), "key");
    must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)host, -1, -1,
                                    0),
         "name");
    must(X509_set_issuer_name(cert, name), "issuer");
    add_extension(cert, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(cert, NID_subject_alt_name, names);
    must(X509_sign(cert, key, EVP_sha256()), "signing");
    return cert;
}

/* All that a BIO in memory holds, kept until exit; frees the BIO. */
static const char *keep(BIO *bio)
{
    char *data;
    long bytes;

    must(BIO_write(bio, "", 1), "memory");
    bytes = BIO_get_mem_data(bio, &data);
    must(bytes > 1, "PEM");
    data = (char *)scratch_keep(data);
    BIO_free(bio);
    return data;
}

static const char *key_text(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());

    must(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), "key");
    return keep(bio);
}

static const char *cert_text(X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());

    must(PEM_write_bio_X509(bio, cert), "certificate");
    return keep(bio);
}

struct certificate certificate_make(const char *host, int hours)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    const char *dir = scratch_dir();
    struct certificate made;
    X509 *cert;

    must(key != NULL, "EVP_EC_gen");
    cert = make_cert(key, host, hours);
    made.file = scratch_write(dir, "certificate.pem", cert_text(cert));
    made.key_file = scratch_write(dir, "key.pem", key_text(key));
    X509_free(cert);
    EVP_PKEY_free(key);
    return made;
}

const char *certificate_rsa_key(void)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    const char *text;

    must(key != NULL, "EVP_RSA_gen");
    text = key_text(key);
    EVP_PKEY_free(key);
    return text;
}
