#include "core/base64.h"
#include "core/crypto.h"
#include "tests/support/suite.h"

static const char *hex_of(struct sha256 h, struct buf *scratch)
{
    buf_clear(scratch);
    sha256_put_hex(scratch, &h);
    return buf_text(scratch);
}

START_TEST(sha_256_gives_the_examples_of_fips_180)
{
    struct buf hex = {0};

    ck_assert_str_eq(hex_of(crypto_sha256(STR("abc")), &hex),
                     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    ck_assert_str_eq(hex_of(crypto_sha256(STR_EMPTY), &hex),
                     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    buf_free(&hex);
}
END_TEST

/* RFC 4231, section 4: test cases 1, 2, 3, 6 (a key longer than a block) and 7 */
START_TEST(hmac_sha_256_gives_the_test_cases_of_rfc_4231)
{
    struct buf hex = {0}, key = {0}, text = {0};

    memset(buf_extend(&key, 20), 0x0b, 20);
    ck_assert_str_eq(hex_of(crypto_hmac_sha256(buf_str(&key), STR("Hi There")), &hex),
                     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    ck_assert_str_eq(
        hex_of(crypto_hmac_sha256(STR("Jefe"), STR("what do ya want for nothing?")), &hex),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key.data, 0xaa, 20);
    memset(buf_extend(&text, 50), 0xdd, 50);
    ck_assert_str_eq(hex_of(crypto_hmac_sha256(buf_str(&key), buf_str(&text)), &hex),
                     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    memset(buf_extend(&key, 111), 0xaa, 111);
    ck_assert_str_eq(
        hex_of(crypto_hmac_sha256(buf_str(&key),
                                  STR("Test Using Larger Than Block-Size Key - Hash Key First")),
               &hex),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    ck_assert_str_eq(
        hex_of(crypto_hmac_sha256(buf_str(&key),
                                  STR("This is a test using a larger than block-size key and a "
                                      "larger than block-size data. The key needs to be hashed "
                                      "before being used by the HMAC algorithm.")),
               &hex),
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
    buf_free(&hex);
    buf_free(&key);
    buf_free(&text);
}
END_TEST

START_TEST(an_empty_key_is_a_key)
{
    struct buf hex = {0};
    const char *empty = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";

    crypto_hmac_sha256(STR("another"), STR("x")); /* must not be remembered */
    ck_assert_str_eq(hex_of(crypto_hmac_sha256(STR_EMPTY, STR_EMPTY), &hex), empty);
    buf_free(&hex);
}
END_TEST

START_TEST(texts_are_equal_only_byte_for_byte)
{
    ck_assert(crypto_equal(STR("abc"), STR("abc")));
    ck_assert(crypto_equal(STR_EMPTY, STR("")));
    ck_assert(!crypto_equal(STR("abc"), STR("abd")));
    ck_assert(!crypto_equal(STR("abc"), STR("abcd")));
    ck_assert(!crypto_equal(STR_EMPTY, STR("a")));
}
END_TEST

/* --- RS256: RFC 7515, appendix A.2 (its key is also RFC 7517's first RSA key) ------------------- */

static const char *const jwk[] = {
    /* n, e, d, p, q, dp, dq, qi: the order of RSAPrivateKey, RFC 8017 A.1.2 */
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJ"
    "PMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0"
    "LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uD"
    "Zlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2"
    "PAcDTW9gb54h4FRWyuXpoQ",
    "AQAB",
    "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9S"
    "E-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVd"
    "xzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQ"
    "UShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjn"
    "czT0QU91p1DhOVRuOopznQ",
    "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQT"
    "a9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV"
    "5z-y2XDwGUc",
    "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7"
    "C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rj"
    "cJIDEz9RWdc",
    "BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_P"
    "I7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1Xs"
    "mvkxHQAdYo0",
    "h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oK"
    "r6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTd"
    "lqvd0tIiTHU",
    "IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_"
    "QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0J"
    "KSHuLFkuQ3U",
};
enum { JWK_MEMBERS = sizeof jwk / sizeof jwk[0] };

static void put_der(struct buf *out, char tag, struct str content)
{
    buf_put_char(out, tag);
    if (content.len >= 0x80) {
        buf_put_char(out, (char)0x82); /* a length of two bytes */
        buf_put_char(out, (char)(content.len >> 8));
    }
    buf_put_char(out, (char)content.len);
    buf_put(out, content);
}

static void put_integer(struct buf *out, struct str magnitude)
{
    struct buf number = {0};

    if (magnitude.data[0] & 0x80)
        buf_put_char(&number, '\0'); /* not negative */
    buf_put(&number, magnitude);
    if (number.len >= 0x80 && number.len < 0x100) { /* one byte of length is the shortest */
        buf_put_text(out, "\x02\x81");
        buf_put_char(out, (char)number.len);
        buf_put(out, buf_str(&number));
    } else {
        put_der(out, 0x02, buf_str(&number));
    }
    buf_free(&number);
}

/* The key as PEM (PKCS #1). */
static void put_pem(struct buf *out)
{
    struct buf numbers = {0}, member = {0}, der = {0};

    put_integer(&numbers, (struct str){"\0", 1}); /* version */
    for (size_t i = 0; i < JWK_MEMBERS; i++) {
        buf_clear(&member);
        ck_assert(base64_read(&member, str_of(jwk[i])));
        put_integer(&numbers, buf_str(&member));
    }
    put_der(&der, 0x30, buf_str(&numbers));
    buf_put_text(out, "-----BEGIN RSA "
                      "PRIVATE KEY-----\n");
    buf_clear(&member);
    base64_put(&member, buf_str(&der));
    for (size_t i = 0; i < member.len; i += 64) {
        buf_put(out, str_slice(buf_str(&member), i, i + 64));
        buf_put_char(out, '\n');
    }
    buf_put_text(out, "-----END RSA "
                      "PRIVATE KEY-----\n");
    buf_free(&numbers);
    buf_free(&member);
    buf_free(&der);
}

START_TEST(rs256_gives_the_example_of_rfc_7515)
{
    struct buf pem = {0}, signature = {0}, text = {0};
    struct crypto_key *key;

    put_pem(&pem);
    ck_assert_int_eq(crypto_key_read(buf_str(&pem), &key, NULL), ERR_NONE);
    crypto_sign_rs256(key,
                      STR("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQog"
                          "Imh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"),
                      &signature);
    base64_put_url(&text, buf_str(&signature));
    ck_assert_str_eq(
        buf_text(&text),
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF"
        "5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK"
        "5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqt"
        "FZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB"
        "p0igcN_IoypGlUPQGe77Rw");
    crypto_key_free(key);
    buf_free(&pem);
    buf_free(&signature);
    buf_free(&text);
}
END_TEST

START_TEST(what_is_no_key_is_refused_and_not_shown)
{
    static const char *const wrong[] = {"", "swordfish",
                                        "-----BEGIN "
                                        "PRIVATE KEY-----\nswordfish\n"
                                        "-----END "
                                        "PRIVATE KEY-----\n"};
    struct crypto_key *key;
    struct err err;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ck_assert_int_eq(crypto_key_read(str_of(wrong[i]), &key, &err), ERR_CONFIG);
        ck_assert_ptr_null(key);
        ck_assert(!str_contains(str_of(err.text), STR("swordfish")));
    }
    crypto_key_free(NULL);
}
END_TEST

SUITE_MAIN("crypto", sha_256_gives_the_examples_of_fips_180,
           hmac_sha_256_gives_the_test_cases_of_rfc_4231, an_empty_key_is_a_key,
           texts_are_equal_only_byte_for_byte, rs256_gives_the_example_of_rfc_7515,
           what_is_no_key_is_refused_and_not_shown)
