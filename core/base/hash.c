#include "core/base/hash.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGEST_SIZE = 32 };

static void to_hex(const unsigned char *digest, char out[VLB_HASH_SIZE]) {
  static const char digits[] = "0123456789abcdef";
  for (int i = 0; i < DIGEST_SIZE; i++) {
    out[2 * i] = digits[digest[i] >> 4];
    out[2 * i + 1] = digits[digest[i] & 15];
  }
  out[2 * DIGEST_SIZE] = 0;
}

void vlb_hash(const void *data, size_t size, char out[VLB_HASH_SIZE]) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  /* fails only without memory or without SHA-256 in the library: a wrong name would be worse than stopping */
  if (!EVP_Digest(data, size, digest, NULL, EVP_sha256(), NULL)) abort();
  to_hex(digest, out);
}

static vlb_code digest_stream(FILE *in, EVP_MD_CTX *md, const char *path, unsigned char *digest, vlb_error *err) {
  if (!EVP_DigestInit_ex(md, EVP_sha256(), NULL)) return vlb_fail(err, VLB_FAILED, "%s: no SHA-256 in libcrypto", path);
  unsigned char block[1 << 16];
  for (size_t n; (n = fread(block, 1, sizeof block, in)) > 0;)
    if (!EVP_DigestUpdate(md, block, n)) return vlb_fail(err, VLB_FAILED, "%s: SHA-256 failed", path);
  if (ferror(in)) return vlb_fail(err, VLB_FAILED, "%s: cannot read: %s", path, strerror(errno));
  if (!EVP_DigestFinal_ex(md, digest, NULL)) return vlb_fail(err, VLB_FAILED, "%s: SHA-256 failed", path);
  return VLB_OK;
}

vlb_code vlb_hash_file(const char *path, char out[VLB_HASH_SIZE], vlb_error *err) {
  FILE *in = fopen(path, "rb");
  if (!in) return vlb_fail(err, VLB_FAILED, "%s: cannot open: %s", path, strerror(errno));
  EVP_MD_CTX *md = EVP_MD_CTX_new();
  unsigned char digest[EVP_MAX_MD_SIZE];
  vlb_code code = md ? digest_stream(in, md, path, digest, err) : vlb_fail(err, VLB_FAILED, "%s: out of memory", path);
  if (!code) to_hex(digest, out);
  EVP_MD_CTX_free(md);
  fclose(in);
  return code;
}
