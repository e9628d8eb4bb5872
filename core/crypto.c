/* A thin layer over OpenSSL's EVP.  What it cannot do with valid arguments (it is out of memory,
 * or SHA-256 was removed from it) is a bug of the installation and stops the process, as mem_*
 * does; only reading a key can fail. */
#include "core/crypto.h"

#define ERR_STATE openssl_err_state /* its typedef has the name of one of our codes */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#undef ERR_STATE

#include "core/check.h"
#include "core/mem.h"

enum { RSA_BITS_MIN = 2048 }; /* RFC 7518 3.3 */

struct crypto_key {
    EVP_PKEY *key;
};

struct sha256 crypto_sha256(struct str text)
{
    struct sha256 h;
    unsigned bytes = 0;

    CHECK(EVP_Digest(text.data, text.len, h.bytes, &bytes, EVP_sha256(), NULL) == 1);
    CHECK(bytes == sizeof h.bytes);
    return h;
}

static void hmac(const EVP_MD *hash, struct str key, struct str text, unsigned char *out,
                 size_t out_bytes)
{
    unsigned bytes = 0;
    /* without a key pointer HMAC() takes that of its last call */
    const char *bytes_of_key = key.len != 0 ? key.data : "";

    CHECK(HMAC(hash, bytes_of_key, (int)key.len, (const unsigned char *)text.data, text.len, out,
               &bytes) != NULL);
    CHECK(bytes == out_bytes);
}

struct sha256 crypto_hmac_sha256(struct str key, struct str text)
{
    struct sha256 h;

    hmac(EVP_sha256(), key, text, h.bytes, sizeof h.bytes);
    return h;
}

struct sha1 crypto_hmac_sha1(struct str key, struct str text)
{
    struct sha1 h;

    hmac(EVP_sha1(), key, text, h.bytes, sizeof h.bytes);
    return h;
}

void sha256_put_hex(struct buf *out, const struct sha256 *h)
{
    for (size_t i = 0; i < sizeof h->bytes; i++)
        buf_put_format(out, "%02x", h->bytes[i]);
}

bool crypto_equal(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.data, b.data, a.len) == 0);
}

void crypto_forget(struct buf *secret)
{
    if (secret == NULL)
        return;
    if (secret->data != NULL)
        OPENSSL_cleanse(secret->data, secret->capacity);
    buf_free(secret);
}

/* OpenSSL would ask for the passphrase of an encrypted key on the terminal. */
static int no_passphrase(char *out, int bytes_max, int writing, void *context)
{
    (void)out, (void)bytes_max, (void)writing, (void)context;
    return -1;
}

enum err_code crypto_key_read(struct str pem, struct crypto_key **out, struct err *err)
{
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    EVP_PKEY *key;

    *out = NULL;
    CHECK(bio != NULL);
    key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    BIO_free(bio);
    ERR_clear_error(); /* what it says may quote the input */
    if (key == NULL)
        return err_set(err, ERR_CONFIG, "is no private key in PEM format without a passphrase");
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || EVP_PKEY_get_bits(key) < RSA_BITS_MIN) {
        EVP_PKEY_free(key);
        return err_set(err, ERR_CONFIG, "is no RSA key of %d bits or more", RSA_BITS_MIN);
    }
    *out = MEM_NEW(struct crypto_key);
    (*out)->key = key;
    return ERR_NONE;
}

void crypto_key_free(struct crypto_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->key);
    mem_free(key);
}

void crypto_sign_rs256(const struct crypto_key *key, struct str text, struct buf *out)
{
    size_t bytes = (size_t)EVP_PKEY_get_size(key->key), room = bytes;
    unsigned char *to = (unsigned char *)buf_extend(out, bytes);
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    CHECK(context != NULL);
    CHECK(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key->key) == 1);
    CHECK(EVP_DigestSign(context, to, &bytes, (const unsigned char *)text.data, text.len) == 1);
    CHECK(bytes == room); /* a signature is as long as the modulus */
    EVP_MD_CTX_free(context);
}
