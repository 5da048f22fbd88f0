/* hash.h - SipHash-2-4, for tables keyed by what strangers send and for memory.h keys. */
#ifndef LIB_HASH_H
#define LIB_HASH_H
#include <stddef.h>
#include <stdint.h>
uint64_t hash_sip(const uint8_t key[16], const void *data, size_t len);
#endif
