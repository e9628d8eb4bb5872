/* tests/support/certificate.h - a key and a certificate made now, for a server of a test. */
#ifndef TESTS_SUPPORT_CERTIFICATE_H
#define TESTS_SUPPORT_CERTIFICATE_H

struct certificate {
    const char *file, *key_file; /* PEM, in a scratch folder; valid until exit */
};

/* Signed by itself, so its file is also that of the authority to trust.  For this host name (and
 * 127.0.0.1), valid from an hour ago for `hours`; 0: until just now.  Never fails. */
struct certificate certificate_make(const char *host, int hours);

/* A fresh RSA key of 2048 bits as PEM (PKCS #8), valid until exit. */
const char *certificate_rsa_key(void);

#endif
